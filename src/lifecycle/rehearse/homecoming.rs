//! What the scripts back carry home of what people write in between, by their text and the tables that are
//! there after the scripts there.

use versioning_core::content::{Carried, Name};
use versioning_core::effect::ObjectName;
use versioning_core::model::Direction;
use versioning_core::rehearsal::homecoming::{
    CarriedColumn, CarriedTable, Homecoming, calls_clashes,
};

use super::in_between::resolved;
use super::subject::Subject;
use crate::error::Result;
use crate::lifecycle::store::destruction::column;
use crate::lifecycle::store::table::LiveTable;
use crate::migration::check;

/// What they carry home.
///
/// # Errors
/// Only broken expectations.
pub fn carried(subject: &Subject) -> Result<Carried> {
    let mut carried = Carried::default();
    let (Some(back), Direction::Up) = (&subject.back, subject.direction) else {
        return Ok(carried);
    };
    let mut scripts = Vec::new();
    for script in back {
        // What can't be read fails when it runs, and is told then.
        let Ok(statements) = check::described(script.name, &script.sql) else {
            return Ok(carried);
        };
        scripts.push(statements);
    }
    let found = Homecoming::of(scripts.iter().map(Vec::as_slice));
    carried.all_hesitate = found.hides_clashes;
    for script in &subject.forward {
        let made = check::described(script.name, &script.sql).unwrap_or_default();
        let mut back = scripts.iter();
        carried.all_hesitate |= back.any(|calling| calls_clashes(&made, calling));
    }
    for table in &found.hesitant {
        if let Some(live) = resolved(subject, table)? {
            carried.hesitant.insert(name(&live));
        }
    }
    for one in &found.columns {
        if let Some(live) = column_of(subject, one)? {
            carried.columns.insert((name(&live), one.column.clone()));
        }
    }
    for one in &found.tables {
        if let Some(live) = table_of(subject, one)? {
            carried.tables.insert(name(&live));
        }
    }
    Ok(carried)
}

/// The table's name as losses have it.
pub fn name(table: &LiveTable) -> Name {
    Name {
        schema: table.schema.clone(),
        name: table.name.clone(),
    }
}

/// The table, if the column's values fit where they are put as they are.
fn column_of(subject: &Subject, one: &CarriedColumn) -> Result<Option<LiveTable>> {
    let Some(live) = resolved(subject, &one.table)? else {
        return Ok(None);
    };
    let fits = has_same_type((&live, &one.column), (&live, &one.into))?;
    Ok(fits.then_some(live))
}

/// The table, if all of its columns are put into columns of the same names and types.
fn table_of(subject: &Subject, one: &CarriedTable) -> Result<Option<LiveTable>> {
    let find = |name: &ObjectName| resolved(subject, name);
    let (Some(live), Some(into)) = (find(&one.table)?, find(&one.into)?) else {
        return Ok(None);
    };
    for column in &live.stored_columns {
        let is_listed = one
            .columns
            .as_ref()
            .is_none_or(|listed| listed.contains(column));
        if !is_listed || !has_same_type((&live, column), (&into, column))? {
            return Ok(None);
        }
    }
    Ok(Some(live))
}

fn has_same_type(one: (&LiveTable, &str), other: (&LiveTable, &str)) -> Result<bool> {
    let (one, other) = (column(one.0.oid, one.1)?, column(other.0.oid, other.1)?);
    Ok(one
        .zip(other)
        .is_some_and(|(one, other)| one.type_name == other.type_name))
}
