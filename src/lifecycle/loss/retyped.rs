//! Values that another type cuts, and values for which a script fails.

use pgrx::spi;
use versioning_core::destruction::Conversion;
use versioning_core::effect::ObjectName;
use versioning_core::lint::{Width, width};

use super::Measure;
use super::counting::{Outcome, not_null};
use crate::error::Result;
use crate::lifecycle::store::destruction::{self, Counting};
use crate::lifecycle::store::table::LiveTable;
use crate::pg::table_owner;

impl Measure<'_> {
    /// Values that read otherwise after they were converted to the new type and back.
    pub fn retyped(
        &mut self,
        name: &ObjectName,
        column: &str,
        new_type: &str,
        conversion: &Conversion,
        is_untouched: bool,
    ) -> Result<()> {
        let Some(table) = self.resolve(name)? else {
            return Ok(());
        };
        let Some(live) = destruction::column(table.oid, column)? else {
            return Ok(());
        };
        let is_assigned = *conversion == Conversion::Assignment;
        let known = width(&live.type_name, new_type);
        if is_assigned && matches!(known, Width::Same | Width::Wider { .. }) {
            return Ok(());
        }
        let quoted = spi::quote_identifier(column);
        let new = match conversion {
            Conversion::Assignment => quoted.clone(),
            Conversion::Expression(expression) => expression.clone(),
            Conversion::Unknown => return self.perhaps_cut(&table, column),
        };
        if is_assigned && self.too_long(&table, column, new_type)? {
            return Ok(());
        }
        let value = format!(
            "{quoted} IS NOT NULL AND {quoted}::text IS DISTINCT FROM (({new})::{new_type})::{}::text",
            live.type_name
        );
        match self.count_guarded(&self.over_all(&table, &value), self.role_for(&table))? {
            Outcome::Counted(counts) => {
                self.report(
                    &table,
                    Some(column),
                    "column_type_narrowed",
                    counts,
                    is_untouched,
                );
                Ok(())
            }
            // Of that name now, and another when the script gets there: it has made it anew.
            Outcome::Failed(error)
                if error.sqlstate() == "22P02" && is_namesake(&live.type_name, new_type) =>
            {
                self.perhaps_cut(&table, column)
            }
            // A value that doesn't fit; anything else says that the question itself was wrong here.
            Outcome::Failed(error) if is_untouched && error.sqlstate().starts_with("22") => {
                self.warn_of_failure(&format!(
                    "column {} of {} can't be converted to {new_type}: {}",
                    quoted,
                    self.shown(&table),
                    error.words().message
                ));
                Ok(())
            }
            Outcome::NotRun | Outcome::Failed(_) => self.perhaps_cut(&table, column),
        }
    }

    fn over_all<'a>(&'a self, table: &'a LiveTable, value: &'a str) -> Counting<'a> {
        Counting {
            with: "",
            from: &table.quoted,
            condition: "true",
            value,
            site_column: self.site_column(table),
        }
    }

    fn perhaps_cut(&mut self, table: &LiveTable, column: &str) -> Result<()> {
        let counts = self.count_all(table, Some(column))?;
        self.report(table, Some(column), "column_type_changed", counts, false);
        Ok(())
    }

    /// Strings that an assignment to `varchar(n)` refuses, where a cast would cut them.
    fn too_long(&mut self, table: &LiveTable, column: &str, new_type: &str) -> Result<bool> {
        let length = ["varchar(", "bpchar(", "char("]
            .iter()
            .find_map(|prefix| new_type.strip_prefix(prefix))
            .and_then(|rest| rest.trim_end_matches(')').parse::<i32>().ok());
        let Some(length) = length else {
            return Ok(false);
        };
        let quoted = spi::quote_identifier(column);
        let value =
            format!("pg_catalog.btrim(pg_catalog.substr({quoted}::text, {length} + 1), ' ') <> ''");
        let outcome = self.count_guarded(&self.over_all(table, &value), self.role_for(table))?;
        let Outcome::Counted(counts) = outcome else {
            return Ok(false);
        };
        if counts.values > 0 {
            self.warn_of_failure(&format!(
                "{} values of column {quoted} of {} are too long for {new_type}",
                counts.values,
                self.shown(table)
            ));
        }
        Ok(counts.values > 0)
    }

    /// NULLs for which SET NOT NULL fails.
    pub fn not_null(&mut self, name: &ObjectName, column: &str) -> Result<()> {
        let Some(table) = self.resolve(name)? else {
            return Ok(());
        };
        if destruction::column(table.oid, column)?.is_none() {
            return Ok(());
        }
        table_owner::check(table.oid, table.owner)?;
        let value = format!("NOT ({})", not_null(column));
        let counting = self.over_all(&table, &value);
        if let Outcome::Counted(counts) = self.count_guarded(&counting, table.owner)?
            && counts.values > 0
        {
            self.warn_of_failure(&format!(
                "column {} of {} is NULL in {} rows",
                spi::quote_identifier(column),
                self.shown(&table),
                counts.values
            ));
        }
        Ok(())
    }

    fn warn_of_failure(&mut self, why: &str) {
        let (sequence, statement) = self.place;
        self.warn(format!(
            "the down script of migration {sequence} fails in statement {statement} as long as {why}"
        ));
    }
}

/// Whether two types have one name, their schemas left aside.
fn is_namesake(one: &str, other: &str) -> bool {
    one.rsplit('.').next() == other.rsplit('.').next()
}
