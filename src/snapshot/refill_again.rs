//! Going up again, three values of a column are compared: what the scripts had made of it the first time
//! (the base), what it was before the rollback (theirs), and what the scripts have made of it now (mine).
//! Where nobody had written anything, mine is right; where the scripts have made the same as the first time,
//! or nothing, theirs is. All else is left as it is, and said.

use pgrx::spi::quote_identifier;
use versioning_core::lineage::Undo;
use versioning_core::snapshot::manifest::{Column, Table};

use crate::error::{Error, Result};
use crate::pg::row_set::RowSet;
use crate::snapshot::decoding::Target;
use crate::snapshot::image;
use crate::snapshot::refill_evidence;
use crate::snapshot::refill_job::{Job, Setting};
use crate::snapshot::refill_update::of_column;
use crate::snapshot::store::DataChange;
use versioning_core::snapshot::manifest::Manifest;

/// Why what was there before a rollback doesn't come back.
pub(super) const CHANGED: &str = "the value that the scripts have made now is kept, and not the one before the rollback, for what they make it of was changed since";

/// A table as scripts had left it the first time: relation `base_rows (k0 …, o0 …)`.
pub struct Base<'a> {
    table: &'a Table,
    /// The columns to be set that it has.
    columns: Vec<String>,
}

/// The table as the scripts had left it the first time, where that is known.
pub fn table<'a>(first: Option<(&DataChange, &'a Manifest)>, undo: &Undo) -> Option<&'a Table> {
    let (change, after) = first?;
    let fate = change
        .tables
        .iter()
        .find(|fate| fate.after.as_ref() == Some(&undo.table) && !fate.is_same && fate.is_sure)?;
    let name = fate.after.as_ref()?;
    image::table(after, &name.schema, &name.relation)
}

impl<'a> Job<'a> {
    /// Compares with the table as the scripts had left it the first time, where rows of it can be matched.
    pub(super) fn set_base(&mut self, table: &'a Table) {
        let key = self.live.key.iter().map(|key| &key.name);
        if !self.is_keyed || !key.eq(table.primary_key.iter()) {
            return;
        }
        let is_there = |name: &String| table.columns.iter().any(|column| column.name == *name);
        let columns = self.set.iter().map(|setting| setting.column.name.clone());
        self.base = Some(Base {
            table,
            columns: columns.filter(is_there).collect(),
        });
    }

    /// Reads those rows, if there are any to compare with. Run as the table's owner.
    pub(super) fn base_rows(&self) -> Result<Option<RowSet>> {
        let Some(base) = &self.base else {
            return Ok(None);
        };
        let missing = || Error::internal("a column is not in all states of a table");
        let keys = self.live.key.iter().map(|key| &key.name);
        let mut places = Vec::new();
        for name in keys.chain(&base.columns) {
            let mut columns = base.table.columns.iter();
            let place = columns.position(|column| column.name == *name);
            let live = self.live.column(name).ok_or_else(missing)?;
            let target = Target {
                kind: live.kind,
                type_name: live.column.type_name.clone(),
            };
            places.push((place.ok_or_else(missing)?, target));
        }
        let keys = self.live.key.len();
        refill_evidence::read(c"base_rows", base.table, &places, keys).map(Some)
    }

    /// The join of those rows.
    pub(super) fn base_join(&self) -> String {
        match &self.base {
            Some(_) => format!(" LEFT JOIN base_rows z ON {}", self.key_of("z", "s")),
            None => String::new(),
        }
    }

    fn base_value(&self, column: &Column) -> Option<String> {
        let mut columns = self.base.as_ref()?.columns.iter();
        let place = columns.position(|name| *name == column.name)?;
        Some(format!("z.o{place}"))
    }

    /// The condition that what was there before the rollback is to come back, its being unchanged left aside.
    fn is_theirs(&self, setting: &Setting<'_>) -> String {
        let name = quote_identifier(&setting.column.name);
        let empty = self.is_empty(setting.column);
        let base = self.base_value(setting.column);
        // What the scripts make of a column that was there all the time, they make of what stood there: that
        // it is another than the first time says nothing.
        let (is_unknown, is_mine) = match (setting.hash, setting.is_new) {
            (Some(_), false) => ("true".to_owned(), "true".to_owned()),
            _ => (
                format!("({empty} AND s.{name} IS NOT NULL OR b.r = c.r)"),
                base.as_ref().map_or_else(String::new, |base| {
                    format!("({empty} OR ROW(t.{name})::record *= ROW({base})::record)")
                }),
            ),
        };
        match base {
            None => is_unknown,
            Some(base) => format!(
                "CASE WHEN z.k0 IS NULL THEN {is_unknown}
                      ELSE ROW(s.{name})::record *<> ROW({base})::record AND {is_mine} END"
            ),
        }
    }

    /// The condition that nobody has written in the column since the rollback.
    fn is_left(setting: &Setting<'_>) -> String {
        match (setting.hash, setting.is_new) {
            (Some(hash), false) => format!("b.h{hash} IS NOT DISTINCT FROM c.h{hash}"),
            _ => "true".to_owned(),
        }
    }

    /// The condition that a column gets the value back that it had before the rollback.
    pub(super) fn is_free_again(&self, setting: &Setting<'_>) -> String {
        format!(
            "({} AND {})",
            Self::is_left(setting),
            self.is_theirs(setting)
        )
    }

    /// The queries for rows in which a value was lost that people had written before the rollback, each with
    /// the column.
    ///
    /// # Errors
    /// 42704 when the site column isn't there.
    pub(super) fn changed_values(&self, site_id: &str) -> Result<Vec<(String, String)>> {
        if !self.old_wins || self.compared.is_none() {
            return Ok(Vec::new());
        }
        let query = |setting: &Setting<'_>| {
            let name = quote_identifier(&setting.column.name);
            let written = match self.base_value(setting.column) {
                Some(base) => {
                    format!("(z.k0 IS NULL OR ROW(s.{name})::record *<> ROW({base})::record)")
                }
                None => "true".to_owned(),
            };
            let condition = format!(
                "{} AND NOT {} AND {written} AND s.{name} IS NOT NULL AND ROW(t.{name})::record *<> ROW(s.{name})::record",
                Self::is_left(setting),
                self.is_theirs(setting),
            );
            Ok((
                of_column(setting.column),
                self.in_both(site_id, &condition)?,
            ))
        };
        self.set.iter().map(query).collect()
    }
}
