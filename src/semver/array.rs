//! The best of an array of versions.

use std::cmp::Ordering;

use npm_semver::Version;
use pgrx::prelude::*;

use super::{Semver, SemverRange};

#[pg_extern(immutable, parallel_safe, requires = ["semver_types"])]
fn semver_max_satisfying(
    versions: Option<Array<'_, Semver>>,
    range: Option<SemverRange>,
    include_prerelease: default!(Option<bool>, "false"),
) -> Option<Semver> {
    best(versions?, &range?, include_prerelease, Ordering::is_gt)
}

#[pg_extern(immutable, parallel_safe, requires = ["semver_types"])]
fn semver_min_satisfying(
    versions: Option<Array<'_, Semver>>,
    range: Option<SemverRange>,
    include_prerelease: default!(Option<bool>, "false"),
) -> Option<Semver> {
    best(versions?, &range?, include_prerelease, Ordering::is_lt)
}

/// The first of the best versions that are within the range.
fn best(
    versions: Array<'_, Semver>,
    range: &SemverRange,
    include_prerelease: Option<bool>,
    is_better: fn(Ordering) -> bool,
) -> Option<Semver> {
    let prerelease = include_prerelease.unwrap_or(false).into();
    let mut best: Option<Version> = None;
    for Semver(version) in versions.iter().flatten() {
        pgrx::check_for_interrupts!();
        let wins = (best.as_ref()).is_none_or(|best| is_better(version.cmp(best)));
        if wins && range.0.satisfies_with(&version, prerelease) {
            best = Some(version);
        }
    }
    best.map(Semver)
}
