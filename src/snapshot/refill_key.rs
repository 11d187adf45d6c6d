//! By which columns rows are matched: a key that the table has in every state that is compared.

use pgrx::pg_sys;
use versioning_core::rekeying::Rekeying;
use versioning_core::snapshot::manifest::{Column, Table};

use crate::error::Result;
use crate::pg::query;
use crate::snapshot::refill_side::Compared;
use crate::snapshot::source::{KeyColumn, LiveTable};

/// The keys of a table by which any of its rows can be told from every other: the primary key first.
///
/// # Errors
/// None of its own.
pub fn keys(table: pg_sys::Oid) -> Result<Vec<Vec<KeyColumn>>> {
    let columns: Vec<(pg_sys::Oid, KeyColumn)> = query::rows(
        "SELECT i.indexrelid, a.attname::text,
                pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname)
         FROM pg_catalog.pg_index i
         CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(i.indkey::int2[]), pg_catalog.unnest(i.indclass::oid[]))
             WITH ORDINALITY AS k (number, class, place)
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
         JOIN pg_catalog.pg_opclass c ON c.oid = k.class
         JOIN pg_catalog.pg_amop p ON p.amopfamily = c.opcfamily AND p.amopmethod = c.opcmethod
              AND p.amopstrategy = 3 AND p.amoplefttype = c.opcintype
              AND p.amoprighttype = c.opcintype
         JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr
         JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
         WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND k.place <= i.indnkeyatts
           AND i.indpred IS NULL AND i.indexprs IS NULL
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute o
                           WHERE o.attrelid = i.indrelid AND NOT o.attnotnull
                             AND o.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
         ORDER BY i.indisprimary DESC, i.indexrelid, k.place",
        &[table.into()],
        |row| {
            Ok((
                row.get(1)?,
                KeyColumn {
                    name: row.get(2)?,
                    operator: row.get(3)?,
                },
            ))
        },
    )?;
    let mut found: Vec<(pg_sys::Oid, Vec<KeyColumn>)> = Vec::new();
    for (index, column) in columns {
        match found.last_mut() {
            Some((last, key)) if *last == index => key.push(column),
            _ => found.push((index, vec![column])),
        }
    }
    Ok(found.into_iter().map(|(_, key)| key).collect())
}

/// Whether the rows of all states can be matched by a key of the live table.
pub fn is_common(key: &[KeyColumn], live: &LiveTable, compared: &Compared<'_>) -> bool {
    key.iter().all(|key| {
        let states = compared.states(&key.name);
        let is_readable = |column: &&Column| reads_as(column, &key.name, live);
        states.len() == compared.count() && states.iter().all(is_readable)
    })
}

/// Whether scripts overwrite values of a key.
pub fn is_written(rekeying: &Rekeying, table: &str, key: &[KeyColumn]) -> bool {
    key.iter().any(|key| rekeying.writes(table, &key.name))
}

/// Whether a table in a snapshot has all columns of a key.
pub fn has(table: &Table, key: &[KeyColumn], live: &LiveTable) -> bool {
    key.iter().all(|key| {
        let mut columns = table.columns.iter();
        columns.any(|column| column.name == key.name && reads_as(column, &key.name, live))
    })
}

const NUMBERS: [&str; 3] = ["smallint", "integer", "bigint"];

/// Whether values of a column can be those of the live column of that name.
fn reads_as(column: &Column, name: &str, live: &LiveTable) -> bool {
    let Some(live) = live.column(name) else {
        return false;
    };
    let (from, to) = (column.type_name.as_str(), live.column.type_name.as_str());
    from == to
        || ["text", "character varying"].contains(&to)
        || [from, to].iter().all(|name| NUMBERS.contains(name))
}
