//! Reads what the statements of a refilling speak of: rows of the snapshot, and what they are compared with.

use std::collections::{BTreeMap, HashSet};

use pgrx::pg_sys;
use versioning_core::snapshot::manifest::{Column, Piece, Table};
use versioning_core::snapshot::row::RowReader;

use crate::error::{Error, Result};
use crate::pg::field::{TypeReference, Value};
use crate::pg::memory::Scratch;
use crate::pg::row_set::{RowSet, Session, with_row_sets};
use crate::snapshot::chunks::Reader;
use crate::snapshot::decoding::Target;
use crate::snapshot::fitting::FittingDecoder;
use crate::snapshot::refill_job::{Follower, Job, Role};
use crate::snapshot::refill_side::{Compared, Side, content, live_contents};
use crate::snapshot::verify;

/// The rows that statements speak of.
struct Loaded {
    /// `snapshot_rows`.
    rows: RowSet,
    /// `before_rows`, `after_rows` and `now_rows`, where they are known.
    sides: Vec<RowSet>,
    /// Where there is no key: `live_contents`, what the table has now.
    contents: Option<RowSet>,
}

/// One table's refilling, all that it needs being read.
pub struct Ready<'a> {
    /// What is to be done.
    pub job: Job<'a>,
    loaded: Loaded,
    /// Of columns with values that don't fit, why the first one doesn't.
    pub misfits: BTreeMap<String, Error>,
}

/// A field of the snapshot as a column of `snapshot_rows`.
struct Part {
    name: String,
    place: usize,
    target: Target,
    column: Column,
    /// Which bit says that it doesn't fit.
    bit: Option<u32>,
}

const TEXT: TypeReference = TypeReference {
    oid: pg_sys::TEXTOID,
    modifier: -1,
};

/// The last bit, which stands for all columns from there on.
const BIT_MAX: usize = 62;

impl<'a> Job<'a> {
    /// What the mask of fields that don't fit is called in `snapshot_rows`.
    pub(super) fn mask(&self) -> String {
        format!("{}m", self.number)
    }

    /// What a column is called in `snapshot_rows` as the text that it was in the snapshot; nothing where the
    /// column itself says the same.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        let place = self.place(name)?;
        let (column, live) = (self.table.columns.get(place)?, self.live.column(name)?);
        let is_wanted =
            matches!(self.role, Role::Written(_)) && column.type_name != live.column.type_name;
        is_wanted.then(|| format!("{}x{place}", self.number))
    }

    /// The bit of the mask that stands for a column.
    pub(super) fn bit(&self, name: &str) -> u64 {
        let columns = self.columns();
        let mut columns = columns.iter();
        let place = columns.position(|column| column.name == name);
        1 << place.map_or(BIT_MAX, |place| place.min(BIT_MAX))
    }

    /// Reads what the statements need. Chunks that the scripts left as they were need no reading where the
    /// undoing has left them alone, too.
    ///
    /// # Errors
    /// XX001 when a chunk is damaged; what the table's types raise.
    pub fn load(self, site_id: &str) -> Result<Ready<'a>> {
        let (old, left) = match (&self.compared, self.role) {
            (Some(compared), Role::Destroyed(Follower::None))
                if self.is_keyed
                    && !self.rekeyed.is_hidden
                    && compared.has_same_columns(self.table) =>
            {
                (groups(self.table), groups(compared.after))
            }
            _ => (HashSet::new(), HashSet::new()),
        };
        let is_shared = |pieces: &[Piece]| {
            let group = group(pieces);
            old.contains(&group) && left.contains(&group)
        };
        let live = self.live.clone();
        let mut misfits = BTreeMap::new();
        let loaded = live.as_owner(|| {
            let mut sides = Vec::new();
            if let Some(compared) = &self.compared {
                let before = compared.before.map(|_| Side::Before);
                for side in before.into_iter().chain([Side::After, Side::Now]) {
                    sides.push(compared.read(&live, self.is_keyed, side, &is_shared)?);
                }
            }
            sides.extend(self.base_rows()?);
            sides.extend(self.parent_rows()?);
            let contents = (!self.is_keyed).then(|| live_contents(&live, &self.content, site_id));
            Ok(Loaded {
                rows: self.read(&is_shared, &mut misfits)?,
                sides,
                contents: contents.transpose()?,
            })
        })?;
        Ok(Ready {
            job: self,
            loaded,
            misfits,
        })
    }

    fn place(&self, name: &str) -> Option<usize> {
        let mut columns = self.table.columns.iter();
        columns.position(|column| column.name == name)
    }

    fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for column in self.columns() {
            let (Some(place), Some(live)) =
                (self.place(&column.name), self.live.column(&column.name))
            else {
                continue;
            };
            let bit = u32::try_from(parts.len().min(BIT_MAX)).ok();
            parts.push(Part {
                name: column.name.clone(),
                place,
                target: Target {
                    kind: live.kind,
                    type_name: live.column.type_name.clone(),
                },
                column: column.clone(),
                bit,
            });
        }
        let texts = parts.iter().filter_map(|part| {
            Some(Part {
                name: self.text_of(&part.name)?,
                place: part.place,
                target: Target {
                    kind: TEXT,
                    type_name: "text".to_owned(),
                },
                column: part.column.clone(),
                bit: None,
            })
        });
        let texts: Vec<Part> = texts.collect();
        parts.extend(texts);
        parts
    }

    fn read(
        &self,
        is_shared: &dyn Fn(&[Piece]) -> bool,
        misfits: &mut BTreeMap<String, Error>,
    ) -> Result<RowSet> {
        let parts = self.parts();
        let mut described: Vec<(&str, TypeReference)> = parts
            .iter()
            .map(|part| (part.name.as_str(), part.target.kind))
            .collect();
        let mask = self.mask();
        described.extend([
            (self.number.as_str(), Compared::NUMBER),
            (mask.as_str(), Compared::NUMBER),
        ]);
        let mut rows = RowSet::new(c"snapshot_rows", &described)?;
        let mut decoders = parts
            .iter()
            .map(|part| FittingDecoder::new(&part.column, &part.target))
            .collect::<Result<Vec<_>>>()?;
        let damaged = |damage: &str| verify::damaged_since(self.table, damage);
        let is_needed = self.rows || !self.set.is_empty() || matches!(self.role, Role::Written(_));
        let groups = self.table.chunk_groups();
        let groups = groups.filter(|group| is_needed && !is_shared(group));
        let mut chunks = Reader::new(groups, false, |_| ())?;
        let places: Vec<Option<usize>> = self.content.iter().map(|name| self.place(name)).collect();
        let scratch = Scratch::new();
        let mut number = 0;
        while let Some((_, read)) = chunks.next()? {
            let read = read.map_err(|damage| damaged(&damage))?;
            for row in RowReader::new(&read.bytes, self.table.columns.len()) {
                pgrx::check_for_interrupts!();
                let row = row.map_err(|error| damaged(&error.to_string()))?;
                number += 1;
                // Where there is no key, a row is known by what is in it.
                let last = if self.is_keyed {
                    number
                } else {
                    content(&row.fields, &places)
                };
                scratch.with(|| {
                    let (mut values, mut mask) = (Vec::new(), 0_i64);
                    for (part, decoder) in parts.iter().zip(&mut decoders) {
                        let field = row.fields.get(part.place).copied().flatten();
                        let read = decoder.read(field)?;
                        values.push(read.value);
                        if let (Some(error), Some(bit)) = (read.misfit, part.bit) {
                            mask |= 1 << bit;
                            misfits.entry(part.name.clone()).or_insert(error);
                        }
                    }
                    values.extend([Value::int8(Some(last)), Value::int8(Some(mask))]);
                    rows.put(&values)
                })?;
            }
        }
        Ok(rows)
    }
}

impl Ready<'_> {
    /// Runs `body` with a connection to the rows, as the table's owner.
    ///
    /// # Errors
    /// What `body` returns.
    pub fn ask<R>(&mut self, body: impl FnOnce(&Session) -> Result<R>) -> Result<R> {
        let Loaded {
            rows,
            sides,
            contents,
        } = &mut self.loaded;
        let mut sets = vec![rows];
        sets.extend(sides);
        sets.extend(contents);
        let live = &self.job.live;
        live.as_owner(|| with_row_sets(&mut sets, body))
    }

    /// Adds a relation that queries can name.
    pub(super) fn add_set(&mut self, rows: RowSet) {
        self.loaded.sides.push(rows);
    }

    /// How many rows the snapshot's relation has.
    pub fn count(&self) -> u64 {
        self.loaded.rows.count()
    }
}

fn group(pieces: &[Piece]) -> Vec<&str> {
    pieces.iter().map(|piece| piece.hash.as_str()).collect()
}

fn groups(table: &Table) -> HashSet<Vec<&str>> {
    table.chunk_groups().map(group).collect()
}
