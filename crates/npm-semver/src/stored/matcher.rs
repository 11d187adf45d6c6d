//! A range made ready to be asked about many stored versions, none of which is decoded.

use super::key::{numbers_length, push_key};
use super::version::version_key;
use crate::range::{Operator, Prerelease, Range};

/// A range in one mode, to ask about stored versions.
///
/// ```
/// use npm_semver::stored::{Matcher, encode_version};
/// use npm_semver::{Prerelease, Range, Version};
///
/// let matcher = Matcher::new(&Range::parse("^1.2.3").unwrap(), Prerelease::Exclude);
/// assert!(matcher.matches(&encode_version(&Version::new(1, 9, 0))));
/// assert!(!matcher.matches(&encode_version(&Version::new(2, 0, 0))));
/// ```
#[derive(Debug, Clone)]
pub struct Matcher {
    prerelease: Prerelease,
    sets: Vec<Vec<KeyComparator>>,
}

#[derive(Debug, Clone)]
struct KeyComparator {
    operator: Operator,
    prefix: u64,
    key: Vec<u8>,
    /// The bytes of major, minor and patch, when the comparator names a prerelease of them.
    named: Option<usize>,
}

impl Matcher {
    /// Makes the range ready.
    #[must_use]
    pub fn new(range: &Range, prerelease: Prerelease) -> Self {
        let sets = range.sets(prerelease).iter().map(|set| {
            let comparators = set.comparators().iter();
            comparators
                .map(|comparator| {
                    let mut key = Vec::new();
                    push_key(&mut key, comparator.version());
                    let named = numbers_length(&key)
                        .and_then(|(length, is_prerelease)| is_prerelease.then_some(length));
                    KeyComparator {
                        operator: comparator.operator(),
                        prefix: prefix(&key),
                        key,
                        named,
                    }
                })
                .collect()
        });
        Self {
            prerelease,
            sets: sets.collect(),
        }
    }

    /// Whether the stored version is in the range. Of bytes that are no stored version it says
    /// something, but never fails.
    #[must_use]
    pub fn matches(&self, version: &[u8]) -> bool {
        let key = version_key(version);
        let needs_name = match self.prerelease {
            Prerelease::Include => None,
            Prerelease::Exclude => numbers_length(key)
                .and_then(|(length, is_prerelease)| is_prerelease.then_some(length)),
        };
        let asked = Asked {
            prefix: prefix(key),
            key,
        };
        let numbers = needs_name.and_then(|length| key.get(..length));
        self.sets.iter().any(|set| {
            set.iter().all(|comparator| comparator.matches(&asked))
                && numbers
                    .is_none_or(|numbers| set.iter().any(|comparator| comparator.names(numbers)))
        })
    }
}

/// A key that is asked about.
struct Asked<'a> {
    prefix: u64,
    key: &'a [u8],
}

/// The first eight bytes of a key as a number, which mostly decides how it compares with another:
/// since no key is the beginning of another, the zeros behind a short one never count.
#[inline]
fn prefix(key: &[u8]) -> u64 {
    if let Some(first) = key.first_chunk() {
        return u64::from_be_bytes(*first);
    }
    let mut first = [0; 8];
    for (place, &byte) in first.iter_mut().zip(key) {
        *place = byte;
    }
    u64::from_be_bytes(first)
}

impl KeyComparator {
    #[inline]
    fn matches(&self, asked: &Asked<'_>) -> bool {
        let ordering = (asked.prefix.cmp(&self.prefix)).then_with(|| asked.key.cmp(&self.key));
        match self.operator {
            Operator::Equal => ordering.is_eq(),
            Operator::Less => ordering.is_lt(),
            Operator::LessOrEqual => ordering.is_le(),
            Operator::Greater => ordering.is_gt(),
            Operator::GreaterOrEqual => ordering.is_ge(),
        }
    }

    fn names(&self, numbers: &[u8]) -> bool {
        self.named == Some(numbers.len()) && self.key.starts_with(numbers)
    }
}
