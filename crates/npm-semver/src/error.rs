//! What can be wrong with the text of a version or a range, and where.

use std::fmt;

/// The kind of text that was being read when a [`ParseError`] arose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A single version, such as `1.2.3-rc.1`.
    Version,
    /// A range, such as `^1.2.3 || >=3`.
    Range,
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Version => "version",
            Self::Range => "range",
        })
    }
}

/// Why a text is not a version or not a range.
///
/// Its `Display` is one short lower-case phrase that ends with the position and never repeats
/// the input:
///
/// ```
/// use npm_semver::Version;
///
/// let error = Version::parse("1.2.x").unwrap_err();
/// assert_eq!(error.to_string(), "expected a digit at position 4");
/// assert_eq!(error.position(), 4);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParseError {
    subject: Subject,
    problem: Problem,
    position: usize,
}

impl ParseError {
    pub(crate) fn new(subject: Subject, fault: Fault) -> Self {
        Self {
            subject,
            problem: fault.problem,
            position: fault.position,
        }
    }

    /// Whether a version or a range was being read.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// What is wrong, without the position.
    #[must_use]
    pub fn problem(&self) -> Problem {
        self.problem
    }

    /// Where it is wrong: a byte offset into the text that was given, at most its length.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at position {}", self.problem, self.position)
    }
}

impl std::error::Error for ParseError {}

/// What is wrong with a text, as told by [`ParseError::problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// A version has more than 256 characters.
    TooLong,
    /// A number should start here.
    ExpectedDigit,
    /// A dot should stand between two numbers here.
    ExpectedDot,
    /// A prerelease or build identifier should start here.
    ExpectedIdentifier,
    /// A number, or `x`, `X` or `*`, should start here.
    ExpectedNumberOrWildcard,
    /// A numeric identifier starts with a zero although it has more digits.
    LeadingZero,
    /// A number, or the bound that follows from it, is above 2^64-1.
    NumberTooLarge,
    /// A number stands behind a wildcard, as in `1.x.5`.
    NumberAfterWildcard,
    /// A complete version behind an operator allows a single `v` before it and nothing else.
    UnexpectedPrefix,
    /// A character that cannot stand here.
    UnexpectedCharacter(char),
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLong => "version is longer than 256 characters",
            Self::ExpectedDigit => "expected a digit",
            Self::ExpectedDot => "expected a dot",
            Self::ExpectedIdentifier => "expected a letter, digit or hyphen",
            Self::ExpectedNumberOrWildcard => "expected a number or a wildcard",
            Self::LeadingZero => "number has a leading zero",
            Self::NumberTooLarge => "number is larger than 18446744073709551615",
            Self::NumberAfterWildcard => "number after a wildcard",
            Self::UnexpectedPrefix => "unexpected prefix before a complete version",
            Self::UnexpectedCharacter(character) => {
                return write!(formatter, "unexpected character {character:?}");
            }
        })
    }
}

/// A problem at a position, before it is known which text it belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) problem: Problem,
    pub(crate) position: usize,
}

impl Fault {
    pub(crate) fn new(problem: Problem, position: usize) -> Self {
        Self { problem, position }
    }
}
