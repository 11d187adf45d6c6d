//! Deletions that would reach further than the rows a restore may touch.

use pgrx::pg_sys;
use pgrx::spi::{quote_identifier, quote_literal};

use crate::error::{Error, Result};
use crate::pg::query;
use crate::snapshot::difference::{Difference, IS_LIVE_ROW};
use crate::snapshot::source::LiveTable;

/// A foreign key that does something to its own rows when the row they refer to is deleted.
struct Cascade {
    name: String,
    child: pg_sys::Oid,
    child_name: String,
    child_owner: pg_sys::Oid,
    action: String,
    /// `t.referenced = c.referring AND …`
    condition: String,
}

/// Refuses when deleting the rows that a snapshot doesn't have would delete or change rows that aren't
/// the site's rows of these tables, by ON DELETE CASCADE, SET NULL or SET DEFAULT.
///
/// # Errors
/// 2BP01, naming the tables.
pub fn refuse_cascades(
    differences: &mut [Difference<'_>],
    tables: &[&LiveTable],
    site_id: &str,
) -> Result<()> {
    let mut reasons = Vec::new();
    for difference in differences {
        if difference.live_rows.count() == 0 {
            continue;
        }
        for cascade in cascades(difference.live.oid)? {
            let inside = tables.iter().find(|table| table.oid == cascade.child);
            let rows = reached(difference, &cascade, inside.copied(), site_id)?;
            if rows != Some(0) {
                reasons.push(describe(difference.live, &cascade, rows));
            }
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Error::still_needed("restoring would delete rows that others depend on")
        .detail(reasons.join(" "))
        .hint("Nothing was changed. Restore those tables too, or delete or re-point their rows first."))
}

fn describe(live: &LiveTable, cascade: &Cascade, rows: Option<u64>) -> String {
    let rows = match rows {
        None => "Rows".to_owned(),
        Some(1) => "1 row".to_owned(),
        Some(rows) => format!("{rows} rows"),
    };
    format!(
        "{rows} of table {} would be {} by foreign key \"{}\" with rows of table \"{}\" that the snapshot doesn't have.",
        cascade.child_name, cascade.action, cascade.name, live.source.name
    )
}

/// How many rows outside would be reached; `None` when the table is another owner's and can't be read.
fn reached(
    difference: &mut Difference<'_>,
    cascade: &Cascade,
    inside: Option<&LiveTable>,
    site_id: &str,
) -> Result<Option<u64>> {
    let outside = match inside {
        // All rows of the table are in the snapshot: those that go are meant to go.
        Some(table) if table.source.site_column.is_none() => return Ok(Some(0)),
        Some(table) => {
            let site = table.site_condition("c", &quote_literal(site_id))?;
            format!(" AND ({}) IS NOT TRUE", site.trim_start_matches(" WHERE "))
        }
        None => String::new(),
    };
    if !difference_is_deleting(difference)? {
        return Ok(Some(0));
    }
    if cascade.child_owner != difference.live.owner {
        return Ok(None);
    }
    let query = format!(
        "SELECT pg_catalog.count(*)::text FROM {} c
         WHERE EXISTS (SELECT FROM live_rows l
                       JOIN {} t ON {IS_LIVE_ROW}
                       WHERE {}{}){outside}",
        cascade.child_name,
        difference.live.table_item(),
        cascade.condition,
        not_in_snapshot(difference)
    );
    difference.ask(|session| session.count(&query)).map(Some)
}

fn not_in_snapshot(difference: &Difference<'_>) -> String {
    if !difference.has_key() {
        return String::new();
    }
    let same = difference.same_key("t", "s");
    format!(" AND NOT EXISTS (SELECT FROM snapshot_rows s WHERE {same})")
}

fn difference_is_deleting(difference: &mut Difference<'_>) -> Result<bool> {
    Ok(difference.count_pairs()? < difference.live_rows.count())
}

fn cascades(table: pg_sys::Oid) -> Result<Vec<Cascade>> {
    query::rows(
        "SELECT k.conname::text, c.oid, n.nspname::text, c.relname::text, c.relowner,
                CASE k.confdeltype WHEN 'c' THEN 'deleted' ELSE 'changed' END,
                (SELECT pg_catalog.string_agg(
                            pg_catalog.format('t.%I OPERATOR(%I.%s) c.%I',
                                              referenced.attname, o.nspname, p.oprname, referring.attname),
                            ' AND ')
                 FROM ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey),
                                 pg_catalog.unnest(k.conpfeqop)) AS u (own, other, op)
                 JOIN pg_catalog.pg_attribute referring
                      ON referring.attrelid = k.conrelid AND referring.attnum = u.own
                 JOIN pg_catalog.pg_attribute referenced
                      ON referenced.attrelid = k.confrelid AND referenced.attnum = u.other
                 JOIN pg_catalog.pg_operator p ON p.oid = u.op
                 JOIN pg_catalog.pg_namespace o ON o.oid = p.oprnamespace)
         FROM pg_catalog.pg_constraint k
         JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE k.contype = 'f' AND k.confrelid = $1 AND k.conparentid = 0
           AND k.confdeltype IN ('c', 'n', 'd')
         ORDER BY k.conname",
        &[table.into()],
        |row| {
            let (schema, name): (String, String) = (row.get(3)?, row.get(4)?);
            Ok(Cascade {
                name: row.get(1)?,
                child: row.get(2)?,
                child_name: format!("{}.{}", quote_identifier(schema), quote_identifier(name)),
                child_owner: row.get(5)?,
                action: row.get(6)?,
                condition: row.get(7)?,
            })
        },
    )
}
