//! Counting, as whom and under which settings.

use pgrx::pg_sys;

use super::Measure;
use crate::error::{Error, Result};
use crate::lifecycle::store::destruction::{self, Counting, Counts};
use crate::lifecycle::store::table::LiveTable;
use crate::migration::execute::FIXED_SETTINGS;
use crate::pg::identity::{Restriction, run_as};
use crate::pg::run_context::{self, Running};
use crate::pg::scope::with_settings;
use crate::pg::table_owner::{self, as_table_owner};
use crate::pg::{steady, subtransaction};

/// What became of a count with text from a script in it.
pub enum Outcome {
    /// It was counted.
    Counted(Counts),
    /// It would do more than read and compute, so it wasn't run.
    NotRun,
    /// PostgreSQL refused it, as it will refuse the statement.
    Failed(Error),
}

impl Measure<'_> {
    /// Counts all rows, and those whose `column` has a value of its own: not NULL and not the default.
    pub fn count_all(&self, table: &LiveTable, column: Option<&str>) -> Result<Counts> {
        table_owner::check(table.oid, table.owner)?;
        let (own, plain) = match column {
            Some(column) => (self.own_value(table, column)?, not_null(column)),
            None => (None, "true".to_owned()),
        };
        if let Some(own) = own
            && let Outcome::Counted(counts) = self.count_guarded(
                &Counting {
                    with: "",
                    from: &table.quoted,
                    condition: "true",
                    value: &own,
                    site_column: self.site_column(table),
                },
                table.owner,
            )?
        {
            return Ok(counts);
        }
        let query = Counting {
            with: "",
            from: &table.quoted,
            condition: "true",
            value: &plain,
            site_column: self.site_column(table),
        }
        .query();
        let site_id = self.situation.site.id;
        as_table_owner(table.oid, table.owner, || {
            destruction::count(&query, site_id)
        })
    }

    /// The condition under which the column has a value that isn't its default; `None` without a default.
    pub fn own_value(&self, table: &LiveTable, column: &str) -> Result<Option<String>> {
        let default = destruction::column(table.oid, column)?.and_then(|column| column.default);
        Ok(default.map(|default| {
            let quoted = pgrx::spi::quote_identifier(column);
            format!("{quoted} IS NOT NULL AND {quoted}::text IS DISTINCT FROM ({default})::text")
        }))
    }

    /// As whom text of a script is evaluated: as its module's owner.
    pub fn role_for(&self, table: &LiveTable) -> pg_sys::Oid {
        self.role.unwrap_or(table.owner)
    }

    /// Runs a count that has text of a script in it: as the script would see it, if it only computes, and
    /// without harm when it fails.
    pub fn count_guarded(&self, counting: &Counting<'_>, role: pg_sys::Oid) -> Result<Outcome> {
        let query = counting.query();
        let home = pgrx::spi::quote_identifier(self.situation.schema());
        let search_path = format!("{home}, pg_temp");
        let running = Running {
            site_id: self.situation.site.id,
            module_id: self.situation.module.id,
        };
        let attempt = || {
            subtransaction::in_subtransaction(|| {
                if !steady::only_computes(&query, &[pg_sys::UUIDOID])? {
                    return Ok(None);
                }
                destruction::count(&query, running.site_id).map(Some)
            })
        };
        // As the script will see it, which may print a moment as another day than the session does.
        let mut settings = FIXED_SETTINGS.to_vec();
        settings.extend([
            ("search_path", search_path.as_str()),
            ("row_security", "off"),
        ]);
        let counted = run_as(role, Restriction::RestrictedOperation, || {
            with_settings(&settings, || {
                run_context::while_running(running, || {
                    Ok(match attempt() {
                        Ok(Some(counts)) => Outcome::Counted(counts),
                        Ok(None) => Outcome::NotRun,
                        Err(error @ Error::Raised(_)) => Outcome::Failed(error),
                        Err(error) => return Err(error),
                    })
                })
            })
        })?;
        Ok(counted)
    }
}

/// The condition under which the column has a value.
pub fn not_null(column: &str) -> String {
    format!("{} IS NOT NULL", pgrx::spi::quote_identifier(column))
}
