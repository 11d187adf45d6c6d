//! PostgreSQL's own hash functions (`common/hashfn.h`), which pgrx doesn't bind.

use std::ffi::{c_int, c_uchar};

unsafe extern "C" {
    fn hash_bytes(bytes: *const c_uchar, length: c_int) -> u32;
    fn hash_bytes_extended(bytes: *const c_uchar, length: c_int, seed: u64) -> u64;
}

/// The 32-bit hash that hash indexes, joins and aggregates use.
pub fn hash(bytes: &[u8]) -> u32 {
    // SAFETY: reads exactly the bytes of the slice, never raises. A varlena is shorter than 1 GB.
    unsafe { hash_bytes(bytes.as_ptr(), bytes.len() as c_int) }
}

/// The seeded 64-bit hash that hash partitioning uses; its low half with seed 0 is [`hash`].
pub fn hash_extended(bytes: &[u8], seed: u64) -> u64 {
    // SAFETY: as above.
    unsafe { hash_bytes_extended(bytes.as_ptr(), bytes.len() as c_int, seed) }
}
