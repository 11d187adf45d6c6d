-- The views for people: modules, sites, dependencies.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
\pset null '-'
SET search_path = public, module_versioning;
SET client_min_messages = warning;

SELECT id AS shop FROM register_module('rw-shop', 'Shop') \gset
SELECT id AS blog FROM register_module('rw-blog', 'Blog') \gset
SELECT id AS beta FROM register_module('rw-beta') \gset
SELECT id AS north FROM register_site('rw-north') \gset
SELECT id AS south FROM register_site('rw-south') \gset
SELECT id AS west FROM register_site('rw-west') \gset
SELECT count(create_version(:'shop', v)) FROM unnest(ARRAY['1.0.0', '1.0.1', '1.1.0', '1.2.0', '2.0.0', '2.1.0-rc.1', '3.0.0']::semver[]) v;
SELECT count(add_migration(:'shop', '1.0.0', 'CREATE TABLE t (site_id uuid)'));
SELECT count(publish_version(id)) FROM get_versions(:'shop') WHERE version < '3.0.0';
SELECT version, prerelease FROM create_version(:'shop', '2.1.0-rc.2');
SELECT count(publish_version((create_version(:'blog', '1.0.0', dependencies => jsonb_build_object(:'shop', '^1.0.0'), conflicts => '{"rw-beta": ">=2"}')).id));
SELECT count(publish_version((create_version(:'blog', '2.0.0', dependencies => '{"rw-shop": "^2"}', conflicts => '{"rw-beta": "*"}')).id));
SELECT count(publish_version((create_version(:'beta', v)).id)) FROM unnest(ARRAY['1.0.0-a', '1.0.0-b']::semver[]) v;

SELECT status FROM install_module(:'north', :'shop', '1.0.0');
SELECT status FROM install_module(:'north', :'blog', '1.0.0');
SELECT status FROM install_module(:'south', :'shop', '2.0.0');
SELECT status FROM install_module(:'west', :'shop', '2.1.0-rc.1');
SELECT status FROM install_module(:'west', :'beta', '1.0.0-a');
SELECT status FROM deprecate_version((SELECT id FROM get_versions(:'shop') WHERE version = '1.0.0'), 'old');
SELECT row_count FROM snapshot_module_data(:'north', :'shop');

SELECT module, name, latest, latest_prerelease, versions, drafts, installs, installs_by_version
FROM module_overview WHERE module LIKE 'rw-%' ORDER BY module;
SELECT site, module, installed, latest, behind, versions_behind, majors_behind, minors_behind, patches_behind,
       is_yanked, is_deprecated, status_reason, last_run_status, last_run_at IS NOT NULL AS ran, last_snapshot_at IS NOT NULL AS saved
FROM site_overview WHERE site LIKE 'rw-%' ORDER BY site, module;
SELECT module, version, is_latest, installs, kind, required_module, version_range, matched_version, satisfied
FROM dependency_graph WHERE module LIKE 'rw-%' ORDER BY module, version, kind, required_module;

-- What is withdrawn shows.
SELECT count(yank_version(id, 'broken')) FROM get_versions(:'shop') WHERE version < '2.0.0';
SELECT site, module, installed, is_yanked, is_deprecated, status_reason FROM site_overview WHERE site = 'rw-north' ORDER BY module;
SELECT module, version, required_module, matched_version, satisfied FROM dependency_graph WHERE module = 'rw-blog' AND kind = 'dependency' ORDER BY version;
SELECT status FROM uninstall_module(:'west', :'beta');
SELECT installs FROM module_overview WHERE module = 'rw-beta';
SELECT count(*) FROM site_overview WHERE module = 'rw-beta';

-- Read-only, and for nobody until it is granted.
BEGIN READ ONLY;
SELECT count(*) > 0 AS readable FROM dependency_graph;
COMMIT;
CREATE ROLE rw_reader NOLOGIN;
SET ROLE rw_reader;
SELECT count(*) FROM module_overview;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT SELECT ON module_overview, site_overview, dependency_graph TO rw_reader;
SET ROLE rw_reader;
SELECT count(*) FROM module_overview WHERE module LIKE 'rw-%';
SELECT count(*) FROM site_overview WHERE site LIKE 'rw-%';
SELECT count(*) FROM dependency_graph WHERE module LIKE 'rw-%';
RESET ROLE;
REVOKE ALL ON module_overview, site_overview, dependency_graph FROM rw_reader;
DROP ROLE rw_reader;
