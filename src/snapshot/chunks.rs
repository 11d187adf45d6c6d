//! Puts chunks into the store and takes them out, provably the same.

use versioning_core::snapshot::chunker::Chunker;
use versioning_core::snapshot::hash::Hash;
use versioning_core::snapshot::manifest::Piece;

use crate::error::{Error, Result};
use crate::pg::memory::Scratch;
use crate::snapshot::store;

/// The fastest level: the store is written once per upgrade, and mostly never read.
const ZSTD_LEVEL: i32 = 1;

/// Stores the chunk where it isn't stored yet, and returns its pieces and the bytes added.
///
/// # Errors
/// XX000 when compressing fails.
pub fn put(chunk: &Chunker) -> Result<(Vec<Piece>, u64)> {
    let mut pieces = Vec::new();
    let mut added = 0;
    for (bytes, rows) in chunk.pieces() {
        let hash = Hash::of(bytes);
        added += put_piece(&hash, bytes)?;
        pieces.push(Piece {
            hash: hash.to_string(),
            bytes: bytes.len() as u64,
            rows: rows as u64,
        });
    }
    Ok((pieces, added))
}

fn put_piece(hash: &Hash, bytes: &[u8]) -> Result<u64> {
    loop {
        pgrx::check_for_interrupts!();
        if store::hold_piece(hash)? {
            return Ok(0);
        }
        let content = zstd::bulk::compress(bytes, ZSTD_LEVEL).map_err(|error| {
            Error::internal(format!("a chunk could not be compressed: {error}"))
        })?;
        let (stored, raw) = (
            content.len() as u64,
            i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        );
        if store::insert_piece(hash, raw, content)? {
            return Ok(stored);
        }
    }
}

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
        match Scratch::new().with(|| fetch_piece(piece))? {
            Ok(part) if bytes.is_empty() => bytes = part,
            Ok(part) => bytes.extend_from_slice(&part),
            Err(damage) => return Ok(Err(damage)),
        }
    }
    Ok(Ok(bytes))
}

fn fetch_piece(piece: &Piece) -> Result<Fetched> {
    let Some(hash) = Hash::from_hex(&piece.hash) else {
        return Ok(Err(format!("\"{}\" is no hash", piece.hash)));
    };
    let Some(stored) = store::piece(&hash)? else {
        return Ok(Err(format!("chunk {hash} is missing")));
    };
    if stored.codec != store::ZSTD {
        return Ok(Err(format!(
            "chunk {hash} is stored with the unknown codec {}",
            stored.codec
        )));
    }
    // The manifest was checked to ask for no more than a piece may have.
    let size = usize::try_from(piece.bytes).unwrap_or(0);
    Ok(match zstd::bulk::decompress(&stored.content, size) {
        Ok(bytes) if bytes.len() == size && Hash::of(&bytes) == hash => Ok(bytes),
        Ok(_) => Err(format!("chunk {hash} has other bytes than were written")),
        Err(error) => Err(format!("chunk {hash} can't be decompressed: {error}")),
    })
}
