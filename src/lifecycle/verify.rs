//! Whether an installation is what its version's migrations made: schema, migrations, dependencies,
//! snapshots, bundle.

use pgrx::Uuid;
use versioning_core::checksum;
use versioning_core::model::Isolation;
use versioning_core::plan::{counted, list};
use versioning_core::schema::drift;

use super::situation::Situation;
use super::store;
use crate::error::{Error, Result};
use crate::{registry, schema, snapshot};

/// One check and what it found.
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub passed: bool,
    /// What was found.
    pub detail: String,
}

/// Every check of an installation.
///
/// # Errors
/// None of its own: what is wrong is a check that didn't pass.
pub fn checks(situation: &Situation) -> Result<Vec<Check>> {
    let Some(current) = situation.current() else {
        return Ok(vec![Check {
            name: "installed",
            passed: false,
            detail: format!(
                "Module \"{}\" is not installed on site \"{}\".",
                situation.module.slug, situation.site.slug
            ),
        }]);
    };
    Ok(vec![
        Check {
            name: "installed",
            passed: true,
            detail: format!("Version {current} is active."),
        },
        schema_check(situation)?,
        tables_check(situation)?,
        migrations_check(situation)?,
        dependencies_check(situation)?,
        snapshots_check(situation)?,
        bundle_check(situation)?,
    ])
}

/// Checks what an upgrade or rollback has just made, inside its subtransaction.
///
/// # Errors
/// 55000 with the checks that didn't pass; the change is undone then.
pub fn after_change(before: &Situation, backup_id: Option<Uuid>) -> Result<()> {
    let situation = before.read_again()?;
    let mut checks = vec![
        schema_check(&situation)?,
        tables_check(&situation)?,
        dependencies_check(&situation)?,
    ];
    if let Some(backup_id) = backup_id {
        checks.push(snapshot_check(&[backup_id])?);
    }
    let failed: Vec<String> = checks
        .iter()
        .filter(|check| !check.passed)
        .map(|check| format!("{}: {}", check.name, check.detail))
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::wrong_state(format!(
        "module \"{}\" on site \"{}\" did not pass verification after the change",
        situation.module.slug, situation.site.slug
    ))
    .detail(failed.join("\n"))
    .hint("Everything was undone. The tables are as they were before the call."))
}

/// The check's sentence: what is wrong, or that nothing is.
fn verdict(name: &'static str, wrong: Vec<String>, fine: impl Into<String>) -> Check {
    let passed = wrong.is_empty();
    let detail = if passed {
        fine.into()
    } else {
        list(wrong.into_iter())
    };
    Check {
        name,
        passed,
        detail,
    }
}

fn schema_check(situation: &Situation) -> Result<Check> {
    let recorded = store::state::recorded_state(situation.module.id, situation.state_site())?;
    let live = schema::objects(situation.schema())?;
    let wrong = drift(&recorded, &live)
        .iter()
        .map(|drift| drift.describe())
        .collect();
    let fine = format!(
        "As the migrations made it: {}.",
        counted(recorded.len(), "object")
    );
    Ok(verdict("schema", wrong, fine))
}

fn tables_check(situation: &Situation) -> Result<Check> {
    let (mut wrong, mut count) = (Vec::new(), 0);
    if situation.module.isolation == Isolation::Row {
        for table in registry::tables(&situation.module)? {
            count += 1;
            if store::table::live_table(&table.schema, &table.relation)?.is_none() {
                wrong.push(format!("registered table {} does not exist", table.name));
            }
        }
    } else {
        count = schema::tables(situation.schema())?.len();
    }
    Ok(verdict(
        "tables",
        wrong,
        format!("There: {}.", counted(count, "table")),
    ))
}

fn migrations_check(situation: &Situation) -> Result<Check> {
    let Some(current) = situation.current() else {
        return Ok(verdict("migrations", Vec::new(), "None is due."));
    };
    let mut wrong = Vec::new();
    for migration in &situation.migrations {
        let applied = situation.applied.contains(&migration.id);
        if migration.to_version <= *current && !applied {
            wrong.push(format!(
                "migration {} to {} never ran",
                migration.sequence, migration.to_version
            ));
        }
        let checksum = checksum::of_scripts(&migration.up_sql, migration.down_sql.as_deref());
        if applied && checksum != migration.checksum {
            wrong.push(format!(
                "migration {} to {} is not what it was when it was registered",
                migration.sequence, migration.to_version
            ));
        }
    }
    let fine = format!(
        "In force, unchanged: {}.",
        counted(situation.applied.len(), "migration")
    );
    Ok(verdict("migrations", wrong, fine))
}

fn dependencies_check(situation: &Situation) -> Result<Check> {
    let wrong = match situation.current() {
        Some(current) => {
            registry::unmet_dependencies(situation.site.id, situation.version(current)?)?
        }
        None => Vec::new(),
    };
    Ok(verdict(
        "dependencies",
        wrong,
        "Every dependency is satisfied.",
    ))
}

fn snapshots_check(situation: &Situation) -> Result<Check> {
    snapshot_check(&store::snapshots(situation.site.id, situation.module.id)?)
}

fn snapshot_check(backup_ids: &[Uuid]) -> Result<Check> {
    let mut wrong = Vec::new();
    for backup_id in backup_ids {
        let verdicts = snapshot::verify::verify(*backup_id)?;
        wrong.extend(verdicts.into_iter().filter(|table| !table.ok).map(|table| {
            format!(
                "snapshot {backup_id}, table {}: {}",
                table.table_name,
                table.error.unwrap_or_default()
            )
        }));
    }
    Ok(verdict(
        "snapshots",
        wrong,
        format!("Intact: {}.", counted(backup_ids.len(), "snapshot")),
    ))
}

fn bundle_check(situation: &Situation) -> Result<Check> {
    let hash = match situation.current() {
        Some(current) => store::bundle_hash(situation.version(current)?.id)?,
        None => None,
    };
    let fine = hash.map_or_else(
        || "The version was registered without a bundle.".to_owned(),
        |hash| format!("The bundle's registered SHA-256 is {hash}."),
    );
    Ok(verdict("bundle", Vec::new(), fine))
}
