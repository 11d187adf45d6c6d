//! What clients of the old version trip over, or see change.

use super::Report;
use super::rule::{self, Rule};
use super::scene::Scene;
use super::width::{Width, width};
use crate::detail::{Column, ColumnChange, Constraint, Described, Detail, TableChange};
use crate::effect::{ConstraintKind, Effect, ObjectName};

/// Names one after another.
pub(super) fn list(names: &[ObjectName]) -> String {
    names
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn look(scene: &Scene<'_>, described: &Described, report: &mut Report) {
    for effect in &described.statement.effects {
        relation(scene, effect, report);
        column(scene, effect, report);
    }
    for detail in &described.details {
        definition(scene, detail, report);
        table_change(scene, detail, report);
    }
}

fn relation(scene: &Scene<'_>, effect: &Effect, report: &mut Report) {
    match effect {
        Effect::DropTable { table, .. } if !scene.has_table(table) => {
            let text = if scene.takes_back(table, None) {
                format!(
                    "drops table {table}, which the up script creates: what was written into it since is lost"
                )
            } else {
                format!("drops table {table}: clients that use it fail, and its rows are lost")
            };
            report.push(&rule::TABLE_DROPPED, table, text);
        }
        Effect::RenameTable { table, .. } | Effect::MoveTable { table, .. }
            if !scene.has_table(table) =>
        {
            let (rule, text) = if scene.makes_view(table) {
                (
                    &rule::TABLE_REPLACED_BY_VIEW,
                    format!("puts a view in the place of table {table}"),
                )
            } else {
                (
                    &rule::TABLE_RENAMED,
                    format!(
                        "table {table} gets another name or schema: clients that use the old one fail"
                    ),
                )
            };
            match effect {
                Effect::MoveTable { .. } => {
                    report.push_known(rule.severity, rule, table, text, "squawk ban-set-schema");
                }
                _ => report.push(rule, table, text),
            }
        }
        Effect::DropOwned { .. } => report.push(
            &rule::OWNED_DROPPED,
            "",
            "DROP OWNED drops everything that the role owns in this database",
        ),
        _ => {}
    }
}

fn column(scene: &Scene<'_>, effect: &Effect, report: &mut Report) {
    let mut push = |rule: &'static Rule, table: &ObjectName, column: &str, text: &str| {
        if !scene.has_column(table, column) {
            let object = format!("{table}.{column}");
            report.push(rule, &object, text.replace('@', &object));
        }
    };
    match effect {
        Effect::DropColumn { table, column, .. } => {
            let text = if scene.takes_back(table, Some(column)) {
                "drops column @, which the up script adds: what was written into it since is lost"
            } else {
                "drops column @: clients that use it fail, and its values are lost"
            };
            push(&rule::COLUMN_DROPPED, table, column, text);
        }
        Effect::RenameColumn { table, column, .. } => push(
            &rule::COLUMN_RENAMED,
            table,
            column,
            "renames column @: clients that use the old name fail",
        ),
        Effect::AlterColumnType {
            table,
            column,
            new_type,
            ..
        } => {
            if let Some((rule, text)) = retyped(scene, table, column, new_type) {
                push(rule, table, column, &text);
            }
        }
        Effect::SetNotNull { table, column } => push(
            &rule::NOT_NULL_ADDED,
            table,
            column,
            "column @ takes no NULL any more: clients that write none fail",
        ),
        Effect::DropDefault { table, column } => push(
            &rule::DEFAULT_DROPPED,
            table,
            column,
            "column @ loses its default: clients that leave it out write NULL or fail",
        ),
        Effect::DropConstraint { table, name, .. } if !scene.has_table(table) => {
            dropped_constraint(scene, table, name, report);
        }
        _ => {}
    }
}

/// What another type means, as far as the type before is known.
fn retyped(
    scene: &Scene<'_>,
    table: &ObjectName,
    column: &str,
    new_type: &str,
) -> Option<(&'static Rule, String)> {
    let old = scene.old_type(table, column);
    match old.map(|old| (old, width(old, new_type))) {
        Some((_, Width::Same)) => None,
        Some((old, Width::Wider { .. })) => Some((
            &rule::COLUMN_TYPE_WIDENED,
            format!("column @ goes from {old} to {new_type}, which holds more"),
        )),
        Some((old, Width::Narrower)) => Some((
            &rule::COLUMN_TYPE_NARROWED,
            format!("column @ goes from {old} to {new_type}, which doesn't hold every value"),
        )),
        _ => Some((
            &rule::COLUMN_TYPE_CHANGED,
            format!("column @ gets type {new_type}: clients read another type"),
        )),
    }
}

fn dropped_constraint(scene: &Scene<'_>, table: &ObjectName, name: &str, report: &mut Report) {
    let object = format!("{table}.{name}");
    let replaced = scene.adds_constraint(table, name);
    let (rule, text) = match replaced.or_else(|| scene.constraint_kind(table, name)) {
        Some(ConstraintKind::Check) if replaced.is_some() => (
            &rule::CHECK_CHANGED,
            format!("another CHECK takes the place of constraint {object}"),
        ),
        Some(ConstraintKind::ForeignKey) if replaced.is_some() => (
            &rule::FK_ACTION_CHANGED,
            format!("another foreign key takes the place of constraint {object}"),
        ),
        Some(ConstraintKind::Check | ConstraintKind::Exclusion) => {
            (&rule::CHECK_DROPPED, format!("drops constraint {object}"))
        }
        Some(ConstraintKind::ForeignKey) => {
            (&rule::FK_DROPPED, format!("drops foreign key {object}"))
        }
        Some(ConstraintKind::PrimaryKey | ConstraintKind::Unique) => (
            &rule::UNIQUE_DROPPED,
            format!(
                "drops unique constraint {object}: INSERT ... ON CONFLICT on its columns fails"
            ),
        ),
        Some(ConstraintKind::NotNull) => (
            &rule::NOT_NULL_DROPPED,
            format!("drops NOT NULL constraint {object}"),
        ),
        None => (
            &rule::CONSTRAINT_DROPPED,
            format!("drops constraint {object}"),
        ),
    };
    report.push(rule, object, text);
}

fn definition(scene: &Scene<'_>, detail: &Detail, report: &mut Report) {
    match detail {
        Detail::NewColumn { table, column } if !scene.has_table(table) => {
            new_column(scene, table, column, report);
        }
        Detail::NewConstraint { table, constraint } if !scene.has_table(table) => {
            new_constraint(scene, table, constraint, report);
        }
        Detail::NewIndex {
            name,
            table,
            unique: true,
            columns,
            ..
        } if !scene.has_table(table) => {
            let name = name.clone().unwrap_or_else(|| table.to_string());
            let is_new = columns.iter().any(|one| {
                one.as_deref()
                    .is_some_and(|one| scene.has_column(table, one))
            });
            if !is_new {
                let text = format!(
                    "unique index {name} on table {table}: clients that write duplicates fail"
                );
                report.push(&rule::UNIQUE_ADDED, name, text);
            }
        }
        Detail::AlterColumn {
            table,
            column,
            change,
        } if !scene.has_column(table, column) => {
            if let Some((rule, text)) = column_change(change) {
                let object = format!("{table}.{column}");
                report.push(rule, &object, text.replace('@', &object));
            }
        }
        _ => {}
    }
}

fn new_column(scene: &Scene<'_>, table: &ObjectName, column: &Column, report: &mut Report) {
    let object = format!("{table}.{}", column.name);
    if column.is_required() {
        let text = format!(
            "column {object} is required: clients that don't know it can't insert, and it fails where there are rows"
        );
        report.push(&rule::REQUIRED_COLUMN_ADDED, &object, text);
    }
    if column.type_name == "json" {
        let text = format!("column {object} has type json");
        report.push(&rule::JSON_COLUMN_ADDED, &object, text);
    }
    for constraint in &column.constraints {
        new_constraint(scene, table, constraint, report);
    }
}

fn new_constraint(
    scene: &Scene<'_>,
    table: &ObjectName,
    constraint: &Constraint,
    report: &mut Report,
) {
    // Old clients leave new columns to their defaults.
    let only_new = !constraint.columns.is_empty()
        && constraint
            .columns
            .iter()
            .all(|column| scene.has_column(table, column));
    let replaces = constraint
        .name
        .as_deref()
        .is_some_and(|name| scene.drops_constraint(table, name));
    if only_new || replaces {
        return;
    }
    let rule = match constraint.kind {
        ConstraintKind::NotNull => &rule::NOT_NULL_ADDED,
        ConstraintKind::Check => &rule::CHECK_ADDED,
        ConstraintKind::PrimaryKey | ConstraintKind::Unique => &rule::UNIQUE_ADDED,
        ConstraintKind::Exclusion => &rule::EXCLUSION_ADDED,
        ConstraintKind::ForeignKey => &rule::FK_ADDED,
    };
    let object = match &constraint.name {
        Some(name) => format!("{table}.{name}"),
        None => table.to_string(),
    };
    let text = format!("table {table} gets a constraint that rows of old clients may not keep");
    report.push(rule, object, text);
}

fn column_change(change: &ColumnChange) -> Option<(&'static Rule, &'static str)> {
    Some(match change {
        ColumnChange::DefaultSet(_) => (&rule::DEFAULT_CHANGED, "column @ gets another default"),
        ColumnChange::NotNullDropped => (&rule::NOT_NULL_DROPPED, "column @ takes NULL"),
        ColumnChange::IdentityAdded(true) | ColumnChange::IdentitySet(true) => (
            &rule::IDENTITY_ALWAYS,
            "column @ is GENERATED ALWAYS AS IDENTITY: an INSERT that gives a value fails",
        ),
        ColumnChange::IdentityDropped => (
            &rule::DEFAULT_DROPPED,
            "column @ is no identity column any more: clients that leave it out write NULL or fail",
        ),
        ColumnChange::ExpressionDropped => (
            &rule::GENERATED_DROPPED,
            "column @ is not computed any more",
        ),
        ColumnChange::IdentityAdded(false)
        | ColumnChange::IdentitySet(false)
        | ColumnChange::ExpressionSet
        | ColumnChange::Tuning => return None,
    })
}

fn table_change(scene: &Scene<'_>, detail: &Detail, report: &mut Report) {
    let Detail::AlterTable { table, change } = detail else {
        return;
    };
    if scene.has_table(table) {
        return;
    }
    let (rule, text) = match change {
        TableChange::RowSecurityOn => (
            &rule::RLS_ENABLED,
            "row level security of table @ is enabled: without a policy clients see no row",
        ),
        TableChange::RowSecurityForced => (
            &rule::RLS_ENABLED,
            "row level security of table @ holds for its owner too",
        ),
        TableChange::RowSecurityOff => (
            &rule::RLS_DISABLED,
            "row level security of table @ is disabled",
        ),
        TableChange::RowSecurityUnforced => (
            &rule::RLS_DISABLED,
            "row level security of table @ doesn't hold for its owner any more",
        ),
        TableChange::Owner => (&rule::OWNER_CHANGED, "table @ gets another owner"),
        TableChange::Unlogged => (&rule::DURABILITY_LOWERED, "table @ becomes unlogged"),
        TableChange::ReplicaIdentity => (
            &rule::REPLICA_IDENTITY_CHANGED,
            "what logical replication sends of rows of table @ changes",
        ),
        TableChange::TriggerDisabled => {
            (&rule::TRIGGER_DISABLED, "triggers of table @ are disabled")
        }
        TableChange::InheritsNoMore(_) => (
            &rule::INHERITANCE_REMOVED,
            "rows of table @ are not among those of its parent any more",
        ),
        TableChange::PartitionDetached(_) => (
            &rule::PARTITION_DETACHED,
            "table @ loses a partition, with its rows",
        ),
        TableChange::ConstraintAltered(_) => (
            &rule::FK_DEFERRABILITY_CHANGED,
            "when a constraint of table @ is checked changes",
        ),
        TableChange::ConstraintRenamed(..) => (
            &rule::CONSTRAINT_RENAMED,
            "a constraint of table @ gets another name",
        ),
        _ => return,
    };
    let object = match change {
        TableChange::PartitionDetached(partition) => partition.to_string(),
        TableChange::ConstraintAltered(name) | TableChange::ConstraintRenamed(name, _) => {
            format!("{table}.{name}")
        }
        _ => table.to_string(),
    };
    report.push(rule, object, text.replace('@', &table.to_string()));
}
