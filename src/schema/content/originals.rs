//! Which tables are worth reading in search of rows that are gone: those that are called copies, and those of
//! which a look at a few rows says that they may hold the same.

use versioning_core::content::{Kept, is_table_copy, share_held};

use super::form::{Forms, Labels};
use super::reading::Reader;
use super::{Images, number};
use crate::error::Result;
use crate::schema::store::content::{self as store, Neighbour};

/// How many rows of a table are looked at.
const MOST_ROWS: u32 = 200;

/// How many tables are looked at.
const MOST_NEIGHBOURS: usize = 64;

/// How many of them are read, besides those that are called copies.
const MOST_READ: usize = 2;

/// How many of a hundred rows that were looked at must be among those that are gone.
const LEAST_SHARE: usize = 25;

/// The tables of the same schema that may hold the rows of one.
///
/// # Errors
/// As [`super::keep`].
pub fn of(kept: &Kept, images: &Images, labels: &Labels, forms: &Forms) -> Result<Vec<u32>> {
    let columns = &kept.image.columns;
    if !kept.image.has_values() {
        return Ok(Vec::new());
    }
    let is_known = |oid: u32| images.tables.iter().any(|kept| kept.oid == oid);
    let named = |one: &Neighbour| {
        let is_there = |name: &String| columns.iter().any(|column| column.name == *name);
        one.columns.iter().filter(|name| is_there(name)).count()
    };
    let mut neighbours = store::neighbours(&kept.name.schema)?;
    neighbours
        .retain(|one| !is_known(number(one.oid)) && one.columns.len() >= columns.len().min(2));
    neighbours.sort_by_key(|one| (usize::MAX - named(one), number(one.oid)));
    let (mut found, mut likely) = (Vec::new(), Vec::new());
    for one in neighbours.iter().take(MOST_NEIGHBOURS) {
        pgrx::check_for_interrupts!();
        if is_table_copy(&one.name, &kept.name.name) {
            found.push(number(one.oid));
            continue;
        }
        let share = share_of(one, kept, images, labels, forms)?;
        if share >= LEAST_SHARE {
            likely.push((100 - share.min(100), number(one.oid)));
        }
    }
    likely.sort_unstable();
    found.extend(likely.into_iter().take(MOST_READ).map(|(_, oid)| oid));
    Ok(found)
}

fn share_of(
    one: &Neighbour,
    kept: &Kept,
    images: &Images,
    labels: &Labels,
    forms: &Forms,
) -> Result<usize> {
    let mut room = usize::MAX;
    let mut reader = Reader {
        secret: &images.secret,
        labels,
        room: &mut room,
        with_parts: false,
        most_rows: Some(MOST_ROWS),
    };
    for table in store::tables(&[one.oid])? {
        // Whoever can't read it says nothing about it.
        if let Ok(peek) = reader.read_somehow(&table, forms) {
            return Ok(share_held(&kept.image, &peek.image));
        }
    }
    Ok(0)
}
