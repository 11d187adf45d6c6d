//! Running the steps of a plan as one act, and the record it leaves.
//!
//! Everything happens in one subtransaction. When a script fails all of it is undone, and what is
//! written then is the record: the failed run, and those before it as rolled back.

use std::time::Instant;

use npm_semver::Version;
use pgrx::Uuid;
use pgrx::pg_sys;
use versioning_core::model::{Direction, Migration};

use super::situation::Situation;
use super::{state, store};
use crate::error::{Error, Result};
use crate::migration::execute::{Execution, RunContext, run_migration};
use crate::migration::failure::Failure;
use crate::migration::history::{
    NewRun, RunStatus, mark_applied, record_run, uncover, unmark_applied,
};
use crate::migration::post_step;
use crate::pg::identity;
use crate::pg::subtransaction::in_subtransaction;
use crate::progress::{self, Operation, Step};
use crate::settings;

/// What the caller of a change asked for and who asked.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Which way.
    pub direction: Direction,
    /// Who asked, as the caller said.
    pub executed_by: Option<Uuid>,
    /// Whether the caller accepts that objects of others go.
    pub force: bool,
}

/// A migration that ran, with what came of it.
pub struct Ran<'a> {
    situation: &'a Situation,
    migration: &'a Migration,
    execution: Execution,
}

/// What one installation has to do with an act.
pub struct Part<'a> {
    /// The installation.
    pub situation: &'a Situation,
    /// The migrations that run, in order.
    pub migrations: &'a [&'a Migration],
    /// What is around them.
    pub act: &'a mut dyn Act,
}

/// How an act ended.
pub struct Outcome {
    /// The runs recorded, in run order.
    pub run_ids: Vec<Uuid>,
    /// The snapshot of the installation asked for, taken first, when it is still there.
    pub backup_id: Option<Uuid>,
    /// What failed, when something did.
    pub failure: Option<Failed>,
    /// What is worth knowing.
    pub warnings: Vec<String>,
    /// How long all of it took.
    pub duration_ms: i64,
}

/// A failed migration.
pub struct Failed {
    /// Which one.
    pub migration_id: Uuid,
    /// Why.
    pub failure: Failure,
}

/// What an act consists of besides its migrations; each part runs inside the subtransaction.
pub trait Act {
    /// Before the first script: the snapshot, if there is to be one.
    ///
    /// # Errors
    /// Whatever stands against it; everything is undone then, and the error raised.
    fn prepare(&mut self) -> Result<Option<Uuid>>;

    /// Before the migration of that place runs.
    ///
    /// # Errors
    /// As above.
    fn before_migration(&mut self, _index: usize, _backup_id: Option<Uuid>) -> Result<()> {
        Ok(())
    }

    /// After the migration of that place has run.
    ///
    /// # Errors
    /// As above.
    fn after_migration(&mut self, _index: usize) -> Result<()> {
        Ok(())
    }

    /// After the last script: data put back, the new version activated.
    ///
    /// # Errors
    /// As above.
    fn complete(&mut self, backup_id: Option<Uuid>) -> Result<Vec<String>>;

    /// When every part of the act is complete: whether the result is as it should be.
    ///
    /// # Errors
    /// As above.
    fn verify(&mut self, _backup_id: Option<Uuid>) -> Result<()> {
        Ok(())
    }
}

/// Runs the migrations and the rest of the act: all of it, or nothing and a record.
///
/// When a script ran out of time waiting for a lock, everything is undone and started over as often as
/// `module_versioning.lock_retries` says.
///
/// # Errors
/// Errors that are not a script's own: they undo everything and are raised.
pub fn all_or_nothing(
    situation: &Situation,
    migrations: &[&Migration],
    order: Order,
    act: &mut impl Act,
) -> Result<Outcome> {
    let part = Part {
        situation,
        migrations,
        act,
    };
    together(&mut [part], 0, order)
}

/// The same for several installations: every snapshot first, then part by part, and the result is
/// verified when all are complete. `asked` is the part whose snapshot the outcome tells.
///
/// # Errors
/// As [`all_or_nothing`].
pub fn together(parts: &mut [Part<'_>], asked: usize, order: Order) -> Result<Outcome> {
    let started = Instant::now();
    let mut retries = 0;
    let (result, ran) = loop {
        let (result, ran) = attempt(parts, asked, order);
        let waited_in_vain = failed(&ran).is_some_and(|failed| failed.failure.sqlstate == BUSY);
        if !waited_in_vain || retries >= settings::lock_retries() {
            break (result, ran);
        }
        pgrx::check_for_interrupts!();
        retries += 1;
    };
    let retried = (retries > 0).then(|| {
        format!("a script waited in vain for a lock: everything was tried again {retries} times")
    });
    let duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    match (result, failed(&ran)) {
        (Ok(outcome), _) => Ok(Outcome {
            warnings: retried.into_iter().chain(outcome.warnings).collect(),
            duration_ms,
            ..outcome
        }),
        (Err(_), Some(failed)) => Ok(Outcome {
            run_ids: record_failure(order, &ran)?,
            backup_id: None,
            failure: Some(failed),
            warnings: retried.into_iter().collect(),
            duration_ms,
        }),
        (Err(error), None) => Err(error),
    }
}

/// SQLSTATE of a lock that was not free in time.
const BUSY: &str = "55P03";

/// One attempt, and the scripts that ran, also when it made nothing.
fn attempt<'a>(
    parts: &mut [Part<'a>],
    asked: usize,
    order: Order,
) -> (Result<Outcome>, Vec<Ran<'a>>) {
    let mut ran = Vec::new();
    let result = match parts.get(asked).map(|part| part.situation) {
        Some(situation) => reported(situation, order, || {
            run_parts(parts, asked, order, &mut ran)
        }),
        None => Err(Error::internal("an act has no part that was asked for")),
    };
    (result, ran)
}

fn failed(ran: &[Ran<'_>]) -> Option<Failed> {
    ran.iter().find_map(|ran| {
        let failure = ran.execution.failure.clone()?;
        Some(Failed {
            migration_id: Uuid::from_bytes(ran.migration.id),
            failure,
        })
    })
}

/// Runs the act in its subtransaction, where others can see how far it is.
fn reported<R>(situation: &Situation, order: Order, act: impl FnOnce() -> Result<R>) -> Result<R> {
    let operation = match order.direction {
        Direction::Down => Operation::Rollback,
        Direction::Up if situation.current().is_none() => Operation::Install,
        Direction::Up => Operation::Upgrade,
    };
    let (site, module) = (situation.site.id, situation.module.id);
    progress::during(operation, site, module, &situation.name(), || {
        in_subtransaction(act)
    })
}

fn run_parts<'a>(
    parts: &mut [Part<'a>],
    asked: usize,
    order: Order,
    ran: &mut Vec<Ran<'a>>,
) -> Result<Outcome> {
    let mut backups = Vec::new();
    for part in parts.iter_mut() {
        state::keep_version(part.situation)?;
        backups.push(part.act.prepare()?);
    }
    let (mut run_ids, mut warnings) = (Vec::new(), Vec::new());
    let total = parts.iter().map(|part| part.migrations.len()).sum();
    for (part, backup_id) in parts.iter_mut().zip(&backups) {
        let situation = part.situation;
        let before = (!part.migrations.is_empty())
            .then(|| state::Before::read(situation, part.migrations, order.direction));
        let before = before.transpose()?;
        for (index, migration) in part.migrations.iter().enumerate() {
            progress::migration(run_ids.len() + 1, total, &migration.to_version);
            part.act.before_migration(index, *backup_id)?;
            run_ids.push(run_one(situation, migration, order, *backup_id, ran)?);
            part.act.after_migration(index)?;
        }
        let after = before.map(|before| before.record_changes(situation, order.force));
        let after = after.transpose()?;
        let completed = part.act.complete(*backup_id)?;
        if let Some(after) = after {
            warnings.extend(after.remarks(situation, order.direction)?);
        }
        warnings.extend(completed);
    }
    progress::step(Step::Verification);
    for (part, backup_id) in parts.iter_mut().zip(&backups) {
        part.act.verify(*backup_id)?;
    }
    Ok(Outcome {
        run_ids,
        backup_id: backups.get(asked).copied().flatten(),
        failure: None,
        warnings,
        duration_ms: 0,
    })
}

/// Runs one migration and records it. A failing script is kept in `ran` and ends the subtransaction.
fn run_one<'a>(
    situation: &'a Situation,
    migration: &'a Migration,
    order: Order,
    backup_id: Option<Uuid>,
    ran: &mut Vec<Ran<'a>>,
) -> Result<Uuid> {
    let context = RunContext {
        site_id: situation.site.id,
        module_id: situation.module.id,
        schema: situation.schema(),
        owner: owner(situation)?,
    };
    let execution = run_migration(migration, order.direction, &context)?;
    if execution.failure.is_some() {
        ran.push(Ran {
            situation,
            migration,
            execution,
        });
        // What undoes the subtransaction; the caller finds the failure itself in `ran`.
        return Err(Error::internal(format!(
            "migration {} failed",
            migration.sequence
        )));
    }
    let run_id = record_run(&record(
        situation,
        migration,
        order,
        backup_id,
        &execution,
        RunStatus::Success,
    ))?;
    ran.push(Ran {
        situation,
        migration,
        execution,
    });
    let (id, site) = (
        Uuid::from_bytes(migration.id),
        situation.applied_site(migration),
    );
    match order.direction {
        Direction::Up => {
            mark_applied(id, site, Some(run_id))?;
            post_step::fall_due(id, site)?;
        }
        Direction::Down => {
            unmark_applied(id, site)?;
            post_step::cancel(id, site)?;
            if !situation.covered.is_empty() {
                uncover(id, site)?;
            }
        }
    }
    Ok(run_id)
}

/// The role as which a module's scripts run.
///
/// # Errors
/// 42704 when it has gone.
pub fn owner(situation: &Situation) -> Result<pg_sys::Oid> {
    identity::role_named(&situation.module.owner_role).map_err(|error| {
        error.detail(format!(
            "It owns module \"{}\", whose scripts run with its rights.",
            situation.module.slug
        ))
    })
}

/// After everything was undone: the runs that had succeeded as rolled back, the failed one as failed.
fn record_failure(order: Order, ran: &[Ran<'_>]) -> Result<Vec<Uuid>> {
    ran.iter()
        .map(|ran| {
            let status = match ran.execution.failure {
                Some(_) => RunStatus::Failed,
                None => RunStatus::RolledBack,
            };
            record_run(&record(
                ran.situation,
                ran.migration,
                order,
                None,
                &ran.execution,
                status,
            ))
        })
        .collect()
}

fn record<'a>(
    situation: &'a Situation,
    migration: &Migration,
    order: Order,
    backup_id: Option<Uuid>,
    execution: &'a Execution,
    status: RunStatus,
) -> NewRun<'a> {
    NewRun {
        site_id: situation.site.id,
        module_id: situation.module.id,
        migration_id: Uuid::from_bytes(migration.id),
        direction: order.direction,
        status,
        execution,
        backup_id,
        executed_by: order.executed_by,
        run_as: &situation.module.owner_role,
    }
}

/// What a change returns, before it is made a row.
pub struct Change<'a> {
    /// `up` or `down`; nothing when no migration is meant.
    pub direction: Option<Direction>,
    /// The version before.
    pub from_version: Option<&'a Version>,
    /// The version meant to be reached.
    pub to_version: Option<&'a Version>,
}

impl Change<'_> {
    /// The row of a change that had something to do.
    ///
    /// # Errors
    /// None of its own.
    pub fn done(
        &self,
        situation: &Situation,
        outcome: &Outcome,
        mut warnings: Vec<String>,
    ) -> Result<store::ChangeRow> {
        warnings.extend(outcome.warnings.iter().cloned());
        let status = if outcome.failure.is_some() {
            "failed"
        } else {
            "success"
        };
        store::change(situation, self, status, Some(outcome), &warnings)
    }

    /// The row of a change that found nothing to do.
    ///
    /// # Errors
    /// None of its own.
    pub fn noop(&self, situation: &Situation, warnings: &[String]) -> Result<store::ChangeRow> {
        store::change(situation, self, "noop", None, warnings)
    }
}
