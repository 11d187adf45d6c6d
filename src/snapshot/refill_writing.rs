//! The statements that give back to a table what it had: rows, and values of columns.

use std::collections::BTreeSet;

use pgrx::pg_sys;
use pgrx::spi::{quote_identifier, quote_literal};
use versioning_core::snapshot::manifest::Column;

use crate::error::Result;
use crate::snapshot::reference::Reference;
use crate::snapshot::refill_job::{Job, Setting, listed};

/// Rows of the snapshot's relation by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first one.
    pub first: u64,
    /// The last one.
    pub last: u64,
}

impl Range {
    /// Two halves of it; nothing of a single row.
    pub fn halves(self) -> Option<(Self, Self)> {
        let middle = self.first + (self.last.checked_sub(self.first)?) / 2;
        (middle < self.last).then_some((
            Self {
                first: self.first,
                last: middle,
            },
            Self {
                first: middle + 1,
                last: self.last,
            },
        ))
    }
}

/// Why a row can't come back that others stand for.
pub(super) const GONE: &str = "not put back, for they refer to rows that are gone";
pub(super) const HOMELESS: &str = "written since, in a column that the scripts dropped";
const TAKEN: &str = "not put back, for a row that was written since has their key";
const REMOVED: &str = "not put back, for they had been changed since and the scripts removed them";

/// The SQL that tells rows that can come back from those that can't.
struct Missing {
    with: String,
    lost: String,
    held: String,
}

impl Job<'_> {
    fn in_range(&self, range: Option<Range>) -> String {
        range
            .filter(|_| self.is_keyed)
            .map_or_else(String::new, |range| {
                let number = quote_identifier(&self.number);
                format!(" AND s.{number} BETWEEN {} AND {}", range.first, range.last)
            })
    }

    /// The query for the keys of the rows in a range.
    pub(super) fn keys_in(&self, range: Range) -> String {
        format!(
            "SELECT {} FROM snapshot_rows s WHERE true{}",
            self.shown_key("s"),
            self.in_range(Some(range))
        )
    }

    /// `JOIN` of the rows in between; empty when they aren't known.
    fn sides(&self) -> String {
        if self.compared.is_none() {
            return String::new();
        }
        format!(
            " JOIN after_rows b ON {} JOIN now_rows c ON {}",
            self.key_of("b", "s"),
            self.key_of("c", "s")
        )
    }

    /// The rows of the snapshot, with those in between where they are known. Joins, and not conditions with
    /// subqueries: those are looked up once for each row.
    fn rows(&self) -> String {
        let sides = self.sides().replace(" JOIN ", " LEFT JOIN ");
        format!("snapshot_rows s{sides}")
    }

    /// The columns to set, each with the condition under which it gets its old value back, foreign keys
    /// left aside.
    fn changes(&self) -> Vec<(&Setting<'_>, String)> {
        let change = |setting: &Setting<'_>| {
            let name = quote_identifier(&setting.column.name);
            let is_free = match (setting.hash, setting.is_new) {
                (Some(hash), false) => format!("b.h{hash} IS NOT DISTINCT FROM c.h{hash}"),
                _ if self.compared.is_some() && self.old_wins => {
                    format!("(s.{name} IS NOT NULL OR b.r = c.r)")
                }
                _ if self.compared.is_some() => {
                    format!("({} OR b.r = c.r)", self.is_empty(setting.column))
                }
                _ => self.is_empty(setting.column),
            };
            format!("({is_free} AND ROW(t.{name})::record *<> ROW(s.{name})::record)")
        };
        self.set
            .iter()
            .map(|setting| (setting, change(setting)))
            .collect()
    }

    /// The condition that what the columns refer to is there, when this one gets its old value.
    fn holds(&self, setting: &Setting<'_>) -> String {
        let is_set = |column: &str| self.set.iter().any(|other| other.column.name == column);
        let alias = |column: &str| if is_set(column) { "s" } else { "t" };
        let conditions: Vec<String> = self
            .references
            .iter()
            .filter(|reference| reference.columns.contains(&setting.column.name))
            .filter(|reference| reference.owner == self.live.owner)
            .map(|reference| reference.condition(alias, false))
            .collect();
        if conditions.is_empty() {
            "true".to_owned()
        } else {
            conditions.join(" AND ")
        }
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
            let condition = format!("{change} AND {}", self.holds(setting));
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

    /// The queries for rows whose columns can't be set since they refer to rows that are gone, each with the
    /// column.
    ///
    /// # Errors
    /// 42704 when the site column isn't there.
    pub(super) fn lost_updates(&self, site_id: &str) -> Result<Vec<(String, String)>> {
        let mut lost = Vec::new();
        for (setting, change) in self.changes() {
            let holds = self.holds(setting);
            if holds != "true" {
                let query = format!(
                    "SELECT {} FROM snapshot_rows s{} JOIN {} t ON {}{} WHERE {change} AND NOT ({holds})",
                    self.shown_key("s"),
                    self.sides(),
                    self.live.table_item(),
                    self.key_of("t", "s"),
                    self.and_site(site_id)?,
                );
                lost.push((format!("column {} of ", listed(&[setting.column])), query));
            }
        }
        Ok(lost)
    }

    /// The queries for rows in which something was written, in columns that have gone since, each with the
    /// column.
    pub(super) fn homeless_values(&self) -> Vec<(String, String)> {
        let values: Vec<String> = (0..self.live.key.len())
            .map(|place| format!("c.k{place}"))
            .collect();
        let query = |hash: &usize| {
            format!(
                "SELECT ({} || ROW({})::text)::text FROM now_rows c LEFT JOIN after_rows b ON {}
                 WHERE c.h{hash} IS NOT NULL AND (b.r IS NULL OR b.h{hash} IS DISTINCT FROM c.h{hash})",
                self.key_label(),
                values.join(", "),
                self.key_of("b", "c")
            )
        };
        self.homeless
            .iter()
            .map(|(name, hash)| (format!("column \"{name}\" of "), query(hash)))
            .collect()
    }

    /// The statement that inserts rows. `later`: tables whose rows come after these.
    pub(super) fn insert(&self, later: &[pg_sys::Oid], range: Option<Range>) -> String {
        let columns = self.columns();
        let names: Vec<String> = columns.iter().map(|c| quote_identifier(&c.name)).collect();
        let values: Vec<String> = names.iter().map(|name| format!("s.{name}")).collect();
        let list = if names.is_empty() {
            String::new()
        } else {
            format!("({})", names.join(", "))
        };
        let comes = self.comes();
        let missing = self.missing(&comes, &self.held(later));
        let (with, from) = if self.is_keyed {
            (missing.with, self.rows())
        } else {
            (self.wanted(), self.copies())
        };
        format!(
            "{with}INSERT INTO {} {list} OVERRIDING SYSTEM VALUE SELECT {} FROM {from} WHERE {comes} AND {}{}",
            self.live.source.qualified(),
            values.join(", "),
            missing.held,
            self.in_range(range)
        )
    }

    /// The queries for rows that can't come back, each with the reason.
    pub(super) fn lost_rows(&self, later: &[pg_sys::Oid]) -> Vec<(&'static str, String)> {
        let comes = self.comes();
        let mut queries = vec![(GONE, self.missing(&comes, &self.held(later)).lost)];
        if self.is_keyed && self.compared.is_some() {
            let (key, table) = (self.shown_key("s"), self.live.table_item());
            let in_live = format!(
                "EXISTS (SELECT FROM {table} t WHERE {})",
                self.key_of("t", "s")
            );
            queries.push((
                TAKEN,
                format!(
                    "SELECT {key} FROM {} WHERE b.r IS NULL AND c.r IS NOT NULL AND {in_live}",
                    self.rows()
                ),
            ));
            queries.push((
                REMOVED,
                format!(
                    "SELECT {key} FROM snapshot_rows s{} WHERE b.r <> c.r AND NOT {in_live}",
                    self.sides()
                ),
            ));
        }
        queries
    }

    /// The condition under which a row isn't there and is to come back: the scripts had removed it, or the
    /// undoing did and nobody had changed it.
    fn comes(&self) -> String {
        if !self.is_keyed {
            return "true".to_owned();
        }
        let absent = format!(
            "NOT EXISTS (SELECT FROM {} t WHERE {})",
            self.live.table_item(),
            self.key_of("t", "s")
        );
        if self.compared.is_none() {
            return absent;
        }
        format!("{absent} AND (b.r IS NULL OR b.r = c.r)")
    }

    /// Rows that can't come back since they refer to rows that are gone, or, in a table that refers to
    /// itself, to rows that can't come back.
    fn missing(&self, comes: &str, held: &str) -> Missing {
        let itself: Vec<&Reference> = self
            .references
            .iter()
            .filter(|other| other.table == self.live.oid)
            .collect();
        if itself.is_empty() || !self.is_keyed {
            let lost = if self.is_keyed {
                format!(
                    "SELECT {} FROM {} WHERE {comes} AND NOT ({held})",
                    self.shown_key("s"),
                    self.rows()
                )
            } else {
                format!(
                    "{} SELECT {} FROM {} WHERE NOT ({held})",
                    self.wanted(),
                    self.shown_key("s"),
                    self.copies()
                )
            };
            return Missing {
                with: String::new(),
                lost,
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
                 SELECT {columns} FROM {0} WHERE {comes} AND NOT ({held})
                 UNION
                 SELECT {columns} FROM gone CROSS JOIN {0} WHERE {comes} AND ({1})) ",
            self.rows(),
            refers.join(" OR ")
        );
        Missing {
            lost: format!("{with} SELECT {} FROM gone", self.shown_key("gone")),
            held: format!(
                "NOT EXISTS (SELECT FROM gone WHERE {})",
                self.key_of("gone", "s")
            ),
            with,
        }
    }

    /// The condition under which the rows that a row of the snapshot refers to are there.
    fn held(&self, later: &[pg_sys::Oid]) -> String {
        let conditions: Vec<String> = self
            .references
            .iter()
            // The server looks at those itself at the end: their rows come later, or belong to somebody
            // else.
            .filter(|reference| reference.owner == self.live.owner)
            .filter(|reference| !later.contains(&reference.table))
            .map(|reference| reference.condition(|_| "s", reference.table == self.live.oid))
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

    /// The condition that two rows have the same key. `b` and `c` stand for the rows in between, where key
    /// columns are called `k0`, `k1` …
    fn key_of(&self, one: &str, other: &str) -> String {
        let column = |alias: &str, place: usize, name: &str| match alias {
            "b" | "c" => format!("{alias}.k{place}"),
            _ => format!("{alias}.{}", quote_identifier(name)),
        };
        let conditions: Vec<String> = self
            .live
            .key
            .iter()
            .enumerate()
            .map(|(place, key)| {
                format!(
                    "{} {} {}",
                    column(one, place, &key.name),
                    key.operator,
                    column(other, place, &key.name)
                )
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
        if !self.is_keyed {
            return "'(no key)'::text".to_owned();
        }
        let values: Vec<String> = self
            .live
            .key
            .iter()
            .map(|key| format!("{alias}.{}", quote_identifier(&key.name)))
            .collect();
        format!(
            "({} || ROW({})::text)::text",
            self.key_label(),
            values.join(", ")
        )
    }

    /// What stands before a key that is shown.
    fn key_label(&self) -> String {
        let key = self.live.key.iter();
        let names: Vec<String> = key.map(|key| quote_identifier(&key.name)).collect();
        quote_literal(format!("({})=", names.join(", ")))
    }

    /// A column that must have a value of which the snapshot has none.
    pub(super) fn required_and_unknown(&self, columns: &[&Column]) -> Option<String> {
        let known = |name: &str| columns.iter().any(|column| column.name == name);
        self.live
            .columns
            .iter()
            .find(|c| c.required && !c.generated && !known(&c.column.name))
            .map(|c| c.column.name.clone())
    }
}
