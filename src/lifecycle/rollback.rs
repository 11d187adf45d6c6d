//! Rolling back: snapshot, down scripts, data given back, verified, all of it or nothing.

use std::collections::BTreeSet;

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::model::{Direction, Migration, Scope};
use versioning_core::plan::{Action, Blocker, Plan};

use super::locks::Locks;
use super::rollback_plan::{self, Rollback};
use super::run::{self, Act, Change, Order};
use super::situation::Situation;
use super::store::{self, ChangeRow};
use super::upgrade_plan::refuse_blocked;
use super::{equivalent, hold, lock, snapshot, state, verify};
use crate::error::{Error, Result};
use crate::registry::RegisteredVersion;
use crate::schema::{self, Column};
use crate::snapshot::take::SnapshotKind;
use crate::snapshot::{refill, restore};

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
        shared: migrations
            .iter()
            .any(|migration| migration.scope == Scope::Shared),
        columns: BTreeSet::new(),
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
    shared: bool,
    columns: BTreeSet<Column>,
}

impl Act for RollbackAct<'_> {
    fn prepare(&mut self) -> Result<Option<Uuid>> {
        if self.shared {
            store::touch_module(self.situation.module.id)?;
        }
        store::touch_installation(self.site_module_id)?;
        self.columns = schema::columns(self.situation.schema())?
            .into_iter()
            .collect();
        if !self.wish.create_backup {
            return Ok(None);
        }
        snapshot::take(
            self.situation,
            SnapshotKind::PreRollback,
            None,
            self.wish.executed_by,
        )
        .map(Some)
    }

    fn complete(&mut self, backup_id: Option<Uuid>) -> Result<Vec<String>> {
        let mut warnings = self.give_back()?;
        equivalent::after_rollback(self.situation, self.plan)?;
        warnings.extend(state::come_back(self.situation, self.target.id)?);
        store::leave_version(self.site_module_id, "rolled_back", backup_id)?;
        store::enter_version(self.site_module_id, self.target.id, self.wish.executed_by)?;
        Ok(warnings)
    }

    fn verify(&mut self, backup_id: Option<Uuid>) -> Result<()> {
        verify::after_change(self.situation, backup_id)
    }
}

impl RollbackAct<'_> {
    fn give_back(&self) -> Result<Vec<String>> {
        match (self.wish.strategy, self.source) {
            (Strategy::Restore, Some(source)) => {
                restore::restore(source, None)?;
                Ok(Vec::new())
            }
            (Strategy::Preserve, Some(source)) => self.refill(source),
            (Strategy::Preserve, None) => Ok(vec![format!(
                "there is no snapshot of version {}: what the upgrade had destroyed can't be refilled",
                self.target.version
            )]),
            (Strategy::Down | Strategy::Restore, _) => Ok(Vec::new()),
        }
    }

    /// Columns and tables that were not there before the down scripts and are there now had been
    /// destroyed by the upgrade.
    fn refill(&self, source: Uuid) -> Result<Vec<String>> {
        let after = schema::columns(self.situation.schema())?;
        let known = |table: &str| self.columns.iter().any(|column| column.table == table);
        let mut tables = BTreeSet::new();
        let mut columns = Vec::new();
        for column in after {
            if !known(&column.table) {
                tables.insert(shown(&column.table));
            } else if !self.columns.contains(&column) {
                columns.push((shown(&column.table), column.name));
            }
        }
        if tables.is_empty() && columns.is_empty() {
            return Ok(Vec::new());
        }
        let tables: Vec<String> = tables.into_iter().collect();
        let refilled = refill::refill(source, &columns, &tables)?;
        Ok(refilled
            .into_iter()
            .flat_map(|table| table.warnings)
            .collect())
    }
}

/// A table of the module's own schema, as snapshots name it.
fn shown(table: &str) -> String {
    pgrx::spi::quote_identifier(table)
}
