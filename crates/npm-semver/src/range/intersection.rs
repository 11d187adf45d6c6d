//! Whether two ranges have a version in common, by npm's rules.
//!
//! npm compares comparators two by two. That comes to the same as comparing the tightest bounds,
//! which takes linear time for a pair of branches.

use super::comparator::{Comparator, ComparatorSet, Operator};
use super::{Prerelease, Range};
use crate::version::Version;

impl Range {
    /// Whether some version can be in both ranges: npm's `intersects`.
    ///
    /// As with npm, the answer is about bounds. It may be `true` although there is nothing
    /// between them (`>1.0.0 <1.0.1`), and is `false` for a single prerelease against bounds of
    /// which one does not name it, and against `*` unless `*` is the one that is asked.
    ///
    /// ```
    /// use npm_semver::Range;
    ///
    /// let range = Range::parse("^1.2.0").unwrap();
    /// assert!(range.intersects(&Range::parse("1.5.x || 3").unwrap()));
    /// assert!(!range.intersects(&Range::parse("<1.2.0 || >=2").unwrap()));
    /// ```
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        self.intersects_with(other, Prerelease::Exclude)
    }

    /// Whether some version can be in both ranges in the given mode.
    #[must_use]
    pub fn intersects_with(&self, other: &Self, prerelease: Prerelease) -> bool {
        let [left, right] = [self, other].map(|range| -> Vec<Summary<'_>> {
            let sets = range.sets(prerelease).iter();
            sets.filter_map(|set| Summary::of(set, prerelease))
                .collect()
        });
        left.iter()
            .any(|one| right.iter().any(|two| one.meets(two, prerelease)))
    }
}

/// All that counts of some comparators when others are to hold beside them.
#[derive(Debug, Clone, Copy, Default)]
struct Summary<'a> {
    equal: Option<&'a Version>,
    lower: Option<&'a Comparator>,
    upper: Option<&'a Comparator>,
    /// How many comparators are bounds; none, one or more is all that counts.
    bounds: usize,
    /// Whether there is `<` some version 0.0.0, which npm lets meet no other bound.
    has_bottom: bool,
    /// A prerelease such that every bound names one of the same major, minor and patch.
    named: Option<&'a Version>,
}

impl<'a> Summary<'a> {
    /// `None` when the comparators of the set contradict each other.
    fn of(set: &'a ComparatorSet, prerelease: Prerelease) -> Option<Self> {
        set.comparators()
            .iter()
            .map(|comparator| Self::of_comparator(comparator, prerelease))
            .try_fold(Self::default(), |one, two| one.join(&two, prerelease))
    }

    fn of_comparator(comparator: &'a Comparator, prerelease: Prerelease) -> Self {
        let operator = comparator.operator();
        let version = comparator.version();
        if operator == Operator::Equal {
            return Self {
                equal: Some(version),
                ..Self::default()
            };
        }
        let is_bottom = match prerelease {
            Prerelease::Include => comparator.is_null(),
            Prerelease::Exclude => operator == Operator::Less && version.numbers() == (0, 0, 0),
        };
        Self {
            equal: None,
            lower: operator.is_lower_bound().then_some(comparator),
            upper: operator.is_upper_bound().then_some(comparator),
            bounds: 1,
            has_bottom: is_bottom,
            named: version.is_prerelease().then_some(version),
        }
    }

    /// Whether npm lets the comparators hold together with those of the other range.
    fn meets(&self, other: &Self, prerelease: Prerelease) -> bool {
        // npm asks the other range for a single prerelease, and `*` has none: so the answer for
        // `1.0.0-a` and `*` depends on which of them is asked about the other.
        let is_lone_prerelease = self.equal.is_some_and(Version::is_prerelease);
        let is_lost = prerelease == Prerelease::Exclude && is_lone_prerelease && other.is_any();
        !is_lost && self.join(other, prerelease).is_some()
    }

    fn is_any(&self) -> bool {
        self.equal.is_none() && self.bounds == 0
    }

    /// The comparators of both together; `None` when two of them contradict each other.
    fn join(&self, other: &Self, prerelease: Prerelease) -> Option<Self> {
        let joined = Self {
            equal: self.equal.or(other.equal),
            lower: tighter(self.lower, other.lower, Comparator::is_above),
            upper: tighter(self.upper, other.upper, Comparator::is_below),
            bounds: self.bounds.saturating_add(other.bounds),
            has_bottom: self.has_bottom || other.has_bottom,
            named: self.joined_name(other),
        };
        let one_version = match (self.equal, other.equal) {
            (Some(one), Some(two)) => one == two,
            _ => true,
        };
        (one_version && joined.is_consistent(prerelease)).then_some(joined)
    }

    fn joined_name(&self, other: &Self) -> Option<&'a Version> {
        match (self.bounds, other.bounds) {
            (0, _) => other.named,
            (_, 0) => self.named,
            _ => (self.named).filter(|one| {
                other
                    .named
                    .is_some_and(|two| one.numbers() == two.numbers())
            }),
        }
    }

    fn is_consistent(&self, prerelease: Prerelease) -> bool {
        let crossed = match (self.lower, self.upper) {
            (Some(lower), Some(upper)) => crosses(lower, upper),
            _ => false,
        };
        !(crossed || (self.has_bottom && self.bounds > 1))
            && self
                .equal
                .is_none_or(|version| self.admits(version, prerelease))
    }

    /// Whether each bound alone, taken as a range, has the version.
    fn admits(&self, version: &Version, prerelease: Prerelease) -> bool {
        let between = [self.lower, self.upper]
            .into_iter()
            .flatten()
            .all(|bound| bound.matches(version));
        let is_named = || (self.named).is_some_and(|named| named.numbers() == version.numbers());
        between
            && (prerelease == Prerelease::Include
                || !version.is_prerelease()
                || self.bounds == 0
                || is_named())
    }
}

/// Of two bounds the one that leaves less.
fn tighter<'a>(
    one: Option<&'a Comparator>,
    two: Option<&'a Comparator>,
    leaves_less: impl Fn(&Comparator, &Comparator) -> bool,
) -> Option<&'a Comparator> {
    match (one, two) {
        (Some(one), Some(two)) => Some(if leaves_less(two, one) { two } else { one }),
        _ => one.or(two),
    }
}

/// Whether the lower bound is above the upper one, or they share a version that one excludes.
fn crosses(lower: &Comparator, upper: &Comparator) -> bool {
    let both_inclusive =
        lower.operator() == Operator::GreaterOrEqual && upper.operator() == Operator::LessOrEqual;
    lower.version() > upper.version() || (lower.version() == upper.version() && !both_inclusive)
}
