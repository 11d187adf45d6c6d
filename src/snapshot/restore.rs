//! Makes the live rows of a site equal a snapshot's, writing only rows that differ.

use pgrx::Uuid;
use versioning_core::snapshot::manifest::{Manifest, Table};

use crate::error::{Error, Result};
use crate::pg::row_stream::consistent_view;
use crate::pg::scope::with_settings;
use crate::pg::subtransaction::in_subtransaction;
use crate::progress::{self, Step};
use crate::settings;
use crate::snapshot::cascade::refuse_cascades;
use crate::snapshot::difference::{Difference, Trust, compare};
use crate::snapshot::drift::{explained, refuse_drift};
use crate::snapshot::promise::Promise;
use crate::snapshot::quiet::quietly;
use crate::snapshot::source::{LiveTable, Lock, SETTINGS, TableSource};
use crate::snapshot::take::{self, SnapshotKind, SnapshotRequest, Taken};
use crate::snapshot::writing::{differs, write_all};
use crate::snapshot::{sequences, store, verify};

/// How long the snapshot taken before a restore is kept.
const AUTO_EXPIRES_IN: &str = "30 days";

/// What restoring did to one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRestored {
    /// The table.
    pub table_name: String,
    /// Rows that were inserted or changed.
    pub rows_restored: i64,
    /// Rows that were deleted.
    pub rows_deleted: i64,
    /// Rows that were as in the snapshot already.
    pub rows_kept: i64,
}

/// Verifies the snapshot, then makes the site's rows of its tables (or of those named) equal it exactly.
/// Columns that the snapshot doesn't have keep their values, in new rows they get their defaults.
///
/// # Errors
/// XX001 when the snapshot is damaged; 42704 when it or a named table isn't in it; 55000 when the tables
/// have changed so that they can't take the rows; 2BP01 when a deletion would reach into other tables;
/// 55P03 when a lock isn't to be had in time; what the tables' constraints raise. Nothing is changed then.
pub fn restore(backup_id: Uuid, tables: Option<&[String]>) -> Result<Vec<TableRestored>> {
    let header = store::header(backup_id)?;
    in_subtransaction(|| {
        pinned(|| {
            store::lock_installation(&header)?;
            let manifest = verify::kept(backup_id, tables)?;
            let restored = restore_chosen(&manifest, tables)?;
            if let Some(schema) = own_schema(&header, tables)? {
                sequences::put_back_of_schema(&manifest, &schema)?;
            }
            Ok(restored)
        })
    })
    .map_err(|error| verify::with_all_damages(backup_id, tables, error))
}

fn restore_chosen(manifest: &Manifest, names: Option<&[String]>) -> Result<Vec<TableRestored>> {
    let chosen = choose(&manifest.tables, names)?;
    progress::step(Step::Restore);
    progress::expect(
        chosen.iter().map(|table| table.rows).sum(),
        chosen.iter().map(|table| table.bytes).sum(),
    );
    let locked = locked(&chosen, Lock::Write)?;
    refuse_drift(&locked)?;
    let restored = in_subtransaction(|| restore_locked(&locked, &manifest.site_id));
    match restored {
        Err(error @ Error::Raised(_)) => Err(explained(&locked, error)?),
        other => other,
    }
}

/// The schema of the site's own whose sequences belong to the snapshot, unless only some tables are restored.
fn own_schema(header: &store::Header, tables: Option<&[String]>) -> Result<Option<String>> {
    match tables {
        None => store::own_schema(header),
        Some(_) => Ok(None),
    }
}

/// The live tables, locked; `None` for those that are gone.
fn locked<'a>(tables: &[&'a Table], lock: Lock) -> Result<Vec<Locked<'a>>> {
    tables
        .iter()
        .map(|table| Ok((*table, source(table).lock(lock)?)))
        .collect()
}

/// Locks the installation that the snapshot belongs to, before anything else is, and says of which site
/// and module it is.
///
/// # Errors
/// 42704 when there is no such snapshot, 55P03 when the lock isn't to be had in time.
pub fn lock(backup_id: Uuid) -> Result<(Uuid, Uuid)> {
    let header = store::header(backup_id)?;
    pinned(|| store::lock_installation(&header))?;
    Ok((header.site_id, header.module_id))
}

/// Takes an `auto` snapshot of the same tables as they are now.
///
/// # Errors
/// As [`take::take`]; 42704 when a named table isn't in the snapshot; 55000 when the tables have changed so that they
/// can't take its rows: that is the better answer than that one can't be backed up.
pub fn back_up_first(
    backup_id: Uuid,
    tables: Option<&[String]>,
    executed_by: Option<Uuid>,
) -> Result<Taken> {
    let (header, manifest) = verify::readable(backup_id)?;
    let schema = own_schema(&header, tables)?;
    let chosen = choose(&manifest.tables, tables)?;
    pinned(|| refuse_drift(&locked(&chosen, Lock::Read)?))
        .map_err(|error| verify::with_all_damages(backup_id, tables, error))?;
    let sources: Vec<TableSource> = chosen.into_iter().map(source).collect();
    take::take(&SnapshotRequest {
        site_id: header.site_id,
        module_id: header.module_id,
        version: store::active_version(&header)?.as_ref(),
        fingerprint: &store::recorded_fingerprint(&header)?,
        kind: SnapshotKind::Auto,
        expires_in: Some(AUTO_EXPIRES_IN),
        created_by: executed_by,
        tables: &sources,
        schema: schema.as_deref(),
    })
}

/// Runs `body` with the settings that reading and writing rows needs.
///
/// # Errors
/// What `body` returns.
pub fn pinned<R>(body: impl FnOnce() -> Result<R>) -> Result<R> {
    let timeout = settings::lock_timeout().to_string();
    let mut all = SETTINGS.to_vec();
    all.push(("lock_timeout", &timeout));
    with_settings(&all, body)
}

/// The tables of those names, or all.
///
/// # Errors
/// 42704 when the snapshot has no table of a name.
pub fn choose<'a>(tables: &'a [Table], names: Option<&[String]>) -> Result<Vec<&'a Table>> {
    let Some(names) = names else {
        return Ok(tables.iter().collect());
    };
    let unknown = |name: &&String| !tables.iter().any(|table| table.name == **name);
    if let Some(name) = names.iter().find(unknown) {
        let mut known: Vec<String> = tables
            .iter()
            .map(|table| format!("\"{}\"", table.name))
            .collect();
        if known.is_empty() {
            known.push("no table".to_owned());
        }
        return Err(
            Error::not_found(format!("table \"{name}\" is not in the snapshot"))
                .detail(format!("The snapshot holds {}.", known.join(", "))),
        );
    }
    Ok(tables
        .iter()
        .filter(|table| names.contains(&table.name))
        .collect())
}

/// Where a table of a snapshot lies.
pub fn source(table: &Table) -> TableSource {
    TableSource {
        name: table.name.clone(),
        schema: table.schema.clone(),
        relation: table.relation.clone(),
        site_column: table.site_column.clone(),
    }
}

type Locked<'a> = (&'a Table, Option<LiveTable>);

fn compare_all<'a>(
    tables: &'a [Locked<'a>],
    site_id: &str,
    trust: Trust,
) -> Result<Vec<Difference<'a>>> {
    consistent_view(|| {
        tables
            .iter()
            .filter_map(|(table, live)| Some(compare(table, live.as_ref()?, site_id, trust)))
            .collect()
    })
}

fn restore_locked(tables: &[Locked<'_>], site_id: &str) -> Result<Vec<TableRestored>> {
    // Every byte is verified on the way: nothing is written before all of it has been looked at.
    let mut differences = compare_all(tables, site_id, Trust::Nothing)?;
    let lives: Vec<&LiveTable> = tables
        .iter()
        .filter_map(|(_, live)| live.as_ref())
        .collect();
    refuse_cascades(&mut differences, &lives, site_id)?;
    let changed: Vec<&LiveTable> = differences
        .iter()
        .filter(|d| differs(d))
        .map(|difference| difference.live)
        .collect();
    let written = if changed.is_empty() {
        vec![(0, 0); differences.len()]
    } else {
        quietly(&changed, || write_all(&mut differences, site_id))?
    };
    for (table, live) in tables {
        if let Some(live) = live {
            sequences::put_back(table, live)?;
        }
    }
    let promises: Vec<Promise> = differences.iter().map(Promise::of).collect();
    drop(differences);
    if !changed.is_empty() {
        confirm(tables, &promises, site_id)?;
    }
    let kept = promises.iter().map(|promise| promise.kept.count());
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let restored = tables.iter().zip(written).zip(kept);
    Ok(restored
        .map(|(((table, _), (restored, deleted)), kept)| TableRestored {
            table_name: table.name.clone(),
            rows_restored: number(restored),
            rows_deleted: number(deleted),
            rows_kept: number(kept),
        })
        .collect())
}

/// Looks at the tables again: what was promised is looked at, not believed. Columns whose type has changed
/// since are written in another form and can't be compared like this.
fn confirm(tables: &[Locked<'_>], promises: &[Promise], site_id: &str) -> Result<()> {
    let comparable = |table: &Table, live: &LiveTable| {
        table.columns.iter().all(|column| {
            live.column(&column.name)
                .is_some_and(|live| live.column.type_name == column.type_name)
        })
    };
    let is_kept = consistent_view(|| {
        for ((table, live), promise) in tables.iter().zip(promises) {
            if let Some(live) = live
                && comparable(table, live)
                && !promise.is_kept(table, live, site_id)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    })?;
    if is_kept {
        return Ok(());
    }
    pgrx::debug1!("restored tables are compared row by row");
    for difference in compare_all(tables, site_id, Trust::Verified)? {
        let name = &difference.live.source.name;
        let is_comparable = tables
            .iter()
            .any(|(table, _)| table.name == *name && comparable(table, difference.live));
        if is_comparable && differs(&difference) {
            return Err(Error::wrong_state(format!(
                "table \"{name}\" can't be made equal to the snapshot"
            ))
            .detail(format!(
                "After all rows had been written, {} rows of the snapshot were missing and {} rows were left over.",
                difference.absent(),
                difference.live_rows.count()
            ))
            .hint("Nothing was changed. Look for foreign keys with ON UPDATE actions between these tables."));
        }
    }
    Ok(())
}
