//! Versions and ranges as bytes, for storage.
//!
//! The forms are chosen once: what one release of the crate wrote, all later ones read.
//!
//! # Versions
//!
//! `[format][key]`, and with build metadata `[build text][build length]` behind it. The format
//! byte is `0x01` without build metadata and `0x81` with it.
//!
//! The key orders like the version: comparing keys byte by byte is comparing by precedence, keys
//! are equal only for equal precedence, and none is the beginning of another. It consists of
//! major, minor and patch, then `0xFF` for a release or else the prerelease identifiers and
//! `0x00`.
//!
//! - A number up to 247 is one byte. A larger one is the byte `247 + n` and then its `n`
//!   bytes, the highest first and not zero.
//! - A numeric identifier is `0x01` and a number or, above 2^64-1, `0x02`, one byte that tells
//!   how many digits follow, and the digits.
//! - An alphanumeric identifier is `0x03`, its text and `0x00`.
//!
//! # Ranges
//!
//! `[format][length][text]`: the format byte is `0x01`, the length a number as in keys, the text
//! the canonical text. If the text is another one when prereleases are included, `[length][text]`
//! for that follows. Equal ranges have equal bytes.

mod key;
mod matcher;
mod range;
mod version;

use std::fmt;

pub use self::key::compare_keys;
pub use self::matcher::Matcher;
pub use self::range::{decode_range, encode_range};
pub use self::version::{compare, decode_version, encode_version, version_key};

/// Bytes that are not the stored form of anything: they were not written by this crate, or they
/// were damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoredError {
    /// The first byte is not that of a known format.
    UnknownFormat,
    /// The bytes end too early.
    Truncated,
    /// The bytes go on behind the end.
    TrailingBytes,
    /// A number is not written in its only form.
    InvalidNumber,
    /// A prerelease or build identifier is not one, or not written in its only form.
    InvalidIdentifier,
    /// A version has more than 256 characters.
    TooLong,
    /// The text is not the canonical text of a range.
    InvalidRange,
}

impl fmt::Display for StoredError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::UnknownFormat => "unknown format of stored bytes",
            Self::Truncated => "stored bytes end too early",
            Self::TrailingBytes => "stored bytes go on behind their end",
            Self::InvalidNumber => "stored number is not canonical",
            Self::InvalidIdentifier => "stored identifier is not canonical",
            Self::TooLong => "stored version is longer than 256 characters",
            Self::InvalidRange => "stored range is not canonical",
        })
    }
}

impl std::error::Error for StoredError {}
