//! Snapshots: what they are made of, how they are read, verified, restored and let go.
//!
//! This room owns the format's database side and schema `module_versioning_data`. It knows tables, sites
//! and ids as it is told them; it must not look up modules, versions or migrations to decide anything:
//! which tables belong to a site's module is said by whoever asks for a snapshot.

pub mod added_default;
pub mod cascade;
pub mod changed;
pub mod chunk_writer;
pub mod chunks;
pub mod contents;
pub mod conversion;
pub mod decoding;
pub mod difference;
pub mod drift;
pub mod export;
pub mod fitting;
pub mod folder;
pub mod hashing;
pub mod image;
pub mod import;
pub mod large_object;
pub mod look;
pub mod missing;
mod no_way_back;
mod obstacle;
mod partial;
pub mod promise;
pub mod quiet;
pub mod raw_rows;
pub mod reading;
pub mod reference;
pub mod refill;
mod refill_again;
mod refill_carried;
mod refill_check;
mod refill_content;
mod refill_evidence;
mod refill_identity;
mod refill_insert;
pub mod refill_job;
mod refill_key;
mod refill_load;
mod refill_order;
mod refill_parent;
mod refill_rekeyed;
mod refill_side;
mod refill_sql;
mod refill_tell;
mod refill_update;
mod refill_warning;
mod refill_written;
pub mod restore;
pub mod retention;
mod rights;
mod row_hashes;
mod row_matching;
pub mod sequences;
pub mod source;
pub mod statements;
pub mod store;
pub mod take;
pub mod verify;
pub mod writing;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{JsonB, Uuid};

use crate::error::{Result, SqlResult};
use crate::pg::argument::required;
use crate::pg::identity::{ServerFiles, as_extension_owner, require_server_files};
use crate::pg::record::{ModuleDataBackups, Record};
use crate::pg::run_context::{refuse_inside_script, refuse_running_script};

#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn verify_snapshot(
    backup_id: Option<Uuid>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(table_name, String),
            name!(ok, bool),
            name!(expected_rows, i64),
            name!(actual_rows, i64),
            name!(error, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let id = required(backup_id, "backup_id")?;
    let verdicts = as_extension_owner(|| verify::verify(id))?;
    Ok(TableIterator::new(verdicts.into_iter().map(|found| {
        (
            found.table_name,
            found.ok,
            found.expected_rows,
            found.actual_rows,
            found.error,
        )
    })))
}

#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn diff_snapshot(
    backup_id: Option<Uuid>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(table_name, String),
            name!(inserted, i64),
            name!(updated, i64),
            name!(deleted, i64),
            name!(unchanged, i64),
        ),
    >,
    ErrorReport,
> {
    let id = required(backup_id, "backup_id")?;
    let differences = as_extension_owner(|| look::difference(id))?;
    Ok(TableIterator::new(differences.into_iter().map(|table| {
        (
            table.table_name,
            table.inserted,
            table.updated,
            table.deleted,
            table.unchanged,
        )
    })))
}

/// The rows as JSON text: `snapshot_rows` makes them jsonb without going through floating point.
#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn _snapshot_rows(
    backup_id: Option<Uuid>,
    table_name: Option<String>,
) -> Result<SetOfIterator<'static, String>, ErrorReport> {
    let id = required(backup_id, "backup_id")?;
    let name = required(table_name, "table_name")?;
    let mut rows = as_extension_owner(|| look::Rows::open(id, &name))?;
    Ok(SetOfIterator::new(std::iter::from_fn(move || {
        if let Some(row) = rows.ready_row() {
            return Some(row);
        }
        // An iterator has no other way to fail than to raise.
        match as_extension_owner(|| rows.next_row()) {
            Ok(row) => row,
            Err(error) => {
                ErrorReport::from(error).report(PgLogLevel::ERROR);
                None
            }
        }
    })))
}

#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn snapshot_chunks(
    backup_id: Option<Uuid>,
    table_name: Option<String>,
) -> Result<SetOfIterator<'static, Vec<u8>>, ErrorReport> {
    let id = required(backup_id, "backup_id")?;
    let name = required(table_name, "table_name")?;
    let mut file = export::CopyFile::open(id, &name)?;
    Ok(SetOfIterator::new(std::iter::from_fn(move || {
        // An iterator has no other way to fail than to raise.
        match file.next_part() {
            Ok(part) => part,
            Err(error) => {
                ErrorReport::from(error).report(PgLogLevel::ERROR);
                None
            }
        }
    })))
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn export_snapshot(
    backup_id: Option<Uuid>,
    directory: Option<&str>,
    compress: default!(Option<bool>, "false"),
) -> SqlResult<JsonB> {
    refuse_running_script()?;
    require_server_files(ServerFiles::Write)?;
    let id = required(backup_id, "backup_id")?;
    let directory = required(directory, "directory")?;
    Ok(JsonB(export::export(
        id,
        directory,
        compress.unwrap_or(false),
    )?))
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn import_snapshot(directory: Option<&str>) -> SqlResult<Option<Record<ModuleDataBackups>>> {
    refuse_inside_script()?;
    require_server_files(ServerFiles::Read)?;
    let id = import::import(required(directory, "directory")?)?;
    Ok(store::record(id)?)
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn delete_snapshot(
    backup_id: Option<Uuid>,
    force: default!(Option<bool>, "false"),
) -> SqlResult<i64> {
    refuse_inside_script()?;
    let id = required(backup_id, "backup_id")?;
    Ok(as_extension_owner(|| {
        retention::delete(id, force.unwrap_or(false))
    })?)
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn expire_snapshots()
-> Result<TableIterator<'static, (name!(backup_id, Uuid), name!(bytes_freed, i64))>, ErrorReport> {
    refuse_inside_script()?;
    Ok(TableIterator::new(as_extension_owner(retention::expire)?))
}
