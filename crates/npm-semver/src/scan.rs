//! Reading text from left to right: the character classes and small words that versions and
//! ranges share. Every function here takes time linear in what it consumes.

use crate::error::{Fault, Problem};

/// The most characters that a version may have, as npm counts them.
pub(crate) const MAX_VERSION_LENGTH: usize = 256;

/// Whether ECMAScript's `\s` and `trim` treat the character as blank.
///
/// Unlike `char::is_whitespace` this has the byte order mark and lacks U+0085.
pub(crate) fn is_blank(character: char) -> bool {
    matches!(
        character,
        '\t'..='\r'
            | ' '
            | '\u{a0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
            | '\u{feff}'
    )
}

/// Whether the byte may stand in a prerelease or build identifier.
pub(crate) fn is_identifier_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// Whether the whole identifier consists of digits (and is not empty).
pub(crate) fn is_numeric(identifier: &str) -> bool {
    !identifier.is_empty() && identifier.bytes().all(|byte| byte.is_ascii_digit())
}

/// A position in a text, moving forwards only.
///
/// It only ever stops before an ASCII byte or where it started, so `at` is always on a character
/// boundary.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// Reads `text` from byte `at` to its end.
    pub(crate) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    /// The byte offset of the next byte.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Steps over the byte if it is the next one; `byte` must be ASCII.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    /// Goes to the next byte of an ASCII class, or to the end.
    pub(crate) fn skip_to(&mut self, class: impl Fn(u8) -> bool) {
        self.run(|byte| !class(byte));
    }

    /// Steps over all next bytes of a class and returns them.
    ///
    /// The byte behind them must be ASCII or the first of a character, whatever the input; for
    /// a class with all or none of the bytes above ASCII it is.
    pub(crate) fn run(&mut self, class: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|&byte| !class(byte))
            .unwrap_or(rest.len());
        self.at = start + length;
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(crate) fn fault(&self, problem: Problem) -> Fault {
        Fault::new(problem, self.at)
    }

    /// The fault of a text that goes on although it should have ended, or that ended too early.
    pub(crate) fn unexpected(&self, otherwise: Problem) -> Fault {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let problem = rest
            .chars()
            .next()
            .map_or(otherwise, Problem::UnexpectedCharacter);
        self.fault(problem)
    }

    /// A numeric identifier: `0`, or digits that start with another one.
    pub(crate) fn digits(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        let digits = self.run(|byte| byte.is_ascii_digit());
        match digits.as_bytes() {
            [] => Err(Fault::new(Problem::ExpectedDigit, start)),
            [b'0', _, ..] => Err(Fault::new(Problem::LeadingZero, start)),
            _ => Ok(digits),
        }
    }

    /// A numeric identifier that fits in 64 bits.
    pub(crate) fn number(&mut self) -> Result<u64, Fault> {
        let start = self.at;
        let digits = self.digits()?;
        parse_number(digits, start)
    }

    /// Prerelease identifiers separated by dots, without the hyphen before them.
    pub(crate) fn prerelease(&mut self) -> Result<&'a str, Fault> {
        self.identifiers(|identifier| {
            identifier.len() > 1 && identifier.starts_with('0') && is_numeric(identifier)
        })
    }

    /// Build identifiers separated by dots, without the plus before them.
    pub(crate) fn build(&mut self) -> Result<&'a str, Fault> {
        self.identifiers(|_| false)
    }

    fn identifiers(&mut self, has_leading_zero: impl Fn(&str) -> bool) -> Result<&'a str, Fault> {
        let start = self.at;
        loop {
            let identifier_start = self.at;
            let identifier = self.run(is_identifier_byte);
            if identifier.is_empty() {
                return Err(self.fault(Problem::ExpectedIdentifier));
            }
            if has_leading_zero(identifier) {
                return Err(Fault::new(Problem::LeadingZero, identifier_start));
            }
            if !self.eat(b'.') {
                return Ok(self.text.get(start..self.at).unwrap_or_default());
            }
        }
    }
}

/// The value of a run of digits found at `position`.
pub(crate) fn parse_number(digits: &str, position: usize) -> Result<u64, Fault> {
    // Adding up digits that are known to be digits is much faster than `str::parse`.
    digits
        .bytes()
        .try_fold(0u64, |number, digit| {
            number
                .checked_mul(10)?
                .checked_add(u64::from(digit.wrapping_sub(b'0')))
        })
        .ok_or(Fault::new(Problem::NumberTooLarge, position))
}
