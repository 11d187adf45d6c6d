//! What a rollback would destroy, counted on the live rows.
//!
//! The statements are those of the down scripts' parse trees, what goes along comes from the catalog, and
//! rows and values are counted as the owner of each table. A condition or expression of a script is
//! evaluated only when it does nothing but read and compute; else the count is an upper bound and says
//! so. What a script hides (a DO block, a call, a trigger) can't be counted and is named.

mod counting;
mod gone;
mod retyped;
mod rows;

use std::collections::HashSet;

use pgrx::{pg_sys, spi};
use serde_json::{Value, json};
use versioning_core::destruction::{Destruction, Destructions, Step};
use versioning_core::effect::ObjectName;
use versioning_core::model::{Id, Isolation, Migration};
use versioning_core::plan::{Action, Plan};

use super::situation::Situation;
use super::store::destruction::Counts;
use super::store::table::{self, LiveTable};
use crate::error::Result;
use crate::migration::check;
use crate::pg::identity;

/// What the plan's down scripts destroy.
pub struct DataLoss {
    /// One object each: table, column, kind, rows, values.
    pub known: Vec<Value>,
    /// What can't be told.
    pub warnings: Vec<String>,
}

/// Reads the down scripts that a plan runs and counts what they destroy. `tried` are the migrations of which a
/// record tells which tables and columns their scripts take where they hide it.
///
/// # Errors
/// 42501 should row level security hide a row all the same.
pub fn measure(situation: &Situation, plan: &Plan<'_>, tried: &HashSet<Id>) -> Result<DataLoss> {
    let mut measure = Measure {
        situation,
        tried,
        role: identity::role_named(&situation.module.owner_role).ok(),
        place: (0, 0),
        known: Vec::new(),
        warnings: Vec::new(),
        counted: HashSet::new(),
    };
    let mut destructions = Destructions::default();
    for step in plan.steps.iter().filter(|step| step.action == Action::Run) {
        if let Some(script) = &step.migration.down_sql {
            let statements = check::described("down_sql", script)?;
            for found in destructions.of_script(&statements) {
                measure.step(step.migration, &found)?;
            }
        }
    }
    Ok(DataLoss {
        known: wholes(measure.known),
        warnings: measure.warnings,
    })
}

/// A loss, and what it is a loss of.
struct Found {
    table: pg_sys::Oid,
    column: Option<String>,
    kind: String,
    value: Value,
}

impl Found {
    /// Whether it is part of another: rows of a table that goes, values of a column that goes.
    fn is_part_of(&self, other: &Self) -> bool {
        let whole_table = other.kind == "table_dropped"
            || other.kind == "table_truncated"
                && self.kind != "table_dropped"
                && self.kind != "column_dropped";
        let whole_column = other.kind == "column_dropped" && self.column == other.column;
        self.table == other.table && self.kind != other.kind && (whole_table || whole_column)
    }
}

/// Each loss once: what goes with something greater is counted there.
fn wholes(found: Vec<Found>) -> Vec<Value> {
    let is_part: Vec<bool> = found
        .iter()
        .map(|one| found.iter().any(|other| one.is_part_of(other)))
        .collect();
    found
        .into_iter()
        .zip(is_part)
        .filter(|(_, is_part)| !is_part)
        .map(|(one, _)| one.value)
        .collect()
}

/// What has been found so far.
struct Measure<'a> {
    situation: &'a Situation,
    tried: &'a HashSet<Id>,
    /// The module's owner, whose scripts these are, while that role is there.
    role: Option<pg_sys::Oid>,
    /// Migration and statement that are being looked at.
    place: (i32, i32),
    known: Vec<Found>,
    warnings: Vec<String>,
    /// What goes as a whole, and so is counted once.
    counted: HashSet<(pg_sys::Oid, Option<String>)>,
}

impl Measure<'_> {
    fn step(&mut self, migration: &Migration, step: &Step) -> Result<()> {
        pgrx::check_for_interrupts!();
        self.place = (migration.sequence, step.statement_number);
        match &step.destruction {
            Destruction::Table { .. }
            | Destruction::Object { .. }
            | Destruction::Owned { .. }
            | Destruction::Column { .. } => self.gone(&step.destruction),
            Destruction::Truncated { tables, cascade } => self.truncated(tables, *cascade),
            Destruction::Deleted { table, rows } => {
                self.deleted(table, rows.as_ref(), step.is_untouched)
            }
            Destruction::Overwritten {
                table,
                columns,
                update,
            } => self.overwritten(table, columns, update.as_ref(), step.is_untouched),
            Destruction::Retyped {
                table,
                column,
                new_type,
                conversion,
            } => self.retyped(table, column, new_type, conversion, step.is_untouched),
            Destruction::NotNull { table, column } if step.is_untouched => {
                self.not_null(table, column)
            }
            Destruction::NotNull { .. } => Ok(()),
            Destruction::SequenceSet { sequence } => self.sequence_set(sequence),
            Destruction::Hidden { what } => {
                let unknown = if self.tried.contains(&migration.id) {
                    format!("which rows {what} deletes or overwrites")
                } else {
                    format!("what {what} destroys")
                };
                self.warn(format!(
                    "{unknown} can't be told without running it: rehearse_rollback does, and undoes it"
                ));
                Ok(())
            }
        }
    }

    fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Notes a loss, unless it is none.
    fn report(
        &mut self,
        table: &LiveTable,
        column: Option<&str>,
        kind: &str,
        counts: Counts,
        certain: bool,
    ) {
        if counts.rows == 0 || column.is_some() && counts.values == 0 {
            return;
        }
        let (migration_sequence, statement_number) = self.place;
        let value = json!({
            "table": self.shown(table),
            "column": column,
            "kind": kind,
            "rows": counts.rows,
            "values": column.map(|_| counts.values),
            "site_rows": counts.site_rows,
            "site_values": column.map(|_| counts.site_values),
            "certain": certain,
            "migration_sequence": migration_sequence,
            "statement_number": statement_number,
        });
        self.known.push(Found {
            table: table.oid,
            column: column.map(ToOwned::to_owned),
            kind: kind.to_owned(),
            value,
        });
    }

    /// As a migration would write it: without schema in the module's own.
    fn shown(&self, table: &LiveTable) -> String {
        self.local(&table.shown, &table.schema)
    }

    fn local(&self, shown: &str, schema: &str) -> String {
        let prefix = format!("{}.", spi::quote_identifier(schema));
        match shown.strip_prefix(&prefix) {
            Some(name) if schema == self.situation.schema() => name.to_owned(),
            _ => shown.to_owned(),
        }
    }

    fn schema_of<'a>(&'a self, name: &'a ObjectName) -> &'a str {
        name.schema
            .as_deref()
            .unwrap_or_else(|| self.situation.schema())
    }

    fn resolve(&self, name: &ObjectName) -> Result<Option<LiveTable>> {
        table::live_table(self.schema_of(name), &name.name)
    }

    /// The column by which the table's rows belong to sites, when they do.
    fn site_column(&self, table: &LiveTable) -> Option<&str> {
        let column = self.situation.module.site_column.as_str();
        (self.situation.module.isolation == Isolation::Row
            && table.stored_columns.iter().any(|name| name == column))
        .then_some(column)
    }
}
