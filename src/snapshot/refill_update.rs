//! The statements that give values back to columns, and the queries for those that can't be given back.

use pgrx::spi::{quote_identifier, quote_literal};
use versioning_core::snapshot::manifest::Column;

use crate::error::Result;
use crate::snapshot::refill_insert::GONE;
use crate::snapshot::refill_job::{Homeless, Job, Role, Setting, listed};
use crate::snapshot::refill_parent::OTHER;
use crate::snapshot::refill_sql::Range;
use crate::snapshot::refill_written::Knowledge;

pub(super) const HOMELESS: &str = "written since, in a column that the scripts dropped";

impl Job<'_> {
    /// The condition that a column is free to be set.
    fn is_free(&self, setting: &Setting<'_>) -> String {
        let Role::Written(knowledge) = self.role else {
            let free = self.is_old_free(setting);
            return match self.is_another_row() {
                Some(another) => format!("({free} AND NOT {another})"),
                None => free,
            };
        };
        match (setting.hash, knowledge) {
            _ if setting.is_converted => "false".to_owned(),
            (Some(hash), Knowledge::All) => {
                format!("({} OR NOT {})", self.is_written(hash), self.is_merged())
            }
            (Some(hash), Knowledge::Whole) => self.is_written(hash),
            (Some(_), Knowledge::Part) => "true".to_owned(),
            (None, _) | (_, Knowledge::Nothing) => "false".to_owned(),
        }
    }

    /// The same where it is the old value that comes back.
    pub(super) fn is_old_free(&self, setting: &Setting<'_>) -> String {
        if self.compared.is_some() && self.old_wins {
            return self.is_free_again(setting);
        }
        match (setting.hash, setting.is_new) {
            (Some(hash), false) => {
                let carried = self.is_carried(setting).unwrap_or("false".to_owned());
                format!("(b.h{hash} IS NOT DISTINCT FROM c.h{hash} AND NOT {carried})")
            }
            _ if self.compared.is_some() && self.carried.is_empty() => {
                format!("({} OR b.r = c.r)", self.is_empty(setting.column))
            }
            _ => self.is_empty(setting.column),
        }
    }

    /// The columns to set, each with the condition under which it gets its value back, foreign keys left
    /// aside.
    fn changes(&self) -> Vec<(&Setting<'_>, String)> {
        let change = |setting: &Setting<'_>| {
            let meets: String = self
                .checks_of(&setting.column.name)
                .map(|check| format!(" AND {}", self.meets(check)))
                .collect();
            format!("({}{meets})", self.wish(setting))
        };
        self.set
            .iter()
            .map(|setting| (setting, change(setting)))
            .collect()
    }

    /// The condition that a column is free to be set to another value, and that fits.
    fn wish(&self, setting: &Setting<'_>) -> String {
        let name = quote_identifier(&setting.column.name);
        format!(
            "{} AND ROW(t.{name})::record *<> ROW(s.{name})::record AND NOT ({})",
            self.is_free(setting),
            self.misfits(&setting.column.name)
        )
    }

    /// The queries for rows of which a constraint refuses the old value of a column, each with the reason and
    /// the column.
    ///
    /// # Errors
    /// 42704 when the site column isn't there.
    pub(super) fn refused_values(&self, site_id: &str) -> Result<Vec<(String, &Column, String)>> {
        let mut queries = Vec::new();
        for setting in &self.set {
            let checks = self.checks_of(&setting.column.name);
            // That there was no value is nothing that is lost.
            for check in checks.filter(|check| check.name.is_some()) {
                let condition = format!("{} AND NOT {}", self.wish(setting), self.meets(check));
                let query = self.in_both(site_id, &condition)?;
                queries.push((check.reason(), setting.column, query));
            }
        }
        Ok(queries)
    }

    /// The conditions that what the columns refer to is there, when this one gets its old value, and that it
    /// is what it was.
    fn holds(&self, setting: &Setting<'_>) -> (String, String) {
        let is_set = |column: &str| self.set.iter().any(|other| other.column.name == column);
        let alias = |column: &str| if is_set(column) { "s" } else { "t" };
        let references = self
            .references
            .iter()
            .filter(|reference| reference.columns.contains(&setting.column.name))
            .filter(|reference| reference.owner == self.live.owner);
        let (mut there, mut same) = (Vec::new(), Vec::new());
        for reference in references {
            there.push(reference.condition(alias, false));
            same.extend(self.is_same_parent(reference, alias));
        }
        let all = |conditions: Vec<String>| match conditions.is_empty() {
            true => "true".to_owned(),
            false => conditions.join(" AND "),
        };
        (all(there), all(same))
    }

    /// The statement that sets columns, if any is to be set.
    ///
    /// # Errors
    /// 42704 when the site column isn't there.
    pub(super) fn update(&self, site_id: &str, range: Option<Range>) -> Result<Option<String>> {
        if self.set.is_empty() {
            return Ok(None);
        }
        let mut assignments = Vec::new();
        let mut conditions = Vec::new();
        for (setting, change) in self.changes() {
            let name = quote_identifier(&setting.column.name);
            let (there, same) = self.holds(setting);
            let condition = format!("{change} AND {there} AND {same}");
            assignments.push(format!(
                "{name} = CASE WHEN {condition} THEN s.{name} ELSE t.{name} END"
            ));
            conditions.push(format!("({condition})"));
        }
        Ok(Some(format!(
            "UPDATE {} AS t SET {} FROM snapshot_rows s{} WHERE {}{} AND ({}){}",
            self.live.table_item(),
            assignments.join(", "),
            self.sides(),
            self.key_of("t", "s"),
            self.and_site(site_id)?,
            conditions.join(" OR "),
            self.in_range(range)
        )))
    }

    /// A query for keys of rows that snapshot and table both have.
    pub(super) fn in_both(&self, site_id: &str, condition: &str) -> Result<String> {
        Ok(format!(
            "SELECT {} FROM snapshot_rows s{} JOIN {} t ON {}{} WHERE {condition}",
            self.shown_key("s"),
            self.sides(),
            self.live.table_item(),
            self.key_of("t", "s"),
            self.and_site(site_id)?,
        ))
    }

    /// The queries for rows whose columns can't be set since they refer to rows that are gone, or are
    /// others now, each with the reason and the column.
    ///
    /// # Errors
    /// 42704 when the site column isn't there.
    pub(super) fn lost_updates(
        &self,
        site_id: &str,
    ) -> Result<Vec<(&'static str, String, String)>> {
        let mut lost = Vec::new();
        for (setting, change) in self.changes() {
            let (there, same) = self.holds(setting);
            if there != "true" {
                let query = self.in_both(site_id, &format!("{change} AND NOT ({there})"))?;
                lost.push((GONE, of_column(setting.column), query));
            }
            if same != "true" {
                let other = format!("{change} AND {there} AND NOT ({same})");
                let query = self.in_both(site_id, &other)?;
                lost.push((OTHER, of_column(setting.column), query));
            }
        }
        Ok(lost)
    }

    /// The queries for rows whose old values don't fit, each with the column.
    ///
    /// # Errors
    /// 42704 when the site column isn't there.
    pub(super) fn misfit_values(&self, site_id: &str) -> Result<Vec<(&Column, String)>> {
        let mut queries = Vec::new();
        for setting in &self.set {
            let name = &setting.column.name;
            let condition = format!("{} AND {}", self.is_free(setting), self.misfits(name));
            queries.push((setting.column, self.in_both(site_id, &condition)?));
        }
        Ok(queries)
    }

    /// The queries for rows in which another value stands than people had written, each with the column.
    ///
    /// # Errors
    /// 42704 when the site column isn't there.
    pub(super) fn lost_values(&self, site_id: &str) -> Result<Vec<(String, String)>> {
        let Role::Written(knowledge) = self.role else {
            return Ok(Vec::new());
        };
        let query = |setting: &Setting<'_>| {
            let is_concerned = match (setting.hash, knowledge) {
                (Some(hash), Knowledge::Whole | Knowledge::Part) => self.is_written(hash),
                _ => "true".to_owned(),
            };
            let condition = format!(
                "{is_concerned} AND {} AND {}",
                self.differs(setting.column),
                self.leads_nowhere(setting)
            );
            Ok((
                of_column(setting.column),
                self.in_both(site_id, &condition)?,
            ))
        };
        self.set.iter().map(query).collect()
    }

    /// The condition that the table has another value than the snapshot, whatever their types.
    fn differs(&self, column: &Column) -> String {
        let name = quote_identifier(&column.name);
        let live = self.live.column(&column.name);
        let (old, new) = (
            column.type_name.as_str(),
            live.map_or("", |live| live.column.type_name.as_str()),
        );
        let written = match self.text_of(&column.name) {
            Some(text) => format!("s.{}", quote_identifier(&text)),
            None => format!("s.{name}"),
        };
        if old == new && common_type(old, new).is_none() {
            return format!("ROW(t.{name})::record *<> ROW({written})::record");
        }
        let common = common_type(old, new).unwrap_or("text");
        format!(
            "{} IS DISTINCT FROM {}",
            value(&format!("t.{name}"), common),
            value(&written, common)
        )
    }

    /// The queries for rows in which something was written, in columns that have gone since, each with the
    /// column.
    pub(super) fn homeless_values(&self) -> Vec<(String, String)> {
        if matches!(self.role, Role::Written(_)) {
            return Vec::new();
        }
        let values: Vec<String> = (0..self.live.key.len())
            .map(|place| format!("c.k{place}"))
            .collect();
        let query = |gone: &Homeless| {
            format!(
                "SELECT ({} || ROW({})::text)::text FROM now_rows c LEFT JOIN after_rows b ON {}
                 WHERE {}",
                self.key_label(),
                values.join(", "),
                self.key_of("b", "c"),
                self.has_written(gone)
            )
        };
        self.homeless
            .iter()
            .map(|gone| (format!("column \"{}\" of ", gone.name), query(gone)))
            .collect()
    }

    /// The condition that a column of the live row holds nothing but what it got when it was added.
    pub(super) fn is_empty(&self, column: &Column) -> String {
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
}

pub(super) fn of_column(column: &Column) -> String {
    format!("column {} of ", listed(&[column]))
}

/// A value as one of another type, by way of its text.
pub(super) fn value(value: &str, kind: &str) -> String {
    if kind == "text" {
        format!("CAST({value} AS text)")
    } else {
        format!("CAST(CAST({value} AS text) AS {kind})")
    }
}

/// The type in which values of two types are compared where their text may differ though they are equal.
pub(super) fn common_type(one: &str, other: &str) -> Option<&'static str> {
    let both = |is: &dyn Fn(&str) -> bool| {
        [one, other]
            .iter()
            .all(|name| !name.ends_with("[]") && is(name))
    };
    let is_number = |name: &str| {
        let base = name.split('(').next().unwrap_or_default();
        [
            "smallint",
            "integer",
            "bigint",
            "numeric",
            "real",
            "double precision",
        ]
        .contains(&base)
    };
    let is_time = |name: &str| name.starts_with("timestamp") || name == "date";
    if both(&is_number) {
        Some("numeric")
    } else if both(&is_time) {
        Some("timestamp with time zone")
    } else if both(&|name| ["json", "jsonb"].contains(&name)) {
        Some("jsonb")
    } else {
        None
    }
}
