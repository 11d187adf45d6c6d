//! What holds for all versions and ranges.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};
use std::ops::{Bound, RangeBounds};

use npm_semver::stored::{
    self, Matcher, decode_range, decode_version, encode_range, encode_version, version_key,
};
use npm_semver::{
    Comparator, ComparatorSet, IdentifierBase, Operator, Prerelease, Range, ReleaseKind, Side,
    Version, clean, coerce, diff,
};
use proptest::prelude::*;

const MODES: [Prerelease; 2] = [Prerelease::Exclude, Prerelease::Include];

/// Numbers of which many are equal or close.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (0u64..4).prop_map(|number| number.to_string()),
        1 => prop_oneof![Just(247u64), Just(248), Just(255), Just(256), Just(u64::MAX)]
            .prop_map(|number| number.to_string()),
        1 => any::<u64>().prop_map(|number| number.to_string()),
    ]
}

fn identifier() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => number(),
        1 => "[1-9][0-9]{18,24}",
        3 => "[ab-]{1,2}",
        1 => "[0-9]{0,3}[a-zA-Z-][0-9a-zA-Z-]{0,3}",
    ]
}

fn identifiers() -> impl Strategy<Value = String> {
    prop::collection::vec(identifier(), 1..4).prop_map(|identifiers| identifiers.join("."))
}

fn release() -> impl Strategy<Value = String> {
    (number(), number(), number())
        .prop_map(|(major, minor, patch)| format!("{major}.{minor}.{patch}"))
}

fn version_text() -> impl Strategy<Value = String> {
    let part = |sign| {
        prop::option::of(identifiers())
            .prop_map(move |part| part.map(|text| format!("{sign}{text}")).unwrap_or_default())
    };
    (release(), part('-'), part('+'))
        .prop_map(|(release, prerelease, build)| release + &prerelease + &build)
}

fn version() -> impl Strategy<Value = Version> {
    version_text().prop_map(|text| Version::parse(&text).unwrap())
}

fn partial() -> impl Strategy<Value = String> {
    let part = prop_oneof![4 => number(), 1 => Just("x".to_owned()), 1 => Just("*".to_owned())];
    prop_oneof![
        2 => version_text(),
        1 => prop::collection::vec(part, 1..4).prop_map(|parts| parts.join(".")),
    ]
}

fn branch() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec!["", "=", "<", "<=", ">", ">=", "^", "~", "> ", "~> "]);
    let word = (operator, partial()).prop_map(|(operator, partial)| format!("{operator}{partial}"));
    prop_oneof![
        4 => prop::collection::vec(word, 1..4).prop_map(|words| words.join(" ")),
        1 => (partial(), partial()).prop_map(|(from, to)| format!("{from} - {to}")),
    ]
}

fn range() -> impl Strategy<Value = Range> {
    prop::collection::vec(branch(), 1..3).prop_filter_map("not a range", |branches| {
        Range::parse(&branches.join(" || ")).ok()
    })
}

/// Text that is often close to being valid.
fn mess() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "1", "0", "1.2.3", ".", "-", "+", "x", "*", "v", "=", "<", ">", "^", "~", "|", "||",
            " ", "\t", "\u{feff}", "a", "é",
        ]).prop_map(str::to_owned),
        2 => branch(),
        1 => ".{0,4}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// The versions at which something about a range can change, and those next to them.
fn corners(ranges: &[&Range]) -> Vec<Version> {
    let mut versions = vec![Version::new(0, 0, 0), Version::parse("0.0.0-0").unwrap()];
    let sets = ranges
        .iter()
        .flat_map(|range| MODES.map(|mode| range.sets(mode)))
        .flatten();
    for version in sets
        .flat_map(ComparatorSet::comparators)
        .map(Comparator::version)
    {
        let release = Version::new(version.major(), version.minor(), version.patch());
        versions.push(version.clone());
        versions.extend(version.increment(ReleaseKind::Prerelease, Some("0")).ok());
        versions.extend(Version::parse(&format!("{release}-0")).ok());
        versions.extend(Version::parse(&format!("{version}.0")).ok());
        versions.extend(release.increment(ReleaseKind::Patch, None).ok());
        versions.push(release);
    }
    versions
}

fn is_between(version: &Version, bounds: (Bound<&Version>, Bound<&Version>)) -> bool {
    bounds.contains(version)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn order_is_total(mut versions in prop::collection::vec(version(), 3)) {
        versions.sort();
        prop_assert!(versions[0] <= versions[1] && versions[1] <= versions[2]);
        prop_assert!(versions[0] <= versions[2]);
        for (one, two) in [(0, 1), (1, 2), (0, 2)].map(|(one, two)| (&versions[one], &versions[two])) {
            prop_assert_eq!(one.cmp(two), two.cmp(one).reverse());
            prop_assert_eq!(one == two, one.cmp(two) == Ordering::Equal);
            prop_assert_eq!(one.cmp_build(two), two.cmp_build(one).reverse());
            prop_assert_eq!(one.cmp_build(two) == Ordering::Equal, one.to_string() == two.to_string());
        }
    }

    #[test]
    fn equal_versions_hash_equally(one in version(), build in identifiers()) {
        let two = Version::parse(&format!("{}+{build}", one.without_build())).unwrap();
        let state = RandomState::new();
        prop_assert_eq!(&one, &two);
        prop_assert_eq!(state.hash_one(&one), state.hash_one(&two));
    }

    #[test]
    fn printed_versions_are_read_back(text in version_text()) {
        prop_assert_eq!(Version::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn stored_versions_are_read_back(version in version()) {
        let bytes = encode_version(&version);
        prop_assert_eq!(decode_version(&bytes).unwrap().to_string(), version.to_string());
    }

    #[test]
    fn stored_keys_order_like_versions(one in version(), two in version()) {
        let (left, right) = (encode_version(&one), encode_version(&two));
        prop_assert_eq!(version_key(&left).cmp(version_key(&right)), one.cmp(&two));
        prop_assert_eq!(stored::compare(&left, &right), one.cmp(&two));
        let is_beginning = version_key(&right).starts_with(version_key(&left));
        prop_assert_eq!(is_beginning, one == two);
    }

    #[test]
    fn damaged_versions_are_refused_or_canonical(
        version in version(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        kept in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encode_version(&version);
        let index = at.index(bytes.len());
        bytes[index] = byte;
        for bytes in [&bytes[..], &bytes[..kept.index(bytes.len())]] {
            let _ = version_key(bytes);
            if let Ok(decoded) = decode_version(bytes) {
                prop_assert_eq!(encode_version(&decoded), bytes);
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_or_canonical(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0u8..4, 246u8..=255], 0..24),
        format in prop::sample::select(vec![0x01u8, 0x81]),
    ) {
        let any_range = Range::parse("^1.2.3-a || <1").unwrap();
        for bytes in [bytes.clone(), [&[format], bytes.as_slice()].concat()] {
            if let Ok(version) = decode_version(&bytes) {
                prop_assert_eq!(encode_version(&version), bytes.clone());
            }
            if let Ok(range) = decode_range(&bytes) {
                prop_assert_eq!(encode_range(&range), bytes.clone());
            }
            let _ = version_key(&bytes);
            let _ = Matcher::new(&any_range, Prerelease::Exclude).matches(&bytes);
        }
    }

    #[test]
    fn stored_ranges_are_read_back(range in range()) {
        let bytes = encode_range(&range);
        let decoded = decode_range(&bytes).unwrap();
        prop_assert_eq!(encode_range(&decoded), bytes);
        for mode in MODES {
            prop_assert_eq!(decoded.canonical(mode), range.canonical(mode));
        }
        prop_assert_eq!(decoded, range);
    }

    #[test]
    fn canonical_ranges_mean_the_same(range in range(), version in version()) {
        for mode in MODES {
            let again = Range::parse(&range.canonical(mode)).unwrap();
            for version in corners(&[&range]).iter().chain([&version]) {
                prop_assert_eq!(
                    again.satisfies_with(version, mode),
                    range.satisfies_with(version, mode)
                );
            }
        }
    }

    #[test]
    fn satisfying_versions_are_between_the_bounds(range in range(), version in version()) {
        for mode in MODES {
            for version in corners(&[&range]).iter().chain([&version]) {
                let between = range.sets(mode).iter().any(|set| is_between(version, set.bounds()));
                let satisfies = range.satisfies_with(version, mode);
                prop_assert!(between || !satisfies);
                if mode == Prerelease::Include || !version.is_prerelease() {
                    prop_assert_eq!(between, satisfies);
                }
                let bytes = encode_version(version);
                prop_assert_eq!(Matcher::new(&range, mode).matches(&bytes), satisfies);
            }
        }
    }

    #[test]
    fn intervals_hold_the_range_in_order(ranges in prop::collection::vec(branch(), 1..5), version in version()) {
        let Ok(range) = Range::parse(&ranges.join(" || ")) else { return Ok(()) };
        for mode in MODES {
            let intervals = range.intervals(mode);
            let mut versions = corners(&[&range]);
            versions.push(version.clone());
            for version in versions {
                let around = intervals.iter().filter(|interval| interval.contains(&version)).count();
                let matches = range.sets(mode).iter().any(|set| {
                    set.comparators().iter().all(|comparator| comparator.matches(&version))
                });
                prop_assert_eq!(around, usize::from(matches), "{} {:?}", version, mode);
            }
            for pair in intervals.windows(2) {
                let [(_, Bound::Included(end) | Bound::Excluded(end)), _] = pair else {
                    return Err(TestCaseError::fail("an interval before the last has no end"));
                };
                prop_assert!(matches!(pair[1].0, Bound::Included(start) | Bound::Excluded(start) if start >= end));
            }
        }
    }

    #[test]
    fn ranges_with_a_version_in_common_intersect(one in range(), two in range()) {
        for mode in MODES {
            let witness = corners(&[&one, &two]).into_iter().find(|version| {
                // npm asks each comparator by itself about a single prerelease.
                (mode == Prerelease::Include || !version.is_prerelease())
                    && one.satisfies_with(version, mode)
                    && two.satisfies_with(version, mode)
            });
            if let Some(witness) = witness {
                prop_assert!(one.intersects_with(&two, mode), "{}", witness);
                prop_assert!(two.intersects_with(&one, mode), "{}", witness);
            }
        }
    }

    #[test]
    fn intersecting_ranges_have_bounds_in_common(one in range(), two in range()) {
        let touch = |left: &ComparatorSet, right: &ComparatorSet| {
            let comparators = || left.comparators().iter().chain(right.comparators());
            let is_above = |operator| matches!(operator, Operator::Greater | Operator::GreaterOrEqual | Operator::Equal);
            let is_below = |operator| matches!(operator, Operator::Less | Operator::LessOrEqual | Operator::Equal);
            comparators().filter(|lower| is_above(lower.operator())).all(|lower| {
                comparators()
                    .filter(|upper| is_below(upper.operator()))
                    .all(|upper| lower.version() <= upper.version())
            })
        };
        for mode in MODES {
            if one.intersects_with(&two, mode) {
                let found = one
                    .sets(mode)
                    .iter()
                    .any(|left| two.sets(mode).iter().any(|right| touch(left, right)));
                prop_assert!(found);
            }
        }
    }

    #[test]
    fn releases_of_a_subset_are_in_the_other_range(sub in range(), dominant in range()) {
        prop_assert!(sub.is_subset_of(&sub));
        if sub.is_subset_of(&dominant) {
            for version in corners(&[&sub, &dominant]).iter().filter(|version| !version.is_prerelease()) {
                prop_assert!(!sub.satisfies(version) || dominant.satisfies(version), "{}", version);
            }
        }
    }

    #[test]
    fn the_lowest_version_is_in_the_range(range in range()) {
        for mode in MODES {
            if let Some(lowest) = range.min_version_with(mode) {
                prop_assert!(range.satisfies_with(&lowest, mode));
                prop_assert!(Version::parse(&lowest.to_string()).is_ok());
            }
        }
    }

    #[test]
    fn nothing_is_inside_and_outside(range in range(), version in version()) {
        for (side, mode) in [(Side::Above, MODES[0]), (Side::Below, MODES[1])] {
            prop_assert!(!(range.satisfies_with(&version, mode) && range.is_outside(&version, side, mode)));
        }
    }

    #[test]
    fn the_next_version_is_higher(version in version(), identifier in prop::option::of(identifiers())) {
        for word in ["major", "minor", "patch", "premajor", "preminor", "prepatch", "prerelease", "release"] {
            let kind: ReleaseKind = word.parse().unwrap();
            prop_assert_eq!(kind.as_str(), word);
            let Ok(next) = version.increment_with(kind, identifier.as_deref(), IdentifierBase::Zero) else {
                continue;
            };
            prop_assert!(Version::parse(&next.to_string()).is_ok());
            // A new identifier may come before the old one.
            if kind != ReleaseKind::Prerelease || identifier.is_none() {
                prop_assert!(next > version);
            }
        }
    }

    #[test]
    fn differences_are_symmetric(one in version(), two in version()) {
        prop_assert_eq!(diff(&one, &two), diff(&two, &one));
        prop_assert_eq!(diff(&one, &two).is_none(), one == two);
    }

    #[test]
    fn no_text_panics(text in mess()) {
        for error in [Version::parse(&text).err(), Range::parse(&text).err()].into_iter().flatten() {
            prop_assert!(error.position() <= text.len());
            prop_assert!(text.is_char_boundary(error.position()));
        }
        if let Ok(range) = Range::parse(&text) {
            prop_assert_eq!(decode_range(&encode_range(&range)), Ok(range));
        }
        let _ = coerce(&text);
        let _ = clean(&text);
    }
}
