//! What of people's data goes with a difference, as far as the schemas alone tell: how many rows and
//! values there are, and whether they had been copied elsewhere, only running it shows.
//!
//! Data is known by identity where there is one: a renamed column keeps its values, one that was
//! dropped and made anew doesn't.

use super::change::{Collection, ObjectRef};
use super::client::label_now;
use super::data_type;
use super::diff::{Report, SchemaPair, column_now};
use super::model::{Column, Relation, RelationKind, Schema, TypeKind};

/// Adds to the report what is destroyed.
pub(super) fn judge(pair: &SchemaPair<'_>, report: &mut Report<'_>) {
    for (name, old) in &pair.before.relations {
        let object = ObjectRef::top(Collection::Relations, name);
        match pair.relation_now(name) {
            Some((_, new)) if old.kind.holds_rows() && new.kind.holds_rows() => {
                columns(report, name, old, new, pair);
            }
            Some((_, new)) if old.kind == RelationKind::CompositeType => {
                attributes(report, name, old, new, pair.before);
            }
            _ if old.kind.holds_rows() => report.lose(&object, "table_dropped"),
            _ => {}
        }
    }
    sequences(pair, report);
    types(pair, report);
}

fn columns(
    report: &mut Report<'_>,
    name: &str,
    old: &Relation,
    new: &Relation,
    pair: &SchemaPair<'_>,
) {
    for (column, was) in old
        .columns
        .iter()
        .filter(|(_, was)| was.generated.is_none())
    {
        let object = ObjectRef::part(Collection::Columns, name, column);
        match column_now(column, was, new) {
            None => report.lose(&object, "column_dropped"),
            // Its values are computed from now on.
            Some((_, is)) if is.generated.is_some() => report.lose(&object, "column_dropped"),
            Some((_, is)) if is_cut(was, is, pair) => report.lose(&object, "column_type_narrowed"),
            Some(_) => {}
        }
    }
}

/// Whether values may be cut on their way to the new type; a domain counts as what it narrows.
fn is_cut(was: &Column, is: &Column, pair: &SchemaPair<'_>) -> bool {
    let (old, new) = (
        pair.before.base_of(&was.r#type),
        pair.after.base_of(&is.r#type),
    );
    let is_enum = |name: &str, schema: &Schema| {
        schema
            .own_type(name)
            .is_some_and(|found| found.kind == TypeKind::Enum)
    };
    // A value of an enum is its text; what has no value of that text is refused, not cut.
    let from_text = matches!(old, "text" | "character varying");
    if was.has_type_of(is) || old == new || (from_text && is_enum(new, pair.after)) {
        return false;
    }
    data_type::compare(old, new).lossy
}

/// Values of a composite type's attribute, where a table stores any.
fn attributes(
    report: &mut Report<'_>,
    name: &str,
    old: &Relation,
    new: &Relation,
    before: &Schema,
) {
    let quoted = before.printed_name(name);
    let stores = |relation: &Relation| {
        relation.kind.holds_rows()
            && relation
                .columns
                .values()
                .any(|column| column.r#type.trim_end_matches("[]") == quoted)
    };
    if !before.relations.values().any(stores) {
        return;
    }
    for (attribute, was) in &old.columns {
        let object = ObjectRef::part(Collection::Columns, name, attribute);
        match column_now(attribute, was, new) {
            None => report.lose(&object, "composite_attribute_dropped"),
            Some((_, is))
                if !is.has_type_of(was) && data_type::compare(&was.r#type, &is.r#type).lossy =>
            {
                report.lose(&object, "column_type_narrowed");
            }
            Some(_) => {}
        }
    }
}

/// Where a stand-alone sequence had got to; that of a column goes with the column.
fn sequences(pair: &SchemaPair<'_>, report: &mut Report<'_>) {
    let is_there = |name: &str, old: &super::model::Sequence| {
        pair.after
            .sequences
            .iter()
            .any(|(other, new)| match (old.identity, new.identity) {
                (Some(old), Some(new)) => old == new,
                _ => other == name,
            })
    };
    for (name, old) in &pair.before.sequences {
        if old.owned_by.is_none() && !is_there(name, old) {
            report.lose(
                &ObjectRef::top(Collection::Sequences, name),
                "sequence_dropped",
            );
        }
    }
}

/// Values of an enum that no row can have any more.
fn types(pair: &SchemaPair<'_>, report: &mut Report<'_>) {
    for (name, old) in pair
        .before
        .types
        .iter()
        .filter(|(_, old)| old.kind == TypeKind::Enum)
    {
        let Some(new) = pair.after.types.get(name) else {
            continue;
        };
        if (0..old.labels.len()).any(|place| label_now(place, old, new).is_none()) {
            report.lose(
                &ObjectRef::top(Collection::Types, name),
                "enum_value_removed",
            );
        }
    }
}
