//! Live schemas as the model of `versioning_core::catalog`.

mod assembly;
mod key;
mod part;
mod properties;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use pgrx::pg_sys::Oid;
use pgrx::spi::quote_identifier;
use versioning_core::catalog::Schema;

use self::assembly::Assembly;
use super::store::capture::{Printer, comments, user_schemas};
use crate::error::{Error, Result};
use crate::pg::identity::as_extension_owner;
use crate::pg::scope::with_settings;

/// What the schema consists of, with identities, so that two captures of one transaction tell a rename
/// from a drop and an addition. Its own objects are named without it, so that equal schemas of
/// different names are equal.
///
/// # Errors
/// 42704 when there is no such schema.
pub fn capture(schema: &str) -> Result<Schema> {
    let printer = Printer::within(schema);
    let mut models = models(&printer, vec![schema.to_owned()], false)?;
    let mut model = models.remove(schema).ok_or_else(|| {
        Error::not_found(format!("schema \"{schema}\" does not exist"))
            .hint("Schemas are listed in pg_namespace.")
    })?;
    for function in model.functions.values_mut() {
        for setting in &mut function.config {
            *setting = without_own_name(setting, schema);
        }
    }
    Ok(model)
}

/// What every schema consists of that holds people's objects, by name: those of the server, of this
/// extension and temporary ones are left out. All objects are named with their schemas, so these models
/// compare with each other (`versioning_core::catalog::diff_all`) and not with those of [`capture`].
///
/// # Errors
/// None of its own.
pub fn capture_all() -> Result<BTreeMap<String, Schema>> {
    capture_all_but(&BTreeSet::new())
}

/// The same without some schemas.
///
/// # Errors
/// None of its own.
pub fn capture_all_but(without: &BTreeSet<String>) -> Result<BTreeMap<String, Schema>> {
    let mut schemas = user_schemas()?;
    schemas.retain(|schema| !without.contains(schema));
    models(&Printer::qualified(), schemas, true)
}

fn models(
    printer: &Printer,
    names: Vec<String>,
    qualified: bool,
) -> Result<BTreeMap<String, Schema>> {
    // Whoever may not use a schema would see its names otherwise than who may. Names are quoted here as in
    // what the server prints.
    let settings = [("quote_all_identifiers", "off")];
    let assembled = || {
        let mut assembly = Assembly::new(comments()?, qualified);
        for namespace in printer.namespaces(names)? {
            assembly.add_schema(&namespace)?;
        }
        let schemas = oids(assembly.schemas());
        for object in printer.objects(&schemas)? {
            assembly.add(&object)?;
        }
        let relations = oids(assembly.relations(|_| true));
        let without_storage = oids(assembly.relations(assembly::stores_nothing));
        for column in printer.columns(&relations, &without_storage)? {
            assembly.add_column(column)?;
        }
        let computing = oids(assembly.relations(assembly::may_compute));
        for (view, number) in printer.readonly_columns(&computing)? {
            assembly.mark_readonly(view, number);
        }
        assembly.number_columns();
        for sequence in printer.sequences(&schemas)? {
            assembly.add_sequence(sequence);
        }
        let domains = oids(assembly.domains());
        for constraint in printer.constraints(&relations, &domains)? {
            assembly.add_constraint(constraint);
        }
        let indexes = printer.indexes(&relations, |index, usual| {
            assembly.has_usual_keys(index, usual)
        })?;
        for index in indexes {
            assembly.add_index(index);
        }
        for part in printer.parts(&relations)? {
            assembly.add(&part)?;
        }
        Ok(assembly.finished())
    };
    as_extension_owner(|| with_settings(&settings, assembled))
}

fn oids(numbers: impl Iterator<Item = u32>) -> Vec<Oid> {
    numbers.map(Oid::from).collect()
}

/// A function's `search_path` setting with a placeholder for the schema it lives in.
fn without_own_name(setting: &str, schema: &str) -> String {
    let Some(path) = setting.strip_prefix("search_path=") else {
        return setting.to_owned();
    };
    let own = quote_identifier(schema);
    let is_own = |element: &str| element == own || element.trim_matches('"') == schema;
    let elements: Vec<&str> = path
        .split(", ")
        .map(|element| if is_own(element) { "@schema@" } else { element })
        .collect();
    format!("search_path={}", elements.join(", "))
}
