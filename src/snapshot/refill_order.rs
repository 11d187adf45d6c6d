//! In which order tables are refilled, and what is done when a constraint refuses a row: then the rows that
//! it refuses are found, and all others are given back.

use crate::error::{Error, Result};
use crate::pg::row_set::{Checks, checks_at_end};
use crate::pg::subtransaction::in_subtransaction;
use crate::snapshot::reference::Reference;
use crate::snapshot::refill_job::{Job, Ready, TableRefilled};
use crate::snapshot::refill_writing::{GONE, HOMELESS, Range};

/// How often statements are tried, in halves of halves, to find rows that a constraint refuses. What is
/// left then is not given back.
const ATTEMPTS_MAX: u32 = 2_000;

/// Rows that others refer to before those that refer to them.
pub fn in_order(mut jobs: Vec<Job<'_>>) -> Vec<Job<'_>> {
    let mut ordered: Vec<Job<'_>> = Vec::with_capacity(jobs.len());
    while !jobs.is_empty() {
        let waits = |job: &Job<'_>| {
            let refers_to_waiting = |reference: &Reference| {
                jobs.iter().any(|other| {
                    other.live.oid == reference.table
                        && other.live.oid != job.live.oid
                        && other.rows
                })
            };
            job.rows && job.references.iter().any(refers_to_waiting)
        };
        // In a circle, any is as good as another: the server checks at the end.
        let next = jobs.iter().position(|job| !waits(job)).unwrap_or(0);
        ordered.push(jobs.remove(next));
    }
    ordered
}

/// All rows and columns, each table with one statement each; foreign keys are checked when all is in place.
///
/// # Errors
/// What the tables' constraints and types raise.
pub fn everything(jobs: &mut [Ready<'_>], site_id: &str) -> Result<Vec<TableRefilled>> {
    checks_at_end(|| {
        let mut found = Vec::new();
        for index in 0..jobs.len() {
            let later = later(jobs, index);
            if let Some(ready) = jobs.get_mut(index) {
                let (mut count, lost) = (0, ready.lost_rows(&later)?);
                if ready.inserts() {
                    let statement = ready.job.insert(&later, None);
                    count = ready.ask(|session| session.run(&statement, Checks::AtEnd))?;
                }
                found.push((count, lost));
            }
        }
        let mut refilled = Vec::new();
        for (ready, (mut count, mut lost)) in jobs.iter_mut().zip(found) {
            lost.extend(ready.lost_updates(site_id)?);
            if let Some(statement) = ready.job.update(site_id, None)? {
                count += ready.ask(|session| session.run(&statement, Checks::AtEnd))?;
            }
            lost.extend(ready.homeless()?);
            refilled.push(ready.job.refilled(count, lost));
        }
        Ok(refilled)
    })
}

/// The tables that get rows after this one.
fn later(jobs: &[Ready<'_>], index: usize) -> Vec<pgrx::pg_sys::Oid> {
    let behind = jobs.iter().skip(index + 1);
    behind
        .filter(|ready| ready.job.rows)
        .map(|ready| ready.job.live.oid)
        .collect()
}

/// The same, table by table, without the rows that a constraint refuses.
///
/// # Errors
/// What is raised for another reason than a constraint.
pub fn careful(jobs: &mut [Ready<'_>], site_id: &str) -> Result<Vec<TableRefilled>> {
    let mut attempts = 0;
    let mut found = Vec::new();
    for ready in jobs.iter_mut() {
        let (mut count, mut lost) = (0, ready.lost_rows(&[])?);
        if ready.inserts() {
            count = halved(ready, &mut attempts, &mut lost, &|job, range| {
                Ok(Some(job.insert(&[], range)))
            })?;
        }
        found.push((count, lost));
    }
    let mut refilled = Vec::new();
    for (ready, (mut count, mut lost)) in jobs.iter_mut().zip(found) {
        lost.extend(ready.lost_updates(site_id)?);
        count += halved(ready, &mut attempts, &mut lost, &|job, range| {
            job.update(site_id, range)
        })?;
        lost.extend(ready.homeless()?);
        refilled.push(ready.job.refilled(count, lost));
    }
    Ok(refilled)
}

type Statement<'a> = &'a dyn Fn(&Job<'_>, Option<Range>) -> Result<Option<String>>;

/// Runs a statement for all rows; where that is refused for each half of them, and so on.
fn halved(
    ready: &mut Ready<'_>,
    attempts: &mut u32,
    lost: &mut Vec<String>,
    statement: Statement<'_>,
) -> Result<u64> {
    let mut waiting = vec![Range {
        first: 1,
        last: ready.count().max(1),
    }];
    let (mut count, mut refused, mut reason) = (0, Vec::new(), None);
    while let Some(range) = waiting.pop() {
        pgrx::check_for_interrupts!();
        let Some(sql) = statement(&ready.job, Some(range))? else {
            break;
        };
        *attempts += 1;
        let tried = in_subtransaction(|| {
            checks_at_end(|| ready.ask(|session| session.run(&sql, Checks::AtEnd)))
        });
        match tried {
            Ok(rows) => count += rows,
            Err(error) if error.is_constraint() => match range.halves() {
                Some((first, second)) if ready.job.is_keyed && *attempts < ATTEMPTS_MAX => {
                    waiting.extend([second, first]);
                }
                _ => {
                    refused.push(range);
                    reason.get_or_insert(error);
                }
            },
            Err(error) => return Err(error),
        }
    }
    if let Some(error) = reason {
        lost.extend(ready.refused(&refused, &error)?);
    }
    Ok(count)
}

impl Ready<'_> {
    /// Whether rows are inserted.
    fn inserts(&self) -> bool {
        let job = &self.job;
        job.rows && job.required_and_unknown(&job.columns()).is_none()
    }

    /// Warnings about rows that can't come back.
    fn lost_rows(&mut self, later: &[pgrx::pg_sys::Oid]) -> Result<Vec<String>> {
        if !self.job.rows {
            return Ok(Vec::new());
        }
        let table = self.job.table.name.clone();
        if let Some(column) = self.job.required_and_unknown(&self.job.columns()) {
            return Ok(vec![format!(
                "the rows of table {table} were not put back: column \"{column}\" must have a value and the snapshot has none"
            )]);
        }
        let mut warnings = Vec::new();
        for (why, query) in self.job.lost_rows(later) {
            let keys = self.ask(|session| session.texts(&query))?;
            warnings.extend(self.job.lost(why, "", &keys));
        }
        if let Some(query) = self.job.unmatched()
            && !self.ask(|session| session.texts(&query))?.is_empty()
        {
            warnings.push(format!(
                "table {table} has no primary key and rows of it were changed: none was put back; the snapshot has the old ones"
            ));
        }
        Ok(warnings)
    }

    /// Warnings about columns that can't be set since they refer to rows that are gone.
    fn lost_updates(&mut self, site_id: &str) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        for (column, query) in self.job.lost_updates(site_id)? {
            let keys = self.ask(|session| session.texts(&query))?;
            warnings.extend(self.job.lost(GONE, &column, &keys));
        }
        Ok(warnings)
    }

    /// Warnings about what people wrote in columns that have gone.
    fn homeless(&mut self) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        for (column, query) in self.job.homeless_values() {
            let mut keys = self.ask(|session| session.texts(&query))?;
            keys.sort();
            warnings.extend(self.job.lost(HOMELESS, &column, &keys));
        }
        Ok(warnings)
    }

    /// A warning about rows that a constraint refused.
    fn refused(&mut self, ranges: &[Range], error: &Error) -> Result<Option<String>> {
        let mut keys = Vec::new();
        for range in ranges {
            let query = self.job.keys_in(*range);
            keys.extend(self.ask(|session| session.texts(&query))?);
        }
        let why = format!("not put back, for a constraint refuses it ({error})");
        Ok(self.job.lost(&why, "", &keys))
    }
}
