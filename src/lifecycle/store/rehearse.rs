//! The SQL around rehearsals.

use pgrx::{JsonB, Uuid};
use serde_json::Value;

use crate::error::Result;
use crate::pg::query;
use crate::pg::record::{Record, Rehearsal};

/// A site that runs the module, the first by name.
///
/// # Errors
/// Only broken expectations.
pub fn any_site(module_id: Uuid) -> Result<Option<Uuid>> {
    query::first(
        "SELECT s.id
         FROM module_versioning.site_modules i
         JOIN module_versioning.sites s ON s.id = i.site_id
         JOIN module_versioning.site_module_versions a ON a.site_module_id = i.id AND a.status = 'active'
         WHERE i.module_id = $1 ORDER BY s.slug COLLATE \"C\" LIMIT 1",
        &[module_id.into()],
        |row| row.get(1),
    )
}

/// What the rehearsing functions return, before it is a row.
pub struct RehearsalRow {
    pub ok: Option<bool>,
    pub sqlstate: Option<String>,
    pub error_message: Option<String>,
    pub statement_number: Option<i32>,
    pub duration_ms: Option<f64>,
    pub statements: Value,
    pub locks: Value,
    pub rewrites: Value,
    pub schema_changes: Value,
    pub breaking_changes: Value,
    pub data_loss: Value,
    pub down_data_loss: Value,
    pub schema_restored: Option<bool>,
    pub reversibility: &'static str,
    pub suggested_bump: Option<&'static str>,
    pub warnings: Vec<String>,
}

/// A `rehearsal`.
///
/// # Errors
/// Only broken expectations.
pub fn rehearsal(row: &RehearsalRow) -> Result<Option<Record<Rehearsal>>> {
    let json = |value: &Value| JsonB(value.clone());
    query::record(
        "SELECT ROW($1, $2, $3, $4, pg_catalog.round($5)::bigint, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
                )::module_versioning.rehearsal",
        &[
            row.ok.into(),
            row.sqlstate.clone().into(),
            row.error_message.clone().into(),
            row.statement_number.into(),
            row.duration_ms.into(),
            json(&row.statements).into(),
            json(&row.locks).into(),
            json(&row.rewrites).into(),
            json(&row.schema_changes).into(),
            json(&row.breaking_changes).into(),
            json(&row.data_loss).into(),
            json(&row.down_data_loss).into(),
            row.schema_restored.into(),
            row.reversibility.into(),
            row.suggested_bump.into(),
            row.warnings.clone().into(),
        ],
    )
}

/// The columns of each of a table's unique keys. Of two rows with the same values there one at least has NULL.
///
/// # Errors
/// Only broken expectations.
pub fn unique_keys(table: pgrx::pg_sys::Oid) -> Result<Vec<std::collections::BTreeSet<String>>> {
    query::rows(
        "SELECT ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                      WHERE a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
         FROM pg_catalog.pg_index i
         WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL",
        &[table.into()],
        |row| Ok(row.get::<Vec<String>>(1)?.into_iter().collect()),
    )
}

/// What a query says about values.
///
/// # Errors
/// What PostgreSQL says against the query it raises.
pub fn all_differ(query: &str, values: Vec<String>) -> Result<bool> {
    query::one(query, &[values.into()], |row| row.get(1))
}
