//! What differs between a live table and a snapshot's: first whole chunks are compared, then the rows of
//! those that differ. Only rows that differ are ever decoded or held.

use std::sync::Arc;

use pgrx::pg_sys;
use pgrx::spi::{quote_identifier, quote_literal};
use versioning_core::snapshot::difference::Unmatched;
use versioning_core::snapshot::hash::Hash;
use versioning_core::snapshot::manifest::{Column, Piece, Table};
use versioning_core::snapshot::matching::MultisetHash;

use crate::error::{Error, Result};
use crate::pg::field::TypeReference;
use crate::pg::row_set::{RowSet, Session, with_row_sets};
use crate::progress;
use crate::snapshot::changed::Found;
use crate::snapshot::chunks::AHEAD_MAX;
use crate::snapshot::hashing::{Hashing, Known};
use crate::snapshot::missing::Missing;
use crate::snapshot::raw_rows::RawRows;
use crate::snapshot::reading::read_chunks;
use crate::snapshot::row_matching::Left;
use crate::snapshot::source::LiveTable;

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

/// What is known of the snapshot's chunks when they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Nothing: every byte of every chunk is verified while comparing, also of chunks that need not be read.
    Nothing,
    /// They have been verified in this transaction.
    Verified,
}

/// Compares the site's rows of a table with a snapshot, in the columns that both have. Reads with the
/// active snapshot, as the table's owner.
///
/// # Errors
/// XX001 when a chunk is damaged. Errors of types and domains that refuse a value are raised.
pub fn compare<'a>(
    table: &'a Table,
    live: &'a LiveTable,
    site_id: &str,
    trust: Trust,
) -> Result<Difference<'a>> {
    let mut difference = Difference::begin(table, live)?;
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
    let left = Left::new(table, groups.into_values().collect(), trust);
    left.require_others_intact()?;
    difference.match_left(site_id, left, found, raw.as_deref())?;
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
    /// Nothing has been compared yet.
    fn begin(table: &'a Table, live: &'a LiveTable) -> Result<Self> {
        let common = |column: &&Column| live.stored_columns().any(|c| c.name == column.name);
        let columns: Vec<&Column> = table.columns.iter().filter(common).collect();
        Ok(Self {
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
        })
    }

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
