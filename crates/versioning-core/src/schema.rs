//! A schema as the definitions of its objects: fingerprint, what a run made of it, drift.

use std::collections::{BTreeMap, BTreeSet};

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

/// An object of a live schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its definition, as in [`Objects`].
    pub definition: String,
    /// The object it hangs on and goes with, as `table name`: of a column, an index, a trigger …
    pub table: Option<String>,
    /// What it is known by while a transaction lasts, whatever name it gets.
    pub identity: String,
}

/// A schema as it is now: `kind name` → object.
pub type Live = BTreeMap<String, Object>;

/// The definitions alone.
pub fn definitions(live: &Live) -> Objects {
    live.iter()
        .map(|(name, object)| (name.clone(), object.definition.clone()))
        .collect()
}

/// Whether the definition of such an object only changes when somebody says so. That of an index or view
/// also changes its text when what it is built on gets another name or type.
fn changes_by_word_only(name: &str) -> bool {
    ["column ", "function ", "procedure ", "aggregate "]
        .iter()
        .any(|kind| name.starts_with(kind))
}

/// Whether it is a right or a comment: whoever runs a platform adds those without changing the schema.
pub fn is_annotation(name: &str) -> bool {
    name.starts_with("grants on ") || name.starts_with("comment on ")
}

fn by_identity(live: &Live) -> BTreeMap<&str, (&str, &Object)> {
    live.iter()
        .map(|(name, object)| (object.identity.as_str(), (name.as_str(), object)))
        .collect()
}

/// What the module's objects are after a run, given those recorded before it.
///
/// What the run made is the module's, and what it changed of the module's is as it is now. What it left
/// alone is recorded as before: an object that had drifted is still told, and what others keep in the
/// schema stays theirs, under a new name too.
pub fn recorded_after(recorded: &Objects, before: &Live, after: &Live) -> Objects {
    let origins = by_identity(before);
    let mut result = Objects::new();
    for (name, object) in after {
        let origin = origins.get(object.identity.as_str());
        let definition = match origin {
            None => Some(&object.definition),
            Some((old_name, old)) => match recorded.get(*old_name) {
                Some(known) if old.definition == object.definition => Some(known),
                Some(_) => Some(&object.definition),
                None if old.definition != object.definition && changes_by_word_only(name) => {
                    Some(&object.definition)
                }
                None => None,
            },
        };
        if let Some(definition) = definition {
            result.insert(name.clone(), definition.clone());
        }
    }
    // What was missing before the run is missing still, unless its table went.
    for (name, definition) in recorded {
        if !before.contains_key(name) && !after.contains_key(name) {
            let table = table_in_name(name);
            if table.is_none_or(|table| !before.contains_key(&table) || after.contains_key(&table))
            {
                result.insert(name.clone(), definition.clone());
            }
        }
    }
    result
}

/// The table of an object that says it in its name.
fn table_in_name(name: &str) -> Option<String> {
    let relation = match name.strip_prefix("column ") {
        Some(column) => column.rsplit_once('.')?.0,
        None => {
            ["constraint ", "trigger ", "rule ", "policy "]
                .iter()
                .find_map(|kind| name.strip_prefix(kind))?
                .rsplit_once(" on ")?
                .1
        }
    };
    Some(format!("table {relation}"))
}

/// The objects of a schema that are not the module's, as names.
///
/// `whole_schema`: whether the schema is the module's own, so that everything in it counts; otherwise
/// only what hangs on the module's tables. What hangs on an object named already is left out.
pub fn extras(recorded: &Objects, live: &Live, whole_schema: bool) -> BTreeSet<String> {
    live.iter()
        .filter(|(name, _)| !recorded.contains_key(*name))
        .filter(|(name, object)| match &object.table {
            Some(table) if table != *name => recorded.contains_key(table),
            _ => whole_schema,
        })
        .filter(|(name, _)| {
            // Everybody's right to use a function or type comes with it.
            annotated(name)
                .is_none_or(|thing| recorded.contains_key(thing) || !live.contains_key(thing))
        })
        .map(|(name, _)| name.clone())
        .collect()
}

/// What a right or comment is about.
fn annotated(name: &str) -> Option<&str> {
    if let Some(thing) = name.strip_prefix("comment on ") {
        return Some(thing);
    }
    let thing = name.strip_prefix("grants on ")?;
    thing.rsplit_once(" to ").map(|(thing, _)| thing)
}

/// What others kept in the schema before a run and that is gone after it. What went with a table that the
/// run dropped is left out, but for columns, which hold data.
pub fn vanished(recorded: &Objects, before: &Live, after: &Live) -> Vec<String> {
    let there = by_identity(after);
    let gone = |name: &str, object: &Object| {
        !there.contains_key(object.identity.as_str()) && !after.contains_key(name)
    };
    before
        .iter()
        .filter(|(name, object)| !recorded.contains_key(*name) && gone(name, object))
        .filter(|(name, _)| !is_annotation(name))
        .filter(|(name, object)| {
            let Some((table, parent)) = object
                .table
                .as_ref()
                .and_then(|table| before.get_key_value(table))
            else {
                return true;
            };
            let with_table = gone(table, parent);
            !with_table || (name.starts_with("column ") && recorded.contains_key(table))
        })
        .map(|(name, _)| name.clone())
        .collect()
}

/// One way in which a schema is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// The object has gone.
    Missing(String),
    /// The object is defined otherwise.
    Different(String),
    /// The object is one more.
    Extra(String),
}

impl Drift {
    /// `missing: kind name`, `different: kind name` or `extra: kind name`.
    pub fn describe(&self) -> String {
        match self {
            Self::Missing(name) => format!("missing: {name}"),
            Self::Different(name) => format!("different: {name}"),
            Self::Extra(name) => format!("extra: {name}"),
        }
    }
}

/// How the live objects differ from those recorded after the last run; extra ones don't count. What went
/// with a table, and rights and comments that went with their object, need no word of their own.
pub fn drift(recorded: &Objects, live: &Objects) -> Vec<Drift> {
    let went_along = |name: &str| {
        let carrier = annotated(name).map(ToOwned::to_owned);
        carrier
            .into_iter()
            .chain(table_in_name(name))
            .any(|carrier| recorded.contains_key(&carrier) && !live.contains_key(&carrier))
    };
    recorded
        .iter()
        .filter(|(name, _)| live.contains_key(*name) || !went_along(name))
        .filter_map(|(name, definition)| match live.get(name) {
            None => Some(Drift::Missing(name.clone())),
            Some(found) if found != definition => Some(Drift::Different(name.clone())),
            Some(_) => None,
        })
        .collect()
}

/// How objects differ from those expected, extra ones too, without rights and comments that are more.
pub fn difference(expected: &Objects, found: &Objects) -> Vec<Drift> {
    let more = found
        .keys()
        .filter(|name| !expected.contains_key(*name) && !is_annotation(name))
        .map(|name| Drift::Extra(name.clone()));
    drift(expected, found).into_iter().chain(more).collect()
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
