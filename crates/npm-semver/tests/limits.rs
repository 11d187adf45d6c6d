//! Long hostile input takes no more than linear time, and nothing panics on it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use npm_semver::stored::{decode_range, encode_range};
use npm_semver::{Prerelease, Range, Version, clean, coerce};

const MANY: usize = 100_000;

/// Far more than linear time takes without optimization, far less than quadratic time.
const PATIENCE: Duration = Duration::from_secs(20);

fn read(text: &str) {
    let start = Instant::now();
    let _ = Version::parse(text).map_err(|error| assert!(error.to_string().len() < 100));
    let _ = coerce(text);
    let _ = clean(text);
    match Range::parse(text) {
        Ok(range) => {
            let version = Version::new(1, 2, 3);
            let _ = range.satisfies(&version);
            let _ = range.min_version();
            assert_eq!(decode_range(&encode_range(&range)), Ok(range));
        }
        Err(error) => {
            assert!(error.to_string().len() < 100);
            assert!(error.position() <= text.len());
        }
    }
    let taken = start.elapsed();
    assert!(taken < PATIENCE, "{:?}… took {taken:?}", text.get(..20));
}

#[test]
fn half_a_million_blanks_or_zeros() {
    for piece in [" ", "0", "\u{3000}"] {
        let many = piece.repeat(500_000);
        read(&many);
        read(&format!("1.2.3{many}"));
        read(&format!("{many}1.2.3"));
        read(&format!(">{many}1.2.3{many}<2"));
        read(&format!("1{many}-{many}2"));
        read(&format!("1.2.3-{many}||^{many}"));
    }
}

#[test]
fn one_piece_repeated() {
    for piece in [
        " ",
        "0",
        "9",
        "v",
        "=",
        "<",
        ">",
        "^",
        "~",
        "*",
        "x",
        ".",
        "-",
        "+",
        "|",
        "||",
        "a",
        "\u{feff}",
        "1.",
        "0.",
        "x.",
        "1 ",
        "> ",
        "~ ",
        "^ ",
        "= ",
        "v ",
        "- ",
        " - ",
        "+a",
        "+a.",
        "+a ",
        "-a",
        "1-",
        "1 - ",
        "||1",
        "1.2.3 ",
        ">=1.2.3 <2 || ",
        "é",
        "😀",
        "~>",
        "~> ",
    ] {
        read(&piece.repeat(MANY / piece.len()));
    }
}

#[test]
fn one_piece_repeated_around_others() {
    for piece in [
        " ", "0", "9", "v", "=", "*", ".1", "a", "+a", " +a", " =", "\u{a0}",
    ] {
        let many = piece.repeat(MANY / piece.len());
        for text in [
            format!("1.2.3{many}4"),
            format!("^{many}1"),
            format!(">{many}1.2.3"),
            format!("1.2.3 -{many} 2.3.4"),
            format!("1.2.3-{many}"),
            format!("1.x.x-{many}.b"),
            format!("{many}1.2.3 - 2"),
            format!("<{many}x || {many}"),
        ] {
            read(&text);
        }
    }
}

#[test]
fn many_different_comparators() {
    let comparators: Vec<String> = (0..MANY / 10)
        .map(|patch| format!(">1.0.{patch}"))
        .collect();
    let range = Range::parse(&comparators.join(" ")).unwrap();
    assert_eq!(
        range
            .sets(Prerelease::Exclude)
            .iter()
            .map(|set| set.comparators().len())
            .sum::<usize>(),
        MANY / 10
    );
    let start = Instant::now();
    assert!(range.intersects(&range));
    assert!(range.is_subset_of(&range));
    assert!(start.elapsed() < PATIENCE);
    read(&comparators.join("||"));
    read(&comparators.join(" "));
}
