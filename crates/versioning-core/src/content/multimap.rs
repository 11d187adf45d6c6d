//! Rows by hash, several of one hash included, in as little memory as that takes.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The keys are hashes already.
#[derive(Debug, Default, Clone, Copy)]
pub struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

const NONE: u32 = u32::MAX;

/// Numbers of rows by hash.
#[derive(Debug, Default)]
pub struct Multimap {
    heads: HashMap<u64, u32, BuildHasherDefault<Identity>>,
    entries: Vec<(u32, u32)>,
}

impl Multimap {
    /// Of the rows with their hashes; those of one hash come out in the order given here.
    pub fn new(rows: impl DoubleEndedIterator<Item = (u64, u32)> + ExactSizeIterator) -> Self {
        let mut map = Self {
            heads: HashMap::with_capacity_and_hasher(rows.len(), BuildHasherDefault::default()),
            entries: Vec::with_capacity(rows.len()),
        };
        for (hash, row) in rows.rev() {
            let number = u32::try_from(map.entries.len()).unwrap_or(NONE);
            let next = map.heads.insert(hash, number).unwrap_or(NONE);
            map.entries.push((row, next));
        }
        map
    }

    /// Takes a row of that hash out.
    pub fn take(&mut self, hash: u64) -> Option<u32> {
        let head = self.heads.get_mut(&hash)?;
        let (row, next) = self.entries.get(*head as usize).copied()?;
        if next == NONE {
            self.heads.remove(&hash);
        } else {
            *head = next;
        }
        Some(row)
    }

    /// The rows of that hash, in order.
    pub fn all(&self, hash: u64) -> impl Iterator<Item = u32> {
        let mut next = self.heads.get(&hash).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            let (row, after) = self.entries.get(next as usize).copied()?;
            next = after;
            Some(row)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_rows_of_one_hash_in_order_and_each_once() {
        let mut map = Multimap::new([(5, 0), (7, 1), (5, 2)].into_iter());
        assert_eq!(map.all(5).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(map.take(5), Some(0));
        assert_eq!(map.take(5), Some(2));
        assert_eq!(map.take(5), None);
        assert_eq!(map.take(6), None);
        assert_eq!(map.take(7), Some(1));
    }
}
