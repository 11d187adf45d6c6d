//! Where a new migration stands among those of its module, and whether it may stand there.

use npm_semver::Version;

use crate::model::{Isolation, Scope};

/// A registered migration, as far as its place in the order goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its place in the order.
    pub sequence: i32,
    /// The version it leads to.
    pub to_version: Version,
    /// Whether that version is out: what lies below it then is a backport.
    pub is_released: bool,
}

/// Why a migration can't be registered as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// It would run before one that leads to an older version.
    #[error("sequence {sequence} puts version {to_version} before sequence {} of version {}", .neighbour.sequence, .neighbour.to_version)]
    BeforeOlder {
        /// The sequence asked for.
        sequence: i32,
        /// The version it leads to.
        to_version: Version,
        /// The one it contradicts.
        neighbour: Place,
    },
    /// It would run after one that leads to a newer version.
    #[error("sequence {sequence} puts version {to_version} after sequence {} of version {}", .neighbour.sequence, .neighbour.to_version)]
    AfterNewer {
        /// The sequence asked for.
        sequence: i32,
        /// The version it leads to.
        to_version: Version,
        /// The one it contradicts.
        neighbour: Place,
    },
    /// No sequence is left behind the last one.
    #[error("no sequence is left after {last}")]
    Exhausted {
        /// The last one.
        last: i32,
    },
}

/// The sequence of a new migration: the one asked for, else the next one; refused when the order of
/// sequences would contradict the order of versions. `registered` is in order of sequence.
///
/// Migrations run by version and then by sequence, so the two orders agree, with one exception: a
/// backport comes after the released versions above it, because it was made after them.
///
/// # Errors
/// The neighbour that it contradicts.
pub fn sequence(
    registered: &[Place],
    to_version: &Version,
    asked: Option<i32>,
) -> Result<i32, Misplaced> {
    let sequence = match (asked, registered.last()) {
        (Some(asked), _) => asked,
        (None, None) => 1,
        (None, Some(last)) => last.sequence.checked_add(1).ok_or(Misplaced::Exhausted {
            last: last.sequence,
        })?,
    };
    let before = registered
        .iter()
        .rev()
        .filter(|place| place.sequence < sequence)
        .find(|place| place.to_version > *to_version && !place.is_released);
    let after = registered
        .iter()
        .filter(|place| place.sequence > sequence)
        .find(|place| place.to_version < *to_version);
    if let Some(neighbour) = before {
        let (to_version, neighbour) = (to_version.clone(), neighbour.clone());
        return Err(Misplaced::AfterNewer {
            sequence,
            to_version,
            neighbour,
        });
    }
    if let Some(neighbour) = after {
        let (to_version, neighbour) = (to_version.clone(), neighbour.clone());
        return Err(Misplaced::BeforeOlder {
            sequence,
            to_version,
            neighbour,
        });
    }
    Ok(sequence)
}

/// The scope that a migration has when nobody says one.
pub fn default_scope(isolation: Isolation) -> Scope {
    match isolation {
        Isolation::Row => Scope::Shared,
        Isolation::Schema => Scope::Site,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().expect("a version")
    }

    fn places(list: &[(i32, &str)]) -> Vec<Place> {
        list.iter()
            .map(|(sequence, text)| Place {
                sequence: *sequence,
                to_version: version(text),
                is_released: false,
            })
            .collect()
    }

    #[test]
    fn takes_the_next_sequence() {
        assert_eq!(sequence(&[], &version("1.0.0"), None), Ok(1));
        let registered = places(&[(1, "1.0.0"), (7, "1.1.0")]);
        assert_eq!(sequence(&registered, &version("1.1.0"), None), Ok(8));
        assert_eq!(sequence(&registered, &version("2.0.0"), None), Ok(8));
        let full = places(&[(i32::MAX, "1.0.0")]);
        assert_eq!(
            sequence(&full, &version("1.0.0"), None),
            Err(Misplaced::Exhausted { last: i32::MAX })
        );
    }

    #[test]
    fn order_of_sequences_follows_order_of_versions() {
        let registered = places(&[(10, "1.0.0"), (20, "1.1.0"), (30, "2.0.0")]);
        assert_eq!(sequence(&registered, &version("1.0.5"), Some(15)), Ok(15));
        assert_eq!(sequence(&registered, &version("1.1.0"), Some(15)), Ok(15));
        assert_eq!(sequence(&registered, &version("0.9.0"), Some(5)), Ok(5));
        assert!(matches!(
            sequence(&registered, &version("1.5.0"), None),
            Err(Misplaced::AfterNewer { sequence: 31, neighbour, .. }) if neighbour.sequence == 30
        ));
        assert!(matches!(
            sequence(&registered, &version("1.1.5"), Some(15)),
            Err(Misplaced::BeforeOlder { neighbour, .. }) if neighbour.sequence == 20
        ));
    }

    #[test]
    fn a_backport_comes_after_the_released_versions_above_it() {
        let mut registered = places(&[(1, "1.0.0"), (2, "2.0.0")]);
        registered[1].is_released = true;
        assert_eq!(sequence(&registered, &version("1.0.5"), None), Ok(3));
        registered.extend(places(&[(3, "1.0.5"), (4, "2.1.0")]));
        assert_eq!(sequence(&registered, &version("1.0.5"), Some(9)), {
            let neighbour = registered[3].clone();
            Err(Misplaced::AfterNewer {
                sequence: 9,
                to_version: version("1.0.5"),
                neighbour,
            })
        });
        assert_eq!(sequence(&registered, &version("2.1.0"), None), Ok(5));
        // A new version comes after every older one, backports among them.
        registered.pop();
        registered[2].sequence = 7;
        assert!(matches!(
            sequence(&registered, &version("2.1.0"), Some(5)),
            Err(Misplaced::BeforeOlder { neighbour, .. }) if neighbour.sequence == 7
        ));
    }

    #[test]
    fn build_metadata_and_prereleases_order_as_in_semver() {
        let registered = places(&[(1, "1.0.0-rc.1"), (2, "1.0.0")]);
        assert_eq!(
            sequence(&registered, &version("1.0.0+build.5"), None),
            Ok(3)
        );
        assert!(sequence(&registered, &version("1.0.0-rc.2"), None).is_err());
    }
}
