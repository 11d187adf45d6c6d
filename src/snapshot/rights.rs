//! Rights that the owner of a table has taken from itself, as is done for tables that nobody is to change. Rows
//! are read and written as the owner, so they are missed.

use pgrx::pg_sys;

use crate::error::{Error, Result};
use crate::pg::identity::role_name;
use crate::pg::query;
use crate::snapshot::source::{LiveTable, TableSource};

/// The rights to the rows of a table that its owner has not.
///
/// # Errors
/// None of its own.
fn missing(table: pg_sys::Oid, owner: pg_sys::Oid) -> Result<Vec<String>> {
    query::rows(
        "SELECT r FROM pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS r (r, n)
         WHERE NOT pg_catalog.has_table_privilege($1::oid, $2::oid, r.r) ORDER BY r.n",
        &[owner.into(), table.into()],
        |row| row.get(1),
    )
}

/// The error for a table whose owner lacks rights to it.
///
/// # Errors
/// None of its own.
pub fn refusal(source: &TableSource, table: pg_sys::Oid, owner: pg_sys::Oid) -> Result<Error> {
    let (rights, owner) = (missing(table, owner)?.join(", "), role_name(owner));
    Ok(Error::not_allowed(format!(
        "owner \"{owner}\" of table \"{}\" lacks rights to its rows",
        source.name
    ))
    .detail(format!(
        "Rows are read and written as the table's owner, who has no right to {rights}."
    ))
    .hint(format!(
        "GRANT {rights} ON {} TO {}, at least for the time being.",
        source.qualified(),
        pgrx::spi::quote_identifier(owner)
    )))
}

/// The error that names the first of the tables whose owner lacks rights to it.
///
/// # Errors
/// None of its own.
pub fn refusal_of_one<'a>(tables: impl Iterator<Item = &'a LiveTable>) -> Result<Option<Error>> {
    for live in tables {
        if !missing(live.oid, live.owner)?.is_empty() {
            return refusal(&live.source, live.oid, live.owner).map(Some);
        }
    }
    Ok(None)
}
