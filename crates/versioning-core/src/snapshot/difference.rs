//! Which chunks a live table and a snapshot don't share: as a multiset, so that order doesn't matter and
//! duplicates are counted. In those that are left, rows are matched (`matching`).

use std::collections::HashMap;
use std::hash::Hash as StdHash;

/// Things waiting to be matched, several of which may have the same key.
#[derive(Debug)]
pub struct Unmatched<K, V> {
    by_key: HashMap<K, Vec<V>>,
    count: usize,
}

impl<K: Eq + StdHash, V> Default for Unmatched<K, V> {
    fn default() -> Self {
        Self {
            by_key: HashMap::new(),
            count: 0,
        }
    }
}

impl<K: Eq + StdHash, V> Unmatched<K, V> {
    /// One more.
    pub fn add(&mut self, key: K, value: V) {
        self.by_key.entry(key).or_default().push(value);
        self.count += 1;
    }

    /// Takes one of that key out, if one is left.
    pub fn take(&mut self, key: &K) -> Option<V> {
        let values = self.by_key.get_mut(key)?;
        let value = values.pop()?;
        if values.is_empty() {
            self.by_key.remove(key);
        }
        self.count -= 1;
        Some(value)
    }

    /// The keys of those that are left.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.by_key.keys()
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Those that are left, in no order.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.by_key.into_values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_each_once() {
        let mut unmatched = Unmatched::default();
        unmatched.add("a", 1);
        unmatched.add("a", 2);
        unmatched.add("b", 3);
        assert_eq!(unmatched.len(), 3);
        assert!(unmatched.take(&"a").is_some());
        assert!(unmatched.take(&"a").is_some());
        assert_eq!(unmatched.take(&"a"), None);
        assert_eq!(unmatched.take(&"c"), None);
        assert!(!unmatched.is_empty());
        assert_eq!(unmatched.into_values().collect::<Vec<_>>(), [3]);
    }
}
