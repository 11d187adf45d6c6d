//! The tables of modules: what is registered, and what the catalog knows of them.

use pgrx::{Uuid, pg_sys, spi};

use super::present;
use crate::error::Result;
use crate::pg::query::{self, Row};
use crate::pg::record::{ModuleTables, Record};
use crate::registry::ModuleTable;

/// What the catalog says about a relation.
pub struct Relation {
    pub schema: String,
    pub name: String,
    /// One letter, as in `pg_class.relkind`.
    pub kind: String,
    pub is_temporary: bool,
    pub is_system: bool,
    pub owner: pg_sys::Oid,
}

fn read_table(row: &Row<'_>) -> Result<ModuleTable> {
    Ok(ModuleTable {
        name: row.get(1)?,
        schema: row.get(2)?,
        relation: row.get(3)?,
        site_column: row.optional(4)?,
        site_column_type: row.optional(5)?,
        owner: row.optional(6)?,
        oid: row.optional(7)?,
    })
}

/// The registered tables of a module; names without a schema are in `schema`. A name that stands for
/// something else by now, such as a view, counts as gone.
pub fn registered(module: Uuid, schema: &str) -> Result<Vec<ModuleTable>> {
    query::rows(
        "SELECT t.table_name, r.schema_name, r.relation_name, t.site_column, a.atttypid, c.relowner, c.oid
         FROM module_versioning.module_tables t
         CROSS JOIN LATERAL (SELECT pg_catalog.parse_ident(t.table_name) AS parts) p
         CROSS JOIN LATERAL (
             SELECT CASE WHEN pg_catalog.cardinality(p.parts) > 1 THEN p.parts[1] ELSE $2 END AS schema_name,
                    p.parts[pg_catalog.cardinality(p.parts)] AS relation_name
         ) r
         LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = r.schema_name
         LEFT JOIN pg_catalog.pg_class c
                ON c.relnamespace = n.oid AND c.relname = r.relation_name AND c.relkind IN ('r', 'p')
         LEFT JOIN pg_catalog.pg_attribute a
                ON a.attrelid = c.oid AND a.attname = t.site_column AND a.attnum > 0 AND NOT a.attisdropped
         WHERE t.module_id = $1
         ORDER BY t.table_name COLLATE \"C\"",
        &[module.into(), schema.into()],
        read_table,
    )
}

/// The tables that lie in the schemas of a module's sites, or of one site; one line per table name
/// without a site.
pub fn in_site_schemas(module: Uuid, site: Option<Uuid>) -> Result<Vec<ModuleTable>> {
    query::rows(
        "SELECT DISTINCT ON (c.relname) pg_catalog.quote_ident(c.relname), n.nspname::text, c.relname::text,
                NULL::text, NULL::oid, c.relowner, c.oid
         FROM module_versioning.site_modules i
         JOIN pg_catalog.pg_namespace n ON n.nspname = i.schema_name
         JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid
         WHERE i.module_id = $1 AND ($2 IS NULL OR i.site_id = $2)
           AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         ORDER BY c.relname, n.nspname",
        &[module.into(), site.into()],
        read_table,
    )
}

/// The relation with that oid.
pub fn relation(oid: pg_sys::Oid) -> Result<Option<Relation>> {
    query::first(
        "SELECT n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence = 't',
                n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast', 'module_versioning', 'module_versioning_data'),
                c.relowner
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = $1",
        &[oid.into()],
        |row| {
            Ok(Relation {
                schema: row.get(1)?,
                name: row.get(2)?,
                kind: row.get(3)?,
                is_temporary: row.get(4)?,
                is_system: row.get(5)?,
                owner: row.get(6)?,
            })
        },
    )
}

/// The type of a column, when the relation has a column of that name.
pub fn column_type(relation: pg_sys::Oid, column: &str) -> Result<Option<pg_sys::Oid>> {
    query::first(
        "SELECT a.atttypid FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = $1 AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped",
        &[relation.into(), column.into()],
        |row| row.get(1),
    )
}

/// The name of a type.
pub fn type_name(oid: pg_sys::Oid) -> Result<String> {
    query::one(
        "SELECT pg_catalog.format_type($1, NULL)",
        &[oid.into()],
        |row| row.get(1),
    )
}

/// Whether the schema belongs to one of the module's sites.
pub fn is_site_schema(module: Uuid, schema: &str) -> Result<bool> {
    query::one(
        "SELECT EXISTS (SELECT FROM module_versioning.site_modules i
                        WHERE i.module_id = $1 AND i.schema_name = $2)",
        &[module.into(), schema.into()],
        |row| row.get(1),
    )
}

/// The site column that a table was registered with, when it was.
pub fn registered_site_column(module: Uuid, table: &str) -> Result<Option<Option<String>>> {
    query::first(
        "SELECT t.site_column FROM module_versioning.module_tables t
         WHERE t.module_id = $1 AND t.table_name = $2",
        &[module.into(), table.into()],
        |row| row.optional(1),
    )
}

/// Adds a table; does nothing when it is there already.
pub fn insert(module: Uuid, table: &str, site_column: Option<&str>) -> Result<()> {
    query::run(
        "INSERT INTO module_versioning.module_tables (module_id, table_name, site_column)
         VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        &[module.into(), table.into(), site_column.into()],
    )?;
    Ok(())
}

/// The row of a registered table.
pub fn record(module: Uuid, table: &str) -> Result<Record<ModuleTables>> {
    query::record(
        "SELECT t FROM module_versioning.module_tables t WHERE t.module_id = $1 AND t.table_name = $2",
        &[module.into(), table.into()],
    )
    .and_then(present)
}

/// Counts the rows of a table: those of the site, or all where no column tells sites apart.
pub fn count(table: &ModuleTable, site: Uuid) -> Result<i64> {
    let relation = spi::quote_qualified_identifier(&table.schema, &table.relation);
    let Some(column) = &table.site_column else {
        return query::one(
            &format!("SELECT pg_catalog.count(*) FROM {relation}"),
            &[],
            |row| row.get(1),
        );
    };
    let column = spi::quote_identifier(column);
    // Only the comparison of uuids can use an index.
    let condition = if table.site_column_type == Some(pg_sys::UUIDOID) {
        format!("t.{column} = $1")
    } else {
        format!("t.{column}::text = $1::text")
    };
    query::one(
        &format!("SELECT pg_catalog.count(*) FROM {relation} t WHERE {condition}"),
        &[site.into()],
        |row| row.get(1),
    )
}
