//! Bodies that name what has gone. Whether such a function still runs can't be told: its text may name
//! something else, or never get there.

use std::collections::BTreeSet;

use super::super::change::{Collection, Level, ObjectRef, quoted};
use super::super::diff::{Report, SchemaPair, Side};
use super::super::model::{Function, FunctionKind, Relation, Schema};
use super::trigger;
use crate::plpgsql::Words;

pub(super) fn judge(pair: &SchemaPair<'_>, report: &mut Report<'_>) {
    let gone = Gone::of(pair);
    if gone.is_empty() {
        return;
    }
    for (name, function) in &pair.after.functions {
        if !is_text(function) {
            continue;
        }
        let words = Words::of(&function.body);
        let Some(missing) = gone.named_by(&words, name, function, pair) else {
            continue;
        };
        let object = ObjectRef::top(Collection::Functions, name);
        let note = format!(
            "its body names {missing}, which has gone; whether it still runs can't be told"
        );
        report.explain(
            Side::After,
            &object,
            "function_body_broken",
            Level::Dangerous,
            Some(note),
        );
    }
}

/// Whether the server keeps the body as text, and looks up names only when it runs.
fn is_text(function: &Function) -> bool {
    let is_kept_parsed = ["BEGIN ATOMIC", "RETURN "]
        .iter()
        .any(|start| function.body.starts_with(start));
    match function.language.as_str() {
        "plpgsql" => true,
        "sql" => !is_kept_parsed && function.kind != FunctionKind::Aggregate,
        _ => false,
    }
}

/// What was there before and isn't any more, by name.
struct Gone<'a> {
    relations: BTreeSet<&'a str>,
    /// Each with its relation.
    columns: BTreeSet<(&'a str, &'a str)>,
    functions: BTreeSet<&'a str>,
}

impl<'a> Gone<'a> {
    fn of(pair: &SchemaPair<'a>) -> Self {
        let (old, new) = (pair.before, pair.after);
        let relations = old.relations.keys();
        let relations = relations.filter(|name| !new.relations.contains_key(*name));
        let columns = old.relations.iter().filter_map(|(name, old)| {
            let new = new.relations.get(name)?;
            let gone = old
                .columns
                .keys()
                .filter(|column| !new.columns.contains_key(*column));
            Some(gone.map(move |column| (name.as_str(), column.as_str())))
        });
        let is_there = |name: &str| new.functions.values().any(|other| other.name == name);
        let functions = old
            .functions
            .values()
            .map(|function| function.name.as_str());
        Self {
            relations: relations.map(String::as_str).collect(),
            columns: columns.flatten().collect(),
            functions: functions.filter(|name| !is_there(name)).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.relations.is_empty() && self.columns.is_empty() && self.functions.is_empty()
    }

    /// The first of it that a body names.
    fn named_by(
        &self,
        words: &Words,
        name: &str,
        function: &Function,
        pair: &SchemaPair<'_>,
    ) -> Option<String> {
        let relation = self.relations.iter().find(|name| words.has_table(name));
        let called = || self.functions.iter().find(|name| words.calls(name));
        let column = || {
            self.columns.iter().find(|(relation, column)| {
                names_column(words, relation, column, name, function, pair)
            })
        };
        if let Some(name) = relation {
            return Some(quoted(name));
        }
        if let Some((relation, column)) = column() {
            return Some(format!("{}.{}", quoted(relation), quoted(column)));
        }
        called().map(|name| format!("{}()", quoted(name)))
    }
}

/// Whether a body asks a relation for that column, and can mean no other.
fn names_column(
    words: &Words,
    relation: &str,
    column: &str,
    name: &str,
    function: &Function,
    pair: &SchemaPair<'_>,
) -> bool {
    let after = pair.after;
    let is_of = |table: &Relation| trigger::runs(after, table, name);
    if words.has_field(column) && after.relations.get(relation).is_some_and(is_of) {
        // One function may serve the triggers of several tables.
        return !after
            .relations
            .values()
            .any(|other| other.columns.contains_key(column) && is_of(other));
    }
    words.has_table(relation)
        && words.has(column)
        && !words.declares(column)
        && !function.input_names.iter().any(|input| input == column)
        && !has_namesake(words, column, after)
}

fn has_namesake(words: &Words, column: &str, after: &Schema) -> bool {
    let mut relations = after.relations.iter();
    relations.any(|(name, relation)| relation.columns.contains_key(column) && words.has_table(name))
}
