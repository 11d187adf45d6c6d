//! The text of a schema, the same for equal schemas, and its hash.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::model::{FORMAT, Schema};
use crate::schema::hex;

/// Properties that say where something is, not what it is.
pub(super) const INCIDENTAL: [&str; 5] = [
    "identity",
    "label_identities",
    "position",
    "qualified_as",
    "type_identity",
];

/// A text that describes no schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

/// Reads a schema as [`value`] writes it, identities included where there are any.
///
/// # Errors
/// When it is no such text, or one of another format.
pub fn read(text: &str) -> Result<Schema, Malformed> {
    match serde_json::from_str::<Schema>(text) {
        Ok(schema) if schema.format == FORMAT => Ok(schema),
        read => {
            let value: Value = serde_json::from_str(text).map_err(|error| malformed(&error))?;
            known_format(&value)?;
            read.map_err(|error| malformed(&error))
        }
    }
}

/// What is wrong, without the place: nobody sees the text with its line breaks.
fn malformed(error: &serde_json::Error) -> Malformed {
    let message = error.to_string();
    let place = message.rfind(" at line ").unwrap_or(message.len());
    let message = message.get(..place).unwrap_or_default();
    let unknown = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split('`').next());
    Malformed(match unknown {
        Some(name) => format!("nothing in a description has the property \"{name}\" there"),
        None => message.to_owned(),
    })
}

fn known_format(value: &Value) -> Result<(), Malformed> {
    let Some(properties) = value.as_object() else {
        return Err(Malformed("it is no JSON object".to_owned()));
    };
    match properties.get("format") {
        Some(format) if *format == FORMAT => Ok(()),
        Some(format) => Err(Malformed(format!(
            "its format is {format}, and {FORMAT} is the one known"
        ))),
        None => Err(Malformed(format!("it has no \"format\": {FORMAT}"))),
    }
}

/// The schema as JSON, with identities and positions.
pub fn value(schema: &Schema) -> Value {
    let mut marked = serde_json::to_value(schema).unwrap_or_default();
    if let Value::Object(properties) = &mut marked {
        properties.insert("format".to_owned(), FORMAT.into());
    }
    marked
}

/// The schema's text without identities: what is shown and stored. Positions stay as information.
pub fn shown(schema: Schema) -> String {
    serde_json::to_string(&without_identities(schema)).unwrap_or_default()
}

/// The canonical text: equal for equal schemas, whatever OIDs, order of creation or of columns.
pub fn text(schema: &Schema) -> String {
    text_of(schema.clone())
}

fn text_of(schema: Schema) -> String {
    serde_json::to_string(&bare(schema)).unwrap_or_default()
}

/// SHA-256 of the canonical text, in hex.
pub fn fingerprint(schema: Schema) -> String {
    hex(&Sha256::digest(text_of(schema).as_bytes()))
}

fn bare(schema: Schema) -> Schema {
    let mut bare = without_identities(schema);
    let relations = bare.relations.values_mut();
    for column in relations.flat_map(|relation| relation.columns.values_mut()) {
        column.position = None;
    }
    bare
}

fn without_identities(mut bare: Schema) -> Schema {
    bare.format = FORMAT;
    bare.identity = None;
    bare.qualified_as = None;
    macro_rules! forget {
        ($($objects:expr),*) => {
            $($objects.values_mut().for_each(|object| object.identity = None);)*
        };
    }
    forget!(
        bare.relations,
        bare.sequences,
        bare.functions,
        bare.types,
        bare.others
    );
    for relation in bare.relations.values_mut() {
        forget!(
            relation.columns,
            relation.constraints,
            relation.indexes,
            relation.triggers,
            relation.rules,
            relation.policies
        );
        let columns = relation.columns.values_mut();
        columns.for_each(|column| column.type_identity = None);
    }
    for kind in bare.types.values_mut() {
        forget!(kind.constraints);
        kind.label_identities.clear();
    }
    bare
}

/// Without those properties, at every object. They hang on objects of the model only: a name that
/// happens to be one of these words is kept, for what it names is itself an object.
pub(super) fn stripped(value: Value, words: &[&str]) -> Value {
    strip(value, words, false)
}

fn strip(value: Value, words: &[&str], is_named: bool) -> Value {
    match value {
        Value::Object(entries) => Value::Object(
            entries
                .into_iter()
                .filter(|(name, _)| is_named || !words.contains(&name.as_str()))
                .map(|(name, entry)| {
                    let holds_names = !is_named && NAMED.contains(&name.as_str());
                    (name, strip(entry, words, holds_names))
                })
                .collect(),
        ),
        other => other,
    }
}

/// Properties that are objects by name.
const NAMED: [&str; 11] = [
    "columns",
    "constraints",
    "functions",
    "indexes",
    "others",
    "policies",
    "relations",
    "rules",
    "sequences",
    "triggers",
    "types",
];
