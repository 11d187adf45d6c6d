//! Puts sequences back.

use versioning_core::snapshot::manifest::{Sequence, Table};

use crate::error::Result;
use crate::pg::query;
use crate::snapshot::quiet::qualified;
use crate::snapshot::source::LiveTable;

/// Puts the sequences that the table's columns own back to where they were when the snapshot was taken.
/// One that several sites share only ever moves forward.
///
/// # Errors
/// None of its own.
pub fn put_back(table: &Table, live: &LiveTable) -> Result<()> {
    move_to(table, live, live.source.site_column.is_none())
}

/// Moves the sequences on to where they were, where they are behind.
///
/// # Errors
/// None of its own.
pub fn move_forward(table: &Table, live: &LiveTable) -> Result<()> {
    move_to(table, live, false)
}

fn move_to(table: &Table, live: &LiveTable, also_back: bool) -> Result<()> {
    for now in live.sequences()? {
        let same = |was: &&Sequence| (&was.schema, &was.name) == (&now.schema, &now.name);
        let Some(was) = table.sequences.iter().find(same) else {
            continue;
        };
        let is_ahead = (was.last_value, was.is_called) > (now.last_value, now.is_called);
        if *was != now && (is_ahead || also_back) {
            live.as_owner(|| set(was))?;
        }
    }
    Ok(())
}

/// `setval` alone would stay when the transaction is rolled back; after ALTER SEQUENCE it acts on the new
/// file of the sequence, which only this transaction sees.
fn set(sequence: &Sequence) -> Result<()> {
    let name = qualified(&sequence.schema, &sequence.name);
    query::run(&format!("ALTER SEQUENCE {name} RESTART"), &[])?;
    query::run(
        "SELECT pg_catalog.setval($1::pg_catalog.regclass, $2, $3)",
        &[
            name.into(),
            sequence.last_value.into(),
            sequence.is_called.into(),
        ],
    )?;
    Ok(())
}
