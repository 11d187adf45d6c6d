//! Foreign keys of a table: what its rows refer to.

use pgrx::pg_sys;
use pgrx::spi::quote_identifier;

use crate::error::Result;
use crate::pg::query;

/// A foreign key, seen from the table that has it.
pub struct Reference {
    /// The table it refers to.
    pub table: pg_sys::Oid,
    /// That table's owner.
    pub owner: pg_sys::Oid,
    /// The table's own columns.
    pub columns: Vec<String>,
    /// The columns it refers to.
    pub others: Vec<String>,
    name: String,
    operators: Vec<String>,
}

impl Reference {
    /// The condition under which the row referred to is there, or the row refers to none. `alias` says
    /// in which relation a column of the referring row is found. `to_itself`: rows of `snapshot_rows`
    /// count as there.
    pub fn condition<'b>(&self, alias: impl Fn(&str) -> &'b str, to_itself: bool) -> String {
        let nulls: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("{}.{} IS NULL", alias(column), quote_identifier(column)))
            .collect();
        let (nulls, same) = (nulls.join(" OR "), self.same(alias, "r"));
        let itself = if to_itself {
            format!(" OR EXISTS (SELECT FROM snapshot_rows r WHERE {same})")
        } else {
            String::new()
        };
        format!(
            "({nulls} OR EXISTS (SELECT FROM {} r WHERE {same}){itself})",
            self.name
        )
    }

    /// The condition under which a row refers to the row that `other` stands for.
    pub fn same<'b>(&self, alias: impl Fn(&str) -> &'b str, other: &str) -> String {
        let conditions: Vec<String> = self
            .columns
            .iter()
            .zip(&self.others)
            .zip(&self.operators)
            .map(|((own, referenced), operator)| {
                let (alias, own) = (alias(own), quote_identifier(own));
                format!(
                    "{other}.{} {operator} {alias}.{own}",
                    quote_identifier(referenced)
                )
            })
            .collect();
        conditions.join(" AND ")
    }
}

/// The foreign keys of a table.
///
/// # Errors
/// None of its own.
pub fn references(table: pg_sys::Oid) -> Result<Vec<Reference>> {
    query::rows(
        "SELECT c.oid, c.relowner, pg_catalog.format('%I.%I', n.nspname, c.relname),
                u.own, u.others, u.operators
         FROM pg_catalog.pg_constraint k
         JOIN pg_catalog.pg_class c ON c.oid = k.confrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL (
             SELECT pg_catalog.array_agg(a.attname::text ORDER BY p.place) AS own,
                    pg_catalog.array_agg(b.attname::text ORDER BY p.place) AS others,
                    pg_catalog.array_agg(pg_catalog.format('OPERATOR(%I.%s)', s.nspname, o.oprname)
                                         ORDER BY p.place) AS operators
             FROM ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey),
                                 pg_catalog.unnest(k.conpfeqop))
                      WITH ORDINALITY AS p (own, other, op, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.own
             JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = p.other
             JOIN pg_catalog.pg_operator o ON o.oid = p.op
             JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace) u
         WHERE k.contype = 'f' AND k.conrelid = $1 AND c.oid <> 0
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint p
                           WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)
         ORDER BY k.conname",
        &[table.into()],
        |row| {
            Ok(Reference {
                table: row.get(1)?,
                owner: row.get(2)?,
                name: row.get(3)?,
                columns: row.get(4)?,
                others: row.get(5)?,
                operators: row.get(6)?,
            })
        },
    )
}
