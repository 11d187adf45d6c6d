//! What a table asks of its rows (CHECK and NOT NULL): rows that don't do are found at once, and not by trying.

use pgrx::spi::quote_identifier;

use crate::error::Result;
use crate::pg::query;
use crate::pg::subtransaction::in_subtransaction;
use crate::snapshot::refill_job::Job;
use crate::snapshot::refill_load::Ready;
use crate::snapshot::source::LiveTable;

/// A condition that rows of a table must meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The constraint; nothing for NOT NULL.
    pub name: Option<String>,
    columns: Vec<String>,
    expression: String,
}

impl Check {
    /// Why a row that doesn't meet it stays away.
    pub fn reason(&self) -> String {
        match &self.name {
            Some(name) => format!("not put back, for constraint \"{name}\" refuses it"),
            None => format!(
                "not put back, for column \"{}\" must have a value",
                self.columns.join(", ")
            ),
        }
    }
}

/// The conditions of a table.
///
/// # Errors
/// None of its own.
fn checks(live: &LiveTable) -> Result<Vec<Check>> {
    query::rows(
        "SELECT k.conname::text, pg_catalog.pg_get_expr(k.conbin, k.conrelid),
                (SELECT coalesce(pg_catalog.array_agg(a.attname::text ORDER BY a.attnum), '{}')
                 FROM pg_catalog.pg_attribute a
                 WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey))
         FROM pg_catalog.pg_constraint k WHERE k.conrelid = $1 AND k.contype = 'c'
         UNION ALL
         SELECT NULL, pg_catalog.format('%I IS NOT NULL', a.attname), ARRAY[a.attname::text]
         FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND a.attgenerated = ''
         ORDER BY 1, 2",
        &[live.oid.into()],
        |row| {
            Ok(Check {
                name: row.optional(1)?,
                expression: row.get(2)?,
                columns: row.get(3)?,
            })
        },
    )
}

impl Ready<'_> {
    /// Keeps those of the table's conditions that rows of the snapshot don't meet. One that can't be asked
    /// of them beforehand is left to the server.
    ///
    /// # Errors
    /// None of its own.
    pub fn find_checks(&mut self) -> Result<()> {
        let columns = self.job.columns();
        let is_read = |name: &String| columns.iter().any(|column| column.name == *name);
        let mut checks = checks(&self.job.live)?;
        checks.retain(|check| check.columns.iter().any(is_read));
        for check in checks {
            let query = format!(
                "SELECT 'refused'::text FROM snapshot_rows s WHERE NOT {} LIMIT 1",
                self.job.meets(&check)
            );
            let found = in_subtransaction(|| self.ask(|session| session.texts(&query)));
            if found.is_ok_and(|found| !found.is_empty()) {
                self.job.checks.push(check);
            }
        }
        Ok(())
    }
}

impl Job<'_> {
    /// The condition that a row of the snapshot meets one of the table's. In its own query, where nothing
    /// else has the names of columns.
    pub(super) fn meets(&self, check: &Check) -> String {
        let columns = self.columns();
        let column = |name: &String| {
            let quoted = quote_identifier(name);
            if columns.iter().any(|column| column.name == *name) {
                return format!("s.{quoted} AS {quoted}");
            }
            let kind = self.live.column(name).map(|live| &live.column.type_name);
            let kind = kind.map_or("text", String::as_str);
            format!("CAST(NULL AS {kind}) AS {quoted}")
        };
        let list: Vec<String> = check.columns.iter().map(column).collect();
        format!(
            "(SELECT ({}) IS NOT FALSE FROM (SELECT {}) AS x)",
            check.expression,
            list.join(", ")
        )
    }

    /// The condition that a row of the snapshot meets all of the table's.
    pub(super) fn meets_all(&self) -> String {
        let all: Vec<String> = self.checks.iter().map(|check| self.meets(check)).collect();
        if all.is_empty() {
            "true".to_owned()
        } else {
            all.join(" AND ")
        }
    }

    /// The conditions that are of this column alone.
    pub(super) fn checks_of(&self, column: &str) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(move |check| check.columns == [column])
    }
}
