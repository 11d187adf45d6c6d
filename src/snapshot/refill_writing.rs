//! The statements that give back to a table what it had: values of columns, and rows.

use std::collections::BTreeSet;

use pgrx::spi::{quote_identifier, quote_literal};
use versioning_core::snapshot::manifest::Column;

use crate::error::Result;
use crate::pg::row_set::{Checks, Session};
use crate::snapshot::reference::Reference;
use crate::snapshot::refill_job::{Job, TableRefilled, has_key, listed};

/// The SQL that tells rows that can come back from those that can't.
struct Missing {
    with: String,
    lost: String,
    held: String,
}

impl Job<'_> {
    pub(super) fn update(
        &self,
        session: &Session,
        set: &[&Column],
        site_id: &str,
    ) -> Result<TableRefilled> {
        let live = &self.live;
        let assignments: Vec<String> = set
            .iter()
            .map(|column| {
                let name = quote_identifier(&column.name);
                format!(
                    "{name} = CASE WHEN {} THEN s.{name} ELSE t.{name} END",
                    self.is_empty(column)
                )
            })
            .collect();
        let matched = format!("{}{}", self.same_key(), self.and_site(site_id)?);
        // What a script, or somebody since, has put there stays; rows already right aren't written.
        let changes: Vec<String> = set
            .iter()
            .map(|column| {
                let name = quote_identifier(&column.name);
                format!(
                    "{} AND ROW(t.{name})::record *<> ROW(s.{name})::record",
                    self.is_empty(column)
                )
            })
            .collect();
        let changed = format!("({})", changes.join(" OR "));
        let alias = |column: &str| {
            if set.iter().any(|c| c.name == column) {
                "s"
            } else {
                "t"
            }
        };
        let held = self.held(alias, &[]);
        let lost = session.texts(&format!(
            "SELECT {} FROM snapshot_rows s JOIN {} t ON {matched} WHERE {changed} AND NOT ({held})",
            self.shown_key("s"),
            live.table_item()
        ))?;
        let count = session.run(
            &format!(
                "UPDATE {} AS t SET {} FROM snapshot_rows s WHERE {matched} AND {changed} AND ({held})",
                live.table_item(),
                assignments.join(", ")
            ),
            Checks::AtEnd,
        )?;
        let what = format!("columns {} of ", listed(set));
        Ok(self.refilled(count, self.lost(&what, &lost)))
    }

    pub(super) fn insert(
        &self,
        session: &Session,
        site_id: &str,
        later: &[&Job<'_>],
    ) -> Result<TableRefilled> {
        let live = &self.live;
        let columns = self.columns();
        if let Some(column) = self.required_and_unknown(&columns) {
            return Ok(self.refilled(0, Some(format!(
                "the rows of table {} were not put back: column \"{column}\" must have a value and the snapshot has none",
                self.table.name
            ))));
        }
        let absent = if has_key(self.table, live) {
            format!(
                "NOT EXISTS (SELECT FROM {} t WHERE {})",
                live.table_item(),
                self.same_key()
            )
        } else {
            let site = live.site_condition("t", &quote_literal(site_id))?;
            format!("NOT EXISTS (SELECT FROM {} t{site})", live.table_item())
        };
        let missing = self.missing(&absent, &self.held(|_| "s", later));
        let lost = session.texts(&missing.lost)?;
        let names: Vec<String> = columns.iter().map(|c| quote_identifier(&c.name)).collect();
        let values: Vec<String> = names.iter().map(|name| format!("s.{name}")).collect();
        let list = if names.is_empty() {
            String::new()
        } else {
            format!("({})", names.join(", "))
        };
        let count = session.run(
            &format!(
                "{}INSERT INTO {} {list} OVERRIDING SYSTEM VALUE
                 SELECT {} FROM snapshot_rows s WHERE {absent} AND {}",
                missing.with,
                live.source.qualified(),
                values.join(", "),
                missing.held
            ),
            Checks::AtEnd,
        )?;
        Ok(self.refilled(count, self.lost("", &lost)))
    }

    /// Rows that can't come back since they refer to rows that are gone, or, in a table that refers to
    /// itself, to rows that can't come back.
    fn missing(&self, absent: &str, held: &str) -> Missing {
        let itself: Vec<&Reference> = self
            .references
            .iter()
            .filter(|other| other.table == self.live.oid)
            .collect();
        if itself.is_empty() || !has_key(self.table, &self.live) {
            return Missing {
                with: String::new(),
                lost: format!(
                    "SELECT {} FROM snapshot_rows s WHERE {absent} AND NOT ({held})",
                    self.shown_key("s")
                ),
                held: format!("({held})"),
            };
        }
        let keys = self.live.key.iter().map(|key| &key.name);
        let columns: BTreeSet<&String> = keys
            .chain(itself.iter().flat_map(|reference| &reference.others))
            .collect();
        let columns: Vec<String> = columns
            .into_iter()
            .map(|name| format!("s.{}", quote_identifier(name)))
            .collect();
        let columns = columns.join(", ");
        let refers: Vec<String> = itself
            .iter()
            .map(|reference| format!("({})", reference.same(|_| "s", "gone")))
            .collect();
        let with = format!(
            "WITH RECURSIVE gone AS (
                 SELECT {columns} FROM snapshot_rows s WHERE {absent} AND NOT ({held})
                 UNION
                 SELECT {columns} FROM gone, snapshot_rows s WHERE {absent} AND ({})) ",
            refers.join(" OR ")
        );
        Missing {
            lost: format!("{with} SELECT {} FROM gone", self.shown_key("gone")),
            held: format!(
                "NOT EXISTS (SELECT FROM gone AS t WHERE {})",
                self.same_key()
            ),
            with,
        }
    }

    /// The condition under which the rows that a row refers to are there.
    fn held<'b>(&self, alias: impl Fn(&str) -> &'b str, later: &[&Job<'_>]) -> String {
        let touched = |column: &str| match &self.set {
            Some(set) => set.iter().any(|other| other.name == column),
            None => true,
        };
        let conditions: Vec<String> = self
            .references
            .iter()
            .filter(|reference| reference.columns.iter().any(|column| touched(column)))
            // The server looks at those itself at the end: their rows come later, or belong to somebody
            // else.
            .filter(|reference| reference.owner == self.live.owner)
            .filter(|reference| !later.iter().any(|job| job.live.oid == reference.table))
            .map(|reference| {
                reference.condition(
                    &alias,
                    reference.table == self.live.oid && self.set.is_none(),
                )
            })
            .collect();
        if conditions.is_empty() {
            "true".to_owned()
        } else {
            conditions.join(" AND ")
        }
    }

    /// The condition that a column of the live row holds nothing but what it got when it was added.
    fn is_empty(&self, column: &Column) -> String {
        let name = quote_identifier(&column.name);
        let missing = self
            .live
            .column(&column.name)
            .and_then(|live| live.missing_value.as_deref());
        match missing {
            Some(value) => format!(
                "(t.{name} IS NULL OR t.{name}::text = {})",
                quote_literal(value)
            ),
            None => format!("t.{name} IS NULL"),
        }
    }

    fn same_key(&self) -> String {
        let conditions: Vec<String> = self
            .live
            .key
            .iter()
            .map(|key| {
                let name = quote_identifier(&key.name);
                format!("t.{name} {} s.{name}", key.operator)
            })
            .collect();
        conditions.join(" AND ")
    }

    fn and_site(&self, site_id: &str) -> Result<String> {
        let site = self.live.site_condition("t", &quote_literal(site_id))?;
        Ok(site.replacen(" WHERE ", " AND ", 1))
    }

    /// A row's key as text, for people.
    fn shown_key(&self, alias: &str) -> String {
        if !has_key(self.table, &self.live) {
            return "'(no key)'::text".to_owned();
        }
        let names: Vec<String> = self
            .live
            .key
            .iter()
            .map(|key| quote_identifier(&key.name))
            .collect();
        let values: Vec<String> = names.iter().map(|name| format!("{alias}.{name}")).collect();
        format!(
            "({} || ROW({})::text)::text",
            quote_literal(format!("({})=", names.join(", "))),
            values.join(", ")
        )
    }

    fn required_and_unknown(&self, columns: &[&Column]) -> Option<String> {
        let known = |name: &str| columns.iter().any(|column| column.name == name);
        self.live
            .columns
            .iter()
            .find(|c| c.required && !c.generated && !known(&c.column.name))
            .map(|c| c.column.name.clone())
    }
}
