//! Locks on tables that were there before, and what is done while they are held.

use super::Report;
use super::rule;
use super::scene::Scene;
use super::work;
use crate::detail::{ColumnChange, Described, Detail, TableChange};
use crate::effect::{ConstraintKind, Effect, ObjectName};

/// PostgreSQL's numbers of the lock modes.
pub(super) const SHARE_ROW_EXCLUSIVE: i32 = 6;
pub(super) const EXCLUSIVE: i32 = 7;
pub(super) const ACCESS_EXCLUSIVE: i32 = 8;

pub(super) fn look(scene: &mut Scene<'_>, described: &Described, report: &mut Report) {
    let before = report.found.len();
    for effect in &described.statement.effects {
        report.about = work::table_of_effect(effect).cloned();
        work::effect(scene, effect, report);
    }
    for detail in &described.details {
        report.about = work::table_of_detail(detail).cloned();
        work::detail(scene, detail, report);
    }
    report.about = None;
    let works_long = report.found.iter().skip(before).any(|finding| {
        [
            &rule::TABLE_REWRITE,
            &rule::VALIDATION_SCAN,
            &rule::INDEX_BUILD,
        ]
        .contains(&finding.rule)
    }) || writes_many(described);
    let is_told = |report: &Report| {
        let mut found = report.found.iter();
        found.any(|finding| finding.rule == &rule::STATEMENTS_UNDER_LOCK)
    };
    if works_long && !is_told(report) {
        held_locks(scene, described, report);
    }
    alters(scene, described, report);
    note_locks(scene, described, report);
}

/// Whether the statement reads or writes rows in a number that nobody can tell.
fn writes_many(described: &Described) -> bool {
    described
        .statement
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Update { .. } | Effect::Delete { .. }))
        || described.details.iter().any(|detail| {
            matches!(
                detail,
                Detail::Insert {
                    from_query: true,
                    ..
                }
            )
        })
}

fn held_locks(scene: &Scene<'_>, described: &Described, report: &mut Report) {
    let number = described.statement.number;
    let held = scene.locked.iter().find(|(_, since)| *since < number);
    if let Some((table, since)) = held {
        report.push(
            &rule::STATEMENTS_UNDER_LOCK,
            table,
            format!(
                "works while nobody can read table {table}, which statement {since} has locked"
            ),
        );
    }
}

fn alters(scene: &mut Scene<'_>, described: &Described, report: &mut Report) {
    if described.statement.command != "ALTER TABLE" {
        return;
    }
    let Some(table) = altered(described) else {
        return;
    };
    if scene.has_table(table) {
        return;
    }
    let count = scene.alters.entry(table.clone()).or_insert(0);
    *count += 1;
    if *count == 2 {
        report.push(
            &rule::MANY_ALTERS,
            table,
            format!("is not the first ALTER TABLE of table {table} in this script"),
        );
    }
}

/// The table that a statement of ALTER TABLE is about. A rename goes alone by its grammar.
fn altered(described: &Described) -> Option<&ObjectName> {
    let by_effect = described
        .statement
        .effects
        .iter()
        .find_map(|effect| match effect {
            Effect::AddColumn { table, .. }
            | Effect::DropColumn { table, .. }
            | Effect::AlterColumnType { table, .. }
            | Effect::SetNotNull { table, .. }
            | Effect::DropDefault { table, .. }
            | Effect::AddConstraint { table, .. }
            | Effect::DropConstraint { table, .. } => Some(table),
            _ => None,
        });
    by_effect.or_else(|| {
        described.details.iter().find_map(|detail| match detail {
            Detail::AlterColumn { table, .. } | Detail::AlterTable { table, .. } => Some(table),
            _ => None,
        })
    })
}

fn note_locks(scene: &mut Scene<'_>, described: &Described, report: &mut Report) {
    let effects = described.statement.effects.iter().flat_map(locks_of_effect);
    let details = described.details.iter().flat_map(locks_of_detail);
    for table in effects.chain(details) {
        let known = scene.locked.iter().any(|(locked, _)| *locked == table);
        if known || scene.has_table(&table) || scene.has_object(&table) {
            continue;
        }
        report.push(
            &rule::ACCESS_EXCLUSIVE,
            &table,
            format!("locks table {table} in ACCESS EXCLUSIVE mode"),
        );
        scene.locked.push((table, described.statement.number));
    }
}

fn locks_of_effect(effect: &Effect) -> Vec<ObjectName> {
    match effect {
        Effect::DropTable { table, .. }
        | Effect::RenameTable { table, .. }
        | Effect::MoveTable { table, .. }
        | Effect::AddColumn { table, .. }
        | Effect::DropColumn { table, .. }
        | Effect::RenameColumn { table, .. }
        | Effect::AlterColumnType { table, .. }
        | Effect::SetNotNull { table, .. }
        | Effect::DropDefault { table, .. }
        | Effect::DropConstraint { table, .. } => vec![table.clone()],
        Effect::AddConstraint { table, kind, .. } if *kind != ConstraintKind::ForeignKey => {
            vec![table.clone()]
        }
        Effect::Truncate { tables, .. } => tables.clone(),
        _ => Vec::new(),
    }
}

fn locks_of_detail(detail: &Detail) -> Vec<ObjectName> {
    match detail {
        Detail::AlterColumn { table, change, .. } if *change != ColumnChange::Tuning => {
            vec![table.clone()]
        }
        Detail::AlterTable { table, change } => match change {
            TableChange::Tuning
            | TableChange::TriggerDisabled
            | TableChange::TriggerEnabled
            | TableChange::ConstraintValidated(_)
            | TableChange::ConstraintAltered(_) => Vec::new(),
            TableChange::PartitionAttached(partition) => vec![partition.clone()],
            TableChange::PartitionDetached(partition) => vec![table.clone(), partition.clone()],
            _ => vec![table.clone()],
        },
        Detail::NewTable {
            partition_of: Some(parent),
            ..
        } => vec![parent.clone()],
        Detail::Rebuild {
            name,
            rewrites: true,
        } => vec![name.clone()],
        Detail::Refresh {
            view,
            concurrently: false,
            ..
        } => vec![view.clone()],
        Detail::Lock { tables, mode } if *mode == ACCESS_EXCLUSIVE => tables.clone(),
        Detail::DropPart { table, .. }
        | Detail::NewPolicy { table, .. }
        | Detail::AlterPolicy { table, .. }
        | Detail::NewRule { table, .. } => vec![table.clone()],
        _ => Vec::new(),
    }
}
