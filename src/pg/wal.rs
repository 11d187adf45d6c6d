//! The write-ahead log.

use pgrx::pg_sys;

/// How many bytes this backend has written to it.
pub fn written() -> u64 {
    // SAFETY: reads a counter of the backend's main thread.
    unsafe { pg_sys::pgWalUsage.wal_bytes }
}
