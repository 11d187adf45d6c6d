//! Halting a rollout by hand, and letting it go on.

use versioning_core::rollout::Status;

use super::store::{self, Rollout};
use crate::error::{Error, Result};
use crate::pg::record::{Record, Rollouts};
use crate::pg::scope::with_settings;
use crate::pg::subtransaction::in_subtransaction;
use crate::settings;
use pgrx::prelude::PgSqlErrorCode;

/// Halts a rollout, unless it is halted already.
///
/// # Errors
/// 55000 when it is completed, 55P03 when its row is not to be had in time.
pub fn halt(rollout: &Rollout, reason: Option<&str>) -> Result<Option<Record<Rollouts>>> {
    match lock(rollout)? {
        Status::Completed => {
            return Err(
                Error::wrong_state(format!("{} is completed", rollout.name()))
                    .detail("Every site has an outcome."),
            );
        }
        Status::Halted => {}
        Status::Pending | Status::Running => {
            store::halt(rollout.id, reason.unwrap_or("halted by hand"))?;
        }
    }
    store::row(rollout.id)
}

/// Lets a rollout go on.
///
/// # Errors
/// 55P03 when its row is not to be had in time.
pub fn resume(rollout: &Rollout, retry_failed: bool) -> Result<Option<Record<Rollouts>>> {
    let status = lock(rollout)?;
    store::reopen_sites(rollout.id, retry_failed)?;
    if rollout.all_sites {
        store::add_new_sites(rollout, "pending")?;
    }
    let is_started = status != Status::Pending;
    store::reopen(rollout.id, is_started)?;
    store::row(rollout.id)
}

/// Locks the rollout's row and says where it stands.
fn lock(rollout: &Rollout) -> Result<Status> {
    let timeout = settings::lock_timeout();
    let locked = in_subtransaction(|| {
        with_settings(&[("lock_timeout", &timeout.to_string())], || {
            store::lock(rollout.id)
        })
    });
    match locked {
        Err(Error::Raised(raised)) if raised.code == PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE => {
            Err(Error::busy(format!(
                "{} is being changed by another session",
                rollout.name()
            ))
            .detail(format!("Its row was not free within {timeout} ms."))
            .hint("Nothing was changed. Try again, or raise module_versioning.lock_timeout."))
        }
        other => other,
    }
}
