//! What has to run to take an installation from one version to another, and what stands against it.
//!
//! Plain data in, plain data out. The rules, in short: an upgrade runs every migration up to its target
//! that is not in force yet, by version and then by sequence; a rollback undoes those above its target,
//! newest first; an upgrade never uses a down script, nor a rollback an up script; a shared migration that
//! another site's version needs stays; migrations that are equivalent run once between them.

mod order;
mod rollback;
mod upgrade;

use std::collections::HashSet;

use npm_semver::Version;

pub use self::rollback::rollback;
pub use self::upgrade::upgrade;
use crate::model::{Id, Migration};
use crate::status::Status;

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

/// A registered version, as far as a plan asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its number.
    pub version: Version,
    /// Where it stands.
    pub status: Status,
}

/// What is known about an installation when a plan is made. Nothing depends on the order of a list.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The version that runs, if the module is installed.
    pub current: Option<&'a Version>,
    /// Every migration of the module.
    pub migrations: &'a [Migration],
    /// Those in force here: the shared ones and the site's own.
    pub applied: &'a HashSet<Id>,
    /// Those of them that never ran here, because an equivalent had done their work.
    pub covered: &'a HashSet<Id>,
    /// Those that ran here once and are not in force any more.
    pub undone: &'a HashSet<Id>,
    /// Every version of the module, drafts too.
    pub releases: &'a [Release],
    /// The versions that the site has run before and left by an upgrade.
    pub left: &'a [Version],
    /// The other sites on the same shared tables; empty in the schema layout.
    pub neighbours: &'a [Neighbour],
    /// Whether a migration may run although its time has passed.
    pub allow_out_of_order: bool,
}

/// One migration of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    /// The migration.
    pub migration: &'a Migration,
    /// Whether it runs, and if not, why.
    pub action: Action,
    /// The equivalent that the action speaks of.
    pub equivalent: Option<&'a Migration>,
    /// Whether it would run out of order: its time has passed without it.
    pub is_late: bool,
}

impl<'a> Step<'a> {
    fn new(migration: &'a Migration, action: Action, equivalent: Option<&'a Migration>) -> Self {
        Self {
            migration,
            action,
            equivalent,
            is_late: false,
        }
    }

    /// Where it stands in run order.
    fn place(&self) -> (&'a Version, i32) {
        (&self.migration.to_version, self.migration.sequence)
    }
}

/// What becomes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Its script runs.
    Run,
    /// No script runs, for an equivalent did or does its work: going up it counts as in force from
    /// then on, going down no longer.
    Equivalent,
    /// It stays in force, for another site's version needs it.
    KeptForOthers,
    /// It stays in force, for the version gone back to has an equivalent.
    KeptForEquivalent,
    /// It can't be undone, and stays in force if the rollback is forced.
    CannotBeUndone,
}

impl Action {
    /// The word used in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Equivalent => "equivalent",
            Self::KeptForOthers | Self::KeptForEquivalent => "keep",
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
mod properties;
#[cfg(test)]
mod tests;
