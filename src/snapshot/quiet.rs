//! Keeps triggers and rules of the tables from acting while rows are put back: a snapshot's rows are
//! already what they made of them. The server's own triggers, which check foreign keys, stay.

use std::collections::BTreeMap;

use pgrx::pg_sys;
use pgrx::spi::quote_identifier;

use crate::error::Result;
use crate::pg::identity::{Restriction, run_as};
use crate::pg::query;
use crate::snapshot::source::LiveTable;

struct Silenced {
    owner: pg_sys::Oid,
    /// `ALTER TABLE ONLY …`, without the action.
    table: String,
    disable: String,
    enable: String,
}

/// Runs `body` with the user's triggers and rules on the tables disabled and their deferrable constraints
/// immediate, then puts all back as it was. Must run in a subtransaction that is rolled back on errors.
///
/// # Errors
/// What `body` returns; PostgreSQL's own are raised, 55006 when a table is in use by a query of this
/// session.
pub fn quietly<R>(tables: &[&LiveTable], body: impl FnOnce() -> Result<R>) -> Result<R> {
    let deferrable = deferrable_constraints(tables)?;
    set_constraints(deferrable.iter(), "IMMEDIATE")?;
    let mut silenced = Vec::new();
    for table in tables {
        silenced.extend(active(table)?);
    }
    for found in &silenced {
        alter(found, &found.disable)?;
    }
    let result = body()?;
    for found in &silenced {
        alter(found, &found.enable)?;
    }
    set_constraints(
        deferrable.iter().filter(|found| found.is_deferred),
        "DEFERRED",
    )?;
    Ok(result)
}

fn alter(found: &Silenced, action: &str) -> Result<()> {
    run_as(found.owner, Restriction::RestrictedOperation, || {
        query::run(&format!("{} {action}", found.table), &[]).map(|_| ())
    })
}

/// The triggers and rules that would act, on the table and its partitions.
fn active(table: &LiveTable) -> Result<Vec<Silenced>> {
    query::rows(
        "WITH part AS (
             SELECT $1::oid AS oid
             UNION SELECT t.relid::oid FROM pg_catalog.pg_partition_tree($1::oid::pg_catalog.regclass) t),
         silenced AS (
             SELECT t.tgrelid AS oid, 'TRIGGER ' || pg_catalog.quote_ident(t.tgname) AS what,
                    t.tgenabled::text AS state
             FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal
             UNION ALL
             SELECT r.ev_class, 'RULE ' || pg_catalog.quote_ident(r.rulename), r.ev_enabled::text
             FROM pg_catalog.pg_rewrite r WHERE r.ev_type <> '1')
         SELECT c.relowner,
                pg_catalog.format('ALTER TABLE ONLY %I.%I', n.nspname, c.relname),
                'DISABLE ' || s.what,
                'ENABLE ' || CASE WHEN s.state = 'A' THEN 'ALWAYS '
                                  WHEN s.state = 'R' THEN 'REPLICA ' ELSE '' END || s.what
         FROM part p JOIN silenced s ON s.oid = p.oid
         JOIN pg_catalog.pg_class c ON c.oid = p.oid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE s.state <> 'D'
         ORDER BY c.oid, s.what",
        &[table.oid.into()],
        |row| {
            Ok(Silenced {
                owner: row.get(1)?,
                table: row.get(2)?,
                disable: row.get(3)?,
                enable: row.get(4)?,
            })
        },
    )
}

struct Deferrable {
    owner: pg_sys::Oid,
    name: String,
    is_deferred: bool,
}

fn deferrable_constraints(tables: &[&LiveTable]) -> Result<Vec<Deferrable>> {
    let oids: Vec<pg_sys::Oid> = tables.iter().map(|table| table.oid).collect();
    query::rows(
        "SELECT DISTINCT c.relowner, pg_catalog.format('%I.%I', n.nspname, k.conname), k.condeferred
         FROM pg_catalog.pg_constraint k
         JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
         WHERE k.condeferrable AND k.contype IN ('f', 'u', 'p', 'x')
           AND (k.conrelid = ANY ($1) OR k.confrelid = ANY ($1))
         ORDER BY 1, 2",
        &[oids.into()],
        |row| {
            Ok(Deferrable {
                owner: row.get(1)?,
                name: row.get(2)?,
                is_deferred: row.get(3)?,
            })
        },
    )
}

/// What is pending runs now, as the owner of the table it belongs to: it may be code of that owner.
fn set_constraints<'a>(
    constraints: impl Iterator<Item = &'a Deferrable>,
    mode: &str,
) -> Result<()> {
    let mut by_owner: BTreeMap<u32, (pg_sys::Oid, Vec<&str>)> = BTreeMap::new();
    for constraint in constraints {
        let (_, names) = by_owner
            .entry(constraint.owner.to_u32())
            .or_insert((constraint.owner, Vec::new()));
        names.push(&constraint.name);
    }
    for (owner, names) in by_owner.into_values() {
        run_as(owner, Restriction::RestrictedOperation, || {
            query::run(&format!("SET CONSTRAINTS {} {mode}", names.join(", ")), &[]).map(|_| ())
        })?;
    }
    Ok(())
}

/// A literal of the SQL type `regclass` for a sequence or table.
pub fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quote_identifier(schema), quote_identifier(name))
}
