//! The SQL of the history: runs, and which migrations are in force.

use pgrx::{JsonB, Uuid};

use crate::error::{Error, Result};
use crate::migration::history::{self, NewRun};
use crate::pg::query;

/// Writes a run into the history and returns its id.
///
/// # Errors
/// Only broken expectations.
pub fn record_run(run: &NewRun<'_>) -> Result<Uuid> {
    let execution = run.execution;
    let failure = execution.failure.as_ref();
    query::one(
        "INSERT INTO module_versioning.module_migration_runs
             (site_id, module_id, migration_id, direction, status, started_at, completed_at,
              error_message, sqlstate, statement_number, error_detail, error_hint, error_context,
              duration_ms, rows_affected, backup_id, executed_by, run_as, statements)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                 $18::pg_catalog.name, $19)
         RETURNING id",
        &[
            run.site_id.into(),
            run.module_id.into(),
            run.migration_id.into(),
            run.direction.as_str().into(),
            run.status.as_str().into(),
            execution.started_at.into(),
            execution.completed_at.into(),
            failure.map(|failure| failure.message.as_str()).into(),
            failure.map(|failure| failure.sqlstate.as_str()).into(),
            failure.map(|failure| failure.statement_number).into(),
            failure.and_then(|failure| failure.detail.as_deref()).into(),
            failure.and_then(|failure| failure.hint.as_deref()).into(),
            failure
                .and_then(|failure| failure.context.as_deref())
                .into(),
            execution.duration_ms.into(),
            execution.rows_affected.into(),
            run.backup_id.into(),
            run.executed_by.into(),
            run.run_as.into(),
            JsonB(history::statements_json(execution)).into(),
        ],
        |row| row.get(1),
    )
}

/// Notes that a migration is in force: for a site, or for all when it is a shared one.
///
/// # Errors
/// 23505 from PostgreSQL when it is already, the second line of defence against running it twice.
pub fn mark_applied(migration_id: Uuid, site_id: Option<Uuid>, run_id: Option<Uuid>) -> Result<()> {
    query::run(
        "INSERT INTO module_versioning.applied_migrations (migration_id, site_id, run_id)
         VALUES ($1, $2, $3)",
        &[migration_id.into(), site_id.into(), run_id.into()],
    )?;
    Ok(())
}

/// Notes that a migration is in force no longer.
///
/// # Errors
/// XX000 when it wasn't.
pub fn unmark_applied(migration_id: Uuid, site_id: Option<Uuid>) -> Result<()> {
    let removed = query::run(
        "DELETE FROM module_versioning.applied_migrations
          WHERE migration_id = $1 AND site_id IS NOT DISTINCT FROM $2",
        &[migration_id.into(), site_id.into()],
    )?;
    if removed == 1 {
        return Ok(());
    }
    Err(Error::internal(format!(
        "migration {migration_id} is not in force here"
    )))
}

/// Notes that a migration counts as in force because an equivalent one is.
///
/// # Errors
/// Only broken expectations.
pub fn mark_covered(migration_id: Uuid, site_id: Option<Uuid>, by: Uuid) -> Result<()> {
    // Two sites may come to note the same of a shared migration.
    query::run(
        "INSERT INTO module_versioning.applied_migrations (migration_id, site_id, covered_by)
         VALUES ($1, $2, $3) ON CONFLICT (migration_id, site_id) DO NOTHING",
        &[migration_id.into(), site_id.into(), by.into()],
    )
    .map(drop)
}

/// Forgets that a migration counts as in force because an equivalent one is.
///
/// # Errors
/// Only broken expectations.
pub fn unmark_covered(migration_id: Uuid, site_id: Option<Uuid>) -> Result<()> {
    query::run(
        "DELETE FROM module_versioning.applied_migrations
          WHERE migration_id = $1 AND site_id IS NOT DISTINCT FROM $2",
        &[migration_id.into(), site_id.into()],
    )
    .map(drop)
}

/// The same for all that counted so because of this one.
///
/// # Errors
/// Only broken expectations.
pub fn uncover(by: Uuid, site_id: Option<Uuid>) -> Result<()> {
    query::run(
        "DELETE FROM module_versioning.applied_migrations
          WHERE covered_by = $1 AND site_id IS NOT DISTINCT FROM $2",
        &[by.into(), site_id.into()],
    )
    .map(drop)
}

/// A migration in force.
pub struct Applied {
    /// Which one.
    pub migration_id: Uuid,
    /// Whether it never ran, because an equivalent one had done its work.
    pub is_covered: bool,
}

/// The migrations of a module in force for a site: the shared ones and its own.
///
/// # Errors
/// Only broken expectations.
pub fn applied(module_id: Uuid, site_id: Uuid) -> Result<Vec<Applied>> {
    query::rows(
        "SELECT a.migration_id, a.covered_by IS NOT NULL
           FROM module_versioning.applied_migrations a
           JOIN module_versioning.module_migrations m ON m.id = a.migration_id
          WHERE m.module_id = $1 AND (a.site_id IS NULL OR a.site_id = $2)",
        &[module_id.into(), site_id.into()],
        |row| {
            Ok(Applied {
                migration_id: row.get(1)?,
                is_covered: row.get(2)?,
            })
        },
    )
}

/// Which of these migrations have done their work before: a shared one anywhere, others for the site.
///
/// # Errors
/// Only broken expectations.
pub fn ran_before(migration_ids: Vec<Uuid>, site_id: Uuid) -> Result<Vec<Uuid>> {
    query::rows(
        "SELECT m.id
           FROM module_versioning.module_migrations m
          WHERE m.id = ANY ($1)
            AND EXISTS (SELECT FROM module_versioning.module_migration_runs r
                         WHERE r.migration_id = m.id AND r.status = 'success'
                           AND (m.scope = 'shared' OR r.site_id = $2))",
        &[migration_ids.into(), site_id.into()],
        |row| row.get(1),
    )
}
