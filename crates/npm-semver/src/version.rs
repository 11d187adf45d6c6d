//! [`Version`]: what it consists of, how it is read and printed.

use std::fmt;
use std::str::FromStr;

use crate::error::{Fault, ParseError, Problem, Subject};
use crate::precedence::Identifier;
use crate::scan::{MAX_VERSION_LENGTH, Scanner, is_blank};

/// A semantic version: `major.minor.patch`, then perhaps `-prerelease` and `+build`.
///
/// Two versions are equal, and hash equally, when they have the same precedence, that is,
/// whatever their build metadata. [`Version::cmp_build`] tells those apart too.
///
/// ```
/// use npm_semver::Version;
///
/// let version: Version = " v1.2.3-rc.1+sha.5114f85 ".parse()?;
/// assert_eq!(version.to_string(), "1.2.3-rc.1+sha.5114f85");
/// assert_eq!((version.major(), version.minor(), version.patch()), (1, 2, 3));
/// assert_eq!(version.prerelease(), "rc.1");
/// assert_eq!(version.build(), "sha.5114f85");
/// assert!(version < Version::new(1, 2, 3));
/// # Ok::<(), npm_semver::ParseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    // Dotted identifiers, empty when there are none: a release allocates nothing.
    prerelease: Box<str>,
    build: Box<str>,
}

impl Version {
    /// A release version without build metadata.
    #[must_use]
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self {
            major,
            minor,
            patch,
            prerelease: Box::default(),
            build: Box::default(),
        }
    }

    /// The caller vouches that both texts are valid dotted identifiers or empty.
    pub(crate) fn with_prerelease(self, prerelease: &str) -> Self {
        Self {
            prerelease: prerelease.into(),
            ..self
        }
    }

    /// The caller vouches that the text is valid dotted identifiers or empty.
    pub(crate) fn with_build(self, build: &str) -> Self {
        Self {
            build: build.into(),
            ..self
        }
    }

    /// Reads exactly what npm's strict `parse` accepts: SemVer 2.0.0 of at most 256 characters,
    /// perhaps behind a `v` and between blanks; but with numbers up to 2^64-1.
    ///
    /// # Errors
    ///
    /// A [`ParseError`] tells what is wrong and at which byte of the text.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::scan(text).map_err(|fault| ParseError::new(Subject::Version, fault))
    }

    fn scan(text: &str) -> Result<Self, Fault> {
        check_length(text)?;
        let kept = text.trim_end_matches(is_blank);
        let start = kept.len() - kept.trim_start_matches(is_blank).len();
        let mut scanner = Scanner::new(kept, start);
        scanner.eat(b'v');
        let version = Self::scan_canonical(&mut scanner)?;
        if scanner.is_at_end() {
            Ok(version)
        } else {
            Err(scanner.unexpected(Problem::ExpectedDigit))
        }
    }

    /// Reads a version without blanks and `v`, and stops behind it.
    pub(crate) fn scan_canonical(scanner: &mut Scanner<'_>) -> Result<Self, Fault> {
        let major = scanner.number()?;
        dot(scanner)?;
        let minor = scanner.number()?;
        dot(scanner)?;
        let patch = scanner.number()?;
        let mut version = Self::new(major, minor, patch);
        if scanner.eat(b'-') {
            version = version.with_prerelease(scanner.prerelease()?);
        }
        if scanner.eat(b'+') {
            version = version.with_build(scanner.build()?);
        }
        Ok(version)
    }

    /// The first number.
    #[must_use]
    pub fn major(&self) -> u64 {
        self.major
    }

    /// The second number.
    #[must_use]
    pub fn minor(&self) -> u64 {
        self.minor
    }

    /// The third number.
    #[must_use]
    pub fn patch(&self) -> u64 {
        self.patch
    }

    /// The three numbers.
    pub(crate) fn numbers(&self) -> (u64, u64, u64) {
        (self.major, self.minor, self.patch)
    }

    /// The prerelease identifiers as text, empty for a release.
    #[must_use]
    pub fn prerelease(&self) -> &str {
        &self.prerelease
    }

    /// Whether the version has prerelease identifiers.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    /// The prerelease identifiers one by one, none for a release.
    pub fn prerelease_identifiers(&self) -> impl Iterator<Item = Identifier<'_>> {
        Identifier::split(&self.prerelease)
    }

    /// The build metadata as text, empty when there is none.
    #[must_use]
    pub fn build(&self) -> &str {
        &self.build
    }

    /// The same version without build metadata.
    #[must_use]
    pub fn without_build(&self) -> Self {
        Self {
            build: Box::default(),
            ..self.clone()
        }
    }

    /// How many characters the canonical text has, build metadata included.
    pub(crate) fn text_length(&self) -> usize {
        let suffix = |text: &str| if text.is_empty() { 0 } else { text.len() + 1 };
        let numbers = [self.major, self.minor, self.patch].map(digit_count);
        numbers.iter().sum::<usize>() + 2 + suffix(&self.prerelease) + suffix(&self.build)
    }
}

/// npm counts before it trims, in UTF-16 units. Only blanks, all of them a single unit, can be
/// outside ASCII in a valid version, so counting characters comes to the same.
fn check_length(text: &str) -> Result<(), Fault> {
    if text.len() <= MAX_VERSION_LENGTH {
        return Ok(());
    }
    match text.char_indices().nth(MAX_VERSION_LENGTH) {
        Some((position, _)) => Err(Fault::new(Problem::TooLong, position)),
        None => Ok(()),
    }
}

fn dot(scanner: &mut Scanner<'_>) -> Result<(), Fault> {
    if scanner.eat(b'.') {
        Ok(())
    } else {
        Err(scanner.fault(Problem::ExpectedDot))
    }
}

fn digit_count(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

impl FromStr for Version {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(formatter, "-{}", self.prerelease)?;
        }
        if !self.build.is_empty() {
            write!(formatter, "+{}", self.build)?;
        }
        Ok(())
    }
}
