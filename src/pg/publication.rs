//! A few numbers that other sessions can read while this one works, before anything is committed.
//!
//! PostgreSQL shows to others only what is committed, and shared memory of one's own has to be preloaded.
//! The lock table is shared by all: a lock that nobody waits for, of the type `userlock` that no SQL
//! function takes, carries 80 bits of its owner's choice, is read in `pg_locks` all at one moment, and
//! goes with its transaction or its backend, however those end.

use std::cell::RefCell;

use pgrx::pg_sys;

/// How many numbers a session can publish; their keys are 0 to `KEYS - 1`.
pub const KEYS: usize = 16;

type Values = [Option<u64>; KEYS];

thread_local! {
    // A backend has one thread; these are the locks it may hold.
    static PUBLISHED: RefCell<Values> = const { RefCell::new([None; KEYS]) };
}

fn tag(key: usize, value: u64) -> pg_sys::LOCKTAG {
    // SAFETY: reads a global.
    let database = unsafe { pg_sys::MyDatabaseId }.to_u32();
    pg_sys::LOCKTAG {
        locktag_field1: database,
        locktag_field2: (value >> 32) as u32,
        locktag_field3: (value & u64::from(u32::MAX)) as u32,
        locktag_field4: key as u16,
        locktag_type: pg_sys::LockTagType::LOCKTAG_USERLOCK as u8,
        locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
    }
}

/// A mode that doesn't conflict with itself.
const MODE: pg_sys::LOCKMODE = pg_sys::AccessShareLock as pg_sys::LOCKMODE;

/// Runs `body` as if no subtransaction were open, so that the end of one doesn't take the lock along.
fn for_whole_transaction<R>(body: impl FnOnce() -> R) -> R {
    // SAFETY: both owners outlive the call: the current one is put back right after it, and `body` can't
    // raise, as its callers see to.
    unsafe {
        let owner = pg_sys::CurrentResourceOwner;
        pg_sys::CurrentResourceOwner = pg_sys::TopTransactionResourceOwner;
        let result = body();
        pg_sys::CurrentResourceOwner = owner;
        result
    }
}

/// Takes the lock; a full lock table is no reason to fail.
fn acquire(key: usize, value: u64) {
    let tag = tag(key, value);
    for_whole_transaction(|| {
        // SAFETY: a valid tag; doesn't wait, and says so instead of raising when memory is short.
        unsafe {
            #[cfg(not(feature = "pg18"))]
            pg_sys::LockAcquireExtended(&tag, MODE, false, true, false, std::ptr::null_mut());
            #[cfg(feature = "pg18")]
            pg_sys::LockAcquireExtended(
                &tag,
                MODE,
                false,
                true,
                false,
                std::ptr::null_mut(),
                false,
            );
        }
    });
}

fn release(key: usize, value: u64) {
    let tag = tag(key, value);
    // SAFETY: valid tags. The lock may have gone with its transaction meanwhile, so it is looked for first.
    unsafe {
        #[cfg(any(feature = "pg15", feature = "pg16"))]
        let is_held = pg_sys::LockHeldByMe(&tag, MODE);
        #[cfg(not(any(feature = "pg15", feature = "pg16")))]
        let is_held = pg_sys::LockHeldByMe(&tag, MODE, false);
        if is_held {
            for_whole_transaction(|| pg_sys::LockRelease(&tag, MODE, false));
        }
    }
}

/// Publishes a number under a key, in place of the one before.
pub fn publish(key: usize, value: u64) {
    let before = PUBLISHED.with_borrow(|values| values.get(key).copied().flatten());
    if before == Some(value) || key >= KEYS {
        return;
    }
    // The new one first: a reader sees one of the two, or both, but never none.
    acquire(key, value);
    if let Some(before) = before {
        release(key, before);
    }
    PUBLISHED.with_borrow_mut(|values| {
        if let Some(slot) = values.get_mut(key) {
            *slot = Some(value);
        }
    });
}

/// Takes back what is published under a key.
pub fn withdraw(key: usize) {
    let before = PUBLISHED.with_borrow_mut(|values| values.get_mut(key).and_then(Option::take));
    if let Some(before) = before {
        release(key, before);
    }
}

/// Takes back everything.
pub fn withdraw_all() {
    (0..KEYS).for_each(withdraw);
}
