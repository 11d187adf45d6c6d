//! Many rows waiting to be matched by their hashes, in as little memory as that takes: a table of millions
//! of rows may have changed everywhere.

/// Half a SHA-256: enough to tell rows apart, even rows made to be confused.
pub type RowHash = [u8; 16];

/// Rows by their hashes, as a multiset. First all are added, then they are taken out.
#[derive(Debug)]
pub struct RowIndex<V> {
    entries: Vec<Entry<V>>,
    /// Numbers of entries, found by their hash: open addressing, for the hashes are as good as random.
    slots: Vec<u32>,
    count: usize,
}

#[derive(Debug)]
struct Entry<V> {
    hash: RowHash,
    value: V,
    /// The next entry of the same hash.
    next: u32,
    is_taken: bool,
}

/// No entry.
const NONE: u32 = u32::MAX;

impl<V> Default for RowIndex<V> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            slots: Vec::new(),
            count: 0,
        }
    }
}

impl<V: Copy> RowIndex<V> {
    /// One more. Not after the first [`RowIndex::take`].
    pub fn add(&mut self, hash: RowHash, value: V) {
        self.entries.push(Entry {
            hash,
            value,
            next: NONE,
            is_taken: false,
        });
        self.count += 1;
    }

    /// Call between the last [`RowIndex::add`] and the first [`RowIndex::take`].
    pub fn seal(&mut self) {
        self.slots = vec![NONE; (self.entries.len() * 2).next_power_of_two()];
        for number in 0..self.entries.len() {
            let Some(hash) = self.entries.get(number).map(|entry| entry.hash) else {
                continue;
            };
            let Some(slot) = self.slot(&hash) else {
                continue;
            };
            let number_here = u32::try_from(number).unwrap_or(NONE);
            let before = self
                .slots
                .get_mut(slot)
                .map_or(NONE, |slot| std::mem::replace(slot, number_here));
            if let Some(entry) = self.entries.get_mut(number) {
                entry.next = before;
            }
        }
    }

    /// The slot of entries of that hash, or the free one where it would be.
    fn slot(&self, hash: &RowHash) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let (head, _) = hash.split_first_chunk::<8>()?;
        let mut slot = u64::from_le_bytes(*head) as usize & mask;
        loop {
            let number = *self.slots.get(slot)?;
            if number == NONE || self.entries.get(number as usize)?.hash == *hash {
                return Some(slot);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Takes one of that hash out, if one is left.
    pub fn take(&mut self, hash: &RowHash) -> Option<V> {
        let slot = self.slot(hash)?;
        let number = self.slots.get_mut(slot)?;
        let entry = self.entries.get_mut(*number as usize)?;
        if entry.is_taken {
            return None;
        }
        entry.is_taken = true;
        // The last of its hash keeps the slot, for others are found by way of it.
        if entry.next != NONE {
            *number = entry.next;
        }
        self.count -= 1;
        Some(entry.value)
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Those that are left, in the order in which they were added.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        let left = |entry: Entry<V>| (!entry.is_taken).then_some(entry.value);
        self.entries.into_iter().filter_map(left)
    }
}

/// A hash of many things whatever their order, each counted as often as it is there: two that are equal
/// stand for the same things. It finds what went wrong, not what somebody made to look right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MultisetHash {
    sum: u128,
    count: u64,
}

impl MultisetHash {
    /// One more that is a row, or any bytes.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        const SECRETS: [u64; 2] = [0xd6e8_feb8_6659_fd93, 0xe703_7ed1_a0b4_28db];
        // Two hashes side by side: neither has to wait for the other.
        let mut states = SECRETS.map(|secret| mix(secret ^ bytes.len() as u64, secret));
        let mut add = |word: u64| {
            for (state, secret) in states.iter_mut().zip(SECRETS) {
                *state = mix(*state ^ word, secret).wrapping_add(word);
            }
        };
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            add(word.try_into().map_or(0, u64::from_le_bytes));
        }
        let tail = words.remainder().iter();
        add(tail.fold(1, |tail, byte| tail << 8 | u64::from(*byte)));
        let [one, other] = states.map(|state| mix(state, 0xa076_1d64_78bd_642f));
        self.sum = self
            .sum
            .wrapping_add(u128::from(one) << 64 | u128::from(other));
        self.count += 1;
    }

    /// One more that is a number.
    pub fn add_number(&mut self, number: u64) {
        let one = mix(mix(number, 0x9e37_79b9_7f4a_7c15), 0xd6e8_feb8_6659_fd93);
        let other = mix(mix(number, 0xa076_1d64_78bd_642f), 0xe703_7ed1_a0b4_28db);
        self.sum = self
            .sum
            .wrapping_add(u128::from(one) << 64 | u128::from(other));
        self.count += 1;
    }

    /// All of another.
    pub fn add_all(&mut self, other: Self) {
        self.sum = self.sum.wrapping_add(other.sum);
        self.count += other.count;
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.count
    }
}

fn mix(state: u64, factor: u64) -> u64 {
    let product = u128::from(state ^ factor).wrapping_mul(u128::from(factor));
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_of_many_depends_on_each_and_not_on_their_order() {
        let of = |numbers: &[u64]| {
            let mut all = MultisetHash::default();
            numbers.iter().for_each(|number| all.add_number(*number));
            all
        };
        assert_eq!(of(&[1, 2, 3]), of(&[3, 1, 2]));
        for other in [
            &[1, 2, 4][..],
            &[1, 2],
            &[1, 2, 3, 3],
            &[1, 1, 3],
            &[0, 3, 3],
        ] {
            assert_ne!(of(&[1, 2, 3]), of(other));
        }
        let mut all = of(&[1, 2]);
        all.add_all(of(&[7]));
        assert_eq!((all, all.count()), (of(&[7, 2, 1]), 3));
    }

    #[test]
    fn a_hash_of_many_rows_depends_on_each_of_their_bits() {
        let of = |rows: &[&[u8]]| {
            let mut all = MultisetHash::default();
            rows.iter().for_each(|row| all.add_bytes(row));
            all
        };
        assert_eq!(of(&[b"one", b"other"]), of(&[b"other", b"one"]));
        assert_ne!(of(&[b"one"]), of(&[b"one", b"one"]));
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        let mut seen = std::collections::HashSet::new();
        for length in 0..40 {
            let zeros = vec![0_u8; length];
            assert!(seen.insert(of(&[&zeros]).sum));
            for bit in 0..length * 8 {
                let mut row = zeros.clone();
                row[bit / 8] |= 1 << (bit % 8);
                assert!(seen.insert(of(&[&row]).sum), "{length} bytes, bit {bit}");
            }
        }
    }

    #[test]
    fn takes_each_once() {
        let hash = |byte: u8| [byte; 16];
        let mut index = RowIndex::default();
        for (byte, value) in [(2, 'x'), (1, 'a'), (2, 'y'), (3, 'b'), (2, 'z')] {
            index.add(hash(byte), value);
        }
        index.seal();
        assert_eq!(index.take(&hash(0)), None);
        assert_eq!(index.take(&hash(4)), None);
        assert!(index.take(&hash(2)).is_some());
        assert!(index.take(&hash(2)).is_some());
        assert_eq!(index.take(&hash(3)), Some('b'));
        assert_eq!(index.take(&hash(3)), None);
        assert_eq!(index.len(), 2);
        let left: Vec<char> = index.into_values().collect();
        assert_eq!(left.len(), 2);
        assert!(left.contains(&'a'));
    }

    #[test]
    fn agrees_with_a_plain_multiset() {
        let mut state = 7_u64;
        let mut next = move |below: u64| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            ((state >> 33) % below) as u8
        };
        for _ in 0..200 {
            let mut index = RowIndex::default();
            let mut plain = std::collections::HashMap::<u8, usize>::new();
            for _ in 0..next(40) {
                let byte = next(9);
                index.add([byte; 16], byte);
                *plain.entry(byte).or_default() += 1;
            }
            index.seal();
            for _ in 0..next(40) {
                let byte = next(9);
                let expected = plain
                    .get_mut(&byte)
                    .filter(|count| **count > 0)
                    .map(|count| *count -= 1);
                assert_eq!(index.take(&[byte; 16]).is_some(), expected.is_some());
            }
            let total: usize = plain.values().sum();
            assert_eq!(index.len(), total);
            let mut left = std::collections::HashMap::<u8, usize>::new();
            for byte in index.into_values() {
                *left.entry(byte).or_default() += 1;
            }
            plain.retain(|_, count| *count > 0);
            assert_eq!(left, plain);
        }
    }
}
