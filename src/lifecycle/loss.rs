//! What a rollback would destroy, counted on the live rows.
//!
//! The statements are those of the down scripts' parse trees; the rows and values are counted as the
//! owner of each table. What a script hides (a DO block, a call) can't be counted and is named.

use pgrx::spi;
use serde_json::{Value, json};
use versioning_core::consequence::{self, Loss};
use versioning_core::effect::ObjectName;
use versioning_core::model::Isolation;
use versioning_core::plan::{Action, Plan};

use super::situation::Situation;
use super::store::table::{self, LiveTable};
use crate::error::Result;
use crate::migration::check::statements;
use crate::pg::identity::{Restriction, run_as};
use crate::pg::scope::with_settings;

/// What the plan's down scripts destroy.
pub struct DataLoss {
    /// One object each: table, column, kind, rows, values.
    pub known: Vec<Value>,
    /// What can't be told.
    pub warnings: Vec<String>,
}

/// Settings under which the rows of others are counted: no policy makes the count smaller.
const COUNTING: &[(&str, &str)] = &[
    ("search_path", "pg_catalog, pg_temp"),
    ("row_security", "off"),
];

/// Reads the down scripts that a plan runs and counts what they destroy.
///
/// # Errors
/// 42501 should row level security hide a row all the same.
pub fn measure(situation: &Situation, plan: &Plan<'_>) -> Result<DataLoss> {
    let mut effects = Vec::new();
    for step in plan.steps.iter().filter(|step| step.action == Action::Run) {
        if let Some(script) = &step.migration.down_sql {
            let parsed = statements("down_sql", script)?;
            effects.extend(parsed.into_iter().flat_map(|statement| statement.effects));
        }
    }
    let losses = consequence::losses(effects.iter());
    let mut known = Vec::new();
    for loss in &losses.known {
        known.extend(count(situation, loss)?);
    }
    let warnings = losses
        .hidden
        .iter()
        .map(|what| format!("what {what} destroys can't be told without running it"))
        .collect();
    Ok(DataLoss { known, warnings })
}

/// Counts one loss; nothing when the table or column isn't there, or holds nothing of its own.
fn count(situation: &Situation, loss: &Loss) -> Result<Option<Value>> {
    let Some(table) = resolve(situation, loss.table())? else {
        return Ok(None);
    };
    if loss
        .column()
        .is_some_and(|column| !table.stored_columns.iter().any(|name| name == column))
    {
        return Ok(None);
    }
    let site_column = site_column(situation, &table);
    let counts = run_as(table.owner, Restriction::RestrictedOperation, || {
        with_settings(COUNTING, || {
            table::count_values(&table, loss.column(), site_column, situation.site.id)
        })
    })?;
    let certain = !matches!(
        loss,
        Loss::SomeRows(_) | Loss::Narrowed(..) | Loss::Overwritten(..)
    );
    if certain && counts.rows == 0 || loss.column().is_some() && counts.values == 0 {
        return Ok(None);
    }
    Ok(Some(json!({
        "table": table.shown,
        "column": loss.column(),
        "kind": loss.kind(),
        "rows": counts.rows,
        "values": loss.column().map(|_| counts.values),
        "site_rows": counts.site_rows,
        "certain": certain,
    })))
}

fn resolve(situation: &Situation, name: &ObjectName) -> Result<Option<LiveTable>> {
    let schema = name.schema.as_deref().unwrap_or_else(|| situation.schema());
    let table = table::live_table(schema, &name.name)?;
    Ok(table.map(|mut table| {
        // As a migration would write it: without schema in the module's own.
        if schema == situation.schema() {
            table.shown = spi::quote_identifier(&name.name);
        }
        table
    }))
}

/// The column by which the table's rows belong to sites, when they do.
fn site_column<'a>(situation: &'a Situation, table: &LiveTable) -> Option<&'a str> {
    let column = situation.module.site_column.as_str();
    (situation.module.isolation == Isolation::Row
        && table.stored_columns.iter().any(|name| name == column))
    .then_some(column)
}
