//! Which script this backend is running now, if any.
//!
//! Kept in the backend and not in a setting, for a script could change a setting. The state is put
//! back on every way out, also while an error passes through.

use std::cell::Cell;

use pgrx::Uuid;

use crate::error::{Error, Result};

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

/// For every function that changes something: a script must not call back into what runs it.
///
/// # Errors
/// 55000 while a script runs.
pub fn refuse_inside_script() -> Result<()> {
    match running() {
        None => Ok(()),
        Some(_) => Err(Error::wrong_state("a migration script is running")
            .detail(
                "A script can't change modules, versions, migrations or snapshots while it runs.",
            )
            .hint("Call this function outside the migration, before or after it.")),
    }
}
