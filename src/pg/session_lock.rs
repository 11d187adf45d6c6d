//! The advisory locks of this backend before a script first touched one, to compare with afterwards.
//!
//! Session-level locks outlive the transaction: what a script takes must be given back even when it
//! fails, and what the caller had must still be there. They are looked at only when a script uses
//! their functions, for reading the lock table takes time where many locks are held.

use std::cell::RefCell;

use pgrx::pg_sys;

/// An advisory lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AdvisoryLock {
    /// The upper half of a `bigint` key, or the first of two keys.
    pub first: u32,
    /// The lower half, or the second key.
    pub second: u32,
    /// Whether there are two keys.
    pub two_keys: bool,
    /// Whether it is held in share mode.
    pub shared: bool,
}

thread_local! {
    static BEFORE: RefCell<Option<Vec<AdvisoryLock>>> = const { RefCell::new(None) };
}

/// Forgets what was remembered.
pub fn forget() {
    BEFORE.set(None);
}

/// Remembers the present locks, the first time.
pub fn remember() {
    BEFORE.with_borrow_mut(|before| {
        if before.is_none() {
            *before = Some(held());
        }
    });
}

/// What was remembered, if a script used advisory locks at all.
pub fn before() -> Option<Vec<AdvisoryLock>> {
    BEFORE.take()
}

/// The advisory locks that this backend holds now.
pub fn held() -> Vec<AdvisoryLock> {
    // SAFETY: main thread; the server copies its lock table into palloc'd memory of the current context,
    // with `nelements` elements.
    let locks = unsafe {
        let data = &*pg_sys::GetLockStatusData();
        if data.locks.is_null() {
            return Vec::new();
        }
        let count = usize::try_from(data.nelements).unwrap_or(0);
        std::slice::from_raw_parts(data.locks, count)
    };
    // SAFETY: reads a global.
    let own = unsafe { pg_sys::MyProcPid };
    let mut found = Vec::new();
    for lock in locks {
        let tag = &lock.locktag;
        if lock.pid != own || u32::from(tag.locktag_type) != pg_sys::LockTagType::LOCKTAG_ADVISORY {
            continue;
        }
        for (mode, shared) in [(pg_sys::ShareLock, true), (pg_sys::ExclusiveLock, false)] {
            if lock.holdMask & (1 << mode) != 0 {
                found.push(AdvisoryLock {
                    first: tag.locktag_field2,
                    second: tag.locktag_field3,
                    two_keys: tag.locktag_field4 == 2,
                    shared,
                });
            }
        }
    }
    found.sort_unstable();
    found
}
