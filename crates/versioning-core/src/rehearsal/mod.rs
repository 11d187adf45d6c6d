//! What a rehearsal saw and what that means: locks, rewrites, scans, whether the way back is a way back.
//!
//! Everything here is judged from facts that were measured while the scripts ran; nothing is read from
//! their text.

pub mod attribution;
pub mod finding;
pub mod hazard;
pub mod homecoming;
pub mod lock;
pub mod membership;
pub mod narrowing;
pub mod probe;
pub mod shape;
pub mod unfilled;
pub mod verdict;

#[cfg(test)]
mod tests;

pub use finding::Finding;
pub use hazard::{Hazards, hazards};
pub use lock::Mode;

use std::collections::{BTreeMap, BTreeSet};

/// A relation as it was before the scripts ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its number, which no script changes.
    pub oid: u32,
    /// As findings name it.
    pub shown: String,
    /// What it is.
    pub kind: Kind,
    /// The number of its file; 0 where it has none.
    pub file: u32,
    /// The table of an index.
    pub table: Option<u32>,
}

/// What a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An ordinary table.
    Table,
    /// A table that consists of partitions.
    PartitionedTable,
    /// A table elsewhere.
    ForeignTable,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// An index.
    Index,
    /// A sequence.
    Sequence,
    /// Any other.
    Other,
}

impl Kind {
    /// The kind of that letter in `pg_class.relkind`.
    pub fn from_letter(letter: &str) -> Self {
        match letter {
            "r" => Self::Table,
            "p" => Self::PartitionedTable,
            "f" => Self::ForeignTable,
            "v" => Self::View,
            "m" => Self::MaterializedView,
            "i" | "I" => Self::Index,
            "S" => Self::Sequence,
            _ => Self::Other,
        }
    }

    /// Whether people read and write rows in it.
    pub fn is_table(self) -> bool {
        matches!(
            self,
            Self::Table | Self::PartitionedTable | Self::ForeignTable | Self::MaterializedView
        )
    }

    /// Whether somebody may wait for it by name: all but what belongs to a table.
    pub fn is_named_in_locks(self) -> bool {
        !matches!(self, Self::Index | Self::Other)
    }
}

/// The relations that were there before the scripts, by number.
pub type Relations = BTreeMap<u32, Relation>;

/// Rows that a statement wrote in a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// New rows.
    pub inserted: i64,
    /// Rows overwritten.
    pub updated: i64,
    /// Rows gone.
    pub deleted: i64,
}

impl Written {
    /// Whether any row that was there is not as it was.
    pub fn changes_rows(self) -> bool {
        self.updated > 0 || self.deleted > 0
    }

    /// What came on top of `earlier`. Counters that were set back count from nothing.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        let step = |now: i64, then: i64| if now < then { now } else { now - then };
        Self {
            inserted: step(self.inserted, earlier.inserted),
            updated: step(self.updated, earlier.updated),
            deleted: step(self.deleted, earlier.deleted),
        }
    }
}

/// An index that a statement made on a table that was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIndex {
    /// As findings name it.
    pub shown: String,
    /// Its table.
    pub table: u32,
    /// Its file; one that another index had before was not built but taken over.
    pub file: u32,
}

/// What was seen of one statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// Its place in its script, from 1.
    pub number: i32,
    /// The migration it belongs to, where there are several.
    pub migration: Option<i32>,
    /// Locks that were not held before it, the strongest for each relation.
    pub locks: Vec<(u32, Mode)>,
    /// Relations with another file than before the statement.
    pub files: Vec<u32>,
    /// Tables that a TRUNCATE emptied.
    pub truncated: Vec<u32>,
    /// Objects of the catalog that became new, changed or gone: numbers of object and part.
    pub objects: BTreeSet<(u32, i32)>,
    /// Indexes that are new.
    pub indexes: Vec<NewIndex>,
    /// Tables that were read from end to end, and what new rule of the catalog asked for that.
    pub scans: Vec<(u32, Vec<String>)>,
    /// Rows written, and how many the table holds, counted only as far as it matters.
    pub written: Vec<(u32, Written, i64)>,
    /// Bytes written to the write-ahead log.
    pub wal_bytes: u64,
}
