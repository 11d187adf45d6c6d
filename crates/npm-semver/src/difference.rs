//! What kind of step lies between two versions.

use std::cmp::Ordering;
use std::fmt;

use crate::version::Version;

/// The kind of step between two versions, as npm's `diff` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Difference {
    /// To another major version.
    Major,
    /// To a prerelease of another major version.
    Premajor,
    /// To another minor version.
    Minor,
    /// To a prerelease of another minor version.
    Preminor,
    /// To another patch version.
    Patch,
    /// To a prerelease of another patch version.
    Prepatch,
    /// Between prereleases of the same version.
    Prerelease,
}

impl Difference {
    /// npm's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Major => "major",
            Self::Premajor => "premajor",
            Self::Minor => "minor",
            Self::Preminor => "preminor",
            Self::Patch => "patch",
            Self::Prepatch => "prepatch",
            Self::Prerelease => "prerelease",
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The kind of step between two versions, in whichever direction; `None` when they are equal.
///
/// ```
/// use npm_semver::{Difference, Version, diff};
///
/// let (one, two) = (Version::new(1, 2, 3), Version::parse("2.0.0-rc.1").unwrap());
/// assert_eq!(diff(&one, &two), Some(Difference::Premajor));
/// assert_eq!(diff(&two, &one).map(Difference::as_str), Some("premajor"));
/// assert_eq!(diff(&one, &one), None);
/// ```
#[must_use]
pub fn diff(one: &Version, two: &Version) -> Option<Difference> {
    let (low, high) = match one.cmp(two) {
        Ordering::Equal => return None,
        Ordering::Less => (one, two),
        Ordering::Greater => (two, one),
    };
    if low.is_prerelease()
        && !high.is_prerelease()
        && let Some(difference) = release_of(low, high)
    {
        return Some(difference);
    }
    let (release, prerelease) = if low.major() != high.major() {
        (Difference::Major, Difference::Premajor)
    } else if low.minor() != high.minor() {
        (Difference::Minor, Difference::Preminor)
    } else if low.patch() != high.patch() {
        (Difference::Patch, Difference::Prepatch)
    } else {
        return Some(Difference::Prerelease);
    };
    Some(if high.is_prerelease() {
        prerelease
    } else {
        release
    })
}

/// A prerelease announces what its release will be: `1.0.0-1` a major one, `1.1.0-1` a minor one.
fn release_of(low: &Version, high: &Version) -> Option<Difference> {
    if low.minor() == 0 && low.patch() == 0 {
        Some(Difference::Major)
    } else if low.numbers() != high.numbers() {
        None
    } else if low.patch() == 0 {
        Some(Difference::Minor)
    } else {
        Some(Difference::Patch)
    }
}
