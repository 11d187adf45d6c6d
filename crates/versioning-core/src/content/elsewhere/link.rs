//! Ways from a row to rows of another table.

use std::collections::{HashMap, HashSet};

use super::super::image::{Image, NULL, Value, combined};
use super::super::multimap::Multimap;

/// How many rows are tried before an index over a table is made.
const SAMPLE: usize = 64;

/// How many ways from row to row between two tables are followed.
const MOST_LINKS: usize = 6;

/// From the columns of one row to those of others: equal values there name the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Places of the columns here.
    pub from: Vec<usize>,
    /// Places of the columns there.
    pub to: Vec<usize>,
}

/// The rows of a table that a row leads to.
pub fn follow(
    index: &Multimap,
    image: &Image,
    link: &Link,
    value: impl Fn(usize) -> Value,
) -> Vec<u32> {
    let values: Vec<Value> = link.from.iter().map(|from| value(*from)).collect();
    if values.contains(&NULL) {
        return Vec::new();
    }
    let is_there = |row: &u32| {
        (link.to.iter().zip(&values)).all(|(to, value)| image.value(*row, *to) == *value)
    };
    index
        .all(combined(values.iter().copied()))
        .filter(is_there)
        .collect()
}

/// The rows of a table by some of its columns.
pub fn index_of(image: &Image, columns: &[usize]) -> Multimap {
    let hash = |row: u32| combined(columns.iter().map(|column| image.value(row, *column)));
    Multimap::new(
        image
            .rows()
            .collect::<Vec<_>>()
            .iter()
            .map(|row| (hash(*row), *row)),
    )
}

/// The link by a key of several columns, where the other table has columns of the same names.
pub fn link_by_name(before: &Image, key: &[i16], image: &Image) -> Option<Link> {
    if key.len() < 2 {
        return None;
    }
    let from: Vec<usize> = key
        .iter()
        .map(|number| before.place(*number))
        .collect::<Option<_>>()?;
    let to = from
        .iter()
        .map(|place| image.place_of_name(&before.columns.get(*place)?.name))
        .collect::<Option<_>>()?;
    Some(Link { from, to })
}

/// Pairs of columns that hold equal values in a sample of the rows, the best ones first.
pub fn links<R: Copy>(
    rows: &[R],
    value: impl Fn(R, usize) -> Value,
    from: &[usize],
    image: &Image,
) -> Vec<Link> {
    let step = rows.len().div_ceil(SAMPLE).max(1);
    let mut sample: HashMap<Value, Vec<(usize, usize)>> = HashMap::new();
    for (number, row) in rows.iter().step_by(step).enumerate() {
        for column in from {
            let value = value(*row, *column);
            if value != NULL {
                sample.entry(value).or_default().push((number, *column));
            }
        }
    }
    let mut hits: HashMap<(usize, usize), HashSet<usize>> = HashMap::new();
    for row in image.rows() {
        for (to, value) in image.row(row).iter().enumerate() {
            for (number, from) in sample.get(value).into_iter().flatten() {
                hits.entry((*from, to)).or_default().insert(*number);
            }
        }
    }
    let mut found: Vec<((usize, usize), usize)> = hits
        .into_iter()
        .map(|(link, rows)| (link, rows.len()))
        .collect();
    found.sort_by_key(|(link, count)| (usize::MAX - count, *link));
    found
        .into_iter()
        .take(MOST_LINKS)
        .map(|((from, to), _)| Link {
            from: vec![from],
            to: vec![to],
        })
        .collect()
}
