//! What differs, object by object, without a judgement: the two models are paired by identity where
//! both carry one, by name otherwise.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value};

use super::canonical::{INCIDENTAL, stripped};
use super::change::{Action, Change, Collection, Cost, ObjectRef};

type Objects = Map<String, Value>;

/// What became of an object of the old model, or where one of the new model came from.
enum Pair<'a> {
    Kept(&'a str, &'a Value, &'a Value),
    Recreated(&'a str, &'a Value, &'a Value),
    Renamed(&'a str, &'a str, &'a Value, &'a Value),
    Dropped(&'a str, &'a Value),
    Added(&'a str, &'a Value),
}

/// The two sides of an object whose parts are compared.
#[derive(Clone, Copy)]
struct Sides<'a> {
    before: &'a Value,
    after: &'a Value,
    /// Set below an object that was made anew: all identities differ there.
    by_name: bool,
}

/// All differences, each object before its parts.
pub(super) fn compare(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    let sides = Sides {
        before,
        after,
        by_name: false,
    };
    let properties = properties(Collection::Schema, before, after);
    if !properties.is_empty() {
        let schema = ObjectRef::top(Collection::Schema, "schema");
        found.push(change(
            Action::Changed,
            schema,
            before,
            Vec::new(),
            properties,
        ));
    }
    compare_parts(&mut found, Collection::Schema, None, &[], sides);
    found
}

fn compare_parts(
    found: &mut Vec<Change>,
    whole: Collection,
    name: Option<&str>,
    path: &[String],
    sides: Sides<'_>,
) {
    for part in whole.parts() {
        let empty = Objects::new();
        let old = sides.before[part.as_str()].as_object().unwrap_or(&empty);
        let new = sides.after[part.as_str()].as_object().unwrap_or(&empty);
        for pair in pairs(old, new, sides.by_name) {
            note(found, *part, name, path, sides.by_name, &pair);
        }
    }
}

fn note(
    found: &mut Vec<Change>,
    collection: Collection,
    parent: Option<&str>,
    path: &[String],
    by_name: bool,
    pair: &Pair<'_>,
) {
    let object = |name: &str| ObjectRef {
        collection,
        parent: parent.map(str::to_owned),
        name: name.to_owned(),
    };
    let place = |name: &str| {
        let mut place = path.to_vec();
        place.extend([collection.as_str().to_owned(), name.to_owned()]);
        place
    };
    let bare = |value: &Value| stripped(value.clone(), &INCIDENTAL);
    let (name, new_name, old, new, action) = match *pair {
        Pair::Added(name, value) => {
            let action = Action::Added(bare(value));
            found.push(change(
                action,
                object(name),
                value,
                place(name),
                BTreeMap::new(),
            ));
            return;
        }
        Pair::Dropped(name, value) => {
            let action = Action::Dropped(bare(value));
            found.push(change(
                action,
                object(name),
                value,
                place(name),
                BTreeMap::new(),
            ));
            return;
        }
        Pair::Kept(name, old, new) => (name, name, old, new, Action::Changed),
        Pair::Recreated(name, old, new) => (name, name, old, new, Action::Recreated),
        Pair::Renamed(name, to, old, new) => (name, to, old, new, Action::Renamed(to.to_owned())),
    };
    let properties = properties(collection, old, new);
    let recreated = action == Action::Recreated;
    if action != Action::Changed || !properties.is_empty() {
        found.push(change(action, object(name), old, place(name), properties));
    }
    if collection == Collection::Relations && is_reordered(old, new) {
        found.push(change(
            Action::Reordered,
            object(name),
            old,
            place(new_name),
            BTreeMap::new(),
        ));
    }
    let sides = Sides {
        before: old,
        after: new,
        by_name: by_name || recreated,
    };
    compare_parts(found, collection, Some(name), &place(new_name), sides);
}

fn change(
    action: Action,
    object: ObjectRef,
    value: &Value,
    path: Vec<String>,
    properties: BTreeMap<String, (Value, Value)>,
) -> Change {
    Change {
        object_type: object_type(object.collection, value),
        action,
        object,
        schema: None,
        path,
        properties,
        findings: Vec::new(),
        losses: Vec::new(),
        cost: Cost::default(),
    }
}

/// What an object is called. The first kind of each enum is the usual one and isn't written.
fn object_type(collection: Collection, value: &Value) -> String {
    let kind = |usual: &str| value["kind"].as_str().unwrap_or(usual).to_owned();
    match collection {
        Collection::Relations => match value["kind"].as_str() {
            Some("partitioned table") => "table".to_owned(),
            _ => kind("table"),
        },
        Collection::Functions => kind("function"),
        Collection::Types => kind("enum"),
        Collection::Others => kind("object"),
        Collection::Schema => "schema".to_owned(),
        Collection::Columns => "column".to_owned(),
        Collection::Constraints => "constraint".to_owned(),
        Collection::Indexes => "index".to_owned(),
        Collection::Triggers => "trigger".to_owned(),
        Collection::Rules => "rule".to_owned(),
        Collection::Policies => "policy".to_owned(),
        Collection::Sequences => "sequence".to_owned(),
    }
}

fn identity(value: &Value) -> Option<(u64, i64)> {
    let identity = value.get("identity")?;
    Some((
        identity["object"].as_u64()?,
        identity["number"].as_i64().unwrap_or(0),
    ))
}

fn pairs<'a>(before: &'a Objects, after: &'a Objects, by_name: bool) -> Vec<Pair<'a>> {
    let by_identity: HashMap<(u64, i64), &str> = after
        .iter()
        .filter(|_| !by_name)
        .filter_map(|(name, value)| Some((identity(value)?, name.as_str())))
        .collect();
    let known: HashSet<(u64, i64)> = before.values().filter_map(identity).collect();
    let mut taken: HashSet<&str> = HashSet::new();
    let mut found = Vec::with_capacity(before.len());
    for (name, old) in before {
        let partner = identity(old).and_then(|identity| by_identity.get(&identity).copied());
        let namesake = after.get(name);
        let pair = match (partner, namesake) {
            (Some(partner), Some(new)) if partner == name => Pair::Kept(name, old, new),
            (Some(partner), _) => match after.get(partner) {
                Some(new) => Pair::Renamed(name, partner, old, new),
                None => Pair::Dropped(name, old),
            },
            (None, Some(new)) => match identity(new) {
                Some(other) if !by_name && identity(old).is_some() => {
                    // Somebody else's new name, or the same name made anew.
                    if known.contains(&other) {
                        Pair::Dropped(name, old)
                    } else {
                        Pair::Recreated(name, old, new)
                    }
                }
                _ => Pair::Kept(name, old, new),
            },
            (None, None) => Pair::Dropped(name, old),
        };
        match pair {
            Pair::Kept(name, ..) | Pair::Recreated(name, ..) | Pair::Renamed(_, name, ..) => {
                taken.insert(name);
            }
            Pair::Dropped(..) | Pair::Added(..) => {}
        }
        found.push(pair);
    }
    let new = after
        .iter()
        .filter(|(name, _)| !taken.contains(name.as_str()));
    found.extend(new.map(|(name, value)| Pair::Added(name, value)));
    found
}

/// The object's own properties that are others.
fn properties(
    collection: Collection,
    before: &Value,
    after: &Value,
) -> BTreeMap<String, (Value, Value)> {
    let empty = Objects::new();
    let (before, after) = (
        before.as_object().unwrap_or(&empty),
        after.as_object().unwrap_or(&empty),
    );
    let is_part = |name: &str| {
        INCIDENTAL.contains(&name) || collection.parts().iter().any(|part| part.as_str() == name)
    };
    before
        .keys()
        .chain(after.keys())
        .filter(|name| !is_part(name) && before.get(*name) != after.get(*name))
        .map(|name| {
            let of = |side: &Objects| side.get(name).cloned().unwrap_or(Value::Null);
            (name.clone(), (of(before), of(after)))
        })
        .collect()
}

/// Whether columns that both sides have, under whatever name, stand in another order.
fn is_reordered(before: &Value, after: &Value) -> bool {
    let empty = Objects::new();
    let old = before["columns"].as_object().unwrap_or(&empty);
    let new = after["columns"].as_object().unwrap_or(&empty);
    let mut places: Vec<(i64, i64)> = pairs(old, new, false)
        .iter()
        .filter_map(|pair| match pair {
            Pair::Kept(_, old, new)
            | Pair::Renamed(_, _, old, new)
            | Pair::Recreated(_, old, new) => {
                Some((old["position"].as_i64()?, new["position"].as_i64()?))
            }
            Pair::Dropped(..) | Pair::Added(..) => None,
        })
        .collect();
    places.sort_unstable();
    !places.is_sorted_by_key(|(_, after)| *after)
}
