//! The SQL of publishing: empty copies of schemas, and what is recorded of migrations.

use std::collections::BTreeSet;

use npm_semver::Version;
use pgrx::{JsonB, Uuid};
use serde_json::Value;

use crate::error::Result;
use crate::pg::query;

/// An id that nobody else has.
///
/// # Errors
/// Only broken expectations.
pub fn new_id() -> Result<Uuid> {
    query::one("SELECT pg_catalog.gen_random_uuid()", &[], |row| row.get(1))
}

/// Whether there are migrations to a version, or to one between it and the release before.
///
/// # Errors
/// Only broken expectations.
pub fn has_migrations(
    module_id: Uuid,
    previous: Option<&Version>,
    version: &Version,
) -> Result<bool> {
    query::one(
        "SELECT EXISTS (
             SELECT FROM module_versioning.module_migrations m
             WHERE m.module_id = $1
               AND m.to_version OPERATOR(module_versioning.<=) $2::module_versioning.semver
               AND ($3::text IS NULL
                    OR m.to_version OPERATOR(module_versioning.>) $3::module_versioning.semver))",
        &[
            module_id.into(),
            version.to_string().into(),
            previous.map(ToString::to_string).into(),
        ],
        |row| row.get(1),
    )
}

/// Gives a schema another name, if it is there.
///
/// # Errors
/// PostgreSQL raises 42501 when it belongs to others.
pub fn put_aside(schema: &str, name: &str) -> Result<()> {
    let exists = query::first(
        "SELECT true FROM pg_catalog.pg_namespace WHERE nspname = $1",
        &[schema.into()],
        |row| row.get::<bool>(1),
    )?;
    if exists.is_none() {
        return Ok(());
    }
    let (schema, name) = (
        pgrx::spi::quote_identifier(schema),
        pgrx::spi::quote_identifier(name),
    );
    query::run(&format!("ALTER SCHEMA {schema} RENAME TO {name}"), &[]).map(drop)
}

/// The schemas in which modules live.
///
/// # Errors
/// Only broken expectations.
pub fn schemas_of_modules() -> Result<BTreeSet<String>> {
    let found = query::rows(
        "SELECT i.schema_name FROM module_versioning.site_modules i
         UNION SELECT m.schema_name FROM module_versioning.modules m",
        &[],
        |row| row.get(1),
    )?;
    Ok(found.into_iter().collect())
}

/// What is recorded of a migration when its version is published.
#[derive(Debug, Clone)]
pub struct Record {
    /// The migration.
    pub migration_id: Uuid,
    /// Whether there is a way back.
    pub reversibility: &'static str,
    /// Why it is no full one, or can't be told.
    pub detail: Option<String>,
    /// The step of the version number that it demands; none when it could not be run.
    pub suggested_bump: Option<&'static str>,
    /// What was found out; none when nothing could be run.
    pub findings: Option<Value>,
}

/// Records it.
///
/// # Errors
/// 55000 when the migration's version is published already.
pub fn record(record: &Record) -> Result<()> {
    query::run(
        "UPDATE module_versioning.module_migrations
         SET reversibility = $2, reversibility_detail = $3, suggested_bump = $4, findings = $5
         WHERE id = $1",
        &[
            record.migration_id.into(),
            record.reversibility.into(),
            record.detail.clone().into(),
            record.suggested_bump.into(),
            record.findings.clone().map(JsonB).into(),
        ],
    )
    .map(drop)
}

/// What was recorded of migrations when their versions were published.
///
/// # Errors
/// Only broken expectations.
pub fn findings(ids: Vec<Uuid>) -> Result<Vec<(Uuid, Value)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    query::rows(
        "SELECT m.id, m.findings FROM module_versioning.module_migrations m
         WHERE m.id = ANY ($1) AND m.findings IS NOT NULL",
        &[ids.into()],
        |row| Ok((row.get(1)?, row.get::<JsonB>(2)?.0)),
    )
}

/// The schema, where it says one, and the name of a quoted name, both unquoted.
///
/// # Errors
/// PostgreSQL raises 22023 for what is no name.
pub fn name_parts(quoted: &str) -> Result<(Option<String>, String)> {
    query::one(
        "SELECT CASE WHEN pg_catalog.cardinality(p.parts) > 1 THEN p.parts[1] END,
                p.parts[pg_catalog.cardinality(p.parts)]
         FROM (SELECT pg_catalog.parse_ident($1)) AS p (parts)",
        &[quoted.into()],
        |row| Ok((row.optional(1)?, row.get(2)?)),
    )
}

/// How many rows a table has, and how many of them have a value in a column. The caller runs it as the table's
/// owner.
///
/// # Errors
/// 42501 should row level security hide a row.
pub fn rows_and_values(table: &str, column: Option<&str>) -> Result<(i64, i64)> {
    let values = column.map_or_else(|| "*".to_owned(), pgrx::spi::quote_identifier);
    query::one(
        &format!("SELECT pg_catalog.count(*), pg_catalog.count({values}) FROM {table}"),
        &[],
        |row| Ok((row.get(1)?, row.get(2)?)),
    )
}
