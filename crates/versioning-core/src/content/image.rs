//! What a table held at one moment: of each value only a hash, keyed by a secret of the moment.

use std::collections::{BTreeMap, BTreeSet};

use super::family::Family;

/// The hash of a value; [`NULL`] for none.
pub type Value = u64;

/// No value.
pub const NULL: Value = 0;

/// A column's number within its table: it stays when the column is renamed.
pub type Number = i16;

/// A type: what it is, its modifier, and of a composite type how many attributes it has lost.
pub type TypeId = (u32, i32, usize);

/// A stored column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its number.
    pub number: Number,
    /// Its name at that moment.
    pub name: String,
    /// Its type at that moment.
    pub kind: TypeId,
    /// Its type's name.
    pub type_name: String,
    /// How its values are written.
    pub family: Family,
    /// The hash of its default, where that is a constant.
    pub default: Option<Value>,
    /// Whether its values are numbers that the database gives by itself, and that mean nothing once
    /// their row is elsewhere.
    pub is_given: bool,
    /// For what stands inside of the values of a column: that column.
    pub parent: Option<Number>,
}

/// Parts of the values of a table: members of JSON objects, items of arrays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// The places of parts: column, and where in its values.
    paths: Vec<(Number, String)>,
    places: BTreeMap<(Number, String), u32>,
    /// Row, place and hash of each.
    cells: Vec<(u32, u32, Value)>,
}

/// How many places of parts are looked at.
const MOST_PATHS: usize = 64;

/// How many parts are kept of one table: sixteen bytes each.
const MOST_PARTS: usize = 4_000_000;

impl Parts {
    /// Whether there is room for more of them.
    pub fn has_room(&self) -> bool {
        self.cells.len() < MOST_PARTS
    }

    /// One more part of the value that a column has in a row.
    pub fn add(&mut self, row: u32, column: Number, path: String, value: Value) {
        if !self.has_room() {
            return;
        }
        let path = (column, path);
        let place = match self.places.get(&path) {
            Some(place) => *place,
            None if self.paths.len() >= MOST_PATHS => return,
            None => {
                let place = u32::try_from(self.paths.len()).unwrap_or(u32::MAX);
                self.paths.push(path.clone());
                self.places.insert(path, place);
                place
            }
        };
        self.cells.push((row, place, value));
    }
}

/// What is known of a column without its values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Values that are not NULL.
    pub values: u64,
    /// Those that aren't the default either.
    pub own_values: u64,
    /// The sum of all hashes: another sum is another content.
    pub sum: u64,
}

/// What matching a row with others takes, in values.
const FOR_A_ROW: usize = 4;

/// The rows of a table, or of a partitioned table with its partitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// The columns, by number.
    pub columns: Vec<Column>,
    /// Sets of columns by which no two rows are equal and that are never NULL; the primary key first.
    pub keys: Vec<Vec<Number>>,
    /// How many rows there are.
    pub count: usize,
    /// One for each column.
    pub summaries: Vec<Summary>,
    /// The values row by row; `None` for a table with more of them than may be kept.
    values: Option<Vec<Value>>,
    /// The partition of each row; empty for a table that isn't partitioned.
    parts: Vec<u32>,
}

impl Image {
    /// An image without rows.
    pub fn new(columns: Vec<Column>, keys: Vec<Vec<Number>>) -> Self {
        Self {
            summaries: vec![Summary::default(); columns.len()],
            values: Some(Vec::new()),
            columns,
            keys,
            ..Self::default()
        }
    }

    /// One more row, with one value for each column. `room` is how many values may still be kept; when
    /// that doesn't do, all values of the table are given up, and the room that they took given back.
    pub fn push(&mut self, row: &[Value], part: Option<u32>, room: &mut usize) {
        self.count += 1;
        for ((value, column), summary) in row.iter().zip(&self.columns).zip(&mut self.summaries) {
            if *value != NULL {
                summary.values += 1;
                summary.own_values += u64::from(column.default != Some(*value));
                summary.sum = summary.sum.wrapping_add(*value);
            }
        }
        let Some(values) = &mut self.values else {
            return;
        };
        let needed = row.len() + FOR_A_ROW;
        match room.checked_sub(needed) {
            Some(left) => {
                *room = left;
                values.extend_from_slice(row);
                self.parts.extend(part);
            }
            None => {
                *room += (self.count - 1) * needed;
                self.values = None;
                self.parts = Vec::new();
            }
        }
    }

    /// Adds the parts of values as columns of their own, as many as there is room for.
    pub fn widen(&mut self, parts: Parts, room: &mut usize) {
        let (width, most) = (self.columns.len(), *room / self.count.max(1));
        let paths: Vec<(Number, String)> = parts.paths.into_iter().take(most).collect();
        let wide = width + paths.len();
        let Some(values) = self.values.as_mut().filter(|_| !paths.is_empty()) else {
            return;
        };
        *room -= paths.len() * self.count;
        let mut widened = vec![NULL; self.count * wide];
        if width > 0 {
            for (row, into) in values
                .chunks_exact(width)
                .zip(widened.chunks_exact_mut(wide))
            {
                into.iter_mut()
                    .zip(row)
                    .for_each(|(into, value)| *into = *value);
            }
        }
        for (row, place, value) in parts.cells {
            let place = Some(place as usize).filter(|place| *place < paths.len());
            let cell = place.and_then(|place| widened.get_mut(row as usize * wide + width + place));
            if let Some(cell) = cell {
                *cell = value;
            }
        }
        *values = widened;
        for ((parent, path), number) in paths.into_iter().zip(1..) {
            self.columns.push(Column {
                number: -number,
                name: path,
                kind: (0, -1, 0),
                type_name: String::new(),
                family: Family::Text,
                default: None,
                is_given: false,
                parent: Some(parent),
            });
            self.summaries.push(Summary::default());
        }
    }

    /// How many values are kept, with what their rows take.
    pub fn kept_values(&self) -> usize {
        let values = self.values.as_ref();
        values.map_or(0, |values| values.len() + self.count * FOR_A_ROW)
    }

    /// Whether the values are there.
    pub fn has_values(&self) -> bool {
        self.values.is_some()
    }

    /// The values of a row; nothing when they weren't kept.
    pub fn row(&self, row: u32) -> &[Value] {
        let width = self.columns.len();
        let start = row as usize * width;
        self.values
            .as_ref()
            .and_then(|values| values.get(start..start + width))
            .unwrap_or_default()
    }

    /// One value, by the column's place.
    pub fn value(&self, row: u32, place: usize) -> Value {
        self.row(row).get(place).copied().unwrap_or(NULL)
    }

    /// Whether the rows lie in partitions.
    pub fn has_parts(&self) -> bool {
        !self.parts.is_empty()
    }

    /// The partition of a row.
    pub fn part(&self, row: u32) -> Option<u32> {
        self.parts.get(row as usize).copied()
    }

    /// All rows.
    pub fn rows(&self) -> std::ops::Range<u32> {
        if !self.has_values() {
            return 0..0;
        }
        0..u32::try_from(self.count).unwrap_or(u32::MAX)
    }

    /// The place of the column of that number.
    pub fn place(&self, number: Number) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| column.number == number)
    }

    /// The place of the column of that name.
    pub fn place_of_name(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The partitions that hold rows.
    pub fn filled_parts(&self) -> BTreeSet<u32> {
        self.parts.iter().copied().collect()
    }
}

/// A hash of several values in order. They are hashes already; this only has to keep their order.
pub fn combined(values: impl IntoIterator<Item = Value>) -> u64 {
    values
        .into_iter()
        .fold(0x9e37_79b9_7f4a_7c15, |sum, value| {
            let mixed = (sum ^ value).wrapping_mul(0xff51_afd7_ed55_8ccd);
            mixed ^ (mixed >> 32)
        })
}
