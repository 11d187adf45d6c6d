//! The order of versions: SemVer 2.0.0 precedence, and a total order that knows build metadata.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use crate::scan::is_numeric;
use crate::version::Version;

/// One dot-separated part of a prerelease, such as `rc` or `1`.
///
/// Numbers come before words; numbers of any size compare by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Identifier<'a> {
    /// Only digits, without leading zeros; it may be larger than any integer type.
    Numeric(&'a str),
    /// Letters, digits and hyphens, not all of them digits; compared as ASCII.
    Alphanumeric(&'a str),
}

impl<'a> Identifier<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        if is_numeric(text) {
            Self::Numeric(text)
        } else {
            Self::Alphanumeric(text)
        }
    }

    /// The identifiers of a dotted text; none when it is empty.
    pub(crate) fn split(dotted: &'a str) -> impl Iterator<Item = Self> {
        // An empty text would otherwise split into one empty identifier.
        let parts = if dotted.is_empty() { 0 } else { usize::MAX };
        dotted.split('.').take(parts).map(Self::new)
    }

    /// The identifier as it is written.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        match self {
            Self::Numeric(text) | Self::Alphanumeric(text) => text,
        }
    }
}

impl Ord for Identifier<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Numeric(left), Self::Numeric(right)) => compare_digits(left, right),
            (Self::Numeric(_), Self::Alphanumeric(_)) => Ordering::Less,
            (Self::Alphanumeric(_), Self::Numeric(_)) => Ordering::Greater,
            (Self::Alphanumeric(left), Self::Alphanumeric(right)) => left.cmp(right),
        }
    }
}

impl PartialOrd for Identifier<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares two numbers without leading zeros: more digits, larger number.
fn compare_digits(left: &str, right: &str) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// Compares prereleases: a release (no prerelease) is the highest.
fn compare_prereleases(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => Identifier::split(left).cmp(Identifier::split(right)),
    }
}

/// Compares build metadata as npm's `compareBuild` does. npm calls `1` and `01` equal; here the
/// one with fewer zeros comes first then, so that only identical metadata is equal.
fn compare_builds(left: &str, right: &str) -> Ordering {
    fn keys(build: &str) -> impl Iterator<Item = (Identifier<'_>, usize)> {
        Identifier::split(build).map(|identifier| match identifier {
            Identifier::Numeric(digits) => {
                let significant = digits.trim_start_matches('0');
                (Identifier::Numeric(significant), digits.len())
            }
            word @ Identifier::Alphanumeric(_) => (word, 0),
        })
    }
    keys(left).cmp(keys(right))
}

impl Version {
    /// Compares by precedence and then by build metadata: a total order in which only versions
    /// with the same canonical text are equal. No build metadata comes first.
    ///
    /// ```
    /// use npm_semver::Version;
    ///
    /// let mut versions = ["1.0.0+b", "1.0.0+11", "1.0.0", "1.0.0+2"].map(|text| Version::parse(text).unwrap());
    /// versions.sort_by(Version::cmp_build);
    /// assert_eq!(versions.map(|version| version.to_string()), ["1.0.0", "1.0.0+2", "1.0.0+11", "1.0.0+b"]);
    /// ```
    #[must_use]
    pub fn cmp_build(&self, other: &Self) -> Ordering {
        self.cmp(other)
            .then_with(|| compare_builds(self.build(), other.build()))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers()
            .cmp(&other.numbers())
            .then_with(|| compare_prereleases(self.prerelease(), other.prerelease()))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.numbers() == other.numbers() && self.prerelease() == other.prerelease()
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.numbers().hash(state);
        self.prerelease().hash(state);
    }
}
