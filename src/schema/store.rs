//! The catalog queries of this room.

use pgrx::pg_sys;
use versioning_core::schema::Objects;

use crate::error::Result;
use crate::pg::query;
use crate::pg::scope::with_settings;

/// An ordinary or partitioned table; a partition counts as part of its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Tells a rename from a drop and a new table.
    pub oid: pg_sys::Oid,
    /// Its name, unquoted.
    pub name: String,
    /// Its columns' names, unquoted.
    pub columns: Vec<String>,
}

/// A column that holds values of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Column {
    /// The table's name, unquoted.
    pub table: String,
    /// The column's name, unquoted.
    pub name: String,
}

/// Definitions print names that are not in pg_catalog with their schema.
const QUALIFIED_NAMES: &[(&str, &str)] = &[("search_path", "pg_catalog, pg_temp")];

/// Every object of a schema with its definition, as `kind name` → definition.
///
/// # Errors
/// Those of the catalog functions.
pub fn objects(schema: &str) -> Result<Objects> {
    with_settings(QUALIFIED_NAMES, || {
        let found = query::rows(OBJECTS, &[schema.into()], |row| {
            Ok((row.get(1)?, row.get(2)?))
        })?;
        Ok(found.into_iter().collect())
    })
}

/// The tables of a schema, by name.
///
/// # Errors
/// None of its own.
pub fn tables(schema: &str) -> Result<Vec<Table>> {
    query::rows(
        "SELECT c.oid, c.relname::text,
                ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                      ORDER BY a.attnum)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND c.relpersistence <> 't'
         ORDER BY c.relname",
        &[schema.into()],
        |row| {
            Ok(Table {
                oid: row.get(1)?,
                name: row.get(2)?,
                columns: row.get(3)?,
            })
        },
    )
}

/// The stored columns of a schema's tables, generated ones left out.
///
/// # Errors
/// None of its own.
pub fn columns(schema: &str) -> Result<Vec<Column>> {
    query::rows(
        "SELECT c.relname::text, a.attname::text
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND c.relpersistence <> 't'
           AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
         ORDER BY c.relname, a.attnum",
        &[schema.into()],
        |row| {
            Ok(Column {
                table: row.get(1)?,
                name: row.get(2)?,
            })
        },
    )
}

/// Foreign keys and views outside a schema that need a table inside it, described.
///
/// # Errors
/// None of its own.
pub fn outside_dependents(schema: &str) -> Result<Vec<String>> {
    with_settings(QUALIFIED_NAMES, || {
        query::rows(
            "SELECT DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, 0)
             FROM pg_catalog.pg_namespace n
             JOIN pg_catalog.pg_class inside ON inside.relnamespace = n.oid
             JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                        AND d.refobjid = inside.oid
             LEFT JOIN pg_catalog.pg_rewrite rule ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                                                 AND rule.oid = d.objid
             LEFT JOIN pg_catalog.pg_constraint key ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
                                                   AND key.oid = d.objid AND key.contype = 'f'
             JOIN pg_catalog.pg_class outside ON outside.oid IN (rule.ev_class, key.conrelid)
             WHERE n.nspname = $1 AND outside.relnamespace <> n.oid
             ORDER BY 1",
            &[schema.into()],
            |row| row.get(1),
        )
    })
}

/// One query for a whole schema; the parameter is its name.
const OBJECTS: &str = include_str!("objects.sql");
