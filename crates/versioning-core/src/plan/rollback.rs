//! The plan of a rollback.

use npm_semver::Version;

use super::order::Line;
use super::{Action, Blocker, Facts, Neighbour, Plan, Step, list};
use crate::model::{Migration, Scope};
use crate::status::Status;

/// The plan of a rollback to `target`.
///
/// Of a class of equivalents only the one that ran is undone, and only when nothing that stays needs
/// its work: neither another site, nor a version up to the target.
pub fn rollback<'a>(facts: Facts<'a>, target: &Version) -> Plan<'a> {
    let line = Line::new(facts.migrations);
    let mut plan = Plan::default();
    for (migration, class) in line.with_classes().rev() {
        if migration.to_version > *target && facts.applied.contains(&migration.id) {
            let view = View {
                facts: &facts,
                migration,
                class: &class,
                target,
            };
            plan.steps.push(view.step());
            view.judge(&mut plan);
        }
    }
    plan.warnings.extend(undone_for_others(&facts, &plan));
    plan
}

/// One migration of a rollback, with its equivalents.
struct View<'v, 'a> {
    facts: &'v Facts<'a>,
    migration: &'a Migration,
    class: &'v [&'a Migration],
    target: &'v Version,
}

impl<'a> View<'_, 'a> {
    fn step(&self) -> Step<'a> {
        let migration = self.migration;
        if self.needing().next().is_some() {
            return Step::new(migration, Action::KeptForOthers, None);
        }
        match self.holder() {
            Some(holder) if holder.id != migration.id => {
                return Step::new(migration, Action::Equivalent, Some(holder));
            }
            _ => {}
        }
        if let Some(kept_for) = self.equivalent_that_stays() {
            Step::new(migration, Action::KeptForEquivalent, Some(kept_for))
        } else if migration.down_sql.is_none() || !migration.is_reversible {
            Step::new(migration, Action::CannotBeUndone, None)
        } else {
            Step::new(migration, Action::Run, None)
        }
    }

    /// The members of the class that are in force.
    fn in_force(&self) -> impl Iterator<Item = &'a Migration> {
        let applied = self.facts.applied;
        self.class
            .iter()
            .copied()
            .filter(move |one| applied.contains(&one.id))
    }

    /// The one whose script did the work.
    fn holder(&self) -> Option<&'a Migration> {
        self.in_force()
            .min_by_key(|one| self.facts.covered.contains(&one.id))
    }

    /// The other sites whose version is built on the work of this migration, or of one that it covers.
    fn needing(&self) -> impl Iterator<Item = &'a Neighbour> {
        let does_the_work = self.holder().is_some_and(|one| one.id == self.migration.id);
        let earliest = self.in_force().next().filter(|_| does_the_work);
        let earliest = earliest.unwrap_or(self.migration).to_version.clone();
        let earliest = Some(earliest).filter(|_| self.migration.scope == Scope::Shared);
        self.facts.neighbours.iter().filter(move |site| {
            earliest
                .as_ref()
                .is_some_and(|earliest| site.version >= *earliest)
        })
    }

    /// An equivalent that belongs to the target: one in force; or, where the site has never run the
    /// target before, one that is there by now, for the target's software may count on it.
    fn equivalent_that_stays(&self) -> Option<&'a Migration> {
        let below = || {
            self.class
                .iter()
                .copied()
                .filter(|one| one.to_version <= *self.target)
        };
        let in_force = below().find(|one| self.facts.applied.contains(&one.id));
        if in_force.is_some() || self.facts.left.contains(self.target) {
            return in_force;
        }
        below().find(|one| {
            self.facts
                .releases
                .iter()
                .any(|release| release.version == one.to_version && release.status != Status::Draft)
        })
    }

    fn judge(&self, plan: &mut Plan<'a>) {
        let Some(step) = plan.steps.last().copied() else {
            return;
        };
        let (sequence, version) = (self.migration.sequence, &self.migration.to_version);
        match (step.action, step.equivalent) {
            (Action::Run | Action::Equivalent, _) | (Action::KeptForEquivalent, None) => {}
            (Action::KeptForOthers, _) => plan.warnings.push(format!(
                "shared migration {sequence} to {version} stays in force, for {} still needs it",
                list(
                    self.needing()
                        .map(|site| format!("{} ({})", site.site, site.version))
                )
            )),
            (Action::KeptForEquivalent, Some(kept_for)) => plan.warnings.push(format!(
                "migration {sequence} to {version} stays in force: its equivalent, migration {} to {}, is part of version {}",
                kept_for.sequence, kept_for.to_version, self.target
            )),
            (Action::CannotBeUndone, _) => plan.blockers.push(Blocker::judgement(format!(
                "migration {sequence} to {version} {}; with force its step is skipped and what it did stays",
                if self.migration.down_sql.is_none() {
                    "has no down script"
                } else {
                    "is irreversible"
                }
            ))),
        }
    }
}

/// The other sites whose tables a shared down script changes too.
fn undone_for_others(facts: &Facts<'_>, plan: &Plan<'_>) -> Option<String> {
    let shared = plan
        .running()
        .filter(|one| one.scope == Scope::Shared)
        .count();
    (shared > 0 && !facts.neighbours.is_empty()).then(|| {
        format!(
            "{shared} shared {} undone for these sites too: {}",
            if shared == 1 {
                "migration is"
            } else {
                "migrations are"
            },
            list(facts.neighbours.iter().map(|site| site.site.clone()))
        )
    })
}
