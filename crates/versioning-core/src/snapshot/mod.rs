//! The snapshot format, version 1, without a database: rows to bytes, bytes to chunks, chunks to hashes.
//!
//! A table's rows are written one after the other in PostgreSQL's COPY BINARY tuple format ([`row`]),
//! cut into chunks at rows chosen by content ([`chunker`]), and described by the manifest ([`manifest`]),
//! whose hash is the snapshot's root hash. [`difference`] tells which rows two sets of chunks don't share.

pub mod chunker;
pub mod difference;
pub mod hash;
pub mod manifest;
pub mod row;
