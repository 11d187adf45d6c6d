-- Snapshots: the readers that need no more than SQL, and what each function does.

CREATE FUNCTION module_versioning.list_snapshots(site_id uuid DEFAULT NULL, module_id uuid DEFAULT NULL)
RETURNS SETOF module_versioning.module_data_backups
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT b.* FROM module_versioning.module_data_backups b
    WHERE (list_snapshots.site_id IS NULL OR b.site_id OPERATOR(pg_catalog.=) list_snapshots.site_id)
      AND (list_snapshots.module_id IS NULL OR b.module_id OPERATOR(pg_catalog.=) list_snapshots.module_id)
    ORDER BY b.ordinal DESC
$$;
COMMENT ON FUNCTION module_versioning.list_snapshots(uuid, uuid) IS
'Lists the snapshots, newest first.
site_id, module_id: only those of this site, of this module; NULL for all.';

CREATE FUNCTION module_versioning.snapshot_rows(backup_id uuid, table_name text)
RETURNS SETOF jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r::pg_catalog.jsonb FROM module_versioning._snapshot_rows(backup_id, table_name) AS r
$$;
COMMENT ON FUNCTION module_versioning.snapshot_rows(uuid, text) IS
'Shows the rows of one table of a snapshot as JSON.
backup_id: the snapshot; table_name: the table as the snapshot names it (verify_snapshot lists them).
Errors: 42704 no such snapshot, or no such table in it; XX001 the snapshot is damaged.
Types and domains of the columns run as the table''s owner. Takes ACCESS SHARE on the table while it is there.';

COMMENT ON FUNCTION module_versioning._snapshot_rows(uuid, text) IS
'Internal: the rows that snapshot_rows returns, as JSON text.';

-- Declared by hand, for an argument named type is a keyword in Rust.
CREATE FUNCTION module_versioning.snapshot_module_data(
    site_id uuid, module_id uuid, type text DEFAULT 'manual', expires_in interval DEFAULT '30 days', created_by uuid DEFAULT NULL
) RETURNS module_versioning.module_data_backups
LANGUAGE c VOLATILE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'snapshot_module_data_wrapper';
COMMENT ON FUNCTION module_versioning.snapshot_module_data(uuid, uuid, text, interval, uuid) IS
'Takes a snapshot of a site''s data of a module.
type: manual, auto, pre_upgrade or pre_rollback; expires_in: for how long it is kept, 30 days when NULL; created_by: who asked for it.
Returns the snapshot''s row: size_bytes are the rows uncompressed, stored_bytes what the snapshot added to the store.
All tables are read with one view of the database, as the owner of each, under fixed settings.
Errors: 42704 unknown site or module, or a table is gone; 55000 not installed; 22023 an unknown type, or an expires_in that is not more than zero;
0A000 a view or foreign table, large objects, values that the server takes from nobody (pg_node_tree); 25006 the transaction is read-only;
42501 row-level security would hide rows; 55P03 a table''s definition is being changed.
Locks: the installation''s row, ACCESS SHARE on the tables.';

COMMENT ON FUNCTION module_versioning.verify_snapshot(uuid) IS
'Hashes every byte of a snapshot again and says, by table, whether it is what was written.
expected_rows: as written; actual_rows: in chunks that are intact; error: what is wrong, NULL when nothing is.
A damaged manifest shows in every table. Errors: 42704 no such snapshot. Takes no locks on the tables.';

COMMENT ON FUNCTION module_versioning.restore_module_data(uuid, text[], boolean, uuid) IS
'Makes a site''s rows equal a snapshot''s exactly, writing only rows that differ.
tables: only these, NULL for all; create_backup: take a snapshot (type auto) of the same tables first; executed_by: who asked for it.
Returns, by table, rows inserted or changed, rows deleted, rows that were the same already.
What is to be restored is verified before anything is touched: damage in other tables of the snapshot stands in nobody''s way. User triggers and rules don''t act, foreign keys are checked at the end,
generated columns are computed, sequences put back (one that sites share never moves backwards). Columns that came since keep their values, or get their defaults in new rows.
Errors: 22023 tables names none; 42704 no such snapshot or table in it; XX001 what is to be restored, or the manifest, is damaged; 55000 the tables changed so that they can''t take the rows;
2BP01 a deletion would reach rows outside the snapshot; 23505, 23503, 23514 what the tables'' constraints say; 55P03 busy. Nothing is changed then.
Locks the installation''s row, then the tables SHARE ROW EXCLUSIVE: readers go on, other writers wait. Tables with rules: ACCESS EXCLUSIVE.';

COMMENT ON FUNCTION module_versioning.diff_snapshot(uuid) IS
'Compares a site''s live rows with a snapshot, in the columns that both have.
Returns, by table, rows inserted, updated and deleted since the snapshot, and rows that are the same.
Rows are matched by primary key; without one, a changed row counts as one deleted and one inserted.
Errors: 42704 no such snapshot; XX001 it is damaged; 55000 a table is gone, or a column''s type does not take the snapshot''s values; 42501 the table''s owner may not be acted as. Takes ACCESS SHARE on the tables.';

COMMENT ON FUNCTION module_versioning.delete_snapshot(uuid, boolean) IS
'Deletes a snapshot and returns the bytes freed: chunks that other snapshots share stay.
force: also one that a rollback point needs, or going up again after a rollback; what the upgrade or rollback destroyed is then gone for good.
Errors: 42704 no such snapshot; 55000 a rollback point or going up again needs it; 55P03 a change uses it.
Locks the snapshot''s row.';

COMMENT ON FUNCTION module_versioning.expire_snapshots() IS
'Deletes the snapshots whose expires_at has passed, save those that a rollback point or going up again after a rollback needs, expired or not.
Returns each with the bytes freed. One that somebody uses or deletes is passed over.';

COMMENT ON FUNCTION module_versioning.snapshot_chunks(uuid, text) IS
'Hands out one table of a snapshot: the results one after the other are a file for COPY FROM (FORMAT binary).
backup_id: the snapshot; table_name: the table as the snapshot names it. Every byte is checked on the way, at most 64 MiB come at once.
Errors: 42704 no such snapshot, or no such table in it; XX001 the snapshot is damaged. Takes no locks on the tables.';

COMMENT ON FUNCTION module_versioning.export_snapshot(uuid, text, boolean) IS
'Writes a snapshot as files into a folder on the database server: metadata.json, and table.copy for each table.
directory: an absolute path, new or empty, outside the data directory; compress: table.copy.zst instead. Returns what was written, with the root hash.
Each file is one for COPY FROM (FORMAT binary). The folder appears when all is on disk; its files belong to the server''s account alone.
Errors: 42501 the caller is no member of pg_write_server_files; 22023 the directory can''t be used; 42704 no such snapshot; XX001 it is damaged; 58030 the system refuses.';

COMMENT ON FUNCTION module_versioning.import_snapshot(text) IS
'Takes a folder that export_snapshot wrote back into the list of snapshots, and returns its row. It is kept until it is deleted.
directory: the folder on the database server. Site and module must be registered under the ids they had.
Errors: 42501 the caller is no member of pg_read_server_files; 22023 no directory; 42704 site or module is not registered here;
23505 this export was imported already; XX001 a file is missing, altered, cut, longer, or none of the export''s; 58030 the system refuses.';
