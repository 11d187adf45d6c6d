//! What the rows of a table hold in columns that were added with a constant default: nobody has written it
//! there, and in a snapshot it looks like any other value.

use std::collections::BTreeMap;

use pgrx::spi::quote_literal;
use versioning_core::snapshot::manifest::Encoding;

use crate::error::Result;
use crate::pg::query;
use crate::snapshot::restore::pinned;
use crate::snapshot::source::{LiveColumn, Lock, TableSource};

/// The bytes that a snapshot has for the defaults of these columns.
///
/// # Errors
/// 55P03 when the lock isn't to be had in time; what the types raise.
pub fn of_table(source: &TableSource, names: &[String]) -> Result<BTreeMap<String, Vec<u8>>> {
    pinned(|| {
        let mut found = BTreeMap::new();
        let Some(live) = source.lock(Lock::Read)? else {
            return Ok(found);
        };
        let wanted = live
            .columns
            .iter()
            .filter(|live| names.contains(&live.column.name));
        for column in wanted {
            if let Some(value) = &column.missing_value {
                let bytes = live.as_owner(|| bytes(column, value))?;
                found.insert(column.column.name.clone(), bytes);
            }
        }
        Ok(found)
    })
}

fn bytes(column: &LiveColumn, value: &str) -> Result<Vec<u8>> {
    if column.column.encoding == Encoding::Text {
        return Ok(value.as_bytes().to_vec());
    }
    let send: String = query::one(
        "SELECT pg_catalog.format('%I.%I', n.nspname, p.proname)
         FROM pg_catalog.pg_type t JOIN pg_catalog.pg_proc p ON p.oid = t.typsend
         JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE t.oid = $1",
        &[column.kind.oid.into()],
        |row| row.get(1),
    )?;
    let query = format!(
        "SELECT {send}(CAST({} AS {}))",
        quote_literal(value),
        column.column.type_name
    );
    query::one(&query, &[], |row| row.get(1))
}
