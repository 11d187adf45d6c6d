//! Gives back what scripts had destroyed and others have made room for again: values of columns, and rows.
//! What people wrote in between stays, or comes back.
//!
//! Four states tell the two apart: the rows before the first scripts, as those left them, as they are before
//! the undoing, and as that left them. What is the same in the second and third, nobody has touched: it gets
//! the value it had in the first. What isn't is people's: where the undoing has destroyed it, it gets the
//! value it had in the third.

use std::collections::HashSet;

use pgrx::Uuid;
use versioning_core::lineage::{TableName, Undo};
use versioning_core::passage::{Passage, Told as PassageTold};
use versioning_core::rekeying::Rekeying;
use versioning_core::snapshot::manifest::{Manifest, Table};

pub use crate::snapshot::refill_job::Defaults;
pub use crate::snapshot::refill_warning::TableRefilled;

use crate::error::{Error, Result};
use crate::pg::subtransaction::in_subtransaction;
use crate::snapshot::quiet::quietly;
use crate::snapshot::refill_job::{Follower, Job, Told};
use crate::snapshot::refill_load::Ready;
use crate::snapshot::refill_order::{careful, everything, in_order};
use crate::snapshot::refill_written::{Knowledge, renamed};
use crate::snapshot::restore::pinned;
use crate::snapshot::source::LiveTable;
use crate::snapshot::store::DataChange;
use crate::snapshot::{image, refill_again, refill_identity, refill_parent, sequences, verify};

/// What is to be undone, and by what it is told from what people wrote.
pub struct Request<'a> {
    /// What the first scripts did, where it is known.
    pub change: Option<&'a DataChange>,
    /// The rows before the undoing: a snapshot or an image.
    pub now: &'a Manifest,
    /// What to give back of what the first scripts had destroyed.
    pub undo: &'a [Undo],
    /// Tables whose rows the undoing has touched, where what people had written there is to be given back.
    pub passages: &'a [Passage],
    /// Whether all of the first scripts are undone.
    pub is_complete: bool,
    /// Whether there is a snapshot of the rows before the undoing.
    pub is_kept: bool,
    /// What columns hold that were added with a default, where nobody has written.
    pub defaults: &'a Defaults,
    /// Whether scripts write the keys by which rows would be matched.
    pub rekeying: &'a Rekeying,
    /// Whether anything is given back; else what people had written and isn't there is told.
    pub gives_back: bool,
    /// Whether old values count more than what the undoing scripts have put into columns that they made: on
    /// the way up again, where those are what people had written there.
    pub old_wins: bool,
    /// The statements of the undoing that write rows, lower case.
    pub writing: &'a [String],
    /// Tables that go with the undoing and that people had written to: what it has put into columns may come
    /// from there, and counts more than an old value.
    pub carried: Vec<String>,
    /// What the scripts had done when they ran for the first time, where they run again.
    pub first: Option<&'a DataChange>,
}

/// The manifests that a request speaks of.
struct Sources {
    backup: Option<Manifest>,
    before: Option<Manifest>,
    after: Option<Manifest>,
    /// As the scripts had left the tables the first time.
    first: Option<Manifest>,
}

impl Sources {
    fn read(change: Option<&DataChange>, first: Option<&DataChange>) -> Result<Self> {
        let image = |id: Option<Uuid>| id.map(image::intact).transpose();
        let backup = |change: &DataChange| Ok(verify::readable(change.backup_id)?.1);
        Ok(Self {
            backup: change.map(backup).transpose()?,
            before: image(change.and_then(|change| change.before_image))?,
            after: image(change.and_then(|change| change.after_image))?,
            first: image(first.and_then(|change| change.after_image))?,
        })
    }

    /// The table as it was before the first scripts.
    fn before(&self, name: &TableName) -> Option<&Table> {
        [&self.before, &self.backup]
            .into_iter()
            .flatten()
            .find_map(|manifest| image::table(manifest, &name.schema, &name.relation))
    }

    /// A table before the first scripts and as those left it.
    fn states(&self, passage: &Passage) -> Option<(&Table, &Table)> {
        let before = self.before(passage.was.as_ref()?)?;
        let after = match passage.told {
            PassageTold::Untouched => before,
            PassageTold::Touched => {
                let image = self.after.as_ref()?;
                image::table(image, &passage.from.schema, &passage.from.relation)?
            }
            PassageTold::Unknown => return None,
        };
        Some((before, after))
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
            let sources = Sources::read(request.change, request.first)?;
            let wanted: Vec<(&Undo, &Table)> = request
                .undo
                .iter()
                .filter_map(|undo| Some((undo, sources.before(&undo.table)?)))
                .collect();
            let passed = passed(request, &sources)?;
            refuse_damage(&wanted, request, &sources)?;
            let mut found = Found::default();
            let mut written = Vec::new();
            for passed in &passed {
                let knowledge = Knowledge::of(passed.passage, request.is_complete);
                let states = sources.states(passed.passage);
                let tables = (&passed.table, passed.now);
                let about = (request.is_kept, request.defaults, request.rekeying);
                let job = Job::written(tables, passed.passage, knowledge, states, about)?;
                written.push((&passed.table, &passed.passage.to, job));
            }
            for (undo, table) in wanted {
                let told = told(undo, table, &sources, request.now);
                let follower = follower(&undo.table, &written);
                let flags = (request.old_wins, follower);
                let about = (request.defaults, request.rekeying);
                let mut job = Job::new(table, undo, told, flags, about)?;
                let first = request.first.zip(sources.first.as_ref());
                if let Ok(job) = &mut job {
                    job.carried.clone_from(&request.carried);
                }
                if let (Ok(job), Some(base)) = (&mut job, refill_again::table(first, undo)) {
                    job.set_base(base);
                }
                found.add(table, if request.gives_back { job } else { silent(job) });
            }
            for (table, _, job) in written {
                found.add(table, job);
            }
            refill_parent::link(&mut found.jobs);
            refill_identity::link(&mut found.jobs, request.writing);
            let site_id = &request.now.site_id;
            found.refilled.extend(if request.gives_back {
                run_all(found.jobs, site_id)?
            } else {
                tell_all(found.jobs, site_id)?
            });
            Ok(found.refilled)
        })
    })
}

type Planned<'a> = std::result::Result<Job<'a>, Vec<String>>;

fn follower(table: &TableName, written: &[(&Table, &TableName, Planned<'_>)]) -> Follower {
    let mut written = written.iter();
    match written.find(|(_, name, _)| *name == table) {
        None => Follower::None,
        Some((_, _, Ok(job))) if job.rows => Follower::Rows,
        Some(_) => Follower::Values,
    }
}

/// What there is to do, and what can be said at once.
#[derive(Default)]
struct Found<'a> {
    jobs: Vec<Job<'a>>,
    refilled: Vec<TableRefilled>,
}

impl<'a> Found<'a> {
    fn add(&mut self, table: &Table, job: Planned<'a>) {
        match job {
            Ok(job) => self.jobs.push(job),
            Err(warnings) if warnings.is_empty() => {}
            Err(warnings) => self.refilled.push(TableRefilled {
                table_name: table.name.clone(),
                rows_refilled: 0,
                warnings,
            }),
        }
    }
}

/// A table whose rows the undoing has touched.
struct Passed<'a> {
    passage: &'a Passage,
    /// Before the undoing.
    now: &'a Table,
    /// The same, called as it is now.
    table: Table,
}

fn passed<'a>(request: &Request<'a>, sources: &Sources) -> Result<Vec<Passed<'a>>> {
    let mut found = Vec::new();
    for passage in request.passages {
        let (schema, relation) = (&passage.from.schema, &passage.from.relation);
        let Some(now) = image::table(request.now, schema, relation) else {
            continue;
        };
        let before = passage.was.as_ref().and_then(|was| sources.before(was));
        found.push(Passed {
            passage,
            now,
            table: renamed(now, passage, before)?,
        });
    }
    Ok(found)
}

fn refuse_damage(
    wanted: &[(&Undo, &Table)],
    request: &Request<'_>,
    sources: &Sources,
) -> Result<()> {
    let mut tables: Vec<&Table> = wanted.iter().map(|(_, table)| *table).collect();
    let between = request.undo.iter().filter_map(|undo| undo.between.as_ref());
    let between = between.map(|between| &between.table);
    let passed = request.passages.iter().map(|passage| &passage.from);
    for name in between.chain(passed) {
        tables.extend(image::table(request.now, &name.schema, &name.relation));
    }
    let known = request.passages.iter();
    tables.extend(known.filter_map(|passage| sources.before(passage.was.as_ref()?)));
    let mut seen = HashSet::new();
    tables.retain(|table| seen.insert((&table.schema, &table.relation, &table.hash)));
    let damages = verify::damages(tables.into_iter())?;
    if damages.is_empty() {
        return Ok(());
    }
    let id = request.change.map(|change| change.backup_id);
    Err(match id {
        Some(id) => verify::damaged(id, &damages.join(" ")),
        None => Error::damaged_snapshot("the snapshot before the rollback is damaged")
            .detail(damages.join(" ")),
    })
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

/// One that says nothing of what isn't given back.
fn silent(job: Planned<'_>) -> Planned<'_> {
    match job {
        Ok(mut job) => {
            job.warnings.clear();
            Ok(job)
        }
        Err(_) => Err(Vec::new()),
    }
}

/// What people had written and isn't there now.
fn tell_all(jobs: Vec<Job<'_>>, site_id: &str) -> Result<Vec<TableRefilled>> {
    jobs.into_iter()
        .map(|job| prepared(job, site_id)?.tell(site_id))
        .collect()
}

/// A job with all that is known of its rows.
fn prepared<'a>(job: Job<'a>, site_id: &str) -> Result<Ready<'a>> {
    let mut ready = job.load(site_id)?;
    ready.refuse_ambiguous()?;
    ready.refuse_rekeyed(site_id)?;
    ready.find_converted()?;
    ready.gather_evidence()?;
    Ok(ready)
}

fn run_all(jobs: Vec<Job<'_>>, site_id: &str) -> Result<Vec<TableRefilled>> {
    let mut jobs = in_order(jobs)
        .into_iter()
        .map(|job| prepared(job, site_id))
        .collect::<Result<Vec<Ready<'_>>>>()?;
    for ready in &mut jobs {
        ready.find_checks()?;
    }
    let mut lives: Vec<LiveTable> = jobs.iter().map(|ready| ready.job.live.clone()).collect();
    lives.sort_by_key(|live| live.oid.to_u32());
    lives.dedup_by_key(|live| live.oid);
    let lives: Vec<&LiveTable> = lives.iter().collect();
    if lives.is_empty() {
        return Ok(Vec::new());
    }
    let refilled = quietly(&lives, || {
        match in_subtransaction(|| everything(&mut jobs, site_id)) {
            Err(error) if error.is_refusal() => careful(&mut jobs, site_id),
            other => other,
        }
    })?;
    for Ready { job, .. } in jobs.iter().filter(|ready| ready.job.rows) {
        sequences::move_forward(job.table, &job.live)?;
    }
    Ok(refilled)
}
