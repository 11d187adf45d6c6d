//! The SQL of what a script may leave in the session: temporary objects, cursors, advisory locks.

use pgrx::Uuid;

use crate::error::Result;
use crate::pg::scope::with_settings;
use crate::pg::script_guard::RelationName;
use crate::pg::session_lock::AdvisoryLock;
use crate::pg::{catalog, identity, query};

/// The temporary objects of the backend, as the statements that drop them.
const TEMPORARY_OBJECTS: &str = "
    SELECT pg_catalog.format('DROP %s IF EXISTS pg_temp.%I CASCADE',
               CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
               c.relname)
      FROM pg_catalog.pg_class c
     WHERE c.relnamespace = pg_catalog.pg_my_temp_schema() AND c.relkind IN ('r', 'p', 'v', 'S', 'c')
    UNION ALL
    SELECT pg_catalog.format('DROP ROUTINE IF EXISTS pg_temp.%I(%s) CASCADE', p.proname,
               pg_catalog.pg_get_function_identity_arguments(p.oid))
      FROM pg_catalog.pg_proc p WHERE p.pronamespace = pg_catalog.pg_my_temp_schema()
    UNION ALL
    SELECT pg_catalog.format('DROP TYPE IF EXISTS pg_temp.%I CASCADE', t.typname)
      FROM pg_catalog.pg_type t
     WHERE t.typnamespace = pg_catalog.pg_my_temp_schema() AND t.typtype IN ('e', 'd', 'r')";

/// The temporary objects that are there now.
///
/// # Errors
/// Only broken expectations.
pub fn temporary_objects() -> Result<Vec<String>> {
    // Most sessions never make a temporary object, and looking through the catalogs takes a while.
    if !catalog::has_temporary_schema() {
        return Ok(Vec::new());
    }
    query::rows(TEMPORARY_OBJECTS, &[], |row| row.get(1))
}

/// Drops the temporary objects that were not there before, with the rights of now.
///
/// # Errors
/// 42501 raised by PostgreSQL when one belongs to somebody else.
pub fn drop_temporary_objects(before: &[String]) -> Result<()> {
    for statement in temporary_objects()?
        .iter()
        .filter(|drop| !before.contains(drop))
    {
        query::run(statement, &[])?;
    }
    Ok(())
}

/// The names of the open cursors.
///
/// # Errors
/// Only broken expectations.
pub fn cursors() -> Result<Vec<String>> {
    query::rows("SELECT c.name FROM pg_catalog.pg_cursors c", &[], |row| {
        row.get(1)
    })
}

/// Closes a cursor.
///
/// # Errors
/// Only broken expectations.
pub fn close_cursor(name: &str) -> Result<()> {
    query::run(&format!("CLOSE {}", pgrx::spi::quote_identifier(name)), &[]).map(drop)
}

/// Releasing a lock that isn't held by the session is a WARNING, and nobody's business.
const QUIET: &[(&str, &str)] = &[
    ("client_min_messages", "error"),
    ("log_min_messages", "error"),
];

/// A lock taken more often than this is released with the session.
const MOST_RELEASES: usize = 1_000;

/// Releases a session-level lock, however often it was taken. Does nothing to one of the transaction.
///
/// # Errors
/// Only broken expectations.
pub fn release(lock: &AdvisoryLock) -> Result<()> {
    let function = if lock.shared {
        "pg_advisory_unlock_shared"
    } else {
        "pg_advisory_unlock"
    };
    with_settings(QUIET, || {
        for _ in 0..MOST_RELEASES {
            if !on_lock(function, lock)? {
                break;
            }
        }
        Ok(())
    })
}

/// Takes a session-level lock again, if it is still free.
///
/// # Errors
/// Only broken expectations.
pub fn take_back(lock: &AdvisoryLock) -> Result<()> {
    let function = if lock.shared {
        "pg_try_advisory_lock_shared"
    } else {
        "pg_try_advisory_lock"
    };
    on_lock(function, lock).map(drop)
}

fn on_lock(function: &str, lock: &AdvisoryLock) -> Result<bool> {
    let (first, second) = (lock.first.cast_signed(), lock.second.cast_signed());
    if lock.two_keys {
        return query::one(
            &format!("SELECT pg_catalog.{function}($1, $2)"),
            &[first.into(), second.into()],
            |row| row.get(1),
        );
    }
    let key = i64::from(first) << 32 | i64::from(lock.second);
    query::one(
        &format!("SELECT pg_catalog.{function}($1)"),
        &[key.into()],
        |row| row.get(1),
    )
}

/// One of the extension's tables that a role may write.
///
/// # Errors
/// Only broken expectations.
pub fn extension_table_writable_by(role: &str) -> Result<Option<String>> {
    query::first(
        "SELECT t.oid::pg_catalog.regclass::text
         FROM (SELECT d.objid AS oid FROM pg_catalog.pg_extension e
               JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                    AND d.refobjid = e.oid AND d.deptype = 'e' AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
               WHERE e.extname = 'module_versioning'
               UNION ALL
               SELECT pg_catalog.to_regclass(name)::pg_catalog.oid
               FROM pg_catalog.unnest('{module_versioning_data.chunks,module_versioning_data.snapshots,module_versioning_data.snapshot_chunks}'::text[]) AS name) t
         JOIN pg_catalog.pg_class c ON c.oid = t.oid AND c.relkind IN ('r', 'p')
         WHERE pg_catalog.has_table_privilege($1::name, t.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
         ORDER BY 1 LIMIT 1",
        &[role.into()],
        |row| row.get(1),
    )
}

/// A table among those dropped that belongs to another module, or to the schema of another site, and
/// whose it is.
///
/// # Errors
/// Only broken expectations.
pub fn table_of_others(
    site_id: Uuid,
    module_id: Uuid,
    dropped: &[RelationName],
) -> Result<Option<(String, String)>> {
    let schemas: Vec<String> = dropped.iter().map(|table| table.schema.clone()).collect();
    let names: Vec<String> = dropped.iter().map(|table| table.name.clone()).collect();
    query::first(
        "SELECT pg_catalog.format('%I.%I', d.schema, d.name),
                pg_catalog.concat('module \"', m.slug, '\"', ' on site \"' || s.slug || '\"')
         FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS d (schema, name)
         CROSS JOIN LATERAL (
             SELECT i.module_id, i.site_id FROM module_versioning.site_modules i
             JOIN module_versioning.modules other ON other.id = i.module_id AND other.isolation = 'schema'
             WHERE i.schema_name = d.schema AND (i.site_id <> $3 OR i.module_id <> $4)
             UNION ALL
             SELECT t.module_id, NULL FROM module_versioning.module_tables t
             JOIN module_versioning.modules other ON other.id = t.module_id
             WHERE t.module_id <> $4
               AND (other.schema_name = d.schema AND t.table_name = pg_catalog.quote_ident(d.name)
                    OR t.table_name = pg_catalog.concat(pg_catalog.quote_ident(d.schema), '.', pg_catalog.quote_ident(d.name)))) o
         JOIN module_versioning.modules m ON m.id = o.module_id
         LEFT JOIN module_versioning.sites s ON s.id = o.site_id
         ORDER BY 1, 2 LIMIT 1",
        &[schemas.into(), names.into(), site_id.into(), module_id.into()],
        |row| Ok((row.get(1)?, row.get(2)?)),
    )
}

/// Gives the sequences of a schema files of their own, with the same numbers in them: what is done to them
/// from now on is undone with the transaction.
///
/// # Errors
/// 55P03 raised by PostgreSQL when somebody else is at one of them.
pub fn shield_sequences(schema: &str) -> Result<()> {
    identity::as_extension_owner(|| {
        let alter = query::rows(
            "SELECT pg_catalog.format('ALTER SEQUENCE %I.%I CACHE %s', n.nspname, c.relname, s.seqcache)
             FROM pg_catalog.pg_sequence s
             JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relpersistence <> 't' ORDER BY c.oid",
            &[schema.into()],
            |row| row.get::<String>(1),
        )?;
        // Names are found without the script's search_path, and its settings are its own.
        with_settings(&[("search_path", "pg_catalog, pg_temp")], || {
            alter
                .iter()
                .try_for_each(|one| query::run(one, &[]).map(drop))
        })
    })
}
