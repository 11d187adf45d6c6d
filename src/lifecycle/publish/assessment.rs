//! What migrations do, found out by running them in an empty copy of the module's schema.

use std::collections::BTreeSet;

use pgrx::Uuid;
use serde_json::{Value, json};
use versioning_core::catalog::Bump;
use versioning_core::consequence::{self, Loss};
use versioning_core::effect::Effect;
use versioning_core::model::{Isolation, Migration};
use versioning_core::rehearsal::Finding;
use versioning_core::rehearsal::unfilled;
use versioning_core::rehearsal::verdict::Reversibility;
use versioning_core::release_policy::Demand;

use super::copy::{EmptyCopy, does_not_run};
use super::gone;
use super::journey::Journey;
use super::told::{Told, rows_lost, untried};
use crate::error::{Error, Result};
use crate::lifecycle::rehearse::{self, Rehearsed};
use crate::lifecycle::store::publish::Record;
use crate::migration::check::statements;
use crate::migration::effects;
use crate::registry::Module;
use crate::settings;

/// What was found out.
pub struct Assessment {
    /// What is recorded of each of the version's own migrations.
    pub records: Vec<Record>,
    /// What all that the version adds demands of its number.
    pub demands: Vec<Demand>,
    /// Why it is not known, or not of all of them.
    pub not_run: Option<String>,
}

/// Runs the migrations and says what they do. Nothing of it stays.
/// A cancel goes on upwards.
pub fn assess(module: &Module, journey: &Journey) -> Assessment {
    let mut told = Vec::new();
    let mut unreadable = None;
    for one in &journey.steps {
        match effects::of_up_script(&one.up_sql, &one.checksum) {
            Ok(script) => told.push((one, script)),
            // Somebody has changed it in the table.
            Err(error) => unreadable = Some(sentence(&error)),
        }
    }
    let off = !settings::rehearse_at_publish();
    let off = off.then(|| "module_versioning.rehearse_at_publish is off.".to_owned());
    let reason = off
        .or(unreadable)
        .or_else(|| out_of_bounds(module, journey).unwrap_or_else(|error| Some(sentence(&error))));
    match reason {
        Some(reason) => untried(journey, &told, &reason),
        None => tried(module, journey, &told),
    }
}

fn sentence(error: &Error) -> String {
    format!("{} (SQLSTATE {}).", error.words().message, error.sqlstate())
}

/// What running them shows, as far as they run.
fn tried(module: &Module, journey: &Journey, told: &[Told<'_>]) -> Assessment {
    let tried = rehearse::leaving_nothing(|| {
        let mut trial = Trial {
            journey,
            told,
            known: Known::default(),
            locked: BTreeSet::new(),
        };
        let outcome = trial.run(&EmptyCopy::make(module)?)?;
        Ok(((trial.known, outcome), trial.locked))
    });
    match tried {
        Ok((known, Ok(demands))) => Assessment {
            records: known.records,
            demands,
            not_run: None,
        },
        Ok((known, Err(reason))) => {
            let reason = match journey.missing() {
                Some(missing) => format!("{reason} {missing}"),
                None => reason,
            };
            let mut found = untried(journey, told, &reason);
            for record in &mut found.records {
                let is_it = |one: &&Record| one.migration_id == record.migration_id;
                if let Some(known) = known.records.iter().find(is_it) {
                    *record = known.clone();
                }
            }
            for demand in known.demands {
                add(&mut found.demands, demand);
            }
            found
        }
        Err(error) => untried(journey, told, &sentence(&error)),
    }
}

/// A change of a table that is not in the module's own schema would be one of the table itself, not of a copy.
fn out_of_bounds(module: &Module, journey: &Journey) -> Result<Option<String>> {
    let own = |schema: &str| module.isolation == Isolation::Row && schema == module.schema_name;
    let mut made = BTreeSet::new();
    for migration in journey.base.iter().chain(&journey.steps) {
        let down_sql = migration.down_sql.as_deref().unwrap_or_default();
        for (name, sql) in [
            ("up_sql", migration.up_sql.as_str()),
            ("down_sql", down_sql),
        ] {
            for effect in statements(name, sql)?.iter().flat_map(|one| &one.effects) {
                if let Effect::CreateTable { table, .. } = effect {
                    made.insert(table.clone());
                }
                let changed = effect.changed_tables();
                let foreign = changed.into_iter().find(|table| {
                    table.schema.as_deref().is_some_and(|schema| !own(schema))
                        && !made.contains(*table)
                });
                if let Some(table) = foreign {
                    return Ok(Some(format!(
                        "Migration {} changes {table}, which is not in the module's own schema and so would not be changed in a copy.",
                        migration.sequence
                    )));
                }
            }
        }
    }
    Ok(None)
}

/// What is known of the migrations that ran, each by itself.
#[derive(Default)]
struct Known {
    records: Vec<Record>,
    demands: Vec<Demand>,
}

/// Migrations being tried in a copy.
struct Trial<'a> {
    journey: &'a Journey,
    told: &'a [Told<'a>],
    known: Known,
    locked: BTreeSet<u32>,
}

impl Trial<'_> {
    /// What all of them demand, or why they can't be run.
    fn run(&mut self, copy: &EmptyCopy<'_>) -> Result<std::result::Result<Vec<Demand>, String>> {
        let steps = &self.journey.steps;
        let base: Vec<&Migration> = self.journey.base.iter().collect();
        if let Some(reason) = copy.run(&base)? {
            return Ok(Err(reason));
        }
        let mut together = None;
        if steps.len() > 1 || !steps.iter().all(|one| self.journey.own.contains(&one.id)) {
            let all: Vec<&Migration> = steps.iter().collect();
            together = Some(self.rehearse(copy, &all, false)?);
        }
        for (done, migration) in steps.iter().enumerate() {
            pgrx::check_for_interrupts!();
            if self.journey.own.contains(&migration.id) {
                let found = self.rehearse(copy, &[migration], true)?;
                if let Some((sqlstate, message, number)) = &found.failure {
                    let sequence = Some(migration.sequence);
                    return Ok(Err(does_not_run(sequence, *number, message, sqlstate)));
                }
                let record = self.record(copy, migration, &found);
                self.known.records.push(record);
                self.known.demands.extend(found.demands.iter().cloned());
                together = together.or(Some(found));
            }
            if done + 1 < steps.len()
                && let Some(reason) = copy.run(&[migration])?
            {
                return Ok(Err(reason));
            }
        }
        Ok(Ok(self.demanded(together.unwrap_or_default())))
    }

    fn rehearse(
        &mut self,
        copy: &EmptyCopy<'_>,
        migrations: &[&Migration],
        back: bool,
    ) -> Result<Rehearsed> {
        let found = rehearse::run(&copy.subject(migrations, back)?)?;
        self.locked.extend(&found.locked);
        Ok(found)
    }

    fn demanded(&self, found: Rehearsed) -> Vec<Demand> {
        let mut demands = found.demands;
        for loss in &found.data_loss {
            add(&mut demands, demand_of(loss));
        }
        for lost in rows_lost(self.told) {
            add(&mut demands, lost);
        }
        for lost in found
            .losing
            .iter()
            .filter(|lost| gone::is_lost(lost, self.told))
        {
            add(&mut demands, demand_of(lost));
        }
        demands.sort_by_key(|demand| {
            let place = demand.place.map(|(number, migration)| (migration, number));
            (std::cmp::Reverse(demand.bump), place)
        });
        demands
    }

    fn record(&self, copy: &EmptyCopy<'_>, migration: &Migration, found: &Rehearsed) -> Record {
        let told = self.told.iter().filter(|(one, _)| one.id == migration.id);
        let losses = consequence::losses(told.flat_map(|(_, script)| script.effects.iter()));
        let gone: Vec<String> = found
            .losing
            .iter()
            .map(|finding| format!("{} {}", finding.kind, finding.object))
            .collect();
        let measured = Reversibility::from_word(found.reversibility);
        let measured = measured.unwrap_or(Reversibility::Unknown);
        let (verdict, detail) = unfilled::with_rows(measured, &gone, &losses);
        let deletes = losses
            .known
            .iter()
            .any(|loss| matches!(loss, Loss::Rows(_) | Loss::SomeRows(_)));
        let detail = detail.or_else(|| {
            let is_full = verdict == Reversibility::Reversible;
            let reasons = found.warnings.iter().filter(|one| is_reason(one));
            let reasons: Vec<&str> = reasons.map(String::as_str).collect();
            (!is_full && !reasons.is_empty()).then(|| reasons.join("\n"))
        });
        let deletes = deletes
            || found
                .losing
                .iter()
                .any(|lost| gone::is_lost(lost, self.told));
        let findings = findings(found);
        Record {
            migration_id: Uuid::from_bytes(migration.id),
            reversibility: verdict.as_str(),
            detail: detail.map(|detail| copy.unnamed(&detail)),
            suggested_bump: if deletes {
                Some(Bump::Major.as_str())
            } else {
                found.suggested_bump
            },
            findings: serde_json::from_str(&copy.unnamed(&findings.to_string())).ok(),
        }
    }
}

/// Whether a warning of a rehearsal says something about the way back.
fn is_reason(warning: &str) -> bool {
    let others = [
        "fk_without_index:",
        "cluster_wide_change:",
        "session_setting_leak:",
        "sequence ",
    ];
    !others.iter().any(|other| warning.starts_with(other))
}

/// What is kept of a rehearsal with the migration.
fn findings(found: &Rehearsed) -> Value {
    let list = |findings: &[Finding]| Value::Array(findings.iter().map(Finding::json).collect());
    let mut losses = found.data_loss.clone();
    for finding in &found.losing {
        if !losses
            .iter()
            .any(|one| one.kind == finding.kind && one.object == finding.object)
        {
            losses.push(finding.clone());
        }
    }
    let added = found
        .schema_changes
        .iter()
        .filter(|one| one["change"] == "added");
    let added = added.map(|one| &one["object"]);
    json!({
        "breaking_changes": found.breaking_changes,
        "data_loss": list(&losses),
        "down_data_loss": list(&found.down_data_loss),
        "schema_restored": found.schema_restored,
        "added": added.collect::<Vec<_>>(),
        "warnings": found.warnings,
    })
}

fn demand_of(loss: &Finding) -> Demand {
    Demand {
        kind: loss.kind.clone(),
        object: loss.object.clone(),
        bump: Bump::Major,
        place: loss.statement_number.map(|number| (number, loss.migration)),
    }
}

/// Adds a demand that is none of those found already.
fn add(demands: &mut Vec<Demand>, demand: Demand) {
    let is_known = |known: &Demand| {
        known.object == demand.object && (known.kind == demand.kind || known.bump == demand.bump)
    };
    if !demands.iter().any(is_known) {
        demands.push(demand);
    }
}
