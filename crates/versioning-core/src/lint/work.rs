//! Rewrites, scans and index builds, on tables that were there before.

use super::Report;
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
                Severity::Warning,
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
                constrained(scene, table, &constraint, report);
            }
        }
        Detail::NewTable {
            table, constraints, ..
        } => {
            for constraint in constraints {
                constrained(scene, table, constraint, report);
            }
        }
        Detail::NewConstraint { table, constraint } => {
            constrained(scene, table, constraint, report);
        }
        Detail::NewIndex { name, table, .. } if !scene.has_table(table) => report.push(
            &rule::INDEX_BUILD,
            name.clone().unwrap_or_else(|| table.to_string()),
            format!("building an index without CONCURRENTLY blocks writes to table {table} until the upgrade has committed"),
        ),
        Detail::AlterTable { table, change } if !scene.has_table(table) => {
            rebuilt(table, change, report);
        }
        Detail::AlterColumn {
            table,
            column,
            change: ColumnChange::ExpressionSet,
        } => report.push(
            &rule::TABLE_REWRITE,
            format!("{table}.{column}"),
            format!("another expression for column {table}.{column} writes table {table} anew"),
        ),
        _ => other_detail(scene, detail, report),
    }
}

fn other_detail(scene: &Scene<'_>, detail: &Detail, report: &mut Report) {
    match detail {
        Detail::Rebuild {
            name,
            rewrites: true,
        } if !scene.has_table(name) => report.push(
            &rule::TABLE_REWRITE,
            name,
            format!("CLUSTER writes table {name} and its indexes anew"),
        ),
        Detail::Rebuild { name, .. } if !scene.has_table(name) => report.push(
            &rule::INDEX_BUILD,
            name,
            format!("REINDEX of {name} blocks writes until the upgrade has committed"),
        ),
        Detail::NewTrigger { name, table } if !scene.has_table(table) => report.push_as(
            Severity::Info,
            &rule::SHARE_ROW_EXCLUSIVE,
            table,
            format!("creating trigger {name} locks table {table} in SHARE ROW EXCLUSIVE mode"),
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
            "squawk adding-field-with-default, strong_migrations add_column_generated_stored, eugene E11",
        )
    } else if column.is_serial() || column.identity.is_some() {
        (
            "each row gets a number of its own".to_owned(),
            "squawk adding-serial-primary-key-field, strong_migrations add_column_auto_incrementing, eugene E11",
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

fn constrained(
    scene: &Scene<'_>,
    table: &ObjectName,
    constraint: &Constraint,
    report: &mut Report,
) {
    let object = match &constraint.name {
        Some(name) => format!("{table}.{name}"),
        None => table.to_string(),
    };
    let is_new = scene.has_table(table);
    match constraint.kind {
        ConstraintKind::ForeignKey => foreign_key(scene, table, &object, constraint, report),
        _ if is_new => {}
        ConstraintKind::Check | ConstraintKind::NotNull if !constraint.not_valid => report.push_known(
            Severity::Warning,
            &rule::VALIDATION_SCAN,
            &object,
            format!("reads all of table {table} while nobody can use it: the constraint is not NOT VALID"),
            "Atlas PG305, squawk constraint-missing-not-valid, strong_migrations add_check_constraint, eugene E1",
        ),
        ConstraintKind::PrimaryKey | ConstraintKind::Unique | ConstraintKind::Exclusion
            if constraint.using_index.is_none() =>
        {
            let (what, known_as) = match constraint.kind {
                ConstraintKind::PrimaryKey => (
                    "PRIMARY KEY",
                    "Atlas PG104, squawk adding-serial-primary-key-field, eugene W14",
                ),
                ConstraintKind::Unique => (
                    "UNIQUE",
                    "Atlas PG105, squawk disallowed-unique-constraint, strong_migrations add_unique_constraint, eugene E7",
                ),
                _ => ("EXCLUDE", "strong_migrations add_exclusion_constraint, eugene E8"),
            };
            report.push_known(
                Severity::Warning,
                &rule::INDEX_BUILD,
                &object,
                format!("{what} builds its index while nobody can use table {table}; ADD CONSTRAINT ... USING INDEX takes one that is there"),
                known_as,
            );
        }
        _ => {}
    }
}

fn foreign_key(
    scene: &Scene<'_>,
    table: &ObjectName,
    object: &str,
    constraint: &Constraint,
    report: &mut Report,
) {
    let Some(parent) = &constraint.references else {
        return;
    };
    let is_new = scene.has_table(table);
    if !is_new && !constraint.not_valid {
        report.push_known(
            Severity::Warning,
            &rule::VALIDATION_SCAN,
            object,
            format!("compares all of table {table} with table {parent} while nobody can write to either: the foreign key is not NOT VALID"),
            "squawk adding-foreign-key-constraint, constraint-missing-not-valid, strong_migrations add_foreign_key, eugene E1",
        );
    }
    let old: Vec<String> = [table, parent]
        .into_iter()
        .filter(|one| !scene.has_table(one))
        .map(ToString::to_string)
        .collect();
    if !old.is_empty() {
        report.push_as(
            if is_new {
                Severity::Info
            } else {
                Severity::Warning
            },
            &rule::SHARE_ROW_EXCLUSIVE,
            object,
            format!(
                "the foreign key locks {} in SHARE ROW EXCLUSIVE mode",
                old.join(" and ")
            ),
        );
    }
    without_index(scene, table, object, constraint, report);
}

fn without_index(
    scene: &Scene<'_>,
    table: &ObjectName,
    object: &str,
    constraint: &Constraint,
    report: &mut Report,
) {
    let columns = &constraint.columns;
    let has_index = scene.indexed(table).iter().any(|index| {
        index.len() >= columns.len()
            && index
                .iter()
                .take(columns.len())
                .all(|one| columns.iter().any(|column| column == one))
    });
    if columns.is_empty() || has_index {
        return;
    }
    let is_certain = columns.iter().any(|column| scene.has_column(table, column));
    let severity = if is_certain {
        Severity::Warning
    } else {
        Severity::Info
    };
    let doubt = if is_certain {
        ""
    } else {
        ", unless there is one already"
    };
    report.push_as(
        severity,
        &rule::FK_WITHOUT_INDEX,
        object,
        format!(
            "no index of table {table} begins with {}{doubt}",
            columns.join(", ")
        ),
    );
}

fn rebuilt(table: &ObjectName, change: &TableChange, report: &mut Report) {
    let why = match change {
        TableChange::Logged | TableChange::Unlogged => "SET LOGGED and SET UNLOGGED",
        TableChange::AccessMethod => "another access method",
        TableChange::Tablespace => "another tablespace",
        TableChange::PartitionAttached(partition) => {
            report.push(
                &rule::VALIDATION_SCAN,
                partition,
                format!("attaching reads all of {partition}, unless a CHECK proves that its rows fit, and the default partition"),
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
    report.push(
        &rule::TABLE_REWRITE,
        table,
        format!("{why} writes table {table} anew"),
    );
}
