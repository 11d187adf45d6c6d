//! Ranges as bytes.

use super::StoredError;
use super::key::{Reader, push_number};
use crate::range::{Comparator, ComparatorSet, Operator, Prerelease, Range, Union};
use crate::scan::{MAX_VERSION_LENGTH, Scanner};
use crate::version::Version;

const FORMAT: u8 = 0x01;

/// The stored form of a range, with the bounds of both modes.
///
/// ```
/// use npm_semver::{Range, stored};
///
/// let range = Range::parse("^1.2.3").unwrap();
/// let bytes = stored::encode_range(&range);
/// assert_eq!(bytes, b"\x01\x10>=1.2.3 <2.0.0-0");
/// assert_eq!(stored::decode_range(&bytes), Ok(range));
/// ```
#[must_use]
pub fn encode_range(range: &Range) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    let mut push_text = |union: &Union| {
        let text = union.to_string();
        push_number(&mut bytes, text.len() as u64);
        bytes.extend_from_slice(text.as_bytes());
    };
    push_text(range.union(Prerelease::Exclude));
    if let Some(including) = range.differing_union() {
        push_text(including);
    }
    bytes
}

/// The range of a stored form.
///
/// # Errors
///
/// A [`StoredError`] for bytes that [`encode_range`] does not return.
pub fn decode_range(bytes: &[u8]) -> Result<Range, StoredError> {
    let mut reader = Reader::new(bytes);
    if reader.byte()? != FORMAT {
        return Err(StoredError::UnknownFormat);
    }
    let excluding = read_union(&mut reader)?;
    if reader.is_at_end() {
        return Ok(Range::from_unions(excluding, None));
    }
    let including = read_union(&mut reader)?;
    if !reader.is_at_end() {
        return Err(StoredError::TrailingBytes);
    }
    if including == excluding {
        return Err(StoredError::InvalidRange);
    }
    Ok(Range::from_unions(excluding, Some(including)))
}

fn read_union(reader: &mut Reader<'_>) -> Result<Union, StoredError> {
    let length = usize::try_from(reader.number()?).map_err(|_| StoredError::Truncated)?;
    let text = reader.take(length)?;
    let text = std::str::from_utf8(text).map_err(|_| StoredError::InvalidRange)?;
    read_text(text).ok_or(StoredError::InvalidRange)
}

/// Reads canonical text, in which there is no shorthand. (The parser of ranges would take
/// `>=0.0.0`, which is canonical for `>=v0.0.0`, for `*`.)
fn read_text(text: &str) -> Option<Union> {
    if text.is_empty() {
        return Union::from_simplified(vec![ComparatorSet::default()]);
    }
    let mut scanner = Scanner::new(text, 0);
    let mut sets = Vec::new();
    let mut comparators = Vec::new();
    loop {
        comparators.push(read_comparator(&mut scanner)?);
        if scanner.eat(b' ') {
            continue;
        }
        sets.push(ComparatorSet::new(std::mem::take(&mut comparators)));
        if scanner.is_at_end() {
            break;
        }
        if !(scanner.eat(b'|') && scanner.eat(b'|')) {
            return None;
        }
    }
    Union::from_simplified(sets)
}

fn read_comparator(scanner: &mut Scanner<'_>) -> Option<Comparator> {
    if scanner.peek() == Some(b'=') {
        return None;
    }
    let operator = Operator::scan(scanner);
    let version = Version::scan_canonical(scanner).ok()?;
    let is_canonical = version.build().is_empty() && version.text_length() <= MAX_VERSION_LENGTH;
    is_canonical.then(|| Comparator::new(operator, version))
}
