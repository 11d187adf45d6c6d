//! Writes what differs: in which order, and by which means.

use pgrx::pg_sys;

use crate::error::Result;
use crate::pg::query;
use crate::pg::row_set::{Checks, checks_at_end};
use crate::snapshot::difference::Difference;
use crate::snapshot::source::LiveTable;
use crate::snapshot::statements;

/// Whether anything is to be written.
pub fn differs(difference: &Difference<'_>) -> bool {
    difference.absent() > 0 || difference.live_rows.count() > 0
}

/// All deletions, then all updates, then all insertions, so that no row is in the way of another; foreign
/// keys are looked at when all rows are in place. Returns rows written and deleted by table.
///
/// # Errors
/// XX001 when a chunk is damaged; what the tables' constraints say is raised.
pub fn write_all(differences: &mut [Difference<'_>], site_id: &str) -> Result<Vec<(u64, u64)>> {
    let mut counts = vec![(0, 0); differences.len()];
    let Some(first) = differences.first().map(|difference| difference.live) else {
        return Ok(counts);
    };
    let order = insertion_order(differences)?;
    // The checks belong to no single table; they switch to the owner of each table themselves.
    first.as_owner(|| {
        checks_at_end(|| {
            let mut returning = Vec::with_capacity(differences.len());
            for (difference, count) in differences.iter_mut().zip(&mut counts) {
                count.1 = write(difference, Some(statements::delete(difference)))?;
                let moved = statements::delete_moved(difference)?;
                // These come back below, with the rows that are missing, and count there.
                returning.push(write(difference, moved)?);
            }
            for (difference, count) in differences.iter_mut().zip(&mut counts) {
                count.0 = write(difference, statements::update(difference))?;
            }
            for turn in order {
                let index = turn.index;
                let (Some(difference), Some(count), Some(returning)) = (
                    differences.get_mut(index),
                    counts.get_mut(index),
                    returning.get(index),
                ) else {
                    continue;
                };
                // Rows that each have their live row were updated, unless they were deleted to return.
                let is_done = *returning == 0
                    && difference.missing.is_raw()
                    && difference.snapshot_rows.count() == count.0;
                count.0 += insert(difference, site_id, turn, is_done)?;
            }
            Ok(())
        })
    })?;
    Ok(counts)
}

fn write(difference: &mut Difference<'_>, statement: Option<String>) -> Result<u64> {
    match statement {
        Some(statement) if difference.live_rows.count() > 0 => {
            difference.ask(|session| session.run(&statement, Checks::AtEnd))
        }
        _ => Ok(0),
    }
}

/// `is_done`: no row of `snapshot_rows` needs to be inserted.
fn insert(
    difference: &mut Difference<'_>,
    site_id: &str,
    turn: Turn,
    mut is_done: bool,
) -> Result<u64> {
    if !turn.may_copy && difference.missing.count() > 0 {
        let Difference {
            live,
            columns,
            missing,
            snapshot_rows,
            ..
        } = difference;
        missing.decode_into(live, columns, snapshot_rows)?;
        is_done = false;
    }
    let mut count = 0;
    if difference.snapshot_rows.count() > 0 && !is_done {
        let statement = statements::insert(difference, site_id)?;
        count += difference.ask(|session| session.run(&statement, Checks::AtEnd))?;
    }
    if difference.missing.count() > 0 {
        count += difference
            .missing
            .copy_into(difference.live, !turn.is_circle)?;
    }
    Ok(count)
}

/// When rows are inserted into a table, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Turn {
    index: usize,
    /// Whether all that its rows refer to is in place then, so that COPY can check it when it ends.
    may_copy: bool,
    /// Whether its rows refer to one another.
    is_circle: bool,
}

/// Tables that others refer to before those that refer to them. In a circle, one has to go first: its rows
/// are checked when all are in place.
fn insertion_order(differences: &[Difference<'_>]) -> Result<Vec<Turn>> {
    let all = differences
        .iter()
        .map(|difference| parents(difference.live))
        .collect::<Result<Vec<_>>>()?;
    let refers_to_itself = |index: usize| {
        let found = differences.get(index).zip(all.get(index));
        found.is_none_or(|(difference, parents)| parents.contains(&difference.live.oid))
    };
    let parents: Vec<Vec<usize>> = differences
        .iter()
        .zip(&all)
        .map(|(difference, parents)| {
            let is_parent = |index: &usize| {
                differences.get(*index).is_some_and(|other| {
                    other.live.oid != difference.live.oid && parents.contains(&other.live.oid)
                })
            };
            (0..differences.len()).filter(is_parent).collect()
        })
        .collect();
    let mut waiting: Vec<usize> = (0..differences.len()).collect();
    let mut order = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_ready = |index: &usize| {
            let parents = parents.get(*index);
            parents.is_none_or(|parents| !parents.iter().any(|parent| waiting.contains(parent)))
        };
        let ready = waiting.iter().position(is_ready);
        let index = waiting.remove(ready.unwrap_or(0));
        order.push(Turn {
            index,
            may_copy: ready.is_some(),
            is_circle: refers_to_itself(index),
        });
    }
    Ok(order)
}

/// The tables that rows of this one, or of its partitions, refer to.
fn parents(table: &LiveTable) -> Result<Vec<pg_sys::Oid>> {
    query::rows(
        "SELECT DISTINCT coalesce(pg_catalog.pg_partition_root(k.confrelid)::oid, k.confrelid)
         FROM pg_catalog.pg_constraint k
         WHERE k.contype = 'f'
           AND (k.conrelid = $1 OR k.conrelid IN (
                SELECT t.relid::oid FROM pg_catalog.pg_partition_tree($1::oid::pg_catalog.regclass) t))",
        &[table.oid.into()],
        |row| row.get(1),
    )
}
