//! SQL of the chunks: putting them in, taking them out, freeing them.
//!
//! A chunk lives as long as a row of `snapshot_chunks` refers to it. Whoever refers to a chunk that is
//! there already first locks its row FOR KEY SHARE; whoever frees chunks locks them FOR UPDATE SKIP
//! LOCKED and looks again before deleting. So neither waits long for the other, and no chunk is freed
//! while a concurrent snapshot is about to use it.

use versioning_core::snapshot::hash::Hash;

use crate::error::Result;
use crate::pg::identity::as_extension_owner;
use crate::pg::query;

/// A stored piece of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPiece {
    /// How the bytes are stored; 1 is zstd.
    pub codec: i16,
    /// How many bytes they are uncompressed.
    pub raw_size: i64,
    /// The stored bytes.
    pub content: Vec<u8>,
    /// Their SHA-256 as it was when they were stored.
    pub content_hash: Vec<u8>,
}

impl StoredPiece {
    /// Whether the stored bytes are what they were.
    pub fn is_as_stored(&self) -> bool {
        self.content_hash == Hash::of(&self.content).0
    }
}

/// The only codec there is: zstd.
pub const ZSTD: i16 = 1;

/// Whether the piece is in the store; if it is, it stays there until this transaction ends.
///
/// # Errors
/// None of its own.
pub fn hold_piece(hash: &Hash) -> Result<bool> {
    as_extension_owner(|| {
        let found = query::first(
            "SELECT true FROM module_versioning_data.chunks c WHERE c.hash = $1 FOR KEY SHARE",
            &[hash.0.to_vec().into()],
            |row| row.get::<bool>(1),
        )?;
        Ok(found.is_some())
    })
}

/// Adds a piece; false when somebody else has added it meanwhile.
///
/// # Errors
/// None of its own.
pub fn insert_piece(hash: &Hash, piece: &StoredPiece) -> Result<bool> {
    as_extension_owner(|| {
        let inserted = query::run(
            "INSERT INTO module_versioning_data.chunks (hash, codec, raw_size, content, content_hash)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (hash) DO NOTHING",
            &[
                hash.0.to_vec().into(),
                piece.codec.into(),
                piece.raw_size.into(),
                piece.content.clone().into(),
                piece.content_hash.clone().into(),
            ],
        )?;
        Ok(inserted > 0)
    })
}

/// Puts right a piece that is damaged.
///
/// # Errors
/// None of its own.
pub fn replace_piece(hash: &Hash, piece: &StoredPiece) -> Result<()> {
    as_extension_owner(|| {
        query::run(
            "UPDATE module_versioning_data.chunks c SET codec = $2, raw_size = $3, content = $4, content_hash = $5
             WHERE c.hash = $1",
            &[
                hash.0.to_vec().into(),
                piece.codec.into(),
                piece.raw_size.into(),
                piece.content.clone().into(),
                piece.content_hash.clone().into(),
            ],
        )?;
        Ok(())
    })
}

/// A stored piece.
///
/// # Errors
/// None of its own.
pub fn piece(hash: &Hash) -> Result<Option<StoredPiece>> {
    as_extension_owner(|| {
        query::first(
            "SELECT c.codec, c.raw_size, c.content, c.content_hash FROM module_versioning_data.chunks c WHERE c.hash = $1",
            &[hash.0.to_vec().into()],
            |row| {
                Ok(StoredPiece {
                    codec: row.get(1)?,
                    raw_size: row.get(2)?,
                    content: row.get(3)?,
                    content_hash: row.get(4)?,
                })
            },
        )
    })
}

/// Deletes the chunks that nothing refers to and returns their stored bytes.
///
/// # Errors
/// None of its own.
pub fn free_chunks() -> Result<i64> {
    const UNUSED: &str = "NOT EXISTS (SELECT FROM module_versioning_data.snapshot_chunks r
                                      WHERE r.chunk_hash = c.hash)";
    as_extension_owner(|| {
        let locked: Vec<Vec<u8>> = query::rows(
            &format!(
                "SELECT c.hash FROM module_versioning_data.chunks c WHERE {UNUSED}
                 ORDER BY c.hash FOR UPDATE OF c SKIP LOCKED"
            ),
            &[],
            |row| row.get(1),
        )?;
        // A second statement, so that it sees references that were committed before the lock was had.
        query::one(
            &format!(
                "WITH freed AS (
                     DELETE FROM module_versioning_data.chunks c
                     WHERE c.hash = ANY ($1) AND {UNUSED}
                     RETURNING pg_catalog.octet_length(c.content)::bigint AS bytes)
                 SELECT coalesce(pg_catalog.sum(f.bytes), 0)::bigint FROM freed f"
            ),
            &[locked.into()],
            |row| row.get(1),
        )
    })
}
