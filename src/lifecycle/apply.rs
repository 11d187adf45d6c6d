//! One migration by itself, for those who go step by step.

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::model::{Direction, Migration, Scope};
use versioning_core::plan::{self, Action, Plan, Step};
use versioning_core::status::Status;

use super::keeping::Keeping;
use super::run::{self, Act, Order, Outcome};
use super::situation::Situation;
use super::undoing::Purpose;
use super::{lock, snapshot, store};
use crate::error::{Error, Result};
use crate::snapshot::take::SnapshotKind;

/// What a caller may ask.
pub struct Wish {
    /// The migration.
    pub migration_id: Uuid,
    /// Which way.
    pub direction: Direction,
    /// Whether to take a snapshot first.
    pub create_backup: bool,
    /// Who asks.
    pub executed_by: Option<Uuid>,
}

/// The direction of that word; `up` when there is none.
///
/// # Errors
/// 22023 for any other word.
pub fn direction(word: Option<&str>) -> Result<Direction> {
    match word {
        None | Some("up") => Ok(Direction::Up),
        Some("down") => Ok(Direction::Down),
        Some(other) => Err(
            Error::invalid_argument(format!("unknown direction \"{other}\""))
                .hint("Use up or down."),
        ),
    }
}

/// Runs one migration if it is the next one in order. The version that runs stays what it is:
/// upgrade_module or rollback_module activates another.
///
/// # Errors
/// 55000 when the module isn't installed, or the migration isn't the next one.
pub fn apply(situation: &Situation, wish: &Wish) -> Result<Outcome> {
    let (installation, _) = situation.installed()?;
    let site_module_id = installation.site_module_id;
    lock::module(
        situation.module.id,
        &situation.module.slug,
        lock::for_scopes([migration(situation, wish)?.scope].into_iter()),
    )?;
    lock::installation(site_module_id, &situation.name())?;
    let situation = &situation.read_again()?;
    let migration = migration(situation, wish)?;
    refuse_out_of_order(situation, migration, wish.direction)?;
    let order = Order {
        direction: wish.direction,
        executed_by: wish.executed_by,
        force: false,
    };
    let mut act = SingleAct {
        situation,
        site_module_id,
        wish,
        migration,
        keeping: None,
    };
    run::all_or_nothing(situation, &[migration], order, &mut act)
}

fn migration<'a>(situation: &'a Situation, wish: &Wish) -> Result<&'a Migration> {
    situation
        .migrations
        .iter()
        .find(|one| one.id == *wish.migration_id.as_bytes())
        .ok_or_else(|| Error::not_found(format!("migration {} does not exist", wish.migration_id)))
}

fn refuse_out_of_order(
    situation: &Situation,
    migration: &Migration,
    direction: Direction,
) -> Result<()> {
    let facts = situation.facts();
    let oldest = Version::parse("0.0.0-0").ok();
    let plan = match direction {
        Direction::Up => {
            refuse_draft(situation, migration)?;
            plan::upgrade(facts, &migration.to_version)
        }
        Direction::Down => {
            oldest.map_or_else(Plan::default, |oldest| plan::rollback(facts, &oldest))
        }
    };
    let next = next(&plan);
    let what = format!(
        "migration {} is not the next one to run {}",
        migration.sequence,
        direction.as_str()
    );
    match next {
        Some(next) if next.migration.id == migration.id => match plan.blockers.first() {
            Some(blocker) if direction == Direction::Up => Err(Error::wrong_state(what)
                .detail(format!("- {}", blocker.text))
                .hint(if next.is_late {
                    "Set module_versioning.allow_out_of_order to run it all the same."
                } else {
                    "Resolve this first; plan_upgrade shows it without changing anything."
                })),
            _ => Ok(()),
        },
        next => Err(Error::wrong_state(what)
            .detail(why_not(situation, &plan, migration, next))
            .hint("get_pending_migrations lists them in run order.")),
    }
}

fn why_not(
    situation: &Situation,
    plan: &Plan<'_>,
    migration: &Migration,
    next: Option<&Step<'_>>,
) -> String {
    let own = plan
        .steps
        .iter()
        .find(|step| step.migration.id == migration.id);
    match (own.and_then(|step| step.equivalent), next) {
        (Some(equivalent), _) => format!(
            "Its equivalent, migration {}, does its work.",
            equivalent.sequence
        ),
        (None, Some(next)) => format!("The next one is migration {}.", next.migration.sequence),
        (None, None) if situation.applied.contains(&migration.id) => {
            "It is in force, and none is next in this direction.".to_owned()
        }
        (None, None) => "None is next in this direction.".to_owned(),
    }
}

/// The step that comes next: one that is kept for others stands in nobody's way, one that can't be
/// undone does.
fn next<'p, 'a>(plan: &'p Plan<'a>) -> Option<&'p Step<'a>> {
    plan.steps
        .iter()
        .find(|step| matches!(step.action, Action::Run | Action::CannotBeUndone))
        .filter(|step| step.action == Action::Run)
}

/// What is not published runs nowhere.
fn refuse_draft(situation: &Situation, migration: &Migration) -> Result<()> {
    let version = situation.version(&migration.to_version)?;
    if version.status != Status::Draft {
        return Ok(());
    }
    Err(Error::wrong_state(format!(
        "migration {} leads to version {}, which is a draft",
        migration.sequence, version.version
    ))
    .detail("Migrations of a draft may still change, so they run nowhere.")
    .hint("Publish the version first, with publish_version."))
}

/// What a single migration has around it.
struct SingleAct<'a> {
    situation: &'a Situation,
    site_module_id: Uuid,
    wish: &'a Wish,
    migration: &'a Migration,
    keeping: Option<Keeping>,
}

impl Act for SingleAct<'_> {
    fn prepare(&mut self) -> Result<Option<Uuid>> {
        if self.migration.scope == Scope::Shared {
            store::touch_module(self.situation.module.id)?;
        }
        store::touch_installation(self.site_module_id)?;
        let ran = (&[self.migration][..], self.wish.direction);
        let keeping = self
            .keeping
            .insert(Keeping::new(self.situation, ran, Purpose::GiveBack)?);
        if !self.wish.create_backup {
            return Ok(None);
        }
        let kind = match self.wish.direction {
            Direction::Up => SnapshotKind::PreUpgrade,
            Direction::Down => SnapshotKind::PreRollback,
        };
        let backup_id = snapshot::take(self.situation, kind, None, self.wish.executed_by)?;
        keeping.watch(self.situation, ran, backup_id)?;
        Ok(Some(backup_id))
    }

    fn before_migration(&mut self, index: usize, backup_id: Option<Uuid>) -> Result<()> {
        match &mut self.keeping {
            Some(keeping) => keeping.before(self.situation, (index, self.migration), backup_id),
            None => Ok(()),
        }
    }

    fn after_migration(&mut self, index: usize) -> Result<()> {
        self.keeping
            .as_mut()
            .map_or(Ok(()), |keeping| keeping.after(index))
    }

    fn complete(&mut self, _backup_id: Option<Uuid>) -> Result<Vec<String>> {
        let Some(mut keeping) = self.keeping.take() else {
            return Ok(Vec::new());
        };
        let undoing = keeping.undoing.take();
        keeping.end(self.situation)?;
        let Some(undoing) = undoing else {
            return Ok(Vec::new());
        };
        let mut warnings = undoing.warnings;
        if !undoing.unknown.is_empty() && self.wish.direction == Direction::Down {
            warnings.push(
                "there is no snapshot from before the migration ran: what it had destroyed can't be refilled"
                    .to_owned(),
            );
        }
        Ok(warnings)
    }
}
