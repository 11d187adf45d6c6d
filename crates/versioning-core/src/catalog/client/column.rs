//! Columns, view columns and attributes of composite types.

use super::super::change::{Collection, Level, ObjectRef, quoted};
use super::super::data_type::{self, Fit};
use super::super::diff::{Report, SchemaPair, Side, WordingOf, column_now};
use super::super::model::{Column, Relation, RelationKind, Schema};
use super::{access, view};

/// The kinds that a relation's columns are reported under.
struct Kinds {
    dropped: &'static str,
    renamed: &'static str,
    type_changed: &'static str,
}

const COLUMN: Kinds = Kinds {
    dropped: "column_dropped",
    renamed: "column_renamed",
    type_changed: "column_type_changed",
};
const VIEW: Kinds = Kinds {
    dropped: "view_column_dropped",
    renamed: "view_column_renamed",
    type_changed: "view_column_type_changed",
};
const ATTRIBUTE: Kinds = Kinds {
    dropped: "composite_attribute_dropped",
    renamed: "composite_attribute_renamed",
    type_changed: "composite_attribute_type_changed",
};

fn kinds(kind: RelationKind) -> &'static Kinds {
    match kind {
        RelationKind::CompositeType => &ATTRIBUTE,
        RelationKind::View | RelationKind::MaterializedView => &VIEW,
        _ => &COLUMN,
    }
}

pub(super) fn judge(
    pair: &SchemaPair<'_>,
    report: &mut Report<'_>,
    relation: &str,
    old: &Relation,
    new: &Relation,
) {
    let kinds = kinds(old.kind);
    let wording = report.wording().of_relation(pair, old, new);
    for (name, was) in &old.columns {
        let object = ObjectRef::part(Collection::Columns, relation, name);
        match new.columns.get(name) {
            None => {
                let now = column_now(name, was, new).or_else(|| view::column_now(name, old, new));
                let kind = if now.is_some() {
                    kinds.renamed
                } else {
                    kinds.dropped
                };
                report.add(Side::Before, &object, kind, Level::Breaking);
                if let Some((_, is)) = now {
                    kept(pair, report, &object, (old.kind, new.kind), was, is);
                    if old.kind.is_table() && new.kind.is_table() {
                        let proved = is_proved_not_null(name, old);
                        written(report, &wording, &object, was, is, proved);
                    }
                }
            }
            Some(is) => {
                kept(pair, report, &object, (old.kind, new.kind), was, is);
                if old.kind == RelationKind::View && new.kind == old.kind {
                    view_default(pair, report, &wording, &object, new, was, is);
                }
                if old.kind.is_table() && new.kind.is_table() {
                    written(
                        report,
                        &wording,
                        &object,
                        was,
                        is,
                        is_proved_not_null(name, old),
                    );
                    swapped(report, &object, name, was, old, new);
                }
                let was_written = old.kind.is_table() || (old.updatable && !was.readonly);
                if was_written && new.updatable && is.readonly {
                    report.add(Side::Before, &object, "view_not_updatable", Level::Breaking);
                }
                access::part_grants(
                    report,
                    &object,
                    &was.grants,
                    &is.grants,
                    &new.grants,
                    &new.owner,
                );
            }
        }
    }
    judge_added(pair, report, relation, old, new);
}

/// Only what came: `relation` may be called otherwise than before, behind a view of its old name.
pub(super) fn judge_added(
    pair: &SchemaPair<'_>,
    report: &mut Report<'_>,
    relation: &str,
    old: &Relation,
    new: &Relation,
) {
    for (name, is) in &new.columns {
        let was_there = old.columns.contains_key(name)
            || is.identity.is_some_and(|identity| {
                let mut columns = old.columns.values();
                columns.any(|was| was.identity == Some(identity))
            });
        if !was_there {
            let object = ObjectRef::part(Collection::Columns, relation, name);
            added(report, &object, old.kind, is, pair.after);
        }
    }
}

/// How the new type relates to the old one. A client sees a domain as what it narrows.
fn fit(pair: &SchemaPair<'_>, old: &str, new: &str) -> Fit {
    let (base, new_base) = (pair.before.base_of(old), pair.after.base_of(new));
    match (base == new_base, new_base == new) {
        (true, true) => Fit::Widened,
        (true, false) => Fit::Narrowed,
        (false, _) => data_type::compare(base, new_base).fit,
    }
}

/// What a reader notices, of a relation that was of one kind and is of another.
fn kept(
    pair: &SchemaPair<'_>,
    report: &mut Report<'_>,
    object: &ObjectRef,
    (old_kind, new_kind): (RelationKind, RelationKind),
    was: &Column,
    is: &Column,
) {
    // A view in a table's place shows what it shows.
    let kind = if new_kind == RelationKind::View {
        new_kind
    } else {
        old_kind
    };
    let kinds = kinds(kind);
    if !was.has_type_of(is) {
        let fit = fit(pair, &was.r#type, &is.r#type);
        let (kind, level) = match (kind.is_table(), fit) {
            (true, Fit::Widened) => ("column_type_widened", Level::Dangerous),
            (true, Fit::Narrowed) => ("column_type_narrowed", Level::Breaking),
            (false, Fit::Widened) if kind != RelationKind::CompositeType => {
                ("column_type_widened", Level::Dangerous)
            }
            _ => (kinds.type_changed, Level::Breaking),
        };
        let note = Some(format!("{object}: {} → {}", was.r#type, is.r#type));
        report.explain(Side::Before, object, kind, level, note);
    }
    if was.collation != is.collation {
        report.add(Side::Before, object, "collation_changed", Level::Dangerous);
    }
}

/// What a writer notices of the default that a view has for a column.
fn view_default(
    pair: &SchemaPair<'_>,
    report: &mut Report<'_>,
    wording: &WordingOf<'_>,
    object: &ObjectRef,
    view: &Relation,
    was: &Column,
    is: &Column,
) {
    if wording.same_or_none(was.default.as_ref(), is.default.as_ref()) {
        return;
    }
    let lost = was.default.is_some() && is.default.is_none();
    let (kind, level) = if lost && view::is_required(pair.after, view, &object.name) {
        ("default_dropped", Level::Breaking)
    } else {
        ("default_changed", Level::Dangerous)
    };
    report.add(Side::Before, object, kind, level);
}

/// What a writer notices.
fn written(
    report: &mut Report<'_>,
    wording: &WordingOf<'_>,
    object: &ObjectRef,
    was: &Column,
    is: &Column,
    proved_not_null: bool,
) {
    let same_default = wording.same_or_none(was.default.as_ref(), is.default.as_ref());
    let same_expression = wording.same_or_none(was.generated.as_ref(), is.generated.as_ref());
    let mut add = |is: bool, kind, level| {
        if is {
            report.add(Side::Before, object, kind, level);
        }
    };
    let fills_itself = |column: &Column| column.default.is_some() || column.identity_kind.is_some();
    let lost_default = fills_itself(was) && !fills_itself(is) && is.generated.is_none();
    add(
        !was.not_null && is.not_null && !proved_not_null,
        "not_null_added",
        Level::Breaking,
    );
    add(
        was.not_null && !is.not_null,
        "not_null_dropped",
        Level::Dangerous,
    );
    add(
        lost_default && is.not_null,
        "default_dropped",
        Level::Breaking,
    );
    add(
        lost_default && !is.not_null,
        "default_changed",
        Level::Dangerous,
    );
    let generated = (was.generated.is_some(), is.generated.is_some());
    add(
        generated == (false, true),
        "column_became_generated",
        Level::Breaking,
    );
    add(
        generated == (true, false),
        "generated_dropped",
        Level::Dangerous,
    );
    let always = |column: &Column| column.identity_kind.as_deref() == Some("always");
    add(
        !always(was) && always(is),
        "identity_always",
        Level::Breaking,
    );
    let differs = !same_default
        || !same_expression && generated == (true, true)
        || was.identity_kind.is_none() && is.identity_kind.as_deref() == Some("by default");
    add(
        differs && !lost_default && generated.0 == generated.1,
        "default_changed",
        Level::Dangerous,
    );
}

/// Whether a check refused NULL already.
fn is_proved_not_null(column: &str, table: &Relation) -> bool {
    let check = format!("CHECK ({} IS NOT NULL)", quoted(column));
    table
        .constraints
        .values()
        .any(|constraint| constraint.definition == check)
}

/// The name now belongs to another column: to one that was there before, or to a new one that keeps
/// clients of the renamed column alive.
fn swapped(
    report: &mut Report<'_>,
    object: &ObjectRef,
    name: &str,
    was: &Column,
    old: &Relation,
    new: &Relation,
) {
    let Some((now, _)) = column_now(name, was, new).filter(|(now, _)| *now != name) else {
        return;
    };
    let kind = if old.columns.contains_key(now) {
        "column_identity_swapped"
    } else {
        "column_renamed_with_shim"
    };
    report.add(Side::Before, object, kind, Level::Dangerous);
}

fn added(
    report: &mut Report<'_>,
    object: &ObjectRef,
    kind: RelationKind,
    is: &Column,
    after: &Schema,
) {
    if kind == RelationKind::CompositeType {
        report.add(
            Side::After,
            object,
            "composite_attribute_added",
            Level::Breaking,
        );
    }
    if kind.is_table() && is_required(is, after) {
        report.add(
            Side::After,
            object,
            "required_column_added",
            Level::Breaking,
        );
    }
    if is.r#type == "json" && kind != RelationKind::CompositeType {
        report.add(Side::After, object, "json_column_added", Level::Dangerous);
    }
}

/// Whether an INSERT that doesn't name the column fails.
fn is_required(column: &Column, schema: &Schema) -> bool {
    let fills_itself =
        column.default.is_some() || column.identity_kind.is_some() || column.generated.is_some();
    let domain = schema.own_type(&column.r#type);
    let refused = column.not_null || domain.is_some_and(|domain| domain.not_null);
    let by_domain = domain.is_some_and(|domain| domain.default.is_some());
    refused && !fills_itself && !by_domain
}
