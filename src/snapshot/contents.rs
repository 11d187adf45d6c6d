//! Whether two stored tables hold the same rows, in the columns that both have.

use versioning_core::snapshot::manifest::Table;
use versioning_core::snapshot::row::RowReader;

use crate::error::Result;
use crate::snapshot::chunks::Reader;
use crate::snapshot::refill_side::content;
use crate::snapshot::verify;

/// Whether `part`, which has some of the columns, has the same rows as `table`, in whatever order.
///
/// # Errors
/// XX001 when a chunk is damaged.
pub fn are_same(table: &Table, part: &Table) -> Result<bool> {
    let names: Vec<&str> = part
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    Ok(table.rows == part.rows && sum(table, &names)? == sum(part, &names)?)
}

/// The sum of a hash of each row.
fn sum(table: &Table, names: &[&str]) -> Result<i64> {
    let places: Vec<Option<usize>> = names
        .iter()
        .map(|name| table.columns.iter().position(|column| column.name == *name))
        .collect();
    let damaged = |damage: &str| verify::damaged_since(table, damage);
    let mut chunks = Reader::new(table.chunk_groups(), false, |_| ())?;
    let mut sum = 0_i64;
    while let Some((_, read)) = chunks.next()? {
        let read = read.map_err(|damage| damaged(&damage))?;
        for row in RowReader::new(&read.bytes, table.columns.len()) {
            pgrx::check_for_interrupts!();
            let row = row.map_err(|error| damaged(&error.to_string()))?;
            sum = sum.wrapping_add(content(&row.fields, &places));
        }
    }
    Ok(sum)
}
