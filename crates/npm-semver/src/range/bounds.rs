//! Where a range starts, and whether a version is beyond all of it.

use std::cmp::Ordering;

use super::comparator::{Comparator, ComparatorSet, Operator};
use super::{Prerelease, Range};
use crate::scan::MAX_VERSION_LENGTH;
use crate::version::Version;

/// A side of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Below all versions of the range.
    Below,
    /// Above all versions of the range.
    Above,
}

impl Range {
    /// The lowest version that can be in the range: npm's `minVersion`.
    ///
    /// ```
    /// use npm_semver::{Range, Version};
    ///
    /// let lowest = Range::parse("<2 || >4").unwrap().min_version();
    /// assert_eq!(lowest, Some(Version::new(0, 0, 0)));
    /// assert_eq!(Range::parse(">4 <3").unwrap().min_version(), None);
    /// ```
    #[must_use]
    pub fn min_version(&self) -> Option<Version> {
        self.min_version_with(Prerelease::Exclude)
    }

    /// The lowest version that can be in the range in the given mode.
    #[must_use]
    pub fn min_version_with(&self, prerelease: Prerelease) -> Option<Version> {
        let zero = Version::new(0, 0, 0);
        let firsts = [zero.clone(), zero.with_prerelease("0")];
        let found = firsts
            .into_iter()
            .find(|version| self.satisfies_with(version, prerelease));
        found.or_else(|| {
            let sets = self.sets(prerelease).iter();
            let lowest = sets.filter_map(lowest_of).min()?;
            self.satisfies_with(&lowest, prerelease).then_some(lowest)
        })
    }

    /// Whether the version is not in the range, and on the given side of all of it: npm's
    /// `outside`.
    #[must_use]
    pub fn is_outside(&self, version: &Version, side: Side, prerelease: Prerelease) -> bool {
        !self.satisfies_with(version, prerelease)
            && self
                .sets(prerelease)
                .iter()
                .all(|set| is_outside_of(set, version, side))
    }
}

/// Whether the version is greater than all versions of the range: npm's `gtr`.
///
/// ```
/// use npm_semver::{Prerelease, Range, Version, gtr, ltr};
///
/// let range = Range::parse("~1.2.2").unwrap();
/// assert!(gtr(&Version::new(1, 3, 0), &range, Prerelease::Exclude));
/// assert!(ltr(&Version::new(1, 2, 1), &range, Prerelease::Exclude));
/// ```
#[must_use]
pub fn gtr(version: &Version, range: &Range, prerelease: Prerelease) -> bool {
    range.is_outside(version, Side::Above, prerelease)
}

/// Whether the version is less than all versions of the range: npm's `ltr`.
#[must_use]
pub fn ltr(version: &Version, range: &Range, prerelease: Prerelease) -> bool {
    range.is_outside(version, Side::Below, prerelease)
}

/// The highest of the lowest versions that the comparators allow one by one.
fn lowest_of(set: &ComparatorSet) -> Option<Version> {
    let comparators = set.comparators().iter();
    comparators
        .filter_map(|comparator| match comparator.operator() {
            Operator::Equal | Operator::GreaterOrEqual => Some(comparator.version().clone()),
            Operator::Greater => successor(comparator.version()),
            Operator::Less | Operator::LessOrEqual => None,
        })
        .max()
}

/// The next version of the same kind: the next release, or the first prerelease after one.
fn successor(version: &Version) -> Option<Version> {
    let (major, minor, patch) = version.numbers();
    let release = Version::new(major, minor, patch);
    if !version.is_prerelease() {
        return (patch
            .checked_add(1)
            .map(|patch| Version::new(major, minor, patch)))
        .or_else(|| Some(Version::new(major, minor.checked_add(1)?, 0)))
        .or_else(|| Some(Version::new(major.checked_add(1)?, 0, 0)));
    }
    let next = release
        .clone()
        .with_prerelease(&[version.prerelease(), ".0"].concat());
    // The next one may be too long to be written; the release is then the best that is left.
    Some(if next.text_length() > MAX_VERSION_LENGTH {
        release
    } else {
        next
    })
}

/// npm's rule, told for `Side::Above`: the highest comparator must not be a lower bound, and the
/// version must be above the lowest one.
fn is_outside_of(set: &ComparatorSet, version: &Version, side: Side) -> bool {
    let Some((high, low)) = extremes(set, side) else {
        // npm takes `*` for `>=0.0.0` here, and a prerelease that it lacks for one below it.
        return side == Side::Below;
    };
    let opens_to_side = |comparator: &Comparator| match side {
        Side::Above => comparator.operator().is_lower_bound(),
        Side::Below => comparator.operator().is_upper_bound(),
    };
    if opens_to_side(high) {
        return false;
    }
    let beyond_low = toward(side, version.cmp(low.version()));
    match low.operator() {
        Operator::GreaterOrEqual if side == Side::Above => beyond_low != Ordering::Less,
        Operator::LessOrEqual if side == Side::Below => beyond_low != Ordering::Less,
        Operator::Equal => beyond_low == Ordering::Greater,
        Operator::Greater if side == Side::Above => beyond_low == Ordering::Greater,
        Operator::Less if side == Side::Below => beyond_low == Ordering::Greater,
        _ => true,
    }
}

/// The first comparators with the version farthest on the side and farthest from it.
fn extremes(set: &ComparatorSet, side: Side) -> Option<(&Comparator, &Comparator)> {
    let (first, others) = set.comparators().split_first()?;
    let (mut high, mut low) = (first, first);
    for comparator in others {
        let version = comparator.version();
        if toward(side, version.cmp(high.version())) == Ordering::Greater {
            high = comparator;
        } else if toward(side, version.cmp(low.version())) == Ordering::Less {
            low = comparator;
        }
    }
    Some((high, low))
}

/// `Greater` means farther on the side.
fn toward(side: Side, ordering: Ordering) -> Ordering {
    match side {
        Side::Above => ordering,
        Side::Below => ordering.reverse(),
    }
}
