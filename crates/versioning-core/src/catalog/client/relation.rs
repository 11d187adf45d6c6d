//! Tables, views and composite types: gone, become something else, or changed.

use std::collections::BTreeSet;

use super::super::bound;
use super::super::change::{Collection, Level, ObjectRef, quoted};
use super::super::diff::{Report, SchemaPair, Side, column_now};
use super::super::model::{Grants, Relation, RelationKind};
use super::super::wording::names;
use super::{access, column, constraint, refresh, trigger};

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
                    constraint::judge(pair, report, name, old, new, &is_new);
                    access::row_security(pair, report, name, old, new);
                }
                if old.kind == RelationKind::MaterializedView && new.kind == old.kind {
                    refresh::judge(report, name, old, new);
                }
                trigger::judge(pair, report, name, old, new);
                if new.kind == RelationKind::View && new.updatable {
                    behind(pair, report, name, old, new);
                }
            }
        }
    }
}

/// What was added to a table that got another name and a view in its place: a writer runs into it just so.
fn behind(
    pair: &SchemaPair<'_>,
    report: &mut Report<'_>,
    name: &str,
    old: &Relation,
    view: &Relation,
) {
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
        for (column, was) in &old.columns {
            let is_another = column_now(column, was, table).is_some_and(|(now, _)| now != column);
            if is_another && view.columns.contains_key(column) {
                let object = ObjectRef::part(Collection::Columns, name, column);
                let kind = "column_renamed_with_shim";
                report.add(Side::Before, &object, kind, Level::Dangerous);
            }
        }
        column::judge_added(pair, report, now, old, table);
        constraint::judge_added(pair, report, now, old, table, &is_new);
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
        (View, MaterializedView) if !taken(old).is_empty() => {
            ("view_not_updatable", Level::Breaking)
        }
        (View | MaterializedView, View | MaterializedView) => {
            ("view_definition_changed", Level::Dangerous)
        }
        (CompositeType, _) => ("type_dropped", Level::Breaking),
        (was, is) if was.is_table() && is.is_table() => ("table_kind_changed", Level::Dangerous),
        _ => ("table_dropped", Level::Breaking),
    };
    report.add(Side::Before, object, finding.0, finding.1);
}

/// Which writes a view takes.
fn taken(view: &Relation) -> BTreeSet<&str> {
    if view.updatable {
        return BTreeSet::from(WRITES);
    }
    view.partly_updatable.iter().map(String::as_str).collect()
}

/// All that can be written to a view.
const WRITES: [&str; 3] = ["delete", "insert", "update"];

/// Writes that a view took and takes no longer.
fn writes(report: &mut Report<'_>, object: &ObjectRef, old: &Relation, new: &Relation) {
    let now = taken(new);
    let lost: Vec<&str> = taken(old).difference(&now).copied().collect();
    if lost.is_empty() {
        return;
    }
    let note = (lost.len() < WRITES.len()).then(|| lost.join(", ").to_uppercase());
    report.explain(
        Side::Before,
        object,
        "view_not_updatable",
        Level::Breaking,
        note,
    );
}

/// How far a view checks what is written through it.
fn checks(view: &Relation) -> u8 {
    let has = |option: &str| view.options.contains(option);
    match (has("check_option=cascaded"), has("check_option=local")) {
        (true, _) => 2,
        (_, true) => 1,
        _ => 0,
    }
}

/// Whether who reads the view needs rights on what it reads.
fn reads_as_caller(view: &Relation) -> bool {
    let mut options = view.options.iter();
    options.any(|option| {
        matches!(
            option.strip_prefix("security_invoker="),
            Some("true" | "on" | "yes" | "1")
        )
    })
}

fn without_option(grant: &str) -> &str {
    grant.strip_suffix(" WITH GRANT OPTION").unwrap_or(grant)
}

/// The grants of SELECT on the view to those who may not read all that it reads.
fn without_tables(pair: &SchemaPair<'_>, old: &Relation, new: &Relation) -> Vec<String> {
    let named = names(new.definition.as_deref().unwrap_or_default());
    let read: Vec<&Relation> = (pair.after.relations.iter())
        .filter(|(name, _)| named.contains(*name))
        .map(|(_, relation)| relation)
        .collect();
    let may_read = |relation: &Relation, grant: &str, role: &str| {
        let of = |grants: &Grants| {
            let mut held = grants.iter().map(|other| without_option(other));
            held.any(|held| held == grant || held == "SELECT TO public")
        };
        // Rights on columns may be all that is needed.
        quoted(&relation.owner) == role
            || of(&relation.grants)
            || relation.columns.values().any(|column| of(&column.grants))
    };
    let grants = old
        .grants
        .iter()
        .map(|grant| without_option(grant).to_owned());
    grants
        .filter(|grant| {
            let role = grant.strip_prefix("SELECT TO ").unwrap_or_default();
            !role.is_empty() && read.iter().any(|table| !may_read(table, grant, role))
        })
        .collect()
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
    let check_added = checks(new) > checks(old);
    add(check_added, "view_check_option_added", Level::Breaking);
    if old.kind == RelationKind::View && same_kind {
        add(
            !check_added && old.options != new.options,
            "view_options_changed",
            Level::Dangerous,
        );
        // Where several schemas are read in one database, what roles have through others is looked up there.
        let by_grants_alone = pair.after.qualified_as.is_none();
        if by_grants_alone && reads_as_caller(new) && !reads_as_caller(old) {
            for grant in without_tables(pair, old, new) {
                let kind = "privilege_revoked";
                report.explain(Side::Before, object, kind, Level::Breaking, Some(grant));
            }
        }
    }
    if old.kind == RelationKind::View && same_kind {
        writes(report, object, old, new);
    }
    let mut add = |is: bool, kind, level| {
        if is {
            report.add(Side::Before, object, kind, level);
        }
    };
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
    let bound = |relation: &Relation| relation.partition_bound.clone().unwrap_or_default();
    let wider = rebound && bound::covers(&bound(new), &bound(old));
    add(wider, "partition_attached", Level::Addition);
    add(rebound && !wider, "partition_detached", Level::Breaking);
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
