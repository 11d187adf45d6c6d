//! How long snapshots stay.

use pgrx::Uuid;

use crate::error::{Error, Result};
use crate::snapshot::restore::pinned;
use crate::snapshot::store;

/// Deletes a snapshot and frees the chunks that no other refers to; returns the bytes freed.
///
/// # Errors
/// 42704 when there is none; 55000 when a rollback point needs it, unless `force`; 55P03 when somebody
/// uses it too long.
pub fn delete(backup_id: Uuid, force: bool) -> Result<i64> {
    store::header(backup_id)?;
    // A change that is about to need it holds it until that has been written.
    if !pinned(|| store::lock_backup(backup_id))? {
        return Err(Error::not_found(format!(
            "snapshot {backup_id} does not exist any more"
        )));
    }
    if !force && store::is_needed(backup_id)? {
        return Err(Error::wrong_state(format!("snapshot {backup_id} is needed by a rollback point"))
            .detail("It was taken when the site left a version that it may be rolled back to.")
            .hint("It can be deleted when the site is back at that version, or the module is uninstalled. With force => true it goes all the same, and a rollback then gives back nothing of what the upgrade had destroyed."));
    }
    store::delete_backup(backup_id)?;
    store::free_chunks()
}

/// Deletes the snapshots whose time is over, save those that a rollback point needs, and those
/// that somebody uses.
///
/// # Errors
/// None of its own.
pub fn expire() -> Result<Vec<(Uuid, i64)>> {
    let mut gone = Vec::new();
    for backup_id in store::expired()? {
        pgrx::check_for_interrupts!();
        // A change that has ended since may have made a rollback point of it.
        if store::try_lock_backup(backup_id)? && !store::is_needed(backup_id)? {
            store::delete_backup(backup_id)?;
            gone.push((backup_id, store::free_chunks()?));
        }
    }
    Ok(gone)
}
