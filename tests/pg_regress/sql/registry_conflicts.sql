-- Conflicts between modules, and the platform of a site: declared, published, installed, upgraded, rolled back.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET search_path = public, module_versioning;
SET client_min_messages = warning;

SELECT id AS shop FROM register_module('rc-shop') \gset
SELECT id AS blog FROM register_module('rc-blog') \gset
SELECT id AS mail FROM register_module('rc-mail') \gset
SELECT id AS north FROM register_site('rc-north', platform_version => '3.0.0') \gset
SELECT count(publish_version((create_version(:'shop', v)).id)) FROM unnest(ARRAY['1.0.0', '1.5.0', '2.0.0', '2.1.0-rc.1']::semver[]) v;

-- Validated as dependencies are.
SELECT create_version(:'blog', '1.0.0', conflicts => '[]');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', conflicts => '{"rc-shop": 2}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', conflicts => '{"rc-shop": "no range"}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', conflicts => '{"rc-shpo": "*"}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', conflicts => '{"rc-blog": "<1"}');
\echo :LAST_ERROR_SQLSTATE
SELECT create_version(:'blog', '1.0.0', conflicts => jsonb_build_object(:'shop', '*', 'rc-shop', '^1'));
\echo :LAST_ERROR_SQLSTATE
-- Needed and excluded: refused only where nothing is left.
SELECT create_version(:'blog', '1.0.0', dependencies => '{"rc-shop": "~1.2"}', conflicts => jsonb_build_object(:'shop', '1.x'));
\echo :LAST_ERROR_SQLSTATE
SELECT id AS blog1, dependencies, conflicts FROM create_version(:'blog', '1.0.0', dependencies => '{"rc-shop": "^1"}', conflicts => jsonb_build_object('rc-shop', '>=1.0.0')) \gset
SELECT publish_version(:'blog1');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM registered_versions WHERE id = :'blog1';
SELECT version, conflicts FROM create_version(:'blog', '1.0.0', conflicts => '{"rc-shop": "^2.0.0"}');
SELECT version, conflicts FROM create_version(:'blog', '2.0.0', dependencies => '{"rc-shop": "*"}', conflicts => '{"rc-shop": "^1.5.0"}');
SELECT version, conflicts FROM create_version(:'blog', '3.0.0');
SELECT count(publish_version(id)) FROM get_versions(:'blog');
UPDATE registered_versions SET conflicts = '{}' WHERE module_id = :'blog' AND version = '1.0.0';
\echo :LAST_ERROR_SQLSTATE

-- The new version may not conflict with what the site runs ...
SELECT status FROM install_module(:'north', :'shop', '1.5.0');
SELECT can_upgrade, blockers FROM plan_upgrade(:'north', :'blog', '2.0.0');
SELECT status FROM install_module(:'north', :'blog', '2.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM install_module(:'north', :'blog', '1.0.0');
-- ... nor what the site runs with the new version, prereleases included; force doesn't help.
SELECT can_upgrade, blockers FROM plan_upgrade(:'north', :'shop', '2.0.0');
SELECT status FROM upgrade_module(:'north', :'shop', '2.1.0-rc.1', force => true);
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM upgrade_module(:'north', :'blog', '3.0.0');
SELECT status FROM upgrade_module(:'north', :'shop', '2.0.0');
-- Going back is a change like any other.
SELECT can_rollback, blockers FROM plan_rollback(:'north', :'blog', '1.0.0');
SELECT status FROM rollback_module(:'north', :'blog', '1.0.0', force => true);
\echo :LAST_ERROR_SQLSTATE
SELECT version, can_rollback, blockers FROM get_rollback_points(:'north', :'blog');
SELECT status FROM rollback_module(:'north', :'shop', '1.5.0');
SELECT status FROM rollback_module(:'north', :'blog', '1.0.0');
SELECT check_name, passed, detail FROM verify_module(:'north', :'blog') WHERE check_name = 'dependencies';
-- What came about without the extension is seen.
UPDATE site_module_versions SET version_id = (SELECT id FROM get_versions(:'shop') WHERE version = '2.0.0')
WHERE status = 'active' AND site_module_id = (SELECT id FROM site_modules WHERE site_id = :'north' AND module_id = :'shop');
SELECT check_name, passed, detail FROM verify_module(:'north', :'blog') WHERE check_name = 'dependencies';
SELECT check_name, passed, detail FROM verify_module(:'north', :'shop') WHERE check_name = 'dependencies';
SELECT status FROM uninstall_module(:'north', :'blog');

-- A yanked version is no target, whichever way.
SELECT status FROM yank_version((SELECT id FROM get_versions(:'shop') WHERE version = '1.5.0'), 'loses carts');
SELECT can_rollback, blockers FROM plan_rollback(:'north', :'shop', '1.5.0');
SELECT status FROM rollback_module(:'north', :'shop', '1.5.0', force => true);
\echo :LAST_ERROR_SQLSTATE

-- The platform of a site.
SELECT platform_version FROM register_site('rc-north', platform_version => '4.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT count(publish_version((create_version(:'mail', v, min_platform_version => p)).id))
FROM (VALUES ('1.0.0'::semver, '4.0.0'::semver), ('2.0.0', NULL)) AS versions (v, p);
SELECT status FROM install_module(:'north', :'mail', '1.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT slug, platform_version FROM set_platform_version(:'north', '4.2.0');
SELECT status FROM install_module(:'north', :'mail', '1.0.0');
SELECT set_platform_version(:'north', '4.0.0-rc.1');
\echo :LAST_ERROR_SQLSTATE
SELECT slug, platform_version FROM set_platform_version(:'north', '4.0.0');
SELECT status FROM upgrade_module(:'north', :'mail', '2.0.0');
SELECT slug, platform_version FROM set_platform_version(:'north', '3.0.0');
-- A rollback needs its platform, too.
SELECT can_rollback, blockers FROM plan_rollback(:'north', :'mail', '1.0.0');
SELECT status FROM rollback_module(:'north', :'mail', '1.0.0', force => true);
\echo :LAST_ERROR_SQLSTATE
SELECT set_platform_version(:'north', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT set_platform_version(NULL, '1.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT set_platform_version('00000000-0000-4000-8000-00000000ffff', '1.0.0');
\echo :LAST_ERROR_SQLSTATE

-- What nothing published satisfies, and what there is instead.
SELECT reason FROM validate_dependencies('{"rc-shop": "~1.5"}');
SELECT status FROM deprecate_version((SELECT id FROM get_versions(:'shop') WHERE version = '1.0.0'));
SELECT reason FROM validate_dependencies('{"rc-shop": "1.x"}');
SELECT reason FROM validate_dependencies('{"rc-shop": "~2.1"}');
SELECT reason FROM validate_dependencies('{"rc-shop": "9.x"}');
SELECT id AS needy FROM create_version(:'mail', '3.0.0', dependencies => '{"rc-shop": "~1.5", "rc-blog": "^9"}') \gset
SELECT publish_version(:'needy');
\echo :LAST_ERROR_SQLSTATE

-- However long a text is, an error is short.
SELECT length(reason) < 300 AS short FROM validate_dependencies(jsonb_build_object(repeat('x', 1000000), '*'));
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE m text; d text; h text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || CASE WHEN length(m || d || h) < 500 THEN ' short' ELSE ' long' END;
END
$$;
SELECT pg_temp.error_of(format('SELECT module_id(%L)', repeat('x', 1000000)));
SELECT pg_temp.error_of(format('SELECT register_module(%L)', repeat('x', 1000000)));
SELECT pg_temp.error_of(format('SELECT register_module(%L, isolation => %L)', 'rc-x', repeat('x', 1000000)));
SELECT pg_temp.error_of(format('SELECT register_module(%L, schema_name => %L)', 'rc-x', repeat('x', 1000000)));
SELECT pg_temp.error_of(format('SELECT register_module(%L, name => %L)', 'rc-shop', repeat('x', 1000000)));
SELECT pg_temp.error_of(format('SELECT create_version(%L, %L, dependencies => jsonb_build_object(%L, %L))', :'mail', '4.0.0', repeat('x', 1000000), '*'));
SELECT pg_temp.error_of(format('SELECT create_version(%L, %L, conflicts => jsonb_build_object(%L, %L))', :'mail', '4.0.0', 'rc-shop', repeat('x', 1000000)));
SELECT register_module('rc-ctid', site_column => 'ctid');
\echo :LAST_ERROR_SQLSTATE
