//! All SQL of this room. Run it as the extension's owner, but for [`run_statements`].

pub mod equivalents;
pub mod outline;
pub mod post_steps;
pub mod runs;
pub mod session;

use npm_semver::Version;
use pgrx::datum::Interval;
use pgrx::{JsonB, Uuid};
use serde_json::Value;
use versioning_core::model::{Isolation, Migration, Scope};
use versioning_core::registration::Place;
use versioning_core::script;

use crate::error::{Error, Result};
use crate::migration::failure::Failure;
use crate::migration::registration::Request;
use crate::pg::query::{self, Row};
use crate::pg::record::{ModuleMigrations, Record};

/// What registration needs to know of a module.
pub struct Module {
    /// Its id.
    pub id: Uuid,
    /// Its slug.
    pub slug: String,
    /// Its layout.
    pub isolation: Isolation,
    /// The role its scripts run as.
    pub owner_role: String,
}

/// A migration to be inserted: the request, and what was decided about it.
pub struct NewMigration<'a> {
    /// Its module.
    pub module_id: Uuid,
    /// What was asked for.
    pub request: &'a Request<'a>,
    /// Its place in the order.
    pub sequence: i32,
    /// What it changes.
    pub scope: Scope,
    /// SHA-256 over its scripts.
    pub checksum: &'a str,
    /// Whether it is said to be reversible.
    pub is_reversible: bool,
    /// Who registered it.
    pub created_by: &'a str,
    /// What the parser found in both scripts.
    pub statements: &'a Value,
}

fn version(text: &str) -> Result<Version> {
    text.parse().map_err(|problem| {
        Error::internal(format!(
            "stored version \"{text}\" can't be read: {problem}"
        ))
    })
}

/// # Errors
/// 42704 when there is none.
pub fn module(id: Uuid) -> Result<Module> {
    query::first(
        "SELECT m.slug, m.isolation, m.owner_role::text
           FROM module_versioning.modules m WHERE m.id = $1",
        &[id.into()],
        |row| {
            let isolation: String = row.get(2)?;
            let isolation = Isolation::from_word(&isolation)
                .ok_or_else(|| Error::internal(format!("isolation \"{isolation}\" is unknown")))?;
            Ok(Module {
                id,
                slug: row.get(1)?,
                isolation,
                owner_role: row.get(3)?,
            })
        },
    )?
    .ok_or_else(|| no_module(id))
}

fn no_module(id: Uuid) -> Error {
    Error::not_found(format!("module {id} does not exist"))
        .hint("Register it with register_module; module_id(slug) finds the id of a module.")
}

/// Keeps others from registering migrations of the module, and from running its shared ones.
///
/// # Errors
/// 42704 when the module has gone. Waiting is bounded by the caller's lock_timeout.
pub fn module_lock(id: Uuid) -> Result<()> {
    query::first(
        "SELECT m.id FROM module_versioning.modules m WHERE m.id = $1 FOR NO KEY UPDATE",
        &[id.into()],
        |row| row.get::<Uuid>(1),
    )?
    .map(|_| ())
    .ok_or_else(|| no_module(id))
}

/// # Errors
/// Only broken expectations.
pub fn version_id(module_id: Uuid, version: &Version) -> Result<Option<Uuid>> {
    query::first(
        "SELECT v.id FROM module_versioning.registered_versions v
          WHERE v.module_id = $1
            AND v.version OPERATOR(module_versioning.=) $2::module_versioning.semver",
        &[module_id.into(), version.to_string().into()],
        |row| row.get(1),
    )
}

/// Keeps others from publishing or changing a version, and tells its status; nothing when it has gone.
///
/// # Errors
/// Only broken expectations. Waiting is bounded by the caller's lock_timeout.
pub fn lock_version(id: Uuid) -> Result<Option<String>> {
    query::first(
        "SELECT v.status FROM module_versioning.registered_versions v WHERE v.id = $1 FOR NO KEY UPDATE",
        &[id.into()],
        |row| row.get(1),
    )
}

/// Where the registered migrations of a module stand, in order.
///
/// # Errors
/// Only broken expectations.
pub fn places(module_id: Uuid) -> Result<Vec<Place>> {
    query::rows(
        "SELECT m.sequence, m.to_version::text, v.status IS DISTINCT FROM 'draft'
           FROM module_versioning.module_migrations m
           LEFT JOIN module_versioning.registered_versions v
                  ON v.module_id = m.module_id
                 AND v.version OPERATOR(module_versioning.=) m.to_version
          WHERE m.module_id = $1 ORDER BY m.sequence",
        &[module_id.into()],
        |row| {
            Ok(Place {
                sequence: row.get(1)?,
                to_version: version(&row.get::<String>(2)?)?,
                is_released: row.get(3)?,
            })
        },
    )
}

/// # Errors
/// Only broken expectations.
pub fn insert(new: &NewMigration<'_>) -> Result<Option<Record<ModuleMigrations>>> {
    let request = new.request;
    query::record(
        "INSERT INTO module_versioning.module_migrations AS m
             (module_id, from_version, to_version, up_sql, down_sql, description, is_reversible,
              requires_maintenance, estimated_duration_seconds, sequence, scope, checksum, created_by,
              statements, lock_timeout, statement_timeout, equivalent_of)
         VALUES ($1, $2::module_versioning.semver, $3::module_versioning.semver, $4, $5, $6, $7,
                 $8, $9, $10, $11, $12, $13::pg_catalog.name, $14, $15, $16, $17)
         RETURNING m",
        &[
            new.module_id.into(),
            request.from_version.as_ref().map(ToString::to_string).into(),
            request.to_version.to_string().into(),
            request.up_sql.into(),
            request.down_sql.into(),
            request.description.into(),
            new.is_reversible.into(),
            request.requires_maintenance.into(),
            request.estimated_duration_seconds.into(),
            new.sequence.into(),
            new.scope.as_str().into(),
            new.checksum.into(),
            new.created_by.into(),
            JsonB(new.statements.clone()).into(),
            request.lock_timeout.into(),
            request.statement_timeout.into(),
            request.equivalent_of.into(),
        ],
    )
}

/// # Errors
/// Only broken expectations.
pub fn migration_row(id: Uuid) -> Result<Option<Record<ModuleMigrations>>> {
    query::record(
        "SELECT m FROM module_versioning.module_migrations m WHERE m.id = $1",
        &[id.into()],
    )
}

macro_rules! select_migrations {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.from_version::text, m.to_version::text, m.sequence, m.scope, m.up_sql,
                    m.down_sql, m.is_reversible, m.requires_maintenance,
                    m.estimated_duration_seconds, m.description, m.checksum, m.equivalent_of
               FROM module_versioning.module_migrations m ",
            $rest
        )
    };
}

fn migration_of(row: &Row<'_>) -> Result<Migration> {
    let scope: String = row.get(5)?;
    Ok(Migration {
        id: *row.get::<Uuid>(1)?.as_bytes(),
        from_version: row
            .optional::<String>(2)?
            .map(|text| version(&text))
            .transpose()?,
        to_version: version(&row.get::<String>(3)?)?,
        sequence: row.get(4)?,
        scope: Scope::from_word(&scope)
            .ok_or_else(|| Error::internal(format!("scope \"{scope}\" is unknown")))?,
        up_sql: row.get(6)?,
        down_sql: row.optional(7)?,
        is_reversible: row.get(8)?,
        requires_maintenance: row.get(9)?,
        estimated_duration_seconds: row.optional(10)?,
        description: row.optional(11)?,
        checksum: row.get(12)?,
        equivalent_of: row.optional::<Uuid>(13)?.map(|id| *id.as_bytes()),
    })
}

/// The migrations of a module, by version and then by sequence.
///
/// # Errors
/// Only broken expectations.
pub fn registered(module_id: Uuid) -> Result<Vec<Migration>> {
    query::rows(
        select_migrations!(
            "WHERE m.module_id = $1
             ORDER BY m.to_version USING OPERATOR(module_versioning.<), m.sequence"
        ),
        &[module_id.into()],
        migration_of,
    )
}

/// # Errors
/// Only broken expectations.
pub fn with_sequence(module_id: Uuid, sequence: i32) -> Result<Option<Migration>> {
    query::first(
        select_migrations!("WHERE m.module_id = $1 AND m.sequence = $2"),
        &[module_id.into(), sequence.into()],
        migration_of,
    )
}

/// How much of an error's CONTEXT is kept, in characters: it repeats the statement, however long.
const REPORTED_CONTEXT: usize = 4_000;

/// Runs statements with the rights and settings of now. An error that one raises is returned, not yet with
/// its number and text, and the work of all of them is undone then; a query cancel goes on upwards.
///
/// # Errors
/// Only broken expectations.
pub fn run_statements(statements: Vec<&str>, token: i64) -> Result<Option<Failure>> {
    query::one(
        "SELECT r.error_code, r.error_message, r.error_detail, r.error_hint, r.error_context,
                r.error_schema, r.error_table, r.error_column, r.error_constraint
           FROM module_versioning._run_statements($1, $2) r",
        &[statements.into(), token.into()],
        |row| match row.optional::<String>(1)? {
            Some(sqlstate) => failure(row, sqlstate).map(Some),
            None => Ok(None),
        },
    )
}

fn failure(row: &Row<'_>, sqlstate: String) -> Result<Failure> {
    // GET STACKED DIAGNOSTICS gives empty text for what an error doesn't have.
    let field = |column| {
        Ok(row
            .optional::<String>(column)?
            .filter(|text| !text.is_empty()))
    };
    let context = row.optional::<String>(5)?.unwrap_or_default();
    Ok(Failure {
        sqlstate,
        message: row.optional(2)?.unwrap_or_default(),
        detail: field(3)?,
        hint: field(4)?,
        context: own_context(&context),
        schema_name: field(6)?,
        table_name: field(7)?,
        column_name: field(8)?,
        constraint_name: field(9)?,
        ..Failure::default()
    })
}

/// The frames of the script itself, without those of what runs it.
fn own_context(context: &str) -> Option<String> {
    script::script_context(context, "module_versioning._run_statements(text[],bigint)")
        .map(|context| script::excerpt(&context, REPORTED_CONTEXT))
}

/// How long each statement of a migration may wait for a lock, and run, in milliseconds, where it has
/// limits of its own.
///
/// # Errors
/// Only broken expectations.
pub fn limits(migration_id: Uuid) -> Result<(Option<i32>, Option<i32>)> {
    let found = query::first(
        "SELECT pg_catalog.ceil(extract(epoch FROM m.lock_timeout) * 1000)::int4,
                pg_catalog.ceil(extract(epoch FROM m.statement_timeout) * 1000)::int4
           FROM module_versioning.module_migrations m WHERE m.id = $1",
        &[migration_id.into()],
        |row| Ok((row.optional(1)?, row.optional(2)?)),
    )?;
    Ok(found.unwrap_or_default())
}

/// An interval in milliseconds.
///
/// # Errors
/// Only broken expectations.
pub fn milliseconds(interval: Interval) -> Result<f64> {
    query::one(
        "SELECT (extract(epoch FROM $1) * 1000)::float8",
        &[interval.into()],
        |row| row.get(1),
    )
}

/// Checks what is deferred, and defers nothing more.
pub const CONSTRAINTS_IMMEDIATE: &str = "SET CONSTRAINTS ALL IMMEDIATE";

/// Runs [`CONSTRAINTS_IMMEDIATE`] with the rights of now.
///
/// # Errors
/// PostgreSQL raises a violation.
pub fn constraints_immediate() -> Result<()> {
    query::run(CONSTRAINTS_IMMEDIATE, &[]).map(|_| ())
}

/// Puts back, for the rest of the transaction, what [`CONSTRAINTS_IMMEDIATE`] changed; call it right
/// after that, while nothing is deferred. PostgreSQL has no statement for it.
///
/// What is initially immediate is so again, by name; all else is deferred, also what is created later.
/// So nothing fails too early, and what is checked too late is checked at the end of its script. A name
/// shared by an initially immediate and an initially deferred constraint is left deferred likewise.
///
/// # Errors
/// Only broken expectations.
pub fn constraints_to_default() -> Result<()> {
    query::run("SET CONSTRAINTS ALL DEFERRED", &[])?;
    let names: Option<String> = query::one(
        "SELECT pg_catalog.string_agg(DISTINCT pg_catalog.format('%I.%I', n.nspname, c.conname), ', ')
           FROM pg_catalog.pg_constraint c
           JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
          WHERE c.condeferrable AND NOT c.condeferred
            AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
            AND NOT pg_catalog.pg_is_other_temp_schema(n.oid)
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint o
                             WHERE o.conname = c.conname AND o.connamespace = c.connamespace
                               AND o.condeferred)",
        &[],
        |row| row.optional(1),
    )?;
    if let Some(names) = names {
        query::run(&format!("SET CONSTRAINTS {names} IMMEDIATE"), &[])?;
    }
    Ok(())
}
