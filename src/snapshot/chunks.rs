//! Takes chunks out of the store, checking every byte.

use std::collections::VecDeque;
use std::sync::Arc;

use versioning_core::snapshot::hash::Hash;
use versioning_core::snapshot::manifest::Piece;

use crate::error::{Error, Result};
use crate::pg::helper_thread::HelperThread;
use crate::pg::memory::Scratch;
use crate::snapshot::store::{self, StoredPiece};

/// How many bytes are given to the helper thread at a time, uncompressed: enough to keep it busy. A single
/// piece may be larger.
pub const AHEAD_MAX: u64 = 8 * 1024 * 1024;

/// The bytes of a chunk, or what is wrong with it.
pub type Fetched = std::result::Result<Vec<u8>, String>;

/// Takes a chunk out of the store, checking the hash of every piece.
///
/// # Errors
/// PostgreSQL's own only: damage is a [`Fetched`] error.
pub fn fetch(pieces: &[Piece]) -> Result<Fetched> {
    let mut bytes = Vec::new();
    for piece in pieces {
        pgrx::check_for_interrupts!();
        match Stored::of(piece, true)?.check() {
            Ok(part) if bytes.is_empty() => bytes = part,
            Ok(part) => bytes.extend_from_slice(&part),
            Err(damage) => return Ok(Err(damage)),
        }
    }
    Ok(Ok(bytes))
}

/// A piece as it was found in the store, or not.
struct Stored {
    hash: Option<Hash>,
    named: String,
    size: u64,
    found: Option<StoredPiece>,
    /// Whether the stored bytes are hashed too, and not only what they hold.
    is_thorough: bool,
}

impl Stored {
    fn of(piece: &Piece, is_thorough: bool) -> Result<Self> {
        let hash = Hash::from_hex(&piece.hash);
        let found = match &hash {
            Some(hash) => Scratch::new().with(|| store::piece(hash))?,
            None => None,
        };
        Ok(Self {
            hash,
            named: piece.hash.clone(),
            size: piece.bytes,
            found,
            is_thorough,
        })
    }

    /// Needs nothing of PostgreSQL.
    fn check(self) -> Fetched {
        let Some(hash) = self.hash else {
            return Err(format!("\"{}\" is no hash", self.named));
        };
        let Some(stored) = self.found else {
            return Err(format!("chunk {hash} is missing"));
        };
        if stored.codec != store::ZSTD {
            return Err(format!(
                "chunk {hash} is stored with the unknown codec {}",
                stored.codec
            ));
        }
        if self.is_thorough && !stored.is_as_stored() {
            return Err(format!("chunk {hash} is not stored as it was"));
        }
        if i64::try_from(self.size) != Ok(stored.raw_size) {
            return Err(format!("chunk {hash} has another size than was written"));
        }
        // The manifest was checked to ask for no more than a piece may have.
        let size = usize::try_from(self.size).unwrap_or(0);
        match zstd::bulk::decompress(&stored.content, size) {
            Ok(bytes) if bytes.len() == size && Hash::of(&bytes) == hash => Ok(bytes),
            Ok(_) => Err(format!("chunk {hash} has other bytes than were written")),
            Err(error) => Err(format!("chunk {hash} can't be decompressed: {error}")),
        }
    }
}

/// What is to be found out about the bytes of a whole chunk. It must need nothing of PostgreSQL.
type Look<T> = Arc<dyn Fn(&[u8]) -> T + Send + Sync>;

/// A piece of a chunk, and what was found out if it is the whole chunk.
type Looked<T> = std::result::Result<(Vec<u8>, Option<T>), String>;

/// A chunk that was read.
pub struct Read<T> {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What was found out about them.
    pub found: T,
}

/// Takes many chunks out one after the other. Helper threads decompress, check and look at what
/// comes next.
pub struct Reader<'a, T: Send + 'static> {
    groups: VecDeque<&'a [Piece]>,
    /// Pieces that nobody has fetched yet, and whether they are whole chunks.
    ahead: VecDeque<(&'a Piece, bool)>,
    given: u64,
    is_thorough: bool,
    look: Look<T>,
    /// They take turns, so that the pieces come back in order.
    helpers: Vec<HelperThread<(Stored, bool), Looked<T>>>,
    /// How many pieces were given to them, and how many came back.
    turns: (usize, usize),
}

/// As many as have something to do beside the backend's own thread.
const HELPERS: usize = 2;

/// Fewer pieces aren't worth a thread.
const THREAD_MIN: usize = 4;

fn check<T>(stored: Stored, is_whole: bool, look: &Look<T>) -> Looked<T> {
    let bytes = stored.check()?;
    let found = is_whole.then(|| look(&bytes));
    Ok((bytes, found))
}

impl<'a, T: Send + 'static> Reader<'a, T> {
    /// Of these chunks. `is_thorough`: whether every stored byte is looked at, not only what they hold.
    ///
    /// # Errors
    /// XX000 when the system gives no thread.
    pub fn new(
        groups: impl Iterator<Item = &'a [Piece]>,
        is_thorough: bool,
        look: impl Fn(&[u8]) -> T + Send + Sync + 'static,
    ) -> Result<Self> {
        let look: Look<T> = Arc::new(look);
        let groups: VecDeque<&[Piece]> = groups.collect();
        let ahead: VecDeque<(&Piece, bool)> = groups
            .iter()
            .flat_map(|group| group.iter().map(|piece| (piece, group.len() == 1)))
            .collect();
        let count = if ahead.len() < THREAD_MIN { 0 } else { HELPERS };
        let start = |_| {
            let look = look.clone();
            HelperThread::start(move |(stored, is_whole)| check(stored, is_whole, &look))
        };
        let helpers = (0..count).map(start).collect::<Result<_>>()?;
        Ok(Self {
            groups,
            ahead,
            given: 0,
            is_thorough,
            look,
            helpers,
            turns: (0, 0),
        })
    }

    /// The next chunk: what it consists of, and its bytes or what is wrong.
    ///
    /// # Errors
    /// PostgreSQL's own only.
    pub fn next(&mut self) -> Result<Option<(&'a [Piece], std::result::Result<Read<T>, String>)>> {
        let Some(pieces) = self.groups.pop_front() else {
            return Ok(None);
        };
        let mut all: std::result::Result<Vec<u8>, String> = Ok(Vec::new());
        let mut known = None;
        for piece in pieces {
            let part = self.piece(piece, pieces.len() == 1)?;
            all = match (all, part) {
                (Ok(bytes), Ok((part, found))) if bytes.is_empty() => {
                    known = found;
                    Ok(part)
                }
                (Ok(mut bytes), Ok((part, _))) => {
                    bytes.extend_from_slice(&part);
                    Ok(bytes)
                }
                (Err(damage), _) | (_, Err(damage)) => Err(damage),
            };
        }
        let read = all.map(|bytes| {
            let found = known.unwrap_or_else(|| (self.look)(&bytes));
            Read { bytes, found }
        });
        Ok(Some((pieces, read)))
    }

    fn piece(&mut self, piece: &Piece, is_whole: bool) -> Result<Looked<T>> {
        if self.helpers.is_empty() {
            pgrx::check_for_interrupts!();
            return Ok(check(
                Stored::of(piece, self.is_thorough)?,
                is_whole,
                &self.look,
            ));
        }
        let (given, taken) = &mut self.turns;
        while given == taken || self.given < AHEAD_MAX {
            let Some((next, is_whole)) = self.ahead.pop_front() else {
                break;
            };
            pgrx::check_for_interrupts!();
            let number = *given % self.helpers.len();
            if let Some(helper) = self.helpers.get_mut(number) {
                helper.give((Stored::of(next, self.is_thorough)?, is_whole))?;
            }
            *given += 1;
            self.given += next.bytes;
        }
        let number = *taken % self.helpers.len();
        *taken += 1;
        let done = match self.helpers.get_mut(number) {
            Some(helper) => helper.wait()?,
            None => None,
        };
        self.given = self.given.saturating_sub(piece.bytes);
        done.ok_or_else(|| Error::internal("a chunk was not asked for"))
    }
}
