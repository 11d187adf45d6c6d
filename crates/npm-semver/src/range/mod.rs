//! [`Range`]: npm's ranges, read strictly, in both of npm's modes.
//!
//! The text goes through `segment` (blanks, build metadata, operators apart from their version),
//! `partial` (one word, such as `^1.x`), `hyphen` and `desugar` (into comparators).

mod bounds;
mod comparator;
mod desugar;
mod hyphen;
mod intersection;
mod interval;
mod partial;
mod segment;
mod subset;
mod union;

use std::fmt;
use std::str::FromStr;

pub use self::bounds::{Side, gtr, ltr};
pub use self::comparator::{Comparator, ComparatorSet, Operator};
pub use self::interval::Interval;
pub(crate) use self::union::Union;
use crate::error::{ParseError, Subject};
use crate::version::Version;

/// Which prereleases a range has: npm's `includePrerelease`.
///
/// The mode also moves bounds: `1.x` starts at `1.0.0` or, when prereleases are included, at
/// `1.0.0-0`. A [`Range`] knows both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Prerelease {
    /// Only prereleases of a major, minor and patch that the same branch names with a
    /// prerelease of its own: `>=1.2.3-a` has `1.2.3-b` but not `1.2.4-b`.
    #[default]
    Exclude,
    /// All prereleases between the bounds.
    Include,
}

impl From<bool> for Prerelease {
    /// `true` is npm's `includePrerelease: true`.
    fn from(include: bool) -> Self {
        if include {
            Self::Include
        } else {
            Self::Exclude
        }
    }
}

/// A set of versions as npm writes it, such as `^1.2.3 || >=3`.
///
/// Two ranges are equal when they have the same comparators in both modes (see [`Prerelease`]),
/// however they were written.
///
/// ```
/// use npm_semver::{Prerelease, Range, Version};
///
/// let range = Range::parse("^1.2.3 || 3.x")?;
/// assert_eq!(range.to_string(), ">=1.2.3 <2.0.0-0||>=3.0.0 <4.0.0-0");
/// assert!(range.satisfies(&Version::parse("1.9.0")?));
///
/// let beta = Version::parse("3.1.0-beta")?;
/// assert!(!range.satisfies(&beta));
/// assert!(range.satisfies_with(&beta, Prerelease::Include));
/// # Ok::<(), npm_semver::ParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    excluding: Union,
    // Only when it differs from the other.
    including: Option<Union>,
}

impl Range {
    /// Reads exactly what npm's `new Range(text)` accepts without options; but with numbers up
    /// to 2^64-1.
    ///
    /// # Errors
    ///
    /// A [`ParseError`] tells what is wrong and at which byte of the text.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let parse = |prerelease| {
            desugar::desugar(text, prerelease)
                .map_err(|fault| ParseError::new(Subject::Range, fault))
        };
        let (excluding, depends_on_mode) = parse(Prerelease::Exclude)?;
        let including = if depends_on_mode {
            Some(parse(Prerelease::Include)?.0)
        } else {
            None
        };
        Ok(Self::from_unions(excluding, including))
    }

    pub(crate) fn from_unions(excluding: Union, including: Option<Union>) -> Self {
        let including = including.filter(|including| *including != excluding);
        Self {
            excluding,
            including,
        }
    }

    /// Whether the version is in the range; prereleases only where the range names them.
    #[must_use]
    pub fn satisfies(&self, version: &Version) -> bool {
        self.satisfies_with(version, Prerelease::Exclude)
    }

    /// Whether the version is in the range.
    #[must_use]
    pub fn satisfies_with(&self, version: &Version, prerelease: Prerelease) -> bool {
        self.sets(prerelease)
            .iter()
            .any(|set| set.satisfies(version, prerelease))
    }

    /// The branches of the range, at least one; a version need be in one of them only.
    ///
    /// ```
    /// use npm_semver::{Prerelease, Range};
    ///
    /// let range = Range::parse("1.x")?;
    /// let [set] = range.sets(Prerelease::Include) else { unreachable!() };
    /// let bounds: Vec<String> = set.comparators().iter().map(ToString::to_string).collect();
    /// assert_eq!(bounds, [">=1.0.0-0", "<2.0.0-0"]);
    /// # Ok::<(), npm_semver::ParseError>(())
    /// ```
    #[must_use]
    pub fn sets(&self, prerelease: Prerelease) -> &[ComparatorSet] {
        self.union(prerelease).sets()
    }

    pub(crate) fn union(&self, prerelease: Prerelease) -> &Union {
        match (prerelease, &self.including) {
            (Prerelease::Include, Some(including)) => including,
            _ => &self.excluding,
        }
    }

    /// The comparators when prereleases are included, if they are others than without.
    pub(crate) fn differing_union(&self) -> Option<&Union> {
        self.including.as_ref()
    }

    /// Whether the range is `*` in the mode: it has all releases, and all prereleases when they
    /// are included.
    #[must_use]
    pub fn is_any(&self, prerelease: Prerelease) -> bool {
        self.union(prerelease).is_any()
    }

    /// The canonical text in one mode: npm's `new Range(text, { includePrerelease }).range`.
    #[must_use]
    pub fn canonical(&self, prerelease: Prerelease) -> String {
        self.union(prerelease).to_string()
    }
}

impl FromStr for Range {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Prints npm's `new Range(text).range`, which is empty for `*`. The alternate form (`{:#}`)
/// prints npm's `validRange(text)`, which is `*` then.
///
/// The text is that of [`Prerelease::Exclude`]: a range such as `1.x`, whose bounds move when
/// prereleases are included, is not the same range after it has been printed and read again.
/// [`crate::stored`] keeps both.
impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if formatter.alternate() && self.excluding.is_any() {
            return formatter.write_str("*");
        }
        self.excluding.fmt(formatter)
    }
}
