//! Finding the highest version of a range where only one question can be asked cheaply: which is the
//! highest version below a point? That is what an ordered index answers with one look.
//!
//! A range is taken apart into stretches of the order of versions that have nothing but versions of the
//! range. From the top stretch downwards, each answer either lies in a stretch and is the result, or says how
//! far down nothing is: so no version outside of the range is looked at twice, and none is walked over.

use std::ops::Bound;

use npm_semver::{Prerelease, Range, Version};

/// A point between two versions: just below a version, or just above it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// The version beside it.
    pub version: Version,
    /// Whether that version lies below the point.
    pub is_above: bool,
}

impl Point {
    fn below(version: &Version) -> Self {
        Self {
            version: version.clone(),
            is_above: false,
        }
    }

    fn above(version: &Version) -> Self {
        Self {
            version: version.clone(),
            is_above: true,
        }
    }
}

/// All versions between two points; no point is no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    from: Option<Point>,
    to: Option<Point>,
}

impl Stretch {
    fn new(lower: Bound<&Version>, upper: Bound<&Version>) -> Self {
        Self {
            from: match lower {
                Bound::Included(version) => Some(Point::below(version)),
                Bound::Excluded(version) => Some(Point::above(version)),
                Bound::Unbounded => None,
            },
            to: match upper {
                Bound::Included(version) => Some(Point::above(version)),
                Bound::Excluded(version) => Some(Point::below(version)),
                Bound::Unbounded => None,
            },
        }
    }

    fn is_empty(&self) -> bool {
        matches!((&self.from, &self.to), (Some(from), Some(to)) if from >= to)
    }

    /// What both have in common.
    fn within(self, other: &Self) -> Self {
        Self {
            from: self.from.max(other.from.clone()),
            to: match (self.to, other.to.clone()) {
                (Some(one), Some(two)) => Some(one.min(two)),
                (one, two) => one.or(two),
            },
        }
    }

    fn starts_below(&self, version: &Version) -> bool {
        self.from
            .as_ref()
            .is_none_or(|from| *from <= Point::below(version))
    }

    fn ends_above(&self, version: &Version) -> bool {
        self.to
            .as_ref()
            .is_none_or(|to| *to > Point::below(version))
    }
}

/// A range as stretches, each list ascending and disjoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretches {
    /// In these every release is in the range.
    pub releases: Vec<Stretch>,
    /// In these every version is in the range.
    pub versions: Vec<Stretch>,
}

/// Takes a range apart.
pub fn stretches(range: &Range, prerelease: Prerelease) -> Stretches {
    let whole = range
        .intervals(prerelease)
        .into_iter()
        .map(|(lower, upper)| Stretch::new(lower, upper))
        .collect();
    match prerelease {
        Prerelease::Include => Stretches {
            releases: Vec::new(),
            versions: whole,
        },
        Prerelease::Exclude => Stretches {
            releases: whole,
            versions: disjoint(named_prereleases(range)),
        },
    }
}

/// The prereleases that the branches of a range name: those of the same major, minor and patch as one of a
/// branch's own bounds, as far as they are between its bounds.
fn named_prereleases(range: &Range) -> Vec<Stretch> {
    let mut named = Vec::new();
    for set in range.sets(Prerelease::Exclude) {
        let (lower, upper) = set.bounds();
        let bounds = Stretch::new(lower, upper);
        for comparator in set.comparators() {
            let version = comparator.version();
            if version.is_prerelease() {
                named.extend(prereleases_of(version).map(|stretch| stretch.within(&bounds)));
            }
        }
    }
    named.retain(|stretch| !stretch.is_empty());
    named
}

/// All prereleases of the same major, minor and patch: from `-0`, the lowest, up to the release.
fn prereleases_of(version: &Version) -> Option<Stretch> {
    let release = Version::new(version.major(), version.minor(), version.patch());
    let lowest = Version::parse(&format!("{release}-0")).ok()?;
    Some(Stretch::new(
        Bound::Included(&lowest),
        Bound::Excluded(&release),
    ))
}

/// The same versions in stretches that have none in common, ascending.
fn disjoint(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.sort_by(|one, two| one.from.cmp(&two.from));
    let mut joined: Vec<Stretch> = Vec::new();
    for next in stretches {
        match joined.last_mut() {
            Some(last) if last.to.is_none() || last.to >= next.from => {
                last.to = match (last.to.take(), next.to) {
                    (Some(one), Some(two)) => Some(one.max(two)),
                    _ => None,
                };
            }
            _ => joined.push(next),
        }
    }
    joined
}

/// The highest version in any of the stretches. `highest_below` answers with the highest version below a
/// point, or the highest of all without one.
///
/// # Errors
/// What `highest_below` returns.
pub fn highest<T, E>(
    stretches: &[Stretch],
    mut highest_below: impl FnMut(Option<&Point>) -> Result<Option<(T, Version)>, E>,
) -> Result<Option<(T, Version)>, E> {
    let mut remaining = stretches;
    while let Some(top) = remaining.last() {
        let Some(found) = highest_below(top.to.as_ref())? else {
            return Ok(None);
        };
        // Those that start above it are empty.
        let kept = remaining.partition_point(|stretch| stretch.starts_below(&found.1));
        remaining = remaining.get(..kept).unwrap_or_default();
        if remaining
            .last()
            .is_some_and(|stretch| stretch.ends_above(&found.1))
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a look-up finds among versions, and how often it had to ask.
    fn find(range: &Range, prerelease: Prerelease, versions: &[Version]) -> (Option<Version>, u32) {
        let mut asked = 0;
        let mut ask = |stretches: &[Stretch], releases_only: bool| {
            let found: Result<_, ()> = highest(stretches, |point| {
                asked += 1;
                Ok(versions
                    .iter()
                    .filter(|version| !(releases_only && version.is_prerelease()))
                    .filter(|version| point.is_none_or(|point| Point::below(version) < *point))
                    .max()
                    .map(|version| ((), version.clone())))
            });
            found.expect("nothing fails").map(|(_, version)| version)
        };
        let apart = stretches(range, prerelease);
        let found = ask(&apart.releases, true).max(ask(&apart.versions, false));
        (found, asked)
    }

    fn parsed(texts: &[&str]) -> Vec<Version> {
        texts
            .iter()
            .map(|text| text.parse().expect("a version"))
            .collect()
    }

    fn asked(range: &str, versions: &[&str]) -> (Option<String>, u32) {
        let range: Range = range.parse().expect("a range");
        let (found, asked) = find(&range, Prerelease::Exclude, &parsed(versions));
        (found.map(|version| version.to_string()), asked)
    }

    #[test]
    fn asks_once_for_a_range_that_is_met() {
        assert_eq!(
            asked("^1", &["1.0.0", "1.4.0", "2.0.0", "2.1.0"]),
            (Some("1.4.0".to_owned()), 1)
        );
    }

    #[test]
    fn steps_over_branches_without_versions() {
        let branches: Vec<String> = (2..2000).map(|major| format!("{major}.x")).collect();
        let range = format!("1.0.0 || {}", branches.join(" || "));
        assert_eq!(
            asked(&range, &["1.0.0", "1.5.0"]),
            (Some("1.0.0".to_owned()), 2)
        );
    }

    #[test]
    fn finds_prereleases_that_are_named() {
        assert_eq!(
            asked(
                ">=2.0.0-rc.1",
                &["1.0.0", "2.0.0-rc.1", "2.0.0-rc.2", "2.1.0-a"]
            )
            .0,
            Some("2.0.0-rc.2".to_owned())
        );
        assert_eq!(asked(">=1.0.0", &["2.1.0-a"]).0, None);
    }

    fn any_version() -> impl Strategy<Value = String> {
        (
            0..3u8,
            0..3u8,
            0..3u8,
            prop_oneof![Just(""), Just("-0"), Just("-a"), Just("-a.1"), Just("-b")],
        )
            .prop_map(|(major, minor, patch, prerelease)| {
                format!("{major}.{minor}.{patch}{prerelease}")
            })
    }

    fn any_range() -> impl Strategy<Value = String> {
        let comparator = (
            prop_oneof![
                Just(""),
                Just("<"),
                Just("<="),
                Just(">"),
                Just(">="),
                Just("^"),
                Just("~")
            ],
            any_version(),
        )
            .prop_map(|(operator, version)| format!("{operator}{version}"));
        let simple =
            prop_oneof![8 => comparator, 1 => Just("*".to_owned()), 1 => Just("1.x".to_owned())];
        let set = prop::collection::vec(simple, 1..3).prop_map(|set| set.join(" "));
        prop::collection::vec(set, 1..4).prop_map(|sets| sets.join(" || "))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn finds_what_asking_each_version_finds(
            range in any_range(),
            versions in prop::collection::vec(any_version(), 0..12),
            include: bool,
        ) {
            let range: Range = range.parse().expect("a range");
            let versions: Vec<Version> = versions.iter().map(|text| text.parse().expect("a version")).collect();
            let prerelease = Prerelease::from(include);
            let expected = versions.iter().filter(|version| range.satisfies_with(version, prerelease)).max();
            let (found, _) = find(&range, prerelease, &versions);
            prop_assert_eq!(found.as_ref(), expected);
        }
    }
}
