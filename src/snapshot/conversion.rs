//! Whether a column can take the values that a snapshot has for it.

use versioning_core::snapshot::manifest::{Column, Encoding, Table};
use versioning_core::snapshot::row::RowReader;

use crate::error::{Error, Result};
use crate::pg::subtransaction::in_subtransaction;
use crate::snapshot::chunks::Reader;
use crate::snapshot::decoding::{RowDecoder, targets};
use crate::snapshot::source::LiveTable;
use crate::snapshot::verify;

/// Types from here on belong to the database and may have changed under their names.
const FIRST_OWN_TYPE: u32 = pgrx::pg_sys::FirstNormalObjectId;

/// Whether the column has another type than it had.
pub fn is_retyped(column: &Column, live: &LiveTable) -> bool {
    live.column(&column.name)
        .is_some_and(|live| live.column.type_name != column.type_name)
}

/// Whether values that were of the column's type may not be any more, though its name is the same: an enum
/// without a label that it had, a domain with one condition more.
pub fn may_refuse(column: &Column, live: &LiveTable) -> bool {
    live.column(&column.name).is_some_and(|live| {
        column.encoding == Encoding::Text || live.kind.oid.to_u32() >= FIRST_OWN_TYPE
    })
}

/// What is said of the first value of the column that its type does not take now.
///
/// # Errors
/// XX001 when a chunk is damaged.
pub fn refusal(table: &Table, live: &LiveTable, column: &Column) -> Result<Option<String>> {
    match in_subtransaction(|| live.as_owner(|| read_all(table, live, column))) {
        Ok(()) => Ok(None),
        Err(Error::Raised(raised)) => Ok(Some(raised.words.message)),
        Err(error) => Err(error),
    }
}

fn read_all(table: &Table, live: &LiveTable, column: &Column) -> Result<()> {
    let targets = targets(table, live, &[column]);
    let mut decoder = RowDecoder::new(&table.columns, &targets)?;
    let damaged = |damage: &str| verify::damaged_since(table, damage);
    let mut chunks = Reader::new(table.chunk_groups(), false, |_| ())?;
    while let Some((_, read)) = chunks.next()? {
        let read = read.map_err(|damage| damaged(&damage))?;
        let mut reader = RowReader::new(&read.bytes, table.columns.len());
        let mut fields = Vec::new();
        while let Some(row) = reader.next_into(&mut fields) {
            pgrx::check_for_interrupts!();
            row.map_err(|error| damaged(&error.to_string()))?;
            decoder.check(&fields)?;
        }
    }
    Ok(())
}
