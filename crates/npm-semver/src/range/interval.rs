//! A range as stretches of the order of versions.

use std::cmp::Ordering;
use std::ops::Bound;

use super::{Prerelease, Range};
use crate::version::Version;

/// A stretch of the order of versions: all between a lower and an upper bound.
pub type Interval<'a> = (Bound<&'a Version>, Bound<&'a Version>);

impl Range {
    /// The stretches that hold every version of the range: none empty, in order, and disjoint,
    /// for an ordered index to scan one after the other.
    ///
    /// With [`Prerelease::Include`] the range has every version within them. With
    /// [`Prerelease::Exclude`] it lacks the prereleases that it doesn't name.
    ///
    /// ```
    /// use std::ops::Bound;
    /// use npm_semver::{Prerelease, Range, Version};
    ///
    /// let range = Range::parse("3.x || 1.0.0 - 1.4.0 || ~1.3").unwrap();
    /// let intervals = range.intervals(Prerelease::Exclude);
    /// assert_eq!(intervals.len(), 2);
    /// assert_eq!(intervals[0].0, Bound::Included(&Version::new(1, 0, 0)));
    /// assert_eq!(intervals[0].1, Bound::Included(&Version::new(1, 4, 0)));
    /// ```
    #[must_use]
    pub fn intervals(&self, prerelease: Prerelease) -> Vec<Interval<'_>> {
        let sets = self.sets(prerelease).iter();
        let mut all: Vec<_> = (sets.map(|set| set.bounds()))
            .filter(|interval| !is_empty(interval))
            .collect();
        all.sort_by(|one, two| compare_lower(one.0, two.0));
        let mut joined: Vec<Interval<'_>> = Vec::new();
        for next in all {
            match joined.last_mut() {
                Some(last) if meets(last.1, next.0) => {
                    if compare_upper(last.1, next.1) == Ordering::Less {
                        last.1 = next.1;
                    }
                }
                _ => joined.push(next),
            }
        }
        joined
    }
}

fn is_empty(interval: &Interval<'_>) -> bool {
    match *interval {
        (Bound::Included(lower), Bound::Included(upper)) => lower > upper,
        (
            Bound::Included(lower) | Bound::Excluded(lower),
            Bound::Included(upper) | Bound::Excluded(upper),
        ) => lower >= upper,
        _ => false,
    }
}

/// Whether nothing lies between the end of one interval and the start of a later one.
fn meets(upper: Bound<&Version>, lower: Bound<&Version>) -> bool {
    match (upper, lower) {
        (Bound::Excluded(upper), Bound::Excluded(lower)) => lower < upper,
        (
            Bound::Included(upper) | Bound::Excluded(upper),
            Bound::Included(lower) | Bound::Excluded(lower),
        ) => lower <= upper,
        _ => true,
    }
}

fn compare_lower(one: Bound<&Version>, two: Bound<&Version>) -> Ordering {
    let (side, excluded) = (Ordering::Less, Ordering::Greater);
    place(one, side, excluded).cmp(&place(two, side, excluded))
}

fn compare_upper(one: Bound<&Version>, two: Bound<&Version>) -> Ordering {
    let (side, excluded) = (Ordering::Greater, Ordering::Less);
    place(one, side, excluded).cmp(&place(two, side, excluded))
}

/// Where a bound lies: beyond everything, or at a version and then just beside it if the version
/// is excluded.
fn place(
    bound: Bound<&Version>,
    beyond: Ordering,
    excluded: Ordering,
) -> (Ordering, Option<&Version>, Ordering) {
    match bound {
        Bound::Unbounded => (beyond, None, Ordering::Equal),
        Bound::Included(version) => (Ordering::Equal, Some(version), Ordering::Equal),
        Bound::Excluded(version) => (Ordering::Equal, Some(version), excluded),
    }
}
