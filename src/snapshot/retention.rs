//! How long snapshots stay.

use pgrx::Uuid;

use crate::error::{Error, Result};
use crate::snapshot::store;

/// Deletes a snapshot and frees the chunks that no other refers to; returns the bytes freed.
///
/// # Errors
/// 42704 when there is none; 55000 when a rollback point needs it.
pub fn delete(backup_id: Uuid) -> Result<i64> {
    store::header(backup_id)?;
    if store::is_needed(backup_id)? {
        return Err(Error::wrong_state(format!("snapshot {backup_id} is needed by a rollback point"))
            .detail("It was taken when the site left a version that it may be rolled back to.")
            .hint("It can be deleted when the site is back at that version, or the module is uninstalled."));
    }
    store::delete_backup(backup_id)?;
    store::free_chunks()
}

/// Deletes the snapshots whose time is over, save those that a rollback point needs.
///
/// # Errors
/// None of its own.
pub fn expire() -> Result<Vec<(Uuid, i64)>> {
    store::lock_expired()?
        .into_iter()
        .map(|backup_id| {
            pgrx::check_for_interrupts!();
            store::delete_backup(backup_id)?;
            Ok((backup_id, store::free_chunks()?))
        })
        .collect()
}
