-- What add_migration refuses of a script, with statement number, line and SQLSTATE; and that the same
-- words in strings, comments, quoted names and function bodies are no reason.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET search_path = module_versioning, pg_catalog;
SET client_min_messages = warning;

SELECT slug FROM register_module('migration-refusals');
SELECT version FROM create_version(module_id('migration-refusals'), '1.0.0', 'https://example.org/1.0.0', repeat('a', 64));

CREATE FUNCTION pg_temp.add(up_sql text, down_sql text DEFAULT NULL) RETURNS integer LANGUAGE sql AS
$$ SELECT m.sequence FROM module_versioning.add_migration(module_versioning.module_id('migration-refusals'), '1.0.0', up_sql, down_sql) m $$;
-- One line for each refusal; none of them may leave a row.
CREATE FUNCTION pg_temp.refusal(up_sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; hint text;
BEGIN
    PERFORM pg_temp.add(up_sql);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ' ' || message || CASE WHEN hint = '' THEN ' (no hint)' ELSE '' END;
END $$;

-- Transaction control.
SELECT pg_temp.add(E'CREATE TABLE t (a int);\n\n-- the end\nCOMMIT;');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.refusal(script) FROM unnest(ARRAY[
    'BEGIN', 'START TRANSACTION', 'COMMIT AND CHAIN', 'END', 'ROLLBACK', 'ABORT', 'SAVEPOINT s', 'RELEASE s',
    'ROLLBACK TO s', 'PREPARE TRANSACTION ''x''', 'COMMIT PREPARED ''x''', 'ROLLBACK PREPARED ''x''']) AS script;

-- Statements that need to run outside a transaction block.
SELECT pg_temp.add(E'SELECT 1; SELECT 2;\r\n  CREATE INDEX CONCURRENTLY i ON t (a);');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.add('VACUUM');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.refusal(script) FROM unnest(ARRAY[
    'DROP INDEX CONCURRENTLY i', 'REINDEX TABLE CONCURRENTLY t', 'REINDEX (CONCURRENTLY) INDEX i', 'REINDEX SCHEMA s',
    'REINDEX DATABASE d', 'REINDEX SYSTEM d', 'VACUUM FULL t', 'CLUSTER', 'CREATE DATABASE d', 'DROP DATABASE d',
    'ALTER DATABASE d SET TABLESPACE t', 'CREATE TABLESPACE t LOCATION ''/t''', 'DROP TABLESPACE t',
    'ALTER SYSTEM SET work_mem = ''1MB''', 'CREATE SUBSCRIPTION s CONNECTION '''' PUBLICATION p',
    'ALTER SUBSCRIPTION s REFRESH PUBLICATION', 'ALTER SUBSCRIPTION s ADD PUBLICATION p', 'DISCARD ALL',
    'ALTER TABLE t DETACH PARTITION p CONCURRENTLY']) AS script;

-- COPY with the client, SELECT INTO.
SELECT pg_temp.add('COPY t FROM STDIN');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.add('SELECT 1 AS a INTO x');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.refusal(script) FROM unnest(ARRAY['COPY t TO STDOUT', 'COPY (SELECT 1) TO STDOUT', 'SELECT 1 INTO x UNION SELECT 2']) AS script;

-- What belongs to the caller's session, another role, this extension.
SELECT pg_temp.add(E'SELECT 1;\nLISTEN news');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.add('SET ROLE postgres');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.add('DROP EXTENSION module_versioning');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.refusal(script) FROM unnest(ARRAY[
    'UNLISTEN *', 'PREPARE p AS SELECT 1', 'EXECUTE p', 'DEALLOCATE ALL', 'DISCARD TEMP', 'DISCARD SEQUENCES', 'LOAD ''x''',
    'DECLARE c CURSOR WITH HOLD FOR SELECT 1', 'CLOSE ALL', 'SET LOCAL ROLE postgres', 'RESET ROLE',
    'SET SESSION AUTHORIZATION postgres', 'RESET SESSION AUTHORIZATION', 'ALTER EXTENSION module_versioning UPDATE',
    'ALTER EXTENSION module_versioning DROP TABLE t',
    'DROP EXTENSION IF EXISTS a, module_versioning CASCADE', 'DROP SCHEMA a, module_versioning CASCADE',
    'ALTER SCHEMA module_versioning_data RENAME TO x']) AS script;

-- A new enum value that the same script uses.
SELECT pg_temp.add(E'ALTER TYPE mood ADD VALUE ''ok'';\nSELECT 1;\nALTER TABLE t ADD COLUMN m mood DEFAULT ''ok''');
\echo :LAST_ERROR_SQLSTATE

-- Syntax errors, psql's commands and variables.
SELECT pg_temp.add(E'CREATE TABLE a (b int);\n\nSELECT $$;$$; SELEC 1;');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.add(E'SELECT 1;\n\\copy t from file');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.add('SELECT :value');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.add('SELECT ''no end');
SELECT pg_temp.add('SELECT (1');
SELECT pg_temp.add(E'SELECT 1;\nSELECT /* no end');
SELECT pg_temp.add('SELECT $body$ no end');
SELECT pg_temp.add('SELECT U&''\zzzz''');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.add(U&'SELECT 1;\000ASELECT ''\00E4\00F6''; SELECT \00FC \00FC \00FC');
SELECT pg_temp.add('CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELEC 1');

-- The down script is read just the same, and named.
SELECT pg_temp.add('SELECT 1', E'SELECT 1;\nROLLBACK');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.add('SELECT 1', 'DROP');

SELECT count(*) FROM module_migrations WHERE module_id = module_id('migration-refusals');

-- The same words where they mean nothing; and what is allowed contrary to folklore.
SELECT script, pg_temp.refusal(script) FROM unnest(ARRAY[
    'SELECT ''COMMIT; VACUUM; CREATE INDEX CONCURRENTLY; COPY t FROM STDIN; \i''',
    '-- COMMIT;' || E'\n' || 'SELECT 1 /* VACUUM; /* ROLLBACK; */ \copy */',
    'CREATE TABLE "COMMIT; VACUUM" ("concurrently" int, "a;b" text)',
    'CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN COMMIT; ROLLBACK; END $$',
    'DO $do$ BEGIN EXECUTE $$VACUUM$$; END $do$',
    'SELECT E''it\''s; COMMIT;'', $a$ $$;$$ $a$, U&''\003B''',
    'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END',
    'CREATE INDEX "concurrently" ON t (a)',
    'REFRESH MATERIALIZED VIEW CONCURRENTLY m',
    'ALTER TYPE e ADD VALUE ''x''',
    'ANALYZE t; CLUSTER t USING i; REINDEX TABLE t; DISCARD PLANS',
    'ALTER TABLE t DETACH PARTITION p',
    'COPY t FROM ''/file''; COPY t TO PROGRAM ''true''',
    'CREATE SUBSCRIPTION s CONNECTION '''' PUBLICATION p WITH (connect = false)',
    'DECLARE c CURSOR FOR SELECT 1; FETCH c; CLOSE c; NOTIFY x; SELECT pg_advisory_xact_lock(1)',
    'SET search_path TO a; SET LOCAL work_mem TO ''1MB''; RESET ALL',
    'ALTER TYPE e ADD VALUE ''y''; INSERT INTO log VALUES (''y'')',
    'SET TRANSACTION READ ONLY; SET CONSTRAINTS ALL DEFERRED; LOCK TABLE t',
    '', ';;;', '-- nothing', E'\uFEFFSELECT 1']) AS script;

-- The session's settings don't change how a script is read.
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SELECT pg_temp.refusal(E'SELECT \'\\\'; COMMIT; SELECT \'\\\'');
SHOW standard_conforming_strings;
RESET standard_conforming_strings;
