//! SQL that decides which snapshots may go, and lets them go.

use pgrx::Uuid;

use crate::error::Result;
use crate::pg::identity::as_extension_owner;
use crate::pg::query;

/// A rollback point is a version below the active one that the site left by an upgrade, as it was left
/// last. It needs the snapshot taken then, and those taken before the migrations that going back to it
/// undoes: a shared migration may have been run for another site.
const NEEDED: &str = "(EXISTS (
    SELECT FROM module_versioning.site_module_versions point
    JOIN module_versioning.registered_versions old ON old.id = point.version_id
    JOIN module_versioning.site_module_versions active
         ON active.site_module_id = point.site_module_id AND active.status = 'active'
    JOIN module_versioning.registered_versions current ON current.id = active.version_id
    WHERE point.backup_id = b.id AND point.status = 'superseded'
      AND old.version OPERATOR(module_versioning.<) current.version
      AND NOT EXISTS (SELECT FROM module_versioning.site_module_versions later
                      WHERE later.site_module_id = point.site_module_id
                        AND later.version_id = point.version_id AND later.status = 'superseded'
                        AND later.ordinal > point.ordinal))
 OR EXISTS (
    SELECT FROM module_versioning.module_migration_runs run
    JOIN module_versioning.applied_migrations applied
         ON applied.migration_id = run.migration_id AND applied.run_id = run.id
    JOIN module_versioning.module_migrations migration ON migration.id = run.migration_id
    JOIN module_versioning.site_modules place
         ON place.module_id = migration.module_id
        AND (applied.site_id IS NULL OR applied.site_id = place.site_id)
    JOIN module_versioning.site_module_versions active
         ON active.site_module_id = place.id AND active.status = 'active'
    JOIN module_versioning.registered_versions current ON current.id = active.version_id
    JOIN module_versioning.site_module_versions point
         ON point.site_module_id = place.id AND point.status = 'superseded'
    JOIN module_versioning.registered_versions old ON old.id = point.version_id
    WHERE run.backup_id = b.id
      AND old.version OPERATOR(module_versioning.<) migration.to_version
      AND old.version OPERATOR(module_versioning.<) current.version))";

/// What the last rollback had destroyed comes back from the snapshot taken before it when its migrations run
/// again: it is needed until they have, or the site has gone past them, or doesn't have the module any more.
const NEEDED_AGAIN: &str = "EXISTS (
    SELECT FROM module_versioning.module_migration_runs run
    JOIN module_versioning.data_changes change ON change.backup_id = run.backup_id
    JOIN module_versioning.module_migrations migration ON migration.id = run.migration_id
    JOIN module_versioning.site_modules place
         ON place.module_id = migration.module_id
        AND (migration.scope = 'shared' OR place.site_id = run.site_id)
    JOIN module_versioning.site_module_versions active
         ON active.site_module_id = place.id AND active.status = 'active'
    JOIN module_versioning.registered_versions current ON current.id = active.version_id
    WHERE run.backup_id = b.id AND run.direction = 'down' AND run.status = 'success'
      AND current.version OPERATOR(module_versioning.<) migration.to_version
      AND NOT EXISTS (SELECT FROM module_versioning.module_migration_runs later
                      WHERE later.migration_id = run.migration_id AND later.status = 'success'
                        AND (migration.scope = 'shared' OR later.site_id = run.site_id)
                        AND later.ordinal > run.ordinal))";

/// What a snapshot is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Going back.
    Back,
    /// Going up again after a rollback.
    Again,
}

/// Whether a snapshot that is kept for so long from now on is still there afterwards.
///
/// # Errors
/// 22008 raised where the time is beyond all that a timestamp can be.
pub fn is_ahead(expires_in: &str) -> Result<bool> {
    query::one(
        "SELECT n.now + $1::pg_catalog.interval > n.now FROM (SELECT pg_catalog.clock_timestamp()) AS n (now)",
        &[expires_in.into()],
        |row| row.get(1),
    )
}

/// Locks the snapshot's row until the transaction ends; false when it is gone.
///
/// # Errors
/// PostgreSQL's own are raised, 55P03 when the lock isn't to be had in time.
pub fn lock_backup(backup_id: Uuid) -> Result<bool> {
    as_extension_owner(|| {
        let found = query::first(
            "SELECT true FROM module_versioning.module_data_backups b WHERE b.id = $1 FOR UPDATE",
            &[backup_id.into()],
            |row| row.get::<bool>(1),
        )?;
        Ok(found.is_some())
    })
}

/// What the snapshot is needed for, if anything.
///
/// # Errors
/// None of its own.
pub fn need(backup_id: Uuid) -> Result<Option<Need>> {
    as_extension_owner(|| {
        query::one(
            &format!(
                "SELECT {NEEDED}, {NEEDED_AGAIN} FROM module_versioning.module_data_backups b WHERE b.id = $1"
            ),
            &[backup_id.into()],
            |row| {
                Ok(match (row.get(1)?, row.get(2)?) {
                    (true, _) => Some(Need::Back),
                    (false, true) => Some(Need::Again),
                    (false, false) => None,
                })
            },
        )
    })
}

/// The snapshots whose time is over and that nothing needs.
///
/// # Errors
/// None of its own.
pub fn expired() -> Result<Vec<Uuid>> {
    as_extension_owner(|| {
        query::rows(
            &format!(
                "SELECT b.id FROM module_versioning.module_data_backups b
                 WHERE b.expires_at <= pg_catalog.clock_timestamp() AND NOT {NEEDED} AND NOT {NEEDED_AGAIN}
                 ORDER BY b.ordinal"
            ),
            &[],
            |row| row.get(1),
        )
    })
}

/// Locks a snapshot, unless somebody is at it; false then, and when it is gone.
///
/// # Errors
/// 40001 raised when it changed after this transaction's snapshot.
pub fn try_lock_backup(backup_id: Uuid) -> Result<bool> {
    as_extension_owner(|| {
        let found = query::first(
            "SELECT true FROM module_versioning.module_data_backups b WHERE b.id = $1
             FOR UPDATE SKIP LOCKED",
            &[backup_id.into()],
            |row| row.get::<bool>(1),
        )?;
        Ok(found.is_some())
    })
}

/// Keeps a snapshot from being deleted until the transaction ends.
///
/// # Errors
/// PostgreSQL's own are raised.
pub fn hold_backup(backup_id: Uuid) -> Result<()> {
    as_extension_owner(|| {
        query::run(
            "SELECT FROM module_versioning.module_data_backups b WHERE b.id = $1 FOR KEY SHARE",
            &[backup_id.into()],
        )
        .map(drop)
    })
}

/// Keeps the snapshots from being deleted that a rollback of this installation may need: those of the
/// versions it has left and those taken before the migrations in force.
///
/// # Errors
/// PostgreSQL's own are raised.
pub fn hold_needed(site_module_id: Uuid) -> Result<()> {
    as_extension_owner(|| {
        query::run(
            "SELECT FROM module_versioning.module_data_backups b
             WHERE b.id IN (
                 SELECT v.backup_id FROM module_versioning.site_module_versions v
                 WHERE v.site_module_id = $1 AND v.status = 'superseded'
                 UNION ALL
                 SELECT run.backup_id
                 FROM module_versioning.site_modules i
                 JOIN module_versioning.module_migrations m ON m.module_id = i.module_id
                 JOIN module_versioning.applied_migrations a
                      ON a.migration_id = m.id AND (a.site_id = i.site_id OR a.site_id IS NULL)
                 JOIN module_versioning.module_migration_runs run ON run.id = a.run_id
                 WHERE i.id = $1)
             ORDER BY b.id FOR KEY SHARE OF b",
            &[site_module_id.into()],
        )
        .map(drop)
    })
}

/// Takes a snapshot off the list, with its manifest and references.
///
/// # Errors
/// None of its own.
pub fn delete_backup(backup_id: Uuid) -> Result<()> {
    as_extension_owner(|| {
        query::run(
            "DELETE FROM module_versioning_data.snapshots s
             WHERE s.id = $1
                OR s.id IN (SELECT i.id FROM module_versioning.data_changes c
                            CROSS JOIN LATERAL (VALUES (c.before_image), (c.after_image)) AS i (id)
                            WHERE c.backup_id = $1)",
            &[backup_id.into()],
        )?;
        query::run(
            "DELETE FROM module_versioning.module_data_backups b WHERE b.id = $1",
            &[backup_id.into()],
        )?;
        Ok(())
    })
}
