-- What a migration script may not do: keep a setting, change its role, end the transaction, write our tables.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE identity_owner NOLOGIN;
CREATE ROLE identity_operator NOLOGIN;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA module_versioning TO identity_operator;

SELECT id AS module FROM module_versioning.register_module('identity', isolation => 'schema', owner_role => 'identity_owner') \gset
SELECT id AS site FROM module_versioning.register_site('identity-site') \gset
SELECT id AS v FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT id AS m FROM module_versioning.add_migration(:'module', '1.0.0', $$
    CREATE TABLE seen (who name, session name, path text, timeout text, site uuid, module uuid)
$$) \gset
SELECT FROM module_versioning.publish_version(:'v') \g /dev/null
SELECT status FROM module_versioning.install_module(:'site', :'module');

-- One try after the other: each is a version of its own, and the operator upgrades to it.
CREATE PROCEDURE pg_temp.try(version module_versioning.semver, script text) LANGUAGE plpgsql AS $body$
DECLARE
    module uuid := module_versioning.module_id('identity');
    draft uuid;
    change module_versioning.module_change;
BEGIN
    draft := (module_versioning.create_version(module, version)).id;
    BEGIN
        PERFORM module_versioning.add_migration(module, version, script, 'SELECT 1');
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'refused %: %', SQLSTATE, SQLERRM;
        DELETE FROM module_versioning.registered_versions WHERE id = draft;
        RETURN;
    END;
    PERFORM module_versioning.publish_version(draft);
    SET LOCAL ROLE identity_operator;
    change := module_versioning.upgrade_module(module_versioning.site_id('identity-site'), module, version, false);
    RESET ROLE;
    RAISE WARNING '% %: % %', change.status, coalesce(change.statement_number::text, '-'), coalesce(change.sqlstate, '-'), coalesce(change.error_message, '-');
    IF change.status = 'failed' THEN
        -- Out of the way of the next try.
        PERFORM module_versioning.yank_version(draft, 'a failed try');
        DELETE FROM module_versioning.module_migration_runs WHERE migration_id = change.failed_migration_id;
        ALTER TABLE module_versioning.module_migrations DISABLE TRIGGER protect_published;
        DELETE FROM module_versioning.module_migrations WHERE id = change.failed_migration_id;
        ALTER TABLE module_versioning.module_migrations ENABLE ALWAYS TRIGGER protect_published;
    END IF;
END
$body$;

SET search_path TO public;
SET statement_timeout TO '7min';
SET lock_timeout TO '3s';
\echo Settings hold for the rest of the script and are back afterwards.
CALL pg_temp.try('1.0.1', $$
    SET search_path TO pg_catalog;
    SET statement_timeout TO '9s';
    SET LOCAL lock_timeout TO '1ms';
    SELECT set_config('module_versioning.lock_timeout', '1', false);
    SELECT set_config('app.tenant', 'leaked', false);
    SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;
    SET application_name TO 'stolen';
    INSERT INTO identity_identity_site_placeholder SELECT 1
$$);
CALL pg_temp.try('1.0.2', $$
    SET search_path TO pg_catalog;
    SET statement_timeout TO '9s';
    SELECT set_config('app.tenant', 'leaked', false);
    SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;
    SET application_name TO 'stolen';
    INSERT INTO "identity_identity-site".seen
    SELECT current_user, session_user, current_setting('search_path'), current_setting('statement_timeout'),
           module_versioning.current_site_id(), module_versioning.current_module_id()
$$);
SELECT who, path, timeout, site = :'site' AS site, module = :'module' AS module FROM "identity_identity-site".seen;
SHOW search_path;
SHOW statement_timeout;
SHOW lock_timeout;
SHOW module_versioning.lock_timeout;
SHOW default_transaction_read_only;
SELECT current_setting('app.tenant', true) IS NOT DISTINCT FROM 'leaked' AS leaked, current_setting('application_name') = 'stolen' AS stolen;
SELECT module_versioning.current_site_id(), module_versioning.current_module_id();

\echo Another role is out of reach, by every way of asking.
CALL pg_temp.try('1.1.1', 'SET ROLE postgres');
CALL pg_temp.try('1.1.2', 'RESET ROLE');
CALL pg_temp.try('1.1.3', 'SET SESSION AUTHORIZATION postgres');
CALL pg_temp.try('1.1.4', 'SELECT set_config(''role'', ''postgres'', false)');
CALL pg_temp.try('1.1.5', 'DO $do$ BEGIN EXECUTE ''SET ROLE postgres''; END $do$');
CALL pg_temp.try('1.1.6', 'CREATE ROLE identity_gained SUPERUSER');
CALL pg_temp.try('1.1.7', 'ALTER ROLE identity_owner SUPERUSER');
SELECT current_user = session_user AS same_role;

\echo The transaction ends from outside only.
CALL pg_temp.try('1.2.1', 'DO $do$ BEGIN COMMIT; END $do$');
CALL pg_temp.try('1.2.2', 'DO $do$ BEGIN EXECUTE ''ROLLBACK''; END $do$');
CALL pg_temp.try('1.2.3', 'CREATE PROCEDURE p() LANGUAGE plpgsql AS ''BEGIN COMMIT; END''; CALL p()');
CALL pg_temp.try('1.2.4', 'DO $do$ BEGIN EXECUTE ''VACUUM''; END $do$');

\echo The tables of the extension are out of reach, and so is the extension.
CALL pg_temp.try('1.3.1', 'DELETE FROM module_versioning.module_migration_runs');
CALL pg_temp.try('1.3.2', 'UPDATE module_versioning.modules SET owner_role = ''postgres''');
CALL pg_temp.try('1.3.3', 'SELECT * FROM module_versioning.sites');
CALL pg_temp.try('1.3.4', 'ALTER EXTENSION module_versioning DROP TABLE module_versioning.modules');
CALL pg_temp.try('1.3.5', 'DROP EXTENSION module_versioning CASCADE');
CALL pg_temp.try('1.3.6', 'CREATE FUNCTION module_versioning.evil() RETURNS int LANGUAGE sql AS ''SELECT 1''');
CALL pg_temp.try('1.3.7', 'SELECT * FROM module_versioning_data.chunks');

\echo A script that calls functions of the extension is refused, whoever may call them.
GRANT identity_operator TO identity_owner;
CALL pg_temp.try('1.4.1', 'SELECT module_versioning.upgrade_module(module_versioning.current_site_id(), module_versioning.current_module_id())');
CALL pg_temp.try('1.4.2', 'SELECT module_versioning.register_site(''identity-other'')');
REVOKE identity_operator FROM identity_owner;

\echo Temporary objects of a script go with it: none is left to run its functions with the rights of the caller.
CREATE TEMP TABLE of_caller (x int);
CALL pg_temp.try('1.4.5', $$
    CREATE FUNCTION evil() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE TEMP TABLE work (x int);
    CREATE TEMP VIEW pg_stat_activity AS SELECT evil() AS pid;
    CREATE FUNCTION pg_temp.shadow() RETURNS int LANGUAGE sql AS 'SELECT 1';
    INSERT INTO work SELECT 1
$$);
SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema();
SELECT proname FROM pg_proc WHERE pronamespace = pg_my_temp_schema();

\echo Deferred constraints are checked inside the run, as the owner.
CALL pg_temp.try('1.5.1', $$
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
    INSERT INTO child VALUES (1)
$$);
CALL pg_temp.try('1.5.2', $$
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
    INSERT INTO child VALUES (1);
    INSERT INTO parent VALUES (1)
$$);

\echo Objects of a stranger on the path of the caller are not picked up.
CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''captured''; END';
CREATE FUNCTION public.count(bigint) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''captured''; END';
SET search_path TO public, pg_catalog;
CALL pg_temp.try('1.6.1', 'CREATE TABLE moments (at timestamptz DEFAULT now()); INSERT INTO moments DEFAULT VALUES');
SELECT can_rollback FROM module_versioning.plan_rollback(module_versioning.site_id('identity-site'), module_versioning.module_id('identity'), '1.5.2');
DROP FUNCTION public.now(), public.count(bigint);

\echo Who may not call is told so; who may not become the owner does not register for it.
RESET search_path;
CREATE ROLE identity_stranger NOLOGIN;
SET ROLE identity_stranger;
SELECT module_versioning.upgrade_module(NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.module_migrations;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SET ROLE identity_operator;
SELECT id FROM module_versioning.add_migration(:'module', '1.6.1', 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SELECT id FROM module_versioning.create_version(:'module', '9.0.0');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

\echo A superuser as owner can be forbidden.
SELECT id AS unsafe FROM module_versioning.register_module('identity-unsafe') \gset
SELECT id AS v FROM module_versioning.create_version(:'unsafe', '1.0.0') \gset
SELECT id AS m FROM module_versioning.add_migration(:'unsafe', '1.0.0', 'SELECT 1') \gset
SELECT FROM module_versioning.publish_version(:'v') \g /dev/null
SET module_versioning.allow_superuser_owner TO off;
SELECT status FROM module_versioning.install_module(:'site', :'unsafe');
\echo :LAST_ERROR_SQLSTATE
RESET module_versioning.allow_superuser_owner;
SELECT status, warnings FROM module_versioning.install_module(:'site', :'unsafe');
