//! What a range is made of once all its shorthand is gone: an operator and a version.

use std::fmt;
use std::ops::Bound;

use crate::range::Prerelease;
use crate::scan::Scanner;
use crate::version::Version;

/// How a version relates to the version of a [`Comparator`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `1.2.3`: equal.
    Equal,
    /// `<1.2.3`: below.
    Less,
    /// `<=1.2.3`: below or equal.
    LessOrEqual,
    /// `>1.2.3`: above.
    Greater,
    /// `>=1.2.3`: above or equal.
    GreaterOrEqual,
}

impl Operator {
    /// The operator as it is written: nothing for `Equal`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Reads an operator, perhaps nothing or `=` for `Equal`.
    pub(crate) fn scan(scanner: &mut Scanner<'_>) -> Self {
        let (strict, inclusive) = if scanner.eat(b'<') {
            (Self::Less, Self::LessOrEqual)
        } else if scanner.eat(b'>') {
            (Self::Greater, Self::GreaterOrEqual)
        } else {
            (Self::Equal, Self::Equal)
        };
        if scanner.eat(b'=') { inclusive } else { strict }
    }

    /// `>` or `>=`.
    pub(crate) fn is_lower_bound(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }

    /// `<` or `<=`.
    pub(crate) fn is_upper_bound(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual)
    }
}

/// An operator and a version, such as `>=1.2.3`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Comparator {
    operator: Operator,
    version: Version,
}

impl Comparator {
    pub(crate) fn new(operator: Operator, version: Version) -> Self {
        Self { operator, version }
    }

    /// How a version must relate to [`Comparator::version`].
    #[must_use]
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// What a version is compared with; it never has build metadata.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Whether the version relates as demanded, by precedence alone.
    #[must_use]
    pub fn matches(&self, version: &Version) -> bool {
        match self.operator {
            Operator::Equal => *version == self.version,
            Operator::Less => *version < self.version,
            Operator::LessOrEqual => *version <= self.version,
            Operator::Greater => *version > self.version,
            Operator::GreaterOrEqual => *version >= self.version,
        }
    }

    /// Whether a range of only this comparator has the version.
    pub(crate) fn satisfies(&self, version: &Version, prerelease: Prerelease) -> bool {
        self.matches(version)
            && (prerelease == Prerelease::Include
                || !version.is_prerelease()
                || self.names_prerelease_of(version))
    }

    /// Whether it is about a prerelease of the version's own major, minor and patch.
    pub(crate) fn names_prerelease_of(&self, version: &Version) -> bool {
        self.version.is_prerelease() && self.version.numbers() == version.numbers()
    }

    /// Whether this is `<0.0.0-0`, which no version is: npm's way to say "nothing".
    pub(crate) fn is_null(&self) -> bool {
        self.operator == Operator::Less
            && self.version.numbers() == (0, 0, 0)
            && self.version.prerelease() == "0"
    }

    /// Of two lower bounds, whether this one is the higher: it leaves less.
    pub(crate) fn is_above(&self, other: &Self) -> bool {
        self.version > other.version
            || (self.version == other.version
                && self.operator == Operator::Greater
                && other.operator == Operator::GreaterOrEqual)
    }

    /// Of two upper bounds, whether this one is the lower: it leaves less.
    pub(crate) fn is_below(&self, other: &Self) -> bool {
        self.version < other.version
            || (self.version == other.version
                && self.operator == Operator::Less
                && other.operator == Operator::LessOrEqual)
    }
}

impl fmt::Display for Comparator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.operator.as_str(), self.version)
    }
}

/// Comparators that a version must match all of: one branch between `||`.
///
/// A set without comparators has every version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ComparatorSet {
    comparators: Vec<Comparator>,
}

impl ComparatorSet {
    pub(crate) fn new(comparators: Vec<Comparator>) -> Self {
        Self { comparators }
    }

    /// The comparators in the order in which they were written, none of them twice.
    #[must_use]
    pub fn comparators(&self) -> &[Comparator] {
        &self.comparators
    }

    /// Whether the set has every version (`*`): there is nothing to match.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.comparators.is_empty()
    }

    /// Whether the set is `<0.0.0-0`, which has no version. Other sets without a version exist.
    pub(crate) fn is_null(&self) -> bool {
        self.comparators.first().is_some_and(Comparator::is_null)
    }

    /// Whether the version is in the set.
    #[must_use]
    pub fn satisfies(&self, version: &Version, prerelease: Prerelease) -> bool {
        self.comparators
            .iter()
            .all(|comparator| comparator.matches(version))
            && (prerelease == Prerelease::Include
                || !version.is_prerelease()
                || self.names_prerelease_of(version))
    }

    fn names_prerelease_of(&self, version: &Version) -> bool {
        self.comparators
            .iter()
            .any(|comparator| comparator.names_prerelease_of(version))
    }

    /// The tightest bounds that hold for every version in the set, for an ordered index to
    /// search between. Not every version between them need be in the set, because of
    /// prereleases; and they cross when no version is.
    #[must_use]
    pub fn bounds(&self) -> (Bound<&Version>, Bound<&Version>) {
        let mut lower = Bound::Unbounded;
        let mut upper = Bound::Unbounded;
        for comparator in &self.comparators {
            let version = &comparator.version;
            match comparator.operator {
                Operator::Greater => raise(&mut lower, Bound::Excluded(version)),
                Operator::GreaterOrEqual => raise(&mut lower, Bound::Included(version)),
                Operator::Less => reduce(&mut upper, Bound::Excluded(version)),
                Operator::LessOrEqual => reduce(&mut upper, Bound::Included(version)),
                Operator::Equal => {
                    raise(&mut lower, Bound::Included(version));
                    reduce(&mut upper, Bound::Included(version));
                }
            }
        }
        (lower, upper)
    }
}

/// Replaces a lower bound when the other leaves less.
fn raise<'a>(bound: &mut Bound<&'a Version>, other: Bound<&'a Version>) {
    let replace = match (*bound, other) {
        (Bound::Unbounded, _) => true,
        (_, Bound::Unbounded) => false,
        (Bound::Included(old), Bound::Excluded(new)) => new >= old,
        (
            Bound::Included(old) | Bound::Excluded(old),
            Bound::Included(new) | Bound::Excluded(new),
        ) => new > old,
    };
    if replace {
        *bound = other;
    }
}

/// Replaces an upper bound when the other leaves less.
fn reduce<'a>(bound: &mut Bound<&'a Version>, other: Bound<&'a Version>) {
    let replace = match (*bound, other) {
        (Bound::Unbounded, _) => true,
        (_, Bound::Unbounded) => false,
        (Bound::Included(old), Bound::Excluded(new)) => new <= old,
        (
            Bound::Included(old) | Bound::Excluded(old),
            Bound::Included(new) | Bound::Excluded(new),
        ) => new < old,
    };
    if replace {
        *bound = other;
    }
}

impl fmt::Display for ComparatorSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, comparator) in self.comparators.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            comparator.fmt(formatter)?;
        }
        Ok(())
    }
}
