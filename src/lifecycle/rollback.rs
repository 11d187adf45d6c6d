//! Rolling back: snapshot, down scripts, data given back, verified, all of it or nothing.

use std::collections::BTreeSet;

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::model::{Direction, Migration, Scope};
use versioning_core::plan::{Action, Blocker, Plan, list};

use super::keeping::Keeping;
use super::locks::Locks;
use super::obstacle::refuse_blocked;
use super::rollback_plan::{self, Rollback};
use super::run::{self, Act, Change, Order};
use super::situation::Situation;
use super::store::{self, ChangeRow};
use super::undoing::Purpose;
use super::{equivalent, hold, lock, snapshot, state, verify};
use crate::error::{Error, Result};
use crate::registry::RegisteredVersion;
use crate::snapshot::restore;
use crate::snapshot::take::SnapshotKind;

/// What becomes of the data after the down scripts have run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Only the scripts.
    Down,
    /// What the upgrade had destroyed is refilled where the scripts left nothing; the rest stays.
    Preserve,
    /// The data exactly as in the snapshot.
    Restore,
}

impl Strategy {
    /// The strategy of that word; `preserve` when there is none.
    ///
    /// # Errors
    /// 22023 for any other word.
    pub fn from_word(word: Option<&str>) -> Result<Self> {
        match word {
            None | Some("preserve") => Ok(Self::Preserve),
            Some("down") => Ok(Self::Down),
            Some("restore") => Ok(Self::Restore),
            Some(other) => Err(
                Error::invalid_argument(format!("unknown strategy \"{other}\""))
                    .hint("Use down, preserve or restore."),
            ),
        }
    }
}

/// What a caller may ask of a rollback.
pub struct Wish<'a> {
    /// The version to go back to.
    pub target: Option<&'a Version>,
    /// What becomes of the data.
    pub strategy: Strategy,
    /// Whether to take a snapshot first.
    pub create_backup: bool,
    /// Whether to go on against blockers of judgement.
    pub force: bool,
    /// Who asks.
    pub executed_by: Option<Uuid>,
}

/// Rolls an installed module back.
///
/// # Errors
/// 55000 when it isn't installed or something stands against it; 55P03 when another session is at it.
pub fn rollback(situation: &Situation, wish: &Wish<'_>) -> Result<ChangeRow> {
    let (installation, _) = situation.installed()?;
    let site_module_id = installation.site_module_id;
    let planned = Rollback::new(situation, wish.target)?;
    let needed = lock::for_scopes(planned.plan.running().map(|migration| migration.scope));
    let mut locks = Locks::default();
    locks.add(situation, needed);
    locks.add_needed(situation, planned.target)?;
    locks.take()?;
    let situation = hold::target(situation.read_again()?, |situation| {
        rollback_plan::chosen(situation, wish.target)
    })?;
    change(&situation, site_module_id, wish)
}

fn change(situation: &Situation, site_module_id: Uuid, wish: &Wish<'_>) -> Result<ChangeRow> {
    let rollback = Rollback::new(situation, wish.target)?;
    let change = Change {
        direction: Some(Direction::Down),
        from_version: situation.current(),
        to_version: Some(&rollback.target.version),
    };
    if rollback.is_noop(situation) {
        return change.noop(situation, &[]);
    }
    let mut blockers = rollback.plan.blockers.clone();
    blockers.extend(for_wish(&rollback, wish));
    let what = format!(
        "rollback of module \"{}\" on site \"{}\" to {}",
        situation.module.slug, situation.site.slug, rollback.target.version
    );
    refuse_blocked(&what, Direction::Down, &blockers, wish.force)?;
    let migrations: Vec<&Migration> = rollback
        .plan
        .steps
        .iter()
        .filter(|step| step.action == Action::Run)
        .map(|step| step.migration)
        .collect();
    let mut warnings = rollback.plan.warnings.clone();
    warnings.extend(
        blockers
            .iter()
            .map(|blocker| format!("forced: {}", blocker.text)),
    );
    let order = Order {
        direction: Direction::Down,
        executed_by: wish.executed_by,
        force: wish.force,
    };
    let mut act = RollbackAct {
        situation,
        site_module_id,
        wish,
        target: rollback.target,
        plan: &rollback.plan,
        source: rollback.backup_id,
        migrations: &migrations,
        keeping: None,
    };
    let outcome = run::all_or_nothing(situation, &migrations, order, &mut act)?;
    change.done(situation, &outcome, warnings)
}

/// What stands against the rollback as it was asked for.
fn for_wish(rollback: &Rollback<'_>, wish: &Wish<'_>) -> Vec<Blocker> {
    let mut found = Vec::new();
    if wish.strategy == Strategy::Restore && rollback.backup_id.is_none() {
        found.push(Blocker::correctness(format!(
            "there is no snapshot of version {} to restore",
            rollback.target.version
        )));
    }
    if !wish.create_backup && !rollback.loss.known.is_empty() {
        found.push(Blocker::judgement(
            "data would be lost that no snapshot covers, for create_backup is false".to_owned(),
        ));
    }
    found
}

/// What a rollback does around its scripts.
struct RollbackAct<'a> {
    situation: &'a Situation,
    site_module_id: Uuid,
    wish: &'a Wish<'a>,
    target: &'a RegisteredVersion,
    plan: &'a Plan<'a>,
    source: Option<Uuid>,
    migrations: &'a [&'a Migration],
    keeping: Option<Keeping>,
}

impl Act for RollbackAct<'_> {
    fn prepare(&mut self) -> Result<Option<Uuid>> {
        let situation = self.situation;
        if self
            .migrations
            .iter()
            .any(|migration| migration.scope == Scope::Shared)
        {
            store::touch_module(situation.module.id)?;
        }
        store::touch_installation(self.site_module_id)?;
        let ran = (self.migrations, Direction::Down);
        let purpose = match self.wish.strategy {
            Strategy::Preserve => Purpose::GiveBack,
            Strategy::Down => Purpose::Tell,
            Strategy::Restore => Purpose::TellAtEnd,
        };
        let keeping = self.keeping.insert(Keeping::new(situation, ran, purpose)?);
        if !self.wish.create_backup {
            return Ok(None);
        }
        let backup_id = snapshot::take(
            situation,
            SnapshotKind::PreRollback,
            None,
            self.wish.executed_by,
        )?;
        keeping.watch(situation, ran, backup_id)?;
        Ok(Some(backup_id))
    }

    fn before_migration(&mut self, index: usize, backup_id: Option<Uuid>) -> Result<()> {
        match (&mut self.keeping, self.migrations.get(index)) {
            (Some(keeping), Some(migration)) => {
                keeping.before(self.situation, (index, migration), backup_id)
            }
            _ => Ok(()),
        }
    }

    fn after_migration(&mut self, index: usize) -> Result<()> {
        self.keeping
            .as_mut()
            .map_or(Ok(()), |keeping| keeping.after(index))
    }

    fn complete(&mut self, backup_id: Option<Uuid>) -> Result<Vec<String>> {
        let mut warnings = self.give_back()?;
        equivalent::after_rollback(self.situation, self.plan)?;
        warnings.extend(state::come_back(self.situation, self.target.id)?);
        store::leave_version(self.site_module_id, "rolled_back", backup_id)?;
        store::enter_version(self.site_module_id, self.target.id, self.wish.executed_by)?;
        if let Some(keeping) = self.keeping.take() {
            keeping.end(self.situation)?;
        }
        Ok(warnings)
    }

    fn verify(&mut self, backup_id: Option<Uuid>) -> Result<()> {
        verify::after_change(self.situation, backup_id)
    }
}

impl RollbackAct<'_> {
    /// What is given back when all scripts have run, and what could not be while they ran.
    fn give_back(&mut self) -> Result<Vec<String>> {
        if let (Strategy::Restore, Some(source)) = (self.wish.strategy, self.source) {
            restore::restore(source, None)?;
        }
        let undoing = self.keeping.as_mut().and_then(|it| it.undoing.take());
        let Some(mut undoing) = undoing else {
            return Ok(Vec::new());
        };
        undoing.end()?;
        let mut warnings = undoing.warnings;
        if !undoing.unknown.is_empty() && self.wish.strategy == Strategy::Preserve {
            warnings.insert(0, self.without_snapshot(&undoing.unknown));
        }
        Ok(warnings)
    }

    fn without_snapshot(&self, ids: &[Uuid]) -> String {
        let is_unknown = |one: &&&Migration| ids.contains(&Uuid::from_bytes(one.id));
        let versions: BTreeSet<&Version> = self
            .migrations
            .iter()
            .filter(is_unknown)
            .map(|migration| &migration.to_version)
            .collect();
        format!(
            "there is no snapshot from before {}: what the upgrade had destroyed can't be refilled",
            list(versions.into_iter().map(ToString::to_string))
        )
    }
}
