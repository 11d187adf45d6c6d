//! Watching what scripts do to the tables of a database, statement by statement.
//!
//! Names and numbers are taken before anything runs: afterwards a dropped table has none. Locks are read
//! from the lock table while they are held, files and counters by number.

use std::collections::{BTreeMap, BTreeSet};

use versioning_core::rehearsal::shape::Tables;
use versioning_core::rehearsal::{Mode, NewIndex, Observation, Relations, Written};

pub use super::store::access::is_closed_below;
pub use super::store::membership::memberships;
use super::store::standing;
pub use super::store::standing::{Position, event_triggers, large_objects, positions, size};
use super::store::watch::{self as store, Facts};
pub use super::store::watch::{UnindexedKey, unindexed_keys};
use crate::error::Result;
use crate::pg::identity::as_extension_owner;
use crate::pg::scope::with_settings;
use crate::pg::table_owner::as_table_owner;
use crate::pg::table_statistics::{self, Counted, Size};
use crate::pg::{function_statistics, relation_lock, trial, wal};

/// From how many rows on nobody asks how many the table holds.
const COUNTED_UP_TO: i64 = 10_000;

/// Settings under which tables are read: nothing of theirs is found by name, and no policy hides a row.
const READING: &[(&str, &str)] = &[
    ("search_path", "pg_catalog, pg_temp"),
    ("row_security", "off"),
];

/// The tables and their columns at one moment.
///
/// # Errors
/// Only broken expectations.
pub fn tables(home: &str, without: &BTreeSet<String>) -> Result<Tables> {
    as_extension_owner(|| with_settings(READING, || store::tables(home, without)))
}

/// Looks at what each statement does.
pub struct Watch {
    home: String,
    /// The relations that were there before.
    pub before: Relations,
    held: BTreeMap<u32, i32>,
    facts: BTreeMap<u32, Facts>,
    wal: u64,
    /// The tables that were locked against an index build of others at any time.
    pub locked: BTreeSet<u32>,
    /// What was seen, in order.
    pub seen: Vec<Observation>,
}

impl Watch {
    /// Takes the names and numbers. `home` is the schema whose objects are named without it; at the
    /// schemas `without` nobody looks.
    ///
    /// # Errors
    /// Only broken expectations.
    pub fn new(home: &str, without: &BTreeSet<String>) -> Result<Self> {
        let relations = || store::relations(home, without);
        let before = as_extension_owner(|| with_settings(READING, relations))?;
        Ok(Self {
            home: home.to_owned(),
            before,
            held: BTreeMap::new(),
            facts: BTreeMap::new(),
            wal: 0,
            locked: BTreeSet::new(),
            seen: Vec::new(),
        })
    }

    /// A script begins, perhaps again from its start.
    ///
    /// # Errors
    /// Only broken expectations.
    pub fn script_begins(&mut self) -> Result<()> {
        self.facts = self.look(self.before.keys().copied().collect())?;
        Ok(())
    }

    fn look(&self, of: Vec<u32>) -> Result<BTreeMap<u32, Facts>> {
        as_extension_owner(|| with_settings(READING, || store::facts(&self.home, of)))
    }

    /// Before a statement.
    pub fn statement_begins(&mut self) {
        self.held = relation_lock::held();
        trial::take_truncated();
        trial::take_objects();
        self.wal = wal::written();
    }

    /// After a statement: what it did.
    ///
    /// # Errors
    /// Only broken expectations; 42501 should a table hide rows from its owner.
    pub fn statement_ends(&mut self, number: i32, migration: Option<i32>) -> Result<()> {
        let wal_bytes = wal::written().saturating_sub(self.wal);
        let held = relation_lock::held();
        let strong = |mask: &i32| Mode::strongest(*mask) >= Some(Mode::Share);
        self.locked.extend(
            held.iter()
                .filter(|(_, mask)| strong(mask))
                .map(|(oid, _)| oid),
        );
        let known: Vec<u32> = held
            .keys()
            .copied()
            .filter(|oid| self.before.contains_key(oid))
            .collect();
        let now = self.look(known.clone())?;
        let mut seen = Observation {
            number,
            migration,
            wal_bytes,
            truncated: trial::take_truncated(),
            objects: trial::take_objects(),
            locks: new_locks(&self.held, &held, &self.before),
            ..Observation::default()
        };
        for (oid, facts) in &now {
            let old = self.facts.get(oid).cloned().unwrap_or_default();
            if facts.file != old.file {
                seen.files.push(*oid);
            }
            seen.indexes.extend(new_indexes(&old, facts));
            if facts.scans > old.scans {
                let rules = facts.rules.iter().filter(|rule| !old.rules.contains(rule));
                seen.scans.push((*oid, rules.cloned().collect()));
            }
            let written = facts.written.since(old.written);
            if written != Written::default() {
                seen.written.push((*oid, written, rows(*oid, written)?));
            }
        }
        self.seen.push(seen);
        // Counting rows has read some of them from end to end.
        let again = self.look(known)?;
        self.facts.extend(again);
        Ok(())
    }

    /// The tables of before that any statement since `from` wrote rows in or gave another file.
    pub fn touched(&self, from: usize) -> BTreeSet<u32> {
        let seen = self.seen.iter().skip(from);
        seen.flat_map(|one| {
            let written = one.written.iter().map(|(oid, _, _)| *oid);
            written
                .chain(one.files.iter().copied())
                .chain(one.truncated.iter().copied())
        })
        .filter(|oid| {
            self.before
                .get(oid)
                .is_some_and(|found| found.kind.is_table())
        })
        .collect()
    }
}

fn new_locks(
    before: &BTreeMap<u32, i32>,
    now: &BTreeMap<u32, i32>,
    relations: &Relations,
) -> Vec<(u32, Mode)> {
    let is_shown = |oid: &u32| {
        relations
            .get(oid)
            .is_some_and(|relation| relation.kind.is_named_in_locks())
    };
    now.iter()
        .filter(|(oid, _)| is_shown(oid))
        .filter_map(|(oid, mask)| {
            let old = before.get(oid).and_then(|mask| Mode::strongest(*mask));
            let mode = Mode::strongest(*mask).filter(|mode| Some(*mode) > old)?;
            Some((*oid, mode))
        })
        .collect()
}

fn new_indexes(old: &Facts, now: &Facts) -> Vec<NewIndex> {
    now.indexes
        .iter()
        .filter(|(oid, _)| !old.indexes.iter().any(|(known, _)| known == oid))
        .map(|(_, index)| index.clone())
        .collect()
}

/// How many rows the table holds, as far as it matters beside those that were changed.
fn rows(table: u32, written: Written) -> Result<i64> {
    let changed = written.updated.saturating_add(written.deleted);
    if changed == 0 || changed >= COUNTED_UP_TO {
        return Ok(0);
    }
    let Some((owner, quoted)) = as_extension_owner(|| store::owner_and_name(table))? else {
        return Ok(0);
    };
    as_table_owner(table.into(), owner, || {
        store::rows_up_to(&quoted, changed.saturating_mul(2).saturating_add(1))
    })
}

/// What the statistics of tables say before a rehearsal.
pub struct Statistics {
    counted: Counted,
    calls: function_statistics::Counted,
    sizes: BTreeMap<u32, Size>,
}

/// Looks at the statistics.
///
/// # Errors
/// Only broken expectations.
pub fn statistics() -> Result<Statistics> {
    as_extension_owner(|| {
        Ok(Statistics {
            counted: table_statistics::noted(&standing::counted_relations()?),
            calls: function_statistics::noted(&if function_statistics::are_kept() {
                standing::counted_functions()?
            } else {
                Vec::new()
            }),
            sizes: standing::planner_sizes()?,
        })
    })
}

impl Statistics {
    /// Puts the sizes of those tables back that an index build has written for good.
    ///
    /// # Errors
    /// Only broken expectations.
    pub fn put_sizes_back(&self, locked: &BTreeSet<u32>) -> Result<()> {
        if locked.is_empty() {
            return Ok(());
        }
        let now = as_extension_owner(standing::planner_sizes)?;
        for (oid, size) in &self.sizes {
            let is_other = now.get(oid).is_some_and(|now| now != size);
            if is_other && locked.contains(oid) {
                table_statistics::set_size((*oid).into(), *size);
            }
        }
        Ok(())
    }

    /// Puts back what this transaction has counted.
    pub fn put_counts_back(&self) {
        table_statistics::put_back(&self.counted);
        function_statistics::put_back(&self.calls);
    }
}

impl Position {
    /// Whether it stands before where it stood: it would give numbers again.
    pub fn is_behind(&self, earlier: &Self) -> bool {
        match (earlier.last_value, self.last_value) {
            (Some(then), Some(now)) if self.descends => now > then,
            (Some(then), Some(now)) => now < then,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

/// Puts those sequences forward again that a script has set back for good, which only happens outside the
/// schema whose sequences are shielded.
///
/// # Errors
/// Only broken expectations.
pub fn mend(before: &BTreeMap<u32, Position>, after: &BTreeMap<u32, Position>) -> Result<()> {
    for (oid, now) in after {
        if let Some(then) = before.get(oid).filter(|then| now.is_behind(then))
            && let Some(last_value) = then.last_value
        {
            standing::set_position(*oid, last_value)?;
        }
    }
    Ok(())
}
