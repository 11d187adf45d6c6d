-- Time limits of a script's statements, what they say, scripts of any size and none, classification.
SET module_versioning.rehearse_at_publish TO off;
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE limits_owner NOLOGIN;
SELECT id AS module FROM module_versioning.register_module('limits', isolation => 'schema', owner_role => 'limits_owner') \gset
SELECT id AS site FROM module_versioning.register_site('limits-site') \gset
SELECT id AS v FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT statements FROM module_versioning.add_migration(:'module', '1.0.0',
    E'-- first\nCREATE TABLE t (x int);\n\nDO $$ BEGIN END $$; INSERT INTO t\nVALUES (1)', 'DROP TABLE t');
SELECT FROM module_versioning.publish_version(:'v') \g /dev/null
SELECT status FROM module_versioning.install_module(:'site', :'module');

CREATE SEQUENCE pg_temp.attempts;
CREATE FUNCTION pg_temp.try(script text, lock_timeout interval DEFAULT NULL, statement_timeout interval DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
    module uuid := module_versioning.module_id('limits');
    version module_versioning.semver := '1.0.' || nextval('pg_temp.attempts');
    draft uuid := (module_versioning.create_version(module, version)).id;
    change module_versioning.module_change;
BEGIN
    PERFORM module_versioning.add_migration(module, version, script, 'SELECT 1',
        lock_timeout => try.lock_timeout, statement_timeout => try.statement_timeout);
    PERFORM module_versioning.publish_version(draft);
    change := module_versioning.upgrade_module(module_versioning.site_id('limits-site'), module, version, false);
    IF change.status = 'failed' THEN
        PERFORM module_versioning.yank_version(draft, 'a failed try');
        -- Out of the way of the next one.
        ALTER TABLE module_versioning.module_migrations DISABLE TRIGGER protect_published;
        DELETE FROM module_versioning.module_migration_runs WHERE migration_id = change.failed_migration_id;
        DELETE FROM module_versioning.module_migrations WHERE id = change.failed_migration_id;
        ALTER TABLE module_versioning.module_migrations ENABLE ALWAYS TRIGGER protect_published;
    END IF;
    RETURN concat_ws(' | ', change.status, change.statement_number, change.sqlstate, change.error_message, change.error_detail, change.error_hint);
END
$body$;

\echo A statement that runs too long has failed; the limit begins anew with each statement.
SHOW module_versioning.statement_timeout;
SET module_versioning.statement_timeout TO '1500ms';
SELECT pg_temp.try('SELECT 1; SELECT pg_sleep(600); SELECT 2');
SELECT pg_temp.try('SELECT pg_sleep(0.6); SELECT pg_sleep(0.6); SELECT pg_sleep(0.6)');
\echo Whoever catches it has failed all the same.
SELECT pg_temp.try('DO $do$ BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END $do$');
\echo A migration has limits of its own.
SET module_versioning.statement_timeout TO '100ms';
SELECT pg_temp.try('SELECT pg_sleep(0.3)', statement_timeout => '0');
SELECT pg_temp.try('SELECT pg_sleep(0.3)', statement_timeout => '1 min');
RESET module_versioning.statement_timeout;
SELECT pg_temp.try('SELECT pg_sleep(600)', statement_timeout => '50 ms');
SELECT pg_temp.try('CREATE TABLE locks AS SELECT current_setting(''lock_timeout'') AS lock_timeout', lock_timeout => '77 s');
SELECT lock_timeout FROM "limits_limits-site".locks;
SELECT pg_temp.try('SELECT 1', lock_timeout => '-1 s');
SELECT pg_temp.try('SELECT 1', statement_timeout => '1 year');
\echo :LAST_ERROR_SQLSTATE

\echo The limit of the caller, and a cancel, stop everything: they are no failure of the script.
SELECT count(*) AS runs FROM module_versioning.get_migration_history(:'site', :'module') \gset
SET statement_timeout TO '300ms';
SELECT pg_temp.try('SELECT pg_sleep(600)', statement_timeout => '1 min');
\echo :LAST_ERROR_SQLSTATE
RESET statement_timeout;
SELECT count(*) - :runs AS recorded FROM module_versioning.get_migration_history(:'site', :'module');
\echo A script that raises that code itself has failed.
SELECT pg_temp.try('DO $do$ BEGIN RAISE EXCEPTION ''stop'' USING ERRCODE = ''57014'', DETAIL = ''d'', HINT = ''h''; END $do$');
\echo No limit is left running.
SELECT pg_sleep(0.4);

\echo A new value of an enum type.
SELECT pg_temp.try('CREATE TYPE mood AS ENUM (''sad''); CREATE TABLE moods (m mood)');
SELECT pg_temp.try('ALTER TYPE mood ADD VALUE ''ok''; INSERT INTO moods VALUES (''ok'')');
SELECT pg_temp.try('ALTER TYPE mood ADD VALUE ''ok''');
SELECT pg_temp.try('INSERT INTO moods VALUES (''ok'')');

\echo What a script says is kept, with its time, and reaches the client; a flood does not.
SET client_min_messages TO notice;
SELECT pg_temp.try('DO $do$ BEGIN RAISE NOTICE ''one''; RAISE WARNING ''two''; RAISE INFO ''three''; RAISE DEBUG ''four''; END $do$; CREATE TABLE IF NOT EXISTS t (x int); SELECT 1');
SET client_min_messages TO error;
SELECT pg_temp.try('DO $do$ BEGIN FOR i IN 1..30 LOOP RAISE NOTICE ''%'', i; END LOOP; RAISE NOTICE ''%'', repeat(''x'', 100000); END $do$');
SELECT pg_temp.try('DO $do$ BEGIN RAISE NOTICE ''before''; RAISE EXCEPTION ''it''; END $do$');
SELECT s ->> 'command' AS command, s ->> 'rows' AS rows, s -> 'notices' ->> 0 AS first, s -> 'notices' ->> -1 AS last,
       (s ->> 'duration_ms')::numeric >= 0 AS timed
FROM module_versioning.get_migration_history(:'site', :'module') WITH ORDINALITY AS h, jsonb_array_elements(h.statements) s
WHERE h.ordinality <= 2 ORDER BY h.ordinality, s ->> 'statement_number';
SHOW log_min_messages;

\echo Scripts of nothing: empty, comments, semicolons, a byte order mark, CRLF, no end of line.
SELECT pg_temp.try(script) FROM unnest(ARRAY['', ' ', '-- nothing', '/* a /* b */ */', ';;;', E'\uFEFF', E'\uFEFF-- x\r\n;\r\n',
    E'\uFEFFSELECT 1;\r\nSELECT 2 -- end', E'SELECT ''a\r\nb''']) AS script;
\echo A thousand subtransactions, and exception blocks in the script.
SELECT pg_temp.try('DO $do$ BEGIN FOR i IN 1..1000 LOOP BEGIN INSERT INTO t VALUES (i); IF i % 2 = 0 THEN RAISE division_by_zero; END IF; EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $do$');
SELECT count(*) FROM "limits_limits-site".t;
SELECT pg_temp.try(string_agg('SELECT 1', ';')) FROM generate_series(1, 3000);
\echo Ten megabytes, in one statement and in many.
SELECT pg_temp.try('INSERT INTO t SELECT length(' || quote_literal(repeat('x', 10000000)) || ')');
SELECT pg_temp.try(string_agg('SELECT ' || quote_literal(repeat('x', 1000)), E';\n')) FROM generate_series(1, 10000);
SELECT max(x) FROM "limits_limits-site".t;
