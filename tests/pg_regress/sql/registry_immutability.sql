-- The migrations of a version are part of what is published: no way to change them, for whoever asks.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET search_path = module_versioning, pg_catalog;
SET client_min_messages = warning;

SELECT id AS shop FROM register_module('ri-shop') \gset
SELECT id AS blog FROM register_module('ri-blog') \gset
SELECT id AS v1 FROM create_version(:'shop', '1.0.0') \gset
SELECT id AS v2 FROM create_version(:'shop', '2.0.0') \gset
SELECT id AS none FROM create_version(:'shop', '3.0.0') \gset
SELECT id AS m1 FROM add_migration(:'shop', '1.0.0', 'CREATE TABLE a (x int)', 'DROP TABLE a', sequence => 1) \gset
SELECT id AS m2 FROM add_migration(:'shop', '2.0.0', 'CREATE TABLE b (x int)', sequence => 2) \gset

-- A draft's migrations may be changed as one likes.
UPDATE module_migrations SET description = 'first' WHERE id = :'m1';
SELECT status, migrations_hash IS NOT NULL AS hashed FROM publish_version(:'v1');
SELECT status, migrations_hash IS NOT NULL AS hashed FROM publish_version(:'none');

-- add_migration says so; what is there already stays an answer.
SELECT sequence FROM add_migration(:'shop', '1.0.0', 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SELECT sequence FROM add_migration(:'shop', '3.0.0', 'SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SELECT sequence FROM add_migration(:'shop', '1.0.0', 'CREATE TABLE a (x int)', 'DROP TABLE a', sequence => 1);

-- Every column, every way.
UPDATE module_migrations SET up_sql = 'SELECT 1' WHERE id = :'m1';
\echo :LAST_ERROR_SQLSTATE
UPDATE module_migrations SET description = 'other' WHERE id = :'m1';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM module_migrations WHERE id = :'m1';
\echo :LAST_ERROR_SQLSTATE
-- Away from it, to it, to another module's, and by another spelling of the number.
UPDATE module_migrations SET to_version = '2.0.0' WHERE id = :'m1';
\echo :LAST_ERROR_SQLSTATE
UPDATE module_migrations SET to_version = '1.0.0+build' WHERE id = :'m2';
\echo :LAST_ERROR_SQLSTATE
UPDATE module_migrations SET module_id = :'blog' WHERE id = :'m1';
\echo :LAST_ERROR_SQLSTATE
INSERT INTO module_migrations (module_id, to_version, up_sql, is_reversible, sequence, scope, checksum)
VALUES (:'shop', '1.0.0', 'SELECT 1', false, 9, 'shared', 'x');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO module_migrations (module_id, to_version, up_sql, is_reversible, sequence, scope, checksum, created_at)
VALUES (:'shop', '3.0.0+early', 'SELECT 1', false, 9, 'shared', 'x', '2000-01-01');
\echo :LAST_ERROR_SQLSTATE
SET session_replication_role = replica;
DELETE FROM module_migrations WHERE id = :'m1';
\echo :LAST_ERROR_SQLSTATE
INSERT INTO module_migrations (module_id, to_version, up_sql, is_reversible, sequence, scope, checksum)
VALUES (:'shop', '1.0.0', 'SELECT 1', false, 9, 'shared', 'x');
\echo :LAST_ERROR_SQLSTATE
RESET session_replication_role;
-- (Which version it names depends on what else there is.)
\set VERBOSITY sqlstate
TRUNCATE module_migrations CASCADE;
\set VERBOSITY default
-- The hash is what the database made of it, whatever somebody writes.
UPDATE registered_versions SET migrations_hash = repeat('0', 64) WHERE id = :'v1';
\echo :LAST_ERROR_SQLSTATE
UPDATE registered_versions SET migrations_hash = repeat('0', 64) WHERE id = :'v2';
UPDATE registered_versions SET status = 'published', published_at = now(), migrations_hash = repeat('0', 64) WHERE id = :'v2';
SELECT version, migrations_hash = _migrations_hash(module_id, version) AS true_hash FROM registered_versions WHERE id IN (:'v1', :'v2') ORDER BY version;
-- Withdrawn is published once, too.
SELECT status FROM deprecate_version(:'v1');
DELETE FROM module_migrations WHERE id = :'m1';
\echo :LAST_ERROR_SQLSTATE
SELECT status FROM yank_version(:'v1', 'test');
UPDATE module_migrations SET sequence = 17 WHERE id = :'m1';
\echo :LAST_ERROR_SQLSTATE

-- A draft may take another number; its migrations may follow.
SELECT id AS draft FROM create_version(:'blog', '1.0.0') \gset
SELECT id AS moved FROM add_migration(:'blog', '1.0.0', 'SELECT 1') \gset
UPDATE registered_versions SET version = '1.1.0' WHERE id = :'draft';
UPDATE module_migrations SET to_version = '1.1.0' WHERE id = :'moved';
SELECT status, migrations_hash IS NOT NULL AS hashed FROM publish_version(:'draft');
UPDATE module_migrations SET to_version = '1.2.0' WHERE id = :'moved';
\echo :LAST_ERROR_SQLSTATE

-- What a restored dump brings: published versions and their migrations, in either order and in one piece.
BEGIN;
CREATE TEMPORARY TABLE kept_versions AS SELECT * FROM registered_versions WHERE id = :'draft';
CREATE TEMPORARY TABLE kept_migrations AS SELECT * FROM module_migrations WHERE id = :'moved';
ALTER TABLE module_migrations DISABLE TRIGGER USER;
ALTER TABLE registered_versions DISABLE TRIGGER USER;
DELETE FROM module_migrations WHERE id = :'moved';
DELETE FROM registered_versions WHERE id = :'draft';
ALTER TABLE module_migrations ENABLE ALWAYS TRIGGER protect_published;
ALTER TABLE module_migrations ENABLE ALWAYS TRIGGER protect_published_additions;
ALTER TABLE registered_versions ENABLE ALWAYS TRIGGER protect_published;
ALTER TABLE registered_versions ENABLE ALWAYS TRIGGER protect_published_additions;
SAVEPOINT nothing_there;
INSERT INTO module_migrations SELECT * FROM kept_migrations;
INSERT INTO registered_versions (id, module_id, version, status, migrations_hash) SELECT id, module_id, version, status, migrations_hash FROM kept_versions;
ROLLBACK TO nothing_there;
INSERT INTO registered_versions (id, module_id, version, status, migrations_hash) SELECT id, module_id, version, status, migrations_hash FROM kept_versions;
INSERT INTO module_migrations SELECT * FROM kept_migrations;
ROLLBACK TO nothing_there;
-- But not others than were published.
INSERT INTO registered_versions (id, module_id, version, status, migrations_hash) SELECT id, module_id, version, status, migrations_hash FROM kept_versions;
UPDATE kept_migrations SET up_sql = 'SELECT 2';
INSERT INTO module_migrations SELECT * FROM kept_migrations;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO nothing_there;
UPDATE kept_migrations SET up_sql = 'SELECT 2';
INSERT INTO module_migrations SELECT * FROM kept_migrations;
INSERT INTO registered_versions (id, module_id, version, status, migrations_hash) SELECT id, module_id, version, status, migrations_hash FROM kept_versions;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- Nor by way of another table.
TRUNCATE modules CASCADE;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO module_migrations SELECT * FROM module_migrations WHERE id = :'m1' ON CONFLICT (id) DO UPDATE SET up_sql = 'SELECT 3';
\echo :LAST_ERROR_SQLSTATE
-- A role that may write the table is held to the same.
CREATE ROLE ri_writer NOLOGIN;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_migrations, registered_versions TO ri_writer;
SET ROLE ri_writer;
UPDATE module_migrations SET up_sql = 'SELECT 3' WHERE id = :'m1';
\echo :LAST_ERROR_SQLSTATE
UPDATE registered_versions SET release_notes = 'by the writer' WHERE id = :'v1';
INSERT INTO registered_versions (module_id, version) VALUES (:'shop', '4.0.0');
UPDATE registered_versions SET status = 'published', published_at = now() WHERE module_id = :'shop' AND version = '4.0.0'::semver;
RESET ROLE;
REVOKE ALL ON module_migrations, registered_versions FROM ri_writer;
DROP ROLE ri_writer;
