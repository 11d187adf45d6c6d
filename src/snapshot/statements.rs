//! The statements that make a live table equal a snapshot's, over the row sets of a [`Difference`].

use pgrx::pg_sys;
use pgrx::spi::{quote_identifier, quote_literal};

use crate::error::Result;
use crate::pg::query;
use crate::snapshot::difference::{Difference, IS_LIVE_ROW};

/// Rows with more bytes are not updated but deleted and inserted again: a join for UPDATE carries each row
/// twice, and both together may not have 1 GB.
const UPDATED_MAX: usize = 400_000_000;

/// The condition on row `s` to be compared so with [`UPDATED_MAX`]; `None` where no row has so many bytes.
fn size_condition(difference: &Difference<'_>, comparison: &str) -> Option<String> {
    (difference.largest > UPDATED_MAX)
        .then(|| format!("pg_catalog.pg_column_size(s.*) {comparison} {UPDATED_MAX}"))
}

/// Deletes the live rows that the snapshot doesn't have.
pub fn delete(difference: &Difference<'_>) -> String {
    let kept = if difference.has_key() {
        format!(
            " AND NOT EXISTS (SELECT FROM snapshot_rows s WHERE {})",
            difference.same_key("t", "s")
        )
    } else {
        String::new()
    };
    format!(
        "DELETE FROM {} AS t USING live_rows l WHERE {IS_LIVE_ROW}{kept}",
        difference.live.table_item()
    )
}

/// Changes the live rows that the snapshot has otherwise, unless no row can be matched.
pub fn update(difference: &Difference<'_>) -> Option<String> {
    let live = difference.live;
    let assignments: Vec<String> = difference
        .columns
        .iter()
        .filter(|column| {
            live.column(&column.name)
                .is_some_and(|live| live.column.identity != "a")
        })
        .map(|column| {
            let name = quote_identifier(&column.name);
            format!("{name} = s.{name}")
        })
        .collect();
    if !difference.has_key() || assignments.is_empty() {
        return None;
    }
    let small = size_condition(difference, "<=")
        .map(|condition| format!(" AND {condition}"))
        .unwrap_or_default();
    Some(format!(
        "UPDATE {} AS t SET {} FROM live_rows l, snapshot_rows s
         WHERE {IS_LIVE_ROW} AND {}{small}",
        live.table_item(),
        assignments.join(", "),
        difference.same_key("t", "s")
    ))
}

/// Inserts the rows of the snapshot that are missing.
///
/// # Errors
/// 42704 when the site column isn't there.
pub fn insert(difference: &Difference<'_>, site_id: &str) -> Result<String> {
    let live = difference.live;
    let names: Vec<String> = difference
        .columns
        .iter()
        .map(|column| quote_identifier(&column.name))
        .collect();
    let values: Vec<String> = names.iter().map(|name| format!("s.{name}")).collect();
    let missing = if difference.has_key() {
        let site = live.site_condition("t", &quote_literal(site_id))?;
        let joint = if site.is_empty() { " WHERE" } else { " AND" };
        format!(
            " WHERE NOT EXISTS (SELECT FROM {} t{site}{joint} {})",
            live.table_item(),
            difference.same_key("t", "s")
        )
    } else {
        String::new()
    };
    let list = if names.is_empty() {
        String::new()
    } else {
        format!("({})", names.join(", "))
    };
    Ok(format!(
        "INSERT INTO {} {list} OVERRIDING SYSTEM VALUE SELECT {} FROM snapshot_rows s{missing}",
        live.source.qualified(),
        values.join(", ")
    ))
}

/// Deletes rows that are to change in a column of a unique index, so that two rows can swap their values, and
/// those that are too large to be updated: they are inserted again with those that are missing. Not where a foreign key acts on a deletion, even
/// one that is made good in the same statement: there, rows are only ever updated.
///
/// # Errors
/// None of its own.
pub fn delete_moved(difference: &Difference<'_>) -> Result<Option<String>> {
    if !difference.has_key() || is_acted_on(difference.live.oid)? {
        return Ok(None);
    }
    let unique = unique_columns(difference.live.oid)?;
    let names: Vec<String> = difference
        .columns
        .iter()
        .filter(|column| unique.contains(&column.name))
        .map(|column| quote_identifier(&column.name))
        .collect();
    let row = |alias: &str| {
        let columns: Vec<String> = names.iter().map(|name| format!("{alias}.{name}")).collect();
        format!("ROW({})::record", columns.join(", "))
    };
    let moved = (!names.is_empty()).then(|| format!("{} *<> {}", row("t"), row("s")));
    let conditions: Vec<String> = moved
        .into_iter()
        .chain(size_condition(difference, ">"))
        .collect();
    if conditions.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!(
        "DELETE FROM {} AS t USING live_rows l, snapshot_rows s
         WHERE {IS_LIVE_ROW} AND {} AND ({})",
        difference.live.table_item(),
        difference.same_key("t", "s"),
        conditions.join(" OR ")
    )))
}

/// The columns that unique indexes and exclusion constraints, primary keys left out, look at; all where
/// one has an expression or a condition. Deferrable ones look when all rows are in place.
fn unique_columns(table: pg_sys::Oid) -> Result<Vec<String>> {
    query::rows(
        "SELECT DISTINCT a.attname::text
         FROM pg_catalog.pg_index i
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid
              AND (a.attnum = ANY (i.indkey::int2[]) OR i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
         WHERE i.indrelid = $1 AND (i.indisunique OR i.indisexclusion) AND NOT i.indisprimary
           AND i.indimmediate AND a.attnum > 0 AND NOT a.attisdropped",
        &[table.into()],
        |row| row.get(1),
    )
}

/// Whether a foreign key to the table does more, when a row is deleted, than look at the end whether
/// somebody misses it.
fn is_acted_on(table: pg_sys::Oid) -> Result<bool> {
    query::one(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                        WHERE k.contype = 'f' AND k.confrelid = $1 AND k.confdeltype <> 'a')",
        &[table.into()],
        |row| row.get(1),
    )
}
