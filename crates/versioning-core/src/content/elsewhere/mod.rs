//! Values that are gone from their place and still there at another: moved to a new column or table before
//! theirs was dropped, archived before they were deleted, or a copy from the beginning.
//!
//! A value is found again only where it belongs to the same row: in a new or changed cell of the row
//! itself, or in a row that names the row's key or that the row now refers to. That some other row holds
//! an equal value means nothing.

mod copy;
mod evidence;
mod link;
mod row;
mod value;

use std::collections::{BTreeSet, HashSet};

use super::comparison::{Kept, Live, Moments, Reference, Standing};
use super::image::{Column, Image, NULL, Value};
use super::matching::{Matching, NO_ROW};
pub use copy::share_held;
use copy::{columns_by_content, rows_by_content};
use evidence::Evidence;
pub use evidence::is_table_copy;
use row::{is_given, rows_by_link};
use value::{copies_in_row, values_in_row};

/// A row before and after.
type Pair = (u32, u32);

/// The table whose values are searched for, with the rows that are still there.
pub struct Here<'a> {
    before: &'a Image,
    after: &'a Image,
    matching: &'a Matching,
}

impl<'a> Here<'a> {
    /// Of a table before and after.
    pub fn new(before: &'a Image, after: &'a Image, matching: &'a Matching) -> Self {
        Self {
            before,
            after,
            matching,
        }
    }

    /// The value of a column that is new, or that is another one than before, in a row that stayed.
    fn fresh(&self, (before, after): Pair, place: usize) -> Option<Value> {
        let value = self.after.value(after, place);
        let column = self.after.columns.get(place)?;
        let number = column.parent.unwrap_or(column.number);
        let is_fresh = match self.before.place(number) {
            None => true,
            Some(earlier) => {
                let now = self.after.place(number)?;
                self.before.value(before, earlier) != self.after.value(after, now)
            }
        };
        is_fresh.then_some(value)
    }
}

/// Another table in which values may be.
struct Place<'a> {
    image: &'a Image,
    standing: Standing,
    /// Whether it lies in the schema of the table whose values are searched for.
    is_near: bool,
    /// Whether one of the two is called a copy of the other: else equal rows that were there all the time
    /// are so by chance, as those of two tables of links or flags may well be.
    is_called_copy: bool,
    /// The foreign keys of that table which refer to it.
    references: Vec<Reference>,
    /// For a table that was there: what it held and which row is which.
    earlier: Option<(&'a Image, &'a [u32])>,
}

impl Place<'_> {
    /// Whether the cell isn't what it was: only then can a value have been put there.
    fn is_fresh(&self, row: u32, place: usize) -> bool {
        let Some((earlier, rows)) = &self.earlier else {
            return self.has_fresh_cells();
        };
        let before = rows.get(row as usize).copied().unwrap_or(NO_ROW);
        let Some(column) = self.image.columns.get(place).filter(|_| before != NO_ROW) else {
            return true;
        };
        let number = column.parent.unwrap_or(column.number);
        match (earlier.place(number), self.image.place(number)) {
            (Some(then), Some(now)) => earlier.value(before, then) != self.image.value(row, now),
            _ => true,
        }
    }

    /// The rows that weren't there before.
    fn new_rows(&self) -> Vec<u32> {
        match &self.earlier {
            Some((_, rows)) => (self.image.rows().zip(rows.iter()))
                .filter(|(_, before)| **before == NO_ROW)
                .map(|(row, _)| row)
                .collect(),
            None if self.has_fresh_cells() => self.image.rows().collect(),
            None => Vec::new(),
        }
    }

    fn has_fresh_cells(&self) -> bool {
        self.standing != Standing::Unchanged
    }
}

/// All the other tables.
pub struct Elsewhere<'a> {
    places: Vec<Place<'a>>,
    written_only: bool,
    /// Columns of the table whose values needn't be found.
    unimportant: Vec<usize>,
    pause: fn(),
}

impl<'a> Elsewhere<'a> {
    /// The other tables: those that were there, with what became of their rows, and all others.
    pub fn new(
        table: &Kept,
        moments: &Moments<'a>,
        kept: impl Iterator<Item = (&'a Kept, &'a Live, &'a [u32])>,
    ) -> Self {
        let place = |live: &'a Live| Place {
            image: &live.image,
            standing: live.standing,
            is_near: live.name.schema == table.name.schema,
            is_called_copy: is_table_copy(&live.name.name, &table.name.name),
            references: (moments.references.iter().copied())
                .filter(|reference| (reference.table, reference.other) == (table.oid, live.oid))
                .collect(),
            earlier: None,
        };
        let mut places: Vec<Place<'a>> = kept
            .map(|(kept, live, earlier)| Place {
                earlier: Some((&kept.image, earlier)),
                ..place(live)
            })
            .collect();
        let others = (moments.after.iter()).filter(|live| live.standing != Standing::Kept);
        places.extend(others.map(place));
        Self {
            places,
            written_only: moments.written_only,
            pause: moments.pause,
            unimportant: (table.unimportant.iter())
                .filter_map(|number| table.image.place(*number))
                .collect(),
        }
    }

    /// Those of the rows that are found as a whole in another table.
    pub fn saved_rows(&self, before: &Image, gone: &[u32]) -> BTreeSet<u32> {
        let mut saved = BTreeSet::new();
        if gone.is_empty() {
            return saved;
        }
        let filled: Vec<usize> = (0..before.columns.len())
            .filter(|place| !self.unimportant.contains(place))
            .filter(|place| gone.iter().any(|row| before.value(*row, *place) != NULL))
            .collect();
        let own: Vec<usize> = (filled.iter().copied())
            .filter(|column| !is_given(before, *column))
            .collect();
        for place in &self.places {
            (self.pause)();
            if saved.len() < gone.len() {
                self.rows_by_name(place, before, gone, &filled, &mut saved);
            }
        }
        for place in self
            .places
            .iter()
            .filter(|place| place.standing == Standing::New)
        {
            if saved.len() < gone.len() && own.len() < filled.len() {
                self.rows_by_name(place, before, gone, &own, &mut saved);
            }
        }
        for place in self.places.iter().filter(|place| place.has_fresh_cells()) {
            (self.pause)();
            if saved.len() < gone.len() {
                rows_by_link(place, before, gone, &filled, &mut saved);
            }
        }
        let were_there = |place: &&Place<'_>| place.standing != Standing::New;
        for place in self.places.iter().filter(were_there) {
            if saved.len() < gone.len() && !self.written_only {
                (self.pause)();
                rows_by_content(place, before, gone, &filled, &mut saved);
            }
        }
        saved
    }

    /// Those of the values of a column, named by their rows, that are still there at another place.
    pub fn saved_values(&self, here: &Here<'_>, column: usize, lost: &[Pair]) -> HashSet<Pair> {
        let mut saved = HashSet::new();
        values_in_row(here, column, lost, &mut saved);
        if !self.written_only {
            copies_in_row(here, column, lost, &mut saved);
            columns_by_content(here, column, lost, &mut saved);
        }
        for place in &self.places {
            (self.pause)();
            if saved.len() < lost.len() {
                self.values_by_link(place, here, column, lost, &mut saved);
            }
        }
        saved
    }
}

/// The column of a table that holds the values of another, if one does.
fn best_column<R: Copy>(
    place: &Place<'_>,
    source: &Column,
    stale_cells_count: bool,
    linked: &[(R, Vec<u32>)],
    value: impl Fn(R) -> Value,
) -> Option<usize> {
    let mut best = None;
    for (column, target) in place.image.columns.iter().enumerate() {
        let mut evidence = Evidence::default();
        for (row, others) in linked {
            let value = value(*row);
            if value == NULL {
                continue;
            }
            let mut cells = (others.iter())
                .filter(|other| stale_cells_count || place.is_fresh(**other, column))
                .map(|other| place.image.value(*other, column))
                .filter(|found| *found != NULL);
            if let Some(first) = cells.next() {
                let found = if first == value || cells.any(|found| found == value) {
                    value
                } else {
                    first
                };
                evidence.note(value, found, target.default);
            }
        }
        if evidence.is_copy(source, target) && best.is_none_or(|(equal, _)| evidence.equal > equal)
        {
            best = Some((evidence.equal, column));
        }
    }
    best.map(|(_, column)| column)
}
