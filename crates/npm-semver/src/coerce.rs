//! Reading untidy text: npm's `coerce` and `clean`.

use crate::scan::{Scanner, is_blank};
use crate::version::Version;

/// npm's coercion reads at most this many digits of a number…
const MAX_DIGITS: usize = 16;
/// …and refuses what JavaScript cannot count.
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// Finds the first thing in a text that can be taken for a version: npm's `coerce`.
///
/// Up to three numbers count, and nothing else. Unlike everywhere else the limit of a number is
/// npm's 2^53-1 here, because it decides what npm finds.
///
/// ```
/// use npm_semver::{Version, coerce};
///
/// assert_eq!(coerce("v3.4 replaces v3.3.1"), Some(Version::new(3, 4, 0)));
/// assert_eq!(coerce("version one"), None);
/// ```
#[must_use]
pub fn coerce(text: &str) -> Option<Version> {
    let mut scanner = Scanner::new(text, 0);
    while !scanner.is_at_end() {
        scanner.skip_to(|byte| byte.is_ascii_digit());
        let digits = scanner.run(|byte| byte.is_ascii_digit());
        if (1..=MAX_DIGITS).contains(&digits.len()) {
            let minor = further_digits(&mut scanner);
            let patch = minor.and_then(|_| further_digits(&mut scanner));
            let number = |digits: Option<&str>| coerced_number(digits.unwrap_or("0"));
            return Some(Version::new(
                coerced_number(digits)?,
                number(minor)?,
                number(patch)?,
            ));
        }
    }
    None
}

fn further_digits<'a>(scanner: &mut Scanner<'a>) -> Option<&'a str> {
    if !scanner.eat(b'.') {
        return None;
    }
    let digits = scanner.run(|byte| byte.is_ascii_digit());
    (1..=MAX_DIGITS).contains(&digits.len()).then_some(digits)
}

fn coerced_number(digits: &str) -> Option<u64> {
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    digits.parse().ok().filter(|&number| number <= MAX_NUMBER)
}

/// Reads a version behind blanks, `=` and `v`: npm's `clean`, but build metadata is kept.
///
/// ```
/// use npm_semver::{Version, clean};
///
/// assert_eq!(clean("  =v1.2.3 "), Some(Version::new(1, 2, 3)));
/// assert_eq!(clean(">1.2.3"), None);
/// ```
#[must_use]
pub fn clean(text: &str) -> Option<Version> {
    let trimmed = text.trim_matches(is_blank);
    Version::parse(trimmed.trim_start_matches(['=', 'v'])).ok()
}
