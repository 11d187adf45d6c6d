-- Every statement that can't be part of a migration, with its SQLSTATE, and its place in the message; the same of
-- down scripts, and by lint_migration. And what is allowed contrary to folklore.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
SET search_path = module_versioning, pg_catalog;
SET client_min_messages = warning;

SELECT slug FROM register_module('refusals-all');
SELECT version FROM create_version(module_id('refusals-all'), '1.0.0');
CREATE FUNCTION pg_temp.refusal(up_sql text, down_sql text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM module_versioning.add_migration(module_versioning.module_id('refusals-all'), '1.0.0', up_sql, down_sql);
    RAISE EXCEPTION USING ERRCODE = 'MV000', MESSAGE = 'accepted';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

CREATE TEMP TABLE refused (number int GENERATED ALWAYS AS IDENTITY, sqlstate text, rule text, statement text);
INSERT INTO refused (sqlstate, rule, statement)
SELECT '25001', 'forbidden_in_transaction', s FROM unnest(ARRAY[
    'CREATE INDEX CONCURRENTLY i ON t (a)', 'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)', 'CREATE INDEX CONCURRENTLY ON t (a)', 'DROP INDEX CONCURRENTLY i', 'DROP INDEX CONCURRENTLY IF EXISTS i',
    'REINDEX INDEX CONCURRENTLY i', 'REINDEX TABLE CONCURRENTLY t', 'REINDEX (CONCURRENTLY) TABLE t', 'REINDEX (VERBOSE, CONCURRENTLY TRUE) INDEX i', 'REINDEX SCHEMA CONCURRENTLY s', 'REINDEX DATABASE CONCURRENTLY d',
    'REINDEX SCHEMA s', 'REINDEX DATABASE d', 'REINDEX SYSTEM d', 'VACUUM', 'VACUUM t', 'VACUUM FULL t', 'VACUUM (ANALYZE) t', 'VACUUM ANALYZE t', 'VACUUM (FREEZE, VERBOSE)', 'CLUSTER', 'CLUSTER VERBOSE',
    'CREATE DATABASE d', 'DROP DATABASE d', 'DROP DATABASE IF EXISTS d', 'DROP DATABASE d WITH (FORCE)', 'ALTER DATABASE d SET TABLESPACE t', 'CREATE TABLESPACE t LOCATION ''/t''', 'DROP TABLESPACE t',
    'ALTER SYSTEM SET work_mem = ''1MB''', 'ALTER SYSTEM RESET ALL', 'CREATE SUBSCRIPTION s CONNECTION '''' PUBLICATION p', 'CREATE SUBSCRIPTION s CONNECTION '''' PUBLICATION p WITH (create_slot = true)',
    'ALTER SUBSCRIPTION s REFRESH PUBLICATION', 'ALTER SUBSCRIPTION s SET PUBLICATION p', 'ALTER SUBSCRIPTION s ADD PUBLICATION p', 'ALTER SUBSCRIPTION s DROP PUBLICATION p', 'DISCARD ALL',
    'ALTER TABLE t DETACH PARTITION p CONCURRENTLY']) AS s
UNION ALL SELECT '2D000', 'transaction_control', s FROM unnest(ARRAY[
    'BEGIN', 'BEGIN ISOLATION LEVEL SERIALIZABLE', 'START TRANSACTION READ ONLY', 'COMMIT', 'COMMIT AND CHAIN', 'COMMIT WORK', 'END', 'ROLLBACK', 'ROLLBACK AND NO CHAIN', 'ABORT', 'SAVEPOINT s', 'RELEASE s', 'RELEASE SAVEPOINT s',
    'ROLLBACK TO s', 'ROLLBACK TO SAVEPOINT s', 'PREPARE TRANSACTION ''x''', 'COMMIT PREPARED ''x''', 'ROLLBACK PREPARED ''x''']) AS s
UNION ALL SELECT '0A000', 'copy_client', s FROM unnest(ARRAY[
    'COPY t FROM STDIN', 'COPY t (a) FROM STDIN WITH (FORMAT csv)', 'COPY t TO STDOUT', 'COPY (SELECT 1) TO STDOUT']) AS s
UNION ALL SELECT '0A000', 'other', s FROM unnest(ARRAY[
    'SELECT 1 INTO x', 'SELECT * INTO TEMP x FROM t', 'SELECT 1 INTO x UNION SELECT 2', 'LISTEN x', 'UNLISTEN x', 'UNLISTEN *', 'PREPARE p AS SELECT 1', 'EXECUTE p', 'EXECUTE p (1)', 'DEALLOCATE p', 'DEALLOCATE ALL',
    'DISCARD TEMP', 'DISCARD SEQUENCES', 'LOAD ''x''', 'DECLARE c CURSOR WITH HOLD FOR SELECT 1', 'CLOSE ALL']) AS s
UNION ALL SELECT '42501', 'other', s FROM unnest(ARRAY[
    'SET ROLE x', 'SET LOCAL ROLE x', 'SET SESSION ROLE x', 'SET ROLE NONE', 'RESET ROLE', 'SET SESSION AUTHORIZATION x', 'SET LOCAL SESSION AUTHORIZATION DEFAULT', 'RESET SESSION AUTHORIZATION', 'SET role TO ''x''', 'SET "role" = x',
    'DROP EXTENSION module_versioning', 'DROP EXTENSION a, module_versioning CASCADE', 'ALTER EXTENSION module_versioning UPDATE', 'ALTER EXTENSION module_versioning ADD TABLE t',
    'DROP SCHEMA module_versioning CASCADE', 'DROP SCHEMA a, module_versioning_data', 'ALTER SCHEMA module_versioning RENAME TO x']) AS s
UNION ALL SELECT '42601', 'syntax', s FROM unnest(ARRAY[
    'SELEC 1', 'CREATE TABLE', 'DROP TABLE a b', 'ALTER TABLE t ADD COLUMN', 'SELECT ''no end', 'SELECT $x$ no end', 'SELECT "no end', 'SELECT (1', 'VACUUM SELECT', 'INSERT INTO t VALUES (1,)', 'GRANT ON t TO x', 'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1']) AS s
UNION ALL SELECT '42601', 'psql_meta', s FROM unnest(ARRAY[
    '\i file.sql', '\copy t FROM file', '\set x 1', '\c other', 'SELECT :x', 'SELECT :''x''', 'SELECT 1 \gset', 'SELECT 1 \g']) AS s
UNION ALL SELECT '55P04', 'enum_value_use', s FROM unnest(ARRAY[
    'ALTER TYPE mood ADD VALUE ''ok''; INSERT INTO t VALUES (''ok''::mood)', 'ALTER TYPE mood ADD VALUE ''ok''; ALTER TABLE t ADD m mood DEFAULT ''ok''']) AS s;

\echo Each is refused with its SQLSTATE, at its place, up and down, and found by lint_migration there
CREATE TEMP TABLE outcome AS
SELECT r.*, pg_temp.refusal(E'SELECT 1;\n\n  ' || statement, NULL) AS up, pg_temp.refusal('SELECT 1', E'SELECT 1;\n\n  ' || statement) AS down,
       (SELECT string_agg(concat_ws(' ', l.rule, l.statement_number, l.line), ', ') FROM lint_migration(E'SELECT 1;\n\n  ' || statement, '') l WHERE l.severity = 'error' AND l.rule IN ('forbidden_in_transaction', 'transaction_control', 'copy_client', 'other', 'syntax', 'psql_meta', 'enum_value_use')) AS lint
FROM refused r;
SELECT rule, sqlstate, count(*), count(*) FILTER (WHERE up LIKE sqlstate || ' up_sql, statement _, line 3%') AS up, count(*) FILTER (WHERE down LIKE sqlstate || ' down_sql, statement _, line 3%') AS down,
       count(*) FILTER (WHERE lint LIKE rule || ' _ 3') AS lint
FROM outcome GROUP BY rule, sqlstate ORDER BY 1, 2;
SELECT statement, up, lint FROM outcome
WHERE up NOT LIKE sqlstate || ' up_sql, statement _, line 3%' OR down NOT LIKE sqlstate || ' down_sql, statement _, line 3%' OR lint IS DISTINCT FROM rule || CASE rule WHEN 'enum_value_use' THEN ' 3 3' ELSE ' 2 3' END
ORDER BY number;
\echo What the messages say of the first of each
SELECT DISTINCT ON (rule, sqlstate) statement, up FROM outcome ORDER BY rule, sqlstate, number;

\echo Allowed, contrary to folklore: what is refused of it
SELECT statement, refusal FROM (SELECT statement, pg_temp.refusal(statement, NULL) AS refusal FROM unnest(ARRAY[
    'ALTER TYPE e ADD VALUE ''x''', 'REFRESH MATERIALIZED VIEW CONCURRENTLY v', 'REFRESH MATERIALIZED VIEW v', 'REINDEX TABLE t', 'REINDEX INDEX i', 'REINDEX (VERBOSE) TABLE t', 'REINDEX (CONCURRENTLY false) TABLE t', 'CLUSTER t USING i', 'CLUSTER t',
    'ANALYZE', 'ANALYZE t', 'ANALYZE VERBOSE t (a)', 'ALTER TABLE t DETACH PARTITION p', 'ALTER TABLE t DETACH PARTITION p FINALIZE', 'CREATE EXTENSION citext SCHEMA s', 'LOCK TABLE t', 'LOCK TABLE t IN SHARE MODE NOWAIT',
    'DECLARE c CURSOR FOR SELECT 1', 'FETCH NEXT FROM c', 'MOVE c', 'CLOSE c', 'NOTIFY x', 'NOTIFY x, ''y''', 'DISCARD PLANS', 'CHECKPOINT', 'ALTER DATABASE d SET work_mem = ''1MB''', 'ALTER DATABASE d RENAME TO e', 'ALTER DATABASE d OWNER TO r',
    'CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()', 'CREATE PUBLICATION p', 'CREATE SUBSCRIPTION s CONNECTION '''' PUBLICATION p WITH (connect = false)', 'CREATE SUBSCRIPTION s CONNECTION '''' PUBLICATION p WITH (create_slot = false)',
    'ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)', 'ALTER SUBSCRIPTION s DISABLE', 'ALTER SUBSCRIPTION s SET (synchronous_commit = off)', 'DROP SUBSCRIPTION s', 'CREATE ROLE r', 'DROP ROLE r', 'ALTER ROLE r NOLOGIN', 'DROP OWNED BY r', 'REASSIGN OWNED BY r TO s',
    'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''SELECT 1''; SELECT f()', 'CREATE TABLE x (a int); INSERT INTO x VALUES (1)', 'CREATE TABLE x AS SELECT 1', 'CREATE INDEX i ON t (a)', 'DROP INDEX i',
    'SET TRANSACTION READ ONLY', 'SET CONSTRAINTS ALL DEFERRED', 'SET work_mem = ''1MB''', 'SET LOCAL work_mem = ''1MB''', 'RESET ALL', 'SHOW work_mem', 'EXPLAIN ANALYZE SELECT 1', 'DO ''BEGIN NULL; END''', 'CALL p()', 'TABLE t', 'VALUES (1)',
    'COPY t FROM ''/f''', 'COPY t TO ''/f''', 'COPY t TO PROGRAM ''true''', 'ALTER SCHEMA s RENAME TO module_versioning', 'DROP EXTENSION citext', 'SELECT pg_advisory_lock(1)', 'SECURITY LABEL ON TABLE t IS ''x''', 'IMPORT FOREIGN SCHEMA a FROM SERVER s INTO b',
    'CREATE TYPE m AS ENUM (''a''); ALTER TYPE m ADD VALUE ''b''', 'ALTER TYPE m ADD VALUE ''b''; COMMENT ON TYPE m IS ''b'''
]) AS statement) s WHERE refusal <> 'MV000 accepted';
\echo And by lint_migration
SELECT statement, l.rule FROM unnest(ARRAY['ANALYZE t', 'CLUSTER t', 'REINDEX TABLE t', 'NOTIFY x', 'DISCARD PLANS', 'ALTER TABLE t DETACH PARTITION p', 'COPY t FROM ''/f''', 'DECLARE c CURSOR FOR SELECT 1; FETCH c; CLOSE c']) AS statement, lint_migration(statement, '') l
WHERE l.rule IN ('forbidden_in_transaction', 'transaction_control', 'copy_client', 'other', 'syntax', 'psql_meta', 'enum_value_use');
SELECT count(*) FROM module_migrations WHERE module_id = module_id('refusals-all');
