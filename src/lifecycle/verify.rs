//! Whether an installation is what its version's migrations made: schema, migrations, dependencies,
//! snapshots, bundle.

use pgrx::Uuid;
use versioning_core::checksum;
use versioning_core::model::Isolation;
use versioning_core::plan::{self, counted, list};
use versioning_core::schema::{Drift, Live, definitions, drift, is_annotation};

use super::hold;
use super::situation::Situation;
use super::store;
use super::store::state::State;
use crate::error::{Error, Result};
use crate::migration::post_step;
use crate::registry::RegisteredVersion;
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
    let state = store::state::state(situation.module.id, situation.state_site())?;
    let live = schema::live(situation.schema())?;
    Ok(vec![
        Check {
            name: "installed",
            passed: true,
            detail: format!("Version {current} is active."),
        },
        schema_check(situation, &state, &live)?,
        extra_check(situation, &state, &live)?,
        tables_check(situation)?,
        migrations_check(situation)?,
        post_steps_check(situation)?,
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
    let situation = Situation::read_outline(Some(before.site.id), Some(before.module.id))?;
    let active = situation
        .current()
        .map(|current| situation.version(current))
        .transpose()?;
    hold::company(&situation, active)?;
    // The schema was recorded right after the scripts: there is nothing to compare it with.
    let mut checks = vec![tables_check(&situation)?, dependencies_check(&situation)?];
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

/// What is missing or different, and what is more since the last change; every object by name.
fn schema_check(situation: &Situation, state: &State, live: &Live) -> Result<Check> {
    let mut wrong: Vec<String> = drift(&state.objects, &definitions(live))
        .iter()
        .map(Drift::describe)
        .collect();
    wrong.extend(
        super::state::extras(situation, &state.objects, live)?
            .into_iter()
            .filter(|name| !is_annotation(name) && !state.tenant_objects.contains(name))
            .map(|name| Drift::Extra(name).describe()),
    );
    let passed = wrong.is_empty();
    let fine = format!(
        "As the migrations made it: {}.",
        counted(state.objects.len(), "object")
    );
    Ok(Check {
        name: "schema",
        passed,
        detail: if passed { fine } else { wrong.join(", ") },
    })
}

/// What others keep in the schema and a change has told of: it stays theirs and is no fault.
fn extra_check(situation: &Situation, state: &State, live: &Live) -> Result<Check> {
    let known: Vec<String> = super::state::extras(situation, &state.objects, live)?
        .into_iter()
        .filter(|name| is_annotation(name) || state.tenant_objects.contains(name))
        .collect();
    let detail = if known.is_empty() {
        "Nothing else is known in the schema.".to_owned()
    } else {
        format!("Not the module's, and kept: {}.", known.join(", "))
    };
    Ok(Check {
        name: "extra",
        passed: true,
        detail,
    })
}

/// Whether statements wait to be run by hand.
fn post_steps_check(situation: &Situation) -> Result<Check> {
    let due = post_step::due(situation.module.id, situation.site.id)?;
    let wrong = due.iter().map(|step| format!("due: {step}")).collect();
    Ok(verdict("post_steps", wrong, "None is due."))
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
    // What an upgrade to the version that runs would still do, should have been done.
    let mut wrong: Vec<String> = plan::upgrade(situation.facts(), current)
        .running()
        .map(|one| {
            format!(
                "migration {} to {} is not in force",
                one.sequence, one.to_version
            )
        })
        .collect();
    for migration in &situation.migrations {
        let applied = situation.applied.contains(&migration.id);
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
        Some(current) => company(situation, situation.version(current)?)?,
        None => Vec::new(),
    };
    Ok(verdict(
        "dependencies",
        wrong,
        "Every dependency is satisfied.",
    ))
}

/// What doesn't go together on the site, as it is at this moment.
fn company(situation: &Situation, active: &RegisteredVersion) -> Result<Vec<String>> {
    let site = registry::site(Some(situation.site.id))?;
    let mut wrong: Vec<String> = registry::unmet_platform(&site, active)
        .into_iter()
        .collect();
    wrong.extend(registry::unmet_dependencies(site.id, active)?);
    wrong.extend(registry::broken_dependents(
        site.id,
        situation.module.id,
        Some(&active.version),
    )?);
    wrong.extend(registry::conflicts(site.id, active)?);
    Ok(wrong)
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
