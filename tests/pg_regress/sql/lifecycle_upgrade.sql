-- Installing and upgrading: all of it, or nothing and a record.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE upgrade_owner NOLOGIN;

SELECT id AS module FROM module_versioning.register_module('upgrade', owner_role => 'upgrade_owner') \gset
SELECT id AS north FROM module_versioning.register_site('upgrade-north') \gset
SELECT id AS south FROM module_versioning.register_site('upgrade-south') \gset

SELECT id AS v100 FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT id AS v110 FROM module_versioning.create_version(:'module', '1.1.0') \gset
SELECT id AS v200 FROM module_versioning.create_version(:'module', '2.0.0') \gset
SELECT id AS m1 FROM module_versioning.add_migration(:'module', '1.0.0', $$
    CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, site_id uuid NOT NULL, body text);
    CREATE TABLE no_site (code text PRIMARY KEY);
$$, 'DROP TABLE notes, no_site') \gset
SELECT id AS m2 FROM module_versioning.add_migration(:'module', '1.1.0',
    'ALTER TABLE notes ADD COLUMN tag text; ALTER TABLE notes RENAME TO remarks', 'ALTER TABLE remarks RENAME TO notes; ALTER TABLE notes DROP COLUMN tag') \gset
SELECT id AS m3 FROM module_versioning.add_migration(:'module', '2.0.0',
    'INSERT INTO remarks (site_id, body) VALUES (module_versioning.current_site_id(), ''hello'')', 'DELETE FROM remarks', scope => 'site') \gset

\echo A draft is not installed, nor is what is unknown.
SELECT status FROM module_versioning.install_module(:'north', :'module', '1.0.0');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.install_module(:'north', :'module', '9.9.9');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.install_module(:'north', :'module');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.install_module(NULL, :'module');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.install_module('00000000-0000-0000-0000-000000000001', :'module');
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM module_versioning.upgrade_module(:'north', :'module');
\echo :LAST_ERROR_SQLSTATE

SELECT count(*) FROM (SELECT module_versioning.publish_version(v) FROM unnest(ARRAY[:'v100', :'v110', :'v200']::uuid[]) v) published;
SELECT status FROM module_versioning.upgrade_module(:'north', :'module');
\echo :LAST_ERROR_SQLSTATE

\echo Installing runs the migrations up to the version; tables register themselves.
SELECT status, direction, from_version, to_version, backup_id, cardinality(run_ids) AS runs, verified, warnings, sqlstate, failed_migration_id
FROM module_versioning.install_module(:'north', :'module', '1.0.0');
SELECT table_name, site_column FROM module_versioning.module_tables WHERE module_id = :'module' ORDER BY 1;
SELECT status FROM module_versioning.install_module(:'north', :'module', '1.0.0');
SELECT status FROM module_versioning.install_module(:'north', :'module', '2.0.0');
\echo :LAST_ERROR_SQLSTATE

\echo A second site finds the shared migration in force.
SELECT status, cardinality(run_ids) AS runs FROM module_versioning.install_module(:'south', :'module', '1.0.0');

\echo Objects belong to the owner role, not to the caller.
SELECT relname, pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'upgrade'::regnamespace AND relkind = 'r' ORDER BY 1;
SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'upgrade';

INSERT INTO upgrade.notes (site_id, body) VALUES (:'north', 'one'), (:'north', 'two'), (:'south', 'three');

\echo The plan, without doing anything.
SELECT current_version, target_version, path, has_breaking_changes, can_upgrade, blockers, warnings, requires_maintenance
FROM module_versioning.plan_upgrade(:'north', :'module', '1.1.0');
SELECT sequence, to_version, scope FROM module_versioning.get_pending_migrations(:'north', :'module');
SELECT sequence, to_version, scope FROM module_versioning.get_pending_migrations(:'north', :'module', '1.1.0');
BEGIN READ ONLY;
SELECT can_upgrade FROM module_versioning.plan_upgrade(:'north', :'module', '2.0.0');
SELECT count(*) FROM module_versioning.get_pending_migrations(:'north', :'module');
SELECT bool_and(passed) FROM module_versioning.verify_module(:'north', :'module');
COMMIT;

\echo A rename breaks the version of the other site: blocked, unless forced.
SELECT status FROM module_versioning.upgrade_module(:'north', :'module', '1.1.0');
\echo :LAST_ERROR_SQLSTATE
\echo Undone by the client: no trace.
BEGIN;
SELECT status, verified, warnings FROM module_versioning.upgrade_module(:'north', :'module', '1.1.0', force => true);
ROLLBACK;
SELECT module_versioning.get_installed_version(:'north', :'module') AS installed, to_regclass('upgrade.remarks') AS remarks,
       (SELECT count(*) FROM module_versioning.module_migration_runs WHERE module_id = :'module') AS runs,
       (SELECT count(*) FROM module_versioning.module_data_backups WHERE module_id = :'module') AS snapshots;

SELECT status, from_version, to_version, backup_id IS NOT NULL AS snapshot, cardinality(run_ids) AS runs
FROM module_versioning.upgrade_module(:'north', :'module', '1.1.0', force => true);
SELECT table_name, site_column FROM module_versioning.module_tables WHERE module_id = :'module' ORDER BY 1;

\echo Called twice: nothing to do.
SELECT status, from_version, to_version, cardinality(run_ids) AS runs, backup_id FROM module_versioning.upgrade_module(:'north', :'module', '1.1.0');
SELECT status FROM module_versioning.upgrade_module(:'north', :'module', '1.0.0');
\echo :LAST_ERROR_SQLSTATE

\echo The other site only activates what is in force already.
SELECT status, cardinality(run_ids) AS runs FROM module_versioning.upgrade_module(:'south', :'module', '1.1.0');

\echo A migration of scope site runs for each.
SELECT status, cardinality(run_ids) AS runs FROM module_versioning.upgrade_module(:'north', :'module');
SELECT status, cardinality(run_ids) AS runs FROM module_versioning.upgrade_module(:'south', :'module');
SELECT site_id = :'north' AS north, count(*) FROM upgrade.remarks GROUP BY 1 ORDER BY 1;
SELECT version, active_installs FROM module_versioning.module_versions WHERE module_id = :'module' ORDER BY version;

\echo A version whose third statement fails: everything is undone, the attempt is recorded.
SELECT id AS v210 FROM module_versioning.create_version(:'module', '2.1.0') \gset
SELECT id AS m4 FROM module_versioning.add_migration(:'module', '2.1.0', 'ALTER TABLE remarks ADD COLUMN stars integer; CREATE TABLE fine (x int)', 'SELECT 1') \gset
SELECT id AS m5 FROM module_versioning.add_migration(:'module', '2.1.0', $$
    UPDATE remarks SET body = upper(body);
    CREATE TABLE never (id int);
    ALTER TABLE remarks ADD CONSTRAINT short CHECK (length(body) < 4);
    SELECT 'never reached';
$$) \gset
SELECT FROM module_versioning.publish_version(:'v210') \g /dev/null
SELECT can_upgrade, unnest(warnings) AS warning FROM module_versioning.plan_upgrade(:'north', :'module', '2.1.0');
SELECT status, from_version, to_version, backup_id, cardinality(run_ids) AS runs, sqlstate, error_message, error_detail, error_hint,
       failed_migration_id = :'m5' AS the_right_one, statement_number, verified
FROM module_versioning.upgrade_module(:'north', :'module', '2.1.0');
SELECT module_versioning.get_installed_version(:'north', :'module') AS installed, to_regclass('upgrade.fine') AS fine, to_regclass('upgrade.never') AS never,
       (SELECT count(*) FROM pg_attribute WHERE attrelid = 'upgrade.remarks'::regclass AND attname = 'stars') AS stars,
       (SELECT count(*) FROM upgrade.remarks WHERE body = upper(body) AND body <> '') AS shouted;
SELECT m.sequence, r.direction, r.status, r.sqlstate, r.statement_number, r.error_message, r.rows_affected, r.backup_id IS NOT NULL AS snapshot, r.run_as
FROM module_versioning.get_migration_history(:'north', :'module') r JOIN module_versioning.module_migrations m ON m.id = r.migration_id LIMIT 3;
SELECT type, count(*) FROM module_versioning.module_data_backups WHERE site_id = :'north' AND module_id = :'module' GROUP BY 1;
SELECT table_name FROM module_versioning.module_tables WHERE module_id = :'module' ORDER BY 1;
SELECT check_name, passed FROM module_versioning.verify_module(:'north', :'module');

\echo One migration by itself, in order only.
SELECT status FROM module_versioning.apply_module_migration(:'north', :'m5');
\echo :LAST_ERROR_SQLSTATE
SELECT direction, status, statement_number FROM module_versioning.apply_module_migration(:'north', :'m4');
SELECT direction, status, sqlstate, statement_number FROM module_versioning.apply_module_migration(:'north', :'m5');
SELECT direction, status FROM module_versioning.apply_module_migration(:'north', :'m4', 'down');
SELECT direction, status FROM module_versioning.apply_module_migration(:'north', :'m4', 'sideways');
\echo :LAST_ERROR_SQLSTATE
SELECT direction, status FROM module_versioning.apply_module_migration(:'north', '00000000-0000-0000-0000-000000000002');
\echo :LAST_ERROR_SQLSTATE

\echo A failed installation leaves no installation.
SELECT id AS west FROM module_versioning.register_site('upgrade-west') \gset
SELECT status, statement_number FROM module_versioning.install_module(:'west', :'module', '2.1.0');
SELECT count(*) FROM module_versioning.site_modules WHERE site_id = :'west';
SELECT status FROM module_versioning.get_migration_history(:'west', :'module');

\echo Yanked and platform: correctness, which force does not override.
SELECT status FROM module_versioning.yank_version(:'v210', 'breaks on real rows');
SELECT status FROM module_versioning.upgrade_module(:'north', :'module', '2.1.0', force => true);
\echo :LAST_ERROR_SQLSTATE
SELECT id AS v300 FROM module_versioning.create_version(:'module', '3.0.0', min_platform_version => '5.0.0') \gset
SELECT FROM module_versioning.publish_version(:'v300') \g /dev/null
SELECT status FROM module_versioning.upgrade_module(:'north', :'module', '3.0.0', force => true);
\echo :LAST_ERROR_SQLSTATE
