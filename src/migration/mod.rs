//! Migrations: scripts that take a module from one version to the next and back.
//!
//! This room parses and registers them, runs one script, and keeps the history. It must not decide
//! which migrations an upgrade needs, take snapshots or change what is active: that is lifecycle's.

pub mod check;
pub mod execute;
pub mod history;
pub mod registration;
mod store;
#[cfg(any(test, feature = "pg_test"))]
#[allow(clippy::expect_used, reason = "a test may fail that way")]
mod tests;

use pgrx::Uuid;
use pgrx::prelude::*;

use crate::error::{Error, SqlResult};
use crate::pg::record::{ModuleMigrations, Record};
use crate::pg::run_context;
use crate::semver::Semver;

pub use store::registered;

#[allow(
    clippy::too_many_arguments,
    reason = "the arguments are the SQL contract"
)]
#[pg_extern(volatile, parallel_unsafe, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub(crate) fn add_migration(
    module_id: Option<Uuid>,
    to_version: Option<Semver>,
    up_sql: Option<&str>,
    down_sql: default!(Option<&str>, "NULL"),
    from_version: default!(Option<Semver>, "NULL"),
    description: default!(Option<&str>, "NULL"),
    is_reversible: default!(Option<bool>, "NULL"),
    requires_maintenance: default!(Option<bool>, "false"),
    estimated_duration_seconds: default!(Option<i32>, "NULL"),
    sequence: default!(Option<i32>, "NULL"),
    scope: default!(Option<&str>, "NULL"),
) -> SqlResult<Option<Record<ModuleMigrations>>> {
    run_context::refuse_inside_script()?;
    let module_id = required(module_id, "module_id")?;
    let request = registration::Request {
        to_version: required(to_version, "to_version")?.0,
        up_sql: required(up_sql, "up_sql")?,
        down_sql,
        from_version: from_version.map(|version| version.0),
        description,
        is_reversible,
        requires_maintenance: requires_maintenance.unwrap_or(false),
        estimated_duration_seconds,
        sequence,
        scope,
    };
    Ok(registration::register(module_id, &request)?)
}

#[pg_extern(stable, parallel_restricted)]
#[search_path(pg_catalog, pg_temp)]
pub(crate) fn current_site_id() -> Option<Uuid> {
    run_context::running().map(|running| running.site_id)
}

#[pg_extern(stable, parallel_restricted)]
#[search_path(pg_catalog, pg_temp)]
pub(crate) fn current_module_id() -> Option<Uuid> {
    run_context::running().map(|running| running.module_id)
}

fn required<T>(value: Option<T>, argument: &str) -> Result<T, Error> {
    value.ok_or_else(|| {
        Error::invalid_argument(format!("{argument} must not be null"))
            .hint(format!("Pass a value for {argument}."))
    })
}
