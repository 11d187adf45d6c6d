//! Sequences: which of them belong to a snapshot, where they stand, and how they are put back.

use pgrx::pg_sys;
use pgrx::spi::quote_identifier;
use versioning_core::snapshot::manifest::{Manifest, Sequence, Table};

use crate::error::Result;
use crate::pg::identity::{Restriction, run_as};
use crate::pg::query::{self, Row};
use crate::snapshot::quiet::qualified;
use crate::snapshot::source::LiveTable;

/// A sequence as it stands now.
struct LiveSequence {
    now: Sequence,
    owner: pg_sys::Oid,
    /// Whether it belongs to a column; else others may take numbers from it too.
    is_owned: bool,
}

/// The sequences that the table's columns own, and those of the same owner that their defaults use.
///
/// # Errors
/// None of its own.
pub fn of_table(live: &LiveTable) -> Result<Vec<Sequence>> {
    Ok(standing(live)?.into_iter().map(|one| one.now).collect())
}

/// The sequences of the schema that no column owns.
///
/// # Errors
/// None of its own.
pub fn of_schema(schema: &str) -> Result<Vec<Sequence>> {
    let free = free_standing(schema)?;
    Ok(free.into_iter().map(|one| one.now).collect())
}

/// Puts the sequences that the table's columns own back to where they were when the snapshot was taken.
/// One that several sites share only ever moves forward, as does one that other tables may use.
///
/// # Errors
/// None of its own.
pub fn put_back(table: &Table, live: &LiveTable) -> Result<()> {
    let is_own = live.source.site_column.is_none();
    for one in standing(live)? {
        move_to(&table.sequences, &one, is_own && one.is_owned)?;
    }
    Ok(())
}

/// Moves the sequences on to where they were, where they are behind.
///
/// # Errors
/// None of its own.
pub fn move_forward(table: &Table, live: &LiveTable) -> Result<()> {
    for one in standing(live)? {
        move_to(&table.sequences, &one, false)?;
    }
    Ok(())
}

/// Puts the sequences of the site's schema that no column owns back to where they were.
///
/// # Errors
/// None of its own.
pub fn put_back_of_schema(manifest: &Manifest, schema: &str) -> Result<()> {
    if manifest.sequences.is_empty() {
        return Ok(());
    }
    for one in free_standing(schema)? {
        move_to(&manifest.sequences, &one, true)?;
    }
    Ok(())
}

fn move_to(then: &[Sequence], live: &LiveSequence, also_back: bool) -> Result<()> {
    let now = &live.now;
    let same = |was: &&Sequence| (&was.schema, &was.name) == (&now.schema, &now.name);
    let Some(was) = then.iter().find(same) else {
        return Ok(());
    };
    let (is, was_at) = (
        (now.last_value, now.is_called),
        (was.last_value, was.is_called),
    );
    if was_at > is || (also_back && was_at != is) {
        run_as(live.owner, Restriction::RestrictedOperation, || set(was))?;
    }
    Ok(())
}

/// `setval` alone would stay when the transaction is rolled back; after ALTER SEQUENCE it acts on the new
/// file of the sequence, which only this transaction sees.
fn set(sequence: &Sequence) -> Result<()> {
    let name = qualified(&sequence.schema, &sequence.name);
    query::run(&format!("ALTER SEQUENCE {name} RESTART"), &[])?;
    query::run(
        "SELECT pg_catalog.setval($1::pg_catalog.regclass, $2, $3)",
        &[
            name.into(),
            sequence.last_value.into(),
            sequence.is_called.into(),
        ],
    )?;
    Ok(())
}

/// What is found of a sequence in the catalog.
type Found = (String, String, String, pg_sys::Oid, bool);

fn found(row: &Row<'_>) -> Result<Found> {
    Ok((
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
    ))
}

/// A default may take numbers from a sequence of somebody else's: that one is none of the table's.
fn standing(live: &LiveTable) -> Result<Vec<LiveSequence>> {
    read(query::rows(
        "SELECT DISTINCT ON (n.nspname::text COLLATE \"C\", s.relname::text COLLATE \"C\")
                n.nspname::text, s.relname::text, a.attname::text, s.relowner, used.is_owned
         FROM (SELECT d.objid AS sequence, d.refobjsubid AS number, true AS is_owned
               FROM pg_catalog.pg_depend d
               WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                 AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                 AND d.refobjid = $1 AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
               UNION ALL
               SELECT d.refobjid, f.adnum, false
               FROM pg_catalog.pg_attrdef f
               JOIN pg_catalog.pg_depend d
                    ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid
                   AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
               WHERE f.adrelid = $1) AS used
         JOIN pg_catalog.pg_class s ON s.oid = used.sequence AND s.relkind = 'S' AND s.relpersistence <> 't'
              AND (used.is_owned OR s.relowner = $2)
         JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
         JOIN pg_catalog.pg_attribute a ON a.attrelid = $1 AND a.attnum = used.number
         ORDER BY n.nspname::text COLLATE \"C\", s.relname::text COLLATE \"C\", used.is_owned DESC, a.attnum",
        &[live.oid.into(), live.owner.into()],
        found,
    )?)
}

fn free_standing(schema: &str) -> Result<Vec<LiveSequence>> {
    read(query::rows(
        "SELECT n.nspname::text, s.relname::text, '', s.relowner, false
         FROM pg_catalog.pg_class s JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
         WHERE n.nspname = $1 AND s.relkind = 'S' AND s.relpersistence <> 't'
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                           WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = s.oid
                             AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                             AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i'))
         ORDER BY s.relname::text COLLATE \"C\"",
        &[schema.into()],
        found,
    )?)
}

fn read(found: Vec<Found>) -> Result<Vec<LiveSequence>> {
    found.into_iter().map(state).collect()
}

fn state((schema, name, column, owner, is_owned): Found) -> Result<LiveSequence> {
    let query = format!(
        "SELECT s.last_value, s.is_called FROM {}.{} s",
        quote_identifier(&schema),
        quote_identifier(&name)
    );
    let (last_value, is_called) = run_as(owner, Restriction::RestrictedOperation, || {
        query::one(&query, &[], |row| Ok((row.get(1)?, row.get(2)?)))
    })?;
    Ok(LiveSequence {
        now: Sequence {
            schema,
            name,
            column,
            last_value,
            is_called,
        },
        owner,
        is_owned,
    })
}
