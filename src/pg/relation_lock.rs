//! The locks on relations that this backend holds, as its own lock table has them, and those on sequences
//! that outlive the subtransaction in which a number was taken.

use std::collections::BTreeMap;

use pgrx::pg_sys;

/// How each relation of this database is locked: a bit for each mode, the weakest being bit 1.
pub fn held() -> BTreeMap<u32, i32> {
    let mut found = BTreeMap::new();
    // SAFETY: main thread; the server copies its lock table into palloc'd memory of the current context,
    // with `nelements` elements, and the copy is freed below.
    unsafe {
        let data = pg_sys::GetLockStatusData();
        let count = usize::try_from((*data).nelements).unwrap_or(0);
        let locks = if (*data).locks.is_null() {
            &[]
        } else {
            std::slice::from_raw_parts((*data).locks, count)
        };
        let (own, database) = (pg_sys::MyProcPid, pg_sys::MyDatabaseId.to_u32());
        for lock in locks {
            let tag = &lock.locktag;
            let is_relation = u32::from(tag.locktag_type) == pg_sys::LockTagType::LOCKTAG_RELATION;
            if lock.pid == own && is_relation && tag.locktag_field1 == database {
                *found.entry(tag.locktag_field2).or_insert(0) |= lock.holdMask;
            }
        }
        if !(*data).locks.is_null() {
            pg_sys::pfree((*data).locks.cast());
        }
        pg_sys::pfree(data.cast());
    }
    found
}

/// `pg_largeobject` and its index.
const LARGE_OBJECTS: [u32; 2] = [2613, 2683];

// The large objects' own clean-up, which pgrx doesn't bind.
unsafe extern "C-unwind" {
    fn close_lo_relation(is_commit: bool);
}

/// Gives back the locks on sequences and on the table of large objects that were not held before. The server
/// takes them for the whole transaction, whichever subtransaction takes a number or writes an object, so that
/// undoing that one leaves them behind.
pub fn release_lasting(before: &BTreeMap<u32, i32>) {
    let mode = pg_sys::RowExclusiveLock as i32;
    let new = |(relation, mask): &(u32, i32)| {
        *mask == 1 << mode && before.get(relation).copied().unwrap_or(0) & (1 << mode) == 0
    };
    let lasting: Vec<u32> = (held().into_iter().filter(new))
        .map(|(relation, _)| relation)
        .filter(|relation| is_lasting(*relation))
        .collect();
    if lasting.contains(&LARGE_OBJECTS[0]) {
        // SAFETY: main thread inside a transaction, in which nobody had opened the table before: it is closed,
        // and opened and locked anew when it is needed.
        unsafe { close_lo_relation(true) };
    }
    for relation in lasting {
        // SAFETY: main thread inside a transaction; the lock was taken by the transaction's own resource
        // owner, which is the current one for this call only.
        unsafe {
            let owner = pg_sys::CurrentResourceOwner;
            pg_sys::CurrentResourceOwner = pg_sys::TopTransactionResourceOwner;
            pg_sys::UnlockRelationOid(pg_sys::Oid::from(relation), mode);
            pg_sys::CurrentResourceOwner = owner;
        }
    }
}

/// Whether a lock on the relation outlives its subtransaction: that of a sequence, one that is gone by now
/// included, and of the table of large objects.
fn is_lasting(relation: u32) -> bool {
    // SAFETY: a look-up in the server's cache; 0 for a relation that is not there.
    let kind = unsafe { pg_sys::get_rel_relkind(pg_sys::Oid::from(relation)) };
    let kind = u8::try_from(kind).unwrap_or_default();
    kind == 0 || kind == pg_sys::RELKIND_SEQUENCE || LARGE_OBJECTS.contains(&relation)
}
