//! Hashes of live chunks: a helper thread makes them while the table is read.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use versioning_core::snapshot::chunker::{CHUNK_MIN, Chunk};
use versioning_core::snapshot::hash::Hash;
use versioning_core::snapshot::matching::RowHash;

use crate::error::Result;
use crate::pg::helper_thread::HelperThread;
use crate::pg::row_stream::Place;
use crate::snapshot::raw_rows::RawRows;

/// A chunk, where its rows lie, and its hashes.
pub struct Hashed {
    /// The chunk.
    pub chunk: Chunk,
    /// The places of its rows.
    pub places: Vec<Place>,
    /// What was hashed.
    pub hashes: Hashes,
}

/// The hashes of a chunk.
pub struct Hashes {
    /// Of its pieces; none where no chunk is known.
    pub key: Vec<Hash>,
    /// Of its rows; none for a chunk that the snapshot has too.
    pub rows: Vec<RowHash>,
    /// Of its rows' primary keys; none where they don't matter.
    pub keys: Vec<u64>,
}

/// What is known of the snapshot.
pub struct Known {
    /// The chunks it has.
    pub chunks: HashSet<Vec<Hash>>,
    /// How primary keys are found in rows.
    pub raw: Option<Arc<RawRows>>,
}

impl Known {
    fn hash(&self, chunk: &Chunk) -> Hashes {
        let key: Vec<Hash> = if self.chunks.is_empty() {
            Vec::new()
        } else {
            chunk.pieces().map(|(bytes, _)| Hash::of(bytes)).collect()
        };
        let is_known = self.chunks.contains(&key);
        let mut hashes = Hashes {
            key,
            rows: Vec::new(),
            keys: Vec::new(),
        };
        if !is_known {
            hashes.rows = row_hashes(chunk.rows());
            hashes.keys = (self.raw.as_ref()).map_or_else(Vec::new, |raw| raw.keys(chunk.rows()));
        }
        hashes
    }
}

/// The hashes of rows.
pub fn row_hashes<'a>(rows: impl Iterator<Item = &'a [u8]>) -> Vec<RowHash> {
    rows.map(|row| Hash::of(row).half()).collect()
}

/// Takes chunks and gives them back hashed, in the same order.
pub struct Hashing {
    known: Arc<Known>,
    helper: Option<HelperThread<Chunk, (Chunk, Hashes)>>,
    places: VecDeque<Vec<Place>>,
    /// What was hashed without the helper: the only chunk of a small table.
    ready: Option<Hashed>,
    begun: u64,
}

impl Hashing {
    /// One for a table.
    pub fn new(known: Arc<Known>) -> Self {
        Self {
            known,
            helper: None,
            places: VecDeque::new(),
            ready: None,
            begun: 0,
        }
    }

    /// Takes a chunk.
    ///
    /// # Errors
    /// XX000 when the system gives no thread.
    pub fn give(&mut self, chunk: Chunk, places: Vec<Place>) -> Result<()> {
        if self.helper.is_none() && chunk.bytes().len() < CHUNK_MIN {
            let hashes = self.known.hash(&chunk);
            self.ready = Some(Hashed {
                chunk,
                places,
                hashes,
            });
            return Ok(());
        }
        let known = &self.known;
        let helper = match &mut self.helper {
            Some(helper) => helper,
            none => {
                let known = known.clone();
                none.insert(HelperThread::start(move |chunk: Chunk| {
                    let hashes = known.hash(&chunk);
                    (chunk, hashes)
                })?)
            }
        };
        self.begun += chunk.bytes().len() as u64;
        self.places.push_back(places);
        helper.give(chunk)
    }

    /// The next chunk, waiting for it when more than so many bytes are being hashed.
    ///
    /// # Errors
    /// XX000 when the thread has ended. A query cancel is raised.
    pub fn next(&mut self, begun: u64) -> Result<Option<Hashed>> {
        if let Some(ready) = self.ready.take() {
            return Ok(Some(ready));
        }
        let Some(helper) = &mut self.helper else {
            return Ok(None);
        };
        let done = if self.begun > begun {
            helper.wait()?
        } else {
            helper.ready()
        };
        Ok(done.map(|(chunk, hashes)| {
            self.begun = self.begun.saturating_sub(chunk.bytes().len() as u64);
            let places = self.places.pop_front().unwrap_or_default();
            Hashed {
                chunk,
                places,
                hashes,
            }
        }))
    }
}
