//! Rows of a snapshot that no live row corresponds to. They stay in their chunks until they are written:
//! then they go from there into the table, by COPY.

use std::sync::Arc;

use versioning_core::snapshot::copy_file;
use versioning_core::snapshot::manifest::{Column, Piece, Table};
use versioning_core::snapshot::matching::MultisetHash;
use versioning_core::snapshot::row::{self, RowReader};

use crate::error::{Error, Result};
use crate::pg::copy_in::copy_in;
use crate::pg::row_set::RowSet;
use crate::snapshot::chunks::Reader;
use crate::snapshot::decoding::{RowDecoder, targets};
use crate::snapshot::raw_rows::RawRows;
use crate::snapshot::source::LiveTable;
use crate::snapshot::verify;

/// Which rows of a chunk are meant.
#[derive(Debug, Default)]
pub struct Chosen {
    words: Vec<u64>,
    count: usize,
    chosen: u64,
}

impl Chosen {
    /// Says it of the next row.
    pub fn push(&mut self, is_chosen: bool) {
        if self.count.is_multiple_of(64) {
            self.words.push(0);
        }
        if let Some(word) = self.words.last_mut() {
            *word |= u64::from(is_chosen) << (self.count % 64);
        }
        self.count += 1;
        self.chosen += u64::from(is_chosen);
    }

    fn has(&self, row: usize) -> bool {
        self.words
            .get(row / 64)
            .is_some_and(|word| word >> (row % 64) & 1 == 1)
    }
}

struct Part<'a> {
    pieces: &'a [Piece],
    /// `None` for all rows.
    chosen: Option<Chosen>,
}

/// The missing rows of one table.
pub struct Missing<'a> {
    table: &'a Table,
    parts: Vec<Part<'a>>,
    count: u64,
    raw: Option<Arc<RawRows>>,
    /// What the rows that were written should hash to when they are live.
    pub wanted: MultisetHash,
}

/// What is found out about a whole chunk.
struct Seen {
    is_of_site: bool,
    rows: MultisetHash,
}

impl<'a> Missing<'a> {
    /// None so far.
    pub fn new(table: &'a Table) -> Self {
        Self {
            table,
            parts: Vec::new(),
            count: 0,
            raw: None,
            wanted: MultisetHash::default(),
        }
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// All rows of a chunk are missing.
    pub fn add_chunk(&mut self, pieces: &'a [Piece]) {
        self.count += pieces.iter().map(|piece| piece.rows).sum::<u64>();
        self.parts.push(Part {
            pieces,
            chosen: None,
        });
    }

    /// These rows of a chunk are missing.
    pub fn add_rows(&mut self, pieces: &'a [Piece], chosen: Chosen) {
        if chosen.chosen > 0 {
            self.count += chosen.chosen;
            self.parts.push(Part {
                pieces,
                chosen: Some(chosen),
            });
        }
    }

    /// How the rows are judged; without, there may be no missing rows.
    pub fn set_raw(&mut self, raw: Option<Arc<RawRows>>) {
        self.raw = raw;
    }

    /// Whether rows are judged by their bytes: then those that are not here have a live row of their key.
    pub fn is_raw(&self) -> bool {
        self.raw.is_some()
    }

    /// Reads the chunks, and says of each whether all its rows are of the site, and their hash.
    fn reader(&self) -> Result<Reader<'a, Seen>> {
        let raw = self.raw.clone();
        let fields = self.table.columns.len();
        let look = move |bytes: &[u8]| Seen {
            is_of_site: raw.as_ref().is_some_and(|raw| raw.are_of_site(bytes)),
            rows: hash_of(row::rows(bytes, fields)),
        };
        Reader::new(self.parts.iter().map(|part| part.pieces), false, look)
    }

    fn damaged(&self, damage: &str) -> Error {
        verify::damaged_since(self.table, damage)
    }

    /// Hands every missing row of a chunk to `each`, fields and bytes.
    fn rows(
        &self,
        part: &Part<'_>,
        bytes: &[u8],
        each: &mut dyn FnMut(&[Option<&[u8]>], &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut reader = RowReader::new(bytes, self.table.columns.len());
        let (mut fields, mut number) = (Vec::new(), 0);
        while let Some(row) = reader.next_into(&mut fields) {
            let row = row.map_err(|error| self.damaged(&error.to_string()))?;
            if part.chosen.as_ref().is_none_or(|chosen| chosen.has(number)) {
                if !self.raw.as_ref().is_some_and(|raw| raw.is_of_site(&fields)) {
                    return Err(self.other_site());
                }
                each(&fields, row)?;
            }
            number += 1;
        }
        Ok(())
    }

    fn other_site(&self) -> Error {
        Error::damaged_snapshot(format!(
            "the snapshot of table \"{}\" holds rows of another site",
            self.table.name
        ))
        .detail("At least one of its rows belongs to another site than the snapshot.")
    }

    /// Inserts them by COPY, as the table's owner; their foreign keys must hold when this returns, and where
    /// `in_batches` already when some of them are in: COPY holds up to 1,000 rows in memory, whatever their
    /// size, so large ones are better copied in several goes.
    ///
    /// # Errors
    /// What the table's constraints say is raised, and XX001 when a chunk is damaged.
    pub fn copy_into(&mut self, live: &LiveTable, in_batches: bool) -> Result<u64> {
        let columns: Vec<&str> = self
            .table
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        let mut parts = self.parts.iter();
        let mut reader = self.reader()?;
        let (mut count, mut is_done, mut wanted) = (0, false, MultisetHash::default());
        while !is_done {
            let (mut is_begun, mut is_full) = (false, false);
            let mut next = |buffer: &mut Vec<u8>| {
                if !is_begun {
                    is_begun = true;
                    buffer.extend_from_slice(&copy_file::HEADER);
                    return Ok(true);
                }
                let part = if is_full { None } else { parts.next() };
                is_done = part.is_none() && !is_full;
                let (Some(part), Some((pieces, read))) =
                    (part, if part.is_some() { reader.next()? } else { None })
                else {
                    buffer.extend_from_slice(&copy_file::TRAILER);
                    return Ok(false);
                };
                is_full = in_batches && has_large_rows(pieces);
                let read = read.map_err(|damage| self.damaged(&damage))?;
                if part.chosen.is_none() && read.found.is_of_site {
                    wanted.add_all(read.found.rows);
                    *buffer = read.bytes;
                    return Ok(true);
                }
                self.rows(part, &read.bytes, &mut |_, row| {
                    wanted.add_bytes(row);
                    buffer.extend_from_slice(row);
                    Ok(())
                })?;
                Ok(true)
            };
            count += live.as_owner(|| copy_in(live.oid, &columns, &mut next))?;
        }
        self.wanted.add_all(wanted);
        if count == self.count {
            Ok(count)
        } else {
            Err(Error::internal(format!(
                "COPY took {count} rows of {} for table \"{}\"",
                self.count, self.table.name
            )))
        }
    }

    /// Decodes them into a row set, for tables whose foreign keys can't hold yet when COPY is done. None
    /// are missing any more then.
    ///
    /// # Errors
    /// XX001 when a chunk is damaged. Errors of types and domains are raised.
    pub fn decode_into(
        &mut self,
        live: &LiveTable,
        columns: &[&Column],
        set: &mut RowSet,
    ) -> Result<()> {
        let targets = targets(self.table, live, columns);
        let mut wanted = MultisetHash::default();
        live.as_owner(|| {
            let mut decoder = RowDecoder::new(&self.table.columns, &targets)?;
            let mut reader = self.reader()?;
            for part in &self.parts {
                let Some((_, read)) = reader.next()? else {
                    break;
                };
                let read = read.map_err(|damage| self.damaged(&damage))?;
                self.rows(part, &read.bytes, &mut |fields, row| {
                    pgrx::check_for_interrupts!();
                    wanted.add_bytes(row);
                    decoder.put(fields, set)
                })?;
            }
            Ok(())
        })?;
        self.wanted.add_all(wanted);
        self.parts.clear();
        self.count = 0;
        Ok(())
    }
}

/// Whether a thousand rows of the chunk are more than should be held in memory.
fn has_large_rows(pieces: &[Piece]) -> bool {
    const LARGE: u64 = 16 * 1024;
    let bytes: u64 = pieces.iter().map(|piece| piece.bytes).sum();
    let rows: u64 = pieces.iter().map(|piece| piece.rows).sum();
    bytes > rows.saturating_mul(LARGE)
}

/// The hash of rows whatever their order.
fn hash_of<'a>(rows: impl Iterator<Item = &'a [u8]>) -> MultisetHash {
    let mut all = MultisetHash::default();
    rows.for_each(|row| all.add_bytes(row));
    all
}
