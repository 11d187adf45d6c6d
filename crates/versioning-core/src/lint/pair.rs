//! The up script against the down script: what the one does and the other doesn't undo.

use super::own::Own;
use super::rule;
use super::scene::{details, effects};
use super::undo::Down;
use super::{Finding, Report, Script, left, security};
use crate::detail::{Constraint, Described, Detail, TableChange};
use crate::effect::{Effect, ObjectKind, ObjectName};
use crate::model::Direction;

/// Something that the up script leaves, and the down script must take back.
struct Left {
    object: String,
    text: String,
    is_undone: bool,
}

pub(super) fn look(up: &[Described], down: Option<&Script>, pause: fn()) -> Vec<Finding> {
    let mut report = Report {
        direction: Direction::Up,
        at: None,
        about: None,
        found: Vec::new(),
    };
    let does_something = up
        .iter()
        .any(|one| !one.statement.effects.is_empty() || !one.details.is_empty());
    match down {
        None if does_something => {
            report.direction = Direction::Down;
            report.push(&rule::MISSING_DOWN, "", "there is no down script");
        }
        Some(Script::Parsed(down)) if !is_hidden(down) => {
            let down = Down::back(down, up);
            compare(up, &down, &mut report, pause);
            left::look(up, &down, &mut report, pause);
        }
        _ => {}
    }
    report.found
}

/// Whether the script does what its text doesn't tell: then nothing can be said to be missing.
fn is_hidden(down: &[Described]) -> bool {
    effects(down).any(|(_, effect)| match effect {
        Effect::Dynamic { what } => what
            .strip_prefix("function ")
            .is_none_or(|function| !security::is_known(function)),
        Effect::DropOwned { .. } => true,
        Effect::Drop {
            kind: ObjectKind::Schema,
            cascade: true,
            ..
        } => true,
        _ => false,
    })
}

fn compare(up: &[Described], down: &Down<'_>, report: &mut Report, pause: fn()) {
    for (place, described) in up.iter().enumerate() {
        pause();
        if described.statement.refusal.is_some() {
            continue;
        }
        report.at = Some((described.statement.number, described.statement.line));
        let own = Own::around(up, place);
        let effects = described.statement.effects.iter();
        let details = described.details.iter();
        let left = effects
            .filter_map(|effect| left_by_effect(effect, up, &own, down))
            .chain(details.filter_map(|detail| left_by_detail(detail, up, &own, down)));
        for left in left.filter(|left| !left.is_undone) {
            report.push(&rule::DOWN_INCOMPLETE, left.object, left.text);
        }
    }
}

fn is_temporary(up: &[Described], wanted: &ObjectName) -> bool {
    effects(up).any(|(_, effect)| {
        matches!(effect, Effect::CreateTable { table, temporary: true } if table == wanted)
    })
}

/// The table that a new table is a partition of.
fn partitioned<'a>(up: &'a [Described], wanted: &ObjectName) -> Option<&'a ObjectName> {
    details(up).find_map(|(_, detail)| match detail {
        Detail::NewTable {
            table,
            partition_of,
            ..
        } if table == wanted => partition_of.as_ref(),
        _ => None,
    })
}

fn left(object: impl ToString, text: String, is_undone: bool) -> Option<Left> {
    Some(Left {
        object: object.to_string(),
        text,
        is_undone,
    })
}

fn left_by_effect(
    effect: &Effect,
    up: &[Described],
    own: &Own<'_>,
    down: &Down<'_>,
) -> Option<Left> {
    match effect {
        Effect::CreateTable { table, .. } => {
            let names = own.names_of_table(table);
            left(
                table,
                format!("the down script doesn't drop table {table}, which this statement creates"),
                is_temporary(up, table)
                    || names.iter().any(|name| own.drops_table(name) || down.drops_table(name))
                    || partitioned(up, table).is_some_and(|parent| down.drops_table(parent)),
            )
        }
        Effect::DropTable { table, .. } => left(
            table,
            format!("the down script doesn't create table {table}, which this statement drops"),
            own.is_new(table) || renamed_before(own, table) || down.makes_table(table),
        ),
        Effect::RenameTable { table, new_name } => left(
            table,
            format!("the down script doesn't give table {table} its name back"),
            own.is_new(table)
                || down.makes_table(table)
                || down.drops_table(&ObjectName {
                    schema: table.schema.clone(),
                    name: new_name.clone(),
                }),
        ),
        Effect::MoveTable { table, new_schema } => left(
            table,
            format!("the down script doesn't move table {table} back to its schema"),
            own.is_new(table)
                || down.any_effect(|effect| {
                    matches!(effect, Effect::MoveTable { table: back, .. } | Effect::DropTable { table: back, .. }
                        if back.name == table.name && back.schema.as_ref().is_none_or(|schema| schema == new_schema))
                }),
        ),
        _ => left_column(effect, own, down).or_else(|| left_part(effect, own, down)),
    }
}

/// Whether the script gave a table that name before: then the rename is what the down script must undo.
fn renamed_before(own: &Own<'_>, wanted: &ObjectName) -> bool {
    own.earlier.any_effect(
        |effect| matches!(effect, Effect::RenameTable { new_name, .. } if *new_name == wanted.name),
    )
}

fn left_column(effect: &Effect, own: &Own<'_>, down: &Down<'_>) -> Option<Left> {
    match effect {
        Effect::AddColumn { table, column, .. } => {
            let names = own.names_of_column(table, column);
            left(
                format!("{table}.{column}"),
                format!(
                    "the down script doesn't drop column {table}.{column}, which this statement adds"
                ),
                own.is_new(table)
                    || own.drops_table(table)
                    || names.iter().any(|name| {
                        own.drops_column(table, name) || down.drops_column(table, name)
                    }),
            )
        }
        Effect::DropColumn { table, column, .. } => left(
            format!("{table}.{column}"),
            format!(
                "the down script doesn't add column {table}.{column}, which this statement drops"
            ),
            own.is_new_column(table, column) || down.makes_column(table, column),
        ),
        Effect::RenameColumn { table, column, .. } => left(
            format!("{table}.{column}"),
            format!("the down script doesn't give column {table}.{column} its name back"),
            own.is_new_column(table, column) || down.makes_column(table, column),
        ),
        Effect::AlterColumnType { table, column, .. }
        | Effect::SetNotNull { table, column }
        | Effect::DropDefault { table, column } => left_changed(table, column, own, down),
        _ => None,
    }
}

/// A column that stays and is another one.
fn left_changed(table: &ObjectName, column: &str, own: &Own<'_>, down: &Down<'_>) -> Option<Left> {
    left(
        format!("{table}.{column}"),
        format!("the down script leaves column {table}.{column} as this statement changes it"),
        own.is_new_column(table, column)
            || own.drops_column(table, column)
            || own.drops_table(table)
            || down.changes_column(table, column),
    )
}

fn left_part(effect: &Effect, own: &Own<'_>, down: &Down<'_>) -> Option<Left> {
    match effect {
        Effect::DropConstraint { table, name, .. } => left(
            format!("{table}.{name}"),
            format!(
                "the down script doesn't add constraint {name} of table {table}, which this statement drops"
            ),
            own.is_new(table)
                || own.adds_constraint(table, name)
                || own.drops_table(table)
                || down.drops_table(table)
                || adds_constraint(down, table),
        ),
        Effect::Drop {
            kind: ObjectKind::Index,
            name,
            ..
        } => left(
            name,
            format!("the down script doesn't create index {name}, which this statement drops"),
            own.makes_index(name) || down.makes_object(name),
        ),
        _ => None,
    }
}

fn adds_constraint(script: &Down<'_>, wanted: &ObjectName) -> bool {
    script.any_detail(
        |detail| matches!(detail, Detail::NewConstraint { table, .. } if script.same(table, wanted)),
    )
}

fn left_by_detail(
    detail: &Detail,
    up: &[Described],
    own: &Own<'_>,
    down: &Down<'_>,
) -> Option<Left> {
    // What hangs on a table goes with it.
    if table_of(detail).is_some_and(|table| is_temporary(up, table) || own.drops_table(table)) {
        return None;
    }
    match detail {
        Detail::NewConstraint { table, constraint } => {
            left_constraint(table, constraint, own, down)
        }
        Detail::NewIndex {
            name,
            table,
            columns,
            ..
        } => left_index(name.as_deref(), table, columns, own, down),
        Detail::AlterTable {
            table,
            change: TableChange::ConstraintAltered(name),
        } => left(
            format!("{table}.{name}"),
            format!(
                "the down script leaves constraint {name} of table {table} as this statement changes it"
            ),
            own.is_new(table)
                || down.drops_constraint(table, Some(name))
                || down.changes_table(
                    table,
                    |change| matches!(change, TableChange::ConstraintAltered(one) if one == name),
                ),
        ),
        Detail::AlterColumn { table, column, .. } => left_changed(table, column, own, down),
        _ => left_object(detail, up, down),
    }
}

fn left_constraint(
    table: &ObjectName,
    constraint: &Constraint,
    own: &Own<'_>,
    down: &Down<'_>,
) -> Option<Left> {
    let name = constraint.name.as_deref();
    let with_column = constraint
        .columns
        .iter()
        .any(|column| down.drops_column(table, column));
    let (object, shown) = match name {
        Some(name) => (format!("{table}.{name}"), format!("constraint {name}")),
        None => (table.to_string(), "the constraint".to_owned()),
    };
    left(
        object,
        format!("the down script doesn't drop {shown} of table {table}, which this statement adds"),
        own.is_new(table)
            || down.drops_constraint(table, name)
            || with_column
            || down.drops_table(table)
            || down.cascades
            || name.is_some_and(|name| own.later.drops_constraint(table, Some(name))),
    )
}

fn left_index(
    name: Option<&str>,
    table: &ObjectName,
    columns: &[Option<String>],
    own: &Own<'_>,
    down: &Down<'_>,
) -> Option<Left> {
    let with_column = columns
        .iter()
        .flatten()
        .any(|column| down.drops_column(table, column));
    let is_dropped = match name {
        Some(name) => down.drops_object(&ObjectName {
            schema: None,
            name: name.to_owned(),
        }),
        // PostgreSQL gave it a name.
        None => down.any_effect(|effect| {
            matches!(
                effect,
                Effect::Drop {
                    kind: ObjectKind::Index,
                    ..
                }
            )
        }),
    };
    let shown = match name {
        Some(name) => format!("index {name}"),
        None => format!("the index of table {table}"),
    };
    left(
        name.unwrap_or(&table.to_string()),
        format!("the down script doesn't drop {shown}, which this statement creates"),
        is_dropped
            || own.is_new(table)
            || with_column
            || down.drops_table(table)
            || down.drops_object(table)
            || name.is_some_and(|name| own.takes_index(name)),
    )
}

fn table_of(detail: &Detail) -> Option<&ObjectName> {
    match detail {
        Detail::NewConstraint { table, .. }
        | Detail::NewIndex { table, .. }
        | Detail::AlterTable { table, .. }
        | Detail::AlterColumn { table, .. } => Some(table),
        _ => None,
    }
}

/// Enum types: their values can't be dropped.
fn left_object(detail: &Detail, up: &[Described], down: &Down<'_>) -> Option<Left> {
    let is_new = |type_name: &ObjectName| {
        Down::of(up).drops_object(type_name) || Down::of(up).makes_object(type_name)
    };
    match detail {
        Detail::EnumValueAdded { type_name, value } => left(
            type_name,
            format!(
                "nothing takes value '{value}' of enum type {type_name} away but making the type anew"
            ),
            is_new(type_name) || down.drops_object(type_name),
        ),
        Detail::EnumValueRenamed {
            type_name,
            value,
            new_value,
        } => left(
            type_name,
            format!(
                "the down script doesn't give value '{value}' of enum type {type_name} its name back"
            ),
            is_new(type_name)
                || down.drops_object(type_name)
                || down.any_detail(|detail| {
                    matches!(detail, Detail::EnumValueRenamed { type_name: of, value: now, new_value: back }
                        if down.same(of, type_name) && now == new_value && back == value)
                }),
        ),
        _ => None,
    }
}
