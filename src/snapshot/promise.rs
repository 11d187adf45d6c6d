//! What a table is to hold when a restore is done, as two sums that one look at the table can make again.
//!
//! A row version never changes where it lies. So the rows that are the same before and after need not be
//! read to be known by their places; and what the restore wrote has its transaction's id.

use std::collections::HashSet;
use std::sync::Arc;

use versioning_core::snapshot::manifest::{Column, Table};
use versioning_core::snapshot::matching::MultisetHash;

use crate::error::Result;
use crate::pg::transaction;
use crate::snapshot::chunks::AHEAD_MAX;
use crate::snapshot::difference::Difference;
use crate::snapshot::hashing::{Hashed, Hashing, Known};
use crate::snapshot::reading::{read_chunks_where, read_places_where};
use crate::snapshot::source::LiveTable;

/// What a table is to hold.
pub struct Promise {
    /// The places of the rows that stay.
    pub kept: MultisetHash,
    /// The rows that are written, in the columns that table and snapshot both have.
    written: MultisetHash,
}

impl Promise {
    /// What was promised for a table, when its rows have been written.
    pub fn of(difference: &Difference<'_>) -> Self {
        let mut written = difference.wanted;
        written.add_all(difference.missing.wanted);
        Self {
            kept: difference.kept,
            written,
        }
    }

    /// Whether the table, read with the active snapshot, holds that. To be asked in the subtransaction that
    /// compared and wrote.
    ///
    /// # Errors
    /// None of its own.
    pub fn is_kept(&self, table: &Table, live: &LiveTable, site_id: &str) -> Result<bool> {
        let id = transaction::current_id();
        // One look is enough where no row stays.
        let mut ours = "true".to_owned();
        if self.kept.count() > 0 || self.written.count() == 0 {
            ours = format!("t.xmin OPERATOR(pg_catalog.=) '{id}'::pg_catalog.xid");
            let mut kept = MultisetHash::default();
            read_places_where(live, site_id, &format!("NOT {ours}"), &mut |place| {
                kept.add_number(place.number());
                Ok(())
            })?;
            if kept != self.kept {
                return Ok(false);
            }
        }
        let common = |column: &&Column| live.stored_columns().any(|c| c.name == column.name);
        let columns: Vec<&Column> = table.columns.iter().filter(common).collect();
        let mut written = MultisetHash::default();
        let mut add = |hashed: Hashed| hashed.hashes.rows.iter().for_each(|row| written.add(row));
        let mut hashing = Hashing::new(Arc::new(Known {
            chunks: HashSet::new(),
            raw: None,
        }));
        read_chunks_where(live, &columns, site_id, &ours, &mut |chunk, places| {
            hashing.give(chunk, places)?;
            while let Some(hashed) = hashing.next(AHEAD_MAX)? {
                add(hashed);
            }
            Ok(())
        })?;
        while let Some(hashed) = hashing.next(0)? {
            add(hashed);
        }
        Ok(written == self.written)
    }
}
