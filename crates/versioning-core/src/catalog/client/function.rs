//! Functions and procedures: whether the calls of an old client still find one that does the same.

use super::super::change::{Collection, Level, ObjectRef};
use super::super::data_type::{self, Fit};
use super::super::diff::{Report, SchemaPair, Side};
use super::super::model::{Function, Schema};
use super::super::wording::defaults;
use super::access;

pub(super) fn judge(pair: &SchemaPair<'_>, report: &mut Report<'_>) {
    for (name, old) in &pair.before.functions {
        let object = ObjectRef::top(Collection::Functions, name);
        match pair.after.functions.get(name) {
            Some(new) if new.kind == old.kind => kept(report, &object, old, new),
            Some(_) => report.add(Side::Before, &object, "function_dropped", Level::Breaking),
            None => match same(old, pair.after) {
                // Only its types are called otherwise.
                Some(new) => kept(report, &object, old, &with_types_of(old, new)),
                None => gone(report, &object, old, pair.after),
            },
        }
    }
    for (name, new) in &pair.after.functions {
        let was_there = pair
            .before
            .functions
            .values()
            .any(|old| old.name == new.name);
        let is_old = pair.before.functions.contains_key(name) || same(new, pair.before).is_some();
        let replaces_one = pair.before.functions.iter().any(|(key, old)| {
            old.name == new.name
                && !pair.after.functions.contains_key(key)
                && takes_calls_of(old, new)
        });
        if is_old || replaces_one || !was_there {
            continue;
        }
        let object = ObjectRef::top(Collection::Functions, name);
        let note = "whether a call with literals becomes ambiguous can't be told".to_owned();
        report.explain(
            Side::After,
            &object,
            "function_overload_added",
            Level::Dangerous,
            Some(note),
        );
    }
}

/// The function of that identity, if it has the same name.
fn same<'a>(function: &Function, schema: &'a Schema) -> Option<&'a Function> {
    let identity = function.identity?;
    let mut functions = schema.functions.values();
    functions.find(|other| other.identity == Some(identity) && other.name == function.name)
}

/// One function's types are the same ones, whatever they are called.
fn with_types_of(old: &Function, new: &Function) -> Function {
    Function {
        input_types: old.input_types.clone(),
        arguments: old.arguments.clone(),
        result: old.result.clone(),
        ..new.clone()
    }
}

/// The signature has gone; another function of the name may take its calls.
fn gone(report: &mut Report<'_>, object: &ObjectRef, old: &Function, after: &Schema) {
    let mut overloads = after
        .functions
        .values()
        .filter(|new| new.name == old.name && new.kind == old.kind)
        .peekable();
    if overloads.peek().is_none() {
        report.add(Side::Before, object, "function_dropped", Level::Breaking);
        return;
    }
    match overloads.find(|new| takes_calls_of(old, new)) {
        None => report.add(
            Side::Before,
            object,
            "function_signature_changed",
            Level::Breaking,
        ),
        Some(new) => {
            report.add(
                Side::Before,
                object,
                "function_signature_extended",
                Level::Dangerous,
            );
            kept(report, object, old, new);
        }
    }
}

/// Whether a call of the old one finds the new one: the same arguments or wider ones, the rest with
/// defaults.
fn takes_calls_of(old: &Function, new: &Function) -> bool {
    let given = old.input_types.len();
    let required = new.input_types.len().saturating_sub(count(new.defaults));
    let fits = |was: &String, is: &String| was == is || is_implicit(was, is);
    given <= new.input_types.len()
        && given.saturating_sub(count(old.defaults)) >= required
        && old.variadic == new.variadic
        && old
            .input_types
            .iter()
            .zip(&new.input_types)
            .all(|(was, is)| fits(was, is))
}

fn count(number: i32) -> usize {
    usize::try_from(number).unwrap_or(0)
}

/// Whether PostgreSQL converts an argument by itself.
fn is_implicit(from: &str, to: &str) -> bool {
    let numbers = [
        "smallint",
        "integer",
        "bigint",
        "numeric",
        "real",
        "double precision",
    ];
    let place = |name: &str| numbers.iter().position(|number| *number == name);
    match (place(from), place(to)) {
        (Some(from), Some(to)) => from < to,
        _ => {
            let fit = data_type::compare(from, to).fit;
            fit == Fit::Widened
                || matches!(
                    (from, to),
                    (
                        "date",
                        "timestamp without time zone" | "timestamp with time zone"
                    ) | ("timestamp without time zone", "timestamp with time zone")
                )
        }
    }
}

fn is_same_list(report: &Report<'_>, old: &[String], new: &[String]) -> bool {
    let mut pairs = old.iter().zip(new);
    old.len() == new.len() && pairs.all(|(old, new)| report.same(old, new))
}

fn kept(report: &mut Report<'_>, object: &ObjectRef, old: &Function, new: &Function) {
    let returns_the_same = report.same_or_none(old.result.as_ref(), new.result.as_ref())
        && is_same_list(report, &old.outputs, &new.outputs);
    let wording = report.wording().of_all();
    let same_config = is_same_list(report, &old.config, &new.config);
    let same_body = report.same(&old.body, &new.body) && old.language == new.language;
    let mut add = |is: bool, kind, level| {
        if is {
            report.add(Side::Before, object, kind, level);
        }
    };
    let renamed = old
        .input_names
        .iter()
        .zip(&new.input_names)
        .any(|(was, is)| !was.is_empty() && was != is);
    add(renamed, "function_param_renamed", Level::Breaking);
    add(
        !returns_the_same,
        "function_return_type_changed",
        Level::Breaking,
    );
    let same_inputs = old.input_types.len() == new.input_types.len();
    add(
        same_inputs && new.defaults < old.defaults,
        "function_signature_changed",
        Level::Breaking,
    );
    add(
        same_inputs && new.defaults > old.defaults,
        "function_signature_extended",
        Level::Dangerous,
    );
    // Who passes many values doesn't pass an array, and the other way round.
    add(
        same_inputs && old.variadic != new.variadic,
        "function_signature_changed",
        Level::Breaking,
    );
    let (was, is) = (defaults(&old.arguments), defaults(&new.arguments));
    let same_defaults =
        was.len() == is.len() && was.iter().zip(&is).all(|(was, is)| wording.same(was, is));
    let only_defaults = same_inputs && old.defaults == new.defaults && returns_the_same;
    add(
        only_defaults && !same_defaults,
        "default_changed",
        Level::Dangerous,
    );
    // What had no name can now be passed by it.
    let names = |function: &Function| {
        function
            .input_names
            .iter()
            .filter(|name| !name.is_empty())
            .count()
    };
    add(
        same_inputs && !renamed && names(new) > names(old),
        "function_param_named",
        Level::Addition,
    );
    add(
        old.volatility != new.volatility,
        "function_volatility_changed",
        Level::Dangerous,
    );
    let rights = old.security_definer != new.security_definer || !same_config;
    add(rights, "function_security_changed", Level::Dangerous);
    add(
        old.strict != new.strict,
        "function_null_handling_changed",
        Level::Dangerous,
    );
    add(!same_body, "function_body_changed", Level::Info);
    access::grants(report, object, &old.grants, &new.grants, &new.owner);
    access::owner(report, object, &old.owner, &new.owner);
}
