//! What a new constraint costs: scans, index builds, locks on the table that a key refers to.

use super::Report;
use super::rule::{self, Severity};
use super::scene::Scene;
use crate::detail::Constraint;
use crate::effect::{ConstraintKind, ObjectName};

pub(super) fn look(
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
                    "Atlas PG104, PG304, squawk adding-serial-primary-key-field, eugene W14",
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
            "Atlas PG306, squawk adding-foreign-key-constraint, constraint-missing-not-valid, strong_migrations add_foreign_key, eugene E1",
        );
    }
    let old: Vec<String> = [table, parent]
        .into_iter()
        .filter(|one| !scene.has_table(one))
        .map(ToString::to_string)
        .collect();
    if !old.is_empty() {
        report.push_as(
            if is_new || constraint.not_valid {
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
