//! Properties as the queries return them, read into the model: what is NULL is the usual.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use versioning_core::catalog::model::Named;

use super::super::store::capture::Described;
use crate::error::{Error, Result};

/// Puts an object among the others of its kind.
pub fn insert<T: DeserializeOwned>(
    objects: &mut Named<T>,
    object: &Described,
    properties: Map<String, Value>,
) -> Result<()> {
    objects.insert(object.name.clone(), from_properties(object, properties)?);
    Ok(())
}

/// The properties of an object that aren't the usual.
pub fn properties(object: &Described) -> Result<Map<String, Value>> {
    match &object.properties {
        None => Ok(Map::new()),
        Some(text) => read_properties(&object.kind, &object.name, text),
    }
}

/// As [`properties`], of something of that kind and name.
pub fn read_properties(kind: &str, name: &str, text: &str) -> Result<Map<String, Value>> {
    let mut properties: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| broken(kind, name, &error))?;
    properties.retain(|_, value| !value.is_null());
    Ok(properties)
}

/// The object with those properties.
pub fn from_properties<T: DeserializeOwned>(
    object: &Described,
    properties: Map<String, Value>,
) -> Result<T> {
    from_value(&object.kind, &object.name, properties)
}

/// As [`from_properties`], of something of that kind and name.
pub fn from_value<T: DeserializeOwned>(
    kind: &str,
    name: &str,
    properties: Map<String, Value>,
) -> Result<T> {
    serde_json::from_value(Value::Object(properties)).map_err(|error| broken(kind, name, &error))
}

fn broken(kind: &str, name: &str, error: &serde_json::Error) -> Error {
    Error::internal(format!(
        "the catalog describes {kind} \"{name}\" in a way that isn't understood"
    ))
    .detail(format!("{error}."))
}
