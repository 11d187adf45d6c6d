//! Which script this backend is running now, if any.
//!
//! Kept in the backend and not in a setting, for a script could change a setting. The state is put
//! back on every way out, also while an error passes through.

use std::cell::Cell;

use pgrx::Uuid;

use crate::error::{Error, Result};
use crate::pg::transaction::{self, ReadOnly};

/// Where a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// For which site.
    pub site_id: Uuid,
    /// Of which module.
    pub module_id: Uuid,
}

thread_local! {
    // A backend has one thread; this is its one slot.
    static RUNNING: Cell<Option<Running>> = const { Cell::new(None) };
}

struct Restore(Option<Running>);

impl Drop for Restore {
    fn drop(&mut self) {
        RUNNING.set(self.0);
    }
}

/// The script that runs now.
pub fn running() -> Option<Running> {
    RUNNING.get()
}

/// Runs `body` as the script of a site and module.
pub fn while_running<R>(running: Running, body: impl FnOnce() -> R) -> R {
    let restore = Restore(RUNNING.replace(Some(running)));
    let result = body();
    drop(restore);
    result
}

/// For every function that changes something: a script must not call back into what runs it, and a
/// transaction that may only read is told so before anything is looked at.
///
/// # Errors
/// 55000 while a script runs, 25006 where nothing may be written.
pub fn refuse_inside_script() -> Result<()> {
    refuse_running_script()?;
    refuse_read_only()
}

/// For functions that write outside the database only.
///
/// # Errors
/// 55000 while a script runs.
pub fn refuse_running_script() -> Result<()> {
    match running() {
        None => Ok(()),
        Some(_) => Err(Error::wrong_state("a migration script is running")
            .detail(
                "A script can't change modules, versions, migrations or snapshots while it runs.",
            )
            .hint("Call this function outside the migration, before or after it.")),
    }
}

fn refuse_read_only() -> Result<()> {
    let (detail, hint) = match transaction::read_only() {
        None => return Ok(()),
        Some(ReadOnly::Standby) => (
            "This server is a standby: it takes its data from another server and changes nothing itself.",
            "Call this function on the primary server.",
        ),
        Some(ReadOnly::Chosen) => (
            "The transaction is read-only: it was begun so, or default_transaction_read_only is on for the session, role or database. Rehearsals write too, though they undo it.",
            "Call this function in a transaction that was begun with BEGIN READ WRITE.",
        ),
    };
    Err(Error::read_only(
        "modules, versions, sites and snapshots can't be changed in a read-only transaction",
    )
    .detail(detail)
    .hint(hint))
}
