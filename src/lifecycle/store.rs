//! All SQL of this room.

use npm_semver::Version;
use pgrx::Uuid;

use super::run::{Change, Outcome};
use super::situation::Situation;
use crate::error::{Error, Result};
use crate::pg::query;
use crate::pg::record::{ModuleChange, ModuleDataBackups, ModuleMigrationRuns, Record};

pub mod destruction;
pub mod lock;
pub mod plan;
pub mod publish;
pub mod rehearse;
pub mod state;
pub mod table;
pub mod undoing;

/// A row of `module_change`.
pub type ChangeRow = Option<Record<ModuleChange>>;

/// Text that the type's output function printed, as a version again.
fn version(text: &str) -> Result<Version> {
    Version::parse(text).map_err(|problem| {
        Error::internal(format!("stored version {text:?} does not parse: {problem}"))
    })
}

/// Makes sure that the installation's row is there, and says its id and whether it is new.
pub fn ensure_installation(site_id: Uuid, module_id: Uuid, schema: &str) -> Result<(Uuid, bool)> {
    let inserted = query::first(
        "INSERT INTO module_versioning.site_modules (site_id, module_id, schema_name) VALUES ($1, $2, $3)
         ON CONFLICT (site_id, module_id) DO NOTHING RETURNING id",
        &[site_id.into(), module_id.into(), schema.into()],
        |row| row.get(1),
    )?;
    if let Some(id) = inserted {
        return Ok((id, true));
    }
    let id = query::one(
        "SELECT id FROM module_versioning.site_modules WHERE site_id = $1 AND module_id = $2",
        &[site_id.into(), module_id.into()],
        |row| row.get(1),
    )?;
    Ok((id, false))
}

/// Takes back an installation that never came to be.
pub fn forget_installation(site_module_id: Uuid) -> Result<()> {
    query::run(
        "DELETE FROM module_versioning.site_modules WHERE id = $1",
        &[site_module_id.into()],
    )
    .map(drop)
}

/// The version that ran until now gets another status; `backup_id` is the snapshot of its data.
pub fn leave_version(site_module_id: Uuid, status: &str, backup_id: Option<Uuid>) -> Result<()> {
    query::run(
        "UPDATE module_versioning.site_module_versions
         SET status = $2, deactivated_at = pg_catalog.clock_timestamp(), backup_id = $3
         WHERE site_module_id = $1 AND status = 'active'",
        &[site_module_id.into(), status.into(), backup_id.into()],
    )
    .map(drop)
}

/// A version becomes the one that runs.
pub fn enter_version(
    site_module_id: Uuid,
    version_id: Uuid,
    installed_by: Option<Uuid>,
) -> Result<()> {
    query::run(
        "INSERT INTO module_versioning.site_module_versions
             (site_module_id, version_id, status, activated_at, installed_by)
         VALUES ($1, $2, 'active', pg_catalog.clock_timestamp(), $3)",
        &[
            site_module_id.into(),
            version_id.into(),
            installed_by.into(),
        ],
    )
    .map(drop)
}

/// Makes a concurrent change under REPEATABLE READ fail instead of working on what it saw before.
pub fn touch_installation(site_module_id: Uuid) -> Result<()> {
    query::run(
        "UPDATE module_versioning.site_modules SET changed_at = pg_catalog.clock_timestamp() WHERE id = $1",
        &[site_module_id.into()],
    )
    .map(drop)
}

/// The same for the shared tables of a module.
pub fn touch_module(module_id: Uuid) -> Result<()> {
    query::run(
        "UPDATE module_versioning.modules SET changed_at = pg_catalog.clock_timestamp() WHERE id = $1",
        &[module_id.into()],
    )
    .map(drop)
}

/// A run as a row of its table.
pub fn run(run_id: Uuid) -> Result<Option<Record<ModuleMigrationRuns>>> {
    query::record(
        "SELECT r FROM module_versioning.module_migration_runs r WHERE r.id = $1",
        &[run_id.into()],
    )
}

/// A `module_change`.
pub fn change(
    situation: &Situation,
    change: &Change<'_>,
    status: &str,
    outcome: Option<&Outcome>,
    warnings: &[String],
) -> Result<ChangeRow> {
    let failed = outcome.and_then(|outcome| outcome.failure.as_ref());
    let failure = failed.map(|failed| &failed.failure);
    query::record(
        "SELECT ROW($1, $2, $3, $4, $5::module_versioning.semver, $6::module_versioning.semver, $7, $8,
                    $9, $10, $11, $12, $13, $14, $15, $16, $17)::module_versioning.module_change",
        &[
            status.into(),
            change.direction.map(|direction| direction.as_str()).into(),
            situation.site.id.into(),
            situation.module.id.into(),
            change.from_version.map(ToString::to_string).into(),
            change.to_version.map(ToString::to_string).into(),
            outcome.and_then(|outcome| outcome.backup_id).into(),
            outcome.map_or_else(Vec::new, |outcome| outcome.run_ids.clone()).into(),
            failure.map(|failure| failure.sqlstate.clone()).into(),
            failure.map(|failure| failure.message.clone()).into(),
            failure.and_then(|failure| failure.detail.clone()).into(),
            failure.and_then(|failure| failure.hint.clone()).into(),
            failed.map(|failed| failed.migration_id).into(),
            failure.map(|failure| failure.statement_number).into(),
            outcome.map_or(0, |outcome| outcome.duration_ms).into(),
            (status != "failed").into(),
            warnings.to_vec().into(),
        ],
    )
}

/// The snapshots of a module on a site.
pub fn snapshots(site_id: Uuid, module_id: Uuid) -> Result<Vec<Uuid>> {
    query::rows(
        "SELECT id FROM module_versioning.module_data_backups
         WHERE site_id = $1 AND module_id = $2 ORDER BY ordinal",
        &[site_id.into(), module_id.into()],
        |row| row.get(1),
    )
}

/// The registered hash of a version's bundle.
pub fn bundle_hash(version_id: Uuid) -> Result<Option<String>> {
    query::one(
        "SELECT bundle_hash FROM module_versioning.registered_versions WHERE id = $1",
        &[version_id.into()],
        |row| row.optional(1),
    )
}

/// A snapshot as a row of its table.
pub fn snapshot(backup_id: Uuid) -> Result<Option<Record<ModuleDataBackups>>> {
    query::record(
        "SELECT b FROM module_versioning.module_data_backups b WHERE b.id = $1",
        &[backup_id.into()],
    )
}

/// Which module a migration belongs to.
pub fn module_of_migration(migration_id: Uuid) -> Result<Option<Uuid>> {
    query::first(
        "SELECT module_id FROM module_versioning.module_migrations WHERE id = $1",
        &[migration_id.into()],
        |row| row.get(1),
    )
}
