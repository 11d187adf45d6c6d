//! Versions as bytes.

use std::cmp::Ordering;

use super::StoredError;
use super::key::{Reader, compare_keys, push_key};
use crate::scan::{MAX_VERSION_LENGTH, Scanner};
use crate::version::Version;

const PLAIN: u8 = 0x01;
const WITH_BUILD: u8 = 0x81;

/// The stored form of a version.
///
/// ```
/// use npm_semver::{Version, stored};
///
/// let version = Version::parse("1.2.3-rc.1+sha").unwrap();
/// let bytes = stored::encode_version(&version);
/// assert_eq!(bytes, b"\x81\x01\x02\x03\x03rc\0\x01\x01\0sha\x03");
/// assert_eq!(stored::decode_version(&bytes).unwrap().to_string(), "1.2.3-rc.1+sha");
/// ```
#[must_use]
pub fn encode_version(version: &Version) -> Vec<u8> {
    let build = version.build();
    let mut bytes = Vec::with_capacity(8 + version.prerelease().len() + build.len());
    bytes.push(if build.is_empty() { PLAIN } else { WITH_BUILD });
    push_key(&mut bytes, version);
    if !build.is_empty() {
        bytes.extend_from_slice(build.as_bytes());
        // A version has at most 256 characters, six of them outside the build metadata.
        bytes.push(u8::try_from(build.len()).unwrap_or(u8::MAX));
    }
    bytes
}

/// The version of a stored form. Exactly the bytes that [`encode_version`] returns are accepted.
///
/// # Errors
///
/// A [`StoredError`] for all other bytes.
pub fn decode_version(bytes: &[u8]) -> Result<Version, StoredError> {
    let (key, build) = split(bytes)?;
    let mut reader = Reader::new(key);
    let version = reader.version()?;
    if !reader.is_at_end() {
        return Err(StoredError::TrailingBytes);
    }
    let version = match build {
        None => version,
        Some(build) => version.with_build(build_text(build)?),
    };
    if version.text_length() > MAX_VERSION_LENGTH {
        return Err(StoredError::TooLong);
    }
    Ok(version)
}

/// The key within a stored version, in constant time: keys compare byte by byte as their versions
/// do. For bytes that are no stored version it is some part of them, perhaps empty.
#[must_use]
pub fn version_key(bytes: &[u8]) -> &[u8] {
    split(bytes).map_or(&[], |(key, _)| key)
}

/// Compares two stored versions by precedence, whatever their build metadata.
#[must_use]
pub fn compare(left: &[u8], right: &[u8]) -> Ordering {
    compare_keys(version_key(left), version_key(right))
}

/// The key and the build metadata, not yet looked at.
fn split(bytes: &[u8]) -> Result<(&[u8], Option<&[u8]>), StoredError> {
    match bytes.split_first() {
        None => Err(StoredError::Truncated),
        Some((&PLAIN, key)) => Ok((key, None)),
        Some((&WITH_BUILD, rest)) => {
            let (&length, rest) = rest.split_last().ok_or(StoredError::Truncated)?;
            let start = (rest.len())
                .checked_sub(usize::from(length))
                .ok_or(StoredError::Truncated)?;
            let (key, build) = rest.split_at_checked(start).ok_or(StoredError::Truncated)?;
            Ok((key, Some(build)))
        }
        Some(_) => Err(StoredError::UnknownFormat),
    }
}

fn build_text(bytes: &[u8]) -> Result<&str, StoredError> {
    let text = std::str::from_utf8(bytes).map_err(|_| StoredError::InvalidIdentifier)?;
    let mut scanner = Scanner::new(text, 0);
    match scanner.build() {
        Ok(build) if scanner.is_at_end() => Ok(build),
        _ => Err(StoredError::InvalidIdentifier),
    }
}
