-- What stands in the way of a snapshot or a restore is named, with the way out; and sequences that no column owns
-- belong to a snapshot.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE ROLE snap_obst_owner NOLOGIN;
SELECT id AS site_a FROM module_versioning.register_site('snap-obst-a', id => '00000000-0000-4000-8000-00000000ab01') \gset
SELECT id AS site_b FROM module_versioning.register_site('snap-obst-b') \gset
SELECT id AS module FROM module_versioning.register_module('snap-obst', schema_name => 'snap_obst', owner_role => 'snap_obst_owner') \gset
CREATE SCHEMA IF NOT EXISTS snap_obst;
ALTER SCHEMA snap_obst OWNER TO snap_obst_owner;
SET ROLE snap_obst_owner;
CREATE SEQUENCE snap_obst.numbers;
CREATE TABLE snap_obst.parent (id int PRIMARY KEY, site_id uuid NOT NULL);
CREATE TABLE snap_obst.child (id int PRIMARY KEY DEFAULT nextval('snap_obst.numbers'), site_id uuid NOT NULL,
    parent int REFERENCES snap_obst.parent, n int);
CREATE TABLE snap_obst.xref (id int PRIMARY KEY, site_id uuid NOT NULL);
RESET ROLE;
SELECT count(module_versioning.register_module_table(:'module', ('snap_obst.' || t)::regclass)) FROM unnest(ARRAY['parent', 'child', 'xref']) t;
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site_a', :'module');
SELECT status FROM module_versioning.install_module(:'site_b', :'module');
INSERT INTO snap_obst.parent SELECT g, :'site_a' FROM generate_series(1, 3) g;
INSERT INTO snap_obst.child (site_id, parent, n) SELECT :'site_a', g, g FROM generate_series(1, 3) g;
INSERT INTO snap_obst.xref VALUES (1, :'site_a');
SELECT id AS backup FROM module_versioning.snapshot_module_data(:'site_a', :'module') \gset

-- A sequence that a default uses: it comes along, and moves on only.
ALTER SEQUENCE snap_obst.numbers RESTART;
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
SELECT last_value, is_called FROM snap_obst.numbers;
SELECT setval('snap_obst.numbers', 50);
SELECT count(*) FROM module_versioning.restore_module_data(:'backup', create_backup => false);
SELECT last_value, is_called FROM snap_obst.numbers;

-- A row that went to another site keeps its key there.
UPDATE snap_obst.xref SET site_id = :'site_b';
SELECT * FROM module_versioning.restore_module_data(:'backup');
\echo :LAST_ERROR_SQLSTATE
UPDATE snap_obst.xref SET site_id = :'site_a';
-- Children without their parents.
DELETE FROM snap_obst.child;
DELETE FROM snap_obst.parent WHERE id = 1;
SELECT * FROM module_versioning.restore_module_data(:'backup', tables => '{child}');
\echo :LAST_ERROR_SQLSTATE
-- A check that came since.
ALTER TABLE snap_obst.child ADD CONSTRAINT small CHECK (n < 3);
SELECT * FROM module_versioning.restore_module_data(:'backup');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE snap_obst.child DROP CONSTRAINT small;
SELECT count(*) FROM module_versioning.restore_module_data(:'backup');

-- A table that is gone: with a backup first or without, the answer is the same.
ALTER TABLE snap_obst.xref RENAME TO xref_old;
SELECT * FROM module_versioning.restore_module_data(:'backup');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.diff_snapshot(:'backup');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.snapshot_module_data(:'site_a', :'module');
\echo :LAST_ERROR_SQLSTATE
-- The way out that the hint tells.
DELETE FROM module_versioning.module_tables WHERE module_id = module_versioning.module_id('snap-obst') AND table_name = 'xref';
SELECT table_name FROM module_versioning.register_module_table(:'module', 'snap_obst.xref_old');
SELECT table_counts FROM module_versioning.snapshot_module_data(:'site_a', :'module');

-- In a schema of the site's own, all sequences belong to it.
SELECT id AS own FROM module_versioning.register_module('snap-obst-own', isolation => 'schema', schema_name => 'snap_obst_own', owner_role => 'snap_obst_owner') \gset
SELECT id AS version_id FROM module_versioning.create_version(:'own', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site_a', :'own');
SELECT schema_name AS home FROM module_versioning.site_modules WHERE module_id = :'own' \gset
SET search_path = :"home", pg_catalog;
SET ROLE snap_obst_owner;
CREATE SEQUENCE tickets START 100;
CREATE SEQUENCE fresh;
CREATE TABLE ticket (id int PRIMARY KEY DEFAULT nextval('tickets'), serial serial);
INSERT INTO ticket SELECT FROM generate_series(1, 3);
RESET ROLE;
SELECT id AS backup FROM module_versioning.snapshot_module_data(:'site_a', :'own') \gset
SELECT nextval('tickets') > 0 AND nextval('fresh') > 0 AS went_on;
SELECT count(*) FROM module_versioning.restore_module_data(:'backup', tables => '{ticket}');
SELECT last_value, is_called FROM tickets;
SELECT count(*) FROM module_versioning.restore_module_data(:'backup');
SELECT last_value, is_called FROM tickets;
SELECT last_value, is_called FROM fresh;
-- The snapshot taken before a restore has them too.
SELECT setval('fresh', 77);
SELECT count(*) FROM module_versioning.restore_module_data(:'backup');
SELECT id AS automatic FROM module_versioning.list_snapshots(:'site_a', :'own') WHERE type = 'auto' ORDER BY created_at DESC LIMIT 1 \gset
SELECT count(*) FROM module_versioning.restore_module_data(:'automatic');
SELECT last_value, is_called FROM fresh;
SELECT bool_and(ok) FROM module_versioning.verify_snapshot(:'automatic');
RESET search_path;
DROP SCHEMA :"home" CASCADE;
DROP SCHEMA snap_obst CASCADE;
