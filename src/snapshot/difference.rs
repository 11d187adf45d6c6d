//! What differs between a live table and a snapshot's: first whole chunks are compared, then the rows of
//! those that differ. Only rows that differ are ever decoded or held.

use std::sync::Arc;

use pgrx::pg_sys;
use pgrx::spi::{quote_identifier, quote_literal};
use versioning_core::snapshot::difference::Unmatched;
use versioning_core::snapshot::hash::Hash;
use versioning_core::snapshot::manifest::{Column, Piece, Table};
use versioning_core::snapshot::matching::MultisetHash;
use versioning_core::snapshot::row::RowReader;

use crate::error::{Error, Result};
use crate::pg::field::TypeReference;
use crate::pg::row_set::{RowSet, Session, with_row_sets};
use crate::progress;
use crate::snapshot::changed::{ALL, CHANGED_MAX, Changed, Found, Share};
use crate::snapshot::chunks::{AHEAD_MAX, Reader};
use crate::snapshot::decoding::{RowDecoder, targets};
use crate::snapshot::hashing::{Hashing, Known};
use crate::snapshot::missing::{Chosen, Missing};
use crate::snapshot::raw_rows::RawRows;
use crate::snapshot::reading::read_chunks;
use crate::snapshot::row_hashes::{HashedRow, hashed_parts, hashed_rows};
use crate::snapshot::source::LiveTable;
use crate::snapshot::verify;

/// The rows that a live table and a snapshot's don't share.
pub struct Difference<'a> {
    /// The live table.
    pub live: &'a LiveTable,
    /// The columns that both have, as the snapshot has them.
    pub columns: Vec<&'a Column>,
    /// The places of the rows that are the same.
    pub kept: MultisetHash,
    /// Rows of the snapshot that are not live like this, decoded: relation `snapshot_rows`, the columns
    /// named and typed as in the live table.
    pub snapshot_rows: RowSet,
    /// What these rows should hash to when they are live.
    pub wanted: MultisetHash,
    /// How many bytes the largest of them has.
    pub largest: usize,
    /// More rows of the snapshot that are not live like this, and no live row has their primary key.
    pub missing: Missing<'a>,
    /// Live rows that are not in the snapshot like this: relation `live_rows (table_oid, row_id)`.
    pub live_rows: RowSet,
}

/// Compares the site's rows of a table with a snapshot, in the columns that both have. Reads with the
/// active snapshot, as the table's owner.
///
/// # Errors
/// XX001 when a chunk is damaged. Errors of types and domains that refuse a value are raised.
pub fn compare<'a>(table: &'a Table, live: &'a LiveTable, site_id: &str) -> Result<Difference<'a>> {
    let common = |column: &&Column| live.stored_columns().any(|other| other.name == column.name);
    let columns: Vec<&Column> = table.columns.iter().filter(common).collect();
    let mut difference = Difference {
        live,
        kept: MultisetHash::default(),
        snapshot_rows: snapshot_row_set(live, &columns)?,
        wanted: MultisetHash::default(),
        largest: 0,
        missing: Missing::new(table),
        live_rows: RowSet::new(
            c"live_rows",
            &[
                ("table_oid", plain(pg_sys::OIDOID)),
                ("row_id", plain(pg_sys::TIDOID)),
            ],
        )?,
        columns,
    };
    let raw = RawRows::of(table, live, difference.has_key(), site_id).map(Arc::new);
    let mut groups = Unmatched::default();
    for (number, pieces) in table.chunk_groups().enumerate() {
        let key: Vec<Hash> = pieces
            .iter()
            .filter_map(|piece| Hash::from_hex(&piece.hash))
            .collect();
        groups.add(key, (number, pieces));
    }
    let found = difference.match_chunks(site_id, &mut groups, raw.as_ref())?;
    // In the snapshot's order: rows that are inserted again then make the same chunks again.
    let mut groups: Vec<(usize, &[Piece])> = groups.into_values().collect();
    groups.sort_unstable_by_key(|group| group.0);
    let groups: Vec<&[Piece]> = groups.into_iter().map(|group| group.1).collect();
    if found.is_too_much() {
        let passes = found.count.div_ceil(CHANGED_MAX);
        for number in 0..passes {
            let share = Share { number, of: passes };
            let changed = difference.collect(site_id, &found.equal, share)?;
            difference.match_rows(table, &groups, changed, None, share)?;
        }
    } else {
        difference.match_rows(table, &groups, found.changed, raw.as_deref(), ALL)?;
    }
    difference.missing.set_raw(raw);
    difference.refuse_other_sites(site_id)?;
    Ok(difference)
}

fn plain(oid: pg_sys::Oid) -> TypeReference {
    TypeReference { oid, modifier: -1 }
}

fn snapshot_row_set(live: &LiveTable, columns: &[&Column]) -> Result<RowSet> {
    let described: Vec<(&str, TypeReference)> = columns
        .iter()
        .filter_map(|column| Some((column.name.as_str(), live.column(&column.name)?.kind)))
        .collect();
    RowSet::new(c"snapshot_rows", &described)
}

impl<'a> Difference<'a> {
    /// How many rows of the snapshot are not live like this.
    pub fn absent(&self) -> u64 {
        self.snapshot_rows.count() + self.missing.count()
    }

    /// Leaves in `groups` the chunks that no live chunk equals, and returns the rows of the live chunks
    /// that no chunk of the snapshot equals.
    fn match_chunks(
        &mut self,
        site_id: &str,
        groups: &mut Unmatched<Vec<Hash>, (usize, &[Piece])>,
        raw: Option<&Arc<RawRows>>,
    ) -> Result<Found> {
        let mut found = Found::default();
        let mut hashing = Hashing::new(Arc::new(Known {
            chunks: groups.keys().cloned().collect(),
            raw: raw.cloned(),
        }));
        let raw = raw.map(Arc::as_ref);
        read_chunks(self.live, &self.columns, site_id, &mut |chunk, places| {
            progress::done(
                chunk.row_count() as u64,
                chunk.pieces().map(|(bytes, _)| bytes.len() as u64).sum(),
            );
            hashing.give(chunk, places)?;
            while let Some(hashed) = hashing.next(AHEAD_MAX)? {
                found.add(hashed, groups, raw);
            }
            Ok(())
        })?;
        while let Some(hashed) = hashing.next(0)? {
            found.add(hashed, groups, raw);
        }
        self.kept = found.kept;
        found.changed.rows.seal();
        found.changed.keys.sort_unstable();
        Ok(found)
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
        table: &Table,
        groups: &[&'a [Piece]],
        changed: Changed,
        raw: Option<&RawRows>,
        share: Share,
    ) -> Result<()> {
        if raw.is_some() && changed.rows.is_empty() {
            for pieces in groups {
                self.missing.add_chunk(pieces);
            }
            return Ok(());
        }
        let live = self.live;
        live.as_owner(|| self.match_one_by_one(table, groups, changed, raw, share))
    }

    fn match_one_by_one(
        &mut self,
        table: &Table,
        groups: &[&'a [Piece]],
        mut changed: Changed,
        raw: Option<&RawRows>,
        share: Share,
    ) -> Result<()> {
        let targets = targets(table, self.live, &self.columns);
        let whole = targets.iter().all(Option::is_some);
        let mut decoder = RowDecoder::new(&table.columns, &targets)?;
        let damaged = |damage: &str| verify::damaged_since(table, damage);
        let columns = table.columns.len();
        let mut chunks = Reader::new(groups.iter().copied(), false, move |bytes| {
            // Rows that were written with other columns are hashed below.
            if whole {
                hashed_rows(bytes, columns)
            } else {
                Vec::new()
            }
        })?;
        while let Some((pieces, read)) = chunks.next()? {
            let read = read.map_err(|damage| damaged(&damage))?;
            let rows = if whole {
                read.found
            } else {
                hashed_parts(&read.bytes, &targets)
            };
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
                    return Err(damaged(&error.to_string()));
                }
                let is_chosen = raw.is_some_and(|raw| changed.lacks(raw, &fields));
                chosen.push(is_chosen);
                if !is_chosen && is_ours {
                    self.wanted.add(&hash);
                    self.largest = self.largest.max(row.len());
                    decoder.put(&fields, &mut self.snapshot_rows)?;
                }
            }
            if start != read.bytes.len() {
                return Err(damaged("it holds something else than rows"));
            }
            self.missing.add_rows(pieces, chosen);
        }
        for place in changed.rows.into_values() {
            pgrx::check_for_interrupts!();
            self.live_rows.put_place(place)?;
        }
        Ok(())
    }

    /// A snapshot of one site holds rows of that site only, whatever somebody has made of it.
    fn refuse_other_sites(&mut self, site_id: &str) -> Result<()> {
        let (Some(site), live) = (self.live.source.site_column.clone(), self.live) else {
            return Ok(());
        };
        if self.snapshot_rows.count() == 0 {
            return Ok(());
        }
        let Some(kind) = live
            .column(&site)
            .map(|column| column.column.type_name.clone())
        else {
            return Ok(());
        };
        let query = format!(
            "SELECT pg_catalog.count(*)::text FROM snapshot_rows s
             WHERE s.{} IS DISTINCT FROM CAST({} AS {kind})",
            quote_identifier(&site),
            quote_literal(site_id)
        );
        match self.ask(|session| session.count(&query))? {
            0 => Ok(()),
            count => Err(Error::damaged_snapshot(format!(
                "the snapshot of table \"{}\" holds rows of another site",
                live.source.name
            ))
            .detail(format!(
                "{count} of its rows belong to another site than {site_id}."
            ))),
        }
    }

    /// Runs queries over the two row sets as the table's owner.
    ///
    /// # Errors
    /// What `body` returns.
    pub fn ask<R>(&mut self, body: impl FnOnce(&Session) -> Result<R>) -> Result<R> {
        let live = self.live;
        let mut sets = [&mut self.snapshot_rows, &mut self.live_rows];
        live.as_owner(|| with_row_sets(&mut sets, body))
    }

    /// Whether rows are matched by primary key, and not as a whole: when all its columns are in the
    /// snapshot, and no other column refuses to be updated.
    pub fn has_key(&self) -> bool {
        let keyed = |name: &str| self.live.key.iter().any(|key| key.name == name);
        !self.live.key.is_empty()
            && self
                .live
                .key
                .iter()
                .all(|key| self.columns.iter().any(|c| c.name == key.name))
            && self
                .live
                .columns
                .iter()
                .all(|c| c.column.identity != "a" || keyed(&c.column.name))
    }

    /// The condition under which two rows have the same primary key.
    pub fn same_key(&self, one: &str, other: &str) -> String {
        let conditions: Vec<String> = self
            .live
            .key
            .iter()
            .map(|key| {
                let name = quote_identifier(&key.name);
                format!("{one}.{name} {} {other}.{name}", key.operator)
            })
            .collect();
        conditions.join(" AND ")
    }

    /// `FROM` and `WHERE` of the live rows that differ (alias `t`) joined with their snapshot rows
    /// (alias `s`).
    pub fn pairs(&self) -> String {
        format!(
            "live_rows l JOIN {} t ON {}
             JOIN snapshot_rows s ON {}",
            self.live.table_item(),
            IS_LIVE_ROW,
            self.same_key("t", "s")
        )
    }

    /// How many rows differ that are there in both, matched by primary key.
    ///
    /// # Errors
    /// None of its own.
    pub fn count_pairs(&mut self) -> Result<u64> {
        if !self.has_key() || self.snapshot_rows.count() == 0 || self.live_rows.count() == 0 {
            return Ok(0);
        }
        let query = format!("SELECT pg_catalog.count(*)::text FROM {}", self.pairs());
        self.ask(|session| session.count(&query))
    }
}

/// The condition that row `t` of the table is row `l` of `live_rows`. The rows are fetched by their places,
/// and not by reading the whole table.
pub const IS_LIVE_ROW: &str = "t.ctid = ANY (ARRAY(SELECT p.row_id FROM live_rows p)) \
     AND t.tableoid = l.table_oid AND t.ctid = l.row_id";
