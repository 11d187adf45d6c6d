//! The SQL of what migrations made: recorded objects, registered tables, schemas.

use pgrx::{JsonB, Uuid};
use versioning_core::schema::Objects;

use crate::error::{Error, Result};
use crate::pg::query;

/// The objects recorded after the last run; none before the first.
pub fn recorded_state(module_id: Uuid, site_id: Option<Uuid>) -> Result<Objects> {
    let stored = query::first(
        "SELECT objects FROM module_versioning.schema_states
         WHERE module_id = $1 AND site_id IS NOT DISTINCT FROM $2",
        &[module_id.into(), site_id.into()],
        |row| row.get::<JsonB>(1),
    )?;
    stored.map_or_else(
        || Ok(Objects::new()),
        |JsonB(objects)| {
            serde_json::from_value(objects).map_err(|problem| {
                Error::internal(format!(
                    "a recorded schema state does not read back: {problem}"
                ))
            })
        },
    )
}

/// The fingerprint recorded after the last run; that of nothing before the first.
pub fn recorded_fingerprint(module_id: Uuid, site_id: Option<Uuid>) -> Result<Option<String>> {
    query::first(
        "SELECT fingerprint FROM module_versioning.schema_states
         WHERE module_id = $1 AND site_id IS NOT DISTINCT FROM $2",
        &[module_id.into(), site_id.into()],
        |row| row.get(1),
    )
}

/// Records the objects after a run.
pub fn record_state(
    module_id: Uuid,
    site_id: Option<Uuid>,
    fingerprint: &str,
    objects: &Objects,
) -> Result<()> {
    let objects =
        serde_json::to_value(objects).map_err(|problem| Error::internal(problem.to_string()))?;
    query::run(
        "INSERT INTO module_versioning.schema_states (module_id, site_id, fingerprint, objects)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (module_id, site_id) DO UPDATE
         SET fingerprint = excluded.fingerprint, objects = excluded.objects,
             recorded_at = pg_catalog.clock_timestamp()",
        &[
            module_id.into(),
            site_id.into(),
            fingerprint.into(),
            JsonB(objects).into(),
        ],
    )
    .map(drop)
}

/// Forgets the schema of a site that doesn't have the module any more.
pub fn forget_state(module_id: Uuid, site_id: Uuid) -> Result<()> {
    query::run(
        "DELETE FROM module_versioning.schema_states WHERE module_id = $1 AND site_id = $2",
        &[module_id.into(), site_id.into()],
    )
    .map(drop)
}

/// Registers a table of the module's own schema, unless it is there already.
pub fn register_table(module_id: Uuid, name: &str, site_column: Option<&str>) -> Result<()> {
    query::run(
        "INSERT INTO module_versioning.module_tables (module_id, table_name, site_column)
         VALUES ($1, pg_catalog.quote_ident($2), $3) ON CONFLICT (module_id, table_name) DO NOTHING",
        &[module_id.into(), name.into(), site_column.into()],
    )
    .map(drop)
}

/// Takes a table of the module's own schema out of its tables.
pub fn forget_table(module_id: Uuid, name: &str) -> Result<()> {
    query::run(
        "DELETE FROM module_versioning.module_tables
         WHERE module_id = $1 AND table_name = pg_catalog.quote_ident($2)",
        &[module_id.into(), name.into()],
    )
    .map(drop)
}

/// Gives a table of the module's own schema its new name.
pub fn rename_table(module_id: Uuid, name: &str, new_name: &str) -> Result<()> {
    query::run(
        "UPDATE module_versioning.module_tables SET table_name = pg_catalog.quote_ident($3)
         WHERE module_id = $1 AND table_name = pg_catalog.quote_ident($2)",
        &[module_id.into(), name.into(), new_name.into()],
    )
    .map(drop)
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
