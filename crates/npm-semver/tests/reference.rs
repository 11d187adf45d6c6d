//! Agreement with the reference implementations' own test data, where that is at hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;
use std::path::PathBuf;

use npm_semver::{
    Identifier, IdentifierBase, Prerelease, Range, ReleaseKind, Side, Version, clean, coerce, diff,
    max_satisfying, min_satisfying, stored,
};

/// The largest number that npm takes.
const NPM_LIMIT: u64 = (1 << 53) - 1;

type Row = Vec<Option<String>>;

/// The rows of a file in PostgreSQL's COPY text format, without its header line. None when the
/// file is not there.
fn rows(file: &str) -> Vec<Row> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    let Ok(text) = std::fs::read_to_string(folder.join(file)) else {
        println!("skipped: no {file}");
        return Vec::new();
    };
    text.lines()
        .skip(1)
        .map(|line| line.split('\t').map(field).collect())
        .collect()
}

fn field(text: &str) -> Option<String> {
    if text == "\\N" {
        return None;
    }
    let mut value = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        value.push(match character {
            '\\' => match characters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('v') => '\u{b}',
                Some('f') => '\u{c}',
                Some('b') => '\u{8}',
                other => other.unwrap(),
            },
            other => other,
        });
    }
    Some(value)
}

fn text(row: &Row, index: usize) -> &str {
    row[index].as_deref().unwrap()
}

fn flag(row: &Row, index: usize) -> bool {
    text(row, index) == "t"
}

fn mode(row: &Row, index: usize) -> Prerelease {
    Prerelease::from(flag(row, index))
}

fn version(text: &str) -> Version {
    Version::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn range(text: &str) -> Range {
    Range::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// The strings and numbers of a flat JSON array, as text.
fn json_array(json: &str) -> Vec<String> {
    let inner = json.strip_prefix('[').unwrap().strip_suffix(']').unwrap();
    if inner.is_empty() {
        return Vec::new();
    }
    inner
        .split(',')
        .map(|item| item.trim().trim_matches('"').to_owned())
        .collect()
}

/// Whether the text has a number that is valid here but not with npm.
fn is_beyond_npm(text: &str) -> bool {
    text.split(|character: char| !character.is_ascii_digit())
        .filter_map(|digits| digits.parse::<u64>().ok())
        .any(|number| number > NPM_LIMIT)
}

#[test]
fn valid_versions_have_the_same_parts() {
    for row in rows("node-semver/valid_versions.tsv") {
        let version = version(text(&row, 0));
        let numbers = [version.major(), version.minor(), version.patch()].map(|n| n.to_string());
        assert_eq!(numbers, [text(&row, 1), text(&row, 2), text(&row, 3)]);
        assert_eq!(version.prerelease(), json_array(text(&row, 4)).join("."));
        assert_eq!(version.build(), json_array(text(&row, 5)).join("."));
        assert_eq!(version.without_build().to_string(), text(&row, 6));
    }
    for row in rows("node-semver/parts.tsv") {
        let version = version(text(&row, 0));
        let part = match text(&row, 1) {
            "major" => version.major(),
            "minor" => version.minor(),
            "patch" => version.patch(),
            other => panic!("unknown part {other}"),
        };
        assert_eq!(part.to_string(), text(&row, 2));
    }
    for row in rows("node-semver/prerelease.tsv") {
        let parsed = Version::parse(text(&row, 0)).ok();
        let identifiers = parsed.as_ref().map(|version| -> Vec<&str> {
            version
                .prerelease_identifiers()
                .map(|identifier| identifier.as_str())
                .collect()
        });
        let expected = row[1].as_deref().map(json_array);
        assert_eq!(
            identifiers.unwrap_or_default(),
            expected.unwrap_or_default()
        );
    }
}

#[test]
fn invalid_versions_are_invalid() {
    for row in rows("node-semver/invalid_versions.tsv") {
        let is_valid = Version::parse(text(&row, 0)).is_ok();
        let is_deviation = text(&row, 1) == "too big" && is_beyond_npm(text(&row, 0));
        assert_eq!(is_valid, is_deviation, "{row:?}");
    }
}

#[test]
fn untidy_text_is_read_the_same() {
    for row in rows("node-semver/clean.tsv") {
        let cleaned = clean(text(&row, 0)).map(|version| version.without_build().to_string());
        assert_eq!(cleaned, row[1], "{row:?}");
    }
    // Coercion has no options here, so the rows with options do not apply.
    for row in rows("node-semver/coerce.tsv")
        .iter()
        .filter(|row| !flag(row, 1) && !flag(row, 2))
    {
        assert_eq!(
            coerce(text(row, 0)).map(|version| version.to_string()),
            row[3],
            "{row:?}"
        );
    }
}

#[test]
fn versions_compare_the_same() {
    for row in rows("node-semver/comparisons.tsv") {
        assert!(version(text(&row, 0)) > version(text(&row, 1)), "{row:?}");
    }
    for row in rows("node-semver/equality.tsv") {
        assert_eq!(version(text(&row, 0)), version(text(&row, 1)));
    }
    for row in rows("node-semver/compare_build.tsv") {
        let (one, two) = (version(text(&row, 0)), version(text(&row, 1)));
        assert_eq!(
            (one.cmp_build(&two) as i8).to_string(),
            text(&row, 2),
            "{row:?}"
        );
        assert_eq!((one.cmp(&two) as i8).to_string(), text(&row, 3), "{row:?}");
    }
    for row in rows("node-semver/sort.tsv") {
        let mut versions: Vec<Version> = json_array(text(&row, 0))
            .iter()
            .map(|text| version(text))
            .collect();
        versions.sort_by(Version::cmp_build);
        let sorted: Vec<String> = versions.iter().map(ToString::to_string).collect();
        assert_eq!(sorted, json_array(text(&row, 1)));
    }
}

#[test]
fn steps_between_versions_are_the_same() {
    for row in rows("node-semver/diff.tsv") {
        let found = diff(&version(text(&row, 0)), &version(text(&row, 1)));
        assert_eq!(
            found.map(|difference| difference.as_str()),
            row[2].as_deref(),
            "{row:?}"
        );
    }
    for row in rows("node-semver/increments.tsv") {
        let base = match row[3].as_deref() {
            Some("false") => IdentifierBase::None,
            Some("1") => IdentifierBase::One,
            _ => IdentifierBase::Zero,
        };
        let next = Version::parse(text(&row, 0)).ok().and_then(|version| {
            let kind = text(&row, 1).parse().ok()?;
            version.increment_with(kind, row[2].as_deref(), base).ok()
        });
        assert_eq!(next.map(|version| version.to_string()), row[4], "{row:?}");
    }
    for row in rows("node-semver/truncations.tsv") {
        let truncated = Version::parse(text(&row, 0))
            .ok()
            .and_then(|version| version.truncate(text(&row, 1).parse::<ReleaseKind>().ok()?));
        assert_eq!(
            truncated.map(|version| version.to_string()),
            row[2],
            "{row:?}"
        );
    }
}

#[test]
fn ranges_are_read_the_same() {
    for row in rows("node-semver/range_parse.tsv") {
        let parsed = Range::parse(text(&row, 1)).ok().map(|range| {
            let canonical = range.canonical(mode(&row, 2));
            if canonical.is_empty() {
                "*".to_owned()
            } else {
                canonical
            }
        });
        // npm cannot count from its largest number to the bound above it.
        let is_beyond_npm = text(&row, 1) == format!("^{NPM_LIMIT}.0.0");
        assert_eq!(parsed == row[3], !is_beyond_npm, "{row:?}: {parsed:?}");
    }
    for row in rows("node-semver/to_comparators.tsv") {
        let sets: Vec<String> = range(text(&row, 0))
            .sets(Prerelease::Exclude)
            .iter()
            .map(|set| {
                let comparators = set.comparators().iter();
                let texts: Vec<String> = comparators
                    .map(|one| format!("{:?}", one.to_string()))
                    .collect();
                if set.is_any() {
                    "[\"\"]".to_owned()
                } else {
                    format!("[{}]", texts.join(","))
                }
            })
            .collect();
        assert_eq!(format!("[{}]", sets.join(",")), text(&row, 1), "{row:?}");
    }
}

#[test]
fn ranges_have_the_same_versions() {
    for row in rows("node-semver/satisfies.tsv") {
        let parsed = Range::parse(text(&row, 1));
        assert_eq!(parsed.is_ok(), flag(&row, 5), "{row:?}");
        let found = match (parsed, Version::parse(text(&row, 2))) {
            (Ok(range), Ok(version)) => {
                let found = range.satisfies_with(&version, mode(&row, 3));
                let matcher = stored::Matcher::new(&range, mode(&row, 3));
                assert_eq!(matcher.matches(&stored::encode_version(&version)), found);
                found
            }
            _ => false,
        };
        assert_eq!(found, flag(&row, 6), "{row:?}");
    }
    for (file, choose_highest) in [("max", true), ("min", false)] {
        for row in rows(&format!("node-semver/{file}_satisfying.tsv")) {
            let versions: Vec<Version> = json_array(text(&row, 0))
                .iter()
                .map(|text| version(text))
                .collect();
            let chosen = Range::parse(text(&row, 1)).ok().and_then(|range| {
                if choose_highest {
                    max_satisfying(&versions, &range, Prerelease::Exclude)
                } else {
                    min_satisfying(&versions, &range, Prerelease::Exclude)
                }
            });
            assert_eq!(chosen.map(ToString::to_string), row[2], "{row:?}");
        }
    }
    for row in rows("node-semver/min_version.tsv") {
        let lowest = range(text(&row, 0)).min_version();
        assert_eq!(lowest.map(|version| version.to_string()), row[1], "{row:?}");
    }
}

#[test]
fn ranges_relate_the_same() {
    for row in rows("node-semver/outside.tsv") {
        let side = if text(&row, 3) == ">" {
            Side::Above
        } else {
            Side::Below
        };
        let is_outside =
            range(text(&row, 1)).is_outside(&version(text(&row, 2)), side, mode(&row, 4));
        assert_eq!(is_outside, flag(&row, 6), "{row:?}");
    }
    for row in rows("node-semver/range_intersection.tsv") {
        let (one, two) = (range(text(&row, 1)), range(text(&row, 2)));
        assert_eq!(
            one.intersects_with(&two, mode(&row, 3)),
            flag(&row, 4),
            "{row:?}"
        );
        assert_eq!(
            two.intersects_with(&one, mode(&row, 3)),
            flag(&row, 4),
            "{row:?}"
        );
    }
    for row in rows("node-semver/subset.tsv") {
        let (sub, dominant) = (range(text(&row, 0)), range(text(&row, 1)));
        assert_eq!(
            sub.is_subset_of_with(&dominant, mode(&row, 2)),
            flag(&row, 3),
            "{row:?}"
        );
    }
}

#[test]
fn the_other_reference_agrees_where_it_is_strict() {
    for row in rows("pg-semver/pg_semver_valid.tsv") {
        let is_valid = Version::parse(text(&row, 0)).is_ok();
        let expected = flag(&row, 4) || (flag(&row, 3) && row[5].as_deref() == Some("t"));
        assert_eq!(is_valid, expected, "{row:?}");
    }
    for row in rows("pg-semver/pg_semver_compare.tsv") {
        let (one, two) = (version(text(&row, 0)), version(text(&row, 1)));
        let holds = match text(&row, 2) {
            "=" => one == two,
            "<>" => one != two,
            ">" => one > two,
            "not >" => one <= two,
            "not <" => one >= two,
            other => panic!("unknown relation {other}"),
        };
        assert!(holds, "{row:?}");
    }
    for row in rows("pg-semver/pg_semver_distinct.tsv") {
        let distinct: HashSet<Version> = json_array(text(&row, 0))
            .iter()
            .map(|text| version(text))
            .collect();
        assert_eq!(distinct.len().to_string(), text(&row, 1));
    }
    for row in rows("pg-semver/pg_semver_sort.tsv") {
        let texts = json_array(text(&row, 0));
        let versions: Vec<Version> = texts.iter().map(|text| version(text)).collect();
        assert!(versions.is_sorted(), "{row:?}");
    }
    for row in rows("pg-semver/pg_semver_text.tsv") {
        assert_eq!(version(text(&row, 0)).to_string(), text(&row, 1));
    }
    for row in rows("pg-semver/pg_semver_parts.tsv") {
        let version = version(text(&row, 0));
        let part = match text(&row, 1) {
            "major" => version.major().to_string(),
            "minor" => version.minor().to_string(),
            "patch" => version.patch().to_string(),
            _ => version.prerelease().to_owned(),
        };
        assert_eq!(part, text(&row, 2));
    }
    // Of the lax forms only those apply that are strict as well.
    for row in rows("pg-semver/pg_semver_lax.tsv") {
        if let Ok(version) = Version::parse(text(&row, 0)) {
            assert_eq!(version.to_string(), text(&row, 1));
        }
    }
}

#[test]
fn identifiers_are_told_apart() {
    let version = version("1.0.0-rc.1");
    let identifiers: Vec<Identifier<'_>> = version.prerelease_identifiers().collect();
    assert_eq!(
        identifiers,
        [Identifier::Alphanumeric("rc"), Identifier::Numeric("1")]
    );
}
