//! The rows of a table in the states that are compared: before the scripts, as those left them, and before
//! the undoing. Only keys and hashes are read: they tell what people have written in between.

use pgrx::pg_sys;
use versioning_core::lineage::Between;
use versioning_core::passage::{self, Passage};
use versioning_core::snapshot::hash::{Hash, HashState};
use versioning_core::snapshot::manifest::{Column, Piece, Table};
use versioning_core::snapshot::row::RowReader;

use crate::error::{Error, Result};
use crate::pg::field::{TypeReference, Value};
use crate::pg::memory::Scratch;
use crate::pg::row_set::RowSet;
use crate::pg::row_stream::consistent_view;
use crate::snapshot::chunks::Reader;
use crate::snapshot::decoding::Target;
use crate::snapshot::fitting::FittingDecoder;
use crate::snapshot::reading::read_chunks;
use crate::snapshot::source::{KeyColumn, LiveTable};
use crate::snapshot::verify;

/// Which of the states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before the scripts: relation `before_rows`.
    Before,
    /// As the scripts left the rows: relation `after_rows`.
    After,
    /// Before the undoing: relation `now_rows`.
    Now,
}

/// A column in all states.
struct Common {
    /// As it is called in the table that is written; nothing where it isn't there.
    name: Option<String>,
    /// As it was called before the scripts; nothing for one that they have added.
    before: Option<String>,
    /// As it is called in between.
    between: String,
}

/// A table in all states, and how its rows are compared.
pub struct Compared<'a> {
    /// Before the scripts, where that is asked for.
    pub before: Option<&'a Table>,
    /// As the scripts left it: the snapshot itself when they left the rows alone.
    pub after: &'a Table,
    now: &'a Table,
    is_same: bool,
    columns: Vec<Common>,
}

impl<'a> Compared<'a> {
    /// The type of row numbers and hashes.
    pub const NUMBER: TypeReference = TypeReference {
        oid: pg_sys::INT8OID,
        modifier: -1,
    };

    /// Of a table before the scripts and in between.
    pub fn new(table: &Table, between: &Between, after: &'a Table, now: &'a Table) -> Self {
        let known = between
            .columns
            .iter()
            .filter(|(old, _)| table.columns.iter().any(|column| column.name == *old))
            .map(|(old, between)| Common {
                name: Some(old.clone()),
                before: Some(old.clone()),
                between: between.clone(),
            });
        let added = between.added.iter().map(|name| Common {
            name: None,
            before: None,
            between: name.clone(),
        });
        let columns = known.chain(added).collect();
        Self {
            before: None,
            after,
            now,
            is_same: between.is_same,
            columns,
        }
        .with_known()
    }

    /// Of a table before the undoing and after it.
    pub fn passed(passage: &Passage, before: &'a Table, after: &'a Table, now: &'a Table) -> Self {
        let passed = passage.columns.iter().map(|column| Common {
            name: Some(column.to.clone()),
            before: column.was.clone(),
            between: column.from.clone(),
        });
        let gone = passage.gone.iter().map(|column| Common {
            name: None,
            before: column.was.clone(),
            between: column.from.clone(),
        });
        Self {
            before: Some(before),
            after,
            now,
            is_same: passage.told == passage::Told::Untouched,
            columns: passed.chain(gone).collect(),
        }
        .with_known()
    }

    /// Leaves the columns that were read before the undoing.
    fn with_known(mut self) -> Self {
        let now = self.now;
        self.columns.retain(|column| {
            let mut columns = now.columns.iter();
            columns.any(|other| other.name == column.between)
        });
        self
    }

    /// Which hash is that of the column, called as in the table that is written.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| column.name.as_deref() == Some(name))
    }

    /// Which hash is that of a column that isn't there any more, called as in between.
    pub fn place_of_gone(&self, name: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| column.between == name)
    }

    /// The hashes of all columns but these, called as in the table that is written.
    pub fn places_but(&self, names: &[&str]) -> Vec<usize> {
        let is_wanted = |column: &Common| {
            let name = column.name.as_deref();
            name.is_none_or(|name| !names.contains(&name))
        };
        let columns = self.columns.iter().enumerate();
        columns
            .filter(|(_, column)| is_wanted(column))
            .map(|(place, _)| place)
            .collect()
    }

    /// A column in each of the states that it is in.
    pub fn states(&self, name: &str) -> Vec<&'a Column> {
        let Some(place) = self.place(name) else {
            return Vec::new();
        };
        let mut states = vec![Side::After, Side::Now];
        states.extend(self.before.map(|_| Side::Before));
        let column = |side: Side| {
            let (table, places) = self.places(side);
            table.columns.get(places.get(place).copied().flatten()?)
        };
        states.into_iter().filter_map(column).collect()
    }

    /// Where the column of a hash is in the table before the scripts.
    pub fn place_before(&self, hash: usize) -> Option<usize> {
        let (_, places) = self.places(Side::Before);
        places.get(hash).copied().flatten()
    }

    /// Whether the primary key in between is this one.
    pub fn is_primary(&self, key: &[KeyColumn]) -> bool {
        let between = |key: &KeyColumn| {
            let column = self.columns.get(self.place(&key.name)?)?;
            Some(column.between.clone())
        };
        let names: Vec<String> = key.iter().filter_map(between).collect();
        names == self.now.primary_key && names == self.after.primary_key
    }

    /// Whether the scripts gave a column another type.
    pub fn retyped(&self, name: &str) -> bool {
        match self.states(name).as_slice() {
            [after, _, before] => after.type_name != before.type_name,
            _ => false,
        }
    }

    /// How many states there are.
    pub fn count(&self) -> usize {
        2 + usize::from(self.before.is_some())
    }

    /// Whether chunks before and after the scripts can be compared, and all columns are still there.
    pub fn has_same_columns(&self, table: &Table) -> bool {
        !self.is_same && self.after.columns == table.columns
    }

    /// Where a state has the columns.
    fn places(&self, side: Side) -> (&'a Table, Vec<Option<usize>>) {
        let table = match side {
            Side::Before => self.before.unwrap_or(self.after),
            Side::After => self.after,
            Side::Now => self.now,
        };
        let place = |column: &Common| {
            let name = match side {
                // Rows that were left alone have nothing in columns that came.
                Side::After if self.is_same => column.before.as_ref()?,
                Side::Before => column.before.as_ref()?,
                _ => &column.between,
            };
            table.columns.iter().position(|other| other.name == *name)
        };
        (table, self.columns.iter().map(place).collect())
    }

    /// Reads the rows of a state but for those of the chunks `is_skipped`. Run as the table's owner.
    ///
    /// # Errors
    /// XX001 when a chunk is damaged; what the types of the key raise.
    pub fn read(
        &self,
        live: &LiveTable,
        is_keyed: bool,
        side: Side,
        is_skipped: &dyn Fn(&[Piece]) -> bool,
    ) -> Result<RowSet> {
        let (table, places) = self.places(side);
        let mut keys = if is_keyed {
            self.keys(live, table, &places)?
        } else {
            Vec::new()
        };
        let mut set = self.row_set(live, is_keyed, side)?;
        let damaged = |damage: &str| verify::damaged_since(table, damage);
        let groups = table.chunk_groups().filter(|group| !is_skipped(group));
        let mut chunks = Reader::new(groups, false, |_| ())?;
        let scratch = Scratch::new();
        while let Some((_, read)) = chunks.next()? {
            let read = read.map_err(|damage| damaged(&damage))?;
            for row in RowReader::new(&read.bytes, table.columns.len()) {
                pgrx::check_for_interrupts!();
                let row = row.map_err(|error| damaged(&error.to_string()))?;
                scratch.with(|| {
                    let mut values = Vec::new();
                    for (place, decoder) in &mut keys {
                        values.push(decoder.read(field(&row.fields, Some(*place)))?.value);
                    }
                    let fields = || places.iter().map(|place| field(&row.fields, *place));
                    if is_keyed {
                        values.extend(fields().map(|field| Value::int8(field.map(short))));
                    }
                    values.push(Value::int8(Some(joint(fields()))));
                    set.put(&values)
                })?;
            }
        }
        Ok(set)
    }

    /// `k1 …`: the primary key; `h1 …`: a hash of each column; `r`: one of the row.
    fn row_set(&self, live: &LiveTable, is_keyed: bool, side: Side) -> Result<RowSet> {
        let mut described: Vec<(String, TypeReference)> = Vec::new();
        if is_keyed {
            for (number, key) in live.key.iter().enumerate() {
                let kind = live.column(&key.name).map(|column| column.kind);
                described.push((format!("k{number}"), kind.unwrap_or(Self::NUMBER)));
            }
            let hashes = (0..self.columns.len()).map(|number| (format!("h{number}"), Self::NUMBER));
            described.extend(hashes);
        }
        described.push(("r".to_owned(), Self::NUMBER));
        let described: Vec<(&str, TypeReference)> = described
            .iter()
            .map(|(name, kind)| (name.as_str(), *kind))
            .collect();
        let name = match side {
            Side::Before => c"before_rows",
            Side::After => c"after_rows",
            Side::Now => c"now_rows",
        };
        RowSet::new(name, &described)
    }

    fn keys(
        &self,
        live: &LiveTable,
        table: &Table,
        places: &[Option<usize>],
    ) -> Result<Vec<(usize, FittingDecoder)>> {
        let missing = || Error::internal("a key column is not in all states of a table");
        live.key
            .iter()
            .map(|key| {
                let place = self.place(&key.name).ok_or_else(missing)?;
                let place = places.get(place).copied().flatten().ok_or_else(missing)?;
                let column: &Column = table.columns.get(place).ok_or_else(missing)?;
                let wanted = live.column(&key.name).ok_or_else(missing)?;
                let target = Target {
                    kind: wanted.kind,
                    type_name: wanted.column.type_name.clone(),
                };
                Ok((place, FittingDecoder::new(column, &target)?))
            })
            .collect()
    }

    /// Leaves only columns that rows without a key are known by: those in all states and in the live table.
    /// Returns what they are called in the snapshot.
    pub fn restrict(&mut self, live: &LiveTable) -> Vec<String> {
        let is_live = |name: &String| live.stored_columns().any(|column| column.name == *name);
        self.columns
            .retain(|column| column.before.is_some() && column.name.as_ref().is_some_and(is_live));
        self.columns
            .iter()
            .filter_map(|column| column.name.clone())
            .collect()
    }
}

/// What a row is known by where there is no key: a hash of the fields at these places.
pub fn content(fields: &[Option<&[u8]>], places: &[Option<usize>]) -> i64 {
    joint(places.iter().map(|place| field(fields, *place)))
}

/// Of the rows that the live table has now: relation `live_contents (r)`, by these columns.
///
/// # Errors
/// What reading the table raises.
pub fn live_contents(live: &LiveTable, names: &[String], site_id: &str) -> Result<RowSet> {
    let columns: Vec<&Column> = names
        .iter()
        .filter_map(|name| live.stored_columns().find(|column| column.name == *name))
        .collect();
    let mut set = RowSet::new(c"live_contents", &[("r", Compared::NUMBER)])?;
    consistent_view(|| {
        read_chunks(live, &columns, site_id, &mut |chunk, _| {
            for row in RowReader::new(chunk.bytes(), columns.len()) {
                let row = row.map_err(|error| Error::internal(error.to_string()))?;
                set.put(&[Value::int8(Some(joint(row.fields.iter().copied())))])?;
            }
            Ok(())
        })
    })?;
    Ok(set)
}

fn field<'b>(fields: &[Option<&'b [u8]>], place: Option<usize>) -> Option<&'b [u8]> {
    fields.get(place?).copied().flatten()
}

/// The hash of a field.
pub fn short(bytes: &[u8]) -> i64 {
    let Hash([a, b, c, d, e, f, g, h, ..]) = Hash::of(bytes);
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// A hash of several fields, NULL being another than empty.
fn joint<'b>(fields: impl Iterator<Item = Option<&'b [u8]>>) -> i64 {
    let mut state = HashState::default();
    for field in fields {
        match field {
            None => state.add(&[0]),
            Some(bytes) => {
                state.add(&[1]);
                state.add(&(bytes.len() as u64).to_be_bytes());
                state.add(bytes);
            }
        }
    }
    let Hash([a, b, c, d, e, f, g, h, ..]) = state.finish();
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}
