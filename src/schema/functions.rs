//! The SQL functions of this room.

use std::collections::BTreeMap;

use pgrx::JsonB;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::Value;
use versioning_core::catalog::{self, Change, Schema, canonical};

use super::capture::{capture, capture_all};
use crate::error::{Error, Result, SqlResult};
use crate::pg::argument::{JsonbText, required};

#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn capture_schema(schema_name: Option<String>) -> SqlResult<JsonbText> {
    let schema = capture(&required(schema_name, "schema_name")?)?;
    Ok(JsonbText(canonical::shown(schema)))
}

/// Every user schema by name, with identities: two of them, taken in one database, compare with
/// certainty.
#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn _capture_schemas() -> SqlResult<JsonB> {
    let schemas = capture_all()?;
    let described = schemas
        .iter()
        .map(|(name, schema)| (name.clone(), canonical::value(schema)));
    Ok(JsonB(Value::Object(described.collect())))
}

#[pg_extern(stable, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn schema_fingerprint(schema_name: Option<String>) -> SqlResult<String> {
    let schema = capture(&required(schema_name, "schema_name")?)?;
    Ok(catalog::fingerprint(schema))
}

/// The columns of a difference.
type Row = (String, String, String, bool, bool, JsonB);

fn row(change: &Change) -> Row {
    (
        change.action.as_str().to_owned(),
        change.object_type.clone(),
        change.object_name(),
        change.is_breaking(),
        change.loses_data(),
        JsonB(change.detail()),
    )
}

fn malformed(name: &str, reason: impl std::fmt::Display) -> Error {
    Error::invalid_argument(format!("argument \"{name}\" is no description of a schema"))
        .detail(format!("It can't be read: {reason}."))
        .hint("Pass what capture_schema returned.")
}

fn read(document: Option<JsonbText>, name: &str) -> Result<Schema> {
    let text = required(document, name)?.0;
    catalog::read(&text).map_err(|reason| malformed(name, reason))
}

#[pg_extern(immutable, parallel_safe, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn schema_diff(
    before: Option<JsonbText>,
    after: Option<JsonbText>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(change, String),
            name!(object_type, String),
            name!(object_name, String),
            name!(breaking, bool),
            name!(data_loss, bool),
            name!(detail, JsonB),
        ),
    >,
    ErrorReport,
> {
    let changes = catalog::diff(&read(before, "before")?, &read(after, "after")?);
    let rows: Vec<Row> = changes.iter().map(row).collect();
    Ok(TableIterator::new(rows))
}

fn read_all(document: Option<JsonbText>, name: &str) -> Result<BTreeMap<String, Schema>> {
    let text = required(document, name)?.0;
    let schemas: BTreeMap<String, Schema> =
        serde_json::from_str(&text).map_err(|reason| malformed(name, reason))?;
    Ok(schemas)
}

/// As `schema_diff`, over what `_capture_schemas` returned; objects outside the schema `own` are named
/// with their schema.
#[pg_extern(immutable, parallel_safe, requires = ["tables"])]
#[search_path(pg_catalog, pg_temp)]
fn _schemas_diff(
    before: Option<JsonbText>,
    after: Option<JsonbText>,
    own: default!(Option<String>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(change, String),
            name!(object_type, String),
            name!(object_name, String),
            name!(breaking, bool),
            name!(data_loss, bool),
            name!(detail, JsonB),
        ),
    >,
    ErrorReport,
> {
    let (before, after) = (read_all(before, "before")?, read_all(after, "after")?);
    let changes = catalog::diff_all(&before, &after, own.as_deref());
    let rows: Vec<Row> = changes.iter().map(row).collect();
    Ok(TableIterator::new(rows))
}
