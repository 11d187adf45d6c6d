//! What differs between a live table and a snapshot's: first whole chunks are compared, then the rows of
//! those that differ. Only rows that differ are ever decoded or held.

use pgrx::pg_sys;
use pgrx::spi::{quote_identifier, quote_literal};
use versioning_core::snapshot::difference::Unmatched;
use versioning_core::snapshot::hash::Hash;
use versioning_core::snapshot::manifest::{Column, Piece, Table};
use versioning_core::snapshot::row::{RowReader, RowWriter};

use crate::error::{Error, Result};
use crate::pg::field::TypeReference;
use crate::pg::row_set::{RowSet, Session, with_row_sets};
use crate::pg::row_stream::Place;
use crate::progress;
use crate::snapshot::decoding::{RowDecoder, Target};
use crate::snapshot::reading::read_chunks;
use crate::snapshot::source::LiveTable;
use crate::snapshot::{chunks, verify};

/// The rows that a live table and a snapshot's don't share.
pub struct Difference<'a> {
    /// The live table.
    pub live: &'a LiveTable,
    /// The columns that both have, as the snapshot has them.
    pub columns: Vec<&'a Column>,
    /// How many rows are the same.
    pub kept: u64,
    /// Rows of the snapshot that are not live like this: relation `snapshot_rows`, the columns named and
    /// typed as in the live table.
    pub snapshot_rows: RowSet,
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
        kept: 0,
        snapshot_rows: snapshot_row_set(live, &columns)?,
        live_rows: RowSet::new(
            c"live_rows",
            &[
                ("table_oid", plain(pg_sys::OIDOID)),
                ("row_id", plain(pg_sys::TIDOID)),
            ],
        )?,
        columns,
    };
    let mut groups = Unmatched::default();
    for pieces in table.chunk_groups() {
        let key: Vec<Hash> = pieces
            .iter()
            .filter_map(|piece| Hash::from_hex(&piece.hash))
            .collect();
        groups.add(key, pieces);
    }
    let changed = difference.match_chunks(site_id, &mut groups)?;
    live.as_owner(|| difference.match_rows(table, groups.into_values(), changed))?;
    difference.refuse_other_sites(site_id)?;
    Ok(difference)
}

type Changed = Unmatched<[u8; 16], Place>;

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

impl Difference<'_> {
    /// Leaves in `groups` the chunks that no live chunk equals, and returns the rows of the live chunks
    /// that no chunk of the snapshot equals.
    fn match_chunks(
        &mut self,
        site_id: &str,
        groups: &mut Unmatched<Vec<Hash>, &[Piece]>,
    ) -> Result<Changed> {
        let mut changed = Changed::default();
        let kept = &mut self.kept;
        read_chunks(self.live, &self.columns, site_id, &mut |chunk, places| {
            progress::done(
                chunk.row_count() as u64,
                chunk.pieces().map(|(bytes, _)| bytes.len() as u64).sum(),
            );
            let key: Vec<Hash> = chunk.pieces().map(|(bytes, _)| Hash::of(bytes)).collect();
            if groups.take(&key).is_some() {
                *kept += chunk.row_count() as u64;
            } else {
                for (row, place) in chunk.rows().zip(places) {
                    changed.add(Hash::of(row).half(), *place);
                }
            }
            Ok(())
        })?;
        Ok(changed)
    }

    fn match_rows<'b>(
        &mut self,
        table: &Table,
        groups: impl Iterator<Item = &'b [Piece]>,
        mut changed: Changed,
    ) -> Result<()> {
        let targets: Vec<Option<Target>> = table
            .columns
            .iter()
            .map(|column| {
                let shared = self.columns.iter().any(|other| other.name == column.name);
                let live = self.live.column(&column.name).filter(|_| shared)?;
                Some(Target {
                    kind: live.kind,
                    type_name: live.column.type_name.clone(),
                })
            })
            .collect();
        let whole = targets.iter().all(Option::is_some);
        let mut decoder = RowDecoder::new(&table.columns, &targets)?;
        for pieces in groups {
            let bytes =
                chunks::fetch(pieces)?.map_err(|damage| verify::damaged_since(table, &damage))?;
            for row in RowReader::new(&bytes, table.columns.len()) {
                pgrx::check_for_interrupts!();
                let row = row.map_err(|error| verify::damaged_since(table, &error.to_string()))?;
                let hash = if whole {
                    Hash::of(row.bytes)
                } else {
                    Hash::of(&part_of(&row.fields, &targets))
                };
                if changed.take(&hash.half()).is_some() {
                    self.kept += 1;
                } else {
                    decoder.put(&row.fields, &mut self.snapshot_rows)?;
                }
            }
        }
        for place in changed.into_values() {
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
            "live_rows l JOIN {} t ON t.tableoid = l.table_oid AND t.ctid = l.row_id
             JOIN snapshot_rows s ON {}",
            self.live.table_item(),
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

/// The row as it would be written without the columns that have no target.
fn part_of(fields: &[Option<&[u8]>], targets: &[Option<Target>]) -> Vec<u8> {
    let kept = || {
        fields
            .iter()
            .zip(targets)
            .filter(|(_, target)| target.is_some())
    };
    let mut bytes = Vec::new();
    let mut writer = RowWriter::begin(
        &mut bytes,
        u16::try_from(kept().count()).unwrap_or(u16::MAX),
    );
    for (field, _) in kept() {
        match field {
            // A value that was read has a length that can be written.
            Some(value) => _ = writer.value(value),
            None => writer.null(),
        }
    }
    bytes
}
