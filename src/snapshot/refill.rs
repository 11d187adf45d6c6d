//! Gives back what a migration had destroyed and another has made room for again: values of columns, and
//! rows of tables. What people wrote since stays.

use std::collections::BTreeMap;

use pgrx::Uuid;

pub use crate::snapshot::refill_job::TableRefilled;

use crate::error::Result;
use crate::pg::row_set::checks_at_end;
use crate::pg::subtransaction::in_subtransaction;
use crate::snapshot::quiet::quietly;
use crate::snapshot::reference::Reference;
use crate::snapshot::refill_job::{Job, Wish};
use crate::snapshot::restore::pinned;
use crate::snapshot::source::LiveTable;
use crate::snapshot::{sequences, verify};

/// Sets these columns, `(table, column)`, from the snapshot in the rows that are there in both, matched by
/// primary key, where the live row has nothing in them but the default they were added with, and inserts
/// the rows of these tables that aren't there. Tables are named as the snapshot names them.
///
/// # Errors
/// XX001 when the snapshot is damaged, 42704 when there is none; 55P03 when a lock isn't to be had in
/// time; what the tables' constraints raise. Nothing is changed then.
pub fn refill(
    backup_id: Uuid,
    columns: &[(String, String)],
    tables: &[String],
) -> Result<Vec<TableRefilled>> {
    let mut wanted: BTreeMap<&str, Wish<'_>> = BTreeMap::new();
    for (table, column) in columns {
        if let Wish::Columns(names) = wanted.entry(table).or_insert(Wish::Columns(Vec::new())) {
            names.push(column);
        }
    }
    for table in tables {
        wanted.insert(table, Wish::Rows);
    }
    in_subtransaction(|| {
        pinned(|| {
            let (_, manifest) = verify::intact(backup_id)?;
            let mut jobs = Vec::new();
            let mut refilled = Vec::new();
            for (name, wish) in wanted {
                match Job::new(manifest.table(name), wish)? {
                    Ok(job) => jobs.push(job),
                    Err(warning) => refilled.push(TableRefilled {
                        table_name: name.to_owned(),
                        rows_refilled: 0,
                        warnings: warning.into_iter().collect(),
                    }),
                }
            }
            refilled.extend(run_all(jobs, &manifest.site_id)?);
            Ok(refilled)
        })
    })
}

/// Rows before columns, and rows that others refer to before those that refer to them.
fn in_order(mut jobs: Vec<Job<'_>>) -> Vec<Job<'_>> {
    let mut ordered: Vec<Job<'_>> = Vec::with_capacity(jobs.len());
    while !jobs.is_empty() {
        let waits = |job: &Job<'_>| {
            let refers_to_waiting = |reference: &Reference| {
                jobs.iter().any(|other| {
                    other.live.oid == reference.table
                        && other.live.oid != job.live.oid
                        && other.set.is_none()
                })
            };
            job.references.iter().any(refers_to_waiting)
                || (job.set.is_some() && jobs.iter().any(|other| other.set.is_none()))
        };
        // In a circle, any is as good as another: the server checks at the end.
        let next = jobs.iter().position(|job| !waits(job)).unwrap_or(0);
        ordered.push(jobs.remove(next));
    }
    ordered
}

fn run_all(jobs: Vec<Job<'_>>, site_id: &str) -> Result<Vec<TableRefilled>> {
    let jobs = in_order(jobs);
    let lives: Vec<&LiveTable> = jobs.iter().map(|job| &job.live).collect();
    let Some(first) = lives.first() else {
        return Ok(Vec::new());
    };
    let refilled = quietly(&lives, || {
        first.as_owner(|| {
            checks_at_end(|| {
                let mut refilled = Vec::new();
                for (index, job) in jobs.iter().enumerate() {
                    let later: Vec<&Job<'_>> = jobs
                        .iter()
                        .skip(index + 1)
                        .filter(|job| job.set.is_none())
                        .collect();
                    refilled.push(job.run(site_id, &later)?);
                }
                Ok(refilled)
            })
        })
    })?;
    for job in jobs.iter().filter(|job| job.set.is_none()) {
        sequences::move_forward(job.table, &job.live)?;
    }
    Ok(refilled)
}
