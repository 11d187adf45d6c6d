//! The rows of a chunk, each with the hash by which it is compared with live rows.

use versioning_core::snapshot::hash::Hash;
use versioning_core::snapshot::matching::RowHash;
use versioning_core::snapshot::row::{self, RowReader, RowWriter};

use crate::snapshot::decoding::Target;

/// A row of a chunk.
pub struct HashedRow {
    /// The hash.
    pub hash: RowHash,
    /// Where it ends in the chunk.
    pub end: usize,
}

/// The rows of a chunk, as far as it consists of rows.
pub fn hashed_rows(bytes: &[u8], columns: usize) -> Vec<HashedRow> {
    let mut end = 0;
    let hashed = |row: &[u8]| {
        end += row.len();
        let hash = Hash::of(row).half();
        HashedRow { hash, end }
    };
    row::rows(bytes, columns).map(hashed).collect()
}

/// The same, hashed as they would be written without the columns that have no target.
pub fn hashed_parts(bytes: &[u8], targets: &[Option<Target>]) -> Vec<HashedRow> {
    let mut reader = RowReader::new(bytes, targets.len());
    let (mut fields, mut end, mut rows) = (Vec::new(), 0, Vec::new());
    while let Some(Ok(row)) = reader.next_into(&mut fields) {
        end += row.len();
        let hash = Hash::of(&part_of(&fields, targets)).half();
        rows.push(HashedRow { hash, end });
    }
    rows
}

/// The row as it would be written without the columns that have no target.
pub fn part_of(fields: &[Option<&[u8]>], targets: &[Option<Target>]) -> Vec<u8> {
    let kept = || {
        fields
            .iter()
            .zip(targets)
            .filter(|(_, target)| target.is_some())
    };
    let mut bytes = Vec::new();
    let mut writer = RowWriter::begin(
        &mut bytes,
        u16::try_from(kept().count()).unwrap_or(u16::MAX),
    );
    for (field, _) in kept() {
        match field {
            // A value that was read has a length that can be written.
            Some(value) => _ = writer.value(value).is_ok(),
            None => writer.null(),
        }
    }
    bytes
}
