//! What a statement does to people who use the tables meanwhile.

use std::collections::BTreeSet;

use super::{Finding, Kind, Mode, Observation, Relations, Written};

/// From how many rows on writing them takes long enough to be told, however large the table.
const MANY_ROWS: i64 = 10_000;

/// What was found in a statement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hazards {
    /// Strong locks, index builds, rewrites, scans under a lock, many rows written.
    pub locks: Vec<Finding>,
    /// The rewrites alone.
    pub rewrites: Vec<Finding>,
}

/// What a statement did to tables that were there before the scripts.
///
/// A TRUNCATE gives a table a new file without writing its rows, and the indexes of a rewritten table are
/// part of its rewrite: neither counts as another one.
pub fn hazards(seen: &Observation, before: &Relations) -> Hazards {
    let mut found = Hazards::default();
    let rewritten = rewritten(seen, before);
    for (oid, mode) in &seen.locks {
        found.locks.extend(lock(seen, before, *oid, *mode));
    }
    for oid in &rewritten {
        let rewrite = rewrite(seen, before, *oid);
        found.locks.extend(rewrite.clone());
        found.rewrites.extend(rewrite);
    }
    let settled = |table: &u32| rewritten.contains(table) || seen.truncated.contains(table);
    found.locks.extend(index_builds(seen, before, settled));
    for (oid, reasons) in &seen.scans {
        if !settled(oid) && !reasons.is_empty() {
            found.locks.extend(scan(seen, before, *oid, reasons));
        }
    }
    for (oid, written, rows) in &seen.written {
        found
            .locks
            .extend(bulk(seen, before, *oid, *written, *rows));
    }
    found
}

fn rewritten(seen: &Observation, before: &Relations) -> BTreeSet<u32> {
    let is_table = |oid: &u32| {
        before
            .get(oid)
            .is_some_and(|relation| relation.kind == Kind::Table)
    };
    seen.files
        .iter()
        .copied()
        .filter(|oid| is_table(oid) && !seen.truncated.contains(oid))
        .collect()
}

fn about(
    seen: &Observation,
    before: &Relations,
    oid: u32,
    kind: &str,
    detail: String,
) -> Option<Finding> {
    let relation = before.get(&oid)?;
    Some(Finding::new(kind, &relation.shown, detail).by(seen.number, seen.migration))
}

fn lock(seen: &Observation, before: &Relations, oid: u32, mode: Mode) -> Option<Finding> {
    if !before.get(&oid)?.kind.is_table() {
        return None;
    }
    let kind = match mode {
        Mode::AccessExclusive => "access_exclusive",
        Mode::Exclusive => "exclusive",
        Mode::ShareRowExclusive => "share_row_exclusive",
        _ => return None,
    };
    let detail = format!("{mode} blocks {} until the migration ends.", mode.blocks());
    about(seen, before, oid, kind, detail).map(|finding| finding.fact("mode", mode.as_str()))
}

fn rewrite(seen: &Observation, before: &Relations, oid: u32) -> Option<Finding> {
    let detail = "All rows and indexes are written anew, and nobody reads or writes meanwhile.";
    about(seen, before, oid, "table_rewrite", detail.to_owned())
}

fn index_builds(
    seen: &Observation,
    before: &Relations,
    is_settled: impl Fn(&u32) -> bool,
) -> Vec<Finding> {
    let taken_over = |file: u32| before.values().any(|relation| relation.file == file);
    let made = seen
        .indexes
        .iter()
        .filter(|index| index.file != 0 && !taken_over(index.file))
        .map(|index| (index.table, index.shown.clone()));
    let rebuilt = seen.files.iter().filter_map(|oid| {
        let index = before.get(oid).filter(|found| found.kind == Kind::Index)?;
        Some((index.table?, index.shown.clone()))
    });
    made.chain(rebuilt)
        .filter(|(table, _)| !is_settled(table))
        .filter_map(|(table, index)| {
            let detail = format!("Index {index} is built while writes wait.");
            about(seen, before, table, "index_build", detail)
                .map(|finding| finding.fact("index", index))
        })
        .collect()
}

fn scan(seen: &Observation, before: &Relations, oid: u32, reasons: &[String]) -> Option<Finding> {
    let detail = format!(
        "All rows are read to check {}, while the lock is held.",
        reasons.join(", ")
    );
    about(seen, before, oid, "validation_scan", detail)
}

/// Many rows, or most of the table's, in one transaction: locked and twice on disk until its end.
fn bulk(
    seen: &Observation,
    before: &Relations,
    oid: u32,
    written: Written,
    rows: i64,
) -> Option<Finding> {
    let changed = written.updated.saturating_add(written.deleted);
    // What is left, and what was deleted of what there was.
    let had = rows.saturating_add(written.deleted);
    let is_most = changed > 0 && changed.saturating_mul(2) >= had;
    if !is_most && changed < MANY_ROWS && written.inserted < MANY_ROWS {
        return None;
    }
    let detail = format!(
        "{} rows inserted, {} updated, {} deleted: locked until the migration ends.",
        written.inserted, written.updated, written.deleted
    );
    about(seen, before, oid, "bulk_dml", detail).map(|finding| {
        finding
            .fact("rows_inserted", written.inserted)
            .fact("rows_updated", written.updated)
            .fact("rows_deleted", written.deleted)
    })
}
