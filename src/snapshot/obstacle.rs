//! What stands in the way of a restore and isn't the snapshot's fault: said with the table, the cause and the way
//! out, where PostgreSQL's own words leave one of them out.

use pgrx::prelude::PgSqlErrorCode;
use versioning_core::snapshot::manifest::Table;

use crate::error::{Error, Result};
use crate::pg::identity::as_extension_owner;
use crate::pg::subtransaction::in_subtransaction;
use crate::pg::{interrupt, lock_wait, query};
use crate::settings;
use crate::snapshot::source::LiveTable;

/// Waits for a table's lock, and names the table and who holds it when that takes too long.
///
/// # Errors
/// 55P03, and what `wait` returns.
pub fn within_timeout<R>(table: &str, wait: impl FnOnce() -> Result<R>) -> Result<R> {
    match interrupt::watching(|| in_subtransaction(wait)) {
        Err(error) if error.code() == PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE => {
            let busy = Error::busy(format!("table \"{table}\" is locked by another session"));
            Err(busy
                .detail(waited()?)
                .hint("Nothing was changed. Try again, or raise module_versioning.lock_timeout."))
        }
        other => other,
    }
}

fn waited() -> Result<String> {
    let holder = as_extension_owner(|| interrupt::waited_for().map(lock_wait::holder).transpose())?;
    let timeout = settings::lock_timeout();
    Ok(lock_wait::detail(None, timeout, holder.flatten()))
}

/// The error with the table it is about, and with a hint.
///
/// # Errors
/// None of its own.
pub fn explained(tables: &[(&Table, Option<LiveTable>)], error: Error) -> Result<Error> {
    let Some(hint) = hint(&error.sqlstate()) else {
        return Ok(error);
    };
    let words = error.words();
    let mut detail: Vec<String> = words.detail.iter().cloned().collect();
    if let Some(table) = constrained(tables, &words.message)?
        && !words.message.contains(&table)
    {
        detail.push(format!("The constraint is that of table {table}."));
    }
    let hint = words.hint.clone().unwrap_or_else(|| hint.to_owned());
    let error = error.hint(hint);
    Ok(if detail.is_empty() {
        error
    } else {
        error.detail(detail.join(" "))
    })
}

fn hint(sqlstate: &str) -> Option<&'static str> {
    Some(match sqlstate {
        "23505" | "23P01" => {
            "Nothing was changed. Another row, perhaps one of another site, has what a row of the snapshot needs: change or delete that row first."
        }
        "23503" => {
            "Nothing was changed. Rows of the snapshot refer to rows that are not there, or rows that are not in it to rows that would go: restore the other table too, by naming it in tables or by passing NULL for all, or change the rows of one that is not in the snapshot."
        }
        "23502" | "23514" => {
            "Nothing was changed. The table does not take rows that it took when the snapshot was taken: drop what refuses them, or roll the module back to the snapshot's version first."
        }
        "40001" | "40P01" => "Nothing was changed. Others changed the rows meanwhile: try again.",
        _ => return None,
    })
}

/// The table that has a constraint or index which the message names.
fn constrained(tables: &[(&Table, Option<LiveTable>)], message: &str) -> Result<Option<String>> {
    for (table, live) in tables {
        let Some(live) = live else { continue };
        let names: Vec<String> = query::rows(
            "SELECT i.relname::text FROM pg_catalog.pg_index x
             JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
             WHERE x.indrelid IN (SELECT $1::oid UNION ALL
                                  SELECT t.relid::oid FROM pg_catalog.pg_partition_tree($1::oid::pg_catalog.regclass) t)",
            &[live.oid.into()],
            |row| row.get(1),
        )?;
        let is_named = |name: &String| message.contains(&format!("\"{name}\""));
        if names.iter().any(is_named) {
            return Ok(Some(format!("\"{}\"", table.name)));
        }
    }
    Ok(None)
}
