//! A schema as the definitions of its objects: fingerprint, what a run made of it, drift.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// The objects of a schema: `kind name` → definition, without OIDs, in a fixed order.
pub type Objects = BTreeMap<String, String>;

/// The fingerprint: equal for equal objects, whatever order they were made in. SHA-256 in hex.
pub fn fingerprint(objects: &Objects) -> String {
    let mut hash = Sha256::new();
    for (name, definition) in objects {
        // Lengths go first, so that no two lists of objects run together into the same bytes.
        for part in [name, definition] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    hex(&hash.finalize())
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What belongs to a module after a run: what belonged to it before and is still there, and what the
/// run made or changed. Objects that others keep in the same schema stay out.
pub fn owned_after(owned: &Objects, before: &Objects, after: &Objects) -> Objects {
    after
        .iter()
        .filter(|(name, definition)| {
            owned.contains_key(*name) || before.get(*name) != Some(*definition)
        })
        .map(|(name, definition)| (name.clone(), definition.clone()))
        .collect()
}

/// One way in which the live schema is not what the migrations made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// The object has gone.
    Missing(String),
    /// The object is defined otherwise.
    Different(String),
}

impl Drift {
    /// `missing: kind name` or `different: kind name`.
    pub fn describe(&self) -> String {
        match self {
            Self::Missing(name) => format!("missing: {name}"),
            Self::Different(name) => format!("different: {name}"),
        }
    }
}

/// How the live objects differ from those recorded after the last run.
pub fn drift(recorded: &Objects, live: &Objects) -> Vec<Drift> {
    recorded
        .iter()
        .filter_map(|(name, definition)| match live.get(name) {
            None => Some(Drift::Missing(name.clone())),
            Some(found) if found != definition => Some(Drift::Different(name.clone())),
            Some(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(list: &[(&str, &str)]) -> Objects {
        list.iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn fingerprint_ignores_the_order_of_creation() {
        let forwards = objects(&[("table a", "x"), ("table b", "y")]);
        let backwards = objects(&[("table b", "y"), ("table a", "x")]);
        assert_eq!(fingerprint(&forwards), fingerprint(&backwards));
    }

    #[test]
    fn fingerprint_tells_apart_what_would_read_the_same_in_a_row() {
        let one = objects(&[("table ab", "c")]);
        let other = objects(&[("table a", "bc")]);
        assert_ne!(fingerprint(&one), fingerprint(&other));
    }

    #[test]
    fn a_run_owns_what_it_made_and_what_was_owned_before() {
        let before = objects(&[
            ("table mine", "1"),
            ("table theirs", "1"),
            ("table gone", "1"),
        ]);
        let after = objects(&[
            ("table mine", "1"),
            ("table theirs", "1"),
            ("table new", "1"),
        ]);
        let owned = objects(&[("table mine", "1"), ("table gone", "1")]);
        assert_eq!(
            owned_after(&owned, &before, &after),
            objects(&[("table mine", "1"), ("table new", "1")])
        );
    }

    #[test]
    fn drift_names_what_is_missing_or_different_and_nothing_else() {
        let recorded = objects(&[("index i", "1"), ("table a", "1"), ("table b", "1")]);
        let live = objects(&[("table a", "2"), ("table b", "1"), ("table extra", "1")]);
        assert_eq!(
            drift(&recorded, &live),
            [
                Drift::Missing("index i".into()),
                Drift::Different("table a".into())
            ]
        );
    }
}
