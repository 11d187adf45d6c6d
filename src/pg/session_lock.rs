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

impl AdvisoryLock {
    fn tag(&self) -> pg_sys::LOCKTAG {
        pg_sys::LOCKTAG {
            // SAFETY: reads a global.
            locktag_field1: unsafe { pg_sys::MyDatabaseId }.to_u32(),
            locktag_field2: self.first,
            locktag_field3: self.second,
            locktag_field4: if self.two_keys { 2 } else { 1 },
            locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
            locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
        }
    }

    fn mode(&self) -> pg_sys::LOCKMODE {
        let mode = if self.shared {
            pg_sys::ShareLock
        } else {
            pg_sys::ExclusiveLock
        };
        mode as pg_sys::LOCKMODE
    }
}

/// After a script was cancelled and its subtransaction undone: gives back the locks that it took for the
/// session, and takes those again that it released. Nothing can be queried then, so this asks the lock
/// table itself.
pub fn settle_after_cancel() {
    let Some(before) = before() else { return };
    let now = held();
    for lock in now.iter().filter(|lock| !before.contains(lock)) {
        // SAFETY: main thread; releasing needs no transaction, and says whether the session had the lock.
        while unsafe { pg_sys::LockRelease(&lock.tag(), lock.mode(), true) }
            && held().contains(lock)
        {}
    }
    for lock in before.iter().filter(|lock| !now.contains(lock)) {
        // SAFETY: as above; it doesn't wait.
        unsafe { pg_sys::LockAcquire(&lock.tag(), lock.mode(), true, true) };
    }
}
