//! Ranges: what is accepted, what shorthand stands for, and which versions are in them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::ops::Bound;

use npm_semver::{Prerelease, Range, Side, Subject, Version, gtr, ltr};

fn version(text: &str) -> Version {
    Version::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn range(text: &str) -> Range {
    Range::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn assert_canonical(cases: &[(&str, &str)]) {
    for &(text, canonical) in cases {
        assert_eq!(range(text).to_string(), canonical, "{text:?}");
    }
}

#[test]
fn shorthand_stands_for_comparators() {
    assert_canonical(&[
        ("^1.2.3", ">=1.2.3 <2.0.0-0"),
        ("^0.2.3", ">=0.2.3 <0.3.0-0"),
        ("^0.0.3", ">=0.0.3 <0.0.4-0"),
        ("^0.0", "<0.1.0-0"),
        ("^1.x.5", ">=1.0.0 <2.0.0-0"),
        ("~1.2.3-a", ">=1.2.3-a <1.3.0-0"),
        ("~> 1", ">=1.0.0 <2.0.0-0"),
        ("~ >1.2.3", ">=1.2.3 <1.3.0-0"),
        ("1.2.x-beta", ">=1.2.0 <1.3.0-0"),
        (">1.2", ">=1.3.0"),
        ("<=1", "<2.0.0-0"),
        ("<1.2", "<1.2.0-0"),
        ("1.2 - 3.4", ">=1.2.0 <3.5.0-0"),
        ("x - 1.2.3", "<=1.2.3"),
        ("1.2.3-2.3.4", "1.2.3-2.3.4"),
    ]);
}

#[test]
fn everything_and_nothing_are_recognized() {
    assert_canonical(&[
        ("", ""),
        (" \u{feff}\t", ""),
        ("*", ""),
        ("||", ""),
        ("1.2.3||", ""),
        (">=0.0.0", ""),
        (">=v0.0.0", ">=0.0.0"),
        ("^x.1", ""),
        (">*", "<0.0.0-0"),
        ("1.2.3 <*", "<0.0.0-0"),
        ("<* || >* || 1.2.3", "1.2.3"),
        ("<* || >*", "<0.0.0-0"),
        ("* 1.2.3", "1.2.3"),
        ("1.2.3 1.2.3", "1.2.3"),
    ]);
    assert_eq!(format!("{:#}", range("")), "*");
    assert!(range("1 || *").is_any(Prerelease::Exclude));
}

#[test]
fn prefixes_and_blanks_are_taken_as_npm_takes_them() {
    assert_canonical(&[
        (">= v1.2.3", ">=1.2.3"),
        ("^ =1", ">=1.0.0 <2.0.0-0"),
        (">=v=1", ">=1.0.0"),
        ("==1", ">=1.0.0 <2.0.0-0"),
        ("vv1", ">=1.0.0 <2.0.0-0"),
        ("\u{a0}>\u{2003}1.2.3\u{feff}<2.0.0", ">1.2.3 <2.0.0"),
        ("v 1 - = 2", ">=1.0.0 <3.0.0-0"),
        ("1.2.3+a+b", "1.2.3"),
        ("1+a - +b 2", ">=1.0.0 <3.0.0-0"),
        ("*1.2.3", "1.2.3"),
        ("*> 1.2.3", ">1.2.3"),
    ]);
}

#[test]
fn errors_tell_what_is_wrong_and_where() {
    for (text, message) in [
        ("blerg", "unexpected character 'b' at position 0"),
        (">", "expected a number or a wildcard at position 1"),
        ("1 || >", "expected a number or a wildcard at position 6"),
        ("1.2.3, 2", "unexpected character ',' at position 5"),
        ("1 && 2", "unexpected character '&' at position 2"),
        ("1 | 2", "unexpected character '|' at position 2"),
        ("!=1", "unexpected character '!' at position 0"),
        ("=>1", "unexpected character '>' at position 1"),
        ("1.2-beta", "unexpected character '-' at position 3"),
        (">=  1.2.3   01", "number has a leading zero at position 12"),
        ("1.x.5", "number after a wildcard at position 0"),
        (
            "==1.2.3",
            "unexpected prefix before a complete version at position 1",
        ),
        ("1.2.3 - 2 3", "unexpected character '-' at position 6"),
        ("1.2.3 -2", "unexpected character '-' at position 6"),
        (
            "^18446744073709551615",
            "number is larger than 18446744073709551615 at position 1",
        ),
        ("é", "unexpected character 'é' at position 0"),
    ] {
        let error = Range::parse(text).unwrap_err();
        assert_eq!(error.to_string(), message, "{text:?}");
        assert_eq!(error.subject(), Subject::Range);
    }
}

#[test]
fn a_version_in_a_range_has_at_most_256_characters() {
    let text = |length: usize| format!("1.2.3-{}", "a".repeat(length - 6));
    assert_eq!(range(&text(256)).to_string(), text(256));
    assert!(Range::parse(&text(257)).is_err());
    assert!(Range::parse(&format!("v{}", text(256))).is_err());
    assert!(Range::parse(&format!("^v{}", text(256))).is_ok());
    // Build metadata does not count.
    assert!(Range::parse(&format!("1.2.3+{}", "a".repeat(1000))).is_ok());
}

#[test]
fn including_prereleases_moves_bounds() {
    for (text, canonical) in [
        ("1.x", ">=1.0.0-0 <2.0.0-0"),
        ("~1.2", ">=1.2.0-0 <1.3.0-0"),
        ("^1.2", ">=1.2.0-0 <2.0.0-0"),
        ("^1.2.3", ">=1.2.3 <2.0.0-0"),
        ("~1.2.3", ">=1.2.3 <1.3.0-0"),
        (">=0.7.x", ">=0.7.0-0"),
        (">1", ">=2.0.0-0"),
        ("1 - 2", ">=1.0.0-0 <3.0.0-0"),
        ("1.0.0 - 2.0.0", ">=1.0.0-0 <2.0.1-0"),
        ("1.0.0-a - 2.0.0-b", ">=1.0.0-a <=2.0.0-b"),
        (">=0.0.0", ">=0.0.0"),
        (">=0.0.0-0", ""),
        ("*", ""),
        // There is no successor of this patch to stay below.
        (
            "1.0.0 - 1.0.18446744073709551615",
            ">=1.0.0-0 <=1.0.18446744073709551615",
        ),
    ] {
        assert_eq!(
            range(text).canonical(Prerelease::Include),
            canonical,
            "{text:?}"
        );
    }
}

#[test]
fn ranges_are_equal_when_they_are_in_both_modes() {
    assert_eq!(range("^1.2.3"), range(">=1.2.3  <2.0.0-0"));
    assert_eq!(range("1"), range("1.x.x"));
    assert_eq!(
        range("1").to_string(),
        range(">=1.0.0 <2.0.0-0").to_string()
    );
    assert_ne!(range("1"), range(">=1.0.0 <2.0.0-0"));
}

#[test]
fn prereleases_match_only_where_the_branch_names_one() {
    for (text, candidate, excluding, including) in [
        ("^1.2.3-a", "1.2.3-b", true, true),
        ("^1.2.3-a", "1.2.4-b", false, true),
        (">=1.0.0 <2.0.0-b", "2.0.0-a", true, true),
        ("^1.2.3", "2.0.0-a", false, false),
        ("*", "1.0.0-a", false, true),
        ("1.x", "1.0.0-a", false, true),
        ("3 || ^3.1.0-beta", "3.1.0-beta", true, true),
        ("x || ^3.1.0-beta", "3.1.0-beta", false, true),
        (">=1.2.3-a || >=1.0.0 <1.2.3", "1.2.3-0", false, true),
    ] {
        let (range, candidate) = (range(text), version(candidate));
        assert_eq!(range.satisfies(&candidate), excluding, "{text} {candidate}");
        assert_eq!(
            range.satisfies_with(&candidate, Prerelease::Include),
            including,
            "{text} {candidate}"
        );
    }
}

#[test]
fn bounds_are_the_tightest() {
    let bounds = |text: &str| {
        let range = range(text);
        let [set] = range.sets(Prerelease::Exclude) else {
            panic!("one branch")
        };
        let (lower, upper) = set.bounds();
        (lower.cloned(), upper.cloned())
    };
    let (one, two) = (Version::new(1, 0, 0), Version::new(2, 0, 0));
    assert_eq!(bounds("*"), (Bound::Unbounded, Bound::Unbounded));
    assert_eq!(
        bounds(">0.1.0 >=1.0.0 >1.0.0 <=2.0.0 <=3.0.0"),
        (Bound::Excluded(one.clone()), Bound::Included(two.clone()))
    );
    assert_eq!(
        bounds("1.0.0 >=1.0.0 <2.0.0"),
        (Bound::Included(one.clone()), Bound::Included(one.clone()))
    );
    assert_eq!(
        bounds("2.0.0 <=1.0.0"),
        (Bound::Included(two), Bound::Included(one))
    );
}

#[test]
fn lowest_versions_are_found() {
    for (text, lowest) in [
        ("*", Some("0.0.0")),
        ("<0.0.0-b", Some("0.0.0-0")),
        (">1.2.3", Some("1.2.4")),
        (">1.2.3-a", Some("1.2.3-a.0")),
        (">1.2.18446744073709551615", Some("1.3.0")),
        (
            ">18446744073709551615.18446744073709551615.18446744073709551615",
            None,
        ),
        (">4 <3", None),
        ("3 || 2 >=2.5", Some("2.5.0")),
    ] {
        let found = range(text).min_version().map(|version| version.to_string());
        assert_eq!(found.as_deref(), lowest, "{text}");
    }
    // The next prerelease would be too long to be written.
    let long = format!(">1.2.3-{}", "a".repeat(250));
    assert_eq!(range(&long).min_version(), Some(Version::new(1, 2, 3)));
}

#[test]
fn versions_beyond_a_range_are_told() {
    let range = range("~1.2.3 || 3.x");
    assert!(gtr(&version("4.0.0"), &range, Prerelease::Exclude));
    assert!(!gtr(&version("2.0.0"), &range, Prerelease::Exclude));
    assert!(ltr(&version("1.2.2"), &range, Prerelease::Exclude));
    assert!(!range.is_outside(&version("1.2.4"), Side::Below, Prerelease::Exclude));
}

#[test]
fn intersections_are_those_of_bounds() {
    for (one, two, expected) in [
        ("^1.2", "~1.5", true),
        ("^1.2", "<1.2.0 || >=2", false),
        (">=1.0.0", "<=1.0.0", true),
        (">1.0.0", "<=1.0.0", false),
        ("<0.0.0", "<0.1.0", false),
        ("*", "<0.0.0-0", true),
        ("1.0.0 2.0.0", "*", false),
        // Each comparator is asked by itself, and only one of the bounds names the prerelease.
        ("1.0.0-a", ">=1.0.0-0 <2.0.0", false),
        ("1.0.0-a", "<=1.0.0-b", true),
        // It matters which one is asked.
        ("*", "1.0.0-a", true),
        ("1.0.0-a", "*", false),
    ] {
        assert_eq!(range(one).intersects(&range(two)), expected, "{one} {two}");
    }
    let (one, two) = (range("1.0.0-a"), range(">=1.0.0-0 <2.0.0"));
    assert!(one.intersects_with(&two, Prerelease::Include));
}

#[test]
fn subsets_are_those_of_bounds() {
    for (sub, dominant, expected) in [
        ("~1.2.3", "^1", true),
        ("^1", "~1.2.3", false),
        ("1.2.3-a", ">=1.0.0", false),
        ("^1.2.3-a", "^1", false),
        ("<1.2.3-0", "<1.2.3", true),
        (">2 <1", "5", true),
        ("1 || 2", ">=1 <3.0.0-0", true),
        (">=1 <3.0.0-0", "1 || 2", false),
        ("*", ">=0.0.0", true),
        ("1 || >2 <1", "1", false),
        (">2 <1 || 1", "1", true),
        ("1 || >2 <1", "<1 >2 || 1", false),
        ("1 || >2 <1", ">2 <1 || 1", true),
    ] {
        assert_eq!(
            range(sub).is_subset_of(&range(dominant)),
            expected,
            "{sub} {dominant}"
        );
    }
}
