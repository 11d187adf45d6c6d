//! Puts chunks into the store. Whatever a snapshot refers to, new or stored by another long ago, is read
//! back and compared with what it should be: a snapshot is intact when it is taken.
//!
//! Hashing, compressing and comparing is done by a helper thread, so that it costs the backend's own
//! thread, which scans the table and writes the chunks, no time.

use std::collections::VecDeque;

use versioning_core::snapshot::chunker::Chunk;
use versioning_core::snapshot::hash::Hash;
use versioning_core::snapshot::manifest::Piece;
use zstd::bulk::{Compressor, Decompressor};

use crate::error::{Error, Result};
use crate::pg::helper_thread::HelperThread;
use crate::pg::memory::Scratch;
use crate::snapshot::chunks::AHEAD_MAX;
use crate::snapshot::store::{self, StoredPiece};

/// The fastest level: the store is written once per upgrade, and mostly never read.
const ZSTD_LEVEL: i32 = 1;

struct Raw {
    hash: Hash,
    bytes: Vec<u8>,
}

/// What the helper thread is to do.
enum Job {
    Hash(Vec<u8>),
    /// Compress; `damaged` when there are other bytes under this hash.
    Compress {
        raw: Raw,
        damaged: bool,
    },
    /// Compare with what is stored.
    Compare(Raw, Option<StoredPiece>),
}

/// What the helper thread has done.
enum Done {
    Hashed(Raw),
    Compressed {
        raw: Raw,
        damaged: bool,
        stored: std::result::Result<StoredPiece, String>,
    },
    Compared(Raw, bool),
}

struct Worker {
    compressor: Compressor<'static>,
    decompressor: Decompressor<'static>,
    readback: Vec<u8>,
}

impl Worker {
    fn work(&mut self, job: Job) -> Done {
        match job {
            Job::Hash(bytes) => Done::Hashed(Raw {
                hash: Hash::of(&bytes),
                bytes,
            }),
            Job::Compress { raw, damaged } => {
                let stored = self.compress(&raw.bytes);
                Done::Compressed {
                    raw,
                    damaged,
                    stored,
                }
            }
            Job::Compare(raw, stored) => {
                let is_same = stored
                    .is_some_and(|stored| stored.is_as_stored() && self.holds(&stored, &raw.bytes));
                Done::Compared(raw, is_same)
            }
        }
    }

    fn compress(&mut self, bytes: &[u8]) -> std::result::Result<StoredPiece, String> {
        let content = self
            .compressor
            .compress(bytes)
            .map_err(|error| error.to_string())?;
        let stored = StoredPiece {
            codec: store::ZSTD,
            raw_size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            content_hash: Hash::of(&content).0.to_vec(),
            content,
        };
        if self.holds(&stored, bytes) {
            Ok(stored)
        } else {
            Err("what was compressed decompresses to something else".to_owned())
        }
    }

    /// Whether these bytes are what is stored.
    fn holds(&mut self, stored: &StoredPiece, bytes: &[u8]) -> bool {
        self.readback.clear();
        self.readback.reserve(bytes.len());
        let is_same = stored.codec == store::ZSTD
            && i64::try_from(bytes.len()) == Ok(stored.raw_size)
            && self
                .decompressor
                .decompress_to_buffer(&stored.content, &mut self.readback)
                .is_ok()
            && self.readback == bytes;
        self.readback.clear();
        self.readback.shrink_to(AHEAD_MAX as usize);
        is_same
    }
}

/// Puts chunks into the store.
pub struct Writer {
    helper: HelperThread<Job, Done>,
    /// Bytes of the pieces that aren't done.
    begun: u64,
    /// Rows of the pieces that aren't hashed.
    rows: VecDeque<usize>,
    pieces: Vec<Piece>,
    /// Bytes added to the store.
    pub added: u64,
}

impl Writer {
    /// One for a snapshot.
    ///
    /// # Errors
    /// XX000 when there is no memory or thread to be had.
    pub fn new() -> Result<Self> {
        let failed = |error| Error::internal(format!("zstd can't be set up: {error}"));
        let mut worker = Worker {
            compressor: Compressor::new(ZSTD_LEVEL).map_err(failed)?,
            decompressor: Decompressor::new().map_err(failed)?,
            readback: Vec::new(),
        };
        Ok(Self {
            helper: HelperThread::start(move |job| worker.work(job))?,
            begun: 0,
            rows: VecDeque::new(),
            pieces: Vec::new(),
            added: 0,
        })
    }

    /// Stores a chunk where it isn't stored yet.
    ///
    /// # Errors
    /// XX000 when compressing fails; XX001 when what was stored reads back as something else.
    pub fn put(&mut self, chunk: Chunk) -> Result<()> {
        for (bytes, rows) in chunk.into_pieces() {
            self.put_piece(bytes, rows)?;
        }
        Ok(())
    }

    /// Stores a piece of a chunk.
    ///
    /// # Errors
    /// As [`Writer::put`].
    pub fn put_piece(&mut self, bytes: Vec<u8>, rows: usize) -> Result<()> {
        self.begun += bytes.len() as u64;
        self.rows.push_back(rows);
        self.helper.give(Job::Hash(bytes))?;
        while let Some(done) = self.helper.ready() {
            self.go_on(done)?;
        }
        self.settle(AHEAD_MAX)
    }

    /// Waits until all is stored, and returns the pieces that were put since the last time.
    ///
    /// # Errors
    /// As [`Writer::put`].
    pub fn finish(&mut self) -> Result<Vec<Piece>> {
        self.settle(0)?;
        Ok(std::mem::take(&mut self.pieces))
    }

    fn settle(&mut self, begun: u64) -> Result<()> {
        while self.begun > begun {
            match self.helper.wait()? {
                Some(done) => self.go_on(done)?,
                None => return Err(Error::internal("a chunk was lost")),
            }
        }
        Ok(())
    }

    fn go_on(&mut self, done: Done) -> Result<()> {
        pgrx::check_for_interrupts!();
        match done {
            Done::Hashed(raw) => {
                self.pieces.push(Piece {
                    hash: raw.hash.to_string(),
                    bytes: raw.bytes.len() as u64,
                    rows: self.rows.pop_front().unwrap_or(0) as u64,
                });
                self.look_up(raw)
            }
            // It was damaged since it was stored; here are the right bytes.
            Done::Compared(raw, false) => self.helper.give(Job::Compress { raw, damaged: true }),
            Done::Compared(raw, true) => self.is_done(&raw),
            Done::Compressed {
                raw,
                damaged,
                stored,
            } => {
                let stored = stored.map_err(|error| {
                    Error::internal(format!("a chunk could not be compressed: {error}"))
                })?;
                self.store(raw, damaged, &stored)
            }
        }
    }

    fn is_done(&mut self, raw: &Raw) -> Result<()> {
        self.begun = self.begun.saturating_sub(raw.bytes.len() as u64);
        Ok(())
    }

    fn look_up(&mut self, raw: Raw) -> Result<()> {
        let job = if store::hold_piece(&raw.hash)? {
            let stored = read_back(&raw.hash)?;
            Job::Compare(raw, stored)
        } else {
            Job::Compress {
                raw,
                damaged: false,
            }
        };
        self.helper.give(job)
    }

    fn store(&mut self, raw: Raw, damaged: bool, stored: &StoredPiece) -> Result<()> {
        if damaged {
            store::replace_piece(&raw.hash, stored)?;
        } else if store::insert_piece(&raw.hash, stored)? {
            self.added += stored.content.len() as u64;
        } else {
            // Somebody else has stored it meanwhile.
            return self.look_up(raw);
        }
        if read_back(&raw.hash)?.as_ref() != Some(stored) {
            return Err(Error::damaged_snapshot(format!(
                "chunk {} reads back as other bytes than were written",
                raw.hash
            ))
            .hint("No snapshot was taken. Look after the server's memory and disks."));
        }
        self.is_done(&raw)
    }
}

fn read_back(hash: &Hash) -> Result<Option<StoredPiece>> {
    Scratch::new().with(|| store::piece(hash))
}

/// Compresses bytes as a zstd frame of its own.
///
/// # Errors
/// XX000 when compressing fails.
pub fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::compress(bytes, ZSTD_LEVEL)
        .map_err(|error| Error::internal(format!("a chunk could not be compressed: {error}")))
}
