//! Whether one range lies within another, by npm's rules.

use super::comparator::{Comparator, ComparatorSet, Operator};
use super::{Prerelease, Range};
use crate::version::Version;

/// What npm finds for one branch within one branch of the other range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Subset,
    NotSubset,
    /// The branch has no version at all.
    Nothing,
}

impl Range {
    /// Whether every version of this range is in `dominant` too: npm's `subset`.
    ///
    /// As with npm, each branch must lie within a single branch of the other range, and one
    /// that has no version counts for nothing only if none before it has some.
    ///
    /// ```
    /// use npm_semver::Range;
    ///
    /// let dominant = Range::parse("^2 || ^3 || ^4").unwrap();
    /// assert!(Range::parse("~3.1").unwrap().is_subset_of(&dominant));
    /// assert!(!Range::parse(">=3").unwrap().is_subset_of(&dominant));
    /// ```
    #[must_use]
    pub fn is_subset_of(&self, dominant: &Self) -> bool {
        self.is_subset_of_with(dominant, Prerelease::Exclude)
    }

    /// Whether every version of this range is in `dominant` too, in the given mode.
    #[must_use]
    pub fn is_subset_of_with(&self, dominant: &Self, prerelease: Prerelease) -> bool {
        let everything = [lowest_set(prerelease)];
        let mut saw_something = false;
        for sub in self.sets(prerelease) {
            let mut found = false;
            for dom in dominant.sets(prerelease) {
                let relation = relate(sub, dom, &everything, prerelease);
                saw_something |= relation != Relation::Nothing;
                // npm stops at a branch that is written in the same way even if it has nothing;
                // here the spelling does not count.
                found = relation == Relation::Subset || sub == dom;
                if found {
                    break;
                }
            }
            if !found && saw_something {
                return false;
            }
        }
        true
    }
}

/// `>=` the lowest version of the mode, which is what `*` stands for.
fn lowest_set(prerelease: Prerelease) -> Comparator {
    let zero = Version::new(0, 0, 0);
    Comparator::new(
        Operator::GreaterOrEqual,
        match prerelease {
            Prerelease::Exclude => zero,
            Prerelease::Include => zero.with_prerelease("0"),
        },
    )
}

fn relate(
    sub: &ComparatorSet,
    dom: &ComparatorSet,
    everything: &[Comparator],
    prerelease: Prerelease,
) -> Relation {
    if dom.is_any() && (sub.is_any() || prerelease == Prerelease::Include) {
        return Relation::Subset;
    }
    let [sub, dom] = [sub, dom].map(|set| {
        if set.is_any() {
            everything
        } else {
            set.comparators()
        }
    });
    let Some(limits) = Limits::of(sub) else {
        return Relation::Nothing;
    };
    let holds = match limits.equal {
        Some(version) => {
            let mut bounds = limits.bounds();
            if !bounds.all(|bound| bound.satisfies(version, prerelease)) {
                return Relation::Nothing;
            }
            dom.iter()
                .all(|comparator| comparator.satisfies(version, prerelease))
        }
        None => limits.lie_within_all(dom, prerelease),
    };
    if holds {
        Relation::Subset
    } else {
        Relation::NotSubset
    }
}

/// The tightest comparators of a set.
#[derive(Debug, Clone, Copy)]
struct Limits<'a> {
    equal: Option<&'a Version>,
    lower: Option<&'a Comparator>,
    upper: Option<&'a Comparator>,
}

impl<'a> Limits<'a> {
    /// `None` when no version can be within them.
    fn of(comparators: &'a [Comparator]) -> Option<Self> {
        let mut limits = Self {
            equal: None,
            lower: None,
            upper: None,
        };
        for comparator in comparators {
            if comparator.operator().is_lower_bound() {
                if limits.lower.is_none_or(|lower| comparator.is_above(lower)) {
                    limits.lower = Some(comparator);
                }
            } else if comparator.operator().is_upper_bound() {
                if limits.upper.is_none_or(|upper| comparator.is_below(upper)) {
                    limits.upper = Some(comparator);
                }
            } else if limits.equal.replace(comparator.version()).is_some() {
                // Comparators are distinct, so this is another version.
                return None;
            }
        }
        (!limits.cross()).then_some(limits)
    }

    fn bounds(&self) -> impl Iterator<Item = &'a Comparator> {
        [self.lower, self.upper].into_iter().flatten()
    }

    fn cross(&self) -> bool {
        let (Some(lower), Some(upper)) = (self.lower, self.upper) else {
            return false;
        };
        lower.version() > upper.version() || (self.touch() && !self.share_a_version())
    }

    /// Whether both bounds are at the same version.
    fn touch(&self) -> bool {
        match (self.lower, self.upper) {
            (Some(lower), Some(upper)) => lower.version() == upper.version(),
            _ => false,
        }
    }

    fn share_a_version(&self) -> bool {
        let operators = (
            self.lower.map(Comparator::operator),
            self.upper.map(Comparator::operator),
        );
        operators == (Some(Operator::GreaterOrEqual), Some(Operator::LessOrEqual))
    }

    /// Whether all between the bounds is in the other set, as far as npm looks.
    fn lie_within_all(&self, dom: &[Comparator], prerelease: Prerelease) -> bool {
        dom.iter().all(|comparator| self.lie_within(comparator))
            && self.are_closed_like(dom)
            && (prerelease == Prerelease::Include || self.have_prereleases_named_by(dom))
    }

    /// Whether all between the bounds matches the comparator, as far as npm looks.
    fn lie_within(&self, comparator: &Comparator) -> bool {
        let lower_holds = self.lower.is_none_or(|lower| {
            if comparator.operator().is_lower_bound() {
                !comparator.is_above(lower)
            } else {
                lower.operator() == Operator::Greater || comparator.matches(lower.version())
            }
        });
        let upper_holds = self.upper.is_none_or(|upper| {
            if comparator.operator().is_upper_bound() {
                !comparator.is_below(upper)
            } else {
                upper.operator() == Operator::Less || comparator.matches(upper.version())
            }
        });
        let is_point = comparator.operator() == Operator::Equal;
        let is_bounded = self.lower.is_some() || self.upper.is_some();
        lower_holds && upper_holds && !(is_point && is_bounded && !self.touch())
    }

    /// Whether there is a bound on every side on which the other set has one. Both bounds
    /// limit each other, so with two of them there is nothing to check.
    fn are_closed_like(&self, dom: &[Comparator]) -> bool {
        let has = |is_bound: fn(Operator) -> bool| {
            dom.iter().any(|comparator| is_bound(comparator.operator()))
        };
        match (self.lower, self.upper) {
            (Some(_), None) => !has(Operator::is_upper_bound),
            (None, Some(_)) => !has(Operator::is_lower_bound),
            _ => true,
        }
    }

    /// A bound at a prerelease lets in prereleases of its version, which the other set must
    /// name too. `<1.2.3-0` is the exception: it is like `<1.2.3`.
    fn have_prereleases_named_by(&self, dom: &[Comparator]) -> bool {
        self.bounds()
            .filter(|bound| bound.version().is_prerelease())
            .filter(|bound| {
                bound.operator() != Operator::Less || bound.version().prerelease() != "0"
            })
            .all(|bound| {
                dom.iter()
                    .any(|comparator| comparator.names_prerelease_of(bound.version()))
            })
    }
}
