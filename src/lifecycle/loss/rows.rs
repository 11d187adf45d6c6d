//! Rows that go and values that are overwritten, and what foreign keys and triggers do with them.

use pgrx::{pg_sys, spi};
use versioning_core::clause::{Assignment, Rows};
use versioning_core::effect::ObjectName;

use super::Measure;
use super::counting::{Outcome, not_null};
use crate::error::Result;
use crate::lifecycle::store::destruction::{
    self, Counting, Counts, Reference, TriggerEvent, acting_references,
};
use crate::lifecycle::store::table::LiveTable;

/// The name of the referring table in a query that has a script's condition in it.
const CHILD: &str = "module_versioning_child";

/// Which rows, as SQL over the statement's own table.
fn condition(rows: &Rows) -> String {
    let plain = rows.condition.as_deref().unwrap_or("true");
    match &rows.others {
        Some(others) => format!("EXISTS (SELECT FROM {others} WHERE {plain})"),
        None => format!("({plain})"),
    }
}

impl Measure<'_> {
    /// Rows that DELETE takes, and those that go or lose their reference with them.
    pub fn deleted(
        &mut self,
        name: &ObjectName,
        rows: Option<&Rows>,
        is_untouched: bool,
    ) -> Result<()> {
        let Some(table) = self.resolve(name)? else {
            return self.through_view(name, "deleted");
        };
        let takes_all = rows.is_some_and(|rows| rows.condition.is_none() && rows.others.is_none());
        let counted = match rows {
            Some(rows) if is_untouched => self.count_rows(&table, rows, "true")?,
            _ => None,
        };
        let certain = counted.is_some();
        let counts = match counted {
            Some(counts) => counts,
            None => self.count_all(&table, None)?,
        };
        self.report(&table, None, "rows_deleted", counts, certain);
        if counts.rows > 0 {
            self.warn_of_triggers(&table, TriggerEvent::Delete, "deleted")?;
            let mut seen = vec![table.oid];
            let exact = rows.filter(|rows| certain && (takes_all || rows.others.is_none()));
            self.referring(&table, exact, &mut seen)?;
        }
        Ok(())
    }

    /// Counts the rows of a statement; nothing when that would need more than reading.
    fn count_rows(&self, table: &LiveTable, rows: &Rows, value: &str) -> Result<Option<Counts>> {
        let counting = Counting {
            with: rows.with.as_deref().unwrap_or_default(),
            from: &rows.target,
            condition: &condition(rows),
            value,
            site_column: self.site_column(table),
        };
        Ok(match self.count_guarded(&counting, self.role_for(table))? {
            Outcome::Counted(counts) => Some(counts),
            Outcome::NotRun | Outcome::Failed(_) => None,
        })
    }

    /// What ON DELETE does in the tables that refer to deleted rows. Without `rows` it can't be told to
    /// which, and all that refer count.
    fn referring(
        &mut self,
        table: &LiveTable,
        rows: Option<&Rows>,
        seen: &mut Vec<pg_sys::Oid>,
    ) -> Result<()> {
        for reference in acting_references(table.oid)? {
            let Some(child) = destruction::table(reference.child)? else {
                continue;
            };
            let counted = match rows {
                Some(rows) => self.count_children(&child, &reference, rows)?,
                None => None,
            };
            let certain = counted.is_some();
            let counts = match counted {
                Some(counts) => counts,
                None => self.count_all(&child, reference.columns.first().map(String::as_str))?,
            };
            let counts = Counts {
                rows: counts.values,
                site_rows: counts.site_values,
                ..counts
            };
            if reference.deletes {
                self.report(&child, None, "rows_deleted", counts, certain);
                if counts.rows > 0 && !seen.contains(&child.oid) {
                    seen.push(child.oid);
                    self.warn_of_triggers(&child, TriggerEvent::Delete, "deleted")?;
                    self.referring(&child, None, seen)?;
                }
            } else {
                for column in &reference.columns {
                    self.report(&child, Some(column), "column_overwritten", counts, certain);
                }
            }
        }
        Ok(())
    }

    fn count_children(
        &self,
        child: &LiveTable,
        reference: &Reference,
        rows: &Rows,
    ) -> Result<Option<Counts>> {
        let pairs: Vec<String> = reference
            .keys
            .iter()
            .zip(&reference.columns)
            .map(|(key, column)| {
                format!(
                    "{} = {CHILD}.{}",
                    spi::quote_identifier(key),
                    spi::quote_identifier(column)
                )
            })
            .collect();
        let target = &rows.target;
        let wanted = format!(
            "EXISTS (SELECT FROM {target} WHERE {} AND {})",
            condition(rows),
            pairs.join(" AND ")
        );
        let counting = Counting {
            with: rows.with.as_deref().unwrap_or_default(),
            from: &format!("{} AS {CHILD}", child.quoted),
            condition: &wanted,
            value: "true",
            site_column: self.site_column(child),
        };
        Ok(match self.count_guarded(&counting, self.role_for(child))? {
            Outcome::Counted(counts) => Some(counts),
            Outcome::NotRun | Outcome::Failed(_) => None,
        })
    }

    /// Tables that TRUNCATE empties.
    pub fn truncated(&mut self, names: &[ObjectName], cascade: bool) -> Result<()> {
        let mut tables = Vec::new();
        for name in names {
            tables.extend(self.resolve(name)?);
        }
        if cascade {
            let oids: Vec<pg_sys::Oid> = tables.iter().map(|table| table.oid).collect();
            for oid in destruction::referring(&oids)? {
                tables.extend(destruction::table(oid)?);
            }
        }
        for table in tables {
            if self.counted.insert((table.oid, Some(String::new()))) {
                self.count_gone(&table, None, "table_truncated")?;
                self.warn_of_triggers(&table, TriggerEvent::Truncate, "truncated")?;
            }
        }
        Ok(())
    }

    /// Values that UPDATE writes over.
    pub fn overwritten(
        &mut self,
        name: &ObjectName,
        columns: &[String],
        update: Option<&(Rows, Vec<Assignment>)>,
        is_untouched: bool,
    ) -> Result<()> {
        let Some(table) = self.resolve(name)? else {
            return self.through_view(name, "overwritten");
        };
        let mut writes = false;
        for column in columns {
            let counted = match update {
                Some((rows, written)) if is_untouched => {
                    self.count_overwritten(&table, column, rows, written)?
                }
                _ => None,
            };
            let (counts, certain) = match counted {
                Some(counted) => counted,
                None => (self.count_all(&table, Some(column))?, false),
            };
            writes |= counts.rows > 0;
            self.report(&table, Some(column), "column_overwritten", counts, certain);
        }
        if writes {
            self.warn_of_triggers(&table, TriggerEvent::Update, "updated")?;
        }
        Ok(())
    }

    /// The values of a column that get another, and whether that is all that can be said.
    fn count_overwritten(
        &self,
        table: &LiveTable,
        column: &str,
        rows: &Rows,
        written: &[Assignment],
    ) -> Result<Option<(Counts, bool)>> {
        let (Some(live), Some(assignment)) = (
            destruction::column(table.oid, column)?,
            written.iter().find(|one| one.column == column),
        ) else {
            return Ok(None);
        };
        let own = match self.own_value(table, column)? {
            Some(own) => own,
            None => not_null(column),
        };
        let new = match &assignment.expression {
            Some(expression) => format!("(({expression})::{})::text", live.type_name),
            None => "NULL::text".to_owned(),
        };
        let quoted = spi::quote_identifier(column);
        let differs = format!("{own} AND {quoted}::text IS DISTINCT FROM {new}");
        if rows.others.is_none()
            && let Some(counts) = self.count_rows(table, rows, &differs)?
        {
            return Ok(Some((counts, true)));
        }
        Ok(self
            .count_rows(table, rows, &own)?
            .map(|counts| (counts, false)))
    }

    /// Rows that are written through a view, or elsewhere through a foreign table.
    fn through_view(&mut self, name: &ObjectName, what: &str) -> Result<()> {
        if destruction::relation(self.schema_of(name), &name.name)?.is_some() {
            self.warn(format!(
                "which rows are {what} through {name} can't be told without running it: rehearse_rollback does, and undoes it"
            ));
        }
        Ok(())
    }

    fn warn_of_triggers(
        &mut self,
        table: &LiveTable,
        event: TriggerEvent,
        what: &str,
    ) -> Result<()> {
        for trigger in destruction::triggers(table.oid, event)? {
            self.warn(format!(
                "trigger \"{trigger}\" fires when rows of {} are {what}: what it does can't be told without running it: rehearse_rollback does, and undoes it",
                self.shown(table)
            ));
        }
        Ok(())
    }
}
