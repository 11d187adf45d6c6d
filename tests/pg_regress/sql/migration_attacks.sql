-- What a hostile script may try, registered by a module owner and run by an operator who are no
-- superusers: to gain a role, keep a setting, touch the caller's session, release locks, end the
-- transaction, reach another site by our search_path, write the extension's tables.
SET module_versioning.rehearse_at_publish TO off;
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE attacks_owner NOLOGIN;
CREATE ROLE attacks_operator NOLOGIN;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA module_versioning TO attacks_operator;
GRANT EXECUTE ON FUNCTION module_versioning.add_migration TO attacks_owner;

SELECT id AS module FROM module_versioning.register_module('attacks', isolation => 'schema', owner_role => 'attacks_owner') \gset
SELECT id AS site FROM module_versioning.register_site('attacks-site') \gset
SELECT id AS other FROM module_versioning.register_site('attacks-other') \gset
SELECT id AS v FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT id AS m FROM module_versioning.add_migration(:'module', '1.0.0', 'CREATE TABLE secret (body text)') \gset
SELECT FROM module_versioning.publish_version(:'v') \g /dev/null
SELECT status FROM module_versioning.install_module(:'site', :'module');
SELECT status FROM module_versioning.install_module(:'other', :'module');

-- Each attack is a migration of its own: the owner registers it, the operator runs it.
CREATE SEQUENCE pg_temp.attempts;
CREATE PROCEDURE pg_temp.attack(script text) LANGUAGE plpgsql AS $body$
DECLARE
    module uuid := module_versioning.module_id('attacks');
    site uuid := module_versioning.site_id('attacks-site');
    version module_versioning.semver := '1.0.' || nextval('pg_temp.attempts');
    draft uuid := (module_versioning.create_version(module, version)).id;
    change module_versioning.module_change;
BEGIN
    BEGIN
        SET LOCAL ROLE attacks_owner;
        PERFORM module_versioning.add_migration(module, version, script);
        RESET ROLE;
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'refused %: %', SQLSTATE, SQLERRM;
        RETURN;
    END;
    PERFORM module_versioning.publish_version(draft);
    SET LOCAL ROLE attacks_operator;
    change := module_versioning.upgrade_module(site, module, version, false);
    RESET ROLE;
    RAISE WARNING '% %: % %', change.status, coalesce(change.statement_number::text, '-'), coalesce(change.sqlstate, '-'), coalesce(change.error_message, '-');
    IF change.status = 'failed' THEN
        PERFORM module_versioning.yank_version(draft, 'an attack');
        -- Out of the way of the next one.
        ALTER TABLE module_versioning.module_migrations DISABLE TRIGGER protect_published;
        DELETE FROM module_versioning.module_migration_runs WHERE migration_id = change.failed_migration_id;
        DELETE FROM module_versioning.module_migrations WHERE id = change.failed_migration_id;
        ALTER TABLE module_versioning.module_migrations ENABLE ALWAYS TRIGGER protect_published;
    END IF;
END
$body$;
-- The same, hidden in a DO block and in a function.
CREATE PROCEDURE pg_temp.hidden(statement text) LANGUAGE plpgsql AS $body$
BEGIN
    CALL pg_temp.attack(format('DO $do$ BEGIN EXECUTE %L; END $do$', statement));
    CALL pg_temp.attack(format('CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS %L; SELECT f()',
                               format('BEGIN EXECUTE %L; END', statement)));
END
$body$;

\echo Gain a role.
CALL pg_temp.hidden('SET ROLE postgres');
CALL pg_temp.hidden('RESET SESSION AUTHORIZATION');
CALL pg_temp.attack('CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS ''SELECT 1''; ALTER FUNCTION f() OWNER TO postgres');
CALL pg_temp.attack('GRANT postgres TO attacks_owner');
CALL pg_temp.attack('GRANT pg_read_all_data TO attacks_owner');
CALL pg_temp.attack('CREATE FUNCTION f() RETURNS int LANGUAGE c AS ''libc'', ''abort''');
CALL pg_temp.attack('COPY secret TO PROGRAM ''id''');
CALL pg_temp.attack('SELECT pg_read_file(''PG_VERSION'')');
CALL pg_temp.attack('CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()');
SELECT current_user = session_user AS same_role;

\echo A trigger of the owner does not run with the rights of whom the extension belongs to.
CALL pg_temp.attack($$
    CREATE TABLE traps (who name);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO "attacks_attacks-site".traps VALUES (current_user); RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER note AFTER INSERT ON secret DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();
    INSERT INTO secret VALUES ('x')
$$);
SELECT who FROM "attacks_attacks-site".traps;

\echo Keep a setting.
CALL pg_temp.attack('SELECT set_config(''search_path'', ''attacks'', false), set_config(''role'', ''none'', false)');
CALL pg_temp.attack('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET TRANSACTION READ ONLY');
SHOW transaction_read_only;
CALL pg_temp.attack('SET session_replication_role TO replica');
CALL pg_temp.attack('SET module_versioning.allow_superuser_owner TO on');
CALL pg_temp.attack('ALTER SYSTEM SET work_mem TO ''1MB''');
CALL pg_temp.attack('ALTER DATABASE regression SET work_mem TO ''1MB''');
CALL pg_temp.attack('ALTER ROLE attacks_operator SET search_path TO attacks');

\echo Change the session of the caller.
PREPARE of_caller AS SELECT 1;
LISTEN of_caller;
CREATE TEMP TABLE of_caller (x int);
CALL pg_temp.hidden('DISCARD TEMP');
CALL pg_temp.hidden('DISCARD ALL');
CALL pg_temp.hidden('DEALLOCATE ALL');
CALL pg_temp.hidden('DEALLOCATE of_caller');
CALL pg_temp.hidden('EXECUTE of_caller');
CALL pg_temp.hidden('PREPARE x AS SELECT 1');
CALL pg_temp.hidden('LISTEN x');
CALL pg_temp.hidden('UNLISTEN *');
CALL pg_temp.hidden('LOAD ''plpgsql''');
CALL pg_temp.hidden('DECLARE x CURSOR WITH HOLD FOR SELECT 1');
CALL pg_temp.hidden('CLOSE ALL');
SELECT name FROM pg_prepared_statements;
SELECT pg_listening_channels();
SELECT count(*) FROM of_caller;
UNLISTEN of_caller;

\echo Cursors: those of the caller are out of reach, those of the script go with it.
DECLARE of_caller CURSOR WITH HOLD FOR SELECT 'private';
CALL pg_temp.hidden('FETCH of_caller');
CALL pg_temp.hidden('CLOSE of_caller');
CALL pg_temp.attack('DO $do$ DECLARE c refcursor := ''of_caller''; BEGIN CLOSE c; END $do$');
SELECT name FROM pg_cursors WHERE name <> 'of_caller';
DECLARE of_caller CURSOR WITH HOLD FOR SELECT 'private';
CALL pg_temp.attack('DECLARE mine CURSOR FOR SELECT 1; FETCH mine');
SELECT name FROM pg_cursors WHERE name NOT LIKE '<unnamed%';
CLOSE of_caller;

\echo Release locks: not those of the caller, and none is left behind.
SELECT pg_advisory_lock(7001), pg_advisory_lock_shared(7002, 1);
CALL pg_temp.attack('SELECT pg_advisory_unlock_all()');
CALL pg_temp.attack('DO $do$ BEGIN PERFORM pg_advisory_unlock_all(); END $do$');
CALL pg_temp.attack('SELECT pg_advisory_unlock(7001), pg_advisory_unlock_shared(7002, 1)');
CALL pg_temp.attack('SELECT pg_advisory_lock(7003), pg_advisory_lock(7003), pg_advisory_lock_shared(7004, 2)');
CALL pg_temp.attack('SELECT pg_advisory_lock(7005), 1 / 0');
CALL pg_temp.attack('SELECT pg_advisory_xact_lock(7006)');
SELECT classid, objid, objsubid, mode FROM pg_locks
WHERE locktype = 'advisory' AND (objid BETWEEN 7001 AND 7006 OR classid BETWEEN 7001 AND 7006) ORDER BY objid;
SELECT pg_advisory_unlock(7001), pg_advisory_unlock_shared(7002, 1);

\echo End the transaction.
CALL pg_temp.hidden('COMMIT');
CALL pg_temp.hidden('SAVEPOINT s');
CALL pg_temp.attack('CREATE PROCEDURE p() LANGUAGE plpgsql AS ''BEGIN ROLLBACK; END''; CALL p()');
CALL pg_temp.hidden('PREPARE TRANSACTION ''x''');

\echo Reach another site by a bare name, in the schema of the other or by a schema that is no more.
CALL pg_temp.attack('INSERT INTO secret VALUES (''mine''); UPDATE secret SET body = ''mine''');
SELECT count(*) FROM "attacks_attacks-other".secret;
CALL pg_temp.hidden('DROP SCHEMA "attacks_attacks-site" CASCADE');
CALL pg_temp.hidden('ALTER SCHEMA "attacks_attacks-site" RENAME TO stolen');
CALL pg_temp.attack('DROP OWNED BY attacks_owner CASCADE');
CALL pg_temp.attack('SELECT * FROM no_such_table');

\echo Write the tables of the extension, or the extension itself.
CALL pg_temp.hidden('UPDATE module_versioning.modules SET owner_role = ''postgres''');
CALL pg_temp.hidden('DELETE FROM module_versioning.applied_migrations');
CALL pg_temp.hidden('LOCK TABLE module_versioning.site_modules');
CALL pg_temp.hidden('ALTER EXTENSION module_versioning DROP TABLE module_versioning.modules');
CALL pg_temp.hidden('DROP EXTENSION module_versioning CASCADE');
CALL pg_temp.hidden('DROP SCHEMA module_versioning CASCADE');
CALL pg_temp.hidden('CREATE TRIGGER t BEFORE INSERT ON module_versioning.sites FOR EACH ROW EXECUTE FUNCTION f()');
CALL pg_temp.hidden('SELECT module_versioning.register_site(''stolen'')');
CALL pg_temp.attack('SELECT module_versioning._run_statements(ARRAY[''SELECT 1''], 1)');
CALL pg_temp.attack('SELECT module_versioning._statement_ends(NULL, 5)');
CALL pg_temp.attack('SELECT module_versioning._statement_fails(0, ''57014'')');
SELECT module_versioning._statement_starts(1);
\echo :LAST_ERROR_SQLSTATE

\echo A superuser as owner can not pull the floor away either, but fails cleanly.
SELECT id AS root FROM module_versioning.register_module('attacks-root', schema_name => 'attacks_root') \gset
SELECT id AS v FROM module_versioning.create_version(:'root', '1.0.0') \gset
SELECT id AS m FROM module_versioning.add_migration(:'root', '1.0.0', 'CREATE TABLE t (x int); DO $$ BEGIN EXECUTE ''DROP EXTENSION module_versioning CASCADE''; END $$') \gset
SELECT FROM module_versioning.publish_version(:'v') \g /dev/null
SELECT status, statement_number, sqlstate, error_message FROM module_versioning.install_module(:'site', :'root');
SELECT count(*) FROM pg_extension WHERE extname = 'module_versioning';
SELECT status, sqlstate FROM module_versioning.get_migration_history(:'site', :'root');

\echo Nothing of it has changed what the sites run.
SELECT count(*) FROM module_versioning.sites WHERE slug LIKE 'attacks%' OR slug = 'stolen';
SELECT owner_role, schema_name FROM module_versioning.modules WHERE slug = 'attacks';
SELECT check_name, passed FROM module_versioning.verify_module(:'site', :'module') WHERE NOT passed;

\echo Take the tables of another module, or of another site, that have the same owner.
SELECT id AS victim FROM module_versioning.register_module('attacks-victim', schema_name => 'attacks_victim', owner_role => 'attacks_owner') \gset
SELECT id AS v FROM module_versioning.create_version(:'victim', '1.0.0') \gset
SELECT sequence FROM module_versioning.add_migration(:'victim', '1.0.0', 'CREATE TABLE kept (site_id uuid)');
SELECT FROM module_versioning.publish_version(:'v') \g /dev/null
SELECT status FROM module_versioning.install_module(module_versioning.site_id('attacks-site'), :'victim');
CALL pg_temp.hidden('DROP TABLE attacks_victim.kept');
CALL pg_temp.attack('DROP SCHEMA attacks_victim CASCADE');
CALL pg_temp.attack('DROP TABLE "attacks_attacks-other".secret');
CALL pg_temp.attack('CREATE TABLE passing (); DROP TABLE passing');
SELECT check_name, passed FROM module_versioning.verify_module(module_versioning.site_id('attacks-site'), :'victim') WHERE NOT passed;
\echo With a right to write the tables of the extension that somebody has granted.
GRANT UPDATE ON module_versioning.sites TO attacks_owner;
SELECT id AS v FROM module_versioning.create_version(:'victim', '1.1.0') \gset
SELECT sequence FROM module_versioning.add_migration(:'victim', '1.1.0', 'UPDATE module_versioning.sites SET name = ''taken''');
SELECT FROM module_versioning.publish_version(:'v') \g /dev/null
SELECT status FROM module_versioning.upgrade_module(module_versioning.site_id('attacks-site'), :'victim');
\echo :LAST_ERROR_SQLSTATE
REVOKE UPDATE ON module_versioning.sites FROM attacks_owner;
