//! Views of the database: several reads with one of them, what was before this transaction's own latest
//! work, and whether others have committed anything since.

use std::collections::HashSet;

use pgrx::pg_sys;

use crate::error::Result;

/// How many transactions are looked at to tell whether one has committed; more than these count as if.
const TRANSACTIONS_MAX: u32 = 1_000_000;

/// A moment of this transaction.
#[derive(Debug, Clone)]
pub struct Moment {
    first: u32,
    next: u32,
    running: HashSet<u32>,
    is_complete: bool,
    command: pg_sys::CommandId,
}

/// Calls `body` with a view of what is committed now and of all that this transaction has done.
fn with_latest<R>(body: impl FnOnce(pg_sys::Snapshot) -> R) -> R {
    // SAFETY: main thread inside a transaction; the snapshot is valid while it is registered, and an error
    // unregisters it with the (sub)transaction's clean-up.
    unsafe {
        pg_sys::CommandCounterIncrement();
        let snapshot = pg_sys::RegisterSnapshot(pg_sys::GetTransactionSnapshot());
        let result = body(snapshot);
        pg_sys::UnregisterSnapshot(snapshot);
        result
    }
}

impl Moment {
    /// Now.
    pub fn now() -> Self {
        with_latest(|snapshot| {
            // SAFETY: a registered snapshot; its arrays have as many elements as it says.
            unsafe {
                let data = &*snapshot;
                let list = |start: *mut pg_sys::TransactionId, count: usize| -> Vec<u32> {
                    (0..count).map(|at| u32::from(*start.add(at))).collect()
                };
                let mut running: HashSet<u32> =
                    list(data.xip, data.xcnt as usize).into_iter().collect();
                running.extend(list(
                    data.subxip,
                    usize::try_from(data.subxcnt).unwrap_or(0),
                ));
                Self {
                    first: data.xmin.into(),
                    next: data.xmax.into(),
                    running,
                    is_complete: !data.suboverflowed,
                    command: pg_sys::GetCurrentCommandId(false),
                }
            }
        })
    }

    fn was_running(&self, id: u32) -> bool {
        // Distances on the circle of transaction ids.
        let is_later = id.wrapping_sub(self.next) < u32::MAX / 2;
        is_later || !self.is_complete || self.running.contains(&id)
    }

    /// Whether a transaction of somebody else has committed since, whatever it did.
    pub fn others_committed(&self) -> bool {
        let end: u32 = with_latest(|snapshot| {
            // SAFETY: a registered snapshot.
            unsafe { (*snapshot).xmax.into() }
        });
        let count = end.wrapping_sub(self.first);
        if count > TRANSACTIONS_MAX {
            return true;
        }
        (0..count)
            .map(|step| self.first.wrapping_add(step))
            .filter(|id| {
                *id >= u32::from(pg_sys::FirstNormalTransactionId) && self.was_running(*id)
            })
            .any(|id| {
                let id = pg_sys::TransactionId::from(id);
                // SAFETY: look-ups of ids that are recent, and so in the commit log.
                unsafe {
                    !pg_sys::TransactionIdIsCurrentTransactionId(id)
                        && pg_sys::TransactionIdDidCommit(id)
                }
            })
    }
}

/// A view that is kept, so that several reads see the same.
pub struct HeldView(pg_sys::Snapshot);

impl HeldView {
    /// What is committed now (under REPEATABLE READ and above, what was when the transaction began), and
    /// all that this transaction has done. It must not outlive the (sub)transaction.
    pub fn now() -> Self {
        // SAFETY: main thread inside a transaction; unregistered when dropped.
        unsafe {
            pg_sys::CommandCounterIncrement();
            Self(pg_sys::RegisterSnapshot(pg_sys::GetTransactionSnapshot()))
        }
    }

    /// Runs `body` with the view; with a moment, without what this transaction has done since.
    ///
    /// # Errors
    /// What `body` returns.
    pub fn with<R>(
        &self,
        without_since: Option<&Moment>,
        body: impl FnOnce() -> Result<R>,
    ) -> Result<R> {
        // SAFETY: pushes a copy of a registered snapshot, which nobody else has yet, and takes it off
        // below; the (sub)transaction's abort does when `body` raises.
        unsafe {
            pg_sys::PushCopiedSnapshot(self.0);
            if let Some(moment) = without_since {
                (*pg_sys::GetActiveSnapshot()).curcid = moment.command;
            }
        }
        let result = body();
        // SAFETY: as above.
        unsafe { pg_sys::PopActiveSnapshot() };
        result
    }
}

impl Drop for HeldView {
    fn drop(&mut self) {
        // While an error passes through, the snapshot is left to the transaction's clean-up.
        if !std::thread::panicking() {
            // SAFETY: registered by `now` and unregistered once.
            unsafe { pg_sys::UnregisterSnapshot(self.0) };
        }
    }
}
