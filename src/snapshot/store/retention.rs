//! SQL that decides which snapshots may go, and lets them go.

use pgrx::Uuid;

use crate::error::Result;
use crate::pg::identity::as_extension_owner;
use crate::pg::query;

/// A rollback point is a version below the active one that the site left by an upgrade, as it was left
/// last; it needs the snapshot taken then.
const NEEDED: &str = "EXISTS (
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
                        AND later.ordinal > point.ordinal))";

/// Whether a rollback point needs the snapshot.
///
/// # Errors
/// None of its own.
pub fn is_needed(backup_id: Uuid) -> Result<bool> {
    as_extension_owner(|| {
        query::one(
            &format!(
                "SELECT {NEEDED} FROM module_versioning.module_data_backups b WHERE b.id = $1"
            ),
            &[backup_id.into()],
            |row| row.get(1),
        )
    })
}

/// The snapshots whose time is over and that no rollback point needs, locked.
///
/// # Errors
/// None of its own.
pub fn lock_expired() -> Result<Vec<Uuid>> {
    as_extension_owner(|| {
        query::rows(
            &format!(
                "SELECT b.id FROM module_versioning.module_data_backups b
                 WHERE b.expires_at <= pg_catalog.clock_timestamp() AND NOT {NEEDED}
                 ORDER BY b.ordinal FOR UPDATE OF b SKIP LOCKED"
            ),
            &[],
            |row| row.get(1),
        )
    })
}

/// Takes a snapshot off the list, with its manifest and references.
///
/// # Errors
/// None of its own.
pub fn delete_backup(backup_id: Uuid) -> Result<()> {
    as_extension_owner(|| {
        query::run(
            "DELETE FROM module_versioning_data.snapshots s WHERE s.id = $1",
            &[backup_id.into()],
        )?;
        query::run(
            "DELETE FROM module_versioning.module_data_backups b WHERE b.id = $1",
            &[backup_id.into()],
        )?;
        Ok(())
    })
}
