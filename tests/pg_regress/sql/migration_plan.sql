-- What an upgrade runs, and what stands against it: drafts, yanked and deprecated versions, prereleases,
-- missing steps, migrations registered late.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE plan_owner NOLOGIN;
SET search_path = module_versioning, public;
SELECT id AS module FROM register_module('plan', isolation => 'schema', owner_role => 'plan_owner') \gset
SELECT id AS north FROM register_site('plan-north') \gset
SELECT id AS east FROM register_site('plan-east') \gset

-- A version with one migration, which makes a table of its name.
CREATE FUNCTION pg_temp.version(number semver, from_number semver DEFAULT NULL) RETURNS uuid LANGUAGE sql AS $$
    SELECT id FROM module_versioning.create_version(module_versioning.module_id('plan'), number, allow_backport => true);
    SELECT m.id FROM module_versioning.add_migration(module_versioning.module_id('plan'), number,
        format('CREATE TABLE %I (x int)', 'v' || number), format('DROP TABLE %I', 'v' || number),
        from_version => from_number) m;
$$;
CREATE FUNCTION pg_temp.status(number semver, status text) RETURNS text LANGUAGE sql AS $$
    SELECT (CASE $2 WHEN 'published' THEN module_versioning.publish_version(v.id)
                    WHEN 'deprecated' THEN module_versioning.deprecate_version(v.id, 'old')
                    WHEN 'yanked' THEN module_versioning.yank_version(v.id, 'broken') END).status
    FROM module_versioning.get_versions(module_versioning.module_id('plan')) v
    WHERE v.version OPERATOR(module_versioning.=) $1;
$$;
CREATE FUNCTION pg_temp.plan(site uuid, target semver DEFAULT NULL)
RETURNS TABLE (target semver, path semver[], steps text, can_upgrade boolean, blockers text[], warnings text[])
LANGUAGE sql AS $$
    SELECT p.target_version, p.path,
           (SELECT string_agg(concat_ws(' ', m ->> 'action', m ->> 'sequence', 'to', m ->> 'to_version'), ', ' ORDER BY n)
            FROM jsonb_array_elements(p.migrations) WITH ORDINALITY AS t (m, n)),
           p.can_upgrade, p.blockers, p.warnings
    FROM module_versioning.plan_upgrade(site, module_versioning.module_id('plan'), target) p;
$$;
\x on
SELECT count(pg_temp.version(number)) FROM unnest('{1.0.0,1.1.0,1.2.0,1.3.0}'::semver[]) number;
SELECT string_agg(pg_temp.status(number, 'published'), ', ') FROM unnest('{1.0.0,1.1.0,1.3.0}'::semver[]) number;
SELECT status, to_version FROM install_module(:'north', :'module', '1.0.0');

\echo A draft on the way does not run, not even in a plan; as the target it is shown, and blocked.
SELECT * FROM pg_temp.plan(:'north');
SELECT * FROM pg_temp.plan(:'north', '1.2.0');
SELECT array_agg(to_version) FROM get_pending_migrations(:'north', :'module');
SELECT id AS draft FROM module_migrations WHERE module_id = :'module' AND to_version = '1.2.0' \gset
SELECT status FROM apply_module_migration(:'north', :'draft');
\echo :LAST_ERROR_SQLSTATE

\echo A yanked version and a deprecated one are no steps of the path; their migrations run, for later ones build on them.
SELECT pg_temp.status('1.2.0', 'published'), pg_temp.status('1.1.0', 'deprecated'), pg_temp.status('1.2.0', 'yanked');
SELECT * FROM pg_temp.plan(:'north');
SELECT array_agg(version ORDER BY version) FROM get_upgrade_path(:'module', '1.0.0', '1.3.0');
SELECT * FROM pg_temp.plan(:'north', '1.1.0');
SELECT * FROM pg_temp.plan(:'north', '1.2.0');

\echo A site on a version that is yanked later moves off it, up and down.
SELECT status, to_version FROM upgrade_module(:'north', :'module', '1.3.0', create_backup => false);
SELECT pg_temp.version('1.4.0'), pg_temp.status('1.4.0', 'published') \g /dev/null
SELECT pg_temp.status('1.3.0', 'yanked');
SELECT * FROM pg_temp.plan(:'north');
SELECT status, to_version FROM upgrade_module(:'north', :'module', create_backup => false);
SELECT can_rollback, blockers FROM plan_rollback(:'north', :'module', '1.3.0');
SELECT status FROM rollback_module(:'north', :'module', '1.3.0', force => true);
\echo :LAST_ERROR_SQLSTATE
SELECT status, to_version FROM rollback_module(:'north', :'module', '1.0.0', create_backup => false, force => true);

\echo A migration that was undone by itself runs again, and is not called late.
SELECT status, to_version FROM upgrade_module(:'north', :'module', '1.4.0', create_backup => false);
SELECT id AS last FROM module_migrations WHERE module_id = :'module' AND to_version = '1.4.0' \gset
SELECT direction, status FROM apply_module_migration(:'north', :'last', 'down', false);
SELECT * FROM pg_temp.plan(:'north');
SELECT passed, detail FROM verify_module(:'north', :'module') WHERE check_name = 'migrations';
SELECT status, to_version FROM upgrade_module(:'north', :'module', create_backup => false);
SELECT passed FROM verify_module(:'north', :'module') WHERE check_name = 'migrations';

\echo Prereleases: a step only when asked for, and before their release. Build metadata is no other version.
SELECT count(pg_temp.version(number)) FROM unnest('{2.0.0-rc.1,2.0.0-rc.2,2.0.0+build.5}'::semver[]) number;
SELECT string_agg(pg_temp.status(number, 'published'), ', ') FROM unnest('{2.0.0-rc.1,2.0.0-rc.2,2.0.0}'::semver[]) number;
SELECT target, path, steps FROM pg_temp.plan(:'north');
SELECT target, path, steps FROM pg_temp.plan(:'north', '2.0.0-rc.2');
SELECT status, to_version FROM upgrade_module(:'north', :'module', '2.0.0-rc.1', create_backup => false);
SELECT target, path, steps FROM pg_temp.plan(:'north', '2.0.0+other');
SELECT status, to_version FROM upgrade_module(:'north', :'module', '2.0.0', create_backup => false);
SELECT status FROM upgrade_module(:'north', :'module', '2.0.0+other', create_backup => false);

\echo A step that nothing leads to: the version is unknown, or a draft. One without migrations is fine.
SELECT pg_temp.version('3.0.0', '2.5.0'), pg_temp.status('3.0.0', 'published') \g /dev/null
SELECT blockers FROM pg_temp.plan(:'north');
SELECT status FROM upgrade_module(:'north', :'module', force => true);
\echo :LAST_ERROR_SQLSTATE
SELECT version FROM create_version(:'module', '2.5.0', allow_backport => true);
SELECT blockers FROM pg_temp.plan(:'north');
SELECT pg_temp.status('2.5.0', 'published');
SELECT path, steps, blockers FROM pg_temp.plan(:'north');

\echo A backport is registered after the versions above it: late for a site above it, in order for others.
SELECT pg_temp.version('1.0.5'), pg_temp.status('1.0.5', 'published') \g /dev/null
SELECT sequence FROM module_migrations WHERE module_id = :'module' AND to_version = '1.0.5';
SELECT steps, can_upgrade, blockers FROM pg_temp.plan(:'north');
SELECT status FROM upgrade_module(:'north', :'module', force => true);
\echo :LAST_ERROR_SQLSTATE
SELECT passed, detail FROM verify_module(:'north', :'module') WHERE check_name = 'migrations';
SELECT id AS late FROM module_migrations WHERE module_id = :'module' AND to_version = '1.0.5' \gset
SELECT status FROM apply_module_migration(:'north', :'late');
\echo :LAST_ERROR_SQLSTATE
SELECT steps, blockers FROM pg_temp.plan(:'east', '1.1.0');
SELECT status, to_version FROM install_module(:'east', :'module', '1.1.0');
SET module_versioning.allow_out_of_order = on;
SELECT steps, can_upgrade, blockers, warnings FROM pg_temp.plan(:'north');
SELECT status, to_version, warnings FROM upgrade_module(:'north', :'module', create_backup => false);
RESET module_versioning.allow_out_of_order;
SELECT steps, blockers FROM pg_temp.plan(:'north');
SELECT to_version, direction, status FROM get_migration_history(:'north', :'module') r JOIN module_migrations m ON m.id = r.migration_id LIMIT 2;

\echo All versions yanked: nothing to go to, and said so.
SELECT id AS dead FROM register_module('plan-dead', isolation => 'schema', owner_role => 'plan_owner') \gset
SELECT id AS v1 FROM create_version(:'dead', '1.0.0') \gset
SELECT status FROM publish_version(:'v1');
SELECT status FROM install_module(:'north', :'dead');
SELECT status FROM yank_version(:'v1', 'broken');
SELECT can_upgrade FROM plan_upgrade(:'north', :'dead');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM install_module(:'east', :'dead', '1.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM get_pending_migrations(:'north', :'dead');

\echo A script that was changed in the table: a plan says so, and force does not help.
SELECT id AS bent FROM register_module('plan-bent', isolation => 'schema', owner_role => 'plan_owner') \gset
SELECT id AS v1 FROM create_version(:'bent', '1.0.0') \gset
SELECT id AS m1 FROM add_migration(:'bent', '1.0.0', 'CREATE TABLE t (x int)', 'DROP TABLE t') \gset
UPDATE module_migrations SET up_sql = 'CREATE TABLE other (' WHERE id = :'m1';
SELECT status FROM publish_version(:'v1');
SELECT can_upgrade, blockers FROM plan_upgrade(:'east', :'bent');
SELECT status FROM install_module(:'east', :'bent');
\echo :LAST_ERROR_SQLSTATE
