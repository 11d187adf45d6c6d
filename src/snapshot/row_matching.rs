//! Matching the rows of chunks that a live table and a snapshot don't share.

use versioning_core::snapshot::hash::Hash;
use versioning_core::snapshot::manifest::{Piece, Table};
use versioning_core::snapshot::row::RowReader;

use crate::error::{Error, Result};
use crate::snapshot::changed::{ALL, CHANGED_MAX, Changed, Found, Share};
use crate::snapshot::chunks::Reader;
use crate::snapshot::decoding::{RowDecoder, targets};
use crate::snapshot::difference::{Difference, Trust};
use crate::snapshot::missing::Chosen;
use crate::snapshot::raw_rows::RawRows;
use crate::snapshot::reading::read_chunks;
use crate::snapshot::row_hashes::{HashedRow, hashed_parts, hashed_rows, part_of};
use crate::snapshot::verify;

/// The chunks of a snapshot's table that no live chunk equals.
pub struct Left<'a> {
    table: &'a Table,
    /// Each with its number, in the snapshot's order: rows that are inserted again then make the same
    /// chunks again.
    groups: Vec<(usize, &'a [Piece])>,
    trust: Trust,
}

impl<'a> Left<'a> {
    /// These chunks, each with its number.
    pub fn new(table: &'a Table, mut groups: Vec<(usize, &'a [Piece])>, trust: Trust) -> Self {
        groups.sort_unstable_by_key(|group| group.0);
        Self {
            table,
            groups,
            trust,
        }
    }

    fn groups(&self) -> impl Iterator<Item = &'a [Piece]> {
        self.groups.iter().map(|group| group.1)
    }

    fn has(&self, number: usize) -> bool {
        let found = self.groups.binary_search_by_key(&number, |group| group.0);
        found.is_ok()
    }

    /// Verifies the chunks that nobody needs to read, where that has not been done.
    ///
    /// # Errors
    /// XX001 when one is damaged.
    pub fn require_others_intact(&self) -> Result<()> {
        if self.trust == Trust::Verified {
            return Ok(());
        }
        let all = self.table.chunk_groups().enumerate();
        let others = all.filter(|(number, _)| !self.has(*number));
        verify::require_intact(self.table, others.map(|(_, pieces)| pieces))
    }

    /// The same for these.
    fn require_intact(&self) -> Result<()> {
        if self.trust == Trust::Verified {
            return Ok(());
        }
        verify::require_intact(self.table, self.groups())
    }

    fn damaged(&self, damage: &str) -> Error {
        match self.trust {
            Trust::Nothing => verify::damaged_table(self.table, damage),
            Trust::Verified => verify::damaged_since(self.table, damage),
        }
    }
}

impl<'a> Difference<'a> {
    /// Matches the rows of what is left, in as many passes as memory demands.
    ///
    /// # Errors
    /// XX001 when a chunk is damaged. Errors of types and domains that refuse a value are raised.
    pub fn match_left(
        &mut self,
        site_id: &str,
        mut left: Left<'a>,
        found: Found,
        raw: Option<&RawRows>,
    ) -> Result<()> {
        if !found.is_too_much() {
            return self.match_rows(&left, found.changed, raw, ALL);
        }
        let passes = found.count.div_ceil(CHANGED_MAX);
        for number in 0..passes {
            let share = Share { number, of: passes };
            let changed = self.collect(site_id, &found.equal, share)?;
            self.match_rows(&left, changed, None, share)?;
            left.trust = Trust::Verified;
        }
        Ok(())
    }

    /// Reads the table again, with the same view as before, for a share of the rows of changed chunks.
    fn collect(&self, site_id: &str, equal: &[bool], share: Share) -> Result<Changed> {
        let mut changed = Changed::default();
        let mut equal = equal.iter();
        read_chunks(self.live, &self.columns, site_id, &mut |chunk, places| {
            if equal.next() == Some(&false) {
                for (row, place) in chunk.rows().zip(&places) {
                    let hash = Hash::of(row).half();
                    if share.has(&hash) {
                        changed.rows.add(hash, *place);
                    }
                }
            }
            Ok(())
        })?;
        changed.rows.seal();
        Ok(changed)
    }

    fn match_rows(
        &mut self,
        left: &Left<'a>,
        changed: Changed,
        raw: Option<&RawRows>,
        share: Share,
    ) -> Result<()> {
        if raw.is_some() && changed.rows.is_empty() {
            left.require_intact()?;
            left.groups()
                .for_each(|pieces| self.missing.add_chunk(pieces));
            return Ok(());
        }
        let live = self.live;
        live.as_owner(|| self.match_one_by_one(left, changed, raw, share))
    }

    fn match_one_by_one(
        &mut self,
        left: &Left<'a>,
        mut changed: Changed,
        raw: Option<&RawRows>,
        share: Share,
    ) -> Result<()> {
        let (table, is_thorough) = (left.table, left.trust == Trust::Nothing);
        let targets = targets(table, self.live, &self.columns);
        let whole = targets.iter().all(Option::is_some);
        let mut decoder = RowDecoder::new(&table.columns, &targets)?;
        let columns = table.columns.len();
        let mut chunks = Reader::new(left.groups(), is_thorough, move |bytes| {
            // Rows that were written with other columns are hashed below.
            if whole {
                hashed_rows(bytes, columns)
            } else {
                Vec::new()
            }
        })?;
        while let Some((pieces, read)) = chunks.next()? {
            let read = read.map_err(|damage| left.damaged(&damage))?;
            let rows = if whole {
                read.found
            } else {
                hashed_parts(&read.bytes, &targets)
            };
            if rows.len() as u64 != pieces.iter().map(|piece| piece.rows).sum::<u64>() {
                return Err(left.damaged(verify::OTHER_ROWS));
            }
            let (mut fields, mut chosen, mut start) = (Vec::new(), Chosen::default(), 0);
            for HashedRow { hash, end } in rows {
                pgrx::check_for_interrupts!();
                let row = read.bytes.get(start..end).unwrap_or_default();
                start = end;
                let is_ours = share.has(&hash);
                let same = if is_ours {
                    changed.rows.take(&hash)
                } else {
                    None
                };
                if let Some(place) = same {
                    self.kept.add_number(place.number());
                    chosen.push(false);
                    continue;
                }
                if let Some(Err(error)) = RowReader::new(row, columns).next_into(&mut fields) {
                    return Err(left.damaged(&error.to_string()));
                }
                let is_chosen = raw.is_some_and(|raw| changed.lacks(raw, &fields));
                chosen.push(is_chosen);
                if !is_chosen && is_ours {
                    if whole {
                        self.wanted.add_bytes(row);
                    } else {
                        self.wanted.add_bytes(&part_of(&fields, &targets));
                    }
                    self.largest = self.largest.max(row.len());
                    decoder.put(&fields, &mut self.snapshot_rows)?;
                }
            }
            if start != read.bytes.len() {
                return Err(left.damaged("it holds something else than rows"));
            }
            self.missing.add_rows(pieces, chosen);
        }
        for place in changed.rows.into_values() {
            pgrx::check_for_interrupts!();
            self.live_rows.put_place(place)?;
        }
        Ok(())
    }
}
