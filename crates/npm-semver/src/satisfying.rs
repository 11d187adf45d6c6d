//! Choosing among versions.

use crate::range::{Prerelease, Range};
use crate::version::Version;

/// The highest of the versions that are in the range; the first of equal ones.
///
/// ```
/// use npm_semver::{Prerelease, Range, Version, max_satisfying};
///
/// let versions = ["1.2.3", "1.3.0", "2.0.0"].map(|text| Version::parse(text).unwrap());
/// let range = Range::parse("^1").unwrap();
/// assert_eq!(max_satisfying(&versions, &range, Prerelease::Exclude), Some(&versions[1]));
/// ```
#[must_use]
pub fn max_satisfying<'a>(
    versions: impl IntoIterator<Item = &'a Version>,
    range: &Range,
    prerelease: Prerelease,
) -> Option<&'a Version> {
    matching(versions, range, prerelease)
        .reduce(|highest, version| if version > highest { version } else { highest })
}

/// The lowest of the versions that are in the range; the first of equal ones.
#[must_use]
pub fn min_satisfying<'a>(
    versions: impl IntoIterator<Item = &'a Version>,
    range: &Range,
    prerelease: Prerelease,
) -> Option<&'a Version> {
    matching(versions, range, prerelease)
        .reduce(|lowest, version| if version < lowest { version } else { lowest })
}

fn matching<'a>(
    versions: impl IntoIterator<Item = &'a Version>,
    range: &Range,
    prerelease: Prerelease,
) -> impl Iterator<Item = &'a Version> {
    versions
        .into_iter()
        .filter(move |version| range.satisfies_with(version, prerelease))
}
