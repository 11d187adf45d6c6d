//! Calls that several functions fit, since one of them has got a namesake.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::spi;
use versioning_core::catalog::Schema;
use versioning_core::catalog::model::{Function, FunctionKind};

use super::{Witness, shown};
use crate::error::Result;
use crate::pg::query;
use crate::pg::scope::with_settings;
use crate::pg::subtransaction::in_subtransaction;

/// SQLSTATE of a call that several functions fit.
const AMBIGUOUS: &str = "42725";

/// The SQLSTATE with which a statement can't even be understood.
pub fn analyzed(statement: &str) -> Option<String> {
    let settings = [("search_path", "pg_catalog, pg_temp")];
    in_subtransaction(|| with_settings(&settings, || query::analyze(statement)))
        .err()
        .map(|error| error.sqlstate())
}

/// Calls of functions that have got a namesake.
pub fn failing(
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
                    usage: None,
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
