//! What this transaction will add to the cumulative statistics of functions, to take it back: calls that are
//! undone still count there, when `track_functions` is on.

use pgrx::pg_sys;

type Counts = pg_sys::PgStat_FunctionCounts;

/// What the transaction had counted for each of some functions.
pub struct Counted(Vec<(pg_sys::Oid, Option<Counts>)>);

/// Whether functions are counted at all.
pub fn are_kept() -> bool {
    // SAFETY: reads a global of the backend's main thread; 0 is TRACK_FUNC_OFF.
    unsafe { pg_sys::pgstat_track_functions != 0 }
}

/// Notes what has been counted so far.
pub fn noted(functions: &[pg_sys::Oid]) -> Counted {
    let counts = |function: &pg_sys::Oid| {
        // SAFETY: NULL, or the counts of this backend.
        let counts = unsafe { counts(*function).as_ref() };
        (*function, counts.copied())
    };
    Counted(functions.iter().map(counts).collect())
}

/// Puts the counts back to what was noted.
pub fn put_back(Counted(noted): &Counted) {
    for (function, before) in noted {
        // SAFETY: as above, written at once; zeros are what a new entry begins with.
        unsafe {
            if let Some(counts) = counts(*function).as_mut() {
                *counts = before.unwrap_or(std::mem::zeroed());
            }
        }
    }
}

/// The counts of a function that were not yet handed on, or NULL.
///
/// # Safety
/// On the backend's main thread; the pointer is used before the server does anything else.
unsafe fn counts(function: pg_sys::Oid) -> *mut Counts {
    // SAFETY: a look-up in the backend's own table; on 15 an entry begins with its counts.
    unsafe { pg_sys::find_funcstat_entry(function).cast() }
}
