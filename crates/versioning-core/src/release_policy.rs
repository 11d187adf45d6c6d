//! Whether the number of a version says what its migrations do to clients of the version before.

use std::fmt;

use npm_semver::Version;

use crate::catalog::{Bump, Change, Level};
use crate::rehearsal::attribution::Place;

/// What happens at publication to a version whose number says too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Nobody looks.
    Off,
    /// It is published, with a warning.
    Warn,
    /// It is refused.
    Enforce,
}

/// A change that demands a step of the version number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// What it is, in the vocabulary of migration linters.
    pub kind: String,
    /// What it is about.
    pub object: String,
    /// The step.
    pub bump: Bump,
    /// The statement that makes it, and the sequence of its migration.
    pub place: Option<Place>,
}

impl Demand {
    /// One that no statement alone makes.
    pub fn new(kind: &str, object: &str, bump: Bump) -> Self {
        Self {
            kind: kind.to_owned(),
            object: object.to_owned(),
            bump,
            place: None,
        }
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.object)?;
        match self.place {
            Some((number, Some(migration))) => {
                write!(formatter, " (migration {migration}, statement {number})")
            }
            Some((number, None)) => write!(formatter, " (statement {number})"),
            None => Ok(()),
        }
    }
}

/// What a difference between two schemas demands of the clients of the old one, each kind of it once. Whether
/// data goes with it is another matter.
pub fn demands(change: &Change, place: Option<Place>) -> Vec<Demand> {
    let mut found: Vec<Demand> = Vec::new();
    let mut add = |kind: &str, bump: Bump| {
        if let Some(known) = found.iter_mut().find(|known| known.kind == kind) {
            known.bump = known.bump.max(bump);
            return;
        }
        found.push(Demand {
            kind: kind.to_owned(),
            object: change.object_name(),
            bump,
            place,
        });
    };
    for finding in &change.findings {
        match finding.level {
            Level::Breaking => add(finding.kind, Bump::Major),
            Level::Dangerous | Level::Addition => add(finding.kind, Bump::Minor),
            Level::Info => {}
        }
    }
    found
}

/// A version whose number says too little.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooSmall<'a> {
    /// The step that it makes.
    pub made: Bump,
    /// The step that it would have to make.
    pub needed: Bump,
    /// The changes that a step like its own can't carry.
    pub because: Vec<&'a Demand>,
    /// The lowest version that can.
    pub lowest: Version,
}

/// Whether a step of the version number is too small for what is demanded.
///
/// `previous` is the highest release below the version, so that a backport is compared with its own line and
/// a prerelease with what its release will be compared with; without one nothing is demanded, for there are
/// no clients. `published` are the releases that are there already, whose numbers are given.
pub fn judge<'a>(
    previous: Option<&Version>,
    version: &Version,
    demands: &'a [Demand],
    published: &[Version],
) -> Option<TooSmall<'a>> {
    let previous = previous?;
    let made = step(previous, version);
    let carried = carried(previous, version);
    let demanded = demands.iter().map(|demand| demand.bump).max()?;
    if demanded <= carried {
        return None;
    }
    let needed = if previous.major() == 0 {
        lower(demanded)
    } else {
        demanded
    };
    Some(TooSmall {
        made,
        needed,
        because: demands
            .iter()
            .filter(|demand| demand.bump > carried)
            .collect(),
        lowest: next(previous, needed, published),
    })
}

/// The step from one version to another; a prerelease makes that of its release.
fn step(previous: &Version, version: &Version) -> Bump {
    if previous.major() != version.major() {
        Bump::Major
    } else if previous.minor() != version.minor() {
        Bump::Minor
    } else {
        Bump::Patch
    }
}

/// What a step may carry: below 1.0.0 a minor one what a major one carries above, a patch what a minor.
fn carried(previous: &Version, version: &Version) -> Bump {
    match step(previous, version) {
        Bump::Minor if version.major() == 0 => Bump::Major,
        Bump::Patch if version.major() == 0 => Bump::Minor,
        made => made,
    }
}

/// The step that carries so much below 1.0.0.
fn lower(bump: Bump) -> Bump {
    match bump {
        Bump::Major => Bump::Minor,
        Bump::Minor | Bump::Patch => Bump::Patch,
    }
}

/// The lowest release by such a step whose number isn't given yet.
fn next(previous: &Version, step: Bump, published: &[Version]) -> Version {
    let same_major = |other: &&Version| other.major() == previous.major();
    match step {
        Bump::Major => {
            let highest = published.iter().map(Version::major).max();
            let highest = highest.unwrap_or_default().max(previous.major());
            Version::new(highest.saturating_add(1), 0, 0)
        }
        Bump::Minor => {
            let highest = published
                .iter()
                .filter(same_major)
                .map(Version::minor)
                .max();
            let highest = highest.unwrap_or_default().max(previous.minor());
            Version::new(previous.major(), highest.saturating_add(1), 0)
        }
        Bump::Patch => Version::new(
            previous.major(),
            previous.minor(),
            previous.patch().saturating_add(1),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().expect("a version")
    }

    fn demand(kind: &str, bump: Bump) -> Demand {
        Demand {
            kind: kind.to_owned(),
            object: "t.c".to_owned(),
            bump,
            place: Some((2, Some(7))),
        }
    }

    /// Made and needed step and the lowest version that would do, or `fits`.
    fn verdict(previous: &str, to: &str, bump: Bump, published: &[&str]) -> String {
        let previous = (!previous.is_empty()).then(|| version(previous));
        let published: Vec<Version> = published.iter().map(|text| version(text)).collect();
        let demands = [demand("column_dropped", bump)];
        judge(previous.as_ref(), &version(to), &demands, &published).map_or_else(
            || "fits".to_owned(),
            |found| {
                format!(
                    "{} {} {}",
                    found.made.as_str(),
                    found.needed.as_str(),
                    found.lowest
                )
            },
        )
    }

    #[test]
    fn a_step_carries_what_is_demanded_or_less() {
        assert_eq!(verdict("1.0.0", "2.0.0", Bump::Major, &[]), "fits");
        assert_eq!(verdict("1.0.0", "1.1.0", Bump::Minor, &[]), "fits");
        assert_eq!(verdict("1.0.0", "1.0.1", Bump::Patch, &[]), "fits");
        assert_eq!(verdict("1.0.0", "3.0.0", Bump::Patch, &[]), "fits");
    }

    #[test]
    fn too_small_a_step_is_told_with_the_lowest_that_would_do() {
        assert_eq!(
            verdict("1.2.3", "1.3.0", Bump::Major, &[]),
            "minor major 2.0.0"
        );
        assert_eq!(
            verdict("1.2.3", "1.2.4", Bump::Major, &[]),
            "patch major 2.0.0"
        );
        assert_eq!(
            verdict("1.2.3", "1.2.4", Bump::Minor, &[]),
            "patch minor 1.3.0"
        );
    }

    #[test]
    fn below_one_a_minor_step_carries_what_major_does_above() {
        assert_eq!(verdict("0.2.0", "0.3.0", Bump::Major, &[]), "fits");
        assert_eq!(verdict("0.2.0", "0.2.1", Bump::Minor, &[]), "fits");
        assert_eq!(
            verdict("0.2.0", "0.2.1", Bump::Major, &[]),
            "patch minor 0.3.0"
        );
        assert_eq!(verdict("0.2.0", "1.0.0", Bump::Major, &[]), "fits");
    }

    #[test]
    fn the_first_version_breaks_nobody() {
        assert_eq!(verdict("", "1.0.0", Bump::Major, &[]), "fits");
    }

    #[test]
    fn a_prerelease_makes_the_step_of_its_release() {
        assert_eq!(verdict("1.4.0", "2.0.0-rc.1", Bump::Major, &[]), "fits");
        assert_eq!(verdict("1.4.0", "1.5.0-rc.1", Bump::Minor, &[]), "fits");
        assert_eq!(
            verdict("1.4.0", "1.4.1-rc.1", Bump::Major, &[]),
            "patch major 2.0.0"
        );
    }

    #[test]
    fn the_lowest_version_is_one_that_is_not_given_yet() {
        let published = ["1.4.0", "1.5.0", "2.0.0"];
        assert_eq!(
            verdict("1.4.0", "1.4.1", Bump::Major, &published),
            "patch major 3.0.0"
        );
        assert_eq!(
            verdict("1.4.0", "1.4.1", Bump::Minor, &published),
            "patch minor 1.6.0"
        );
        assert_eq!(
            verdict("0.4.0", "0.4.1", Bump::Major, &["0.5.0", "1.0.0"]),
            "patch minor 0.6.0"
        );
    }

    #[test]
    fn only_what_the_step_cannot_carry_is_named() {
        let demands = [
            demand("column_dropped", Bump::Major),
            demand("table_added", Bump::Minor),
        ];
        let (previous, next) = (version("1.0.0"), version("1.1.0"));
        let found = judge(Some(&previous), &next, &demands, &[]).expect("too small");
        assert_eq!(found.because, [&demands[0]]);
        assert_eq!(
            demands[0].to_string(),
            "column_dropped t.c (migration 7, statement 2)"
        );
    }
}
