//! Whether a table that has changed since a snapshot can still take its rows. Said before a row is
//! touched, every reason at once.

use versioning_core::snapshot::manifest::{Encoding, Table};

use crate::error::{Error, Result};
use crate::snapshot::decoding::type_named;
use crate::snapshot::source::LiveTable;

/// Refuses when a table is gone, lacks a column of the snapshot, has a new column that must have a value,
/// or when a type is gone.
///
/// # Errors
/// 55000, with every reason in DETAIL.
pub fn refuse_drift(tables: &[(&Table, Option<LiveTable>)]) -> Result<()> {
    let mut reasons = Vec::new();
    for (table, live) in tables {
        match live {
            Some(live) => table_reasons(table, live, &mut reasons)?,
            None => reasons.push(format!("Table \"{}\" does not exist.", table.name)),
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Error::wrong_state("the tables have changed since the snapshot was taken")
        .detail(reasons.join(" "))
        .hint("Nothing was changed. Roll the module back to the snapshot's version first, or restore other tables."))
}

fn table_reasons(table: &Table, live: &LiveTable, reasons: &mut Vec<String>) -> Result<()> {
    let name = &table.name;
    for column in &table.columns {
        let reason = match live.column(&column.name) {
            None => "does not exist".to_owned(),
            Some(found) if found.generated => "is generated now".to_owned(),
            Some(found)
                if column.encoding == Encoding::Binary
                    && found.column.type_name != column.type_name
                    && type_named(&column.type_name)?.is_none() =>
            {
                format!("was of type {}, which does not exist", column.type_name)
            }
            Some(_) => continue,
        };
        reasons.push(format!(
            "Column \"{}\" of table \"{name}\" {reason}.",
            column.name
        ));
    }
    let new = |name: &str| !table.columns.iter().any(|column| column.name == name);
    for column in live
        .columns
        .iter()
        .filter(|column| column.required && !column.generated)
    {
        if new(&column.column.name) {
            reasons.push(format!(
                "Column \"{}\" of table \"{name}\" is not in the snapshot, may not be null and has no default.",
                column.column.name
            ));
        }
    }
    Ok(())
}
