//! Witnesses: statements of a client of the old version that work before the scripts and fail after them,
//! where no difference of the catalogs tells. They are tried after the scripts, and those that fail there
//! are tried before them, too.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::spi;
use versioning_core::catalog::Schema;
use versioning_core::catalog::model::{Function, FunctionKind, RelationKind};

use super::pass::Catalogs;
use super::subject::Subject;
use crate::error::Result;
use crate::migration::execute::RunContext;
use crate::migration::trial::{Trial, try_script};
use crate::pg::query;
use crate::pg::scope::with_settings;
use crate::pg::subtransaction::{in_subtransaction, undone};
use crate::settings;

/// SQLSTATE of a call that several functions fit.
const AMBIGUOUS: &str = "42725";

/// A statement that fails after the scripts.
pub struct Witness {
    /// What it bears witness of.
    pub kind: &'static str,
    /// The function or table, with its schema where that isn't the module's own.
    pub object: String,
    /// The statement.
    pub statement: String,
    /// How it fails.
    pub sqlstate: String,
}

/// The statements that fail now, after the scripts.
///
/// # Errors
/// Errors that are not a statement's own.
pub fn failing(subject: &Subject, before: &Catalogs, after: &Catalogs) -> Result<Vec<Witness>> {
    let mut found = Vec::new();
    for (schema, model) in &after.schemas {
        let old = before.schemas.get(schema);
        calls(&subject.schema, schema, old, model, &mut found)?;
        if let Some(old) = old {
            writes(subject, schema, old, model, &mut found)?;
        }
    }
    Ok(found)
}

/// Those of them that work now, before the scripts.
///
/// # Errors
/// As [`failing`].
pub fn credible(subject: &Subject, witnesses: Vec<Witness>) -> Result<Vec<Witness>> {
    let mut credible: Vec<Witness> = Vec::new();
    for witness in witnesses {
        let sqlstate = match witness.kind {
            "function_call_ambiguous" => analyzed(&witness.statement),
            _ => ran(subject, &witness.statement)?,
        };
        let is_told = credible.iter().any(|one| one.object == witness.object);
        if !is_told && sqlstate.as_ref() != Some(&witness.sqlstate) {
            credible.push(witness);
        }
    }
    Ok(credible)
}

fn shown(home: &str, schema: &str, name: &str) -> String {
    if schema == home {
        name.to_owned()
    } else {
        format!("{}.{name}", spi::quote_identifier(schema))
    }
}

/// The SQLSTATE with which a statement can't even be understood.
fn analyzed(statement: &str) -> Option<String> {
    let settings = [("search_path", "pg_catalog, pg_temp")];
    in_subtransaction(|| with_settings(&settings, || query::analyze(statement)))
        .err()
        .map(|error| error.sqlstate())
}

/// Calls of functions that have got a namesake.
fn calls(
    home: &str,
    schema: &str,
    old: Option<&Schema>,
    model: &Schema,
    found: &mut Vec<Witness>,
) -> Result<()> {
    let known: BTreeSet<u32> = old
        .iter()
        .flat_map(|old| old.functions.values())
        .filter_map(|function| Some(function.identity?.object))
        .collect();
    let mut namesakes: BTreeMap<&str, Vec<(&str, &Function)>> = BTreeMap::new();
    for (signature, function) in &model.functions {
        namesakes
            .entry(&function.name)
            .or_default()
            .push((signature, function));
    }
    let is_old = |function: &Function| {
        let identity = function.identity;
        identity.is_some_and(|identity| known.contains(&identity.object))
    };
    for list in namesakes.values() {
        if list.iter().all(|(_, function)| is_old(function)) {
            continue;
        }
        for (signature, function) in list.iter().filter(|(_, function)| is_old(function)) {
            pgrx::check_for_interrupts!();
            let failing = call_texts(schema, function)
                .into_iter()
                .find(|call| analyzed(call).as_deref() == Some(AMBIGUOUS));
            if let Some(statement) = failing {
                found.push(Witness {
                    kind: "function_call_ambiguous",
                    object: shown(home, schema, signature),
                    statement,
                    sqlstate: AMBIGUOUS.to_owned(),
                });
            }
        }
    }
    Ok(())
}

/// Calls with as many arguments as the function takes, typed and not.
fn call_texts(schema: &str, function: &Function) -> Vec<String> {
    let verb = match function.kind {
        FunctionKind::Function | FunctionKind::Aggregate => "SELECT",
        FunctionKind::Procedure => "CALL",
        FunctionKind::Window => return Vec::new(),
    };
    let name = spi::quote_qualified_identifier(schema, &function.name);
    let most = function.input_types.len();
    let least = most.saturating_sub(usize::try_from(function.defaults).unwrap_or(0));
    let mut texts = Vec::new();
    for count in least..=most {
        let types = function.input_types.iter().take(count);
        let typed: Vec<String> = types.map(|one| format!("NULL::{one}")).collect();
        let untyped = vec!["NULL"; count];
        texts.push(format!("{verb} {name}({})", typed.join(", ")));
        texts.push(format!("{verb} {name}({})", untyped.join(", ")));
    }
    texts
}

/// Writes that a new trigger refuses, tried with a row that is there.
fn writes(
    subject: &Subject,
    schema: &str,
    old: &Schema,
    model: &Schema,
    found: &mut Vec<Witness>,
) -> Result<()> {
    let known: BTreeMap<u32, BTreeSet<u32>> = old
        .relations
        .values()
        .filter_map(|relation| {
            let triggers = relation.triggers.values();
            let triggers = triggers.filter_map(|trigger| Some(trigger.identity?.object));
            Some((relation.identity?.object, triggers.collect()))
        })
        .collect();
    for (name, relation) in &model.relations {
        let Some(known) = relation.identity.and_then(|one| known.get(&one.object)) else {
            continue;
        };
        let is_new = relation.triggers.values().any(|trigger| {
            let identity = trigger.identity;
            identity.is_some_and(|identity| !known.contains(&identity.object))
        });
        if !is_new || relation.kind != RelationKind::Table {
            continue;
        }
        let table = spi::quote_qualified_identifier(schema, name);
        let columns = relation.columns.iter();
        let columns: Vec<String> = columns
            .filter(|(_, column)| column.generated.is_none())
            .map(|(name, _)| spi::quote_identifier(name))
            .collect();
        for statement in write_texts(&table, &columns) {
            if let Some(sqlstate) = ran(subject, &statement)?.filter(|code| is_refusal(code)) {
                found.push(Witness {
                    kind: "writes_rejected_by_trigger",
                    object: shown(&subject.schema, schema, &spi::quote_identifier(name)),
                    statement,
                    sqlstate,
                });
                break;
            }
        }
    }
    Ok(())
}

/// An error that somebody raises to refuse a write: none that says that the trigger itself is broken.
fn is_refusal(sqlstate: &str) -> bool {
    sqlstate == "42501"
        || !["42", "XX", "57", "53", "55"]
            .iter()
            .any(|class| sqlstate.starts_with(class))
}

fn write_texts(table: &str, columns: &[String]) -> Vec<String> {
    let row = format!("ctid = (SELECT ctid FROM ONLY {table} LIMIT 1)");
    let mut texts = Vec::new();
    if let Some(column) = columns.first() {
        texts.push(format!(
            "UPDATE ONLY {table} SET {column} = {column} WHERE {row}"
        ));
        let columns = columns.join(", ");
        texts.push(format!(
            "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM ONLY {table} LIMIT 1"
        ));
    }
    texts.push(format!("DELETE FROM ONLY {table} WHERE {row}"));
    texts
}

/// The SQLSTATE with which a statement fails that is run as a script would and undone.
fn ran(subject: &Subject, statement: &str) -> Result<Option<String>> {
    let context = RunContext {
        site_id: subject.site_id,
        module_id: subject.module_id,
        schema: &subject.schema,
        owner: subject.owner,
    };
    let trial = Trial {
        observer: None,
        lock_timeout: settings::rehearsal_lock_timeout(),
        statement_timeout: None,
    };
    let tried = undone(|| try_script("witness", statement, &context, &trial))?;
    Ok(tried.execution.failure.map(|failure| failure.sqlstate))
}
