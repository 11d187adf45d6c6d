//! The statements that give rows back to a table, and the queries for those that can't come.

use std::collections::BTreeSet;

use pgrx::pg_sys;
use pgrx::spi::quote_identifier;
use versioning_core::snapshot::manifest::Column;

use crate::snapshot::reference::Reference;
use crate::snapshot::refill_check::Check;
use crate::snapshot::refill_job::{Follower, Job, Role, Setting};
use crate::snapshot::refill_sql::Range;
use crate::snapshot::refill_written::Knowledge;

/// Why a row can't come back that others stand for.
pub(super) const GONE: &str = "not put back, for they refer to rows that are gone";
const TAKEN: &str = "not put back, for a row that was written since has their key";
const REMOVED: &str = "not put back, for they had been changed since and the scripts removed them";
const ADDED: &str =
    "not put back, for the upgrade had added them, though they had been changed since";
const UNDECIDED: &str =
    "not put back, for it can't be told whether people had written them or scripts that are undone";
const ONLY_KEY: &str =
    "not put back, for they have nothing but their key in common with the older table";
const HALF: &str = "not put back, for the upgrade had changed them and is undone in part only";

/// The SQL that tells rows that can come back from those that can't.
struct Missing {
    with: String,
    lost: String,
    held: String,
}

impl Job<'_> {
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
        let mut queries = Vec::new();
        if self.rows {
            let comes = self.comes();
            queries.push((GONE, self.missing(&comes, &self.held(later)).lost));
        }
        if !self.is_keyed {
            return queries;
        }
        let mut add = |why: &'static str, condition: &str| {
            let query = format!(
                "SELECT {} FROM {} WHERE {condition}",
                self.shown_key("s"),
                self.rows()
            );
            queries.push((why, query));
        };
        let absent = self.is_absent();
        match self.role {
            Role::Destroyed(_) if self.compared.is_none() || !self.rows => {}
            Role::Destroyed(Follower::Rows) => add(TAKEN, "b.r IS NULL AND c.r IS NOT NULL"),
            Role::Destroyed(follower) => {
                let taken = format!("b.r IS NULL AND c.r IS NOT NULL AND NOT ({absent})");
                add(TAKEN, &taken);
                if follower == Follower::None {
                    add(REMOVED, &format!("b.r <> c.r AND {absent}"));
                }
            }
            Role::Written(Knowledge::Nothing) => add(UNDECIDED, &absent),
            Role::Written(_) if !self.rows => {
                add(ONLY_KEY, &format!("{} AND {absent}", self.is_due()));
            }
            Role::Written(Knowledge::All) => {}
            Role::Written(knowledge) => {
                add(ADDED, &format!("b.r <> c.r AND a.r IS NULL AND {absent}"));
                if knowledge == Knowledge::Part {
                    add(HALF, &format!("b.r = c.r AND a.r <> b.r AND {absent}"));
                }
            }
        }
        queries
    }

    /// The query for rows that would come back if each of their values fitted.
    pub(super) fn misfit_rows(&self) -> Option<String> {
        if !self.rows {
            return None;
        }
        let key = self.shown_key("s");
        let fits = self.fits();
        Some(if self.is_keyed {
            let (absent, due) = (self.is_absent(), self.is_due());
            let rows = self.rows();
            format!("SELECT {key} FROM {rows} WHERE {absent} AND {due} AND NOT ({fits})")
        } else {
            let (wanted, copies) = (self.wanted(), self.copies());
            format!("{wanted} SELECT {key} FROM {copies} WHERE NOT ({fits})")
        })
    }

    /// The queries for rows that would come back if they met what the table asks of its rows, each with the
    /// reason.
    pub(super) fn refused_rows(&self) -> Vec<(String, String)> {
        if !self.rows {
            return Vec::new();
        }
        let (key, fits) = (self.shown_key("s"), self.fits());
        let from = if self.is_keyed {
            let (absent, due) = (self.is_absent(), self.is_due());
            format!("SELECT {key} FROM {} WHERE {absent} AND {due}", self.rows())
        } else {
            let (wanted, copies) = (self.wanted(), self.copies());
            format!("{wanted} SELECT {key} FROM {copies} WHERE true")
        };
        let refused = |check: &Check| {
            let query = format!("{from} AND {fits} AND NOT {}", self.meets(check));
            (check.reason(), query)
        };
        self.checks.iter().map(refused).collect()
    }

    /// The queries for rows that come back with a value that the undoing would have made another of, each with
    /// the column.
    pub(super) fn unconverted(&self) -> Vec<(&Column, String)> {
        if !self.rows || !self.is_keyed || !matches!(self.role, Role::Written(_)) {
            return Vec::new();
        }
        let set = self.set.iter().filter(|setting| self.is_computed(setting));
        let query = |setting: &Setting<'_>, hash: usize| {
            let (rows, written) = (self.due_rows(), self.is_written(hash));
            let name = quote_identifier(&setting.column.name);
            format!("{rows} AND {written} AND s.{name} IS NOT NULL")
        };
        set.filter_map(|setting| Some((setting.column, query(setting, setting.hash?))))
            .collect()
    }

    /// The query for all rows that are to come back.
    pub(super) fn due_rows(&self) -> String {
        format!(
            "SELECT {} FROM {} WHERE {}",
            self.shown_key("s"),
            self.rows(),
            self.comes()
        )
    }

    /// The condition under which a row isn't there and is to come back: the scripts had removed it, or the
    /// undoing did.
    fn comes(&self) -> String {
        if !self.is_keyed {
            return format!("{} AND {}", self.fits(), self.meets_all());
        }
        format!(
            "{} AND {} AND {} AND {} AND NOT {}",
            self.is_absent(),
            self.is_due(),
            self.fits(),
            self.meets_all(),
            self.is_elsewhere()
        )
    }

    /// Rows that can't come back since they refer to rows that are gone, or, in a table that refers to
    /// itself, to rows that can't come back.
    fn missing(&self, comes: &str, held: &str) -> Missing {
        let itself: Vec<&Reference> = self
            .known_references()
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
            .known_references()
            // The server looks at those itself at the end: their rows come later, or belong to somebody
            // else.
            .filter(|reference| reference.owner == self.live.owner)
            .filter(|reference| !later.contains(&reference.table))
            .flat_map(|reference| {
                let is_itself = reference.table == self.live.oid;
                let there = reference.condition(|_| "s", is_itself);
                std::iter::once(there).chain(self.is_same_parent(reference, |_| "s"))
            })
            .collect();
        if conditions.is_empty() {
            "true".to_owned()
        } else {
            conditions.join(" AND ")
        }
    }

    /// The foreign keys all of whose columns the snapshot has.
    fn known_references(&self) -> impl Iterator<Item = &Reference> {
        let columns = self.columns();
        let is_known = move |name: &String| columns.iter().any(|column| column.name == *name);
        self.references.iter().filter(move |reference| {
            let is_own = reference.table == self.live.oid;
            let mut others = reference.others.iter();
            reference.columns.iter().all(&is_known) && (!is_own || others.all(&is_known))
        })
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
