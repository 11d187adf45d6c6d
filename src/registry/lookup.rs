//! The highest published version in a range: a look at the index for each stretch of the range that could
//! hold one, and mostly that is one look.

use npm_semver::{Prerelease, Range, Version};
use pgrx::Uuid;
use versioning_core::lookup::{highest, stretches};

use super::store::version::{self as store, Among};
use crate::error::Result;

/// The id and number of the highest published version of a module in a range.
///
/// # Errors
/// Only XX000.
pub fn highest_match(
    module: Uuid,
    range: &Range,
    prerelease: Prerelease,
) -> Result<Option<(Uuid, Version)>> {
    let parts = stretches(range, prerelease);
    let release = highest(&parts.releases, |point| {
        pgrx::check_for_interrupts!();
        store::highest_below(module, Among::Releases, point)
    })?;
    let any = highest(&parts.versions, |point| {
        pgrx::check_for_interrupts!();
        store::highest_below(module, Among::All, point)
    })?;
    Ok(match (release, any) {
        (Some(release), Some(any)) => Some(if any.1 > release.1 { any } else { release }),
        (release, any) => release.or(any),
    })
}
