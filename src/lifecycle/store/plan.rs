//! The SQL behind plans, and plans as rows.

use std::collections::HashMap;

use npm_semver::Version;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::{JsonB, Uuid};
use serde_json::Value;
use versioning_core::plan::Neighbour;

use super::version;
use crate::error::{Error, Result};
use crate::pg::query;
use crate::pg::record::{Record, RollbackPlan, UpgradePlan};
use crate::registry::RegisteredVersion;

/// About how many rows a table has, as the planner believes; nothing for one that is not there or was never
/// counted.
pub fn estimated_rows(schema: &str, name: &str) -> Result<Option<i64>> {
    query::first(
        "SELECT pg_catalog.sum(r.reltuples)::int8
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL pg_catalog.pg_partition_tree(c.oid) t
         JOIN pg_catalog.pg_class r ON r.oid = t.relid AND t.isleaf
         WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'p'
         HAVING pg_catalog.count(*) > 0
         UNION ALL
         SELECT c.reltuples::int8
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'm')",
        &[schema.into(), name.into()],
        |row| row.get(1),
    )
}

/// The other sites that run the module now, by slug. Thousands of them run few versions, which are known
/// already: so theirs are looked up by id instead of being read from text for each.
pub fn neighbours(
    module_id: Uuid,
    site_id: Uuid,
    versions: &[RegisteredVersion],
) -> Result<Vec<Neighbour>> {
    let versions: HashMap<Uuid, &Version> = versions
        .iter()
        .map(|registered| (registered.id, &registered.version))
        .collect();
    query::rows(
        "SELECT s.slug, a.version_id
         FROM module_versioning.site_modules i
         JOIN module_versioning.sites s ON s.id = i.site_id
         JOIN module_versioning.site_module_versions a ON a.site_module_id = i.id AND a.status = 'active'
         WHERE i.module_id = $1 AND i.site_id <> $2
         ORDER BY s.slug COLLATE \"C\"",
        &[module_id.into(), site_id.into()],
        |row| {
            let version = versions.get(&row.get::<Uuid>(2)?).copied().cloned();
            Ok(Neighbour {
                site: row.get(1)?,
                version: version.ok_or_else(|| Error::internal("a site runs a version of another module"))?,
            })
        },
    )
}

/// What `plan_upgrade` returns, before it is a row.
pub struct UpgradePlanRow {
    pub current: Option<String>,
    pub target: String,
    pub path: Vec<String>,
    pub migrations: Value,
    pub has_breaking_changes: bool,
    pub breaking_changes: Value,
    pub estimated_duration_seconds: Option<i32>,
    pub requires_maintenance: bool,
    pub can_upgrade: bool,
    pub blockers: Vec<String>,
    pub warnings: Vec<String>,
}

/// An `upgrade_plan`.
pub fn upgrade_plan(plan: &UpgradePlanRow) -> Result<Option<Record<UpgradePlan>>> {
    query::record(
        "SELECT ROW($1::module_versioning.semver, $2::module_versioning.semver,
                    $3::module_versioning.semver[], $4, $5, $6, $7, $8, $9, $10, $11
                )::module_versioning.upgrade_plan",
        &[
            plan.current.clone().into(),
            plan.target.clone().into(),
            plan.path.clone().into(),
            json(&plan.migrations).into(),
            plan.has_breaking_changes.into(),
            json(&plan.breaking_changes).into(),
            plan.estimated_duration_seconds.into(),
            plan.requires_maintenance.into(),
            plan.can_upgrade.into(),
            plan.blockers.clone().into(),
            plan.warnings.clone().into(),
        ],
    )
}

/// What `plan_rollback` returns, before it is a row.
pub struct RollbackPlanRow {
    pub current: Option<String>,
    pub target: String,
    pub migrations: Value,
    pub estimated_duration_seconds: Option<i32>,
    pub requires_maintenance: bool,
    pub can_rollback: bool,
    pub blockers: Vec<String>,
    pub warnings: Vec<String>,
    pub data_loss: Value,
    pub backup_id: Option<Uuid>,
}

/// A `rollback_plan`.
pub fn rollback_plan(plan: &RollbackPlanRow) -> Result<Option<Record<RollbackPlan>>> {
    query::record(
        "SELECT ROW($1::module_versioning.semver, $2::module_versioning.semver,
                    $3, $4, $5, $6, $7, $8, $9, $10)::module_versioning.rollback_plan",
        &[
            plan.current.clone().into(),
            plan.target.clone().into(),
            json(&plan.migrations).into(),
            plan.estimated_duration_seconds.into(),
            plan.requires_maintenance.into(),
            plan.can_rollback.into(),
            plan.blockers.clone().into(),
            plan.warnings.clone().into(),
            json(&plan.data_loss).into(),
            plan.backup_id.into(),
        ],
    )
}

/// A version that the site left by an upgrade and could go back to.
pub struct RollbackPoint {
    pub version_id: Uuid,
    pub version: Version,
    pub installed_at: TimestampWithTimeZone,
    pub backup_id: Option<Uuid>,
}

/// The versions below the current one that the site left by an upgrade: each once, newest first, as it
/// was left last.
pub fn rollback_points(site_module_id: Uuid) -> Result<Vec<RollbackPoint>> {
    query::rows(
        "SELECT p.version_id, p.version::text, p.installed_at, p.backup_id
         FROM (SELECT DISTINCT ON (s.version_id) s.version_id, v.version, s.installed_at, b.id AS backup_id
               FROM module_versioning.site_module_versions s
               JOIN module_versioning.registered_versions v ON v.id = s.version_id
               LEFT JOIN module_versioning.module_data_backups b ON b.id = s.backup_id
               WHERE s.site_module_id = $1 AND s.status = 'superseded'
               ORDER BY s.version_id, s.ordinal DESC) p
         JOIN module_versioning.site_module_versions a ON a.site_module_id = $1 AND a.status = 'active'
         JOIN module_versioning.registered_versions current ON current.id = a.version_id
         WHERE p.version OPERATOR(module_versioning.<) current.version
         ORDER BY p.version DESC",
        &[site_module_id.into()],
        |row| {
            Ok(RollbackPoint {
                version_id: row.get(1)?,
                version: version(&row.get::<String>(2)?)?,
                installed_at: row.get(3)?,
                backup_id: row.optional(4)?,
            })
        },
    )
}

/// The versions that the site has left by an upgrade.
pub fn left_versions(site_module_id: Uuid) -> Result<Vec<Version>> {
    query::rows(
        "SELECT DISTINCT v.version::text
         FROM module_versioning.site_module_versions s
         JOIN module_versioning.registered_versions v ON v.id = s.version_id
         WHERE s.site_module_id = $1 AND s.status = 'superseded'",
        &[site_module_id.into()],
        |row| version(&row.get::<String>(1)?),
    )
}

/// The snapshot taken when the site last left that version by an upgrade.
pub fn snapshot_of_left_version(site_module_id: Uuid, version_id: Uuid) -> Result<Option<Uuid>> {
    let found = query::first(
        "SELECT b.id
         FROM module_versioning.site_module_versions s
         LEFT JOIN module_versioning.module_data_backups b ON b.id = s.backup_id
         WHERE s.site_module_id = $1 AND s.version_id = $2 AND s.status = 'superseded'
         ORDER BY s.ordinal DESC LIMIT 1",
        &[site_module_id.into(), version_id.into()],
        |row| row.optional(1),
    )?;
    Ok(found.flatten())
}

/// The versions that the site left by upgrades since it last left that one, it included, whose snapshot was taken
/// and is gone.
pub fn left_versions_without_snapshot(
    site_module_id: Uuid,
    version_id: Uuid,
) -> Result<Vec<String>> {
    query::rows(
        "SELECT v.version::text
         FROM module_versioning.site_module_versions s
         JOIN module_versioning.registered_versions v ON v.id = s.version_id
         WHERE s.site_module_id = $1 AND s.status = 'superseded' AND s.backup_id IS NOT NULL
           AND NOT EXISTS (SELECT FROM module_versioning.module_data_backups b WHERE b.id = s.backup_id)
           AND s.ordinal >= (SELECT pg_catalog.max(t.ordinal) FROM module_versioning.site_module_versions t
                             WHERE t.site_module_id = $1 AND t.version_id = $2 AND t.status = 'superseded')
         ORDER BY s.ordinal",
        &[site_module_id.into(), version_id.into()],
        |row| row.get(1),
    )
}

/// A JSON value as a parameter.
fn json(value: &Value) -> JsonB {
    JsonB(value.clone())
}
