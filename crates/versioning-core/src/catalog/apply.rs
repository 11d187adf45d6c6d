//! Making the new schema from the old one and the differences: the proof that none was left out.

use serde_json::{Map, Value};

use super::canonical::{self, Malformed};
use super::change::{Action, Change};
use super::model::Schema;

/// The schema that the changes of [`super::diff()`] lead to, without identities and positions.
///
/// # Errors
/// When the changes are not those of this schema.
pub fn apply(schema: &Schema, changes: &[Change]) -> Result<Schema, Malformed> {
    let mut value = canonical::stripped(canonical::value(schema), &canonical::INCIDENTAL);
    // Objects before their parts, for the parts stand under their objects' new names.
    let deepest = changes.iter().map(|change| change.path.len()).max();
    for depth in 0..=deepest.unwrap_or(0) {
        let level = || {
            changes
                .iter()
                .filter(move |change| change.path.len() == depth)
        };
        // All old names go before any new one comes: two objects may have swapped theirs.
        let mut moved: Vec<Option<Value>> =
            level().map(|change| take(&mut value, change)).collect();
        for (change, moved) in level().zip(&mut moved) {
            put(&mut value, change, moved.take());
        }
        for change in level() {
            set_properties(&mut value, change);
        }
    }
    canonical::read(&value.to_string())
}

/// The map that holds the object of that path, made where it is missing, and the object's name in it.
fn container<'a>(value: &'a mut Value, path: &[String]) -> Option<&'a mut Map<String, Value>> {
    let mut place = value;
    for step in path {
        let entries = place.as_object_mut()?;
        place = entries
            .entry(step.clone())
            .or_insert_with(|| Value::Object(Map::new()));
    }
    place.as_object_mut()
}

fn take(value: &mut Value, change: &Change) -> Option<Value> {
    let (name, path) = change.path.split_last()?;
    match change.action {
        Action::Dropped(_) | Action::Renamed(_) => container(value, path)?.remove(name),
        _ => None,
    }
}

fn put(value: &mut Value, change: &Change, moved: Option<Value>) {
    let Some((name, path)) = change.path.split_last() else {
        return;
    };
    let Some(entries) = container(value, path) else {
        return;
    };
    match (&change.action, moved) {
        (Action::Added(object), _) => {
            entries.insert(name.clone(), object.clone());
        }
        (Action::Renamed(to), Some(object)) => {
            entries.insert(to.clone(), object);
        }
        _ => {}
    }
}

fn set_properties(value: &mut Value, change: &Change) {
    if change.properties.is_empty() {
        return;
    }
    let mut path = change.path.clone();
    if let (Action::Renamed(to), Some(name)) = (&change.action, path.last_mut()) {
        name.clone_from(to);
    }
    let Some(object) = container(value, &path) else {
        return;
    };
    for (property, (_, after)) in &change.properties {
        match after {
            Value::Null => object.remove(property),
            after => object.insert(property.clone(), after.clone()),
        };
    }
}
