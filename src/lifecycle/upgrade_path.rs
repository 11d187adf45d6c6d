//! Where an upgrade leads, over which versions, and which migrations that takes.

use npm_semver::Version;
use versioning_core::model::Migration;
use versioning_core::plan::{self, Action};
use versioning_core::release;
use versioning_core::status::Status;

use super::situation::Situation;
use crate::error::Result;
use crate::registry::RegisteredVersion;

/// The version that an upgrade to `target` leads to: the newest when none is named.
///
/// # Errors
/// 42704 for an unknown version, or when none is published.
pub fn chosen<'a>(
    situation: &'a Situation,
    target: Option<&Version>,
) -> Result<&'a RegisteredVersion> {
    match (target, situation.current()) {
        (Some(target), _) => situation.version(target),
        (None, None) => situation.version(situation.latest()?),
        // A site that runs a prerelease above the newest release stays where it is.
        (None, Some(current)) => situation.version(situation.latest()?.max(current)),
    }
}

/// What an upgrade would run, in run order; nothing when it has nowhere to go.
pub fn pending<'a>(
    situation: &'a Situation,
    target: Option<&Version>,
) -> impl Iterator<Item = &'a Migration> {
    let steps = chosen(situation, target).map_or_else(
        |_| Vec::new(),
        |target| plan::upgrade(situation.facts(), &target.version).steps,
    );
    let running = steps.into_iter().filter(|step| step.action == Action::Run);
    running.map(|step| step.migration)
}

/// The versions from the one that runs up to the target, as get_upgrade_path has them; the target is one
/// of them in any case.
pub fn path<'a>(situation: &'a Situation, target: &Version) -> Vec<&'a RegisteredVersion> {
    let current = situation.current();
    let steps: Vec<&RegisteredVersion> = situation
        .versions
        .iter()
        .filter(|registered| {
            registered.status == Status::Published
                || registered.version == *target && current != Some(target)
        })
        .collect();
    release::upgrade_path(
        &steps,
        |registered| &registered.version,
        current,
        Some(target),
    )
    .into_iter()
    .copied()
    .collect()
}

/// The versions on the way that say they break their clients, as has_breaking_changes looks at them: later
/// ones contain the changes of yanked and deprecated ones.
pub fn declared<'a>(situation: &'a Situation, target: &Version) -> Vec<&'a RegisteredVersion> {
    let above = |version: &Version| situation.current().is_none_or(|current| version > current);
    situation
        .versions
        .iter()
        .filter(|registered| {
            let version = &registered.version;
            registered.breaking_changes
                && above(version)
                && version <= target
                && (registered.status != Status::Draft || version == target)
        })
        .collect()
}
