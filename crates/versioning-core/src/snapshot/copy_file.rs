//! The frame that makes rows a file for `COPY … FROM … (FORMAT binary)`.

/// Signature, no flags, no header extension.
pub const HEADER: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// A field count of -1: the end.
pub const TRAILER: [u8; 2] = [0xff, 0xff];
