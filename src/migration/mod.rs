//! Migrations: scripts that take a module from one version to the next and back.
//!
//! This room parses and registers them, runs one script, and keeps the history. It must not decide
//! which migrations an upgrade needs, take snapshots or change what is active: that is lifecycle's.

mod boundary;
pub mod check;
pub mod effects;
pub mod execute;
pub mod failure;
pub mod history;
mod leftover;
pub mod limits;
mod lint;
mod ownership;
pub mod post_step;
pub mod registration;
mod store;
#[cfg(any(test, feature = "pg_test"))]
#[allow(clippy::expect_used, reason = "a test may fail that way")]
mod tests;
pub mod trial;

use pgrx::Uuid;
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::error::SqlResult;
use crate::pg::argument::required;
use crate::pg::record::{ModuleMigrations, PostSteps, Record};
use crate::pg::run_context;
use crate::semver::Semver;

pub use store::outline::{outlined, with_scripts};
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
    equivalent_of: default!(Option<Uuid>, "NULL"),
    lock_timeout: default!(Option<Interval>, "NULL"),
    statement_timeout: default!(Option<Interval>, "NULL"),
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
        equivalent_of,
        lock_timeout,
        statement_timeout,
    };
    Ok(registration::register(module_id, &request)?)
}

#[pg_extern(volatile, parallel_unsafe, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
pub(crate) fn add_post_step(
    migration_id: Option<Uuid>,
    statement: Option<&str>,
) -> SqlResult<Option<Record<PostSteps>>> {
    run_context::refuse_inside_script()?;
    let migration_id = required(migration_id, "migration_id")?;
    Ok(post_step::add(
        migration_id,
        required(statement, "statement")?,
    )?)
}

#[pg_extern(stable, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
pub(crate) fn lint_migration(
    up_sql: Option<&str>,
    down_sql: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(rule, String),
            name!(severity, String),
            name!(statement_number, Option<i32>),
            name!(line, Option<i32>),
            name!(object_name, Option<String>),
            name!(message, String),
            name!(hint, Option<String>),
            name!(script, String),
        ),
    >,
    ErrorReport,
> {
    let findings = lint::findings(required(up_sql, "up_sql")?, down_sql)?;
    Ok(TableIterator::new(findings.into_iter().map(|finding| {
        (
            finding.rule.name.to_owned(),
            finding.severity.as_str().to_owned(),
            finding.statement_number,
            finding.line,
            finding.object,
            finding.message,
            (!finding.rule.hint.is_empty()).then(|| finding.rule.hint.to_owned()),
            finding.direction.as_str().to_owned(),
        )
    })))
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

#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
pub(crate) fn _statement_starts(token: Option<i64>) -> SqlResult<bool> {
    boundary::starts(token)?;
    Ok(true)
}

#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
pub(crate) fn _statement_ends(token: Option<i64>, row_count: Option<i64>) -> SqlResult<bool> {
    boundary::ends(token, row_count)?;
    Ok(true)
}

#[pg_extern(volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
pub(crate) fn _statement_fails(token: Option<i64>, error_code: Option<&str>) -> SqlResult<bool> {
    Ok(boundary::fails(token, error_code)?)
}
