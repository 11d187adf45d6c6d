//! The SQL that looks at, counts and deletes rows of tenants' tables.

use pgrx::{Uuid, pg_sys};

use crate::error::Result;
use crate::pg::query;

/// A table as the catalog has it.
pub struct LiveTable {
    /// Its number.
    pub oid: pg_sys::Oid,
    /// Its schema, unquoted.
    pub schema: String,
    /// Its name there, unquoted.
    pub name: String,
    /// As it is shown: schema and name.
    pub shown: String,
    /// Quoted, for use in a query.
    pub quoted: String,
    /// Who owns it.
    pub owner: pg_sys::Oid,
    /// Its columns that hold values of their own (no generated ones), unquoted.
    pub stored_columns: Vec<String>,
}

/// The query that [`live_table_of_row`] reads, without its condition.
pub const LIVE_TABLE: &str = "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), c.relowner,
        ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
        c.oid, n.nspname::text, c.relname::text
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";

/// A row of [`LIVE_TABLE`].
pub fn live_table_of_row(row: &query::Row<'_>) -> Result<LiveTable> {
    let quoted: String = row.get(1)?;
    Ok(LiveTable {
        oid: row.get(4)?,
        schema: row.get(5)?,
        name: row.get(6)?,
        shown: quoted.clone(),
        quoted,
        owner: row.get(2)?,
        stored_columns: row.get(3)?,
    })
}

/// The ordinary or partitioned table of that name.
pub fn live_table(schema: &str, name: &str) -> Result<Option<LiveTable>> {
    query::first(
        &format!(
            "{LIVE_TABLE} WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')"
        ),
        &[schema.into(), name.into()],
        live_table_of_row,
    )
}

/// Deletes a site's rows. The caller runs it as the table's owner.
pub fn delete_rows_of_site(table: &LiveTable, site_column: &str, site_id: Uuid) -> Result<()> {
    let column = pgrx::spi::quote_identifier(site_column);
    query::run(
        &format!(
            "DELETE FROM {} WHERE {column}::text = $1::text",
            table.quoted
        ),
        &[site_id.into()],
    )
    .map(drop)
}

/// Tables in an order in which none comes before one that refers to it; those on a cycle by name.
pub fn children_first(tables: &[(String, String)]) -> Result<Vec<(String, String)>> {
    let (schemas, relations): (Vec<String>, Vec<String>) = tables.iter().cloned().unzip();
    query::rows(
        "WITH RECURSIVE named AS (
             SELECT c.oid, n.nspname::text AS schema, c.relname::text AS relation
             FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS t (schema, relation)
             JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
             JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.relation
         ), reference AS (
             SELECT k.conrelid AS child, k.confrelid AS parent
             FROM pg_catalog.pg_constraint k
             WHERE k.contype = 'f' AND k.conrelid <> k.confrelid
               AND k.conrelid IN (SELECT oid FROM named) AND k.confrelid IN (SELECT oid FROM named)
         ), depth (oid, level, seen) AS (
             SELECT oid, 0, ARRAY[oid] FROM named
             UNION ALL
             SELECT r.child, d.level + 1, d.seen || r.child
             FROM depth d JOIN reference r ON r.parent = d.oid
             WHERE r.child <> ALL (d.seen)
         )
         SELECT n.schema, n.relation
         FROM named n JOIN depth d ON d.oid = n.oid
         GROUP BY n.schema, n.relation
         ORDER BY pg_catalog.max(d.level) DESC, n.schema, n.relation",
        &[schemas.into(), relations.into()],
        |row| Ok((row.get(1)?, row.get(2)?)),
    )
}
