-- Which versions of which modules a site can run together, and why not.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET search_path = public, module_versioning;
SET client_min_messages = warning;

CREATE FUNCTION rr_publish(slug text, version semver, dependencies jsonb DEFAULT '{}', conflicts jsonb DEFAULT '{}', platform semver DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE draft uuid;
BEGIN
    PERFORM register_module(slug);
    draft := (create_version(module_id(slug), version, dependencies => dependencies, min_platform_version => platform, allow_backport => true)).id;
    UPDATE registered_versions v SET conflicts = rr_publish.conflicts WHERE v.id = draft;
    PERFORM publish_version(draft);
END $$;
CREATE FUNCTION rr_resolve(slug text, range semver_range DEFAULT NULL)
RETURNS TABLE (slug text, installed_version semver, version semver, action text, required_by text)
LANGUAGE sql AS $$
    SELECT r.slug, r.installed_version, r.version, r.action, r.required_by
    FROM resolve_dependencies(site_id('rr-site'), module_id(rr_resolve.slug), rr_resolve.range) r
$$;
SELECT count(*) FROM register_site('rr-site', platform_version => '4.2.0');

-- What is needed comes first; a diamond meets in one version.
SELECT rr_publish('rr-base', v) FROM unnest('{1.0.0,2.0.0,2.1.0,3.0.0}'::semver[]) v;
SELECT rr_publish('rr-left', '1.0.0', '{"rr-base": ">=1 <3"}');
SELECT rr_publish('rr-right', '1.0.0', '{"rr-base": "^1"}');
SELECT rr_publish('rr-right', '1.1.0', '{"rr-base": " ^2 "}');
SELECT rr_publish('rr-top', '1.0.0', '{"rr-left": "^1", "rr-right": "1.x"}');
SELECT rr_publish('rr-top', '2.0.0-rc.1', '{"rr-left": "^1"}');
SELECT * FROM rr_resolve('rr-top');
SELECT * FROM rr_resolve('rr-top', '^2.0.0-0');
SELECT required_module_id = module_id(slug) AS is_it, slug FROM resolve_dependencies(site_id('rr-site'), module_id('rr-left'));
-- Reads only.
BEGIN TRANSACTION READ ONLY;
SELECT count(*) FROM rr_resolve('rr-top');
COMMIT;

-- Ids name modules as slugs do.
SELECT rr_publish('rr-by-id', '1.0.0', jsonb_build_object(module_id('rr-base'), '~2.0'));
SELECT * FROM rr_resolve('rr-by-id');

-- What is installed stays if it can, and goes up if it must; never down.
SELECT status FROM install_module(site_id('rr-site'), module_id('rr-base'), '1.0.0');
SELECT status FROM install_module(site_id('rr-site'), module_id('rr-right'), '1.0.0');
SELECT * FROM rr_resolve('rr-base');
SELECT * FROM rr_resolve('rr-left');
SELECT * FROM rr_resolve('rr-by-id');
SELECT * FROM rr_resolve('rr-base', '^2');
SELECT * FROM rr_resolve('rr-base', '^3');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM upgrade_module(site_id('rr-site'), module_id('rr-base'), '1.0.0');
SELECT * FROM rr_resolve('rr-right', '1.0.0');
SELECT * FROM rr_resolve('rr-right', '<1');
\echo :LAST_ERROR_SQLSTATE

-- Cycles end; the module asked for comes last.
SELECT register_module('rr-odd') IS NOT NULL AS registered;
SELECT rr_publish('rr-even', '0.9.0');
SELECT rr_publish('rr-odd', '1.0.0', '{"rr-even": "*"}');
SELECT rr_publish('rr-even', '1.0.0', '{"rr-odd": "^1"}');
SELECT slug, version, required_by FROM rr_resolve('rr-odd');
SELECT slug, version, required_by FROM rr_resolve('rr-even');

-- A module that needs itself can't be declared, but may have been written by hand.
SELECT id AS self FROM create_version((register_module('rr-self')).id, '1.0.0') \gset
UPDATE registered_versions SET dependencies = '{"rr-self": "^2"}' WHERE id = :'self';
UPDATE registered_versions SET status = 'published', published_at = now() WHERE id = :'self';
SELECT * FROM rr_resolve('rr-self');
\echo :LAST_ERROR_SQLSTATE

-- No version satisfies, all are yanked, only prereleases lie there, the module has gone.
SELECT rr_publish('rr-mail', '1.0.0');
SELECT rr_publish('rr-mail', '2.0.0');
SELECT rr_publish('rr-mail', '2.1.0');
SELECT rr_publish('rr-mail', '3.0.0-beta');
SELECT rr_publish('rr-blog', '2.0.0', '{"rr-mail": "^2"}');
SELECT y.version, y.status FROM get_versions(module_id('rr-mail')) v, yank_version(v.id, 'broken') y WHERE v.version <@ '^2' ORDER BY 1;
SELECT * FROM rr_resolve('rr-blog');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM rr_resolve('rr-mail', '^9');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM rr_resolve('rr-mail', '^3');
\echo :LAST_ERROR_SQLSTATE
SELECT id AS gone FROM create_version((register_module('rr-orphan')).id, '1.0.0') \gset
UPDATE registered_versions SET dependencies = '{"rr-nobody": "^1"}' WHERE id = :'gone';
UPDATE registered_versions SET status = 'published', published_at = now() WHERE id = :'gone';
SELECT * FROM rr_resolve('rr-orphan');
\echo :LAST_ERROR_SQLSTATE
SELECT slug FROM register_module('rr-empty');
SELECT * FROM rr_resolve('rr-empty');
\echo :LAST_ERROR_SQLSTATE

-- Deprecated versions only where nothing else fits.
SELECT rr_publish('rr-old', v) FROM unnest('{1.0.0,1.1.0,2.0.0}'::semver[]) v;
SELECT d.version, d.status FROM get_versions(module_id('rr-old')) v, deprecate_version(v.id) d WHERE v.version IN ('1.1.0', '2.0.0') ORDER BY 1;
SELECT version FROM rr_resolve('rr-old');
SELECT version FROM rr_resolve('rr-old', '^1');
SELECT version FROM rr_resolve('rr-old', '^2');

-- The platform counts.
SELECT rr_publish('rr-new', '1.0.0', platform => '4.0.0');
SELECT rr_publish('rr-new', '2.0.0', platform => '5.0.0');
SELECT version FROM rr_resolve('rr-new');
SELECT * FROM rr_resolve('rr-new', '2.x');
\echo :LAST_ERROR_SQLSTATE

-- Conflicts keep modules apart, prereleases included.
SELECT rr_publish('rr-legacy', v) FROM unnest('{1.0.0,1.5.0-rc.1,2.0.0}'::semver[]) v;
SELECT rr_publish('rr-modern', '1.0.0', conflicts => '{"rr-legacy": "1.x"}');
SELECT slug, action FROM rr_resolve('rr-modern');
SELECT rr_publish('rr-needs-both', '1.0.0', '{"rr-modern": "*", "rr-legacy": "^1.5.0-rc"}');
SELECT * FROM rr_resolve('rr-needs-both');
\echo :LAST_ERROR_SQLSTATE

-- More than a few facts are told step by step.
SELECT rr_publish('rr-a', '1.0.0', '{"rr-base": "^1"}');
SELECT rr_publish('rr-a', '1.1.0', '{"rr-base": "^2"}');
SELECT rr_publish('rr-b', '1.0.0', '{"rr-base": "^2"}');
SELECT rr_publish('rr-b', '1.1.0', '{"rr-base": "^3"}');
SELECT rr_publish('rr-c', '1.0.0', '{"rr-base": "^3"}');
SELECT rr_publish('rr-c', '1.1.0', '{"rr-base": "^1"}');
SELECT rr_publish('rr-abc', '1.0.0', '{"rr-a": "^1", "rr-b": "^1", "rr-c": "^1"}');
SELECT count(*) FROM register_site('rr-empty-site');
SELECT * FROM resolve_dependencies(site_id('rr-empty-site'), module_id('rr-abc'));
\echo :LAST_ERROR_SQLSTATE

-- A search that takes too long is given up.
SET module_versioning.solver_step_limit = 2;
SELECT * FROM rr_resolve('rr-top');
\echo :LAST_ERROR_SQLSTATE
SET module_versioning.solver_step_limit = 0;
SELECT count(*) FROM rr_resolve('rr-top');
RESET module_versioning.solver_step_limit;

-- Arguments.
SELECT * FROM resolve_dependencies(NULL, module_id('rr-top'));
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM resolve_dependencies(site_id('rr-site'), NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM resolve_dependencies(site_id('rr-site'), '00000000-0000-4000-8000-00000000ffff');
\echo :LAST_ERROR_SQLSTATE

DROP FUNCTION rr_publish, rr_resolve;
