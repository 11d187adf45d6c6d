//! Work of up scripts that takes the longer the more rows a table has, on tables that have many.

use versioning_core::model::Migration;

use super::situation::Situation;
use super::store;
use super::upgrade_plan::Parsed;
use crate::error::Result;
use crate::migration::effects::{self, Heavy};

/// From how many rows on such work is worth a word: below, it takes about as long as the rest.
const MANY_ROWS: i64 = 100_000;

/// A sentence for each large table that a script rewrites, reads, indexes or writes as a whole.
///
/// # Errors
/// None of its own.
pub fn warnings(situation: &Situation, parsed: &[Parsed<'_>]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (migration, _) in parsed {
        let script = effects::of_up_script(&migration.up_sql, &migration.checksum)?;
        for heavy in &script.heavy {
            let schema = heavy.table.schema.as_deref();
            let schema = schema.unwrap_or_else(|| situation.schema());
            let rows = store::plan::estimated_rows(schema, &heavy.table.name)?;
            if let Some(rows) = rows.filter(|rows| *rows > MANY_ROWS) {
                found.push(sentence(migration, heavy, rows));
            }
        }
    }
    Ok(found)
}

fn sentence(migration: &Migration, heavy: &Heavy, rows: i64) -> String {
    let Heavy {
        table,
        kind,
        statement_number,
        hint,
    } = heavy;
    let what = match *kind {
        "index_build" => "builds an index on",
        "table_rewrite" => "rewrites",
        "validation_scan" => "reads all of",
        _ => "writes every row of",
    };
    format!(
        "statement {statement_number} of migration {} {what} table {table} with about {rows} rows, and others wait for it ({kind}): {hint}",
        migration.sequence
    )
}
