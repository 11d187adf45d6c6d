//! What has to run to take an installation from one version to another, and what stands against it.
//!
//! Plain data in, plain data out. The rules, in short: an upgrade runs every migration up to its target
//! that is not in force yet, by version and then by sequence; a rollback undoes those above its target,
//! newest first; an upgrade never uses a down script, nor a rollback an up script; a shared migration that
//! another site's version needs stays.

use std::collections::HashSet;

use npm_semver::Version;

use crate::model::{Id, Migration, Scope};

/// What stands against a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// Whether `force` may override it.
    pub kind: BlockerKind,
    /// A sentence that names the thing.
    pub text: String,
}

/// Whether a blocker can be overridden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockerKind {
    /// Going on would be wrong whatever anybody thinks.
    Correctness,
    /// Going on may cost something that only people can weigh: `force` accepts it.
    Judgement,
}

impl Blocker {
    /// One that nothing overrides.
    pub fn correctness(text: impl Into<String>) -> Self {
        Self {
            kind: BlockerKind::Correctness,
            text: text.into(),
        }
    }

    /// One that `force` overrides.
    pub fn judgement(text: impl Into<String>) -> Self {
        Self {
            kind: BlockerKind::Judgement,
            text: text.into(),
        }
    }
}

/// Another site that runs the module on the same shared tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// Its slug.
    pub site: String,
    /// The version it runs.
    pub version: Version,
}

/// What is known about an installation when a plan is made.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The version that runs, if the module is installed.
    pub current: Option<&'a Version>,
    /// Every migration of the module, in any order.
    pub migrations: &'a [Migration],
    /// Those in force here: the shared ones and the site's own.
    pub applied: &'a HashSet<Id>,
    /// Every version of the module that can be passed through.
    pub versions: &'a [Version],
    /// The other sites on the same shared tables; empty in the schema layout.
    pub neighbours: &'a [Neighbour],
}

/// One migration of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    /// The migration.
    pub migration: &'a Migration,
    /// Whether it runs, and if not, why.
    pub action: Action,
}

/// What becomes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Its script runs.
    Run,
    /// It stays in force, for another site's version needs it.
    KeptForOthers,
    /// It can't be undone, and stays in force if the rollback is forced.
    CannotBeUndone,
}

impl Action {
    /// The word used in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::KeptForOthers => "keep",
            Self::CannotBeUndone => "skip",
        }
    }
}

/// A plan: the steps in the order in which they run, and what stands against it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan<'a> {
    /// In run order.
    pub steps: Vec<Step<'a>>,
    /// What stands against it.
    pub blockers: Vec<Blocker>,
    /// What is worth knowing.
    pub warnings: Vec<String>,
}

impl<'a> Plan<'a> {
    /// The migrations that run.
    pub fn running(&self) -> impl Iterator<Item = &'a Migration> {
        self.steps
            .iter()
            .filter(|step| step.action == Action::Run)
            .map(|step| step.migration)
    }

    /// The sum of what the migrations that run were said to take, when at least one said it.
    pub fn estimated_duration_seconds(&self) -> Option<i32> {
        self.running()
            .filter_map(|migration| migration.estimated_duration_seconds)
            .reduce(i32::saturating_add)
    }

    /// Whether one of the migrations that run wants the site out of service.
    pub fn requires_maintenance(&self) -> bool {
        self.running()
            .any(|migration| migration.requires_maintenance)
    }
}

/// The migrations in run order: by the version they lead to, then by sequence.
fn ordered(migrations: &[Migration]) -> Vec<&Migration> {
    let mut sorted: Vec<&Migration> = migrations.iter().collect();
    sorted.sort_by(|a, b| {
        a.to_version
            .cmp(&b.to_version)
            .then(a.sequence.cmp(&b.sequence))
    });
    sorted
}

/// The plan of an installation or upgrade to `target`.
pub fn upgrade<'a>(facts: Facts<'a>, target: &Version) -> Plan<'a> {
    let steps: Vec<Step<'a>> = ordered(facts.migrations)
        .into_iter()
        .filter(|migration| {
            migration.to_version <= *target && !facts.applied.contains(&migration.id)
        })
        .map(|migration| Step {
            migration,
            action: Action::Run,
        })
        .collect();
    let mut plan = Plan {
        steps,
        ..Plan::default()
    };
    plan.blockers.extend(out_of_order(&facts, &plan));
    plan.blockers.extend(missing_steps(&facts, &plan));
    plan.warnings.extend(shared_with(&facts, &plan));
    plan
}

/// Migrations of a version that the site runs already, registered after it got there.
fn out_of_order(facts: &Facts<'_>, plan: &Plan<'_>) -> Vec<Blocker> {
    let Some(current) = facts.current else {
        return Vec::new();
    };
    plan.running()
        .filter(|migration| migration.to_version <= *current)
        .map(|migration| {
            Blocker::correctness(format!(
                "migration {} to {} is out of order: the site runs {current} and never ran it",
                migration.sequence, migration.to_version
            ))
        })
        .collect()
}

/// Migrations that start from a version which the plan doesn't come through.
fn missing_steps(facts: &Facts<'_>, plan: &Plan<'_>) -> Vec<Blocker> {
    let known = |version: &Version| {
        facts.current == Some(version)
            || facts.versions.contains(version)
            || facts
                .migrations
                .iter()
                .any(|migration| migration.to_version == *version)
    };
    plan.running()
        .filter_map(|migration| {
            let from = migration.from_version.as_ref()?;
            (!known(from)).then(|| {
                Blocker::correctness(format!(
                    "no step leads to {from}, from which migration {} goes to {}",
                    migration.sequence, migration.to_version
                ))
            })
        })
        .collect()
}

/// The other sites whose tables a shared migration changes too.
fn shared_with(facts: &Facts<'_>, plan: &Plan<'_>) -> Option<String> {
    let shared = plan
        .running()
        .filter(|migration| migration.scope == Scope::Shared)
        .count();
    (shared > 0 && !facts.neighbours.is_empty()).then(|| {
        format!(
            "{shared} shared {} the tables that these sites use too: {}",
            if shared == 1 {
                "migration changes"
            } else {
                "migrations change"
            },
            list(
                facts
                    .neighbours
                    .iter()
                    .map(|site| format!("{} ({})", site.site, site.version))
            )
        )
    })
}

/// The plan of a rollback to `target`.
pub fn rollback<'a>(facts: Facts<'a>, target: &Version) -> Plan<'a> {
    let mut steps = ordered(facts.migrations);
    steps.reverse();
    let steps: Vec<Step<'a>> = steps
        .into_iter()
        .filter(|migration| migration.to_version > *target && facts.applied.contains(&migration.id))
        .map(|migration| Step {
            migration,
            action: rollback_action(&facts, migration),
        })
        .collect();
    let mut plan = Plan {
        steps,
        ..Plan::default()
    };
    for step in &plan.steps {
        let (sequence, version) = (step.migration.sequence, &step.migration.to_version);
        match step.action {
            Action::Run => {}
            Action::KeptForOthers => plan.warnings.push(format!(
                "shared migration {sequence} to {version} stays in force, for {} still needs it",
                list(needing(&facts, step.migration).map(|site| format!("{} ({})", site.site, site.version)))
            )),
            Action::CannotBeUndone => plan.blockers.push(Blocker::judgement(format!(
                "migration {sequence} to {version} {}; with force its step is skipped and what it did stays",
                if step.migration.down_sql.is_none() { "has no down script" } else { "is irreversible" }
            ))),
        }
    }
    let (late, shared): (Vec<_>, Vec<_>) = (
        plan.running()
            .filter(|m| m.scope == Scope::Shared)
            .collect(),
        facts
            .neighbours
            .iter()
            .map(|site| site.site.clone())
            .collect(),
    );
    if !late.is_empty() && !shared.is_empty() {
        plan.warnings.push(format!(
            "{} shared {} undone for these sites too: {}",
            late.len(),
            if late.len() == 1 {
                "migration is"
            } else {
                "migrations are"
            },
            list(shared.into_iter())
        ));
    }
    plan
}

fn needing<'a>(facts: &Facts<'a>, migration: &Migration) -> impl Iterator<Item = &'a Neighbour> {
    let (shared, version) = (
        migration.scope == Scope::Shared,
        migration.to_version.clone(),
    );
    facts
        .neighbours
        .iter()
        .filter(move |site| shared && site.version >= version)
}

fn rollback_action(facts: &Facts<'_>, migration: &Migration) -> Action {
    if needing(facts, migration).next().is_some() {
        Action::KeptForOthers
    } else if migration.down_sql.is_none() || !migration.is_reversible {
        Action::CannotBeUndone
    } else {
        Action::Run
    }
}

/// A number of things in a sentence: `1 table`, `2 tables`.
pub fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// Names in a sentence; a long list is cut, for a platform may have thousands of sites.
pub fn list(names: impl Iterator<Item = String>) -> String {
    const MOST: usize = 10;
    let names: Vec<String> = names.collect();
    let shown = names
        .iter()
        .take(MOST)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > MOST {
        format!("{shown} and {} more", names.len() - MOST)
    } else {
        shown
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
