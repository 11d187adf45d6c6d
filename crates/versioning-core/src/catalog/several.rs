//! The differences of a whole database: several schemas, between which objects may move.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::canonical;
use super::change::{Action, Change, Collection, Cost, Finding, Level, ObjectRef, quoted};
use super::diff::diff_with;
use super::model::{FORMAT, Identity, Named, Schema};
use super::rename::Renames;

/// Every difference of the schemas, as [`super::diff()`] tells them for one. An object that moved to another
/// schema is renamed, `orders` → `archive.orders`, and known by its identity only. Names of objects
/// outside the schema `own` are qualified ([`Change::schema`]).
///
/// The models name every object with its schema ([`Schema::qualified_as`]).
pub fn diff_all(
    before: &BTreeMap<String, Schema>,
    after: &BTreeMap<String, Schema>,
    own: Option<&str>,
) -> Vec<Change> {
    let names = names_now(before, after);
    let before = under_new_names(before, &names);
    let renames = Renames::of_several(&before, after);
    let after = with_moved(&before, after, &names);
    let mut found = Vec::new();
    for (name, old) in before.iter() {
        let now = names.get(name.as_str()).copied();
        let new = now.and_then(|now| after.get(now));
        let changes = match (now, new) {
            (Some(now), Some(new)) if now == name => diff_with(old, new, &renames),
            (Some(now), Some(new)) => {
                let mut changes = diff_with(old, new, &renames);
                changes.insert(0, schema_renamed(name, now));
                changes
            }
            _ => {
                let mut changes = vec![whole_schema(Action::Dropped(Value::Null), name)];
                // What moved away is kept under the name of the schema that has gone.
                let nothing = emptied(old);
                let new = after.get(name).unwrap_or(&nothing);
                changes.extend(diff_with(old, new, &renames));
                changes
            }
        };
        found.extend(named(changes, name, own));
    }
    for (name, new) in after
        .iter()
        .filter(|(name, _)| is_new(name, &names, &before))
    {
        let mut changes = vec![whole_schema(Action::Added(Value::Null), name)];
        changes.extend(diff_with(&emptied(new), new, &renames));
        found.extend(named(changes, name, own));
    }
    found
}

/// The name that each old schema has now; none for one that has gone.
fn names_now<'a>(
    before: &'a BTreeMap<String, Schema>,
    after: &'a BTreeMap<String, Schema>,
) -> HashMap<&'a str, &'a str> {
    let by_identity: HashMap<Identity, &str> = after
        .iter()
        .filter_map(|(name, schema)| Some((schema.identity?, name.as_str())))
        .collect();
    let taken = |name: &str| {
        // A namesake that another old schema has become is not this one made anew.
        let identity = after.get(name).and_then(|schema| schema.identity);
        identity.is_some_and(|identity| before.values().any(|old| old.identity == Some(identity)))
    };
    before
        .iter()
        .filter_map(|(name, old)| {
            let same = old
                .identity
                .and_then(|identity| by_identity.get(&identity).copied());
            let namesake = || {
                let (now, _) = after.get_key_value(name)?;
                (!taken(name)).then_some(now.as_str())
            };
            Some((name.as_str(), same.or_else(namesake)?))
        })
        .collect()
}

fn is_new(name: &str, names: &HashMap<&str, &str>, before: &BTreeMap<String, Schema>) -> bool {
    let is_now_of_an_old_one = names.values().any(|now| *now == name);
    // One that stands only for what moved out of a schema that has gone isn't new either.
    let has_gone = before.contains_key(name) && !names.contains_key(name);
    !is_now_of_an_old_one && !has_gone
}

/// The old models as they would read if their schemas had had the new names all along.
fn under_new_names<'a>(
    before: &'a BTreeMap<String, Schema>,
    names: &HashMap<&str, &str>,
) -> Cow<'a, BTreeMap<String, Schema>> {
    let renamed: Vec<(String, String)> = names
        .iter()
        .filter(|(name, now)| name != now)
        .map(|(name, now)| (format!("{}.", quoted(name)), format!("{}.", quoted(now))))
        .collect();
    if renamed.is_empty() {
        return Cow::Borrowed(before);
    }
    let rewritten = before.iter().map(|(name, schema)| {
        let mut value = canonical::value(schema);
        rename_in(&mut value, &renamed);
        let mut schema = canonical::read(&value.to_string()).unwrap_or_else(|_| schema.clone());
        // Their names carry types.
        schema.functions = with_keys_renamed(schema.functions, &renamed);
        schema.others = with_keys_renamed(schema.others, &renamed);
        schema.qualified_as = names
            .get(name.as_str())
            .copied()
            .or(Some(name))
            .map(str::to_owned);
        (name.clone(), schema)
    });
    Cow::Owned(rewritten.collect())
}

fn with_keys_renamed<T>(objects: Named<T>, renamed: &[(String, String)]) -> Named<T> {
    let objects = objects.into_iter();
    objects
        .map(|(key, object)| (with_prefixes_renamed(&key, renamed), object))
        .collect()
}

/// A body that the server keeps parsed names what it uses by what that is called now.
fn is_kept_parsed(body: &Value) -> bool {
    let starts = |word: &str| body.as_str().is_some_and(|text| text.starts_with(word));
    starts("BEGIN ATOMIC") || starts("RETURN ")
}

fn rename_in(value: &mut Value, renamed: &[(String, String)]) {
    match value {
        Value::String(text) => *text = with_prefixes_renamed(text, renamed),
        Value::Array(items) => items.iter_mut().for_each(|item| rename_in(item, renamed)),
        Value::Object(entries) => {
            for (name, entry) in entries.iter_mut() {
                if name != "body" || is_kept_parsed(entry) {
                    rename_in(entry, renamed);
                }
            }
        }
        _ => {}
    }
}

/// All at once: two schemas may have swapped their names.
fn with_prefixes_renamed(text: &str, renamed: &[(String, String)]) -> String {
    let is_inside = |letter: char| letter.is_alphanumeric() || "_.$\"".contains(letter);
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let found = renamed
            .iter()
            .find_map(|(old, new)| Some((rest.strip_prefix(old.as_str())?, new)))
            .filter(|_| !result.ends_with(is_inside));
        match found {
            Some((after, new)) => {
                result.push_str(new);
                rest = after;
            }
            None => {
                result.push(letter);
                rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            }
        }
    }
    result
}

/// Where an object of an old model is now.
#[derive(Clone)]
struct Place<'a> {
    schema: &'a str,
    key: &'a str,
}

type Places<'a> = HashMap<(Collection, u32), Place<'a>>;

fn places(models: &BTreeMap<String, Schema>) -> Places<'_> {
    let mut found = Places::new();
    for (schema, model) in models {
        let mut add = |collection, key, identity: Option<Identity>| {
            if let Some(identity) = identity {
                found.insert((collection, identity.object), Place { schema, key });
            }
        };
        model
            .relations
            .iter()
            .for_each(|(key, is)| add(Collection::Relations, key, is.identity));
        model
            .sequences
            .iter()
            .for_each(|(key, is)| add(Collection::Sequences, key, is.identity));
        model
            .functions
            .iter()
            .for_each(|(key, is)| add(Collection::Functions, key, is.identity));
        model
            .types
            .iter()
            .for_each(|(key, is)| add(Collection::Types, key, is.identity));
        model
            .others
            .iter()
            .for_each(|(key, is)| add(Collection::Others, key, is.identity));
    }
    found
}

/// The new models with every object that moved put back where it came from, under its full new name:
/// a rename within one schema is what a difference of two schemas knows.
fn with_moved<'a>(
    before: &BTreeMap<String, Schema>,
    after: &'a BTreeMap<String, Schema>,
    names: &HashMap<&str, &str>,
) -> Cow<'a, BTreeMap<String, Schema>> {
    let mut result = Cow::Borrowed(after);
    let now = places(after);
    for ((collection, identity), old) in places(before) {
        let Some(new) = now.get(&(collection, identity)) else {
            continue;
        };
        let home = names.get(old.schema).copied().unwrap_or(old.schema);
        if new.schema != home {
            let gone = before.get(old.schema).map(emptied);
            move_back(result.to_mut(), collection, new, home, gone);
        }
    }
    result
}

fn move_back(
    models: &mut BTreeMap<String, Schema>,
    collection: Collection,
    place: &Place<'_>,
    home: &str,
    gone: Option<Schema>,
) {
    let full_name = match collection {
        Collection::Functions | Collection::Others => {
            format!("{}.{}", quoted(place.schema), place.key)
        }
        _ => format!("{}.{}", quoted(place.schema), quoted(place.key)),
    };
    macro_rules! move_in {
        ($objects:ident) => {
            move_in!($objects, |_object| {})
        };
        ($objects:ident, $adapt:expr) => {
            if let Some(mut object) = models
                .get_mut(place.schema)
                .and_then(|from| from.$objects.remove(place.key))
            {
                $adapt(&mut object);
                let to = models
                    .entry(home.to_owned())
                    .or_insert_with(|| gone.unwrap_or_default());
                to.$objects.insert(full_name, object);
            }
        };
    }
    match collection {
        Collection::Relations => move_in!(relations),
        Collection::Sequences => move_in!(sequences),
        Collection::Types => move_in!(types),
        Collection::Others => move_in!(others),
        // It isn't found under its bare name any more.
        Collection::Functions => move_in!(functions, |function: &mut super::model::Function| {
            function.name = format!("{}.{}", quoted(place.schema), function.name);
        }),
        _ => {}
    }
}

/// The schema with nothing in it.
fn emptied(schema: &Schema) -> Schema {
    Schema {
        format: FORMAT,
        owner: schema.owner.clone(),
        comment: schema.comment.clone(),
        grants: schema.grants.clone(),
        default_privileges: schema.default_privileges.clone(),
        qualified_as: schema.qualified_as.clone(),
        ..Schema::default()
    }
}

fn whole_schema(action: Action, name: &str) -> Change {
    let (kind, level) = match action {
        Action::Added(_) => ("schema_added", Level::Addition),
        Action::Dropped(_) => ("schema_dropped", Level::Breaking),
        _ => ("schema_renamed", Level::Breaking),
    };
    Change {
        action,
        object: ObjectRef::top(Collection::Schema, name),
        schema: None,
        object_type: "schema".to_owned(),
        path: Vec::new(),
        properties: BTreeMap::new(),
        findings: vec![Finding {
            kind,
            level,
            note: None,
        }],
        losses: Vec::new(),
        cost: Cost::default(),
    }
}

fn schema_renamed(name: &str, now: &str) -> Change {
    whole_schema(Action::Renamed(now.to_owned()), name)
}

/// With the schema's name where it is needed.
fn named(changes: Vec<Change>, schema: &str, own: Option<&str>) -> impl Iterator<Item = Change> {
    let qualifier = (own != Some(schema)).then(|| schema.to_owned());
    let name = quoted(schema);
    changes.into_iter().map(move |mut change| {
        if change.object.collection == Collection::Schema {
            change.object.name.clone_from(&name);
        } else {
            change.schema.clone_from(&qualifier);
        }
        change
    })
}
