//! The snapshot format, version 1, without a database: rows to bytes, bytes to chunks, chunks to hashes.
//!
//! A table's rows are written one after the other in PostgreSQL's COPY BINARY tuple format ([`row`]),
//! cut into chunks at rows chosen by content ([`chunker`]), and described by the manifest ([`manifest`]),
//! whose hash is the snapshot's root hash. [`difference`] and [`matching`] tell which chunks and rows two
//! tables don't share.

pub mod chunker;
pub mod copy_file;
pub mod difference;
pub mod export;
pub mod hash;
pub mod manifest;
pub mod matching;
pub mod row;
