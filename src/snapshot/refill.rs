//! Gives back what scripts had destroyed and others have made room for again: values of columns, and rows.
//! What people wrote in between stays.
//!
//! Four states tell the two apart: the rows before the first scripts, as those left them, as they are before
//! the undoing, and as that left them. What is the same in the second and third, nobody has touched: it gets
//! the value it had in the first.

use pgrx::Uuid;
use versioning_core::lineage::Undo;
use versioning_core::snapshot::manifest::{Manifest, Table};

pub use crate::snapshot::refill_job::TableRefilled;

use crate::error::Result;
use crate::pg::subtransaction::in_subtransaction;
use crate::snapshot::quiet::quietly;
use crate::snapshot::refill_job::{Job, Ready, Told};
use crate::snapshot::refill_order::{careful, everything, in_order};
use crate::snapshot::restore::pinned;
use crate::snapshot::source::LiveTable;
use crate::snapshot::store::DataChange;
use crate::snapshot::{image, sequences, verify};

/// What is to be undone, and by what it is told from what people wrote.
pub struct Request<'a> {
    /// What the first scripts did.
    pub change: &'a DataChange,
    /// The rows before the undoing: a snapshot or an image.
    pub now: &'a Manifest,
    /// What to give back.
    pub undo: &'a [Undo],
    /// Whether old values count more than what the undoing scripts have put into columns that they made: on
    /// the way up again, where those are what people had written there.
    pub old_wins: bool,
}

/// The manifests that a request speaks of.
struct Sources {
    backup: Manifest,
    before: Option<Manifest>,
    after: Option<Manifest>,
}

impl Sources {
    fn read(change: &DataChange) -> Result<Self> {
        let image = |id: Option<Uuid>| id.map(image::intact).transpose();
        Ok(Self {
            backup: verify::readable(change.backup_id)?.1,
            before: image(change.before_image)?,
            after: image(change.after_image)?,
        })
    }

    /// The table as it was before the first scripts.
    fn before(&self, undo: &Undo) -> Option<&Table> {
        let (schema, relation) = (&undo.table.schema, &undo.table.relation);
        let image = self.before.as_ref();
        image
            .and_then(|image| image::table(image, schema, relation))
            .or_else(|| image::table(&self.backup, schema, relation))
    }
}

/// Sets columns and inserts rows as the request says, where nobody has written something else since.
///
/// # Errors
/// XX001 when the snapshot or an image is damaged, 42704 when there is none; 55P03 when a lock isn't to be
/// had in time; what the tables' types raise. Nothing is changed then.
pub fn refill(request: &Request<'_>) -> Result<Vec<TableRefilled>> {
    in_subtransaction(|| {
        pinned(|| {
            let sources = Sources::read(request.change)?;
            let wanted: Vec<(&Undo, &Table)> = request
                .undo
                .iter()
                .filter_map(|undo| Some((undo, sources.before(undo)?)))
                .collect();
            refuse_damage(&wanted, request)?;
            let (mut jobs, mut refilled) = (Vec::new(), Vec::new());
            for (undo, table) in wanted {
                let told = told(undo, table, &sources, request.now);
                match Job::new(table, undo, told, request.old_wins)? {
                    Ok(job) => jobs.push(job),
                    Err(warnings) if warnings.is_empty() => {}
                    Err(warnings) => refilled.push(TableRefilled {
                        table_name: table.name.clone(),
                        rows_refilled: 0,
                        warnings,
                    }),
                }
            }
            refilled.extend(run_all(jobs, &sources.backup.site_id)?);
            Ok(refilled)
        })
    })
}

fn refuse_damage(wanted: &[(&Undo, &Table)], request: &Request<'_>) -> Result<()> {
    let mut damages = verify::damages(wanted.iter().map(|(_, table)| *table))?;
    let between = request.undo.iter().filter_map(|undo| undo.between.as_ref());
    let now =
        between.filter_map(|it| image::table(request.now, &it.table.schema, &it.table.relation));
    damages.extend(verify::damages(now)?);
    if damages.is_empty() {
        return Ok(());
    }
    Err(verify::damaged(
        request.change.backup_id,
        &damages.join(" "),
    ))
}

/// Where the rows in between are found; nothing when the table wasn't there.
fn told<'a>(undo: &'a Undo, table: &'a Table, sources: &'a Sources, now: &'a Manifest) -> Told<'a> {
    let Some(between) = &undo.between else {
        return Told::New;
    };
    if !between.is_same && !between.is_sure {
        return Told::Unknown;
    }
    let (schema, relation) = (&between.table.schema, &between.table.relation);
    let after = if between.is_same {
        Some(table)
    } else {
        let image = sources.after.as_ref();
        image.and_then(|image| image::table(image, schema, relation))
    };
    match (after, image::table(now, schema, relation)) {
        (Some(after), Some(now)) => Told::Known {
            between,
            after,
            now,
        },
        _ => Told::Unknown,
    }
}

fn run_all(jobs: Vec<Job<'_>>, site_id: &str) -> Result<Vec<TableRefilled>> {
    let mut jobs = in_order(jobs)
        .into_iter()
        .map(|job| job.load(site_id))
        .collect::<Result<Vec<Ready<'_>>>>()?;
    let lives: Vec<LiveTable> = jobs.iter().map(|ready| ready.job.live.clone()).collect();
    let lives: Vec<&LiveTable> = lives.iter().collect();
    if lives.is_empty() {
        return Ok(Vec::new());
    }
    let refilled = quietly(&lives, || {
        match in_subtransaction(|| everything(&mut jobs, site_id)) {
            Err(error) if error.is_constraint() => careful(&mut jobs, site_id),
            other => other,
        }
    })?;
    for Ready { job, .. } in jobs.iter().filter(|ready| ready.job.rows) {
        sequences::move_forward(job.table, &job.live)?;
    }
    Ok(refilled)
}
