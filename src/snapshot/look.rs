//! Looks into a snapshot without changing anything: its rows, and how the live rows differ from them.

use pgrx::Uuid;
use pgrx::pg_sys;
use versioning_core::snapshot::manifest::{Encoding, Manifest, Table};
use versioning_core::snapshot::row::RowReader;

use crate::error::{Error, Family, Result};
use crate::pg::field::TypeReference;
use crate::pg::identity::{self, Restriction, run_as};
use crate::pg::row_set::{RowSet, with_row_sets};
use crate::pg::row_stream::consistent_view;
use crate::pg::subtransaction::in_subtransaction;
use crate::snapshot::decoding::{RowDecoder, Target, type_named};
use crate::snapshot::difference::{Trust, compare};
use crate::snapshot::drift::{explained, refuse_missing};
use crate::snapshot::restore::{choose, pinned, source};
use crate::snapshot::source::{LiveTable, Lock};
use crate::snapshot::{chunks, store, verify};

/// How the live rows of a table differ from a snapshot's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDifference {
    /// The table.
    pub table_name: String,
    /// Rows that came since.
    pub inserted: i64,
    /// Rows that changed since.
    pub updated: i64,
    /// Rows that went since.
    pub deleted: i64,
    /// Rows that are the same.
    pub unchanged: i64,
}

/// Compares the live rows with a snapshot, in the columns that both have.
///
/// # Errors
/// 42704 when there is no such snapshot, XX001 when it is damaged, 55000 when a table is gone or a
/// column's type does not take its values any more.
pub fn difference(backup_id: Uuid) -> Result<Vec<TableDifference>> {
    let manifest = verify::kept(backup_id, None)?;
    compare_all(&manifest).map_err(|error| verify::with_all_damages(backup_id, None, error))
}

fn compare_all(manifest: &Manifest) -> Result<Vec<TableDifference>> {
    pinned(|| {
        let mut tables = Vec::new();
        for table in &manifest.tables {
            tables.push((table, source(table).lock(Lock::Read)?));
        }
        refuse_missing(&tables)?;
        let found = in_subtransaction(|| {
            consistent_view(|| {
                tables
                    .iter()
                    .filter_map(|(table, live)| {
                        Some(count(table, live.as_ref()?, &manifest.site_id))
                    })
                    .collect()
            })
        });
        match found {
            Err(error @ Error::Raised(_)) => Err(explained(&tables, error)?),
            other => other,
        }
    })
}

fn count(table: &Table, live: &LiveTable, site_id: &str) -> Result<TableDifference> {
    let mut difference = compare(table, live, site_id, Trust::Nothing)?;
    let pairs = difference.count_pairs()?;
    Ok(TableDifference {
        table_name: table.name.clone(),
        inserted: number(difference.live_rows.count() - pairs),
        updated: number(pairs),
        deleted: number(difference.absent() - pairs),
        unchanged: number(difference.kept.count()),
    })
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The rows of one table of a snapshot as JSON texts, a chunk at a time.
pub struct Rows {
    table: Table,
    reader: pg_sys::Oid,
    next_group: usize,
    ready: std::vec::IntoIter<String>,
}

impl Rows {
    /// Starts reading.
    ///
    /// # Errors
    /// 42704 when there is no such snapshot or table in it, XX001 when the manifest is damaged.
    pub fn open(backup_id: Uuid, table_name: &str) -> Result<Self> {
        let (header, manifest) = verify::readable(backup_id)?;
        let names = [table_name.to_owned()];
        let table = choose(&manifest.tables, Some(&names))?
            .first()
            .map(|table| (*table).clone())
            .ok_or_else(|| Error::internal("a table that was found is gone"))?;
        // Domains and casts in the rows' types are their owner's code.
        let owner = match pinned(|| source(&table).lock(Lock::Read)) {
            // Something else has its name now.
            Err(Error::Found {
                family: Family::NotSupported,
                ..
            }) => None,
            found => found?.map(|live| live.owner),
        };
        let reader = match owner {
            Some(owner) => owner,
            // Without the table, its rows are the module's: never the extension's or the caller's.
            None => match store::module_owner(header.module_id)? {
                Some(name) => identity::role_named(&name)?,
                None => return Err(Error::not_found("the snapshot's module is not registered")),
            },
        };
        Ok(Self {
            table,
            reader,
            next_group: 0,
            ready: Vec::new().into_iter(),
        })
    }

    /// The next row of the chunk that was read last, if it has one more.
    pub fn ready_row(&mut self) -> Option<String> {
        self.ready.next()
    }

    /// The next row, if there is one.
    ///
    /// # Errors
    /// XX001 when a chunk is damaged.
    pub fn next_row(&mut self) -> Result<Option<String>> {
        loop {
            if let Some(row) = self.ready_row() {
                return Ok(Some(row));
            }
            let Some(bytes) = self.next_chunk()? else {
                return Ok(None);
            };
            self.ready = pinned(|| {
                run_as(self.reader, Restriction::RestrictedOperation, || {
                    to_json(&self.table, &bytes)
                })
            })?
            .into_iter();
        }
    }

    fn next_chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(pieces) = self.table.chunk_groups().nth(self.next_group) else {
            return Ok(None);
        };
        self.next_group += 1;
        chunks::fetch(pieces)?
            .map(Some)
            .map_err(|damage| verify::damaged_table(&self.table, &damage))
    }
}

fn to_json(table: &Table, bytes: &[u8]) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for column in &table.columns {
        // Text whose type is gone is still text; bytes whose type is gone can only be shown as bytes.
        let oid = match (type_named(&column.type_name)?, column.encoding) {
            (Some(oid), _) => oid,
            (None, Encoding::Text) => pg_sys::TEXTOID,
            (None, Encoding::Binary) => pg_sys::BYTEAOID,
        };
        let kind = TypeReference { oid, modifier: -1 };
        targets.push(Some(Target {
            kind,
            type_name: column.type_name.clone(),
        }));
    }
    let described: Vec<(&str, TypeReference)> = table
        .columns
        .iter()
        .zip(targets.iter().flatten())
        .map(|(column, target)| (column.name.as_str(), target.kind))
        .collect();
    let mut rows = RowSet::new(c"snapshot_rows", &described)?;
    let mut decoder = RowDecoder::new(&table.columns, &targets)?;
    for row in RowReader::new(bytes, table.columns.len()) {
        pgrx::check_for_interrupts!();
        let row = row.map_err(|error| verify::damaged_table(table, &error.to_string()))?;
        decoder.put(&row.fields, &mut rows)?;
    }
    with_row_sets(&mut [&mut rows], |session| {
        session.texts("SELECT pg_catalog.to_jsonb(s)::text FROM snapshot_rows s")
    })
}
