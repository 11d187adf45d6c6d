//! The choices of one module and sets of them, exact over its finite number of choices.
//!
//! `pubgrub`'s own ranges live on an endless line; on it `above 2 and below 3` is not seen to be empty, nor
//! `every version but the last one` to be a matter of the last one. Here each set knows where the choices end.

use std::fmt;

use pubgrub::VersionSet;

/// One choice of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Choice {
    /// 0 = not there, then the versions in ascending order.
    pub index: u32,
    /// The highest choice of the module.
    pub last: u32,
}

impl fmt::Display for Choice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.last)
    }
}

/// A set of choices of one module. Equal sets are equal values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChoiceSet {
    /// None.
    Empty,
    /// All of them.
    Full,
    /// Some: at least one, and not all up to `last`.
    Some {
        /// The highest choice of the module.
        last: u32,
        /// First and last of each run, ascending, with a gap between one and the next.
        runs: Vec<(u32, u32)>,
    },
}

impl ChoiceSet {
    /// From runs that are ascending and have gaps between them.
    pub(super) fn from_runs(last: u32, runs: Vec<(u32, u32)>) -> Self {
        match runs.as_slice() {
            [] => Self::Empty,
            [(0, end)] if *end >= last => Self::Full,
            _ => Self::Some { last, runs },
        }
    }

    /// The choices among `0..=last` that pass the test.
    pub(super) fn filtered(last: u32, mut test: impl FnMut(u32) -> bool) -> Self {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for index in (0..=last).filter(|index| test(*index)) {
            match runs.last_mut() {
                Some((_, end)) if *end + 1 == index => *end = index,
                _ => runs.push((index, index)),
            }
        }
        Self::from_runs(last, runs)
    }

    /// The runs of the set, given the highest choice of its module.
    pub(super) fn runs(&self, last: u32) -> Vec<(u32, u32)> {
        match self {
            Self::Empty => Vec::new(),
            Self::Full => vec![(0, last)],
            Self::Some { runs, .. } => runs.clone(),
        }
    }

    /// How many choices are in it, given the highest one of its module.
    pub(super) fn count(&self, last: u32) -> u32 {
        match self {
            Self::Empty => 0,
            Self::Full => last.saturating_add(1),
            Self::Some { runs, .. } => runs.iter().fold(0, |sum: u32, (start, end)| {
                sum.saturating_add(end - start + 1)
            }),
        }
    }

    /// Whether the choice of that number is in it.
    pub(super) fn has(&self, index: u32) -> bool {
        match self {
            Self::Empty => false,
            Self::Full => true,
            Self::Some { runs, .. } => {
                let after = runs.partition_point(|(start, _)| *start <= index);
                after
                    .checked_sub(1)
                    .and_then(|at| runs.get(at))
                    .is_some_and(|(_, end)| index <= *end)
            }
        }
    }
}

impl fmt::Display for ChoiceSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// The runs that two lists of runs have in common.
fn common(left: &[(u32, u32)], right: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let (mut left, mut right) = (left.iter().copied(), right.iter().copied());
    let (mut a, mut b) = (left.next(), right.next());
    let mut runs = Vec::new();
    while let (Some((a_start, a_end)), Some((b_start, b_end))) = (a, b) {
        let (start, end) = (a_start.max(b_start), a_end.min(b_end));
        if start <= end {
            runs.push((start, end));
        }
        if a_end <= b_end {
            a = left.next();
        } else {
            b = right.next();
        }
    }
    runs
}

impl VersionSet for ChoiceSet {
    type V = Choice;

    fn empty() -> Self {
        Self::Empty
    }

    fn full() -> Self {
        Self::Full
    }

    fn singleton(choice: Choice) -> Self {
        Self::from_runs(choice.last, vec![(choice.index, choice.index)])
    }

    fn complement(&self) -> Self {
        let Self::Some { last, runs } = self else {
            return if *self == Self::Full {
                Self::Empty
            } else {
                Self::Full
            };
        };
        let mut gaps = Vec::with_capacity(runs.len() + 1);
        let mut next = 0;
        for (start, end) in runs {
            if next < *start {
                gaps.push((next, start - 1));
            }
            next = end + 1;
        }
        if next <= *last {
            gaps.push((next, *last));
        }
        Self::from_runs(*last, gaps)
    }

    fn intersection(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Empty, _) | (_, Self::Empty) => Self::Empty,
            (Self::Full, set) | (set, Self::Full) => set.clone(),
            (Self::Some { last, runs }, Self::Some { runs: others, .. }) => {
                Self::from_runs(*last, common(runs, others))
            }
        }
    }

    fn contains(&self, choice: &Choice) -> bool {
        self.has(choice.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(last: u32, members: u32) -> ChoiceSet {
        ChoiceSet::filtered(last, |index| members >> index & 1 == 1)
    }

    proptest! {
        /// The same as sets of bits, and equal sets are equal values.
        #[test]
        fn is_a_set(last in 0u32..8, a in any::<u32>(), b in any::<u32>(), choice in 0u32..8) {
            let choice = Choice { index: choice.min(last), last };
            let (left, right) = (set(last, a), set(last, b));
            prop_assert_eq!(left.complement(), set(last, !a));
            prop_assert_eq!(left.intersection(&right), set(last, a & b));
            prop_assert_eq!(left.union(&right), set(last, a | b));
            prop_assert_eq!(left.contains(&choice), a >> choice.index & 1 == 1);
            prop_assert_eq!(ChoiceSet::singleton(choice), set(last, 1 << choice.index));
            prop_assert_eq!(left.count(last), (0..=last).filter(|at| a >> at & 1 == 1).count() as u32);
            prop_assert_eq!(ChoiceSet::from_runs(last, left.runs(last)), left);
        }
    }
}
