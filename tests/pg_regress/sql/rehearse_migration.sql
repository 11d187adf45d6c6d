-- What a rehearsal finds out about scripts that are not registered: locks, rewrites, scans, changes, losses,
-- whether there is a way back.
\set VERBOSITY default
\pset format unaligned
\pset null '-'
SET client_min_messages TO warning;
CREATE ROLE trial_owner NOLOGIN;
CREATE ROLE trial_stranger NOLOGIN;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA module_versioning TO trial_owner, trial_stranger;
SELECT id AS module FROM module_versioning.register_module('trial', schema_name => 'trial', owner_role => 'trial_owner') \gset
CREATE SCHEMA trial AUTHORIZATION trial_owner;
SET ROLE trial_owner;
CREATE TABLE trial.customer (id int PRIMARY KEY, name text NOT NULL, email text, note text, score int);
INSERT INTO trial.customer SELECT n, 'name ' || n, n || '@example.org', NULL, n FROM generate_series(1, 100) n;
CREATE TABLE trial.purchase (id serial PRIMARY KEY, customer_id int, price numeric(10, 4), tag varchar(20));
INSERT INTO trial.purchase (customer_id, price, tag) SELECT n, n / 3.0, 'tag' FROM generate_series(1, 60) n;
CREATE VIEW trial.dear AS SELECT id, price FROM trial.purchase WHERE price > 10;
CREATE TABLE trial.part (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE trial.part_rest PARTITION OF trial.part DEFAULT;
CREATE SEQUENCE trial.ticket;
SELECT setval('trial.ticket', 40);
RESET ROLE;

-- One line for each finding.
CREATE FUNCTION pg_temp.line(prefix text, finding jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', prefix, finding->>'kind', finding->>'object', 'rows=' || (finding->>'rows'), 'values=' || (finding->>'values'),
                     'by ' || (finding->>'statement_number'))
$$;
CREATE FUNCTION pg_temp.rehearse(up text, down text DEFAULT NULL) RETURNS SETOF text LANGUAGE sql AS $$
    WITH r AS MATERIALIZED (SELECT * FROM module_versioning.rehearse_migration(module_versioning.module_id('trial'), up, down))
    SELECT concat_ws(' ', CASE WHEN ok THEN 'ok' ELSE 'failed' END, statement_number, sqlstate, error_message, reversibility,
                     'restored=' || schema_restored, suggested_bump) FROM r
    UNION ALL SELECT pg_temp.line('lock', f) FROM r, jsonb_array_elements(locks) f
    UNION ALL SELECT pg_temp.line('rewrite', f) FROM r, jsonb_array_elements(rewrites) f
    UNION ALL SELECT pg_temp.line('breaks', f) FROM r, jsonb_array_elements(breaking_changes) f
    UNION ALL SELECT pg_temp.line('loss', f) FROM r, jsonb_array_elements(data_loss) f
    UNION ALL SELECT pg_temp.line('down loss', f) FROM r, jsonb_array_elements(down_data_loss) f
    UNION ALL SELECT 'warning ' || w FROM r, unnest(warnings) w
$$;

-- Each statement with what it took.
SELECT s->>'statement_number' AS number, s->>'command' AS command, s->>'rows' AS rows, (s->>'ms')::numeric >= 0 AS ms, (s->>'wal_bytes')::numeric > 0 AS wal,
       (SELECT string_agg(l->>'object' || ' ' || (l->>'mode'), ', ' ORDER BY l->>'object') FROM jsonb_array_elements(s->'locks') l) AS locks, s->>'text' AS text
FROM module_versioning.rehearse_migration(:'module', $$
    ALTER TABLE customer ADD COLUMN fax text;
    UPDATE purchase SET tag = 'new' WHERE id <= 7;
    SELECT count(*) FROM dear
$$), jsonb_array_elements(statements) s;
SELECT s->>'object' AS object, s->>'kind' AS kind, s->>'change' AS change, s->>'statement_number' AS statement
FROM module_versioning.rehearse_migration(:'module', $$
    SELECT 1; ALTER TABLE customer ADD COLUMN fax text; CREATE TABLE fresh (id int); ALTER TABLE purchase DROP COLUMN price CASCADE;
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'
$$), jsonb_array_elements(schema_changes) s ORDER BY 4, 1;

\echo -- locks
SELECT pg_temp.rehearse('CREATE INDEX ON customer (email)', 'DROP INDEX customer_email_idx');
SELECT pg_temp.rehearse('ALTER TABLE purchase ADD FOREIGN KEY (customer_id) REFERENCES customer', 'ALTER TABLE purchase DROP CONSTRAINT purchase_customer_id_fkey');
SELECT pg_temp.rehearse('ALTER TABLE purchase ADD CONSTRAINT k FOREIGN KEY (customer_id) REFERENCES customer NOT VALID; ALTER TABLE purchase VALIDATE CONSTRAINT k', 'ALTER TABLE purchase DROP CONSTRAINT k');
SELECT pg_temp.rehearse('ALTER TABLE customer ADD CHECK (id > 0)', 'ALTER TABLE customer DROP CONSTRAINT customer_id_check');
SELECT pg_temp.rehearse('ALTER TABLE customer ALTER email SET NOT NULL', 'ALTER TABLE customer ALTER email DROP NOT NULL');
SELECT pg_temp.rehearse('ALTER TABLE customer ADD UNIQUE (email)', 'ALTER TABLE customer DROP CONSTRAINT customer_email_key');
SELECT pg_temp.rehearse('ALTER TABLE customer ADD COLUMN made timestamptz NOT NULL DEFAULT clock_timestamp()', 'ALTER TABLE customer DROP COLUMN made');
SELECT pg_temp.rehearse('ALTER TABLE customer ALTER id TYPE bigint', 'ALTER TABLE customer ALTER id TYPE int');
SELECT pg_temp.rehearse('CREATE TABLE part_2024 PARTITION OF part FOR VALUES FROM (''2024-01-01'') TO (''2025-01-01'')', 'DROP TABLE part_2024');
SELECT pg_temp.rehearse('LOCK TABLE customer IN EXCLUSIVE MODE', 'SELECT 1');
SELECT pg_temp.rehearse('REINDEX TABLE customer', 'SELECT 1');
SELECT pg_temp.rehearse('CREATE TABLE fresh (id int PRIMARY KEY); CREATE INDEX ON fresh (id); ALTER TABLE fresh ADD CHECK (id > 0); INSERT INTO fresh VALUES (1)', 'DROP TABLE fresh');

\echo -- losses
SELECT pg_temp.rehearse('ALTER TABLE customer DROP COLUMN email', 'ALTER TABLE customer ADD COLUMN email text');
SELECT pg_temp.rehearse('ALTER TABLE customer DROP COLUMN note', 'ALTER TABLE customer ADD COLUMN note text');
SELECT pg_temp.rehearse('ALTER TABLE customer RENAME COLUMN email TO mail', 'ALTER TABLE customer RENAME COLUMN mail TO email');
SELECT pg_temp.rehearse('ALTER TABLE customer ADD COLUMN phone text', 'ALTER TABLE customer DROP COLUMN phone');
SELECT pg_temp.rehearse('TRUNCATE purchase', 'SELECT 1');
SELECT pg_temp.rehearse('DELETE FROM customer WHERE id <= 12; UPDATE customer SET name = upper(name) WHERE id > 97', 'SELECT 1');
SELECT pg_temp.rehearse('ALTER TABLE purchase ALTER price TYPE numeric(10, 2)');
SELECT pg_temp.rehearse('DROP VIEW dear; ALTER TABLE purchase ALTER price TYPE numeric(10, 2)');
SELECT pg_temp.rehearse('DO $do$ BEGIN EXECUTE ''DROP'' || '' TABLE trial.''||''purchase CASCADE''; END $do$');
SELECT pg_temp.rehearse('DROP SEQUENCE ticket', 'CREATE SEQUENCE ticket');
SELECT pg_temp.rehearse('SELECT setval(''ticket'', 1)', 'SELECT 1');
SELECT last_value FROM trial.ticket;
SELECT pg_temp.rehearse('INSERT INTO customer (id, name) VALUES (1000, ''Zoe'')', 'DELETE FROM customer WHERE id = 1000');
SELECT pg_temp.rehearse('CREATE TABLE archive AS SELECT * FROM purchase; DROP TABLE purchase CASCADE',
    'ALTER TABLE archive RENAME TO purchase');

\echo -- what is written in between
SELECT pg_temp.rehearse('ALTER TABLE customer ALTER score TYPE bigint', 'ALTER TABLE customer ALTER score TYPE int');
SELECT pg_temp.rehearse('ALTER TABLE customer ALTER score TYPE numeric(10, 3)', 'ALTER TABLE customer ALTER score TYPE int');
SELECT pg_temp.rehearse('ALTER TABLE purchase ALTER tag TYPE text', 'ALTER TABLE purchase ALTER tag TYPE varchar(20)');

\echo -- the way back
SELECT pg_temp.rehearse('ALTER TABLE customer ADD COLUMN phone text', 'SELECT 1');
SELECT pg_temp.rehearse('ALTER TABLE customer ADD COLUMN phone text', 'ALTER TABLE customer DROP COLUMN telephone');
SELECT pg_temp.rehearse('CREATE TABLE once (id int); CREATE TABLE IF NOT EXISTS twice (id int)', 'DROP TABLE once');
SELECT pg_temp.rehearse('', '');

\echo -- what no catalog tells: calls that have become ambiguous, writes that a trigger refuses
SELECT pg_temp.rehearse('CREATE FUNCTION slot(day date) RETURNS int LANGUAGE sql AS ''SELECT 1''', 'DROP FUNCTION slot(date)');
SET ROLE trial_owner;
CREATE FUNCTION trial.slot(day date) RETURNS int LANGUAGE sql AS 'SELECT 1';
RESET ROLE;
SELECT pg_temp.rehearse('CREATE FUNCTION slot(day date, minutes int DEFAULT 30) RETURNS int LANGUAGE sql AS ''SELECT 2''', 'DROP FUNCTION slot(date, int)');
SELECT pg_temp.rehearse('CREATE FUNCTION slot(day timestamp) RETURNS int LANGUAGE sql AS ''SELECT 2''', 'DROP FUNCTION slot(timestamp)');
SELECT pg_temp.rehearse('CREATE FUNCTION slot(day date, minutes int) RETURNS int LANGUAGE sql AS ''SELECT 2''', 'DROP FUNCTION slot(date, int)');
SELECT pg_temp.rehearse('CREATE FUNCTION frozen() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION $m$frozen$m$; END''; CREATE TRIGGER frozen BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION frozen()',
    'DROP TRIGGER frozen ON customer; DROP FUNCTION frozen()');
SELECT pg_temp.rehearse('CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NEW; END''; CREATE TRIGGER noted BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION noted()',
    'DROP TRIGGER noted ON customer; DROP FUNCTION noted()');

\echo -- failures are results
SELECT pg_temp.rehearse('SELECT 1; SELECT 1 / 0', 'SELECT 1');
SELECT pg_temp.rehearse('INSERT INTO customer SELECT * FROM customer', 'SELECT 1');
SELECT pg_temp.rehearse('SELECT 1; SELEC 2');
SELECT pg_temp.rehearse('SELECT 1; CREATE INDEX CONCURRENTLY ON customer (email)');
SELECT pg_temp.rehearse('ALTER TABLE purchase ADD CONSTRAINT k FOREIGN KEY (customer_id) REFERENCES customer DEFERRABLE INITIALLY DEFERRED; INSERT INTO purchase (customer_id) VALUES (7000)');

\echo -- size
SET module_versioning.rehearsal_size_limit TO '8kB';
SELECT ok, reversibility, jsonb_array_length(statements), regexp_replace(warnings[1], '\d+', 'N') AS warning
FROM module_versioning.rehearse_migration(:'module', 'DROP TABLE customer; SELECT 1', 'SELECT 1');
RESET module_versioning.rehearsal_size_limit;

\echo -- who may, and what is wrong to ask
SET ROLE trial_stranger;
SELECT ok FROM module_versioning.rehearse_migration(:'module', 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SET ROLE trial_owner;
SELECT ok, reversibility FROM module_versioning.rehearse_migration(:'module', 'SELECT 1', 'SELECT 1');
RESET ROLE;
SELECT ok FROM module_versioning.rehearse_migration(:'module', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT ok FROM module_versioning.rehearse_migration(NULL, 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SELECT ok FROM module_versioning.rehearse_migration('00000000-0000-0000-0000-000000000001', 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SELECT ok, error_message FROM module_versioning.rehearse_migration(:'module', format('SELECT module_versioning.rehearse_migration(%L, ''SELECT 1'')', :'module'));

\echo -- a module of the schema layout that no site has yet
SELECT id AS own FROM module_versioning.register_module('trial-own', isolation => 'schema', owner_role => 'trial_owner') \gset
SELECT id AS site FROM module_versioning.register_site('trial-site') \gset
SELECT ok, schema_restored, reversibility, suggested_bump FROM module_versioning.rehearse_migration(:'own', 'CREATE TABLE t (id int)', 'DROP TABLE t', :'site');
SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'trial-own%' OR nspname LIKE 'trial_own%';
DROP SCHEMA trial CASCADE;
