-- A rehearsal leaves nothing behind, whatever the script tries: no row, lock, message, setting, file or
-- statistic; what undoing it would not undo is not run.
\set VERBOSITY default
\pset format unaligned
\pset null '-'
SET client_min_messages TO warning;
CREATE ROLE footprint_owner NOLOGIN;
SELECT id AS module FROM module_versioning.register_module('footprint', schema_name => 'footprint', owner_role => 'footprint_owner') \gset
CREATE SCHEMA footprint AUTHORIZATION footprint_owner;
SET ROLE footprint_owner;
CREATE TABLE footprint.a (id serial PRIMARY KEY, body text);
INSERT INTO footprint.a (body) SELECT 'row ' || n FROM generate_series(1, 200) n;
CREATE TABLE footprint.b (id int, body text);
CREATE SEQUENCE footprint.s;
RESET ROLE;
VACUUM ANALYZE footprint.a;
VACUUM ANALYZE footprint.b;

-- Of the extension's own tables only what autovacuum doesn't count.
CREATE VIEW pg_temp.tables AS SELECT relid, relname, seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del,
    CASE schemaname WHEN 'footprint' THEN ARRAY[n_live_tup, n_dead_tup, n_mod_since_analyze, n_ins_since_vacuum, analyze_count, vacuum_count] END AS more
    FROM pg_stat_user_tables WHERE schemaname = 'footprint' OR schemaname LIKE 'module\_versioning%';
CREATE VIEW pg_temp.blocks AS SELECT * FROM pg_statio_user_tables WHERE schemaname = 'footprint';
CREATE VIEW pg_temp.catalog AS SELECT c.* FROM pg_class c WHERE c.relnamespace = 'footprint'::regnamespace;
-- The module's id is known before the statistics are looked at.
SELECT pg_stat_force_next_flush();
SELECT count(*) FROM module_versioning.modules WHERE false;
SELECT pg_stat_force_next_flush();
CREATE TEMP TABLE tables_before AS SELECT * FROM pg_temp.tables;
CREATE TEMP TABLE blocks_before AS SELECT * FROM pg_temp.blocks;
CREATE TEMP TABLE catalog_before AS SELECT * FROM pg_temp.catalog;
DO $$ BEGIN NULL; END $$;
CREATE TEMP TABLE settings_before AS SELECT name, setting, source FROM pg_settings;
CREATE TEMP TABLE databases_before AS SELECT oid, datname FROM pg_database;
LISTEN footprint_channel;

\set script 'UPDATE a SET body = upper(body); DELETE FROM a WHERE id > 50; INSERT INTO b SELECT n, n::text FROM generate_series(1, 3000) n; CREATE INDEX ON b (id); CREATE INDEX ON a (body); TRUNCATE b; ALTER TABLE a ALTER id TYPE bigint; ANALYZE; CREATE TABLE made (x int); DROP TABLE b CASCADE; NOTIFY footprint_channel, ''heard''; SET work_mem = ''7MB''; SET SESSION lock_timeout = 1; CREATE TEMP TABLE scratch (x int); SELECT pg_advisory_lock(4711); SELECT pg_advisory_xact_lock(4712); DECLARE left_open CURSOR FOR SELECT 1; SELECT lo_create(424242); SELECT setval(''s'', 99)'
BEGIN;
SELECT ok, error_message, statement_number, warnings FROM module_versioning.rehearse_migration(:'module', :'script');
SELECT relation::regclass, locktype, mode FROM pg_locks WHERE pid = pg_backend_pid() AND (locktype = 'advisory' OR relation::regclass::text ~ '^(footprint|module_versioning)') ORDER BY 1, 2, 3;
SELECT count(*) FROM pg_cursors WHERE name = 'left_open';
COMMIT;
SELECT pg_stat_force_next_flush();
SELECT relname, 'tables' FROM (SELECT * FROM pg_temp.tables EXCEPT SELECT * FROM tables_before) d;
SELECT relname, 'blocks' FROM (SELECT * FROM pg_temp.blocks EXCEPT SELECT * FROM blocks_before) d;
SELECT relname, 'catalog' FROM (SELECT oid, relname, relfilenode, relpages, reltuples, relallvisible, relacl, relnatts FROM pg_temp.catalog EXCEPT SELECT oid, relname, relfilenode, relpages, reltuples, relallvisible, relacl, relnatts FROM catalog_before) d;
SELECT * FROM (SELECT name, setting, source FROM pg_settings EXCEPT TABLE settings_before) d;
SELECT count(*) AS advisory FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT count(*) AS roles FROM pg_roles WHERE rolname = 'footprint_new';
SELECT count(*) AS large_objects FROM pg_largeobject_metadata WHERE oid = 424242;
SELECT count(*) AS temporary FROM pg_class WHERE relname = 'scratch';
SELECT last_value, is_called FROM footprint.s;
SELECT count(*) AS prepared FROM pg_prepared_xacts;

\echo -- a cancel in the middle leaves as little
SET statement_timeout TO '500ms';
SELECT ok FROM module_versioning.rehearse_migration(:'module', 'DELETE FROM a; SELECT pg_advisory_lock(4713); SELECT pg_sleep(60)');
\echo :LAST_ERROR_SQLSTATE
RESET statement_timeout;
SELECT pg_stat_force_next_flush();
SELECT relname FROM (SELECT * FROM pg_temp.tables EXCEPT SELECT * FROM tables_before) d;
SELECT count(*) AS advisory FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT count(*) FROM footprint.a;

\echo -- not run, and said so
CREATE PROCEDURE pg_temp.attempt(up text, down text DEFAULT 'SELECT 1') LANGUAGE plpgsql AS $$
DECLARE r module_versioning.rehearsal;
BEGIN
    r := module_versioning.rehearse_migration(module_versioning.module_id('footprint'), up, down);
    RAISE WARNING '% % % | %', coalesce(r.ok::text, '-'), coalesce(r.sqlstate, '-'), r.reversibility, array_to_string(r.warnings || r.error_message, ' | ');
END $$;
CALL pg_temp.attempt('COPY a TO ''/tmp/footprint.txt''');
CALL pg_temp.attempt('COPY a TO PROGRAM ''cat''; CREATE TABLE after_it (x int)', 'DROP TABLE after_it');
CALL pg_temp.attempt('DO $do$ BEGIN EXECUTE ''COPY footprint.a'' || '' TO ''''/tmp/footprint.txt''''''; END $do$');
CALL pg_temp.attempt('SELECT pg_create_physical_replication_slot(''footprint'')');
CALL pg_temp.attempt('DO $do$ BEGIN PERFORM pg_create_physical_replication_slot(''footprint''); END $do$');
CALL pg_temp.attempt('SELECT pg_reload_conf()');
CALL pg_temp.attempt('CREATE ROLE footprint_new');
CALL pg_temp.attempt('CHECKPOINT');
SELECT count(*) AS slots FROM pg_replication_slots;

\echo -- sequences: of its own schema, and of another
CREATE SCHEMA footprint_other AUTHORIZATION footprint_owner;
SET ROLE footprint_owner;
CREATE SEQUENCE footprint_other.s;
SELECT setval('footprint_other.s', 50), setval('footprint.s', 50);
RESET ROLE;
CALL pg_temp.attempt('SELECT setval(''s'', 3), nextval(''s'')');
CALL pg_temp.attempt('SELECT setval(''footprint_other.s'', 3)');
CALL pg_temp.attempt('DO $do$ BEGIN PERFORM setval(''footprint_other.s'', 3); END $do$');
CALL pg_temp.attempt('SELECT nextval(''s'')');
SELECT s.last_value AS own, o.last_value AS other FROM footprint.s, footprint_other.s o;
DROP SCHEMA footprint_other CASCADE;

\echo -- refused as in a migration
CALL pg_temp.attempt('COMMIT');
CALL pg_temp.attempt('DO $do$ BEGIN COMMIT; END $do$');
CALL pg_temp.attempt('CREATE PROCEDURE p() LANGUAGE plpgsql AS $p$ BEGIN ROLLBACK; END $p$; CALL p()');
CALL pg_temp.attempt('PREPARE TRANSACTION ''footprint''');
CALL pg_temp.attempt('SET ROLE postgres');
CALL pg_temp.attempt('DO $do$ BEGIN EXECUTE ''RESET'' || '' ROLE''; END $do$');
CALL pg_temp.attempt('SELECT pg_advisory_unlock_all()');
CALL pg_temp.attempt('DELETE FROM module_versioning.modules');
CALL pg_temp.attempt('DROP SCHEMA footprint CASCADE');
CALL pg_temp.attempt('SELECT module_versioning._statement_ends(1, 1)');

\echo -- the transaction of the caller goes on
BEGIN;
INSERT INTO footprint.b VALUES (1, 'mine');
CALL pg_temp.attempt('DELETE FROM b; DROP TABLE a');
SELECT pg_stat_get_xact_tuples_inserted('footprint.b'::regclass) AS inserted, pg_stat_get_xact_tuples_deleted('footprint.b'::regclass) AS deleted;
SELECT * FROM footprint.b;
ROLLBACK;
CREATE TABLE footprint.parent (id int PRIMARY KEY);
CREATE TABLE footprint.child (id int REFERENCES footprint.parent DEFERRABLE INITIALLY DEFERRED);
BEGIN;
INSERT INTO footprint.child VALUES (5);
SELECT ok FROM module_versioning.rehearse_migration(:'module', 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
SET default_transaction_read_only TO on;
SELECT ok FROM module_versioning.rehearse_migration(:'module', 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
RESET default_transaction_read_only;
UNLISTEN *;
DROP SCHEMA footprint CASCADE;
