//! How long snapshots stay.

use pgrx::Uuid;
use pgrx::prelude::PgSqlErrorCode;

use crate::error::{Error, Result};
use crate::pg::subtransaction::in_subtransaction;
use crate::snapshot::restore::pinned;
use crate::snapshot::store::{self, Need};

/// Refuses an interval after which a snapshot would be over already, before it is taken.
///
/// # Errors
/// 22023 when it is zero or negative, or leads beyond what a timestamp can be.
pub fn check_expiry(expires_in: &str) -> Result<()> {
    let refused = |why: &str| {
        Err(
            Error::invalid_argument(format!("a snapshot can't be kept for \"{expires_in}\""))
                .detail(why.to_owned())
                .hint("Pass for how long it is to be kept, such as '90 days', or leave it out for 30 days."),
        )
    };
    match pinned(|| in_subtransaction(|| store::is_ahead(expires_in))) {
        Ok(true) => Ok(()),
        Ok(false) => {
            refused("It would expire before it is taken: \"expires_in\" must be more than zero.")
        }
        Err(Error::Raised(raised))
            if raised.code == PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW =>
        {
            refused("It would expire after the last point in time that PostgreSQL knows.")
        }
        Err(error) => Err(error),
    }
}

/// Deletes a snapshot and frees the chunks that no other refers to; returns the bytes freed.
///
/// # Errors
/// 42704 when there is none; 55000 when a rollback point or going up again needs it, unless `force`; 55P03 when somebody
/// uses it too long.
pub fn delete(backup_id: Uuid, force: bool) -> Result<i64> {
    store::header(backup_id)?;
    // A change that is about to need it holds it until that has been written.
    if !pinned(|| store::lock_backup(backup_id))? {
        return Err(Error::not_found(format!(
            "snapshot {backup_id} does not exist any more"
        )));
    }
    let need = if force { None } else { store::need(backup_id)? };
    match need {
        None => {}
        Some(Need::Back) => return Err(Error::wrong_state(format!("snapshot {backup_id} is needed by a rollback point"))
            .detail("It was taken when the site left a version that it may be rolled back to.")
            .hint("It can be deleted when the site is back at that version, or the module is uninstalled. With force => true it goes all the same, and a rollback then gives back nothing of what the upgrade had destroyed.")),
        Some(Need::Again) => return Err(Error::wrong_state(format!("snapshot {backup_id} is needed to go up again"))
            .detail("It was taken before a rollback: what that has destroyed is given back from it when the same migrations run again.")
            .hint("It can be deleted when they have run again, the site has gone to a later version without them, or the module is uninstalled. With force => true it goes all the same, and an upgrade then gives back nothing of what the rollback had destroyed.")),
    }
    store::delete_backup(backup_id)?;
    store::free_chunks()
}

/// Deletes the snapshots whose time is over, save those that a rollback point or going up again needs,
/// and those that somebody uses.
///
/// # Errors
/// None of its own.
pub fn expire() -> Result<Vec<(Uuid, i64)>> {
    let mut gone = Vec::new();
    for backup_id in store::expired()? {
        pgrx::check_for_interrupts!();
        // A change that has ended since may have made a rollback point of it.
        if store::try_lock_backup(backup_id)? && store::need(backup_id)?.is_none() {
            store::delete_backup(backup_id)?;
            gone.push((backup_id, store::free_chunks()?));
        }
    }
    Ok(gone)
}
