//! Live rows of chunks that a snapshot doesn't have: those that may have changed.

use versioning_core::snapshot::difference::Unmatched;
use versioning_core::snapshot::hash::Hash;
use versioning_core::snapshot::manifest::Piece;
use versioning_core::snapshot::matching::{MultisetHash, RowHash, RowIndex};

use crate::pg::row_stream::Place;
use crate::snapshot::hashing::{Hashed, row_hashes};
use crate::snapshot::raw_rows::RawRows;

/// How many rows of changed chunks are held in memory at a time. Where there are more, they are matched
/// in several passes, each over a share of the rows chosen by hash.
pub const CHANGED_MAX: u64 = 2_000_000;

/// The rows whose hash says `number` of `of`.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// Which share.
    pub number: u64,
    /// Of how many.
    pub of: u64,
}

/// All rows.
pub const ALL: Share = Share { number: 0, of: 1 };

impl Share {
    /// Whether the row is in it.
    pub fn has(self, hash: &RowHash) -> bool {
        let [.., high, low] = *hash;
        self.of == 1 || u64::from(u16::from_be_bytes([high, low])) % self.of == self.number
    }
}

/// Live rows of changed chunks.
#[derive(Default)]
pub struct Changed {
    /// By their hashes.
    pub rows: RowIndex<Place>,
    /// Hashes of their primary keys.
    pub keys: Vec<u64>,
}

impl Changed {
    /// Whether no changed row has the primary key of these fields.
    pub fn lacks(&self, raw: &RawRows, fields: &[Option<&[u8]>]) -> bool {
        raw.key(fields)
            .is_none_or(|key| self.keys.binary_search(&key).is_err())
    }
}

/// What comparing the chunks found.
#[derive(Default)]
pub struct Found {
    /// Whether each live chunk is in the snapshot too.
    pub equal: Vec<bool>,
    /// How many rows the others have.
    pub count: u64,
    /// The places of the rows of equal chunks.
    pub kept: MultisetHash,
    /// These rows, unless they are too many.
    pub changed: Changed,
}

impl Found {
    /// Whether the changed rows are too many to be held at a time.
    pub fn is_too_much(&self) -> bool {
        self.count > CHANGED_MAX
    }

    /// Adds a live chunk.
    pub fn add(
        &mut self,
        hashed: Hashed,
        groups: &mut Unmatched<Vec<Hash>, (usize, &[Piece])>,
        raw: Option<&RawRows>,
    ) {
        let Hashed {
            chunk,
            places,
            mut hashes,
        } = hashed;
        let is_equal = groups.take(&hashes.key).is_some();
        self.equal.push(is_equal);
        if is_equal {
            places
                .iter()
                .for_each(|place| self.kept.add_number(place.number()));
            return;
        }
        self.count += chunk.row_count() as u64;
        if self.is_too_much() {
            self.changed = Changed::default();
            return;
        }
        if hashes.rows.is_empty() {
            // The snapshot has the chunk, but not as often.
            hashes.rows = row_hashes(chunk.rows());
            hashes.keys = raw.map_or_else(Vec::new, |raw| raw.keys(chunk.rows()));
        }
        for (hash, place) in hashes.rows.into_iter().zip(places) {
            self.changed.rows.add(hash, place);
        }
        self.changed.keys.extend(hashes.keys);
    }
}
