//! The SQL of what migrations made: recorded objects, registered tables, schemas.

use pgrx::{JsonB, Uuid};
use versioning_core::schema::{Objects, fingerprint};

use crate::error::{Error, Result};
use crate::pg::query;

/// Recorded objects as they are stored.
fn read_objects(JsonB(objects): JsonB) -> Result<Objects> {
    serde_json::from_value(objects).map_err(|problem| {
        Error::internal(format!(
            "a recorded schema state does not read back: {problem}"
        ))
    })
}

/// What is known of a schema since the last run.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The module's objects.
    pub objects: Objects,
    /// What else was there, by name.
    pub tenant_objects: Vec<String>,
    /// What the migrations made in other schemas that needs this one, described.
    pub outside_objects: Vec<String>,
    /// What down scripts have left behind that the version they led back to hadn't, by name.
    pub left_objects: Vec<String>,
}

/// What was recorded after the last run; nothing before the first.
pub fn state(module_id: Uuid, site_id: Option<Uuid>) -> Result<State> {
    let stored = query::first(
        "SELECT objects, tenant_objects, outside_objects, left_objects FROM module_versioning.schema_states
         WHERE module_id = $1 AND (site_id = $2 OR $2 IS NULL AND site_id IS NULL)",
        &[module_id.into(), site_id.into()],
        |row| {
            Ok(State {
                objects: read_objects(row.get(1)?)?,
                tenant_objects: row.get(2)?,
                outside_objects: row.get(3)?,
                left_objects: row.get(4)?,
            })
        },
    )?;
    Ok(stored.unwrap_or_default())
}

/// The objects recorded for the other modules that keep their tables in the same schema, by name.
pub fn objects_of_others(module_id: Uuid, schema: &str) -> Result<Vec<String>> {
    query::rows(
        "SELECT DISTINCT k.name
         FROM module_versioning.modules m
         JOIN module_versioning.schema_states s ON s.module_id = m.id AND s.site_id IS NULL
         CROSS JOIN LATERAL pg_catalog.jsonb_object_keys(s.objects) AS k (name)
         WHERE m.schema_name = $2 AND m.id <> $1",
        &[module_id.into(), schema.into()],
        |row| row.get(1),
    )
}

/// Keeps the recorded objects as those of a version, if nothing above the version is in force.
pub fn keep_as_version(module_id: Uuid, site_id: Option<Uuid>, version_id: Uuid) -> Result<()> {
    query::run(
        "INSERT INTO module_versioning.schema_versions AS kept (module_id, site_id, version_id, fingerprint, objects)
         SELECT s.module_id, s.site_id, v.id, s.fingerprint, s.objects
         FROM module_versioning.schema_states s
         JOIN module_versioning.registered_versions v ON v.id = $3
         WHERE s.module_id = $1 AND (s.site_id = $2 OR $2 IS NULL AND s.site_id IS NULL)
           AND NOT EXISTS (SELECT FROM module_versioning.module_migrations m
                           JOIN module_versioning.applied_migrations a
                             ON a.migration_id = m.id AND (a.site_id = $2 OR $2 IS NULL AND a.site_id IS NULL)
                           WHERE m.module_id = $1 AND m.to_version OPERATOR(module_versioning.>) v.version)
         ON CONFLICT (module_id, site_id, version_id) DO UPDATE
         SET fingerprint = excluded.fingerprint, objects = excluded.objects,
             recorded_at = pg_catalog.clock_timestamp()
         WHERE kept.fingerprint <> excluded.fingerprint",
        &[module_id.into(), site_id.into(), version_id.into()],
    )
    .map(drop)
}

/// The objects kept for a version, if there are any and nothing above the version is in force.
pub fn kept_version(
    module_id: Uuid,
    site_id: Option<Uuid>,
    version_id: Uuid,
) -> Result<Option<Objects>> {
    query::first(
        "SELECT k.objects
         FROM module_versioning.schema_versions k
         JOIN module_versioning.registered_versions v ON v.id = k.version_id
         WHERE k.module_id = $1 AND (k.site_id = $2 OR $2 IS NULL AND k.site_id IS NULL) AND k.version_id = $3
           AND NOT EXISTS (SELECT FROM module_versioning.module_migrations m
                           JOIN module_versioning.applied_migrations a
                             ON a.migration_id = m.id AND (a.site_id = $2 OR $2 IS NULL AND a.site_id IS NULL)
                           WHERE m.module_id = $1 AND m.to_version OPERATOR(module_versioning.>) v.version)",
        &[module_id.into(), site_id.into(), version_id.into()],
        |row| read_objects(row.get(1)?),
    )
}

/// The fingerprint recorded after the last run; that of nothing before the first.
pub fn recorded_fingerprint(module_id: Uuid, site_id: Option<Uuid>) -> Result<Option<String>> {
    query::first(
        "SELECT fingerprint FROM module_versioning.schema_states
         WHERE module_id = $1 AND (site_id = $2 OR $2 IS NULL AND site_id IS NULL)",
        &[module_id.into(), site_id.into()],
        |row| row.get(1),
    )
}

/// Records the objects after a run.
pub fn record_state(module_id: Uuid, site_id: Option<Uuid>, state: &State) -> Result<()> {
    let objects = serde_json::to_value(&state.objects)
        .map_err(|problem| Error::internal(problem.to_string()))?;
    query::run(
        "INSERT INTO module_versioning.schema_states (module_id, site_id, fingerprint, objects, tenant_objects, outside_objects, left_objects)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (module_id, site_id) DO UPDATE
         SET fingerprint = excluded.fingerprint, objects = excluded.objects,
             tenant_objects = excluded.tenant_objects, outside_objects = excluded.outside_objects,
             left_objects = excluded.left_objects,
             recorded_at = pg_catalog.clock_timestamp()",
        &[
            module_id.into(),
            site_id.into(),
            fingerprint(&state.objects).into(),
            JsonB(objects).into(),
            state.tenant_objects.clone().into(),
            state.outside_objects.clone().into(),
            state.left_objects.clone().into(),
        ],
    )
    .map(drop)
}

/// Forgets the schema of a site that doesn't have the module any more.
pub fn forget_state(module_id: Uuid, site_id: Uuid) -> Result<()> {
    query::run(
        "DELETE FROM module_versioning.schema_versions WHERE module_id = $1 AND site_id = $2",
        &[module_id.into(), site_id.into()],
    )?;
    query::run(
        "DELETE FROM module_versioning.schema_states WHERE module_id = $1 AND site_id = $2",
        &[module_id.into(), site_id.into()],
    )
    .map(drop)
}

/// Registers a table, unless it is there already. Its name as `module_tables` has it, here and below.
pub fn register_table(module_id: Uuid, name: &str, site_column: Option<&str>) -> Result<()> {
    query::run(
        "INSERT INTO module_versioning.module_tables (module_id, table_name, site_column)
         VALUES ($1, $2, $3) ON CONFLICT (module_id, table_name) DO NOTHING",
        &[module_id.into(), name.into(), site_column.into()],
    )
    .map(drop)
}

/// Takes a table out of the module's tables. Returns the site column of its entry, when it had one.
pub fn forget_table(module_id: Uuid, name: &str) -> Result<Option<Option<String>>> {
    query::first(
        "DELETE FROM module_versioning.module_tables
         WHERE module_id = $1 AND table_name = $2 RETURNING site_column",
        &[module_id.into(), name.into()],
        |row| row.optional(1),
    )
}

/// A name that no schema has.
pub fn free_schema_name() -> Result<String> {
    query::one(
        "SELECT pg_catalog.concat('module_versioning_', pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''))",
        &[],
        |row| row.get(1),
    )
}

/// Makes a schema that belongs to `owner`, unless it is there already. Says whether it made it.
pub fn ensure_schema(schema: &str, owner: &str) -> Result<bool> {
    let exists = query::first(
        "SELECT true FROM pg_catalog.pg_namespace WHERE nspname = $1",
        &[schema.into()],
        |row| row.get(1),
    )?;
    if exists.unwrap_or(false) {
        return Ok(false);
    }
    let (schema, owner) = (
        pgrx::spi::quote_identifier(schema),
        pgrx::spi::quote_identifier(owner),
    );
    query::run(
        &format!("CREATE SCHEMA {schema} AUTHORIZATION {owner}"),
        &[],
    )?;
    Ok(true)
}

/// Drops a schema with everything in it.
pub fn drop_schema(schema: &str) -> Result<()> {
    let schema = pgrx::spi::quote_identifier(schema);
    query::run(&format!("DROP SCHEMA {schema} CASCADE"), &[]).map(drop)
}
