-- What is dropped and made again under the same name: the schema is as before, the values are gone. It demands a major
-- step, unless the script may have moved the values elsewhere before.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
\pset null '-'
SET client_min_messages = warning;
CREATE ROLE moved_owner NOLOGIN;
SELECT count(*) FROM module_versioning.register_module('moved', schema_name => 'moved', owner_role => 'moved_owner');
CREATE TEMP TABLE step (version text, up text);
INSERT INTO step VALUES
    ('1.0.0', 'CREATE TABLE t (id int PRIMARY KEY, b text, c int); CREATE TABLE u (id int); CREATE TABLE "U.v" (id int); CREATE SEQUENCE s; CREATE TABLE log (x text); CREATE TYPE e AS ENUM (''a''); CREATE VIEW v AS SELECT id FROM t'),
    -- Lost.
    ('1.0.1', 'ALTER TABLE t DROP COLUMN b; ALTER TABLE t ADD COLUMN b text'),
    ('1.0.2', 'ALTER TABLE t DROP COLUMN b, ADD COLUMN b text'),
    ('1.0.3', 'DROP TABLE u; CREATE TABLE u (id int)'),
    ('1.0.4', 'DROP TABLE "U.v"; CREATE TABLE "U.v" (id int)'),
    ('1.0.5', 'DROP SEQUENCE s; CREATE SEQUENCE s'),
    ('1.0.6', 'DO $do$ BEGIN EXECUTE $$ALTER TABLE t DROP b, ADD b text$$; END $do$'),
    ('1.0.7', 'INSERT INTO log VALUES (''b goes''); UPDATE t SET c = 1; SELECT count(b) FROM t; CREATE VIEW w AS SELECT b FROM t; DROP VIEW w; ALTER TABLE t DROP b, ADD b text'),
    ('1.0.8', 'ALTER TABLE t DROP b, ADD b text; UPDATE t SET b = coalesce(b, ''late'')'),
    ('1.0.9', 'INSERT INTO log SELECT id::text FROM u; ALTER TABLE t DROP b, ADD b text'),
    -- Perhaps moved before.
    ('1.1.0', 'CREATE TABLE archive AS SELECT id, b FROM t; ALTER TABLE t DROP b, ADD b text'),
    ('1.1.1', 'INSERT INTO log SELECT t.b FROM t; ALTER TABLE t DROP b, ADD b text'),
    ('1.1.2', 'INSERT INTO log SELECT to_jsonb(t)::text FROM t; ALTER TABLE t DROP b, ADD b text'),
    ('1.1.3', 'WITH moved AS (INSERT INTO log SELECT b FROM t RETURNING x) SELECT count(*) FROM moved; ALTER TABLE t DROP b, ADD b text'),
    ('1.1.4', 'ALTER TABLE t ADD n text; UPDATE t SET n = b; ALTER TABLE t DROP b; ALTER TABLE t RENAME n TO b'),
    ('1.1.5', 'ALTER TABLE t ADD n text GENERATED ALWAYS AS (b) STORED; ALTER TABLE t ALTER n DROP EXPRESSION; ALTER TABLE t DROP b; ALTER TABLE t RENAME n TO b'),
    ('1.1.6', 'DO $do$ BEGIN INSERT INTO log SELECT b FROM t; END $do$; ALTER TABLE t DROP b, ADD b text'),
    ('1.1.7', 'ALTER TABLE t RENAME TO tt; INSERT INTO log SELECT b FROM tt; ALTER TABLE tt DROP b, ADD b text; ALTER TABLE tt RENAME TO t'),
    ('1.1.8', 'MERGE INTO log USING t ON false WHEN NOT MATCHED THEN INSERT VALUES (b); ALTER TABLE t DROP b, ADD b text'),
    -- Nothing there to be lost.
    ('1.1.9', 'DROP VIEW v; CREATE VIEW v AS SELECT id FROM t'),
    ('1.1.10', 'DROP TABLE IF EXISTS fresh; CREATE TABLE fresh (id int); DROP TABLE fresh'),
    ('1.1.11', 'ALTER TABLE t ADD n int; ALTER TABLE t DROP n');
CREATE FUNCTION pg_temp.publish(slug text, step step) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; m uuid := module_versioning.module_id(slug); v uuid;
BEGIN
    v := (module_versioning.create_version(m, step.version::module_versioning.semver)).id;
    PERFORM module_versioning.add_migration(m, step.version::module_versioning.semver, step.up, 'SELECT 1');
    PERFORM module_versioning.publish_version(v);
    RETURN 'published';
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN replace(detail, E'\n', ' ');
END $$;
SET module_versioning.version_policy TO 'enforce';
SELECT version, pg_temp.publish('moved', step) FROM step;
\echo -- The same, recorded.
SET module_versioning.version_policy TO 'off';
SELECT count(*) FROM module_versioning.register_module('moved-recorded', schema_name => 'moved_recorded', owner_role => 'moved_owner');
SELECT count(*) FROM step WHERE pg_temp.publish('moved-recorded', step) = 'published';
SELECT to_version, suggested_bump, reversibility FROM module_versioning.module_migrations WHERE module_id = module_versioning.module_id('moved-recorded') ORDER BY sequence;
RESET module_versioning.version_policy;
