//! In which order tables are refilled, and what is done when a constraint refuses a row: then the rows that
//! it refuses are found, and all others are given back.

use crate::error::Result;
use crate::pg::row_set::{Checks, checks_at_end};
use crate::pg::subtransaction::in_subtransaction;
use crate::snapshot::reference::Reference;
use crate::snapshot::refill_again::CHANGED;
use crate::snapshot::refill_identity::{ANOTHER, ELSEWHERE};
use crate::snapshot::refill_job::{Job, Role};
use crate::snapshot::refill_load::Ready;
use crate::snapshot::refill_parent::MADE;
use crate::snapshot::refill_sql::Range;
use crate::snapshot::refill_update::{HOMELESS, of_column};
use crate::snapshot::refill_warning::TableRefilled;

/// How often statements are tried, in halves of halves, to find rows that a constraint refuses. What is
/// left then is not given back.
const ATTEMPTS_MAX: u32 = 2_000;

/// Where a value may not be what the older version takes it for.
const AS_WRITTEN: &str = "put back as it was written, though the upgrade had changed the column's values and the scripts removed the row before they could change it back";

/// Why a value isn't what it was.
const OTHERWISE: &str = "written since, and the scripts made other values of it";

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
        for (ready, (count, lost)) in jobs.iter_mut().zip(&mut found) {
            lost.extend(ready.lost_updates(site_id)?);
            if let Some(statement) = ready.job.update(site_id, None)? {
                *count += ready.ask(|session| session.run(&statement, Checks::AtEnd))?;
            }
        }
        for (ready, (count, mut lost)) in jobs.iter_mut().zip(found) {
            lost.extend(ready.lost_values(site_id)?);
            refilled.push(ready.job.refilled(count, lost));
        }
        Ok(refilled)
    })
}

/// The tables that get rows after this one.
fn later(jobs: &[Ready<'_>], index: usize) -> Vec<pgrx::pg_sys::Oid> {
    let own = jobs.get(index).map(|ready| ready.job.live.oid);
    let behind = jobs.iter().skip(index + 1);
    behind
        .filter(|ready| ready.job.rows && Some(ready.job.live.oid) != own)
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
    for (ready, (count, lost)) in jobs.iter_mut().zip(&mut found) {
        lost.extend(ready.lost_updates(site_id)?);
        *count += halved(ready, &mut attempts, lost, &|job, range| {
            job.update(site_id, range)
        })?;
    }
    for (ready, (count, mut lost)) in jobs.iter_mut().zip(found) {
        lost.extend(ready.lost_values(site_id)?);
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
            Err(error) if error.is_refusal() => match range.halves() {
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
        let is_written = matches!(self.job.role, Role::Written(_));
        if self.job.is_given_up || !self.job.rows && !is_written {
            return Ok(Vec::new());
        }
        let table = self.job.table.name.clone();
        let mut warnings = Vec::new();
        if self.job.rows
            && let Some(column) = self.job.required_and_unknown(&self.job.columns())
        {
            if !is_written || !self.job.is_keyed {
                return Ok(vec![format!(
                    "the rows of table {table} were not put back: column \"{column}\" must have a value and the snapshot has none"
                )]);
            }
            let why = format!(
                "not put back, for column \"{column}\" must have a value and they have none"
            );
            let query = self.job.due_rows();
            warnings.extend(self.warn(&why, "", &query)?);
            return Ok(warnings);
        }
        for (why, query) in self.job.lost_rows(later) {
            warnings.extend(self.warn(why, "", &query)?);
        }
        if let Some(query) = self.job.rows_elsewhere() {
            warnings.extend(self.warn(ELSEWHERE, "", &query)?);
        }
        if let Some(query) = self.job.made_otherwise() {
            warnings.extend(self.warn(MADE, "", &query)?);
        }
        let unconverted = self.job.unconverted().into_iter();
        let unconverted: Vec<(String, String)> = unconverted
            .map(|(column, query)| (of_column(column), query))
            .collect();
        for (column, query) in unconverted {
            warnings.extend(self.warn(AS_WRITTEN, &column, &query)?);
        }
        for (why, query) in self.job.refused_rows() {
            warnings.extend(self.warn(&why, "", &query)?);
        }
        if let Some(error) = self.misfits.values().next().cloned()
            && let Some(query) = self.job.misfit_rows()
        {
            let why = format!("not put back, for a value doesn't fit any more ({error})");
            warnings.extend(self.warn(&why, "", &query)?);
        }
        if let Some((what, query)) = self.job.unmatched()
            && !self.ask(|session| session.texts(&query))?.is_empty()
        {
            warnings.push(match self.job.role {
                Role::Destroyed(_) => format!("table {table} {what}"),
                Role::Written(_) => format!("table {table} {what}; {}", self.job.where_it_is()),
            });
        }
        Ok(warnings)
    }

    /// Warnings about columns that can't be set.
    fn lost_updates(&mut self, site_id: &str) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        if self.job.set.is_empty() || !self.job.is_keyed {
            return Ok(warnings);
        }
        for (why, column, query) in self.job.lost_updates(site_id)? {
            warnings.extend(self.warn(why, &column, &query)?);
        }
        if matches!(self.job.role, Role::Written(_)) {
            return Ok(warnings);
        }
        for (column, query) in self.job.strange_values(site_id)? {
            warnings.extend(self.warn(ANOTHER, &column, &query)?);
        }
        for (why, column, query) in self.job.carried_values(site_id)? {
            warnings.extend(self.warn(&why, &column, &query)?);
        }
        for (column, query) in self.job.changed_values(site_id)? {
            warnings.extend(self.warn(CHANGED, &column, &query)?);
        }
        let refused = self.job.refused_values(site_id)?;
        let misfits = self.job.misfit_values(site_id)?;
        let misfits = misfits.into_iter().filter_map(|(column, query)| {
            let error = self.misfits.get(&column.name)?;
            let why = format!("not put back, for the value doesn't fit any more ({error})");
            Some((why, column, query))
        });
        let queries: Vec<(String, String, String)> = misfits
            .chain(refused)
            .map(|(why, column, query)| (why, of_column(column), query))
            .collect();
        for (why, column, query) in queries {
            warnings.extend(self.warn(&why, &column, &query)?);
        }
        Ok(warnings)
    }

    /// Warnings about what people wrote and isn't there now.
    fn lost_values(&mut self, site_id: &str) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        if !self.job.is_keyed {
            return Ok(warnings);
        }
        for (column, query) in self.job.lost_values(site_id)? {
            warnings.extend(self.warn(OTHERWISE, &column, &query)?);
        }
        for (column, query) in self.job.homeless_values() {
            warnings.extend(self.warn(HOMELESS, &column, &query)?);
        }
        Ok(warnings)
    }
}
