//! The plan of an upgrade or installation.

use std::collections::BTreeMap;

use npm_semver::Version;

use super::order::Line;
use super::{Action, Blocker, Facts, Plan, Step, counted, list};
use crate::model::{Migration, Scope};
use crate::status::Status;

/// The plan of an installation or upgrade to `target`.
///
/// Every migration of a version up to the target that is not in force runs, each class of equivalents
/// once. Drafts are left out, but for the target itself: what nobody has published nobody gets by way
/// of another version.
pub fn upgrade<'a>(facts: Facts<'a>, target: &Version) -> Plan<'a> {
    let line = Line::new(facts.migrations);
    let journey = Journey {
        releases: facts
            .releases
            .iter()
            .map(|release| (&release.version, release.status))
            .collect(),
        front: shared_front(&facts, &line),
        facts,
        target,
    };
    let mut plan = Plan::default();
    for class in line.classes() {
        journey.add(&mut plan, &class);
    }
    plan.steps.sort_by(|a, b| a.place().cmp(&b.place()));
    journey.judge(&mut plan);
    plan
}

/// How far the shared tables have come: the highest version of which a shared migration is in force,
/// where each class of equivalents counts by its earliest member in force.
fn shared_front<'a>(facts: &Facts<'a>, line: &Line<'a>) -> Option<&'a Migration> {
    line.classes()
        .filter_map(|class| {
            class
                .into_iter()
                .find(|one| one.scope == Scope::Shared && facts.applied.contains(&one.id))
        })
        .max_by(|a, b| (&a.to_version, a.sequence).cmp(&(&b.to_version, b.sequence)))
}

/// From where an installation is to its target.
struct Journey<'a, 't> {
    facts: Facts<'a>,
    releases: BTreeMap<&'a Version, Status>,
    front: Option<&'a Migration>,
    target: &'t Version,
}

impl<'a> Journey<'a, '_> {
    /// Whether an upgrade may come through a version.
    fn is_passable(&self, version: &Version) -> bool {
        version == self.target
            || self.facts.current == Some(version)
            || self
                .releases
                .get(version)
                .is_some_and(|status| *status != Status::Draft)
    }

    /// Whether a version has been yanked and is not where the journey leads.
    fn is_withdrawn(&self, version: &Version) -> bool {
        version != self.target && self.releases.get(version) == Some(&Status::Yanked)
    }

    /// Whether the version of a migration lies above the one that runs.
    fn is_ahead(&self, migration: &Migration) -> bool {
        self.facts
            .current
            .is_none_or(|current| migration.to_version > *current)
    }

    /// Whether the shared tables have gone on without this migration.
    fn is_overtaken(&self, migration: &Migration) -> bool {
        migration.scope == Scope::Shared
            && self.front.is_some_and(|front| {
                (&front.to_version, front.sequence) > (&migration.to_version, migration.sequence)
            })
    }

    /// Whether the time of a migration has passed without it. One that was undone may come again.
    fn is_late(&self, migration: &Migration) -> bool {
        !self.facts.undone.contains(&migration.id)
            && (!self.is_ahead(migration) || self.is_overtaken(migration))
    }

    /// Adds the steps that a class of equivalents needs.
    fn add(&self, plan: &mut Plan<'a>, class: &[&'a Migration]) {
        let published: Vec<&'a Migration> = class
            .iter()
            .copied()
            .filter(|one| self.is_passable(&one.to_version))
            .collect();
        let due: Vec<&'a Migration> = published
            .iter()
            .copied()
            .filter(|one| one.to_version <= *self.target)
            .collect();
        let in_force = |one: &&&Migration| self.facts.applied.contains(&one.id);
        let holder = class
            .iter()
            .filter(in_force)
            .min_by_key(|one| self.facts.covered.contains(&one.id))
            .copied();
        if let Some(holder) = holder {
            return self.add_covered(plan, &due, holder);
        }
        let Some(first) = due.first() else { return };
        let in_time = due.iter().filter(|one| !self.is_late(one));
        // Of a class the earliest runs, but none of a yanked version where there is another: this is how
        // a published script that fails is replaced.
        if let Some(runs) = in_time.min_by_key(|one| self.is_withdrawn(&one.to_version)) {
            plan.steps.push(Step::new(runs, Action::Run, None));
            return self.add_covered(plan, &due, runs);
        }
        let later = published.iter().find(|one| one.to_version > *self.target);
        match later.filter(|_| !due.iter().any(|one| self.is_ahead(one))) {
            Some(later) => plan.warnings.push(format!(
                "{} is not in force: its equivalent, {}, will do its work",
                name(first),
                name(later)
            )),
            None => {
                plan.steps.push(Step {
                    is_late: true,
                    ..Step::new(first, Action::Run, None)
                });
                self.add_covered(plan, &due, first);
            }
        }
    }

    /// The members of a class whose work another one does. Those of versions that the site has left
    /// behind are no part of the journey.
    fn add_covered(&self, plan: &mut Plan<'a>, due: &[&'a Migration], by: &'a Migration) {
        let open = due.iter().filter(|one| {
            one.id != by.id && !self.facts.applied.contains(&one.id) && self.is_ahead(one)
        });
        plan.steps
            .extend(open.map(|one| Step::new(one, Action::Equivalent, Some(by))));
    }

    /// What stands against the plan, and what is worth knowing.
    fn judge(&self, plan: &mut Plan<'a>) {
        let running: Vec<&'a Migration> = plan.running().collect();
        if let Some(current) = self
            .facts
            .current
            .filter(|one| !self.releases.contains_key(one))
        {
            plan.blockers.push(Blocker::correctness(format!(
                "version {current}, which runs here, is not in the registry"
            )));
        }
        let late = plan.steps.iter().filter(|step| step.is_late);
        for text in late.map(|step| self.out_of_order(step.migration)) {
            if self.facts.allow_out_of_order {
                plan.warnings.push(text);
            } else {
                plan.blockers.push(Blocker::correctness(text));
            }
        }
        plan.blockers
            .extend(running.iter().filter_map(|one| self.missing_step(one)));
        plan.warnings.extend(self.through_yanked(&running));
        plan.warnings.extend(self.shared_with(&running));
    }

    fn out_of_order(&self, migration: &Migration) -> String {
        let passed = match (self.facts.current, self.front) {
            (Some(current), _) if !self.is_ahead(migration) => {
                format!("the site runs {current} and never ran it")
            }
            (_, Some(front)) => format!(
                "the shared tables are at {} already and never had it",
                front.to_version
            ),
            _ => "its time has passed".to_owned(),
        };
        format!("{} is out of order: {passed}", name(migration))
    }

    /// A migration that starts from a version which nobody can come through.
    fn missing_step(&self, migration: &Migration) -> Option<Blocker> {
        let from = migration.from_version.as_ref()?;
        if self.is_passable(from) {
            return None;
        }
        let why = if self.releases.contains_key(from) {
            format!(": version {from} is a draft and not published yet")
        } else {
            String::new()
        };
        Some(Blocker::correctness(format!(
            "no step leads to {from}, from which migration {} goes to {}{why}",
            migration.sequence, migration.to_version
        )))
    }

    /// The scripts of a yanked version run all the same where later ones build on them.
    fn through_yanked(&self, running: &[&Migration]) -> Option<String> {
        let mut versions: Vec<&Version> = running
            .iter()
            .map(|one| &one.to_version)
            .filter(|version| self.is_withdrawn(version))
            .collect();
        versions.dedup();
        (!versions.is_empty()).then(|| {
            format!(
                "migrations of yanked versions run too, for later ones build on them: {}",
                list(versions.into_iter().map(ToString::to_string))
            )
        })
    }

    /// The other sites whose tables a shared migration changes too.
    fn shared_with(&self, running: &[&Migration]) -> Option<String> {
        let shared = running
            .iter()
            .filter(|migration| migration.scope == Scope::Shared)
            .count();
        let sites = self.facts.neighbours;
        (shared > 0 && !sites.is_empty()).then(|| {
            format!(
                "{} {} the tables that these sites use too: {}",
                counted(shared, "shared migration"),
                if shared == 1 { "changes" } else { "change" },
                list(
                    sites
                        .iter()
                        .map(|site| format!("{} ({})", site.site, site.version))
                )
            )
        })
    }
}

fn name(migration: &Migration) -> String {
    format!(
        "migration {} to {}",
        migration.sequence, migration.to_version
    )
}
