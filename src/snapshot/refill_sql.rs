//! What the statements of a refilling have in common: how rows are matched, and who has written them.

use pgrx::spi::{quote_identifier, quote_literal};

use crate::error::Result;
use crate::snapshot::refill_job::{Follower, Homeless, Job, Role};
use crate::snapshot::refill_written::Knowledge;

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

impl Job<'_> {
    pub(super) fn in_range(&self, range: Option<Range>) -> String {
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

    /// Joins of the rows in between; empty when they aren't known. Joins, and not conditions with
    /// subqueries: those are looked up once for each row.
    fn joins(&self, kind: &str) -> String {
        let Some(compared) = &self.compared else {
            return String::new();
        };
        let join = |relation: &str, alias: &str| {
            format!(
                " {kind}JOIN {relation} {alias} ON {}",
                self.key_of(alias, "s")
            )
        };
        let mut joins = join("after_rows", "b") + &join("now_rows", "c");
        if compared.before.is_some() {
            joins += &join("before_rows", "a");
        }
        joins
    }

    /// Joins of the rows in between that a row of the snapshot must have: those that the scripts left.
    pub(super) fn sides(&self) -> String {
        match self.role {
            Role::Destroyed(_) => self.joins("") + &self.base_join(),
            Role::Written(_) => self.joins("LEFT "),
        }
    }

    /// The rows of the snapshot, with those in between where they are known.
    pub(super) fn rows(&self) -> String {
        format!("snapshot_rows s{}", self.joins("LEFT "))
    }

    /// The condition that nothing of a row of the snapshot is of another form than the table takes.
    pub(super) fn fits(&self) -> String {
        format!("s.{} = 0", quote_identifier(self.mask()))
    }

    /// The condition that the value of a column is none that the table takes.
    pub(super) fn misfits(&self, column: &str) -> String {
        let mask = quote_identifier(self.mask());
        format!("s.{mask} & {} <> 0", self.bit(column))
    }

    /// The condition that people have written the value of that hash.
    pub(super) fn is_written(&self, hash: usize) -> String {
        format!("(b.r IS NULL OR b.h{hash} IS DISTINCT FROM c.h{hash})")
    }

    /// The condition that people have written something in that column, which has gone since.
    pub(super) fn has_written(&self, gone: &Homeless) -> String {
        let hash = gone.hash;
        let default = gone
            .default
            .map(|default| format!(" AND c.h{hash} <> {default}"))
            .unwrap_or_default();
        format!(
            "c.h{hash} IS NOT NULL{default} AND {}",
            self.is_written(hash)
        )
    }

    /// The condition that people have written something in a column that has gone since: what the undoing
    /// made of the row's other columns may come from there.
    pub(super) fn is_merged(&self) -> String {
        let gone = self.homeless.iter();
        let written: Vec<String> = gone
            .map(|gone| format!("({})", self.has_written(gone)))
            .collect();
        if written.is_empty() {
            "false".to_owned()
        } else {
            format!("({})", written.join(" OR "))
        }
    }

    /// The condition that a row was there before the undoing and isn't now.
    pub(super) fn is_absent(&self) -> String {
        let absent = format!(
            "NOT EXISTS (SELECT FROM {} t WHERE {})",
            self.live.table_item(),
            self.key_of("t", "s")
        );
        if matches!(self.role, Role::Destroyed(_)) {
            return absent;
        }
        // A row whose key was not yet written can't be told from the one that it has become.
        let keys = self.live.key.iter();
        let known = keys.map(|key| format!(" AND s.{} IS NOT NULL", quote_identifier(&key.name)));
        absent + &known.collect::<String>()
    }

    /// The condition that a row of the snapshot is to come back, its being absent left aside.
    pub(super) fn is_due(&self) -> &'static str {
        if self.compared.is_none() {
            return "true";
        }
        match self.role {
            // What people wrote under the key comes back instead.
            Role::Destroyed(Follower::Rows) => "(b.r = c.r OR b.r IS NULL AND c.r IS NULL)",
            Role::Destroyed(_) => "(b.r IS NULL OR b.r = c.r)",
            Role::Written(Knowledge::All) => "true",
            Role::Written(Knowledge::Nothing) => "false",
            // A row that the scripts had added, the undoing may take away.
            Role::Written(Knowledge::Whole) => "(b.r IS NULL OR b.r <> c.r AND a.r IS NOT NULL)",
            Role::Written(Knowledge::Part) => {
                "(b.r IS NULL OR a.r IS NOT NULL AND (b.r <> c.r OR a.r = b.r))"
            }
        }
    }

    /// The condition that two rows have the same key. `a`, `b`, `c`, `o`, `p`, `q` and `z` stand for the rows in the states that
    /// are compared, where key columns are called `k0`, `k1` …
    pub(super) fn key_of(&self, one: &str, other: &str) -> String {
        let column = |alias: &str, place: usize, name: &str| match alias {
            "a" | "b" | "c" | "o" | "p" | "q" | "z" => format!("{alias}.k{place}"),
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

    pub(super) fn and_site(&self, site_id: &str) -> Result<String> {
        let site = self.live.site_condition("t", &quote_literal(site_id))?;
        Ok(site.replacen(" WHERE ", " AND ", 1))
    }

    /// A row's key as text, for people.
    pub(super) fn shown_key(&self, alias: &str) -> String {
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
    pub(super) fn key_label(&self) -> String {
        let key = self.live.key.iter();
        let names: Vec<String> = key.map(|key| quote_identifier(&key.name)).collect();
        quote_literal(format!("({})=", names.join(", ")))
    }
}
