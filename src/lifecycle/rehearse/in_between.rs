//! Rows that people write between the way there and the way back, and that the way back deletes: nothing
//! shows them before they are there but the text of the scripts.

use std::collections::BTreeSet;

use versioning_core::clause::{Rows, fixed_columns};
use versioning_core::content::Carried;
use versioning_core::destruction::{Destruction, Destructions};
use versioning_core::effect::ObjectName;
use versioning_core::model::Direction;
use versioning_core::rehearsal::Finding;

use super::homecoming;
use super::subject::Subject;
use crate::error::Result;
use crate::lifecycle::store::rehearse::unique_keys;
use crate::lifecycle::store::table::{LiveTable, live_table};
use crate::migration::check;

/// What the scripts back delete without carrying it home, of tables that are there now, after the scripts there. A DELETE that names its
/// rows by a key takes those that the scripts know, and no others.
///
/// # Errors
/// Only broken expectations.
pub fn deletions(subject: &Subject, carried: &Carried) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let back = match (&subject.back, subject.direction) {
        (Some(back), Direction::Up) => back,
        _ => return Ok(found),
    };
    let mut destructions = Destructions::default();
    for script in back {
        // What can't be read fails when it runs, and is told then.
        let Ok(statements) = check::described(script.name, &script.sql) else {
            return Ok(found);
        };
        for step in destructions.of_script(&statements) {
            let mut told = |kind: &str, table: &ObjectName, rows: Option<&Rows>| -> Result<()> {
                let Some(live) = resolved(subject, table)? else {
                    return Ok(());
                };
                let comes_home = carried.tables.contains(&homecoming::name(&live));
                if !comes_home && !names_its_rows(&live, rows)? {
                    let finding = finding(subject, kind, &live, rows);
                    found.push(finding.by(step.statement_number, script.migration));
                }
                Ok(())
            };
            match &step.destruction {
                Destruction::Deleted { table, rows } => told("rows_deleted", table, rows.as_ref())?,
                Destruction::Truncated { tables, .. } => tables
                    .iter()
                    .try_for_each(|table| told("table_truncated", table, None))?,
                _ => {}
            }
        }
    }
    Ok(found)
}

pub fn resolved(subject: &Subject, table: &ObjectName) -> Result<Option<LiveTable>> {
    let schema = table.schema.as_deref().unwrap_or(&subject.schema);
    live_table(schema, &table.name)
}

fn names_its_rows(table: &LiveTable, rows: Option<&Rows>) -> Result<bool> {
    let plain = rows.filter(|rows| rows.with.is_none() && rows.others.is_none());
    let Some(condition) = plain.and_then(|rows| rows.condition.as_deref()) else {
        return Ok(false);
    };
    let fixed = fixed_columns(condition);
    let is_held = |key: &BTreeSet<String>| !key.is_empty() && key.is_subset(&fixed);
    Ok(!fixed.is_empty() && unique_keys(table.oid)?.iter().any(is_held))
}

fn finding(subject: &Subject, kind: &str, table: &LiveTable, rows: Option<&Rows>) -> Finding {
    let home = format!("{}.", pgrx::spi::quote_identifier(&subject.schema));
    let shown = match table.shown.strip_prefix(&home) {
        Some(name) if table.schema == subject.schema => name,
        _ => &table.shown,
    };
    let takes_all = kind != "rows_deleted"
        || rows.is_some_and(|rows| rows.condition.is_none() && rows.others.is_none());
    let detail = if takes_all {
        "Rows that are written after the upgrade go."
    } else {
        "Rows that are written after the upgrade and meet the condition go."
    };
    Finding::new(kind, shown, detail)
        .fact("table", shown)
        .fact("rows", 0)
        .fact("certain", false)
}
