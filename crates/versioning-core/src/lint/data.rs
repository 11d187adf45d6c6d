//! Rows and values that a script destroys, and what only running it tells.

use super::rule::{self, Severity};
use super::scene::Scene;
use super::{Report, client};
use crate::detail::{Described, Detail};
use crate::effect::{Effect, ObjectName};

pub(super) fn look(scene: &Scene<'_>, described: &Described, report: &mut Report) {
    for effect in &described.statement.effects {
        write(scene, described, effect, report);
    }
    for detail in &described.details {
        if let Detail::Insert { table, .. } = detail {
            catalog(table, report);
        }
    }
}

fn write(scene: &Scene<'_>, described: &Described, effect: &Effect, report: &mut Report) {
    match effect {
        Effect::Truncate { tables, cascade } => {
            for table in tables.iter().filter(|table| !scene.has_table(table)) {
                report.push(
                    &rule::TABLE_TRUNCATED,
                    table,
                    format!("empties table {table}"),
                );
            }
            if *cascade && tables.iter().any(|table| !scene.has_table(table)) {
                report.push(
                    &rule::DROP_CASCADE,
                    client::list(tables),
                    "TRUNCATE ... CASCADE empties every table that refers to these, also of others",
                );
            }
        }
        Effect::Delete { table, has_where } => {
            catalog(table, report);
            delete(scene, table, *has_where, report);
        }
        Effect::Update {
            table,
            columns,
            has_where,
        } => {
            catalog(table, report);
            // ON CONFLICT DO UPDATE touches the rows that it meets.
            let is_upsert = described.details.iter().any(
                |detail| matches!(detail, Detail::Insert { table: into, .. } if into == table),
            );
            update(scene, table, columns, *has_where || is_upsert, report);
        }
        Effect::Dynamic { what } => report.push(
            &rule::DYNAMIC_SQL,
            what,
            format!("what {what} does can't be told without running it"),
        ),
        _ => {}
    }
}

fn delete(scene: &Scene<'_>, table: &ObjectName, has_where: bool, report: &mut Report) {
    if scene.has_table(table) {
        return;
    }
    if has_where {
        report.push_as(
            Severity::Info,
            &rule::ROWS_DELETED,
            table,
            format!("deletes rows of table {table}: how many depends on its condition"),
        );
    } else {
        report.push(
            &rule::ROWS_DELETED,
            table,
            format!("deletes every row of table {table}: DELETE without WHERE"),
        );
    }
}

fn update(
    scene: &Scene<'_>,
    table: &ObjectName,
    columns: &[String],
    has_where: bool,
    report: &mut Report,
) {
    if scene.has_table(table) {
        return;
    }
    let severity = if has_where {
        Severity::Info
    } else {
        Severity::Warning
    };
    for column in columns
        .iter()
        .filter(|column| !scene.has_column(table, column))
    {
        report.push_as(
            severity,
            &rule::COLUMN_OVERWRITTEN,
            format!("{table}.{column}"),
            format!("overwrites values of column {table}.{column}"),
        );
    }
    if !has_where {
        report.about = Some(table.clone());
        report.push(
            &rule::BULK_DML,
            table,
            format!("writes every row of table {table}, locks them all and leaves as many dead ones: UPDATE without WHERE"),
        );
        report.about = None;
    }
}

/// Tables of the catalog, written past the commands that keep it in order.
fn catalog(table: &ObjectName, report: &mut Report) {
    let is_catalog = match table.schema.as_deref() {
        Some(schema) => schema == "pg_catalog",
        None => CATALOGS.contains(&table.name.as_str()),
    };
    if is_catalog {
        report.push(
            &rule::CATALOG_EDITED,
            table,
            format!("writes to the catalog table {table}"),
        );
    }
}

/// The catalog tables that scripts are known to edit. (A table of the module may begin with `pg_` too.)
const CATALOGS: &[&str] = &[
    "pg_attrdef",
    "pg_attribute",
    "pg_authid",
    "pg_class",
    "pg_constraint",
    "pg_database",
    "pg_depend",
    "pg_enum",
    "pg_index",
    "pg_namespace",
    "pg_policy",
    "pg_proc",
    "pg_rewrite",
    "pg_trigger",
    "pg_type",
];
