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

/// Gives back the locks on sequences that were not held before. The server takes them for the whole
/// transaction, whichever subtransaction takes a number, so that undoing that one leaves them behind.
pub fn release_sequences(before: &BTreeMap<u32, i32>) {
    let mode = pg_sys::RowExclusiveLock as i32;
    for (relation, mask) in held() {
        let is_new = before.get(&relation).copied().unwrap_or(0) & (1 << mode) == 0;
        let relation = pg_sys::Oid::from(relation);
        // SAFETY: main thread inside a transaction; the lock was taken by the transaction's own resource
        // owner, which is the current one for this call only.
        unsafe {
            let kind = u8::try_from(pg_sys::get_rel_relkind(relation)).unwrap_or_default();
            if kind == pg_sys::RELKIND_SEQUENCE && mask == 1 << mode && is_new {
                let owner = pg_sys::CurrentResourceOwner;
                pg_sys::CurrentResourceOwner = pg_sys::TopTransactionResourceOwner;
                pg_sys::UnlockRelationOid(relation, mode);
                pg_sys::CurrentResourceOwner = owner;
            }
        }
    }
}
