//! Large objects lie outside all tables: a snapshot would hold their numbers and lose what they say. So a
//! table that refers to them is refused by name.

use pgrx::pg_sys;
use pgrx::spi::{quote_identifier, quote_literal};

use crate::error::{Error, Result};
use crate::pg::query;
use crate::snapshot::source::LiveTable;

/// Refuses when a column is of type `lo`, or is of type `oid` and holds numbers of large objects.
///
/// # Errors
/// 0A000, naming table and column.
pub fn refuse_large_objects(live: &LiveTable, site_id: &str) -> Result<()> {
    for column in live.columns.iter().filter(|column| !column.generated) {
        let name = &column.column.name;
        let refused = |detail: String| {
            Err(Error::not_supported(format!(
                "column \"{name}\" of table \"{}\" refers to large objects, which a snapshot can't hold",
                live.source.name
            ))
            .detail(detail)
            .hint("Keep such data in a column of type bytea, or take the table off the module's tables."))
        };
        // Types that come with the server have no need to be looked up.
        if column.kind.oid.to_u32() >= pg_sys::FirstNormalObjectId && is_lo(column.kind.oid)? {
            return refused("Values of type lo are the numbers of large objects.".to_owned());
        }
        if column.kind.oid == pg_sys::OIDOID && there_are_any()? {
            let count = count(live, name, site_id)?;
            if count > 0 {
                return refused(format!(
                    "{count} of its values are numbers of large objects."
                ));
            }
        }
    }
    Ok(())
}

/// Whether the type is `lo`, of the extension of that name or made by hand as it is there.
fn is_lo(kind: pg_sys::Oid) -> Result<bool> {
    query::one(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_type t
                        WHERE t.oid = $1 AND t.typname = 'lo' AND t.typtype = 'd'
                          AND t.typbasetype = 'pg_catalog.oid'::pg_catalog.regtype)",
        &[kind.into()],
        |row| row.get(1),
    )
}

fn there_are_any() -> Result<bool> {
    query::one(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)",
        &[],
        |row| row.get(1),
    )
}

fn count(live: &LiveTable, column: &str, site_id: &str) -> Result<i64> {
    let site = live.site_condition("t", &quote_literal(site_id))?;
    let query = format!(
        "SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata m
         JOIN (SELECT t.{} FROM {} AS t{site}) AS v (number) ON v.number = m.oid",
        quote_identifier(column),
        live.table_item()
    );
    live.as_owner(|| query::one(&query, &[], |row| row.get(1)))
}
