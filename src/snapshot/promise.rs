//! What a table is to hold when a restore is done, as two sums that one look at the table can make again.
//!
//! A row version never changes where it lies. So the rows that are the same before and after need not be
//! read to be known by their places; and what the restore wrote has its transaction's id.

use versioning_core::snapshot::chunker::{CHUNK_MIN, Chunk};
use versioning_core::snapshot::manifest::{Column, Table};
use versioning_core::snapshot::matching::MultisetHash;

use crate::error::Result;
use crate::pg::helper_thread::HelperThread;
use crate::pg::transaction;
use crate::snapshot::chunks::AHEAD_MAX;
use crate::snapshot::difference::Difference;
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
        let mut sum = Sum::default();
        read_chunks_where(live, &columns, site_id, &ours, &mut |chunk, _| {
            sum.add(chunk)
        })?;
        Ok(sum.finish()? == self.written)
    }
}

/// Adds up the rows of chunks; of large ones in a helper thread, while the table is read on.
#[derive(Default)]
struct Sum {
    helper: Option<HelperThread<Chunk, (u64, MultisetHash)>>,
    /// Bytes that the helper has not added up yet.
    begun: u64,
    rows: MultisetHash,
}

impl Sum {
    fn add(&mut self, chunk: Chunk) -> Result<()> {
        if self.helper.is_none() && chunk.bytes().len() < CHUNK_MIN {
            self.rows.add_all(of_rows(&chunk));
            return Ok(());
        }
        let helper = match &mut self.helper {
            Some(helper) => helper,
            none => none.insert(HelperThread::start(|chunk: Chunk| {
                (chunk.bytes().len() as u64, of_rows(&chunk))
            })?),
        };
        self.begun += chunk.bytes().len() as u64;
        helper.give(chunk)?;
        self.take(AHEAD_MAX)
    }

    /// Takes what is done, waiting until no more than so many bytes are left to do.
    fn take(&mut self, begun: u64) -> Result<()> {
        let Some(helper) = &mut self.helper else {
            return Ok(());
        };
        loop {
            let done = if self.begun > begun {
                helper.wait()?
            } else {
                helper.ready()
            };
            let Some((bytes, rows)) = done else {
                return Ok(());
            };
            self.begun = self.begun.saturating_sub(bytes);
            self.rows.add_all(rows);
        }
    }

    fn finish(mut self) -> Result<MultisetHash> {
        self.take(0)?;
        Ok(self.rows)
    }
}

fn of_rows(chunk: &Chunk) -> MultisetHash {
    let mut all = MultisetHash::default();
    chunk.rows().for_each(|row| all.add_bytes(row));
    all
}
