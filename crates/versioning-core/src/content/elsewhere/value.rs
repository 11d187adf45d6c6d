//! Values that are found at another place of their row, or in rows that belong to it.

use std::collections::HashSet;

use super::super::image::NULL;
use super::evidence::{Evidence, is_called_copy};
use super::link::{follow, index_of, link_by_name, links};
use super::{Elsewhere, Here, Pair, Place, best_column};

impl Elsewhere<'_> {
    /// Values that stand in rows of another table which name their row, or which their row names now.
    pub(super) fn values_by_link(
        &self,
        place: &Place<'_>,
        here: &Here<'_>,
        column: usize,
        lost: &[Pair],
        saved: &mut HashSet<Pair>,
    ) {
        let width = here.before.columns.len();
        // Columns of the row before, then those of the row after where they are fresh.
        let value = |pair: Pair, from: usize| match from.checked_sub(width) {
            None => here.before.value(pair.0, from),
            Some(place) => here.fresh(pair, place).unwrap_or(NULL),
        };
        let Some(source) = here.before.columns.get(column) else {
            return;
        };
        let key = here.before.keys.first().filter(|_| place.has_fresh_cells());
        let single = key.filter(|key| key.len() == 1).and_then(|key| key.first());
        let referring = place.references.iter().map(|reference| &reference.column);
        let mut from: Vec<usize> = single
            .into_iter()
            .chain(referring.filter(|_| !self.written_only))
            .filter_map(|number| here.before.place(*number))
            .collect();
        from.extend(width..width + here.after.columns.len());
        let number_of = |from: usize| match from.checked_sub(width) {
            None => here.before.columns.get(from).map(|column| column.number),
            Some(place) => here.after.columns.get(place).map(|column| column.number),
        };
        let mut found_links = links(lost, value, &from, place.image);
        found_links.extend(key.and_then(|key| link_by_name(here.before, key, place.image)));
        for link in found_links {
            (self.pause)();
            // What the row refers to may have been there before.
            let is_lookup = !self.written_only
                && place.references.iter().any(|reference| {
                    let to = place.image.place(reference.other_column);
                    link.from
                        .iter()
                        .all(|from| number_of(*from) == Some(reference.column))
                        && link.to.iter().all(|column| Some(*column) == to)
                });
            if !is_lookup && !place.has_fresh_cells() {
                continue;
            }
            let index = index_of(place.image, &link.to);
            let linked: Vec<(Pair, Vec<u32>)> = rows_that_tell(here, column)
                .filter(|pair| here.before.value(pair.0, column) != NULL)
                .map(|pair| {
                    (
                        pair,
                        follow(&index, place.image, &link, |from| value(pair, from)),
                    )
                })
                .collect();
            let found = best_column(place, source, is_lookup, &linked, |pair: Pair| {
                here.before.value(pair.0, column)
            });
            let Some(found) = found.filter(|found| !link.to.contains(found)) else {
                continue;
            };
            let lost: HashSet<&Pair> = lost.iter().collect();
            for (pair, others) in linked.iter().filter(|(pair, _)| lost.contains(pair)) {
                let value = here.before.value(pair.0, column);
                if others.iter().any(|other| {
                    place.image.value(*other, found) == value
                        && (is_lookup || place.is_fresh(*other, found))
                }) {
                    saved.insert(*pair);
                }
            }
        }
    }
}

/// Values that stand in another column of their own row now.
pub(super) fn values_in_row(
    here: &Here<'_>,
    column: usize,
    lost: &[Pair],
    saved: &mut HashSet<Pair>,
) {
    let Some(source) = here.before.columns.get(column) else {
        return;
    };
    for (place, target) in here.after.columns.iter().enumerate() {
        let mut evidence = Evidence::default();
        for pair in rows_that_tell(here, column) {
            let value = here.before.value(pair.0, column);
            if let (true, Some(found)) = (value != NULL, here.fresh(pair, place)) {
                evidence.note(value, found, target.default);
            }
        }
        if evidence.is_copy(source, target) {
            let is_here =
                |pair: &&Pair| here.fresh(**pair, place) == Some(here.before.value(pair.0, column));
            saved.extend(lost.iter().filter(is_here));
        }
    }
}

/// Values that another column of their row had all the time, when their column is called after that one:
/// `email_backup` of `email`. Of other columns equal values say nothing.
pub(super) fn copies_in_row(
    here: &Here<'_>,
    column: usize,
    lost: &[Pair],
    saved: &mut HashSet<Pair>,
) {
    let Some(copy) = here.before.columns.get(column) else {
        return;
    };
    for (place, original) in here.after.columns.iter().enumerate() {
        if !is_called_copy(&copy.name, &original.name)
            || here.before.place(original.number).is_none()
        {
            continue;
        }
        let mut evidence = Evidence::default();
        for (before, after) in rows_that_tell(here, column) {
            let value = here.before.value(before, column);
            if value != NULL {
                evidence.note(value, here.after.value(after, place), None);
            }
        }
        if evidence.equal > 0 && evidence.different == 0 {
            let is_there = |(before, after): &&Pair| {
                here.before.value(*before, column) == here.after.value(*after, place)
            };
            saved.extend(lost.iter().filter(is_there));
        }
    }
}

/// The rows that show where a column's values went: of a column that stays only those that were changed.
fn rows_that_tell<'a>(here: &'a Here<'_>, column: usize) -> impl Iterator<Item = Pair> + 'a {
    let now = here
        .before
        .columns
        .get(column)
        .and_then(|column| here.after.place(column.number));
    here.matching
        .pairs
        .iter()
        .copied()
        .filter(move |(before, after)| {
            now.is_none_or(|now| {
                here.before.value(*before, column) != here.after.value(*after, now)
            })
        })
}
