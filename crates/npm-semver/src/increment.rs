//! The version after a version: npm's `inc` and `truncate`.

use std::fmt;
use std::str::FromStr;

use crate::precedence::Identifier;
use crate::scan::{MAX_VERSION_LENGTH, Scanner, is_numeric};
use crate::version::Version;

/// Which release follows a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReleaseKind {
    /// The next major version, or the release of a prerelease of one.
    Major,
    /// The first prerelease of the next major version.
    Premajor,
    /// The next minor version, or the release of a prerelease of one.
    Minor,
    /// The first prerelease of the next minor version.
    Preminor,
    /// The next patch version, or the release of a prerelease.
    Patch,
    /// The first prerelease of the next patch version.
    Prepatch,
    /// The next prerelease; of a release, the first one of the next patch version.
    Prerelease,
    /// The release of a prerelease.
    Release,
}

impl ReleaseKind {
    const ALL: [Self; 8] = [
        Self::Major,
        Self::Premajor,
        Self::Minor,
        Self::Preminor,
        Self::Patch,
        Self::Prepatch,
        Self::Prerelease,
        Self::Release,
    ];

    /// npm's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Major => "major",
            Self::Premajor => "premajor",
            Self::Minor => "minor",
            Self::Preminor => "preminor",
            Self::Patch => "patch",
            Self::Prepatch => "prepatch",
            Self::Prerelease => "prerelease",
            Self::Release => "release",
        }
    }

    fn makes_prerelease(self) -> bool {
        matches!(
            self,
            Self::Premajor | Self::Preminor | Self::Prepatch | Self::Prerelease
        )
    }
}

impl fmt::Display for ReleaseKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for ReleaseKind {
    type Err = IncrementError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut kinds = Self::ALL.into_iter();
        kinds
            .find(|kind| kind.as_str() == text)
            .ok_or(IncrementError::UnknownRelease)
    }
}

/// The number behind a new prerelease identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum IdentifierBase {
    /// Counting starts at 0.
    #[default]
    Zero,
    /// Counting starts at 1.
    One,
    /// No number: the identifier stands alone.
    None,
}

/// Why there is no version after a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IncrementError {
    /// The word is not one of [`ReleaseKind`]'s.
    UnknownRelease,
    /// The identifier is not a valid prerelease.
    InvalidIdentifier,
    /// Without a number behind it there must be an identifier.
    MissingIdentifier,
    /// Without a number behind it the identifier would give the same version.
    SameIdentifier,
    /// There is no release of a version that is none of its prereleases.
    NotPrerelease,
    /// A number would be above 2^64-1.
    NumberTooLarge,
    /// The version would have more than 256 characters.
    TooLong,
}

impl fmt::Display for IncrementError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::UnknownRelease => "unknown kind of release",
            Self::InvalidIdentifier => "invalid prerelease identifier",
            Self::MissingIdentifier => "missing prerelease identifier",
            Self::SameIdentifier => "version has that prerelease identifier already",
            Self::NotPrerelease => "version is not a prerelease",
            Self::NumberTooLarge => "next number is larger than 18446744073709551615",
            Self::TooLong => "next version is longer than 256 characters",
        })
    }
}

impl std::error::Error for IncrementError {}

impl Version {
    /// The next version of the kind: npm's `inc`. Build metadata is dropped.
    ///
    /// The identifier names the prerelease, where the kind makes one; an empty one counts as none.
    ///
    /// ```
    /// use npm_semver::{ReleaseKind, Version};
    ///
    /// let version = Version::new(1, 2, 3);
    /// assert_eq!(version.increment(ReleaseKind::Minor, None)?.to_string(), "1.3.0");
    /// let beta = version.increment(ReleaseKind::Premajor, Some("beta"))?;
    /// assert_eq!(beta.to_string(), "2.0.0-beta.0");
    /// assert_eq!(beta.increment(ReleaseKind::Prerelease, None)?.to_string(), "2.0.0-beta.1");
    /// # Ok::<(), npm_semver::IncrementError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// An [`IncrementError`] tells why there is no such version.
    pub fn increment(
        &self,
        kind: ReleaseKind,
        identifier: Option<&str>,
    ) -> Result<Self, IncrementError> {
        self.increment_with(kind, identifier, IdentifierBase::Zero)
    }

    /// The next version of the kind, with the number behind a new identifier chosen.
    ///
    /// # Errors
    ///
    /// An [`IncrementError`] tells why there is no such version.
    pub fn increment_with(
        &self,
        kind: ReleaseKind,
        identifier: Option<&str>,
        base: IdentifierBase,
    ) -> Result<Self, IncrementError> {
        let identifier = identifier.filter(|text| !text.is_empty());
        if kind.makes_prerelease() {
            check_identifier(identifier, base)?;
        }
        let (major, minor, patch) = self.numbers();
        let is_prerelease = self.is_prerelease();
        let first =
            |release: Self| Ok(release.with_prerelease(&first_prerelease(identifier, base)));
        let version = match kind {
            ReleaseKind::Premajor => first(Self::new(next(major)?, 0, 0)),
            ReleaseKind::Preminor => first(Self::new(major, next(minor)?, 0)),
            ReleaseKind::Prepatch => first(Self::new(major, minor, next(patch)?)),
            ReleaseKind::Prerelease if !is_prerelease => {
                first(Self::new(major, minor, next(patch)?))
            }
            ReleaseKind::Prerelease => next_prerelease(self.prerelease(), identifier, base)
                .map(|prerelease| Self::new(major, minor, patch).with_prerelease(&prerelease)),
            ReleaseKind::Release if !is_prerelease => Err(IncrementError::NotPrerelease),
            ReleaseKind::Major if !is_prerelease || (minor, patch) != (0, 0) => {
                Ok(Self::new(next(major)?, 0, 0))
            }
            ReleaseKind::Minor if !is_prerelease || patch != 0 => {
                Ok(Self::new(major, next(minor)?, 0))
            }
            ReleaseKind::Patch if !is_prerelease => Ok(Self::new(major, minor, next(patch)?)),
            // A prerelease of what is wanted is followed by its release.
            _ => Ok(Self::new(major, minor, patch)),
        }?;
        if version.text_length() > MAX_VERSION_LENGTH {
            return Err(IncrementError::TooLong);
        }
        Ok(version)
    }

    /// Sets everything below the kind to zero: npm's `truncate`. Build metadata is dropped;
    /// the kinds of prerelease change nothing else, and [`ReleaseKind::Release`] gives `None`.
    ///
    /// ```
    /// use npm_semver::{ReleaseKind, Version};
    ///
    /// let version = Version::parse("4.5.6-rc.2").unwrap();
    /// assert_eq!(version.truncate(ReleaseKind::Minor), Some(Version::new(4, 5, 0)));
    /// ```
    #[must_use]
    pub fn truncate(&self, kind: ReleaseKind) -> Option<Self> {
        let (major, minor, patch) = self.numbers();
        match kind {
            ReleaseKind::Major => Some(Self::new(major, 0, 0)),
            ReleaseKind::Minor => Some(Self::new(major, minor, 0)),
            ReleaseKind::Patch => Some(Self::new(major, minor, patch)),
            ReleaseKind::Release => None,
            _ => Some(self.without_build()),
        }
    }
}

fn next(number: u64) -> Result<u64, IncrementError> {
    number.checked_add(1).ok_or(IncrementError::NumberTooLarge)
}

fn check_identifier(identifier: Option<&str>, base: IdentifierBase) -> Result<(), IncrementError> {
    let Some(identifier) = identifier else {
        return if base == IdentifierBase::None {
            Err(IncrementError::MissingIdentifier)
        } else {
            Ok(())
        };
    };
    let mut scanner = Scanner::new(identifier, 0);
    if scanner.prerelease().is_ok() && scanner.is_at_end() {
        Ok(())
    } else {
        Err(IncrementError::InvalidIdentifier)
    }
}

fn base_digit(base: IdentifierBase) -> &'static str {
    match base {
        IdentifierBase::One => "1",
        IdentifierBase::Zero | IdentifierBase::None => "0",
    }
}

fn first_prerelease(identifier: Option<&str>, base: IdentifierBase) -> String {
    match identifier {
        None => base_digit(base).to_owned(),
        Some(identifier) if base == IdentifierBase::None => identifier.to_owned(),
        Some(identifier) => [identifier, ".", base_digit(base)].concat(),
    }
}

/// Counts the last number up, or appends one; a prerelease of another name starts afresh.
fn next_prerelease(
    prerelease: &str,
    identifier: Option<&str>,
    base: IdentifierBase,
) -> Result<String, IncrementError> {
    let mut parts: Vec<String> = prerelease.split('.').map(str::to_owned).collect();
    if let Some(number) = parts.iter_mut().rfind(|part| is_numeric(part)) {
        *number = increment_digits(number);
    } else {
        if base == IdentifierBase::None && identifier == Some(prerelease) {
            return Err(IncrementError::SameIdentifier);
        }
        parts.push(base_digit(base).to_owned());
    }
    let counted = parts.join(".");
    Ok(match identifier {
        Some(identifier) if !counts_under(&counted, identifier) => {
            first_prerelease(Some(identifier), base)
        }
        _ => counted,
    })
}

/// Whether the prerelease starts with the identifier and has what JavaScript takes for a number
/// behind it.
fn counts_under(prerelease: &str, identifier: &str) -> bool {
    let mut parts = Identifier::split(prerelease);
    Identifier::split(identifier).all(|part| parts.next() == Some(part))
        && parts
            .next()
            .is_some_and(|part| is_javascript_number(part.as_str()))
}

/// Whether JavaScript's `Number` reads the identifier as anything but `NaN`.
fn is_javascript_number(text: &str) -> bool {
    let radix_digits = |digits: &str, radix| {
        !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))
    };
    if let Some((prefix, digits)) = text.split_at_checked(2) {
        match prefix {
            "0x" | "0X" => return radix_digits(digits, 16),
            "0o" | "0O" => return radix_digits(digits, 8),
            "0b" | "0B" => return radix_digits(digits, 2),
            _ => {}
        }
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if unsigned == "Infinity" {
        return true;
    }
    match unsigned.split_once(['e', 'E']) {
        None => is_numeric(unsigned),
        Some((digits, exponent)) => {
            is_numeric(digits) && is_numeric(exponent.strip_prefix('-').unwrap_or(exponent))
        }
    }
}

/// Adds one to a decimal number of any size.
fn increment_digits(digits: &str) -> String {
    let kept = digits.trim_end_matches('9');
    let zeros = "0".repeat(digits.len() - kept.len());
    let (head, last) = kept.split_at(kept.len().saturating_sub(1));
    let increased = match last.as_bytes() {
        [digit] => char::from(digit + 1),
        _ => '1',
    };
    format!("{head}{increased}{zeros}")
}
