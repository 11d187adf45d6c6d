//! Snapshots of an installation: which tables, which version, which schema.

use pgrx::Uuid;
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use versioning_core::model::Isolation;

use super::situation::Situation;
use super::{changing, lock, store};
use crate::error::{Error, Result, SqlResult};
use crate::pg::argument::required;
use crate::pg::record::{ModuleDataBackups, Record};
use crate::pg::scope::with_settings;
use crate::progress::{self, Operation};
use crate::snapshot::restore;
use crate::snapshot::retention::check_expiry;
use crate::snapshot::source::TableSource;
use crate::snapshot::take::{self, SnapshotKind, SnapshotRequest};
use crate::{registry, schema};

/// How long a snapshot is kept when nobody says otherwise.
const DEFAULT_EXPIRY: &str = "30 days";

/// Takes a snapshot of a site's rows of the module and returns its id.
///
/// # Errors
/// 42501 should row level security hide a row; 0A000 for a table that is none; 42704 for one that is gone.
pub fn take(
    situation: &Situation,
    kind: SnapshotKind,
    expires_in: Option<&str>,
    created_by: Option<Uuid>,
) -> Result<Uuid> {
    let tables = tables(situation)?;
    let fingerprint =
        store::state::recorded_fingerprint(situation.module.id, situation.state_site())?
            .unwrap_or_default();
    let taken = take::take(&SnapshotRequest {
        site_id: situation.site.id,
        module_id: situation.module.id,
        version: situation.current(),
        fingerprint: &fingerprint,
        kind,
        expires_in: Some(expires_in.unwrap_or(DEFAULT_EXPIRY)),
        created_by,
        tables: &tables,
        schema: (situation.module.isolation == Isolation::Schema).then(|| situation.schema()),
    })
    .or_else(|error| Err(gone(situation, &error)?.unwrap_or(error)))?;
    Ok(taken.backup_id)
}

/// The error that names a registered table that is gone, if one is. It holds rows no more, or holds them under
/// another name that nobody told: a snapshot without it would promise too much.
fn gone(situation: &Situation, error: &Error) -> Result<Option<Error>> {
    let module = &situation.module;
    if error.code() != PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT
        || module.isolation == Isolation::Schema
    {
        return Ok(None);
    }
    let tables = registry::tables(module)?;
    let Some(gone) = tables.iter().find(|table| table.oid.is_none()) else {
        return Ok(None);
    };
    Ok(Some(Error::not_found(format!(
        "table \"{}\" of module \"{}\" does not exist",
        gone.name, module.slug
    ))
    .detail("It is registered as the module's, and was dropped, renamed or replaced by something else outside a migration.")
    .hint(format!(
        "Give it back its name, or take it off the module's list: DELETE FROM module_versioning.module_tables WHERE module_id = module_versioning.module_id({}) AND table_name = {}; as a superuser. Renamed for good, register it again with register_module_table.",
        spi::quote_literal(&module.slug),
        spi::quote_literal(&gone.name)
    ))))
}

/// The tables that hold the site's rows: the registered ones, or all of the site's schema.
///
/// # Errors
/// None of its own.
pub fn tables(situation: &Situation) -> Result<Vec<TableSource>> {
    // What a table is called must not depend on the session.
    with_settings(&[("quote_all_identifiers", "off")], || {
        named_tables(situation)
    })
}

fn named_tables(situation: &Situation) -> Result<Vec<TableSource>> {
    match situation.module.isolation {
        Isolation::Row => Ok(registry::tables(&situation.module)?
            .into_iter()
            .map(|table| TableSource {
                name: table.name,
                schema: table.schema,
                relation: table.relation,
                site_column: table.site_column,
            })
            .collect()),
        Isolation::Schema => Ok(own_tables(situation)?
            .into_iter()
            .map(|table| TableSource {
                name: spi::quote_identifier(&table.name),
                schema: situation.schema().to_owned(),
                relation: table.name,
                site_column: None,
            })
            .collect()),
    }
}

/// The tables of the site's schema but for those of which a change has told that they are not the
/// module's, unless they were registered as such.
fn own_tables(situation: &Situation) -> Result<Vec<schema::Table>> {
    let others = store::state::state(situation.module.id, situation.state_site())?.tenant_objects;
    let registered = registry::tables(&situation.module)?;
    let mut tables = schema::tables(situation.schema())?;
    tables.retain(|table| {
        let name = spi::quote_identifier(&table.name);
        !others.contains(&format!("table {name}"))
            || registered.iter().any(|registered| registered.name == name)
    });
    Ok(tables)
}

// Declared in sql/install/51_snapshot_functions.sql: the macro can't name an argument `type`.
#[pg_extern(sql = false)]
fn snapshot_module_data(
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    kind: Option<&str>,
    expires_in: Option<Interval>,
    created_by: Option<Uuid>,
) -> SqlResult<Option<Record<ModuleDataBackups>>> {
    let kind = kind_named(kind)?;
    // As text in one style, whatever the session's: it is read back under fixed settings.
    let expires_in = with_settings(&[("IntervalStyle", "postgres")], || {
        Ok(expires_in.map(|interval| interval.to_string()))
    })?;
    changing(|| {
        if let Some(interval) = &expires_in {
            check_expiry(interval)?;
        }
        let situation = Situation::read(site_id, module_id)?;
        let (installation, _) = situation.installed()?;
        // No upgrade may change the tables between one and the next.
        lock::installation(installation.site_module_id, &situation.name())?;
        let situation = situation.read_again()?;
        let (site, module) = (situation.site.id, situation.module.id);
        let backup_id =
            progress::during(Operation::Snapshot, site, module, &situation.name(), || {
                take(&situation, kind, expires_in.as_deref(), created_by)
            })?;
        store::snapshot(backup_id)
    })
}

fn kind_named(word: Option<&str>) -> Result<SnapshotKind> {
    let word = word.unwrap_or("manual");
    SnapshotKind::from_word(word).ok_or_else(|| {
        Error::invalid_argument(format!("\"{word}\" is no type of snapshot"))
            .hint("The types are manual, auto, pre_upgrade and pre_rollback.")
    })
}

#[pg_extern(volatile, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn restore_module_data(
    backup_id: Option<Uuid>,
    tables: default!(Option<Vec<Option<String>>>, "NULL"),
    create_backup: default!(Option<bool>, "true"),
    executed_by: default!(Option<Uuid>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(table_name, String),
            name!(rows_restored, i64),
            name!(rows_deleted, i64),
            name!(rows_kept, i64),
        ),
    >,
    ErrorReport,
> {
    let id = required(backup_id, "backup_id")?;
    let tables = tables.map(named).transpose()?;
    let restored = changing(|| {
        let (site, module) = restore::lock(id)?;
        progress::during(Operation::Restore, site, module, "a snapshot", || {
            if create_backup.unwrap_or(true) {
                restore::back_up_first(id, tables.as_deref(), executed_by)?;
            }
            restore::restore(id, tables.as_deref())
        })
    })?;
    Ok(TableIterator::new(restored.into_iter().map(|table| {
        (
            table.table_name,
            table.rows_restored,
            table.rows_deleted,
            table.rows_kept,
        )
    })))
}

/// The names of tables: at least one, none of which is NULL.
fn named(tables: Vec<Option<String>>) -> Result<Vec<String>> {
    if tables.is_empty() {
        return Err(
            Error::invalid_argument("argument \"tables\" names no table")
                .detail("An empty array would restore nothing.")
                .hint("Name the tables to be restored, or pass NULL for all of the snapshot."),
        );
    }
    tables
        .into_iter()
        .map(|name| {
            name.ok_or_else(|| Error::invalid_argument("argument \"tables\" must hold no null"))
        })
        .collect()
}
