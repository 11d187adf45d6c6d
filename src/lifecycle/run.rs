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
use crate::migration::execute::{Execution, Failure, RunContext, run_migration};
use crate::migration::history::{NewRun, RunStatus, mark_applied, record_run, unmark_applied};
use crate::pg::identity;
use crate::pg::subtransaction::in_subtransaction;

/// What the caller of a change asked for and who asked.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Which way.
    pub direction: Direction,
    /// Who asked, as the caller said.
    pub executed_by: Option<Uuid>,
}

/// A migration that ran, with what came of it.
pub struct Ran<'a> {
    migration: &'a Migration,
    execution: Execution,
}

/// How an act ended.
pub struct Outcome {
    /// The runs recorded, in run order.
    pub run_ids: Vec<Uuid>,
    /// The snapshot taken first, when it is still there.
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

    /// After the last script: data put back, the new version activated, the result verified.
    ///
    /// # Errors
    /// As above.
    fn complete(&mut self, backup_id: Option<Uuid>) -> Result<Vec<String>>;
}

/// Runs the migrations and the rest of the act: all of it, or nothing and a record.
///
/// # Errors
/// Errors that are not a script's own: they undo everything and are raised.
pub fn all_or_nothing(
    situation: &Situation,
    migrations: &[&Migration],
    order: Order,
    act: &mut impl Act,
) -> Result<Outcome> {
    let started = Instant::now();
    let mut ran = Vec::new();
    let result = in_subtransaction(|| {
        let backup_id = act.prepare()?;
        let mut run_ids = Vec::new();
        for migration in migrations {
            run_ids.push(run_one(situation, migration, order, backup_id, &mut ran)?);
        }
        let warnings = act.complete(backup_id)?;
        Ok((run_ids, backup_id, warnings))
    });
    let failed = ran.iter().find_map(|ran| {
        let failure = ran.execution.failure.clone()?;
        Some(Failed {
            migration_id: Uuid::from_bytes(ran.migration.id),
            failure,
        })
    });
    let duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    match (result, failed) {
        (Ok((run_ids, backup_id, warnings)), _) => Ok(Outcome {
            run_ids,
            backup_id,
            failure: None,
            warnings,
            duration_ms,
        }),
        (Err(_), Some(failed)) => {
            let run_ids = record_failure(situation, order, &ran)?;
            let failure = Some(failed);
            Ok(Outcome {
                run_ids,
                backup_id: None,
                failure,
                warnings: Vec::new(),
                duration_ms,
            })
        }
        (Err(error), None) => Err(error),
    }
}

/// Runs one migration and records it. A failing script is kept in `ran` and ends the subtransaction.
fn run_one<'a>(
    situation: &Situation,
    migration: &'a Migration,
    order: Order,
    backup_id: Option<Uuid>,
    ran: &mut Vec<Ran<'a>>,
) -> Result<Uuid> {
    let before = state::Before::read(situation)?;
    let context = RunContext {
        site_id: situation.site.id,
        module_id: situation.module.id,
        schema: situation.schema(),
        owner: owner(situation)?,
    };
    let execution = run_migration(migration, order.direction, &context)?;
    if execution.failure.is_some() {
        ran.push(Ran {
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
        migration,
        execution,
    });
    let site = situation.applied_site(migration);
    match order.direction {
        Direction::Up => mark_applied(Uuid::from_bytes(migration.id), site, Some(run_id))?,
        Direction::Down => unmark_applied(Uuid::from_bytes(migration.id), site)?,
    }
    before.record_changes(situation)?;
    Ok(run_id)
}

fn owner(situation: &Situation) -> Result<pg_sys::Oid> {
    identity::role_named(&situation.module.owner_role).map_err(|error| {
        error.detail(format!(
            "It owns module \"{}\", whose scripts run with its rights.",
            situation.module.slug
        ))
    })
}

/// After everything was undone: the runs that had succeeded as rolled back, the failed one as failed.
fn record_failure(situation: &Situation, order: Order, ran: &[Ran<'_>]) -> Result<Vec<Uuid>> {
    ran.iter()
        .map(|ran| {
            let status = match ran.execution.failure {
                Some(_) => RunStatus::Failed,
                None => RunStatus::RolledBack,
            };
            record_run(&record(
                situation,
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
