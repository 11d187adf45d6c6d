-- How long snapshots and their chunks stay.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE SCHEMA snap_keep;
CREATE TABLE snap_keep.notes (id int PRIMARY KEY, site_id uuid NOT NULL, body text);
SELECT id AS site FROM module_versioning.register_site('snap-keep') \gset
SELECT id AS module FROM module_versioning.register_module('snap-keep', schema_name => 'snap_keep') \gset
SELECT count(module_versioning.register_module_table(:'module', 'snap_keep.notes'));
SELECT count(module_versioning.create_version(:'module', v)) FROM unnest(ARRAY['1.0.0', '1.1.0']::module_versioning.semver[]) v;
SELECT count(module_versioning.add_migration(:'module', '1.1.0', 'ALTER TABLE snap_keep.notes ADD extra int',
                                             'ALTER TABLE snap_keep.notes DROP extra'));
SELECT count(module_versioning.publish_version(id)) FROM module_versioning.get_versions(:'module');
SELECT status FROM module_versioning.install_module(:'site', :'module', '1.0.0');
INSERT INTO snap_keep.notes SELECT g, :'site', md5(g::text) FROM generate_series(1, 1000) g;

CREATE VIEW snap_keep.store AS
SELECT (SELECT count(*) FROM module_versioning_data.snapshots s JOIN module_versioning.list_snapshots() l USING (id)
        WHERE l.module_id = module_versioning.module_id('snap-keep')) AS snapshots,
       (SELECT count(DISTINCT r.chunk_hash) FROM module_versioning_data.snapshot_chunks r
        JOIN module_versioning.list_snapshots() l ON l.id = r.snapshot_id
        WHERE l.module_id = module_versioning.module_id('snap-keep')) AS chunks;

SELECT id AS first, stored_bytes FROM module_versioning.snapshot_module_data(:'site', :'module') \gset
SELECT id AS second FROM module_versioning.snapshot_module_data(:'site', :'module') \gset
TABLE snap_keep.store;
-- Two snapshots share their chunks: only the last to go frees them.
SELECT module_versioning.delete_snapshot(:'first');
TABLE snap_keep.store;
SELECT module_versioning.delete_snapshot(:'second') = :stored_bytes AS all_freed;
TABLE snap_keep.store;
SELECT module_versioning.delete_snapshot('00000000-0000-0000-0000-000000000000');
\echo :LAST_ERROR_SQLSTATE
SELECT module_versioning.delete_snapshot(NULL);
\echo :LAST_ERROR_SQLSTATE

-- The snapshot that a rollback point needs stays, expired or not.
SELECT status, backup_id AS needed FROM module_versioning.upgrade_module(:'site', :'module', '1.1.0') \gset
\echo :status
\set VERBOSITY sqlstate
SELECT module_versioning.delete_snapshot(:'needed');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT id AS gone FROM module_versioning.snapshot_module_data(:'site', :'module', expires_in => '1 second') \gset
SELECT id AS stays FROM module_versioning.snapshot_module_data(:'site', :'module', expires_in => '1 day') \gset
UPDATE module_versioning.module_data_backups SET expires_at = now() - interval '1 day' WHERE id IN (:'needed', :'gone');
SELECT backup_id = :'gone' AS the_expired_one, bytes_freed FROM module_versioning.expire_snapshots();
SELECT count(*) FROM module_versioning.expire_snapshots();
SELECT type FROM module_versioning.list_snapshots(:'site') ORDER BY ordinal;
-- When the site is back, nothing needs it.
SELECT status FROM module_versioning.rollback_module(:'site', :'module', '1.0.0', create_backup => false, force => true);
SELECT backup_id = :'needed' AS the_expired_one, bytes_freed > 0 AS freed FROM module_versioning.expire_snapshots();
SELECT module_versioning.delete_snapshot(:'stays') > 0 AS freed;
TABLE snap_keep.store;
SELECT count(*) AS orphans FROM module_versioning_data.chunks c
WHERE NOT EXISTS (SELECT FROM module_versioning_data.snapshot_chunks r WHERE r.chunk_hash = c.hash);

-- With force a needed one goes too, its images with it; a rollback then gives back nothing and says so.
SELECT status, backup_id AS needed FROM module_versioning.upgrade_module(:'site', :'module', '1.1.0') \gset
\set VERBOSITY sqlstate
SELECT module_versioning.delete_snapshot(:'needed', force => false);
\set VERBOSITY default
SELECT module_versioning.delete_snapshot(:'needed', force => true) > 0 AS freed;
SELECT count(*) AS changes FROM module_versioning.data_changes WHERE backup_id = :'needed';
SELECT warnings FROM module_versioning.plan_rollback(:'site', :'module', '1.0.0');
SELECT status, warnings FROM module_versioning.rollback_module(:'site', :'module', '1.0.0', force => true);
TABLE snap_keep.store;
SELECT count(*) AS unlisted FROM module_versioning_data.snapshots s
WHERE NOT EXISTS (SELECT FROM module_versioning.module_data_backups b WHERE b.id = s.id)
  AND NOT EXISTS (SELECT FROM module_versioning.data_changes c WHERE s.id IN (c.before_image, c.after_image));

-- Nobody else may read or change what is stored.
CREATE ROLE snap_keep_stranger;
SET ROLE snap_keep_stranger;
SELECT * FROM module_versioning_data.snapshots;
SELECT module_versioning.delete_snapshot(:'first');
SELECT * FROM module_versioning.list_snapshots();
SELECT * FROM module_versioning.snapshot_rows(:'first', 'notes');
RESET ROLE;
DROP ROLE snap_keep_stranger;
