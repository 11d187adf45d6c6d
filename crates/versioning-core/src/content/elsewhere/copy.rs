//! Copies that were there all the time: rows that another table holds too, columns whose values stand in another
//! column of their rows. What they hold decides; names only lower how much of it must be equal.
//!
//! Equal by chance are truth values, small numbers, the labels of two lists, pairs of keys: what counts is how
//! many different values are equal that people wrote, in the row that a key names.

use std::collections::{BTreeSet, HashSet};

use super::super::family::Family;
use super::super::image::{Column, Image, NULL, Value};
use super::evidence::is_same_word;
use super::link::{Link, follow, index_of};
use super::row::is_given;
use super::{Here, Pair, Place};

/// How many different values are told apart.
const MOST_DISTINCT: usize = 1_000;

/// How many keys of a table are tried.
const MOST_KEYS: usize = 3;

/// Rows of one table that another holds too.
#[derive(Debug, Default)]
struct Alignment {
    /// The rows.
    rows: Vec<u32>,
    /// How many rows of the other table they are.
    found: usize,
    /// How many others lie before the last of them: rows mostly lie in the order in which they came.
    others_before: usize,
    /// Columns besides the key in which people's words are equal.
    speaking: usize,
    /// How many different values are equal in them; numbers and times count less.
    weight: usize,
    /// Columns that were compared, the key's with them.
    columns: usize,
    /// Whether all columns have the same names in both.
    same_names: bool,
}

/// How much equal values say, in quarters: people's words, what counts and measures, what is there by the dozen.
fn weight_of(family: Family) -> usize {
    match family {
        Family::Text | Family::Padded | Family::Json | Family::Network | Family::Other => 4,
        Family::Number
        | Family::Real
        | Family::Double
        | Family::Money
        | Family::Time
        | Family::ZonedTime
        | Family::Timestamp
        | Family::Moment
        | Family::Date => 2,
        Family::Integer => 1,
        Family::Boolean => 0,
    }
}

fn speaks(column: &Column) -> bool {
    weight_of(column.family) == 4 && column.parent.is_none()
}

/// Of a look at some rows of a table, how many of a hundred are among these rows: whether it is worth reading
/// all of it in search of them.
pub fn share_held(before: &Image, peek: &Image) -> usize {
    let rows: Vec<u32> = before.rows().collect();
    let filled = filled(before, &rows);
    let ways = alignments(before, &rows, &filled, peek);
    let best = ways.map(|found| found.found).max().unwrap_or_default();
    best * 100 / peek.count.max(1)
}

fn filled(before: &Image, rows: &[u32]) -> Vec<usize> {
    let is_filled = |place: &usize| rows.iter().any(|row| before.value(*row, *place) != NULL);
    (0..before.columns.len()).filter(is_filled).collect()
}

/// Rows that stand in another table, under whatever column names, and stood there before.
pub(super) fn rows_by_content(
    place: &Place<'_>,
    before: &Image,
    gone: &[u32],
    filled: &[usize],
    saved: &mut BTreeSet<u32>,
) {
    for found in alignments(before, gone, filled, place.image) {
        if is_credible(&found, before, gone, place) {
            saved.extend(found.rows);
        }
    }
}

/// Whether so many equal rows are no chance, and say nothing by being chosen: rows of a larger table that stand
/// in another one too are a selection, which is lost with it, unless the others all came later.
fn is_credible(found: &Alignment, before: &Image, gone: &[u32], place: &Place<'_>) -> bool {
    let has_key = |image: &Image| !image.keys.is_empty();
    let others = place.image.count.saturating_sub(found.found);
    let came_later = found.others_before * 4 <= others;
    let covers_half = found.found >= others && found.rows.len() * 2 >= gone.len();
    if !covers_half || !came_later {
        return false;
    }
    // CREATE TABLE … AS makes no keys.
    let is_bare = !has_key(before) || !has_key(place.image);
    let are_same = found.rows.len() == gone.len() && others == 0;
    let least = match (has_key(before), has_key(place.image)) {
        (false, false) => 3,
        _ => 2,
    };
    (is_bare && are_same && found.same_names && found.weight >= 2 && found.columns >= least)
        || (found.speaking >= 2 && found.weight >= 4)
        || found.weight >= 16
}

/// The ways in which rows may be those of another table.
fn alignments<'a>(
    before: &'a Image,
    rows: &'a [u32],
    filled: &'a [usize],
    other: &'a Image,
) -> impl Iterator<Item = Alignment> + 'a {
    let mut ways: Vec<Link> = (other.keys.iter().take(MOST_KEYS))
        .filter_map(|key| by_key(before, key, filled, other))
        .collect();
    if ways.is_empty() {
        ways.extend(by_names(before, filled, other));
    }
    ways.into_iter()
        .map(move |way| alignment(before, rows, filled, other, &way))
}

/// From the columns of the same names to those of a key, or from one key of one column to the other.
fn by_key(before: &Image, key: &[i16], filled: &[usize], other: &Image) -> Option<Link> {
    let to: Vec<usize> = (key.iter().map(|number| other.place(*number))).collect::<Option<_>>()?;
    let named = to.iter().map(|place| {
        let name = &other.columns.get(*place)?.name;
        before
            .place_of_name(name)
            .filter(|from| filled.contains(from))
    });
    if let Some(from) = named.collect::<Option<Vec<_>>>() {
        return Some(Link { from, to });
    }
    let own = before
        .keys
        .first()
        .filter(|own| own.len() == 1 && key.len() == 1)?;
    let from = before.place(*own.first()?)?;
    Some(Link {
        from: vec![from],
        to,
    })
}

/// All columns by their names, where the other table has no key.
fn by_names(before: &Image, filled: &[usize], other: &Image) -> Option<Link> {
    if !other.keys.is_empty() || filled.len() < 2 {
        return None;
    }
    let to = filled.iter().map(|column| {
        let name = &before.columns.get(*column)?.name;
        other.place_of_name(name)
    });
    Some(Link {
        from: filled.to_vec(),
        to: to.collect::<Option<_>>()?,
    })
}

fn alignment(
    before: &Image,
    rows: &[u32],
    filled: &[usize],
    other: &Image,
    way: &Link,
) -> Alignment {
    let mut pairs = paired(before, rows, other, way);
    let mut used: BTreeSet<usize> = way.to.iter().copied().collect();
    let mut compared: Vec<(usize, usize)> = Vec::new();
    for column in filled.iter().filter(|column| !way.from.contains(column)) {
        let Some(target) = best_target(before, *column, other, &pairs, &used) else {
            return Alignment::default();
        };
        used.insert(target);
        compared.push((*column, target));
    }
    pairs.retain(|(row, there)| {
        (compared.iter()).all(|(column, target)| {
            let value = before.value(*row, *column);
            value == NULL || value == other.value(*there, *target)
        })
    });
    let name = |image: &Image, place: usize| image.columns.get(place).map(|one| one.name.clone());
    let key = way.from.iter().copied().zip(way.to.iter().copied());
    let mut all = key.chain(compared.iter().copied());
    let last = pairs.iter().map(|(_, there)| *there as usize + 1).max();
    let mut found = Alignment {
        columns: filled.len(),
        same_names: all.all(|(from, to)| name(before, from) == name(other, to)),
        found: pairs.len(),
        others_before: last.unwrap_or_default().saturating_sub(pairs.len()),
        ..Alignment::default()
    };
    weigh(before, &pairs, &compared, way, &mut found);
    found.rows = pairs.into_iter().map(|(row, _)| row).collect();
    found
}

/// Each row with the one of the other table that has its key; none twice.
fn paired(before: &Image, rows: &[u32], other: &Image, way: &Link) -> Vec<Pair> {
    let index = index_of(other, &way.to);
    let mut taken = vec![false; other.count];
    let mut pairs: Vec<Pair> = Vec::new();
    for row in rows {
        let mut there = follow(&index, other, way, |column| before.value(*row, column)).into_iter();
        let is_free = |row: &u32| !taken.get(*row as usize).copied().unwrap_or(true);
        if let Some(there) = there.find(is_free) {
            if let Some(taken) = taken.get_mut(there as usize) {
                *taken = true;
            }
            pairs.push((*row, there));
        }
    }
    pairs
}

/// The column that holds the values of one: that of the same name, or the one with the most of them.
fn best_target(
    before: &Image,
    column: usize,
    other: &Image,
    pairs: &[Pair],
    used: &BTreeSet<usize>,
) -> Option<usize> {
    let source = before.columns.get(column)?;
    let counts = |target: usize| {
        let values = pairs
            .iter()
            .map(|(row, there)| (before.value(*row, column), other.value(*there, target)));
        let own = values.filter(|(value, _)| *value != NULL);
        own.fold((0, 0), |(equal, all), (value, there)| {
            (equal + usize::from(value == there), all + 1)
        })
    };
    let named = other
        .place_of_name(&source.name)
        .filter(|place| !used.contains(place));
    if named.is_some() {
        return named;
    }
    let fits = |place: &usize| {
        let target = other.columns.get(*place);
        !used.contains(place) && target.is_some_and(|target| target.family == source.family)
    };
    let found = (0..other.columns.len())
        .filter(fits)
        .map(|place| (counts(place), place));
    let best = found.max_by_key(|((equal, _), place)| (*equal, usize::MAX - *place))?;
    let ((equal, all), place) = best;
    (equal > 0 && equal * 2 >= all).then_some(place)
}

/// What the equal values say: those of the key name the row and say nothing, and of rows that no key names the
/// column with the most different values does.
fn weigh(
    before: &Image,
    pairs: &[Pair],
    compared: &[(usize, usize)],
    way: &Link,
    found: &mut Alignment,
) {
    let mut columns: Vec<usize> = compared.iter().map(|(column, _)| *column).collect();
    if compared.is_empty() {
        columns.clone_from(&way.from);
    }
    let of_a_key = |column: usize| {
        let number = before.columns.get(column).map(|column| column.number);
        let mut keys = before.keys.iter();
        number.is_some_and(|number| keys.any(|key| key.contains(&number)))
    };
    columns.retain(|column| !of_a_key(*column) && !is_given(before, *column));
    let mut quarters: Vec<(usize, bool)> = Vec::new();
    for column in columns {
        let Some(source) = before.columns.get(column) else {
            continue;
        };
        let values = pairs.iter().map(|(row, _)| before.value(*row, column));
        let distinct = distinct(values);
        // What is the same everywhere says nothing.
        if distinct >= 2 {
            quarters.push((distinct * weight_of(source.family), speaks(source)));
        }
    }
    if compared.is_empty() {
        // Numbers name rows rather than words do.
        quarters.sort_unstable_by_key(|(quarters, speaks)| (*speaks, *quarters));
        if !quarters.is_empty() {
            quarters.remove(0);
        }
    }
    found.weight = quarters.iter().map(|(quarters, _)| quarters).sum::<usize>() / 4;
    found.speaking = quarters.iter().filter(|(_, speaks)| *speaks).count();
}

fn distinct(values: impl Iterator<Item = Value>) -> usize {
    let mut seen = HashSet::new();
    for value in values.filter(|value| *value != NULL) {
        seen.insert(value);
        if seen.len() >= MOST_DISTINCT {
            break;
        }
    }
    seen.len()
}

/// Values of a dropped column that another column of their row had all the time: in every row that has one,
/// and of so many kinds that chance is out of the question.
pub(super) fn columns_by_content(
    here: &Here<'_>,
    column: usize,
    lost: &[Pair],
    saved: &mut HashSet<Pair>,
) {
    let Some(source) = here.before.columns.get(column) else {
        return;
    };
    if here.after.place(source.number).is_some() || is_given(here.before, column) {
        return;
    }
    for (place, target) in here.after.columns.iter().enumerate() {
        let was_there = here.before.place(target.number).is_some();
        let is_fit = was_there && target.family == source.family && target.parent.is_none();
        if !is_fit
            || !is_column_copy(
                here,
                column,
                place,
                is_same_word(&source.name, &target.name),
            )
        {
            continue;
        }
        let is_there = |(before, after): &&Pair| {
            here.before.value(*before, column) == here.after.value(*after, place)
        };
        saved.extend(lost.iter().filter(is_there));
    }
}

fn is_column_copy(here: &Here<'_>, column: usize, place: usize, is_same_word: bool) -> bool {
    let (mut equal, mut missing, mut seen) = (0_usize, 0_usize, HashSet::new());
    for (before, after) in &here.matching.pairs {
        let value = here.before.value(*before, column);
        let found = here.after.value(*after, place);
        if value == NULL {
            continue;
        }
        if found == NULL {
            missing += 1;
        } else if found != value {
            return false;
        } else {
            equal += 1;
            if seen.len() < MOST_DISTINCT {
                seen.insert(value);
            }
        }
    }
    let says_much = here.before.columns.get(column).is_some_and(speaks);
    let least = match (says_much, is_same_word) {
        (true, true) => 2,
        (true, false) | (false, true) => 8,
        (false, false) => return false,
    };
    seen.len() >= least && seen.len() * 2 >= equal.min(MOST_DISTINCT) && missing <= equal
}
