-- What snapshots and restores are asked that can't be meant, and damage that stands in nobody's way.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE SCHEMA snap_arguments;
CREATE TABLE snap_arguments.good (id int PRIMARY KEY, site_id uuid NOT NULL, body text);
CREATE TABLE snap_arguments.bad (id int PRIMARY KEY, site_id uuid NOT NULL, body text);
SELECT id AS site FROM module_versioning.register_site('snap-arguments') \gset
SELECT id AS module FROM module_versioning.register_module('snap-arguments', schema_name => 'snap_arguments') \gset
SELECT count(module_versioning.register_module_table(:'module', t)) FROM unnest(ARRAY['snap_arguments.good', 'snap_arguments.bad']::regclass[]) t;
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'module');
INSERT INTO snap_arguments.good SELECT g, :'site', 'good ' || g FROM generate_series(1, 10) g;
INSERT INTO snap_arguments.bad SELECT g, :'site', 'bad ' || g FROM generate_series(1, 10) g;

-- For how long a snapshot is kept.
SELECT module_versioning.snapshot_module_data(:'site', :'module', expires_in => '-1 day');
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.snapshot_module_data(:'site', :'module', expires_in => '0');
\echo :LAST_ERROR_SQLSTATE
SET IntervalStyle = 'sql_standard';
SELECT module_versioning.snapshot_module_data(:'site', :'module', expires_in => '-1 mons +3 days');
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.snapshot_module_data(:'site', :'module', expires_in => '500000 years');
\echo :LAST_ERROR_SQLSTATE
SELECT expires_at - created_at BETWEEN '2 days 20:59:00' AND '2 days 21:01:00' AS soon
FROM module_versioning.snapshot_module_data(:'site', :'module', expires_in => '3 days -3 hours');
RESET IntervalStyle;
SELECT expires_at - created_at BETWEEN '29 days' AND '31 days' AS as_usual FROM module_versioning.snapshot_module_data(:'site', :'module', expires_in => NULL);
SELECT expires_at > '5000-01-01' AS late, id AS backup FROM module_versioning.snapshot_module_data(:'site', :'module', expires_in => '5000 years') \gset
\echo :late

-- Which tables are restored.
SELECT * FROM module_versioning.restore_module_data(:'backup', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['good', NULL]);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['good', 'snap_arguments.bad']);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['Good'], create_backup => false);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['good', 'good'], create_backup => false);
SELECT count(*) AS no_more_snapshots FROM module_versioning.list_snapshots(:'site');

-- A chunk of one table is damaged: the other table can be restored by name, it can not.
DELETE FROM snap_arguments.good WHERE id > 5;
DELETE FROM snap_arguments.bad WHERE id > 5;
CREATE FUNCTION pg_temp.chunk(backup uuid, table_name text) RETURNS bytea LANGUAGE sql AS $$
    SELECT decode(t -> 'chunks' -> 0 ->> 'hash', 'hex')
    FROM module_versioning_data.snapshots s, json_array_elements(s.manifest::json -> 'tables') t
    WHERE s.id = backup AND t ->> 'name' = table_name $$;
CREATE FUNCTION pg_temp.attempt(backup uuid, tables text[]) RETURNS TABLE (state text, message text, hint text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT table_name, rows_restored::text, rows_kept::text FROM module_versioning.restore_module_data(backup, tables, create_backup => false);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    message := regexp_replace(message, '[0-9a-f]{64}', '<hash>');
    RETURN NEXT;
END $$;
BEGIN;
UPDATE module_versioning_data.chunks SET content = set_bit(content, 99, 1 - get_bit(content, 99)) WHERE hash = pg_temp.chunk(:'backup', 'bad');
SELECT table_name, ok, regexp_replace(error, '[0-9a-f]{64}', '<hash>') AS error FROM module_versioning.verify_snapshot(:'backup');
SELECT * FROM pg_temp.attempt(:'backup', NULL);
SELECT * FROM pg_temp.attempt(:'backup', ARRAY['good', 'bad']);
SELECT * FROM pg_temp.attempt(:'backup', ARRAY['bad']);
SELECT * FROM pg_temp.attempt(:'backup', ARRAY['good']);
ROLLBACK;
-- A chunk that is gone, or that is not kept for the snapshot.
BEGIN;
DELETE FROM module_versioning_data.snapshot_chunks WHERE chunk_hash = pg_temp.chunk(:'backup', 'bad');
SELECT bool_or(ok) FROM module_versioning.verify_snapshot(:'backup');
SELECT * FROM pg_temp.attempt(:'backup', ARRAY['bad']);
DELETE FROM module_versioning_data.chunks WHERE hash = pg_temp.chunk(:'backup', 'bad');
SELECT * FROM pg_temp.attempt(:'backup', ARRAY['bad']);
SELECT * FROM pg_temp.attempt(:'backup', ARRAY['good']);
ROLLBACK;
-- A damaged manifest is every table's.
BEGIN;
UPDATE module_versioning_data.snapshots SET manifest = replace(manifest, '"bad"', '"mad"') WHERE id = :'backup';
SELECT * FROM pg_temp.attempt(:'backup', ARRAY['good']);
ROLLBACK;
SELECT count(*) FILTER (WHERE id > 5) FROM snap_arguments.good;

-- A transaction that may only read says so, before anything is done.
SELECT id AS draft FROM module_versioning.create_version(:'module', '1.1.0') \gset
BEGIN READ ONLY;
SELECT * FROM module_versioning.restore_module_data(:'backup');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
CREATE FUNCTION pg_temp.read_only(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; message text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RETURN CASE WHEN message LIKE '%can''t be changed in a read-only transaction' AND hint LIKE '%BEGIN READ WRITE%' THEN state ELSE concat_ws(': ', state, message) END;
END $$;
BEGIN READ ONLY;
SELECT call, pg_temp.read_only(format('SELECT module_versioning.' || call, :'site', :'module', :'draft', :'backup'))
FROM unnest(ARRAY['snapshot_module_data(%1$L, %2$L)', 'restore_module_data(%4$L, ARRAY[''good''], false)', 'publish_version(%3$L)', 'rehearse_upgrade(%1$L, %2$L)',
    'rehearse_rollback(%1$L, %2$L, ''1.0.0'')', 'rehearse_migration(%2$L, ''SELECT 1'')', 'upgrade_module(%1$L, %2$L)', 'rollback_module(%1$L, %2$L, ''1.0.0'')',
    'uninstall_module(%1$L, %2$L)', 'delete_snapshot(%4$L)', 'expire_snapshots()', 'import_snapshot(''/nowhere/at/all'')',
    'register_site(''snap-read-only'')', 'register_module(''snap-read-only'')', 'create_version(%2$L, ''1.2.0'')', 'add_migration(%2$L, ''1.1.0'', ''SELECT 1'')',
    'create_rollout(%2$L, ''1.0.0'')']) call;
ROLLBACK;
SET default_transaction_read_only = on;
SELECT module_versioning.snapshot_module_data(:'site', :'module');
\echo :LAST_ERROR_SQLSTATE
-- An export writes no table.
SELECT regexp_replace(current_setting('data_directory'), '[^/]*$', '') || 'snap_arguments_' || md5(random()::text) AS folder \gset
SELECT jsonb_array_length(module_versioning.export_snapshot(:'backup', :'folder') -> 'files') AS files;
RESET default_transaction_read_only;
DROP SCHEMA snap_arguments CASCADE;

-- Restoring depends on no setting either: NULL in an array is one, names are quoted as ever, foreign keys are checked.
CREATE SCHEMA snap_settings;
CREATE TYPE snap_settings.mood AS ENUM ('glad', 'sad');
CREATE TABLE snap_settings.parent (id int PRIMARY KEY, site_id uuid NOT NULL, moods snap_settings.mood[], relation regclass);
CREATE TABLE snap_settings.child (id int PRIMARY KEY, site_id uuid NOT NULL, parent int REFERENCES snap_settings.parent);
SELECT id AS module FROM module_versioning.register_module('snap-settings', schema_name => 'snap_settings') \gset
SELECT count(module_versioning.register_module_table(:'module', t)) FROM unnest(ARRAY['snap_settings.parent', 'snap_settings.child']::regclass[]) t;
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'module');
INSERT INTO snap_settings.parent SELECT g, :'site', '{glad,NULL}', 'snap_settings.child' FROM generate_series(1, 3) g;
INSERT INTO snap_settings.child SELECT g, :'site', g FROM generate_series(1, 3) g;
SELECT id AS backup FROM module_versioning.snapshot_module_data(:'site', :'module') \gset
SET quote_all_identifiers = on;
SELECT * FROM module_versioning.diff_snapshot(:'backup');
RESET quote_all_identifiers;
SET array_nulls = off;
UPDATE snap_settings.parent SET moods = NULL;
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['parent'], create_backup => false);
RESET array_nulls;
SELECT DISTINCT moods FROM snap_settings.parent;
SET session_replication_role = replica;
DELETE FROM snap_settings.parent WHERE id = 1;
DELETE FROM snap_settings.child;
SELECT * FROM module_versioning.restore_module_data(:'backup', ARRAY['child'], create_backup => false);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
RESET session_replication_role;
DROP SCHEMA snap_settings CASCADE;

-- A table that its owner may not change is named, with the rights that are missing.
CREATE ROLE snap_rights_owner NOLOGIN;
CREATE SCHEMA snap_rights AUTHORIZATION snap_rights_owner;
SET ROLE snap_rights_owner;
CREATE TABLE snap_rights.log (id int PRIMARY KEY, site_id uuid NOT NULL, body text);
RESET ROLE;
SELECT id AS module FROM module_versioning.register_module('snap-rights', schema_name => 'snap_rights') \gset
SELECT count(module_versioning.register_module_table(:'module', 'snap_rights.log'));
SELECT id AS version_id FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT status FROM module_versioning.publish_version(:'version_id');
SELECT status FROM module_versioning.install_module(:'site', :'module');
INSERT INTO snap_rights.log SELECT g, :'site', 'entry ' || g FROM generate_series(1, 3) g;
SELECT id AS backup FROM module_versioning.snapshot_module_data(:'site', :'module') \gset
REVOKE DELETE ON snap_rights.log FROM snap_rights_owner;
INSERT INTO snap_rights.log VALUES (4, :'site', 'entry 4');
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
\echo :LAST_ERROR_SQLSTATE
REVOKE UPDATE, TRUNCATE ON snap_rights.log FROM snap_rights_owner;
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
REVOKE SELECT ON snap_rights.log FROM snap_rights_owner;
SELECT * FROM module_versioning.diff_snapshot(:'backup');
SELECT id FROM module_versioning.snapshot_module_data(:'site', :'module');
\echo :LAST_ERROR_SQLSTATE
GRANT ALL ON snap_rights.log TO snap_rights_owner;
SELECT * FROM module_versioning.restore_module_data(:'backup', create_backup => false);
-- What has its name now doesn't hide what the snapshot holds.
ALTER TABLE snap_rights.log RENAME TO log_rows;
CREATE VIEW snap_rights.log AS SELECT * FROM snap_rights.log_rows;
SELECT r - 'site_id' AS r FROM module_versioning.snapshot_rows(:'backup', 'log') r;
DROP SCHEMA snap_rights CASCADE;
