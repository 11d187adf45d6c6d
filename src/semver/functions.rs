//! The functions of the two types, one value at a time.

use npm_semver::{Prerelease, Range, ReleaseKind, Version};
use pgrx::prelude::*;

use super::io::{parse_range, sentence};
use super::{Semver, SemverRange};
use crate::error::{Error, Result, SqlResult};

#[pg_extern(immutable, strict, parallel_safe, requires = ["semver_types"])]
fn semver_valid(version: &str) -> bool {
    Version::parse(version).is_ok()
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["semver_types"])]
fn semver_range_valid(range: &str) -> bool {
    parse_range(range).is_ok()
}

/// Empty text is no prerelease (or build metadata) at all.
fn some_text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["semver_types"])]
fn semver_parse(
    version: &str,
) -> TableIterator<
    'static,
    (
        name!(major, AnyNumeric),
        name!(minor, AnyNumeric),
        name!(patch, AnyNumeric),
        name!(prerelease, Option<String>),
        name!(build, Option<String>),
    ),
> {
    TableIterator::new(Version::parse(version).ok().map(|parsed| {
        (
            parsed.major().into(),
            parsed.minor().into(),
            parsed.patch().into(),
            some_text(parsed.prerelease()),
            some_text(parsed.build()),
        )
    }))
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["semver_types"])]
fn semver_major(version: Semver) -> AnyNumeric {
    version.0.major().into()
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["semver_types"])]
fn semver_minor(version: Semver) -> AnyNumeric {
    version.0.minor().into()
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["semver_types"])]
fn semver_patch(version: Semver) -> AnyNumeric {
    version.0.patch().into()
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["semver_types"])]
fn semver_prerelease(version: Semver) -> Option<String> {
    some_text(version.0.prerelease())
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["semver_types"])]
fn semver_build(version: Semver) -> Option<String> {
    some_text(version.0.build())
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["semver_types"])]
fn semver_compare_build(a: Semver, b: Semver) -> i32 {
    a.0.cmp_build(&b.0) as i32
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["semver_types"])]
fn semver_diff(a: Semver, b: Semver) -> Option<&'static str> {
    npm_semver::diff(&a.0, &b.0).map(npm_semver::Difference::as_str)
}

#[pg_extern(immutable, parallel_safe, requires = ["semver_types"])]
fn semver_inc(
    version: Option<Semver>,
    release: Option<&str>,
    identifier: default!(Option<&str>, "NULL"),
) -> SqlResult<Option<Semver>> {
    let (Some(version), Some(release)) = (version, release) else {
        return Ok(None);
    };
    Ok(Some(Semver(incremented(&version.0, release, identifier)?)))
}

fn incremented(version: &Version, release: &str, identifier: Option<&str>) -> Result<Version> {
    let kind: ReleaseKind = release.parse().map_err(|_| {
        Error::invalid_argument(format!("unknown kind of release: \"{release}\"")).hint(
            "The kinds are major, premajor, minor, preminor, patch, prepatch, prerelease and release.",
        )
    })?;
    version.increment(kind, identifier).map_err(|problem| {
        Error::invalid_argument(format!("no {kind} version follows {version}"))
            .detail(sentence(&problem))
            .hint("An identifier looks like beta or rc.1; the kind release takes prereleases only.")
    })
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["semver_types"])]
fn semver_coerce(text: &str) -> Option<Semver> {
    npm_semver::coerce(text).map(Semver)
}

#[pg_extern(immutable, parallel_safe, requires = ["semver_types"])]
fn semver_min_version(
    range: Option<SemverRange>,
    include_prerelease: default!(Option<bool>, "false"),
) -> Option<Semver> {
    let prerelease = include_prerelease.unwrap_or(false).into();
    range?.0.min_version_with(prerelease).map(Semver)
}

/// How many pairs of comparators are looked at before two ranges are too long for each other.
const MOST_PAIRS: usize = 10_000_000;

/// Each branch of one range is held against each of the other: two long ranges would take hours.
fn check_size(one: &Range, two: &Range) -> Result<()> {
    let size = |range: &Range| -> usize {
        let sets = range.sets(Prerelease::Exclude).iter();
        sets.map(|set| set.comparators().len().max(1)).sum()
    };
    let (one, two) = (size(one), size(two));
    if one.saturating_mul(two) <= MOST_PAIRS {
        return Ok(());
    }
    Err(
        Error::invalid_argument("version ranges are too long to be compared").detail(format!(
            "They have {one} and {two} bounds; their product may be at most {MOST_PAIRS}."
        )),
    )
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["semver_types"])]
fn semver_intersects(a: SemverRange, b: SemverRange) -> SqlResult<bool> {
    check_size(&a.0, &b.0)?;
    Ok(a.0.intersects(&b.0))
}

#[pg_extern(immutable, strict, parallel_safe, requires = ["semver_types"])]
fn semver_subset(sub: SemverRange, dom: SemverRange) -> SqlResult<bool> {
    check_size(&sub.0, &dom.0)?;
    Ok(sub.0.is_subset_of(&dom.0))
}
