//! The branches of a range in one mode, simplified as npm does it.

use std::collections::HashSet;
use std::fmt;

use super::comparator::{Comparator, ComparatorSet};

/// Up to this many comparators are searched one after the other for a repeated one.
const FEW: usize = 16;

/// Comparator sets of which a version must be in one. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Union {
    sets: Vec<ComparatorSet>,
}

impl Union {
    /// Drops sets that have nothing beside others that may have something, and drops everything
    /// beside a `*`. (A prerelease that only another branch names then no longer matches: the
    /// union is npm's, not set theory's.)
    pub(super) fn simplified(mut sets: Vec<ComparatorSet>) -> Self {
        if sets.len() > 1 {
            let first = sets.first().cloned().unwrap_or_default();
            sets.retain(|set| !set.is_null());
            if sets.is_empty() {
                sets.push(first);
            } else if sets.iter().any(ComparatorSet::is_any) {
                sets = vec![ComparatorSet::default()];
            }
        }
        Self { sets }
    }

    /// Takes sets that were simplified before, as they are; `None` when they were not.
    pub(crate) fn from_simplified(sets: Vec<ComparatorSet>) -> Option<Self> {
        let is_alone = sets.len() == 1;
        let is_simplified = sets.iter().all(|set| {
            let comparators = set.comparators();
            (is_alone || !(set.is_any() || set.is_null()))
                && (comparators.len() < 2 || !comparators.iter().any(Comparator::is_null))
                && !has_repetition(comparators)
        });
        (is_simplified && !sets.is_empty()).then_some(Self { sets })
    }

    pub(crate) fn sets(&self) -> &[ComparatorSet] {
        &self.sets
    }

    pub(crate) fn is_any(&self) -> bool {
        self.sets.first().is_some_and(ComparatorSet::is_any)
    }
}

impl fmt::Display for Union {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, set) in self.sets.iter().enumerate() {
            if index > 0 {
                formatter.write_str("||")?;
            }
            set.fmt(formatter)?;
        }
        Ok(())
    }
}

/// Keeps the first of equal comparators; a set with "nothing" in it is only that.
pub(super) fn simplified_set(mut comparators: Vec<Comparator>) -> ComparatorSet {
    if let Some(null) = comparators.iter().find(|comparator| comparator.is_null()) {
        return ComparatorSet::new(vec![null.clone()]);
    }
    if has_repetition(&comparators) {
        let mut seen = HashSet::with_capacity(comparators.len());
        comparators.retain(|comparator| seen.insert(comparator.clone()));
    }
    ComparatorSet::new(comparators)
}

fn has_repetition(comparators: &[Comparator]) -> bool {
    if comparators.len() > FEW {
        // A long hostile range must not take quadratic time.
        let mut seen = HashSet::with_capacity(comparators.len());
        return !comparators.iter().all(|comparator| seen.insert(comparator));
    }
    let mut rest = comparators;
    while let Some((first, others)) = rest.split_first() {
        if others.contains(first) {
            return true;
        }
        rest = others;
    }
    false
}
