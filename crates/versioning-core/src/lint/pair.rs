//! The up script against the down script: what the one does and the other doesn't undo.

use super::rule;
use super::scene::{details, effects};
use super::undo::{Down, same};
use super::{Finding, Report, Script};
use crate::detail::{ColumnChange, Described, Detail, PartKind, TableChange};
use crate::effect::{Effect, ObjectKind, ObjectName};
use crate::model::Direction;

/// Something that the up script leaves, and the down script must take back.
struct Left {
    object: String,
    text: String,
    is_undone: bool,
}

pub(super) fn look(up: &[Described], down: Option<&Script>) -> Vec<Finding> {
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
        Some(Script::Parsed(down)) if !is_hidden(down) => compare(up, &Down::of(down), &mut report),
        _ => {}
    }
    report.found
}

/// Whether the script does what its text doesn't tell: then nothing can be said to be missing.
fn is_hidden(down: &[Described]) -> bool {
    effects(down).any(|(_, effect)| match effect {
        Effect::Dynamic { what } => !what.starts_with("function "),
        Effect::DropOwned { .. } => true,
        Effect::Drop {
            kind: ObjectKind::Schema,
            cascade: true,
            ..
        } => true,
        _ => false,
    })
}

fn compare(up: &[Described], down: &Down<'_>, report: &mut Report) {
    for described in up.iter().filter(|one| one.statement.refusal.is_none()) {
        report.at = Some((described.statement.number, described.statement.line));
        let effects = &described.statement.effects;
        let left = effects
            .iter()
            .filter_map(|effect| left_by_effect(effect, up, down))
            .chain(
                described
                    .details
                    .iter()
                    .flat_map(|detail| left_by_detail(detail, up, down)),
            );
        for left in left.filter(|left| !left.is_undone) {
            report.push(&rule::DOWN_INCOMPLETE, left.object, left.text);
        }
    }
}

/// Whether the up script itself drops the table again: a scratch table.
fn is_scratch(up: &[Described], wanted: &ObjectName) -> bool {
    let temporary = effects(up).any(|(_, effect)| {
        matches!(effect, Effect::CreateTable { table, temporary: true } if table == wanted)
    });
    temporary || Down::of(up).drops_table(wanted)
}

fn left(object: impl ToString, text: String, is_undone: bool) -> Option<Left> {
    Some(Left {
        object: object.to_string(),
        text,
        is_undone,
    })
}

fn makes(up: &[Described], wanted: &ObjectName) -> bool {
    Down {
        script: up,
        cascades: false,
    }
    .makes_table(wanted)
}

fn left_by_effect(effect: &Effect, up: &[Described], down: &Down<'_>) -> Option<Left> {
    match effect {
        Effect::CreateTable { table, .. } => left(
            table,
            format!("the down script doesn't drop table {table}, which this statement creates"),
            is_scratch(up, table) || down.drops_table(table),
        ),
        Effect::DropTable { table, .. } => left(
            table,
            format!("the down script doesn't create table {table}, which this statement drops"),
            makes(up, table) || down.makes_table(table),
        ),
        Effect::RenameTable { table, new_name } => left(
            table,
            format!("the down script doesn't give table {table} its name back"),
            makes(up, table)
                || down.makes_table(table)
                || down.drops_table(&ObjectName {
                    schema: None,
                    name: new_name.clone(),
                }),
        ),
        _ => left_column(effect, up, down).or_else(|| left_part(effect, up, down)),
    }
}

fn left_column(effect: &Effect, up: &[Described], down: &Down<'_>) -> Option<Left> {
    match effect {
        Effect::AddColumn { table, column, .. } => left(
            format!("{table}.{column}"),
            format!(
                "the down script doesn't drop column {table}.{column}, which this statement adds"
            ),
            makes(up, table)
                || drops_column_itself(up, table, column)
                || down.drops_column(table, column),
        ),
        Effect::DropColumn { table, column, .. } => left(
            format!("{table}.{column}"),
            format!(
                "the down script doesn't add column {table}.{column}, which this statement drops"
            ),
            makes_column_itself(up, table, column) || down.makes_column(table, column),
        ),
        Effect::RenameColumn { table, column, .. } => left(
            format!("{table}.{column}"),
            format!("the down script doesn't give column {table}.{column} its name back"),
            makes_column_itself(up, table, column) || down.makes_column(table, column),
        ),
        Effect::AlterColumnType { table, column, .. }
        | Effect::SetNotNull { table, column }
        | Effect::DropDefault { table, column } => left(
            format!("{table}.{column}"),
            format!("the down script leaves column {table}.{column} as this statement changes it"),
            makes_column_itself(up, table, column)
                || drops_column_itself(up, table, column)
                || down.changes_column(table, column),
        ),
        _ => None,
    }
}

fn left_part(effect: &Effect, up: &[Described], down: &Down<'_>) -> Option<Left> {
    match effect {
        Effect::DropConstraint { table, name, .. } => left(
            format!("{table}.{name}"),
            format!(
                "the down script doesn't add constraint {name} of table {table}, which this statement drops"
            ),
            makes(up, table)
                || down.drops_table(table)
                || adds_constraint(down.script, table)
                || adds_constraint(up, table),
        ),
        Effect::Drop { kind, name, .. }
            if !matches!(
                kind,
                ObjectKind::Function | ObjectKind::Other | ObjectKind::Extension
            ) =>
        {
            left(
                name,
                format!(
                    "the down script doesn't create {} {name}, which this statement drops",
                    super::object::word(*kind)
                ),
                makes_object(up, name) || makes_object(down.script, name),
            )
        }
        _ => None,
    }
}

fn makes_column_itself(up: &[Described], table: &ObjectName, column: &str) -> bool {
    Down {
        script: up,
        cascades: false,
    }
    .makes_column(table, column)
}

fn drops_column_itself(up: &[Described], wanted: &ObjectName, wanted_column: &str) -> bool {
    effects(up).any(|(_, effect)| {
        matches!(effect, Effect::DropColumn { table, column, .. } if same(table, wanted) && column == wanted_column)
    })
}

fn adds_constraint(script: &[Described], wanted: &ObjectName) -> bool {
    details(script).any(
        |(_, detail)| matches!(detail, Detail::NewConstraint { table, .. } if same(table, wanted)),
    )
}

fn makes_object(script: &[Described], wanted: &ObjectName) -> bool {
    details(script).any(|(_, detail)| match detail {
        Detail::NewView { view: name, .. }
        | Detail::NewFunction { name, .. }
        | Detail::NewObject { name, .. }
        | Detail::NewDomain { domain: name, .. } => same(name, wanted),
        Detail::NewIndex {
            name: Some(name), ..
        } => *name == wanted.name,
        Detail::NewConstraint { constraint, .. } => {
            constraint.name.as_deref() == Some(wanted.name.as_str())
        }
        _ => false,
    })
}

fn plain(name: &str) -> ObjectName {
    ObjectName {
        schema: None,
        name: name.to_owned(),
    }
}

fn left_by_detail(detail: &Detail, up: &[Described], down: &Down<'_>) -> Option<Left> {
    left_on_table(detail, up, down).or_else(|| left_object(detail, up, down))
}

fn left_on_table(detail: &Detail, up: &[Described], down: &Down<'_>) -> Option<Left> {
    // What hangs on a scratch table goes with it.
    if table_of(detail).is_some_and(|table| is_scratch(up, table)) {
        return None;
    }
    match detail {
        Detail::NewConstraint { table, constraint } => {
            let name = constraint.name.as_deref()?;
            let gone = down.any_effect(|effect| {
                matches!(effect, Effect::DropConstraint { table: on, name: dropped, .. } if same(on, table) && dropped == name)
            });
            let with_column = constraint
                .columns
                .iter()
                .any(|column| down.drops_column(table, column));
            left(
                format!("{table}.{name}"),
                format!(
                    "the down script doesn't drop constraint {name} of table {table}, which this statement adds"
                ),
                makes(up, table) || gone || with_column || down.drops_table(table) || down.cascades,
            )
        }
        Detail::NewIndex {
            name: Some(name),
            table,
            columns,
            ..
        } => {
            let with_column = columns
                .iter()
                .flatten()
                .any(|column| down.drops_column(table, column));
            left(
                name,
                format!("the down script doesn't drop index {name}, which this statement creates"),
                down.drops_table(table)
                    || with_column
                    || down.drops_object(&plain(name))
                    || Down::of(up).drops_object(&plain(name)),
            )
        }
        _ => left_rights(detail, up, down),
    }
}

/// Triggers, policies and what a column is like.
fn left_rights(detail: &Detail, up: &[Described], down: &Down<'_>) -> Option<Left> {
    match detail {
        Detail::NewTrigger { name, table } => left(
            format!("{table}.{name}"),
            format!("the down script doesn't drop trigger {name} of table {table}"),
            down.cascades || down.drops_part(PartKind::Trigger, name, table),
        ),
        Detail::NewPolicy { name, table, .. } => left(
            format!("{table}.{name}"),
            format!("the down script doesn't drop policy {name} of table {table}"),
            down.drops_part(PartKind::Policy, name, table),
        ),
        Detail::AlterTable {
            table,
            change: TableChange::RowSecurityOn,
        } => left(
            table,
            format!("the down script doesn't disable row level security of table {table}"),
            makes(up, table)
                || down.changes_table(table, |change| *change == TableChange::RowSecurityOff),
        ),
        Detail::AlterColumn {
            table,
            column,
            change,
        } if *change != ColumnChange::Tuning => left(
            format!("{table}.{column}"),
            format!("the down script leaves column {table}.{column} as this statement changes it"),
            makes_column_itself(up, table, column) || down.changes_column(table, column),
        ),
        _ => None,
    }
}

fn table_of(detail: &Detail) -> Option<&ObjectName> {
    match detail {
        Detail::NewConstraint { table, .. }
        | Detail::NewIndex { table, .. }
        | Detail::NewTrigger { table, .. }
        | Detail::NewPolicy { table, .. }
        | Detail::AlterTable { table, .. }
        | Detail::AlterColumn { table, .. } => Some(table),
        _ => None,
    }
}

fn left_object(detail: &Detail, up: &[Described], down: &Down<'_>) -> Option<Left> {
    let (name, word) = match detail {
        Detail::NewView {
            view,
            replaces: false,
            temporary: false,
            ..
        } => (view, "view"),
        Detail::NewFunction {
            name,
            replaces: false,
            ..
        } => (name, "function"),
        Detail::NewObject {
            kind: kind @ (ObjectKind::Sequence | ObjectKind::Type | ObjectKind::Schema),
            name,
        } => (name, super::object::word(*kind)),
        Detail::NewDomain { domain, .. } => (domain, "domain"),
        Detail::EnumValueAdded { type_name, value } => {
            let made = Down::of(up).drops_object(type_name) || makes_object(up, type_name);
            return left(
                type_name,
                format!(
                    "nothing takes value '{value}' of enum type {type_name} away but making the type anew"
                ),
                made || down.drops_object(type_name),
            );
        }
        _ => return None,
    };
    left(
        name,
        format!("the down script doesn't drop {word} {name}, which this statement creates"),
        down.drops_object(name)
            || Down::of(up).drops_object(name)
            || down.makes_table(name)
            || (down.cascades && word == "view"),
    )
}
