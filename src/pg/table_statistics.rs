//! What this transaction will add to the cumulative statistics of tables, to take it back: work that is
//! undone still counts there, and would make autovacuum and people believe that it had happened.

use pgrx::pg_sys;

type Counts = pg_sys::PgStat_TableCounts;

/// What the transaction had counted for each of some tables and indexes.
pub struct Counted(Vec<(pg_sys::Oid, Option<Counts>)>);

/// Notes what has been counted so far.
pub fn noted(relations: &[pg_sys::Oid]) -> Counted {
    Counted(
        relations
            .iter()
            .map(|relation| (*relation, counts(*relation)))
            .collect(),
    )
}

/// How large the planner takes a table to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// `relpages`.
    pub pages: i32,
    /// `reltuples`.
    pub rows: f32,
    /// `relallvisible`.
    pub all_visible: i32,
    /// `relallfrozen`, from PostgreSQL 18 on.
    pub all_frozen: i32,
}

/// Writes the size of a table in place, as the server itself does when it builds an index: that survives
/// a rollback, and so does this. Does nothing when somebody is at the table.
pub fn set_size(relation: pg_sys::Oid, size: Size) {
    let pages = |count: i32| pg_sys::BlockNumber::try_from(count).unwrap_or(0);
    let lock = pg_sys::ShareUpdateExclusiveLock as pg_sys::LOCKMODE;
    // SAFETY: the relation is locked as VACUUM locks it, and open until it is closed below; no transaction
    // ids are given, and within a transaction block the flags of the row are left alone.
    unsafe {
        if !pg_sys::ConditionalLockRelationOid(relation, lock) {
            return;
        }
        let opened = pg_sys::RelationIdGetRelation(relation);
        if opened.is_null() {
            return;
        }
        pg_sys::vac_update_relstats(
            opened,
            pages(size.pages),
            f64::from(size.rows),
            pages(size.all_visible),
            #[cfg(feature = "pg18")]
            pages(size.all_frozen),
            true,
            pg_sys::InvalidTransactionId,
            pg_sys::InvalidTransactionId,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            true,
        );
        pg_sys::RelationClose(opened);
    }
}

/// Puts the counts back to what was noted.
pub fn put_back(Counted(noted): &Counted) {
    for (relation, before) in noted {
        if counts(*relation).is_some() {
            // SAFETY: zeros are what a new entry begins with.
            set(*relation, before.unwrap_or(unsafe { std::mem::zeroed() }));
        }
    }
}

fn counts(relation: pg_sys::Oid) -> Option<Counts> {
    // SAFETY: NULL, or an entry (from 16 on a palloc'd copy of it) that is read at once.
    unsafe {
        let entry = pg_sys::find_tabstat_entry(relation);
        if entry.is_null() {
            return None;
        }
        #[cfg(feature = "pg15")]
        let counts = (*entry).t_counts;
        #[cfg(not(feature = "pg15"))]
        let counts = (*entry).counts;
        Some(counts)
    }
}

fn set(relation: pg_sys::Oid, counts: Counts) {
    // SAFETY: NULL when there is no such relation; else it stays open until it is closed below. The entry
    // that pgstat_assoc_relation finds is the one just seen, for it is made once for each transaction.
    unsafe {
        let opened = pg_sys::RelationIdGetRelation(relation);
        if opened.is_null() {
            return;
        }
        pg_sys::pgstat_init_relation(opened);
        if (*opened).pgstat_enabled {
            if (*opened).pgstat_info.is_null() {
                pg_sys::pgstat_assoc_relation(opened);
            }
            let entry = (*opened).pgstat_info;
            #[cfg(feature = "pg15")]
            {
                (*entry).t_counts = counts;
            }
            #[cfg(not(feature = "pg15"))]
            {
                (*entry).counts = counts;
            }
        }
        pg_sys::RelationClose(opened);
    }
}
