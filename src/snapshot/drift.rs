//! Whether a table that has changed since a snapshot can still take its rows. Said before a row is
//! touched, every reason at once.

use pgrx::prelude::PgSqlErrorCode;
use versioning_core::snapshot::manifest::{Column, Encoding, Table};

use crate::error::{Error, Result};
use crate::snapshot::conversion::{is_retyped, may_refuse, refusal};
use crate::snapshot::decoding::type_named;
use crate::snapshot::obstacle;
use crate::snapshot::rights::refusal_of_one;
use crate::snapshot::source::LiveTable;

/// Refuses when a table is gone, lacks a column of the snapshot, has a new column that must have a value,
/// when a type is gone, or a column's new type does not take its values.
///
/// # Errors
/// 55000, with every reason in DETAIL.
pub fn refuse_drift(tables: &[(&Table, Option<LiveTable>)]) -> Result<()> {
    let mut reasons = Vec::new();
    for (table, live) in tables {
        match live {
            Some(live) => table_reasons(table, live, &mut reasons)?,
            None => reasons.push(missing(table)),
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    Err(changed(&reasons))
}

/// Refuses when a table is gone: what became of its rows can't be told.
///
/// # Errors
/// 55000, naming all of them.
pub fn refuse_missing(tables: &[(&Table, Option<LiveTable>)]) -> Result<()> {
    let gone: Vec<String> = tables
        .iter()
        .filter(|(_, live)| live.is_none())
        .map(|(table, _)| missing(table))
        .collect();
    if gone.is_empty() {
        return Ok(());
    }
    Err(changed(&gone))
}

fn missing(table: &Table) -> String {
    format!("Table \"{}\" does not exist.", table.name)
}

/// The error, or a better one that names the owner who lacks rights, or the columns which refuse values of the
/// snapshot, also where their types are called as before.
///
/// # Errors
/// XX001 when a chunk is damaged.
pub fn explained(tables: &[(&Table, Option<LiveTable>)], error: Error) -> Result<Error> {
    if error.code() == PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE {
        let lives = tables.iter().filter_map(|(_, live)| live.as_ref());
        return Ok(refusal_of_one(lives)?.unwrap_or(error));
    }
    let mut reasons = Vec::new();
    for (table, live) in tables {
        let Some(live) = live else { continue };
        for column in &table.columns {
            let is_stored = live
                .column(&column.name)
                .is_some_and(|live| !live.generated);
            if is_stored
                && (is_retyped(column, live) || may_refuse(column, live))
                && let Some(refused) = refused(table, live, column)?
            {
                reasons.push(format!(
                    "Column \"{}\" of table \"{}\" {refused}.",
                    column.name, table.name
                ));
            }
        }
    }
    if reasons.is_empty() {
        obstacle::explained(tables, error)
    } else {
        Ok(changed(&reasons))
    }
}

/// What is wrong with the type that the column has now, if it doesn't take the column's values.
fn refused(table: &Table, live: &LiveTable, column: &Column) -> Result<Option<String>> {
    let Some(found) = live.column(&column.name) else {
        return Ok(None);
    };
    let (was, is) = (&column.type_name, &found.column.type_name);
    Ok(refusal(table, live, column)?.map(|message| {
        if was == is {
            format!("is of type {is}, which does not take all its values any more: {message}")
        } else {
            format!("was of type {was} and is of type {is} now, which does not take all its values: {message}")
        }
    }))
}

fn changed(reasons: &[String]) -> Error {
    Error::wrong_state("the tables have changed since the snapshot was taken")
        .detail(reasons.join(" "))
        .hint("Nothing was changed. Roll the module back to the snapshot's version first, or restore other tables.")
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
            Some(_) if is_retyped(column, live) => match refused(table, live, column)? {
                Some(reason) => reason,
                None => continue,
            },
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
