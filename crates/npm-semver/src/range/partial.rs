//! One word of a range: an operator or shorthand before a version that may be incomplete.

use crate::error::{Fault, Problem};
use crate::range::comparator::Operator;
use crate::scan::{MAX_VERSION_LENGTH, Scanner, parse_number};
use crate::version::Version;

use super::segment::is_prefix;

/// npm reads at most this many digits of a number; longer ones could matter only where their
/// value is not looked at, as in `^x.1`.
const MAX_DIGITS: usize = MAX_VERSION_LENGTH + 1;

/// One of the three numbers of a version in a range.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    /// Not written, or `x`, `X`, `*`: every number.
    Wildcard,
    /// The digits and where they stand. Their value is only looked at when it matters.
    Number(&'a str, usize),
}

impl Part<'_> {
    pub(super) fn is_wildcard(self) -> bool {
        matches!(self, Self::Wildcard)
    }

    pub(super) fn is_zero(self) -> bool {
        matches!(self, Self::Number("0", _))
    }

    /// The number; 0 for a wildcard.
    pub(super) fn value(self) -> Result<u64, Fault> {
        match self {
            Self::Wildcard => Ok(0),
            Self::Number(digits, position) => parse_number(digits, position),
        }
    }

    /// The number after this one.
    pub(super) fn next(self) -> Result<u64, Fault> {
        let position = match self {
            Self::Wildcard => 0,
            Self::Number(_, position) => position,
        };
        self.value()?
            .checked_add(1)
            .ok_or(Fault::new(Problem::NumberTooLarge, position))
    }
}

/// A version in a range: `1.2.3-a`, but also `1.2`, `1.x` or `*`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Partial<'a> {
    pub(super) major: Part<'a>,
    pub(super) minor: Part<'a>,
    pub(super) patch: Part<'a>,
    /// Empty when there is none.
    pub(super) prerelease: &'a str,
    /// Where it starts, behind its prefix.
    pub(super) position: usize,
}

impl<'a> Partial<'a> {
    /// Reads as much as belongs to it; the text behind it is the caller's business.
    pub(super) fn scan(scanner: &mut Scanner<'a>) -> Result<Self, Fault> {
        let mut partial = Self {
            position: scanner.position(),
            major: scan_part(scanner)?,
            minor: Part::Wildcard,
            patch: Part::Wildcard,
            prerelease: "",
        };
        if scanner.eat(b'.') {
            partial.minor = scan_part(scanner)?;
            if scanner.eat(b'.') {
                partial.patch = scan_part(scanner)?;
                if scanner.eat(b'-') {
                    partial.prerelease = scanner.prerelease()?;
                }
            }
        }
        Ok(partial)
    }

    /// Whether all three numbers are given.
    pub(super) fn is_complete(&self) -> bool {
        !(self.major.is_wildcard() || self.minor.is_wildcard() || self.patch.is_wildcard())
    }

    /// Whether a number stands behind a wildcard.
    pub(super) fn has_number_after_wildcard(&self) -> bool {
        (self.major.is_wildcard() && !self.minor.is_wildcard())
            || (self.minor.is_wildcard() && !self.patch.is_wildcard())
    }

    /// The version that a complete one stands for.
    pub(super) fn version(&self) -> Result<Version, Fault> {
        let (major, minor, patch) = (
            self.major.value()?,
            self.minor.value()?,
            self.patch.value()?,
        );
        let version = Version::new(major, minor, patch).with_prerelease(self.prerelease);
        if version.text_length() > MAX_VERSION_LENGTH {
            return Err(Fault::new(Problem::TooLong, self.position));
        }
        Ok(version)
    }
}

fn scan_part<'a>(scanner: &mut Scanner<'a>) -> Result<Part<'a>, Fault> {
    if scanner.eat(b'x') || scanner.eat(b'X') || scanner.eat(b'*') {
        return Ok(Part::Wildcard);
    }
    let position = scanner.position();
    if !scanner.peek().is_some_and(|byte| byte.is_ascii_digit()) {
        return Err(scanner.unexpected(Problem::ExpectedNumberOrWildcard));
    }
    let digits = scanner.digits()?;
    if digits.len() > MAX_DIGITS {
        return Err(Fault::new(Problem::NumberTooLarge, position));
    }
    Ok(Part::Number(digits, position))
}

/// What stands before a version in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shorthand {
    /// `^`: whatever does not change the first number that is not zero.
    Caret,
    /// `~` or `~>`: whatever does not change the minor number.
    Tilde,
    /// An operator, or nothing or `=` for [`Operator::Equal`].
    Operator(Operator),
}

/// A word of a range: `>=v1.2.3`, `~1.2`, `*`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) shorthand: Shorthand,
    /// The `v`s and `=`s between the shorthand and the version.
    pub(super) prefix: &'a str,
    pub(super) partial: Partial<'a>,
}

impl<'a> Word<'a> {
    /// Reads the word up to the next blank.
    pub(super) fn scan(scanner: &mut Scanner<'a>) -> Result<Self, Fault> {
        let shorthand = scan_shorthand(scanner);
        let prefix = scanner.run(|byte| is_prefix(byte) && byte != b' ');
        let word = Self {
            shorthand,
            prefix,
            partial: Partial::scan(scanner)?,
        };
        match scanner.peek() {
            None | Some(b' ') => Ok(word),
            Some(_) => Err(scanner.unexpected(Problem::ExpectedDigit)),
        }
    }
}

fn scan_shorthand(scanner: &mut Scanner<'_>) -> Shorthand {
    if scanner.eat(b'^') {
        return Shorthand::Caret;
    }
    if scanner.eat(b'~') {
        scanner.eat(b'>');
        return Shorthand::Tilde;
    }
    Shorthand::Operator(Operator::scan(scanner))
}
