//! Versions: what is accepted, printed, ordered, and counted up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use npm_semver::{
    Difference, IdentifierBase, IncrementError, Problem, ReleaseKind, Subject, Version, clean,
    coerce, diff,
};

fn version(text: &str) -> Version {
    Version::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[test]
fn canonical_text_is_printed() {
    for (text, canonical) in [
        ("1.2.3", "1.2.3"),
        ("v1.2.3", "1.2.3"),
        (" \t\r\n1.2.3\u{feff}\u{a0}\u{2028}", "1.2.3"),
        ("1.2.3-0.a.-.01a+001.b", "1.2.3-0.a.-.01a+001.b"),
        ("1.2.3----", "1.2.3----"),
        ("18446744073709551615.0.0", "18446744073709551615.0.0"),
        (
            "1.0.0-99999999999999999999999",
            "1.0.0-99999999999999999999999",
        ),
    ] {
        assert_eq!(version(text).to_string(), canonical);
        assert_eq!(text.parse::<Version>().unwrap(), version(canonical));
    }
}

#[test]
fn errors_tell_what_is_wrong_and_where() {
    for (text, message) in [
        ("", "expected a digit at position 0"),
        ("   ", "expected a digit at position 0"),
        ("x", "expected a digit at position 0"),
        ("v v1.2.3", "expected a digit at position 1"),
        ("V1.2.3", "expected a digit at position 0"),
        ("=1.2.3", "expected a digit at position 0"),
        ("1", "expected a dot at position 1"),
        ("1.2", "expected a dot at position 3"),
        (" 1.2.", "expected a digit at position 5"),
        ("1.2-a", "expected a dot at position 3"),
        ("01.2.3", "number has a leading zero at position 0"),
        ("1.2.03", "number has a leading zero at position 4"),
        ("1.2.3-a.01", "number has a leading zero at position 8"),
        ("1.2.3-", "expected a letter, digit or hyphen at position 6"),
        (
            "1.2.3-a..b",
            "expected a letter, digit or hyphen at position 8",
        ),
        ("1.2.3+", "expected a letter, digit or hyphen at position 6"),
        ("1.2.3+a+b", "unexpected character '+' at position 7"),
        ("1.2.3 4", "unexpected character ' ' at position 5"),
        ("1.2.3é", "unexpected character 'é' at position 5"),
        (
            "1.2.3\u{85}",
            "unexpected character '\\u{85}' at position 5",
        ),
        (
            "18446744073709551616.0.0",
            "number is larger than 18446744073709551615 at position 0",
        ),
    ] {
        let error = Version::parse(text).unwrap_err();
        assert_eq!(error.to_string(), message, "{text:?}");
        assert_eq!(error.subject(), Subject::Version);
    }
}

#[test]
fn at_most_256_characters_are_accepted_blanks_included() {
    let text = |length: usize| format!("1.2.3-{}", "a".repeat(length - 6));
    assert_eq!(version(&text(256)).to_string(), text(256));
    let error = Version::parse(&text(257)).unwrap_err();
    assert_eq!((error.problem(), error.position()), (Problem::TooLong, 256));
    assert!(Version::parse(&format!(" {}", text(256))).is_err());
    // Blanks outside ASCII count once, however many bytes they have.
    let blank = "\u{3000}".repeat(251);
    assert_eq!(version(&format!("{blank}1.2.3")), Version::new(1, 2, 3));
    assert!(Version::parse(&format!("{blank}\u{3000}1.2.3")).is_err());
}

#[test]
fn order_is_precedence() {
    let ascending = [
        "0.0.0-0",
        "0.0.0",
        "0.0.1",
        "0.10.0",
        "1.0.0--",
        "1.0.0-1a",
        "1.0.0-1b",
        "1.0.0-a",
        "1.0.0-a.b",
        "1.0.0-beta",
        "1.0.0",
        "2.0.0-2",
        "2.0.0-10",
        "2.0.0-9007199254740992",
        "2.0.0-9007199254740993",
        "2.0.0-18446744073709551615",
        "2.0.0-18446744073709551616",
        "2.0.0-99999999999999999999",
        "2.0.0-100000000000000000000",
        "2.0.0-100000000000000000000.0",
        "2.0.0-A",
        "18446744073709551615.0.0",
    ];
    let versions: Vec<Version> = ascending.iter().map(|text| version(text)).collect();
    assert!(versions.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn build_metadata_counts_only_where_asked_for() {
    let (one, two) = (version("1.0.0+1"), version("1.0.0+2"));
    assert_eq!(one, two);
    assert_eq!(HashSet::from([one.clone(), two.clone()]).len(), 1);
    assert!(one.cmp_build(&two).is_lt());
    let ascending = [
        "1.0.0",
        "1.0.0+0",
        "1.0.0+1",
        "1.0.0+1.0",
        "1.0.0+01",
        "1.0.0+2",
        "1.0.0+a",
    ];
    let versions: Vec<Version> = ascending.iter().map(|text| version(text)).collect();
    assert!(
        versions
            .windows(2)
            .all(|pair| pair[0].cmp_build(&pair[1]).is_lt())
    );
    assert_eq!(one.without_build().to_string(), "1.0.0");
}

#[test]
fn increments_count_up() {
    for (text, kind, identifier, expected) in [
        ("1.2.3+b", "major", None, "2.0.0"),
        ("1.0.0-1", "major", None, "1.0.0"),
        ("1.2.0-1", "minor", None, "1.2.0"),
        ("1.2.1-1", "minor", None, "1.3.0"),
        ("1.2.3-1", "patch", None, "1.2.3"),
        ("1.2.3", "prerelease", Some(""), "1.2.4-0"),
        ("1.2.3-a.9.b", "prerelease", None, "1.2.3-a.10.b"),
        (
            "1.2.3-a.99999999999999999999",
            "prerelease",
            None,
            "1.2.3-a.100000000000000000000",
        ),
        ("1.2.3-a.1", "prerelease", Some("a"), "1.2.3-a.2"),
        ("1.2.3-a.b", "prerelease", Some("a"), "1.2.3-a.0"),
        // JavaScript takes 1e5 for a number, so npm keeps it.
        ("1.2.3-a.1e5", "prerelease", Some("a"), "1.2.3-a.1e5.0"),
        ("1.2.3-a.1", "prerelease", Some("b.c"), "1.2.3-b.c.0"),
        ("1.2.3-a", "release", None, "1.2.3"),
    ] {
        let next = version(text).increment(kind.parse().unwrap(), identifier);
        assert_eq!(
            next.unwrap().to_string(),
            expected,
            "{text} {kind} {identifier:?}"
        );
    }
}

#[test]
fn impossible_increments_are_refused() {
    let increment = |text: &str, kind, identifier, base| {
        version(text)
            .increment_with(kind, identifier, base)
            .map(|next| next.to_string())
    };
    let zero = IdentifierBase::Zero;
    let kind = ReleaseKind::Prerelease;
    for (result, error) in [
        (
            increment("1.2.3", ReleaseKind::Release, None, zero),
            IncrementError::NotPrerelease,
        ),
        (
            increment("1.2.3", kind, Some("a b"), zero),
            IncrementError::InvalidIdentifier,
        ),
        (
            increment("1.2.3", kind, Some("01"), zero),
            IncrementError::InvalidIdentifier,
        ),
        (
            increment("1.2.3", kind, None, IdentifierBase::None),
            IncrementError::MissingIdentifier,
        ),
        (
            increment("1.2.3-a", kind, Some("a"), IdentifierBase::None),
            IncrementError::SameIdentifier,
        ),
        (
            increment("18446744073709551615.0.0", ReleaseKind::Major, None, zero),
            IncrementError::NumberTooLarge,
        ),
        (
            increment(&format!("1.2.3-{}", "a".repeat(250)), kind, None, zero),
            IncrementError::TooLong,
        ),
    ] {
        assert_eq!(result, Err(error));
    }
    assert_eq!(
        "pre".parse::<ReleaseKind>(),
        Err(IncrementError::UnknownRelease)
    );
    // The identifier does not matter where no prerelease is made.
    assert_eq!(
        increment("1.2.3", ReleaseKind::Major, Some("a b"), zero),
        Ok("2.0.0".to_owned())
    );
}

#[test]
fn differences_do_not_depend_on_the_direction() {
    for (one, two, expected) in [
        ("1.2.3", "1.2.3+b", None),
        ("1.2.3", "2.0.0-a", Some(Difference::Premajor)),
        ("1.0.0-a", "1.0.0", Some(Difference::Major)),
        ("1.1.0-a", "1.1.0", Some(Difference::Minor)),
        ("1.1.1-a", "1.1.1", Some(Difference::Patch)),
        ("1.1.1-a", "1.1.1-b", Some(Difference::Prerelease)),
    ] {
        assert_eq!(diff(&version(one), &version(two)), expected);
        assert_eq!(diff(&version(two), &version(one)), expected);
    }
}

#[test]
fn untidy_text_is_coerced() {
    for (text, expected) in [
        ("", None),
        ("v3.4 replaces 3.3", Some("3.4.0")),
        ("1.2.3.4", Some("1.2.3")),
        ("12345678901234567.2", Some("2.0.0")),
        ("9007199254740991.0", Some("9007199254740991.0.0")),
        ("9007199254740992.0", None),
        ("01.2", None),
        ("é1é", Some("1.0.0")),
    ] {
        assert_eq!(
            coerce(text).map(|version| version.to_string()).as_deref(),
            expected,
            "{text}"
        );
    }
    assert_eq!(clean(" =v1.2.3+b "), Some(Version::new(1, 2, 3)));
    assert_eq!(clean("= 1.2.3"), Some(Version::new(1, 2, 3)));
}
