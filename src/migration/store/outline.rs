//! The SQL of migrations without all of their scripts.

use std::collections::HashMap;

use pgrx::Uuid;
use versioning_core::model::{Id, Migration};

use super::migration_of;
use crate::error::Result;
use crate::pg::query;

/// The migrations of a module, by version and then by sequence. Only those that are wanted have their
/// scripts: of a long history few are needed, and
/// scripts may be large. Where there is one that wasn't wanted, it is the empty text, which no checksum
/// fits: it can't be run by mistake.
///
/// # Errors
/// Only broken expectations.
pub fn outlined(module_id: Uuid, wanted: impl Fn(&Migration) -> bool) -> Result<Vec<Migration>> {
    let mut migrations = query::rows(
        "SELECT m.id, m.from_version::text, m.to_version::text, m.sequence, m.scope, ''::text,
                CASE WHEN m.down_sql IS NOT NULL THEN '' END, m.is_reversible, m.requires_maintenance,
                m.estimated_duration_seconds, m.description, m.checksum, m.equivalent_of
           FROM module_versioning.module_migrations m
          WHERE m.module_id = $1
          ORDER BY m.to_version USING OPERATOR(module_versioning.<), m.sequence",
        &[module_id.into()],
        migration_of,
    )?;
    let ids = migrations.iter().filter(|migration| wanted(migration));
    let ids = ids
        .map(|migration| Uuid::from_bytes(migration.id))
        .collect();
    let mut scripts = scripts(ids)?;
    for migration in &mut migrations {
        if let Some((up_sql, down_sql)) = scripts.remove(&migration.id) {
            migration.up_sql = up_sql;
            migration.down_sql = down_sql;
        }
    }
    Ok(migrations)
}

/// The up script and the down script of a migration.
type ScriptPair = (String, Option<String>);

/// The scripts of some migrations.
fn scripts(ids: Vec<Uuid>) -> Result<HashMap<Id, ScriptPair>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let scripts = query::rows(
        "SELECT m.id, m.up_sql, m.down_sql
           FROM module_versioning.module_migrations m WHERE m.id = ANY ($1)",
        &[ids.into()],
        |row| {
            let id: Uuid = row.get(1)?;
            Ok((*id.as_bytes(), (row.get(2)?, row.optional(3)?)))
        },
    )?;
    Ok(scripts.into_iter().collect())
}

/// Migrations that were read without their scripts, with them.
///
/// # Errors
/// Only broken expectations.
pub fn with_scripts(migrations: &[&Migration]) -> Result<Vec<Migration>> {
    let ids = migrations.iter().map(|one| Uuid::from_bytes(one.id));
    let mut scripts = scripts(ids.collect())?;
    let complete = migrations.iter().filter_map(|migration| {
        let (up_sql, down_sql) = scripts.remove(&migration.id)?;
        Some(Migration {
            up_sql,
            down_sql,
            ..(*migration).clone()
        })
    });
    Ok(complete.collect())
}
