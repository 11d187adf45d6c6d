-- Taking a module of the row layout off a site: its rows go, the tables and the other sites' rows stay.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages TO warning;
CREATE ROLE uninstall_owner NOLOGIN;

SELECT id AS module FROM module_versioning.register_module('uninstall', owner_role => 'uninstall_owner') \gset
SELECT id AS north FROM module_versioning.register_site('uninstall-north') \gset
SELECT id AS south FROM module_versioning.register_site('uninstall-south') \gset
SELECT id AS v1 FROM module_versioning.create_version(:'module', '1.0.0') \gset
SELECT sequence FROM module_versioning.add_migration(:'module', '1.0.0', $$
    CREATE TABLE account (id int PRIMARY KEY, site_id uuid NOT NULL);
    CREATE TABLE booking (id int PRIMARY KEY, site_id uuid NOT NULL, account int NOT NULL REFERENCES account DEFERRABLE,
                          reverses int REFERENCES booking);
    CREATE TABLE currency (code text PRIMARY KEY);
    ALTER TABLE booking ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
$$);
SELECT sequence FROM module_versioning.add_migration(:'module', '1.0.0',
    'INSERT INTO account VALUES (100 + (SELECT count(*) FROM account), module_versioning.current_site_id())', scope => 'site');
SELECT status FROM module_versioning.publish_version(:'v1');
SELECT status FROM module_versioning.install_module(:'north', :'module');
SELECT status FROM module_versioning.install_module(:'south', :'module');
INSERT INTO uninstall.currency VALUES ('EUR');
INSERT INTO uninstall.account VALUES (1, :'north'), (2, :'south');
INSERT INTO uninstall.booking VALUES (1, :'north', 1, NULL), (2, :'north', 1, 1), (3, :'south', 2, NULL);

SELECT status, direction, from_version, to_version, backup_id IS NOT NULL AS snapshot
FROM module_versioning.uninstall_module(:'north', :'module');
SELECT site_id = :'south' AS south, count(*) FROM uninstall.account GROUP BY 1;
SELECT id, site_id = :'south' AS south FROM uninstall.booking;
SELECT code FROM uninstall.currency;
SELECT version, active_installs FROM module_versioning.module_versions WHERE module_id = :'module';
SELECT direction, status FROM module_versioning.get_migration_history(:'north', :'module');

\echo The rows are in the snapshot, and come back with it.
SELECT type, row_count, table_counts FROM module_versioning.list_snapshots(:'north', :'module');
SELECT id AS backup FROM module_versioning.list_snapshots(:'north', :'module') \gset
SELECT table_name, rows_restored, rows_deleted, rows_kept FROM module_versioning.restore_module_data(:'backup', create_backup => false);
SELECT count(*) FROM uninstall.booking;

\echo Restoring checks first what the transaction had deferred, and defers again afterwards.
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
UPDATE uninstall.booking SET account = 2 WHERE id = 1;
SELECT table_name, rows_restored FROM module_versioning.restore_module_data(:'backup', create_backup => false) WHERE rows_restored > 0;
COMMIT;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
UPDATE uninstall.booking SET account = 77 WHERE id = 1;
SELECT table_name, rows_restored FROM module_versioning.restore_module_data(:'backup', create_backup => false);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

\echo Installed again, only the migration of the site itself runs.
SELECT status, cardinality(run_ids) AS runs FROM module_versioning.install_module(:'north', :'module');
