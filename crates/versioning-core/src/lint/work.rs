//! Rewrites, scans and index builds, on tables that were there before.

use super::Report;
use super::constraint;
use super::lock::{EXCLUSIVE, SHARE_ROW_EXCLUSIVE};
use super::rule::{self, Severity};
use super::scene::Scene;
use super::width::{Width, width};
use crate::detail::{Column, ColumnChange, Constraint, Detail, TableChange};
use crate::effect::{ConstraintKind, Effect, ObjectKind, ObjectName};

/// The table that an effect works on.
pub(super) fn table_of_effect(effect: &Effect) -> Option<&ObjectName> {
    match effect {
        Effect::AlterColumnType { table, .. } | Effect::SetNotNull { table, .. } => Some(table),
        _ => None,
    }
}

/// The table that a detail works on.
pub(super) fn table_of_detail(detail: &Detail) -> Option<&ObjectName> {
    match detail {
        Detail::NewColumn { table, .. }
        | Detail::NewConstraint { table, .. }
        | Detail::NewIndex { table, .. }
        | Detail::AlterTable { table, .. }
        | Detail::AlterColumn { table, .. } => Some(table),
        Detail::Rebuild { name, .. } => Some(name),
        _ => None,
    }
}

pub(super) fn effect(scene: &Scene<'_>, effect: &Effect, report: &mut Report) {
    match effect {
        Effect::AlterColumnType {
            table,
            column,
            new_type,
            ..
        } if !scene.has_table(table) => {
            let known = scene
                .old_type(table, column)
                .map(|old| width(old, new_type));
            if !matches!(known, Some(Width::Same | Width::Wider { rewrites: false })) {
                report.push_known(
                    Severity::Warning,
                    &rule::TABLE_REWRITE,
                    format!("{table}.{column}"),
                    format!("another type for column {table}.{column} writes table {table} and its indexes anew, unless the stored form is the same"),
                    "Atlas PG301, squawk changing-column-type, strong_migrations change_column, eugene E5",
                );
            }
        }
        Effect::SetNotNull { table, column }
            if !scene.has_table(table) && !scene.is_proven(table, column) =>
        {
            report.push_known(
                // The constraint that is validated may be the one that proves it.
                match scene.validates(table) {
                    true => Severity::Info,
                    false => Severity::Warning,
                },
                &rule::VALIDATION_SCAN,
                format!("{table}.{column}"),
                format!("reads all of table {table} for a NULL in column {column}; a CHECK ({column} IS NOT NULL) that was validated before spares that"),
                "Atlas PG303, squawk adding-not-nullable-field, strong_migrations change_column_null, eugene E2",
            );
        }
        Effect::Drop {
            kind: ObjectKind::Index,
            name,
            ..
        } => report.push(
            &rule::INDEX_DROPPED,
            name,
            format!(
                "dropping index {name} waits for everybody who uses its table, and they for it"
            ),
        ),
        _ => {}
    }
}

pub(super) fn detail(scene: &Scene<'_>, detail: &Detail, report: &mut Report) {
    match detail {
        Detail::NewColumn { table, column } => {
            if !scene.has_table(table) {
                filled(table, column, report);
            }
            // A foreign key has nothing to compare where the column is NULL everywhere.
            let is_empty = column.default.is_none()
                && column.identity.is_none()
                && !column.generated
                && !column.is_serial();
            for constraint in &column.constraints {
                let is_spared = is_empty && constraint.kind == ConstraintKind::ForeignKey;
                let constraint = Constraint {
                    not_valid: constraint.not_valid || is_spared,
                    ..constraint.clone()
                };
                constraint::look(scene, table, &constraint, report);
            }
        }
        Detail::NewTable {
            table, constraints, ..
        } => {
            for constraint in constraints {
                constraint::look(scene, table, constraint, report);
            }
        }
        Detail::NewConstraint { table, constraint } => {
            constraint::look(scene, table, constraint, report);
        }
        Detail::NewIndex { name, table, .. } if !scene.has_table(table) => report.push(
            &rule::INDEX_BUILD,
            name.clone().unwrap_or_else(|| table.to_string()),
            format!("building an index without CONCURRENTLY blocks writes to table {table} until the upgrade has committed"),
        ),
        Detail::AlterTable { table, change } if !scene.has_table(table) => {
            rebuilt(scene, table, change, report);
        }
        Detail::AlterColumn {
            table,
            column,
            change: ColumnChange::ExpressionSet,
        } => report.push_known(
            Severity::Warning,
            &rule::TABLE_REWRITE,
            format!("{table}.{column}"),
            format!("another expression for column {table}.{column} writes table {table} anew"),
            "squawk ban-alter-generated-expression",
        ),
        _ => other_detail(scene, detail, report),
    }
}

fn other_detail(scene: &Scene<'_>, detail: &Detail, report: &mut Report) {
    match detail {
        Detail::Rebuild {
            name,
            rewrites: true,
        } if !scene.has_table(name) => report.push_known(
            Severity::Warning,
            &rule::TABLE_REWRITE,
            name,
            format!("CLUSTER writes table {name} and its indexes anew"),
            "squawk prefer-repack",
        ),
        Detail::Rebuild { name, .. } if !scene.has_table(name) => report.push_known(
            Severity::Warning,
            &rule::INDEX_BUILD,
            name,
            format!("REINDEX of {name} blocks writes until the upgrade has committed"),
            "squawk require-concurrent-reindex",
        ),
        Detail::NewTrigger { name, table } if !scene.has_table(table) => report.push_known(
            Severity::Info,
            &rule::SHARE_ROW_EXCLUSIVE,
            table,
            format!("creating trigger {name} locks table {table} in SHARE ROW EXCLUSIVE mode"),
            "Atlas PG308",
        ),
        Detail::DomainNarrowed {
            domain,
            not_valid: false,
        } if !scene.has_object(domain) => report.push(
            &rule::VALIDATION_SCAN,
            domain,
            format!("reads every table with a column of domain {domain}"),
        ),
        Detail::Refresh {
            view,
            concurrently: true,
            ..
        } if !scene.has_object(view) => report.push(
            &rule::EXCLUSIVE,
            view,
            format!("refreshing {view} locks it in EXCLUSIVE mode"),
        ),
        Detail::Lock { tables, mode } => locked(tables, *mode, report),
        _ => {}
    }
}

fn locked(tables: &[ObjectName], mode: i32, report: &mut Report) {
    let (rule, name) = match mode {
        EXCLUSIVE => (&rule::EXCLUSIVE, "EXCLUSIVE"),
        SHARE_ROW_EXCLUSIVE => (&rule::SHARE_ROW_EXCLUSIVE, "SHARE ROW EXCLUSIVE"),
        _ => return,
    };
    for table in tables {
        report.push(rule, table, format!("locks table {table} in {name} mode"));
    }
}

/// How a new column gets its value in the rows that are there.
fn filled(table: &ObjectName, column: &Column, report: &mut Report) {
    let object = format!("{table}.{}", column.name);
    let calls = column.default.as_deref().unwrap_or_default();
    let volatile = calls.iter().find(|call| is_volatile(&call.name));
    let unknown = calls
        .iter()
        .find(|call| !STEADY.contains(&call.name.as_str()));
    const BY_DEFAULT: &str = "Atlas PG302, squawk adding-field-with-default, strong_migrations add_column_default_callable, eugene E10";
    let (why, known_as) = if column.generated && !column.is_virtual {
        (
            "it is computed and stored for each row".to_owned(),
            "Atlas PG309, squawk adding-field-with-default, strong_migrations add_column_generated_stored, eugene E11",
        )
    } else if column.is_serial() || column.identity.is_some() {
        (
            "each row gets a number of its own".to_owned(),
            "Atlas PG310, squawk adding-serial-primary-key-field, strong_migrations add_column_auto_incrementing, eugene E11",
        )
    } else if let Some(call) = volatile {
        (format!("{call}() gives each row another value"), BY_DEFAULT)
    } else if let Some(call) = unknown {
        (
            format!(
                "{call}() may give each row another value; if it is STABLE or IMMUTABLE it doesn't"
            ),
            BY_DEFAULT,
        )
    } else {
        return;
    };
    report.push_known(
        Severity::Warning,
        &rule::TABLE_REWRITE,
        &object,
        format!("new column {object} writes table {table} anew: {why}"),
        known_as,
    );
}

/// Built-in functions, and well-known ones of extensions, that give another value at each call.
const VOLATILE: &[&str] = &[
    "clock_timestamp",
    "currval",
    "gen_random_bytes",
    "gen_random_uuid",
    "gen_salt",
    "lastval",
    "nextval",
    "random",
    "random_normal",
    "setval",
    "timeofday",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
];

/// What this extension tells a script. (Built-in functions that give all rows one value are no calls here.)
const STEADY: &[&str] = &["current_site_id", "current_module_id"];

fn is_volatile(name: &str) -> bool {
    VOLATILE.contains(&name)
}

fn rebuilt(scene: &Scene<'_>, table: &ObjectName, change: &TableChange, report: &mut Report) {
    let (why, known_as) = match change {
        TableChange::Logged | TableChange::Unlogged => {
            ("SET LOGGED and SET UNLOGGED", "Atlas PG307")
        }
        TableChange::AccessMethod => ("another access method", "Atlas PG311"),
        TableChange::Tablespace => ("another tablespace", ""),
        TableChange::PartitionAttached(partition) => {
            let (severity, what) = if scene.has_table(partition) {
                (
                    Severity::Info,
                    "the default partition, if there is one".to_owned(),
                )
            } else {
                let severity = match scene.is_checked(partition) {
                    true => Severity::Info,
                    false => Severity::Warning,
                };
                (
                    severity,
                    format!(
                        "all of {partition}, unless a CHECK proves that its rows fit, and the default partition"
                    ),
                )
            };
            report.push_as(
                severity,
                &rule::VALIDATION_SCAN,
                partition,
                format!("attaching reads {what}"),
            );
            return;
        }
        TableChange::ConstraintValidated(name) => {
            report.push_as(
                Severity::Info,
                &rule::VALIDATION_SCAN,
                format!("{table}.{name}"),
                format!("validating reads all of table {table}; others go on working"),
            );
            return;
        }
        _ => return,
    };
    report.push_known(
        Severity::Warning,
        &rule::TABLE_REWRITE,
        table,
        format!("{why} writes table {table} anew"),
        known_as,
    );
}
