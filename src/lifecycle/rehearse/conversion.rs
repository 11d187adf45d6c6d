//! What the USING of a script back makes of values that nobody has written yet: tried with some that lie close
//! to each other.

use std::collections::BTreeSet;

use pgrx::spi;
use versioning_core::clause::conversion;
use versioning_core::effect::{Effect, ObjectName};
use versioning_core::model::Direction;
use versioning_core::rehearsal::probe::probes;

use super::in_between::resolved;
use super::subject::Subject;
use crate::error::{Error, Result};
use crate::lifecycle::store::destruction::column;
use crate::lifecycle::store::rehearse::all_differ;
use crate::migration::check;
use crate::pg::identity::{Restriction, run_as};
use crate::pg::scope::with_settings;
use crate::pg::steady;
use crate::pg::subtransaction::in_subtransaction;

/// A column and how it is converted.
struct Using<'a> {
    table: &'a ObjectName,
    column: &'a str,
    new_type: &'a str,
    expression: String,
}

/// The columns that the scripts back convert by an expression that makes no two of the tried values one, by
/// table and name. Only one ALTER TABLE of a column can be tried so.
///
/// # Errors
/// Only broken expectations.
pub fn faithful(subject: &Subject) -> Result<BTreeSet<(u32, String)>> {
    let mut found = BTreeSet::new();
    let (Some(back), Direction::Up) = (&subject.back, subject.direction) else {
        return Ok(found);
    };
    let mut refuted = BTreeSet::new();
    for script in back {
        let Ok(statements) = check::described(script.name, &script.sql) else {
            return Ok(BTreeSet::new());
        };
        for described in &statements {
            let statement = &described.statement;
            for effect in &statement.effects {
                let Effect::AlterColumnType {
                    table,
                    column,
                    new_type,
                    ..
                } = effect
                else {
                    continue;
                };
                let Some(live) = resolved(subject, table)? else {
                    continue;
                };
                let key = (live.oid.to_u32(), column.clone());
                let keeps = match conversion(&statement.text) {
                    Some(expression) => keeps_apart(
                        subject,
                        &Using {
                            table,
                            column,
                            new_type,
                            expression,
                        },
                    )?,
                    None => false,
                };
                if !keeps || !found.insert(key.clone()) {
                    refuted.insert(key);
                }
            }
        }
    }
    Ok(found.difference(&refuted).cloned().collect())
}

fn keeps_apart(subject: &Subject, using: &Using<'_>) -> Result<bool> {
    let Some(live) = resolved(subject, using.table)? else {
        return Ok(false);
    };
    let Some(old) = column(live.oid, using.column)? else {
        return Ok(false);
    };
    let Some(values) = probes(&old.type_name) else {
        return Ok(false);
    };
    let query = format!(
        "SELECT pg_catalog.count(DISTINCT tried.result) = pg_catalog.count(*) FROM (SELECT (({})::{})::pg_catalog.text AS result
         FROM (SELECT given.value::{} AS {} FROM pg_catalog.unnest($1) AS given (value)) AS {}) AS tried",
        using.expression,
        using.new_type,
        old.type_name,
        spi::quote_identifier(using.column),
        spi::quote_identifier(&using.table.name),
    );
    let search_path = format!("{}, pg_temp", spi::quote_identifier(&subject.schema));
    let settings = [
        ("search_path", search_path.as_str()),
        ("standard_conforming_strings", "on"),
    ];
    run_as(subject.owner, Restriction::RestrictedOperation, || {
        with_settings(&settings, || {
            let tried = in_subtransaction(|| {
                if !steady::only_computes(&query, &[pgrx::pg_sys::TEXTARRAYOID])? {
                    return Ok(false);
                }
                all_differ(&query, values)
            });
            match tried {
                // An expression over more than the column, or that some value is no input for.
                Err(Error::Raised(_)) => Ok(false),
                tried => tried,
            }
        })
    })
}
