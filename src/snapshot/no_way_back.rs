//! Values that the server writes and never reads: it makes them itself, and its input functions refuse whatever
//! they are given. A snapshot of one could never be restored, so a table that holds such values is refused by
//! name.

use pgrx::pg_sys;
use pgrx::spi::{quote_identifier, quote_literal};

use crate::error::{Error, Result};
use crate::pg::query;
use crate::snapshot::source::LiveTable;

/// Refuses when a column of such a type, or of one that has it inside, has a value in the site's rows.
///
/// # Errors
/// 0A000, naming table and column.
pub fn refuse_write_only_values(live: &LiveTable, site_id: &str) -> Result<()> {
    let stored = || live.columns.iter().filter(|column| !column.generated);
    for (kind, type_name) in write_only(stored().map(|column| column.kind.oid).collect())? {
        for column in stored().filter(|column| column.kind.oid == kind) {
            let name = &column.column.name;
            if has_values(live, name, site_id)? {
                return Err(Error::not_supported(format!(
                    "column \"{name}\" of table \"{}\" holds values of type {type_name}, which can't be written back",
                    live.source.name
                ))
                .detail("The server makes such values for itself and takes none from anybody, so a snapshot of them could not be restored.")
                .hint("Keep them in a column of type text, or take the table off the module's tables."));
            }
        }
    }
    Ok(())
}

fn has_values(live: &LiveTable, column: &str, site_id: &str) -> Result<bool> {
    let site = live.site_condition("t", &quote_literal(site_id))?;
    let joint = if site.is_empty() { " WHERE" } else { " AND" };
    let query = format!(
        "SELECT EXISTS (SELECT FROM {} AS t{site}{joint} t.{} IS DISTINCT FROM NULL)",
        live.table_item(),
        quote_identifier(column)
    );
    live.as_owner(|| query::one(&query, &[], |row| row.get(1)))
}

/// Those of the types that are, or have inside, one that can't be read, and which.
fn write_only(kinds: Vec<pg_sys::Oid>) -> Result<Vec<(pg_sys::Oid, String)>> {
    query::rows(
        "WITH RECURSIVE tree (kind, type) AS (
             SELECT k, k FROM pg_catalog.unnest($1::oid[]) AS k
             UNION
             SELECT tree.kind, inside.type
             FROM tree JOIN pg_catalog.pg_type t ON t.oid = tree.type
             CROSS JOIN LATERAL (
                 SELECT t.typbasetype WHERE t.typtype = 'd'
                 UNION ALL
                 SELECT t.typelem WHERE t.typlen = -1 AND t.typelem <> 0
                 UNION ALL
                 SELECT f.atttypid FROM pg_catalog.pg_attribute f
                 WHERE t.typtype = 'c' AND f.attrelid = t.typrelid
                   AND f.attnum > 0 AND NOT f.attisdropped) AS inside (type))
         SELECT tree.kind, pg_catalog.format_type(tree.type, NULL)
         FROM tree
         WHERE tree.type IN (
             SELECT t.oid FROM pg_catalog.pg_type t
             WHERE t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
               AND t.typname IN ('gtsvector', 'pg_node_tree', 'pg_ndistinct', 'pg_dependencies', 'pg_mcv_list',
                                 'pg_brin_bloom_summary', 'pg_brin_minmax_multi_summary'))
         ORDER BY tree.kind, tree.type",
        &[kinds.into()],
        |row| Ok((row.get(1)?, row.get(2)?)),
    )
}
