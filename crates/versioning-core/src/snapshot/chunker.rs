//! Cuts a stream of rows into chunks at places that the rows themselves choose, so that a changed,
//! inserted or deleted row changes the chunk it is in and (rarely) the next, and no other.

/// No chunk ends before this many bytes, the last one of a table excepted.
pub const CHUNK_MIN: usize = 256 * 1024;
/// What chunks measure on average.
pub const CHUNK_TARGET: usize = 1024 * 1024;
/// A chunk ends with the row that brings it here.
pub const CHUNK_MAX: usize = 4 * 1024 * 1024;
/// What is stored as one piece at most: longer chunks (a row of many megabytes) are stored in pieces.
pub const PIECE_MAX: usize = 64 * 1024 * 1024;

/// Rows one after the other.
#[derive(Debug, Default)]
pub struct Chunk {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Chunk {
    /// The bytes of its rows.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many rows it has.
    pub fn row_count(&self) -> usize {
        self.ends.len()
    }

    /// Its rows.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| self.bytes.get(start..*end).unwrap_or_default())
    }

    /// The pieces it is stored as, each with the number of rows that end in the chunk: 0 for all but the
    /// last.
    pub fn pieces(&self) -> impl Iterator<Item = (&[u8], usize)> {
        let last = self.bytes.len().saturating_sub(1) / PIECE_MAX;
        self.bytes
            .chunks(PIECE_MAX)
            .enumerate()
            .map(move |(index, piece)| (piece, if index == last { self.ends.len() } else { 0 }))
    }

    /// The same for one that nobody needs any more.
    pub fn into_pieces(self) -> Vec<(Vec<u8>, usize)> {
        if self.bytes.len() <= PIECE_MAX {
            let rows = self.ends.len();
            return vec![(self.bytes, rows)];
        }
        let owned = |(piece, rows): (&[u8], usize)| (piece.to_vec(), rows);
        self.pieces().map(owned).collect()
    }
}

/// Collects rows until a chunk is complete.
#[derive(Debug, Default)]
pub struct Chunker(Chunk);

impl Chunker {
    /// Where the next row's bytes are appended, before [`Chunker::end_row`].
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.0.bytes
    }

    /// Ends a row; true when the chunk is complete and should be taken out with [`Chunker::take`].
    pub fn end_row(&mut self) -> bool {
        let Chunk { bytes, ends } = &mut self.0;
        let start = ends.last().copied().unwrap_or(0);
        let size = bytes.len();
        ends.push(size);
        if size < CHUNK_MIN {
            return false;
        }
        size >= CHUNK_MAX || bytes.get(start..).is_some_and(ends_chunk)
    }

    /// Whether no row is there.
    pub fn is_empty(&self) -> bool {
        self.0.ends.is_empty()
    }

    /// Takes the chunk out and starts the next.
    pub fn take(&mut self) -> Chunk {
        let next = Chunk {
            // Mostly enough, so that the bytes are seldom moved.
            bytes: Vec::with_capacity(2 * CHUNK_TARGET),
            ends: Vec::with_capacity(self.0.ends.len() + self.0.ends.len() / 4),
        };
        std::mem::replace(&mut self.0, next)
    }
}

/// Whether a chunk may end behind this row: in proportion to the row's length, so that chunks of long
/// and of short rows have the same size on average.
fn ends_chunk(row: &[u8]) -> bool {
    let step = u64::MAX / (CHUNK_TARGET - CHUNK_MIN) as u64;
    fold(row) < step.saturating_mul(row.len() as u64)
}

/// A fast hash for choosing places. It protects nothing: what a chunk is called by is its SHA-256.
fn fold(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, word: u64| {
        let product = u128::from(state ^ word).wrapping_mul(u128::from(FACTOR));
        (product as u64) ^ ((product >> 64) as u64)
    };
    let mut state = FACTOR ^ bytes.len() as u64;
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        state = mix(state, word.try_into().map_or(0, u64::from_le_bytes)).wrapping_add(FACTOR);
    }
    let tail = words
        .remainder()
        .iter()
        .fold(0, |tail, byte| tail << 8 | u64::from(*byte));
    mix(mix(state, tail), FACTOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: u64) -> Vec<Vec<u8>> {
        (0..count)
            .map(|number| {
                let mut row = number.to_be_bytes().to_vec();
                row.extend(std::iter::repeat_n(
                    number as u8,
                    80 + (number % 40) as usize,
                ));
                row
            })
            .collect()
    }

    fn chunks(rows: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut chunker = Chunker::default();
        let mut chunks = Vec::new();
        for row in rows {
            chunker.buffer().extend_from_slice(row);
            if chunker.end_row() {
                chunks.push(chunker.take().bytes().to_vec());
            }
        }
        chunks.push(chunker.take().bytes().to_vec());
        chunks
    }

    #[test]
    fn chunks_have_the_size_they_should() {
        let rows = rows(200_000);
        let chunks = chunks(&rows);
        let total: usize = rows.iter().map(Vec::len).sum();
        assert_eq!(chunks.concat(), rows.concat());
        assert!(chunks.iter().all(|chunk| chunk.len() < CHUNK_MAX + 200));
        let average = total / chunks.len();
        assert!(
            (CHUNK_TARGET / 2..CHUNK_TARGET * 2).contains(&average),
            "{average}"
        );
        assert_eq!(chunks, self::chunks(&rows));
    }

    #[test]
    fn one_changed_row_changes_one_chunk() {
        let mut rows = rows(200_000);
        let before = chunks(&rows);
        rows[77_777][10] ^= 1;
        let after = chunks(&rows);
        let differing = after.iter().filter(|chunk| !before.contains(chunk)).count();
        assert_eq!(differing, 1);
    }

    #[test]
    fn one_removed_row_changes_few_chunks() {
        let mut rows = rows(200_000);
        let before = chunks(&rows);
        rows.remove(100);
        let after = chunks(&rows);
        let differing = after.iter().filter(|chunk| !before.contains(chunk)).count();
        assert!(differing <= 2, "{differing}");
    }

    #[test]
    fn a_huge_row_is_stored_in_pieces() {
        let mut chunker = Chunker::default();
        chunker.buffer().extend_from_slice(&[1; 100]);
        assert!(!chunker.end_row());
        chunker
            .buffer()
            .extend(std::iter::repeat_n(7, PIECE_MAX * 2));
        assert!(chunker.end_row());
        assert!(!chunker.is_empty());
        let chunk = chunker.take();
        let pieces: Vec<_> = chunk
            .pieces()
            .map(|(bytes, rows)| (bytes.len(), rows))
            .collect();
        assert_eq!(pieces, [(PIECE_MAX, 0), (PIECE_MAX, 0), (100, 2)]);
        assert_eq!(
            chunk.rows().map(<[u8]>::len).collect::<Vec<_>>(),
            [100, PIECE_MAX * 2]
        );
        assert_eq!(chunk.row_count(), 2);
        let owned: Vec<_> = chunk.into_pieces();
        let owned: Vec<_> = owned
            .iter()
            .map(|(bytes, rows)| (bytes.len(), *rows))
            .collect();
        assert_eq!(owned, pieces);
        assert!(chunker.is_empty());
        assert_eq!(chunker.take().pieces().count(), 0);
    }
}
