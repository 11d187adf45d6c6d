-- What the session still holds after rehearsals of all kinds of statements: no lock, no count, no message. And scripts
-- that nest deeper than the server's stack has room for.
\set VERBOSITY default
\pset format unaligned
\pset null '-'
CREATE ROLE leftover_owner NOLOGIN;
SELECT id AS module FROM module_versioning.register_module('leftover', schema_name => 'leftover', owner_role => 'leftover_owner') \gset
CREATE SCHEMA leftover AUTHORIZATION leftover_owner;
SET ROLE leftover_owner;
SET search_path TO leftover;
CREATE TABLE t (id serial PRIMARY KEY, name text, other int);
INSERT INTO t (name) SELECT n FROM generate_series(1, 20) n;
CREATE TABLE u (t_id int REFERENCES t);
CREATE TABLE p (id int, part int) PARTITION BY LIST (part);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE SEQUENCE s;
CREATE VIEW v AS SELECT * FROM t;
CREATE MATERIALIZED VIEW w AS SELECT * FROM t;
CREATE TYPE e AS ENUM ('a');
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''called''; RETURN 1; END';
RESET ROLE;
RESET search_path;
CREATE FUNCTION pg_temp.locks() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', l.locktype, l.relation::regclass, l.classid::regclass, l.mode) FROM pg_locks l
    WHERE l.pid = pg_backend_pid() AND l.locktype NOT IN ('virtualxid', 'transactionid')
      -- The caller's own queries read the catalog, too.
      AND (l.mode <> 'AccessShareLock' OR l.relation::regclass::text LIKE 'leftover.%')
$$;
-- What a rehearsal leaves, where it leaves anything, and how it failed, where it did.
CREATE FUNCTION pg_temp.left_by(script text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r module_versioning.rehearsal; before text[]; after text[];
BEGIN
    before := ARRAY(SELECT pg_temp.locks() EXCEPT SELECT '');
    r := module_versioning.rehearse_migration(module_versioning.module_id('leftover'), script);
    after := ARRAY(SELECT pg_temp.locks() EXCEPT SELECT unnest(before));
    RETURN concat_ws(': ', script, nullif(array_to_string(after, ', '), ''), r.error_message);
END $$;
SELECT pg_temp.left_by('SELECT 1');
BEGIN;
SELECT pg_temp.left_by('SELECT 1');
SELECT pg_temp.left_by(script) FROM unnest(ARRAY[
    'INSERT INTO t (name) VALUES (1)', 'UPDATE t SET name = 2', 'DELETE FROM t', 'TRUNCATE t CASCADE', 'DROP TABLE u', 'DROP TABLE t CASCADE',
    'CREATE TABLE n (id serial PRIMARY KEY)', 'CREATE TABLE n AS SELECT * FROM t', 'ALTER TABLE t ADD x int', 'ALTER TABLE u ALTER t_id TYPE bigint',
    'ALTER TABLE t DROP other CASCADE', 'CREATE INDEX ON t (name)', 'ALTER TABLE t ADD UNIQUE (name)', 'ALTER TABLE u DROP CONSTRAINT u_t_id_fkey',
    'CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)', 'ALTER TABLE p DETACH PARTITION p1', 'CREATE VIEW v2 AS SELECT * FROM v',
    'REFRESH MATERIALIZED VIEW w', 'DO $do$ BEGIN PERFORM f(); END $do$', 'CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'CREATE POLICY y ON t', 'GRANT SELECT ON t TO PUBLIC', 'COMMENT ON TABLE t IS ''x''', 'CREATE SEQUENCE s2', 'SELECT nextval(''s'')',
    'SELECT setval(''s'', 5)', 'ALTER SEQUENCE s RESTART', 'ALTER TYPE e ADD VALUE ''b''', 'CREATE TYPE e2 AS (a int)', 'CREATE DOMAIN d AS int',
    'CREATE TEMP TABLE x (id int)', 'SELECT lo_create(0)', 'SELECT lo_unlink(lo_from_bytea(0, ''abc''))', 'SELECT lo_from_bytea(0, ''abc'')',
    'NOTIFY leftover_channel', 'LOCK TABLE t', 'SELECT pg_advisory_lock(1)', 'SELECT pg_advisory_xact_lock(1)', 'SET work_mem = ''10MB''',
    'CREATE STATISTICS st ON id, name FROM t', 'CLUSTER t USING t_pkey', 'CREATE RULE r AS ON INSERT TO u DO ALSO NOTIFY leftover_channel',
    'CREATE COLLATION c FROM "C"', 'ALTER TABLE t RENAME TO t9', 'REINDEX TABLE t', 'SELECT pg_stat_reset()']) script;
-- A large object of the caller's own stays open.
SELECT lo_open(lo_from_bytea(0, 'mine'), 131072) AS mine \gset
SELECT pg_temp.left_by('SELECT lo_from_bytea(0, ''abc'')');
SELECT loread(:mine, 4);
ROLLBACK;

\echo -- calls are not counted
SET track_functions TO 'all';
SELECT pg_temp.left_by('SELECT f(), f()');
SELECT pg_stat_force_next_flush();
SELECT coalesce(sum(calls), 0) AS calls FROM pg_stat_user_functions WHERE schemaname = 'leftover';
RESET track_functions;

\echo -- a notice is told with its statement, once
SELECT statement->'notices' FROM module_versioning.rehearse_migration(:'module', 'SELECT f()'), jsonb_array_elements(statements) statement;

\echo -- deeper than the stack
\set deep_sum 'SELECT repeat(\'(\', 20000) || \'1\' || repeat(\')\', 20000) AS nested, \'1\' || repeat(\' + 1\', 100000) AS added'
:deep_sum \gset
CREATE FUNCTION pg_temp.told(script text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r module_versioning.rehearsal;
BEGIN
    r := module_versioning.rehearse_migration(module_versioning.module_id('leftover'), script);
    RETURN concat_ws(' ', r.ok, r.sqlstate, r.reversibility);
END $$;
SELECT pg_temp.told('SELECT ' || :'nested'), pg_temp.told('SELECT ' || :'added'), pg_temp.told('DELETE FROM t WHERE 0 < ' || :'added');
SELECT id AS x FROM module_versioning.create_version(:'module', '1.0.0') \gset
CREATE FUNCTION pg_temp.state_of(statement text, script text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement USING script, module_versioning.module_id('leftover');
    RETURN 'none';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END $$;
SELECT way, pg_temp.state_of(statement, 'SELECT ' || :'nested') AS nested, pg_temp.state_of(statement, 'SELECT ' || :'added') AS added
FROM (VALUES ('up', $$SELECT module_versioning.add_migration($2, '1.0.0', $1)$$), ('down', $$SELECT module_versioning.add_migration($2, '1.0.0', 'SELECT 1', $1)$$)) ways (way, statement);
SELECT count(*) > 0 AS told FROM module_versioning.lint_migration('SELECT ' || :'added');
\echo -- long, but not that deep
SELECT pg_temp.told('SELECT 1' || repeat(' + 1', 2000)), pg_temp.told('INSERT INTO t (name) SELECT 1' || repeat(' UNION ALL SELECT 1', 2000));

\echo -- nothing measured: nothing known
SELECT ok, reversibility, warnings FROM module_versioning.rehearse_migration(:'module', 'DROP TABLE nobody');
SET module_versioning.rehearsal_size_limit TO '1kB';
SELECT ok, reversibility FROM module_versioning.rehearse_migration(:'module', 'SELECT 1');
RESET module_versioning.rehearsal_size_limit;

\echo -- a script that says it was cancelled
SELECT pg_temp.told('DO $do$ BEGIN RAISE EXCEPTION ''no'' USING ERRCODE = ''57014''; END $do$');
SET module_versioning.statement_timeout TO '200ms';
SELECT pg_temp.told('DO $do$ BEGIN LOOP END LOOP; END $do$');
RESET module_versioning.statement_timeout;
SET client_min_messages TO warning;
DROP SCHEMA leftover CASCADE;
