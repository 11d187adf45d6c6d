//! Waiting for locks outside of the scripts: whoever looks at a table, its size or its definition waits for those
//! who change it, and no longer than the scripts themselves may.

use pgrx::prelude::PgSqlErrorCode;

use crate::error::{Error, Result};
use crate::pg::identity::as_extension_owner;
use crate::pg::interrupt;
use crate::pg::lock_wait;
use crate::pg::scope::with_settings;
use crate::pg::subtransaction::in_subtransaction;
use crate::settings;

/// Runs `body`, in which nobody waits for a lock longer than `module_versioning.rehearsal_lock_timeout`.
///
/// # Errors
/// 55P03 with who holds the lock; else what `body` returns.
pub fn bounded<R>(body: impl FnOnce() -> Result<R>) -> Result<R> {
    let timeout = settings::rehearsal_lock_timeout();
    let done = interrupt::watching(|| {
        let timeout = timeout.to_string();
        // What the scripts say is told with the statements, once.
        let settings = [
            ("lock_timeout", timeout.as_str()),
            ("client_min_messages", "error"),
        ];
        in_subtransaction(|| with_settings(&settings, body))
    });
    match done {
        Err(Error::Raised(raised)) if raised.code == PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE => {
            let tag = interrupt::waited_for();
            let holder = as_extension_owner(|| tag.map(lock_wait::holder).transpose())?;
            Err(Error::busy("a table is locked by another session")
                .detail(lock_wait::detail(None, timeout, holder.flatten()))
                .hint("Nothing was changed. Try again, or raise module_versioning.rehearsal_lock_timeout."))
        }
        done => done,
    }
}
