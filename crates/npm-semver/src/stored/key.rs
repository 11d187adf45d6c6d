//! The key of a version: bytes that order as versions do.

use std::cmp::Ordering;

use crate::precedence::Identifier;
use crate::scan::is_identifier_byte;
use crate::stored::StoredError;
use crate::version::Version;

/// The largest number that is its own byte; larger ones are told by how many bytes they have.
const LARGEST_BYTE: u8 = 247;
const RELEASE: u8 = 0xff;
const END_OF_PRERELEASE: u8 = 0x00;
const NUMERIC: u8 = 0x01;
const LARGE_NUMERIC: u8 = 0x02;
const ALPHANUMERIC: u8 = 0x03;
const END_OF_ALPHANUMERIC: u8 = 0x00;

/// Compares the keys of two versions: the order of the versions.
#[must_use]
pub fn compare_keys(left: &[u8], right: &[u8]) -> Ordering {
    left.cmp(right)
}

/// Appends the key of the version.
pub(super) fn push_key(bytes: &mut Vec<u8>, version: &Version) {
    push_number(bytes, version.major());
    push_number(bytes, version.minor());
    push_number(bytes, version.patch());
    if !version.is_prerelease() {
        bytes.push(RELEASE);
        return;
    }
    for identifier in version.prerelease_identifiers() {
        match identifier {
            Identifier::Numeric(digits) => match digits.parse() {
                Ok(number) => {
                    bytes.push(NUMERIC);
                    push_number(bytes, number);
                }
                Err(_) => {
                    bytes.push(LARGE_NUMERIC);
                    // A version has at most 256 characters, six of them outside the prerelease.
                    bytes.push(u8::try_from(digits.len()).unwrap_or(u8::MAX));
                    bytes.extend_from_slice(digits.as_bytes());
                }
            },
            Identifier::Alphanumeric(text) => {
                bytes.push(ALPHANUMERIC);
                bytes.extend_from_slice(text.as_bytes());
                bytes.push(END_OF_ALPHANUMERIC);
            }
        }
    }
    bytes.push(END_OF_PRERELEASE);
}

/// Appends a number.
pub(super) fn push_number(bytes: &mut Vec<u8>, number: u64) {
    if let Some(byte) = small(number) {
        bytes.push(byte);
        return;
    }
    let all = number.to_be_bytes();
    let count = all.len() - number.leading_zeros() as usize / 8;
    let significant = all.get(all.len() - count..).unwrap_or_default();
    bytes.push(LARGEST_BYTE.saturating_add(u8::try_from(count).unwrap_or(8)));
    bytes.extend_from_slice(significant);
}

fn small(number: u64) -> Option<u8> {
    u8::try_from(number)
        .ok()
        .filter(|&byte| byte <= LARGEST_BYTE)
}

/// How many bytes of the key are major, minor and patch, and whether a prerelease follows.
/// `None` when the bytes are no key.
pub(super) fn numbers_length(key: &[u8]) -> Option<(usize, bool)> {
    let mut length = 0;
    for _ in 0..3 {
        let first = *key.get(length)?;
        length += 1 + usize::from(first.saturating_sub(LARGEST_BYTE));
    }
    Some((length, *key.get(length)? != RELEASE))
}

/// Reads bytes from the front.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, StoredError> {
        let (&first, rest) = self.bytes.split_first().ok_or(StoredError::Truncated)?;
        self.bytes = rest;
        Ok(first)
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], StoredError> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(length)
            .ok_or(StoredError::Truncated)?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(super) fn number(&mut self) -> Result<u64, StoredError> {
        let first = self.byte()?;
        if first <= LARGEST_BYTE {
            return Ok(u64::from(first));
        }
        let bytes = self.take(usize::from(first - LARGEST_BYTE))?;
        let number = bytes
            .iter()
            .fold(0, |number: u64, &byte| number << 8 | u64::from(byte));
        let is_shortest = bytes.first() != Some(&0) && small(number).is_none();
        is_shortest
            .then_some(number)
            .ok_or(StoredError::InvalidNumber)
    }

    /// Reads a key to its end.
    pub(super) fn version(&mut self) -> Result<Version, StoredError> {
        let version = Version::new(self.number()?, self.number()?, self.number()?);
        let mut prerelease = String::new();
        loop {
            match self.byte()? {
                RELEASE if prerelease.is_empty() => return Ok(version),
                END_OF_PRERELEASE if !prerelease.is_empty() => {
                    return Ok(version.with_prerelease(&prerelease));
                }
                tag => {
                    if !prerelease.is_empty() {
                        prerelease.push('.');
                    }
                    self.identifier(tag, &mut prerelease)?;
                }
            }
        }
    }

    fn identifier(&mut self, tag: u8, text: &mut String) -> Result<(), StoredError> {
        match tag {
            NUMERIC => text.push_str(&self.number()?.to_string()),
            LARGE_NUMERIC => {
                let length = self.byte()?;
                let digits = self.take(usize::from(length))?;
                text.push_str(large_numeric(digits).ok_or(StoredError::InvalidIdentifier)?);
            }
            ALPHANUMERIC => {
                let length = (self.bytes.iter())
                    .position(|&byte| byte == END_OF_ALPHANUMERIC)
                    .ok_or(StoredError::Truncated)?;
                let word = self.take(length)?;
                self.byte()?;
                text.push_str(alphanumeric(word).ok_or(StoredError::InvalidIdentifier)?);
            }
            _ => return Err(StoredError::InvalidIdentifier),
        }
        Ok(())
    }
}

/// The digits of a number that does not fit in 64 bits.
fn large_numeric(digits: &[u8]) -> Option<&str> {
    let is_canonical = digits.iter().all(u8::is_ascii_digit) && digits.first() != Some(&b'0');
    let text = std::str::from_utf8(digits).ok()?;
    (is_canonical && !text.is_empty() && text.parse::<u64>().is_err()).then_some(text)
}

fn alphanumeric(word: &[u8]) -> Option<&str> {
    let is_valid =
        word.iter().all(|&byte| is_identifier_byte(byte)) && !word.iter().all(u8::is_ascii_digit);
    is_valid.then(|| std::str::from_utf8(word).ok()).flatten()
}
