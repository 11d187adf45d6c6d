//! Whether an old value of a foreign key leads to the row that it led to: where the undoing has made the
//! table anew that it refers to, its keys may stand for other rows now.

use std::ffi::CString;

use pgrx::spi::quote_identifier;
use versioning_core::snapshot::manifest::Table;

use crate::error::{Error, Result};
use crate::pg::row_set::RowSet;
use crate::snapshot::decoding::Target;
use crate::snapshot::reference::Reference;
use crate::snapshot::refill_evidence;
use crate::snapshot::refill_job::{Job, Role};
use crate::snapshot::source::LiveTable;

/// Why a value doesn't come back that refers to another row than it did.
pub(super) const OTHER: &str =
    "not put back, for the key that they refer to stands for another row now";
/// Why a row of a table made anew doesn't come back.
pub(super) const MADE: &str = "not put back, for the scripts have made another row with their key";

/// A table made anew that rows refer to, as it was: relation `parent_rows_… (k0 …, o0 …)`.
pub struct Parent<'a> {
    /// The foreign key's place among those of the table.
    place: usize,
    table: &'a Table,
    live: LiveTable,
    /// What tells its rows apart beside the key.
    content: Vec<String>,
}

/// Tells jobs which of the tables that their rows refer to were made anew.
pub fn link(jobs: &mut [Job<'_>]) {
    let anew: Vec<(&Table, LiveTable)> = jobs
        .iter()
        .filter(|job| job.is_anew())
        .map(|job| (job.table, job.live.clone()))
        .collect();
    for job in jobs.iter_mut() {
        job.set_parents(&anew);
    }
}

impl<'a> Job<'a> {
    /// Whether the undoing has made the table, of which nothing was there in between.
    fn is_anew(&self) -> bool {
        matches!(self.role, Role::Destroyed(_)) && self.compared.is_none() && self.rows
    }

    fn set_parents(&mut self, anew: &[(&'a Table, LiveTable)]) {
        if matches!(self.role, Role::Written(_)) {
            return;
        }
        for (place, reference) in self.references.iter().enumerate() {
            let mut anew = anew.iter();
            let found = anew.find(|(_, live)| live.oid == reference.table);
            let Some((table, live)) = found.filter(|_| reference.table != self.live.oid) else {
                continue;
            };
            let content = content(table, live, &reference.others);
            if !content.is_empty() {
                self.parents.push(Parent {
                    place,
                    table,
                    live: live.clone(),
                    content,
                });
            }
        }
    }

    /// Reads the rows that were referred to. Run as the table's owner.
    ///
    /// # Errors
    /// XX001 when a chunk is damaged; what the types raise.
    pub(super) fn parent_rows(&self) -> Result<Vec<RowSet>> {
        let missing = || Error::internal("a table has not the columns that are referred to");
        let read = |parent: &Parent<'_>| {
            let others = self.references.get(parent.place).map(|it| &it.others);
            let others = others.ok_or_else(missing)?;
            let mut places = Vec::new();
            for name in others.iter().chain(&parent.content) {
                let mut columns = parent.table.columns.iter();
                let place = columns.position(|column| column.name == *name);
                let live = parent.live.column(name).ok_or_else(missing)?;
                let target = Target {
                    kind: live.kind,
                    type_name: live.column.type_name.clone(),
                };
                places.push((place.ok_or_else(missing)?, target));
            }
            let name = CString::new(format!("parent_rows_{}", parent.place))
                .map_err(|_| Error::internal("a name has a NUL byte"))?;
            refill_evidence::read(&name, parent.table, &places, others.len())
        };
        self.parents.iter().map(read).collect()
    }

    /// The condition that the row referred to is the one that it was. `alias` as in [`Reference::condition`].
    pub(super) fn is_same_parent<'b>(
        &self,
        reference: &Reference,
        alias: impl Fn(&str) -> &'b str,
    ) -> Option<String> {
        let is_its = |parent: &&Parent<'_>| {
            let found = self.references.get(parent.place);
            found.is_some_and(|found| std::ptr::eq(found, reference))
        };
        let parent = self.parents.iter().find(is_its)?;
        let row = |alias: &str, names: &[String]| {
            let names: Vec<String> = names
                .iter()
                .map(|name| format!("{alias}.{}", quote_identifier(name)))
                .collect();
            format!("ROW({})::record", names.join(", "))
        };
        let numbered = |letter: &str, count: usize| {
            let names: Vec<String> = (0..count).map(|at| format!("y.{letter}{at}")).collect();
            format!("ROW({})::record", names.join(", "))
        };
        let nulls: Vec<String> = reference
            .columns
            .iter()
            .map(|column| format!("{}.{} IS NULL", alias(column), quote_identifier(column)))
            .collect();
        Some(format!(
            "({} OR EXISTS (SELECT FROM {} r JOIN parent_rows_{} y ON {} *= {} AND {} *= {} WHERE {}))",
            nulls.join(" OR "),
            parent.live.source.qualified(),
            parent.place,
            row("r", &reference.others),
            numbered("k", reference.others.len()),
            row("r", &parent.content),
            numbered("o", parent.content.len()),
            reference.same(alias, "r"),
        ))
    }

    /// The query for rows of a table made anew under whose key the scripts have put another row.
    pub(super) fn made_otherwise(&self) -> Option<String> {
        let key: Vec<String> = self.live.key.iter().map(|key| key.name.clone()).collect();
        let content = content(self.table, &self.live, &key);
        if !self.is_anew() || !self.is_keyed || content.is_empty() {
            return None;
        }
        let row = |alias: &str| {
            let names: Vec<String> = content
                .iter()
                .map(|name| format!("{alias}.{}", quote_identifier(name)))
                .collect();
            format!("ROW({})::record", names.join(", "))
        };
        Some(format!(
            "SELECT {} FROM snapshot_rows s JOIN {} t ON {} WHERE {} *<> {}",
            self.shown_key("s"),
            self.live.table_item(),
            self.key_of("t", "s"),
            row("t"),
            row("s")
        ))
    }
}

/// The columns by which rows are compared that have the same key.
fn content(table: &Table, live: &LiveTable, key: &[String]) -> Vec<String> {
    let columns = live.stored_columns().filter(|column| {
        let is_there = table.columns.iter().any(|other| other.name == column.name);
        let is_site = live.source.site_column.as_ref() == Some(&column.name);
        is_there && !is_site && !key.contains(&column.name)
    });
    columns.map(|column| column.name.clone()).collect()
}
