//! Tables, views and composite types: gone, become something else, or changed.

use super::super::change::{Collection, Level, ObjectRef};
use super::super::diff::{Report, SchemaPair, Side};
use super::super::model::{Relation, RelationKind};
use super::{access, column, constraint, trigger};

pub(super) fn judge(pair: &SchemaPair<'_>, report: &mut Report<'_>) {
    for (name, old) in &pair.before.relations {
        let object = ObjectRef::top(Collection::Relations, name);
        match pair.after.relations.get(name) {
            None => {
                let renamed = pair.relation_now(name).is_some();
                report.add(
                    Side::Before,
                    &object,
                    gone(old.kind, renamed),
                    Level::Breaking,
                );
            }
            Some(new) => {
                kind(report, &object, old, new);
                own(pair, report, &object, old, new);
                let is_new = |column: &str| !old.columns.contains_key(column);
                column::judge(pair, report, name, old, new);
                if old.kind.is_table() && new.kind.is_table() {
                    constraint::judge(report, name, old, new, &is_new);
                    access::row_security(report, name, old, new);
                }
                trigger::judge(report, name, old, new);
                if new.kind == RelationKind::View && new.updatable {
                    behind(pair, report, name, old);
                }
            }
        }
    }
}

/// What was added to a table that got another name and a view in its place: a writer runs into it just so.
fn behind(pair: &SchemaPair<'_>, report: &mut Report<'_>, name: &str, old: &Relation) {
    if let Some((now, table)) = pair.relation_now(name)
        && old.kind.is_table()
        && table.kind.is_table()
    {
        let is_new = |column: &str| {
            let identity = table.columns.get(column).and_then(|is| is.identity);
            !old.columns
                .iter()
                .any(|(was, it)| was == column || identity.is_some() && it.identity == identity)
        };
        column::judge_added(pair, report, now, old, table);
        constraint::judge_added(report, now, old, table, &is_new);
    }
}

fn gone(kind: RelationKind, renamed: bool) -> &'static str {
    match kind {
        RelationKind::View | RelationKind::MaterializedView => "view_dropped",
        RelationKind::CompositeType => "type_dropped",
        _ if renamed => "table_renamed",
        _ => "table_dropped",
    }
}

fn kind(report: &mut Report<'_>, object: &ObjectRef, old: &Relation, new: &Relation) {
    use RelationKind::{CompositeType, MaterializedView, View};
    let finding = match (old.kind, new.kind) {
        (was, is) if was == is => {
            return;
        }
        (was, View) if was.is_table() => {
            if new.updatable {
                ("table_replaced_by_view", Level::Dangerous)
            } else {
                ("table_replaced_by_readonly_view", Level::Breaking)
            }
        }
        (was, MaterializedView) if was.is_table() => {
            ("table_replaced_by_readonly_view", Level::Breaking)
        }
        (View | MaterializedView, is) if is.is_table() => {
            ("view_replaced_by_table", Level::Dangerous)
        }
        (View, MaterializedView) if old.updatable => ("view_not_updatable", Level::Breaking),
        (View | MaterializedView, View | MaterializedView) => {
            ("view_definition_changed", Level::Dangerous)
        }
        (CompositeType, _) => ("type_dropped", Level::Breaking),
        (was, is) if was.is_table() && is.is_table() => ("table_kind_changed", Level::Dangerous),
        _ => ("table_dropped", Level::Breaking),
    };
    report.add(Side::Before, object, finding.0, finding.1);
}

/// Whether a view checks what is written through it.
fn checks(view: &Relation) -> bool {
    let mut options = view.options.iter();
    options.any(|option| option.starts_with("check_option="))
}

/// Properties of the relation itself.
fn own(
    pair: &SchemaPair<'_>,
    report: &mut Report<'_>,
    object: &ObjectRef,
    old: &Relation,
    new: &Relation,
) {
    let same_definition = report.same_or_none(old.definition.as_ref(), new.definition.as_ref());
    let mut add = |is: bool, kind, level| {
        if is {
            report.add(Side::Before, object, kind, level);
        }
    };
    let same_kind = old.kind == new.kind;
    // A view in a table's place refuses rows just as one that was there before.
    let check_added = checks(new) && !checks(old);
    add(check_added, "view_check_option_added", Level::Breaking);
    if old.kind == RelationKind::View && same_kind {
        add(
            !check_added && old.options != new.options,
            "view_options_changed",
            Level::Dangerous,
        );
        add(
            old.updatable && !new.updatable,
            "view_not_updatable",
            Level::Breaking,
        );
    }
    let is_derived = old.definition.is_some() && same_kind;
    add(
        is_derived && !same_definition,
        "view_definition_changed",
        Level::Dangerous,
    );
    add(
        !old.unpopulated && new.unpopulated,
        "matview_unpopulated",
        Level::Breaking,
    );
    add(
        !old.unlogged && new.unlogged,
        "durability_lowered",
        Level::Dangerous,
    );
    add(
        same_kind && old.replica_identity != new.replica_identity,
        "replica_identity_changed",
        Level::Dangerous,
    );
    let parent = old
        .partition_of
        .as_deref()
        .map(|parent| pair.reference_now(parent));
    add(
        parent.is_some() && parent != new.partition_of,
        "partition_detached",
        Level::Breaking,
    );
    // The parent takes rows that it refused before.
    add(
        parent.is_none() && new.partition_of.is_some(),
        "partition_attached",
        Level::Addition,
    );
    let rebound = parent.is_some()
        && parent == new.partition_of
        && old.partition_bound != new.partition_bound;
    add(rebound, "partition_detached", Level::Breaking);
    let parents: Vec<String> = old
        .inherits
        .iter()
        .map(|parent| pair.reference_now(parent))
        .collect();
    let cut = parents.iter().any(|parent| !new.inherits.contains(parent));
    add(cut, "inheritance_removed", Level::Breaking);
    let came = new.inherits.iter().any(|parent| !parents.contains(parent));
    add(came, "inheritance_added", Level::Dangerous);
    access::grants(report, object, &old.grants, &new.grants, &new.owner);
    access::owner(report, object, &old.owner, &new.owner);
}
