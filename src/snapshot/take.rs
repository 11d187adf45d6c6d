//! Takes a snapshot: all tables with one view of the database, streamed into the chunk store.

use pgrx::Uuid;
use versioning_core::snapshot::hash::Hash;
use versioning_core::snapshot::manifest::{self, Column, Manifest, Table};

use npm_semver::Version;

use crate::error::{Error, Result};
use crate::pg::row_stream::consistent_view;
use crate::pg::view::{HeldView, Moment};
use crate::progress::{self, Step};
use crate::snapshot::chunk_writer::Writer;
use crate::snapshot::large_object::refuse_large_objects;
use crate::snapshot::no_way_back::refuse_write_only_values;
use crate::snapshot::reading::read_chunks;
use crate::snapshot::restore::pinned;
use crate::snapshot::sequences;
use crate::snapshot::source::{LiveTable, Lock, TableSource};
use crate::snapshot::store;

/// Why a snapshot is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotKind {
    /// Somebody asked for it.
    Manual,
    /// Before a restore.
    Auto,
    /// Before an upgrade.
    PreUpgrade,
    /// Before a rollback.
    PreRollback,
}

impl SnapshotKind {
    /// The word used in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Auto => "auto",
            Self::PreUpgrade => "pre_upgrade",
            Self::PreRollback => "pre_rollback",
        }
    }

    /// The kind of that word, if it is one.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Manual,
            Self::Auto,
            Self::PreUpgrade,
            Self::PreRollback,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == word)
    }
}

/// What is to be taken.
pub struct SnapshotRequest<'a> {
    /// Whose data.
    pub site_id: Uuid,
    /// Of which module.
    pub module_id: Uuid,
    /// The version the site runs.
    pub version: Option<&'a Version>,
    /// The fingerprint of the schema.
    pub fingerprint: &'a str,
    /// Why.
    pub kind: SnapshotKind,
    /// For how long it is kept, an interval as text; for ever when `None`.
    pub expires_in: Option<&'a str>,
    /// Who asked for it.
    pub created_by: Option<Uuid>,
    /// The tables.
    pub tables: &'a [TableSource],
    /// A schema of the site's own, whose sequences belong to the snapshot.
    pub schema: Option<&'a str>,
}

/// A snapshot that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its id in `module_data_backups`.
    pub backup_id: Uuid,
    /// Rows in all.
    pub row_count: i64,
    /// Bytes of the rows, uncompressed.
    pub size_bytes: i64,
    /// Bytes it added to the store.
    pub stored_bytes: i64,
    /// Its root hash, in hex.
    pub root_hash: String,
}

/// Takes a snapshot in the caller's (sub)transaction, and vanishes with it.
///
/// # Errors
/// 42704 when a table isn't there, 0A000 when it is a view or foreign table, 55P03 when its definition
/// is being changed. 42501 raised by PostgreSQL when row-level security would hide rows.
pub fn take(request: &SnapshotRequest<'_>) -> Result<Taken> {
    // What is given as text, such as `expires_in`, is read back under the fixed settings too.
    pinned(|| {
        let (tables, stored) = read(request.site_id, request.tables)?;
        record(request, tables, stored)
    })
}

/// Reads the site's rows of these tables into the store, with one view of the database, and returns what
/// it has read and how many bytes it added.
///
/// # Errors
/// As [`take`].
pub fn read(site_id: Uuid, tables: &[TableSource]) -> Result<(Vec<Table>, u64)> {
    pinned(|| {
        progress::step(Step::Snapshot);
        store::create_if_missing()?;
        let tables = lock_all(tables)?;
        let site = site_id.to_string();
        let mut writer = Writer::new()?;
        let tables = consistent_view(|| read_locked(&tables, &site, &mut writer))?;
        Ok((tables, writer.added))
    })
}

fn read_locked(tables: &[LiveTable], site: &str, writer: &mut Writer) -> Result<Vec<Table>> {
    tables
        .iter()
        .map(|live| table(live, site, writer))
        .collect()
}

/// Reads the site's rows of these tables into the store with a view that is held; with a moment, without
/// what this transaction has done since, and only those columns of each table that `is_wanted`.
///
/// # Errors
/// As [`take`].
pub fn read_in(
    view: &HeldView,
    without_since: Option<&Moment>,
    site_id: &str,
    tables: &[TableSource],
    is_wanted: &dyn Fn(&TableSource, &str) -> bool,
) -> Result<Vec<Table>> {
    pinned(|| {
        store::create_if_missing()?;
        let mut tables = lock_all(tables)?;
        for live in &mut tables {
            let source = live.source.clone();
            live.columns
                .retain(|column| is_wanted(&source, &column.column.name));
        }
        let mut writer = Writer::new()?;
        view.with(without_since, || read_locked(&tables, site_id, &mut writer))
    })
}

/// Stores the manifest of a snapshot whose chunks are stored.
///
/// # Errors
/// PostgreSQL's own are raised.
pub fn store_manifest(id: Uuid, manifest: Manifest) -> Result<()> {
    let (text, root) = written(&manifest)?;
    let pieces = manifest.tables.into_iter().flat_map(|table| table.chunks);
    store::insert_manifest(id, &text, &root, pieces.map(|piece| piece.hash).collect())
}

fn written(manifest: &Manifest) -> Result<(String, Hash)> {
    let text = manifest
        .to_text()
        .map_err(|error| Error::internal(format!("a manifest could not be written: {error}")))?;
    let root = manifest::root_hash(&text);
    Ok((text, root))
}

/// Looks up and locks the tables in the order of their names, so that two snapshots never wait for each
/// other.
fn lock_all(sources: &[TableSource]) -> Result<Vec<LiveTable>> {
    let mut sources: Vec<&TableSource> = sources.iter().collect();
    sources.sort_by_key(|source| (&source.schema, &source.relation));
    sources.dedup_by_key(|source| (&source.schema, &source.relation));
    sources
        .into_iter()
        .map(|source| {
            source.lock(Lock::Read)?.ok_or_else(|| {
                Error::not_found(format!("table \"{}\" does not exist", source.name))
                    .detail(format!("It was looked for as {}.", source.qualified()))
            })
        })
        .collect()
}

fn table(live: &LiveTable, site_id: &str, writer: &mut Writer) -> Result<Table> {
    refuse_large_objects(live, site_id)?;
    refuse_write_only_values(live, site_id)?;
    let columns: Vec<&Column> = live.stored_columns().collect();
    read_chunks(live, &columns, site_id, &mut |chunk, _| {
        let rows = chunk.row_count() as u64;
        let bytes = chunk.pieces().map(|(bytes, _)| bytes.len() as u64).sum();
        writer.put(chunk)?;
        progress::done(rows, bytes);
        Ok(())
    })?;
    let pieces = writer.finish()?;
    let mut table = Table {
        name: live.source.name.clone(),
        schema: live.source.schema.clone(),
        relation: live.source.relation.clone(),
        site_column: live.source.site_column.clone(),
        columns: columns.into_iter().cloned().collect(),
        primary_key: live.key.iter().map(|key| key.name.clone()).collect(),
        sequences: sequences::of_table(live)?,
        rows: pieces.iter().map(|piece| piece.rows).sum(),
        bytes: pieces.iter().map(|piece| piece.bytes).sum(),
        chunks: pieces,
        hash: String::new(),
    };
    table.hash = table.content_hash().to_string();
    Ok(table)
}

fn record(request: &SnapshotRequest<'_>, tables: Vec<Table>, stored: u64) -> Result<Taken> {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let counts: serde_json::Map<String, serde_json::Value> = tables
        .iter()
        .map(|table| (table.name.clone(), table.rows.into()))
        .collect();
    let (rows, bytes) = (
        number(tables.iter().map(|table| table.rows).sum()),
        number(tables.iter().map(|table| table.bytes).sum()),
    );
    let manifest = Manifest {
        format: manifest::FORMAT,
        site_id: request.site_id.to_string(),
        module_id: request.module_id.to_string(),
        version: request.version.map(ToString::to_string),
        fingerprint: request.fingerprint.to_owned(),
        tables,
        sequences: request
            .schema
            .map_or(Ok(Vec::new()), sequences::of_schema)?,
    };
    let root = written(&manifest)?.1;
    let backup_id = store::insert_backup(store::NewBackup {
        site_id: request.site_id,
        module_id: request.module_id,
        version: manifest.version.clone(),
        kind: request.kind.as_str(),
        size_bytes: bytes,
        stored_bytes: number(stored),
        row_count: rows,
        table_counts: serde_json::Value::from(counts).to_string(),
        root_hash: root.to_string(),
        expires_in: request.expires_in,
        created_by: request.created_by,
        backup_url: None,
    })?;
    store_manifest(backup_id, manifest)?;
    Ok(Taken {
        backup_id,
        row_count: rows,
        size_bytes: bytes,
        stored_bytes: number(stored),
        root_hash: root.to_string(),
    })
}
