//! Which row is which: two images of one table, and the rows that are the same in both.
//!
//! By key where one is there before and after. What is left — rows whose key was changed, tables without
//! one — by content: first all columns but the key, then all columns but one, then in the order in which
//! the rows lie, which is the order in which an update of many rows leaves them.

use std::collections::HashSet;

use super::image::{Image, NULL, combined};
use super::multimap::Multimap;

/// The same rows before and after.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Matching {
    /// Rows that are still there: their numbers before and after.
    pub pairs: Vec<(u32, u32)>,
    /// Rows that are gone.
    pub gone: Vec<u32>,
    /// Rows that weren't there.
    pub new: Vec<u32>,
}

/// No row.
pub const NO_ROW: u32 = u32::MAX;

impl Matching {
    /// For each of so many rows of after the row of before that it was; [`NO_ROW`] for new ones.
    pub fn earlier_rows(&self, count: usize) -> Vec<u32> {
        let mut earlier = vec![NO_ROW; count];
        for (before, after) in &self.pairs {
            if let Some(row) = earlier.get_mut(*after as usize) {
                *row = *before;
            }
        }
        earlier
    }
}

/// Places of the columns that both images have: before, after.
type Shared = Vec<(usize, usize)>;

struct Matcher<'a> {
    before: &'a Image,
    after: &'a Image,
    shared: Shared,
    found: Matching,
    pause: fn(),
}

/// After how many rows somebody may want to stop.
const BETWEEN_PAUSES: u32 = 1 << 16;

/// Matches the rows of two images; `pause` is called now and then.
pub fn matching(before: &Image, after: &Image, pause: fn()) -> Matching {
    let shared: Shared = (before.columns.iter().enumerate())
        .filter_map(|(place, column)| Some((place, after.place(column.number)?)))
        .collect();
    let mut matcher = Matcher {
        before,
        after,
        shared,
        found: Matching {
            pairs: Vec::with_capacity(before.count),
            gone: before.rows().collect(),
            new: after.rows().collect(),
        },
        pause,
    };
    matcher.run();
    matcher.found
}

impl Matcher<'_> {
    fn run(&mut self) {
        let key = self.key();
        match &key {
            Some(key) => self.step(key),
            None => self.step(&self.shared.clone()),
        }
        if self.is_done() {
            return;
        }
        if let Some(key) = &key {
            self.by_most_of(key);
            if self.is_done() {
                return;
            }
            // A row whose key was changed is known by the rest, if the rest says anything.
            let rest = self.without(key);
            self.step_with_values(&rest);
            return;
        }
        // The first columns mostly say which row it is.
        for left_out in self.shared.clone().into_iter().rev() {
            if self.is_done() {
                return;
            }
            let rest = self.without(&[left_out]);
            self.step_with_values(&rest);
        }
        self.in_order();
    }

    fn is_done(&self) -> bool {
        self.found.gone.is_empty() || self.found.new.is_empty()
    }

    /// The first key whose columns are all still there.
    fn key(&self) -> Option<Shared> {
        self.before.keys.iter().find_map(|key| {
            let places: Option<Shared> = key
                .iter()
                .map(|number| {
                    let place = self.before.place(*number)?;
                    self.shared
                        .iter()
                        .copied()
                        .find(|(before, _)| *before == place)
                })
                .collect();
            places.filter(|places| !places.is_empty())
        })
    }

    fn without(&self, left_out: &[(usize, usize)]) -> Shared {
        let keep = |column: &&(usize, usize)| !left_out.contains(column);
        self.shared.iter().filter(keep).copied().collect()
    }

    fn step_with_values(&mut self, columns: &Shared) {
        let has_value = |row: &u32| {
            columns
                .iter()
                .any(|(place, _)| self.before.value(*row, *place) != NULL)
        };
        let (with, without): (Vec<u32>, Vec<u32>) = std::mem::take(&mut self.found.gone)
            .into_iter()
            .partition(has_value);
        self.found.gone = with;
        self.step(columns);
        self.found.gone.extend(without);
        self.found.gone.sort_unstable();
    }

    /// A row of which one column of the key was changed: known by all the others; among partitions, which
    /// it changes with that column, by the rest of the key where it is one by itself.
    fn by_most_of(&mut self, key: &Shared) {
        if key.len() < 2 {
            return;
        }
        for changed in key.iter().rev() {
            let rest = self.without(&[*changed]);
            self.step_with_values(&rest);
        }
        if !self.before.has_parts() {
            return;
        }
        for changed in key.iter().rev() {
            let rest: Shared = key.iter().filter(|one| *one != changed).copied().collect();
            self.step_where_unique(&rest);
        }
    }

    /// Matches the rows that are left by columns in which no two of them are equal.
    fn step_where_unique(&mut self, columns: &Shared) {
        let mut hashes = HashSet::new();
        let mut are_unique = |image: &Image, rows: &[u32], place: fn(&(usize, usize)) -> usize| {
            hashes.clear();
            rows.iter().all(|row| {
                let values = columns
                    .iter()
                    .map(|column| image.value(*row, place(column)));
                hashes.insert(combined(values))
            })
        };
        if are_unique(self.before, &self.found.gone, |column| column.0)
            && are_unique(self.after, &self.found.new, |column| column.1)
        {
            self.step(columns);
        }
    }

    /// Matches the rows that are left by these columns.
    fn step(&mut self, columns: &Shared) {
        let pause = |row: u32| {
            if row.is_multiple_of(BETWEEN_PAUSES) {
                (self.pause)();
            }
        };
        let hash_after = |row: u32| {
            pause(row);
            combined(
                columns
                    .iter()
                    .map(|(_, place)| self.after.value(row, *place)),
            )
        };
        let mut index = Multimap::new(self.found.new.iter().map(|row| (hash_after(*row), *row)));
        let mut taken = vec![false; self.after.count];
        let mut gone = Vec::new();
        for row in std::mem::take(&mut self.found.gone) {
            pause(row);
            let hash = combined(
                columns
                    .iter()
                    .map(|(place, _)| self.before.value(row, *place)),
            );
            match index.take(hash) {
                Some(found) => {
                    self.found.pairs.push((row, found));
                    if let Some(taken) = taken.get_mut(found as usize) {
                        *taken = true;
                    }
                }
                None => gone.push(row),
            }
        }
        self.found.gone = gone;
        self.found
            .new
            .retain(|row| !taken.get(*row as usize).copied().unwrap_or(false));
    }

    fn in_order(&mut self) {
        let count = self.found.gone.len().min(self.found.new.len());
        let (gone, new) = (&mut self.found.gone, &mut self.found.new);
        self.found
            .pairs
            .extend(gone.drain(..count).zip(new.drain(..count)));
    }
}
