//! What the transaction around a function allows.

use pgrx::pg_sys;

/// Whether this transaction has written anything: without a transaction id no row was.
pub fn has_written() -> bool {
    // SAFETY: reads the state of the current transaction.
    unsafe { pg_sys::GetTopTransactionIdIfAny() != pg_sys::InvalidTransactionId }
}

/// Why this transaction may change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOnly {
    /// The server takes its data from another one.
    Standby,
    /// It was begun so, or the settings of the session, role or database say so.
    Chosen,
}

/// Whether this transaction may only read, and why.
pub fn read_only() -> Option<ReadOnly> {
    // SAFETY: both read the state of the backend's main thread.
    let (is_standby, is_chosen) = unsafe { (pg_sys::RecoveryInProgress(), pg_sys::XactReadOnly) };
    match (is_standby, is_chosen) {
        (true, _) => Some(ReadOnly::Standby),
        (false, true) => Some(ReadOnly::Chosen),
        (false, false) => None,
    }
}

/// The id of the innermost (sub)transaction, which is in `xmin` of the rows that it writes.
pub fn current_id() -> u32 {
    // SAFETY: main thread inside a transaction; assigns the id if there is none yet, or raises.
    unsafe { pg_sys::GetCurrentTransactionId() }.into_inner()
}

/// Whether the procedure that calls this function could COMMIT now.
pub fn caller_can_commit() -> bool {
    // SAFETY: reads the innermost SPI connection, which is the calling procedure's, or finds none.
    unsafe { pg_sys::SPI_inside_nonatomic_context() }
}
