//! Rows that are found as a whole in other tables.

use std::collections::BTreeSet;

use super::super::comparison::Standing;
use super::super::family::Family;
use super::super::image::{Image, NULL, Value, combined};
use super::super::multimap::Multimap;
use super::link::{follow, index_of, links};
use super::{Elsewhere, Place, best_column};

impl Elsewhere<'_> {
    /// Rows that stand in a table with columns of the same names.
    pub(super) fn rows_by_name(
        &self,
        place: &Place<'_>,
        before: &Image,
        gone: &[u32],
        columns: &[usize],
        saved: &mut BTreeSet<u32>,
    ) {
        let Some(there) = columns_of_the_same_names(place, before, columns) else {
            return;
        };
        let hash = |row: u32| combined(there.iter().map(|column| place.image.value(row, *column)));
        let rows: Vec<u32> = if self.written_only || !place.is_called_copy {
            place.new_rows()
        } else {
            place.image.rows().collect()
        };
        let mut index = Multimap::new(rows.iter().map(|row| (hash(*row), *row)));
        for row in gone {
            let hash = combined(columns.iter().map(|column| before.value(*row, *column)));
            if !saved.contains(row) && index.take(hash).is_some() {
                saved.insert(*row);
            }
        }
    }
}

/// Where the columns stand by their names, if that says enough: one column alone may be equal by chance,
/// and numbers that the database gives are.
fn columns_of_the_same_names(
    place: &Place<'_>,
    before: &Image,
    columns: &[usize],
) -> Option<Vec<usize>> {
    let there: Vec<usize> = columns
        .iter()
        .map(|column| {
            place
                .image
                .place_of_name(&before.columns.get(*column)?.name)
        })
        .collect::<Option<_>>()?;
    let says_more = columns.iter().any(|column| !is_given(before, *column));
    let is_new = place.standing == Standing::New;
    let is_enough = match there.len() {
        0 => false,
        1 => is_new && (place.image.columns.len() == 1 || is_text(before, columns)),
        _ => is_new || place.is_near,
    };
    (says_more && is_enough).then_some(there)
}

/// Whether all of the columns hold texts: numbers are equal by chance.
fn is_text(image: &Image, columns: &[usize]) -> bool {
    (columns.iter()).all(|column| {
        (image.columns.get(*column)).is_some_and(|column| column.family == Family::Text)
    })
}

/// Whether the database gives the numbers of a column.
pub(super) fn is_given(image: &Image, column: usize) -> bool {
    image
        .columns
        .get(column)
        .is_some_and(|column| column.is_given)
}

/// Rows whose values stand in rows that name them, under whatever column names.
pub(super) fn rows_by_link(
    place: &Place<'_>,
    before: &Image,
    gone: &[u32],
    filled: &[usize],
    saved: &mut BTreeSet<u32>,
) {
    let names = |row: u32, column: usize| before.value(row, column);
    for link in links(gone, names, filled, place.image) {
        // The link alone is no copy of a row that says more, nor of one that says nothing else.
        if filled
            .iter()
            .all(|column| link.from.contains(column) || is_given(before, *column))
        {
            continue;
        }
        let index = index_of(place.image, &link.to);
        let linked: Vec<(u32, Vec<u32>)> = gone
            .iter()
            .filter(|row| !saved.contains(row))
            .map(|row| {
                (
                    *row,
                    follow(&index, place.image, &link, |column| {
                        before.value(*row, column)
                    }),
                )
            })
            .collect();
        let mut is_saved = vec![true; linked.len()];
        for column in filled.iter().filter(|column| !link.from.contains(column)) {
            let found = (before.columns.get(*column)).and_then(|source| {
                best_column(place, source, false, &linked, |row| {
                    before.value(row, *column)
                })
            });
            for ((row, others), is_saved) in linked.iter().zip(&mut is_saved) {
                let value = before.value(*row, *column);
                *is_saved &= value == NULL
                    || is_given(before, *column)
                    || found.is_some_and(|found| {
                        (others.iter()).any(|other| holds(place, *other, found, value))
                    });
            }
        }
        let found = linked
            .iter()
            .zip(is_saved)
            .filter(|((_, others), is_saved)| *is_saved && !others.is_empty());
        saved.extend(found.map(|((row, _), _)| *row));
    }
}

fn holds(place: &Place<'_>, row: u32, column: usize, value: Value) -> bool {
    place.image.value(row, column) == value && place.is_fresh(row, column)
}
