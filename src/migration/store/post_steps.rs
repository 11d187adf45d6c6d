//! The SQL of post-steps: declared, due, done.

use pgrx::Uuid;
use versioning_core::post_step::IndexFacts;

use crate::error::{Error, Result};
use crate::pg::query;
use crate::pg::record::{PostSteps, Record};

/// The migration that a post-step belongs to.
pub struct Owning {
    /// Its module.
    pub module_id: Uuid,
    /// Its place in the order.
    pub sequence: i32,
    /// The version it leads to.
    pub to_version: String,
    /// Whether that version is a draft no longer.
    pub is_released: bool,
    /// Whether it is in force anywhere, or was.
    pub has_run: bool,
}

/// # Errors
/// 42704 when there is no such migration.
pub fn owning(migration_id: Uuid) -> Result<Owning> {
    query::first(
        "SELECT m.module_id, m.sequence, m.to_version::text,
                EXISTS (SELECT FROM module_versioning.registered_versions v
                        WHERE v.module_id = m.module_id AND v.status <> 'draft'
                          AND v.version OPERATOR(module_versioning.=) m.to_version),
                EXISTS (SELECT FROM module_versioning.applied_migrations a WHERE a.migration_id = m.id)
                OR EXISTS (SELECT FROM module_versioning.module_migration_runs r
                           WHERE r.migration_id = m.id AND r.status IN ('running', 'success'))
         FROM module_versioning.module_migrations m WHERE m.id = $1",
        &[migration_id.into()],
        |row| {
            Ok(Owning {
                module_id: row.get(1)?,
                sequence: row.get(2)?,
                to_version: row.get(3)?,
                is_released: row.get(4)?,
                has_run: row.get(5)?,
            })
        },
    )?
    .ok_or_else(|| {
        Error::not_found(format!("migration {migration_id} does not exist"))
            .hint("add_migration returns the id of a migration.")
    })
}

/// The post-step of a migration with that very statement.
///
/// # Errors
/// Only broken expectations.
pub fn same(migration_id: Uuid, statement: &str) -> Result<Option<Uuid>> {
    query::first(
        "SELECT p.id FROM module_versioning.post_steps p WHERE p.migration_id = $1 AND p.statement = $2",
        &[migration_id.into(), statement.into()],
        |row| row.get(1),
    )
}

/// # Errors
/// Only broken expectations.
pub fn row(id: Uuid) -> Result<Option<Record<PostSteps>>> {
    query::record(
        "SELECT p FROM module_versioning.post_steps p WHERE p.id = $1",
        &[id.into()],
    )
}

/// Adds a post-step behind those that the migration has. The module is locked.
///
/// # Errors
/// Only broken expectations.
pub fn insert(
    migration_id: Uuid,
    statement: &str,
    command: &str,
    created_by: &str,
) -> Result<Option<Record<PostSteps>>> {
    query::record(
        "INSERT INTO module_versioning.post_steps AS p (migration_id, position, statement, command, created_by)
         SELECT $1, 1 + coalesce(pg_catalog.max(o.position), 0), $2, $3, $4::name
         FROM module_versioning.post_steps o WHERE o.migration_id = $1
         RETURNING p",
        &[
            migration_id.into(),
            statement.into(),
            command.into(),
            created_by.into(),
        ],
    )
}

/// The post-steps of a migration that has just run fall due: for a site, or once when it is shared.
///
/// # Errors
/// Only broken expectations.
pub fn fall_due(migration_id: Uuid, site_id: Option<Uuid>) -> Result<()> {
    query::run(
        "INSERT INTO module_versioning.post_step_dues (post_step_id, site_id)
         SELECT p.id, $2 FROM module_versioning.post_steps p WHERE p.migration_id = $1
         ON CONFLICT DO NOTHING",
        &[migration_id.into(), site_id.into()],
    )
    .map(drop)
}

/// The post-steps of a migration that was undone: due and done ones are forgotten.
///
/// # Errors
/// Only broken expectations.
pub fn cancel(migration_id: Uuid, site_id: Option<Uuid>) -> Result<()> {
    query::run(
        "DELETE FROM module_versioning.post_step_dues d USING module_versioning.post_steps p
         WHERE p.id = d.post_step_id AND p.migration_id = $1 AND d.site_id IS NOT DISTINCT FROM $2",
        &[migration_id.into(), site_id.into()],
    )
    .map(drop)
}

/// A site has the module no longer.
///
/// # Errors
/// Only broken expectations.
pub fn forget_site(module_id: Uuid, site_id: Uuid) -> Result<()> {
    query::run(
        "DELETE FROM module_versioning.post_step_dues d
         USING module_versioning.post_steps p, module_versioning.module_migrations m
         WHERE p.id = d.post_step_id AND m.id = p.migration_id AND m.module_id = $1 AND d.site_id = $2",
        &[module_id.into(), site_id.into()],
    )
    .map(drop)
}

/// What is due for a module on a site, in words.
///
/// # Errors
/// Only broken expectations.
pub fn due(module_id: Uuid, site_id: Uuid) -> Result<Vec<String>> {
    query::rows(
        "SELECT p.statement
         FROM module_versioning.post_step_dues d
         JOIN module_versioning.post_steps p ON p.id = d.post_step_id
         JOIN module_versioning.module_migrations m ON m.id = p.migration_id
         WHERE m.module_id = $1 AND d.status = 'due' AND (d.site_id IS NULL OR d.site_id = $2)
         ORDER BY m.to_version, m.sequence, p.position",
        &[module_id.into(), site_id.into()],
        |row| row.get(1),
    )
}

/// The post-steps of migrations that are about to run, as sentences.
///
/// # Errors
/// Only broken expectations.
pub fn announced(migration_ids: Vec<Uuid>) -> Result<Vec<String>> {
    if migration_ids.is_empty() {
        return Ok(Vec::new());
    }
    query::rows(
        "SELECT pg_catalog.format('post-step of migration %s, to be run by hand afterwards: %s', m.sequence, p.statement)
         FROM module_versioning.post_steps p
         JOIN module_versioning.module_migrations m ON m.id = p.migration_id
         WHERE p.migration_id = ANY ($1)
         ORDER BY m.to_version, m.sequence, p.position",
        &[migration_ids.into()],
        |row| row.get(1),
    )
}

/// Where a post-step is due or done.
pub struct Due {
    /// The post-step.
    pub post_step_id: Uuid,
    /// The site; none when the migration is shared.
    pub site_id: Option<Uuid>,
    /// The site's slug.
    pub site: Option<String>,
    /// The module.
    pub module_id: Uuid,
    /// The module's slug.
    pub module: String,
    /// The installation, when there is a site.
    pub site_module_id: Option<Uuid>,
    /// Whether the module's sites have schemas of their own.
    pub own_schema: bool,
    /// Where unqualified names resolve.
    pub schema_name: String,
    /// The statement.
    pub statement: String,
    /// What it is called.
    pub command: String,
    /// Whether it is confirmed.
    pub is_done: bool,
    /// What that rests on.
    pub detail: Option<String>,
}

/// Where a post-step is due or done: everywhere, or for one site. A shared one counts for every site.
///
/// # Errors
/// Only broken expectations.
pub fn dues(post_step_id: Uuid, site_id: Option<Uuid>) -> Result<Vec<Due>> {
    query::rows(
        "SELECT d.site_id, s.slug, m.module_id, o.slug, i.id, o.isolation = 'schema',
                CASE WHEN o.isolation = 'schema' THEN i.schema_name ELSE o.schema_name END,
                p.statement, p.command, d.status = 'done', d.detail
         FROM module_versioning.post_step_dues d
         JOIN module_versioning.post_steps p ON p.id = d.post_step_id
         JOIN module_versioning.module_migrations m ON m.id = p.migration_id
         JOIN module_versioning.modules o ON o.id = m.module_id
         LEFT JOIN module_versioning.sites s ON s.id = d.site_id
         LEFT JOIN module_versioning.site_modules i ON i.site_id = d.site_id AND i.module_id = m.module_id
         WHERE d.post_step_id = $1 AND ($2::uuid IS NULL OR d.site_id IS NULL OR d.site_id = $2)
         ORDER BY s.slug",
        &[post_step_id.into(), site_id.into()],
        |row| {
            Ok(Due {
                post_step_id,
                site_id: row.optional(1)?,
                site: row.optional(2)?,
                module_id: row.get(3)?,
                module: row.get(4)?,
                site_module_id: row.optional(5)?,
                own_schema: row.get(6)?,
                schema_name: row.get(7)?,
                statement: row.get(8)?,
                command: row.get(9)?,
                is_done: row.get(10)?,
                detail: row.optional(11)?,
            })
        },
    )
}

/// The statements of the post-steps of migrations.
///
/// # Errors
/// Only broken expectations.
pub fn statements(migration_ids: Vec<Uuid>) -> Result<Vec<String>> {
    query::rows(
        "SELECT p.statement FROM module_versioning.post_steps p WHERE p.migration_id = ANY ($1)",
        &[migration_ids.into()],
        |row| row.get(1),
    )
}

/// Where post-steps of migrations are due that concern a site.
///
/// # Errors
/// Only broken expectations.
pub fn due_of(migration_ids: Vec<Uuid>, site_id: Uuid) -> Result<Vec<Due>> {
    let steps: Vec<Uuid> = query::rows(
        "SELECT p.id FROM module_versioning.post_steps p WHERE p.migration_id = ANY ($1)
         ORDER BY p.migration_id, p.position",
        &[migration_ids.into()],
        |row| row.get(1),
    )?;
    let mut found = Vec::new();
    for step in steps {
        found.extend(
            dues(step, Some(site_id))?
                .into_iter()
                .filter(|due| !due.is_done),
        );
    }
    Ok(found)
}

/// Notes that a post-step was run.
///
/// # Errors
/// Only broken expectations.
pub fn confirm(due: &Due, confirmed_by: &str, detail: &str) -> Result<()> {
    query::run(
        "UPDATE module_versioning.post_step_dues
         SET status = 'done', confirmed_at = pg_catalog.clock_timestamp(), confirmed_by = $3::name, detail = $4
         WHERE post_step_id = $1 AND site_id IS NOT DISTINCT FROM $2",
        &[
            due.post_step_id.into(),
            due.site_id.into(),
            confirmed_by.into(),
            detail.into(),
        ],
    )
    .map(drop)
}

/// The statement of a post-step, if it is registered.
///
/// # Errors
/// Only broken expectations.
pub fn statement(id: Uuid) -> Result<Option<String>> {
    query::first(
        "SELECT p.statement FROM module_versioning.post_steps p WHERE p.id = $1",
        &[id.into()],
        |row| row.get(1),
    )
}

/// What the catalog has of the index of that name.
///
/// # Errors
/// Only broken expectations.
pub fn index(schema: &str, name: &str) -> Result<Option<IndexFacts>> {
    query::first(
        "SELECT tn.nspname::text, t.relname::text, x.indisvalid AND x.indisready AND x.indislive,
                pg_catalog.concat(
                    CASE WHEN x.indisunique THEN 'unique ' END, am.amname, ' (',
                    (SELECT pg_catalog.string_agg(pg_catalog.concat(coalesce(a.attname, '(expression)'),
                                CASE WHEN x.indoption[k] & 1 = 1 THEN ' desc' END), ', ' ORDER BY k)
                     FROM pg_catalog.generate_series(0, x.indnkeyatts - 1) AS k
                     LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[k] AND a.attnum > 0),
                    ')',
                    ' include (' || (SELECT pg_catalog.string_agg(a.attname, ', ' ORDER BY k)
                                     FROM pg_catalog.generate_series(x.indnkeyatts, x.indnatts - 1) AS k
                                     JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[k]) || ')',
                    CASE WHEN x.indpred IS NOT NULL THEN ' where …' END)
         FROM pg_catalog.pg_namespace n
         JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = $2
         JOIN pg_catalog.pg_am am ON am.oid = c.relam
         JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
         JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
         JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
         WHERE n.nspname = $1",
        &[schema.into(), name.into()],
        |row| {
            Ok(IndexFacts {
                table_schema: row.get(1)?,
                table: row.get(2)?,
                is_valid: row.get(3)?,
                shape: row.get(4)?,
            })
        },
    )
}

/// The invalid indexes that a failed REINDEX CONCURRENTLY of an index has left on its table.
///
/// # Errors
/// Only broken expectations.
pub fn leftovers(schema: &str, name: &str) -> Result<Vec<String>> {
    query::rows(
        "SELECT o.relname::text
         FROM pg_catalog.pg_namespace n
         JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = $2
         JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
         JOIN pg_catalog.pg_index y ON y.indrelid = x.indrelid AND NOT y.indisvalid
         JOIN pg_catalog.pg_class o ON o.oid = y.indexrelid
         WHERE n.nspname = $1 AND o.relname::text ~ '_cc(new|old)[0-9]*$'
         ORDER BY o.relname",
        &[schema.into(), name.into()],
        |row| row.get(1),
    )
}

/// Whether a table is there, and if it is a partition still, whether its detaching has begun.
///
/// # Errors
/// Only broken expectations.
pub fn partition(schema: &str, name: &str) -> Result<(bool, Option<bool>)> {
    let found = query::first(
        "SELECT i.inhdetachpending
         FROM pg_catalog.pg_namespace n
         JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = $2
         LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
         WHERE n.nspname = $1",
        &[schema.into(), name.into()],
        |row| row.optional(1),
    )?;
    Ok((found.is_some(), found.flatten()))
}
