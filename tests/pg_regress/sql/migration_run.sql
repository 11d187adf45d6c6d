-- What a migration may do while it runs, and what of it is left in the session.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET search_path = module_versioning, pg_catalog;
SET client_min_messages = warning;

CREATE ROLE migration_run_owner NOLOGIN;
CREATE SCHEMA migration_run AUTHORIZATION migration_run_owner;
SELECT slug FROM register_module('migration-run', schema_name => 'migration_run', owner_role => 'migration_run_owner');
SELECT slug FROM register_site('migration-run-site');
SELECT site_id('migration-run-site') AS site, module_id('migration-run') AS module \gset
SELECT count(create_version(:'module', v, 'https://example.org/' || v, repeat('a', 64)))
  FROM unnest(ARRAY['1.0.0', '1.1.0', '1.2.0']::semver[]) v;

SELECT sequence FROM add_migration(:'module', '1.0.0', $script$
    CREATE TABLE place AS SELECT current_user::text AS role, current_setting('search_path') AS path,
        current_setting('lock_timeout') AS lock_timeout, module_versioning.current_site_id() AS site,
        module_versioning.current_module_id() AS module;
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (parent int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
    INSERT INTO child VALUES (1);
    INSERT INTO parent VALUES (1);
$script$);
SELECT sequence FROM add_migration(:'module', '1.1.0', $script$
    SET search_path = pg_catalog;
    SET statement_timeout = '77s';
    SET LOCAL work_mem = '77MB';
    SELECT set_config('TimeZone', 'Asia/Tokyo', false);
    SET standard_conforming_strings = off;
    SELECT 'a\';
$script$, scope => 'site');
SELECT sequence FROM add_migration(:'module', '1.2.0', 'SELECT 1', scope => 'site');
SELECT count(publish_version(id)) FROM get_versions(:'module');

BEGIN;
SELECT status, sqlstate, error_message FROM install_module(:'site', :'module', '1.0.0');
-- What is initially deferred is so again.
INSERT INTO migration_run.child VALUES (2);
INSERT INTO migration_run.parent VALUES (2);
COMMIT;
SELECT role, path, lock_timeout, site = :'site' AS site, module = :'module' AS module FROM migration_run.place;

SET TimeZone = 'Europe/Berlin';
SELECT status, sqlstate, error_message FROM upgrade_module(:'site', :'module', '1.1.0', create_backup => false);
SELECT name, setting FROM pg_settings
 WHERE name IN ('search_path', 'statement_timeout', 'lock_timeout', 'work_mem', 'TimeZone', 'standard_conforming_strings')
 ORDER BY name COLLATE "C";
SELECT s ->> 'statement_number' AS number, s ->> 'text' AS text, s ->> 'rows' AS rows, (s ->> 'duration_ms')::numeric >= 0 AS timed
  FROM get_migration_history(:'site', :'module') h, jsonb_array_elements(h.statements) s
 WHERE h.migration_id = (SELECT id FROM module_migrations WHERE module_id = :'module' AND sequence = 2);

-- What the caller had deferred is the caller's, and is looked at first.
BEGIN;
INSERT INTO migration_run.child VALUES (99);
SELECT status FROM upgrade_module(:'site', :'module', '1.2.0', create_backup => false);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- Failures: each is the script of a version of its own, which is out of the way afterwards.
CREATE SEQUENCE pg_temp.tries;
CREATE FUNCTION pg_temp.try(script text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    change module_versioning.module_change;
    context text;
    module uuid := module_versioning.module_id('migration-run');
    draft module_versioning.module_versions;
BEGIN
    draft := module_versioning.create_version(module, ('1.2.' || nextval('pg_temp.tries'))::module_versioning.semver);
    BEGIN
        PERFORM module_versioning.add_migration(module, draft.version, script, scope => 'site');
    EXCEPTION WHEN OTHERS THEN
        RETURN 'refused | ' || SQLSTATE || ' | ' || SQLERRM;
    END;
    PERFORM module_versioning.publish_version(draft.id);
    change := module_versioning.upgrade_module(module_versioning.site_id('migration-run-site'), module, draft.version, create_backup => false);
    SELECT error_context INTO context FROM module_versioning.module_migration_runs WHERE migration_id = change.failed_migration_id;
    ALTER TABLE module_versioning.module_migrations DISABLE TRIGGER protect_published;
    DELETE FROM module_versioning.module_migration_runs WHERE migration_id = change.failed_migration_id;
    DELETE FROM module_versioning.module_migrations WHERE id = change.failed_migration_id;
    ALTER TABLE module_versioning.module_migrations ENABLE ALWAYS TRIGGER protect_published;
    RETURN concat_ws(' | ', change.status, change.statement_number, change.sqlstate, change.error_message,
                     change.error_detail, change.error_hint, context);
END $$;
SELECT pg_temp.try('SELECT 1; SET ROLE postgres');
SELECT pg_temp.try('RESET ROLE');
SELECT pg_temp.try('SET SESSION AUTHORIZATION postgres');
SELECT pg_temp.try('SELECT set_config(''role'', ''postgres'', false)');
SELECT pg_temp.try('SELECT module_versioning.yank_version(NULL, NULL)');
SELECT pg_temp.try('DELETE FROM module_versioning.module_migration_runs');
SELECT pg_temp.try('DO $do$ BEGIN COMMIT; END $do$');
SELECT pg_temp.try('DO $do$ BEGIN EXECUTE ''VACUUM''; END $do$');
SELECT pg_temp.try('DO $do$ BEGIN ASSERT false, ''not so''; END $do$');
SELECT pg_temp.try('DO $do$ BEGIN RAISE ''own'' USING ERRCODE = ''MV001'', DETAIL = ''d.'', HINT = ''h.''; END $do$');
SELECT pg_temp.try('INSERT INTO parent VALUES (3); INSERT INTO parent VALUES (4), (1)');
SELECT pg_temp.try('INSERT INTO child VALUES (98)');
SELECT pg_temp.try('DROP EXTENSION module_versioning');
SELECT count(*) FROM migration_run.parent;
SELECT get_installed_version(:'site', :'module'), current_user;

-- A query cancel is no failure of a script: it ends the call.
SET statement_timeout = '200ms';
SELECT pg_temp.try('SELECT pg_sleep(10)');
\echo :LAST_ERROR_SQLSTATE
RESET statement_timeout;

-- A superuser's module can be ruled out.
SELECT slug FROM register_module('migration-run-superuser');
SELECT count(create_version(module_id('migration-run-superuser'), '1.0.0', 'https://example.org/1', repeat('a', 64)));
SELECT sequence FROM add_migration(module_id('migration-run-superuser'), '1.0.0', 'SELECT 1');
SELECT count(publish_version(id)) FROM get_versions(module_id('migration-run-superuser'));
SET module_versioning.allow_superuser_owner = off;
SELECT status FROM install_module(:'site', module_id('migration-run-superuser'));
\echo :LAST_ERROR_SQLSTATE
RESET module_versioning.allow_superuser_owner;

-- A script that was changed in the table doesn't run.
ALTER TABLE module_migrations DISABLE TRIGGER protect_published;
UPDATE module_migrations SET up_sql = 'SELECT 2' WHERE module_id = module_id('migration-run-superuser');
ALTER TABLE module_migrations ENABLE ALWAYS TRIGGER protect_published;
SELECT status FROM install_module(:'site', module_id('migration-run-superuser'));
\echo :LAST_ERROR_SQLSTATE
