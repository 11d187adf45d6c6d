//! What the scripts' text tells of migrations that could not be run: the least that they do.

use std::collections::BTreeSet;
use std::rc::Rc;

use pgrx::Uuid;
use serde_json::{Value, json};
use versioning_core::catalog::Bump;
use versioning_core::consequence::{self, Loss};
use versioning_core::effect::tables_made;
use versioning_core::model::Migration;
use versioning_core::rehearsal::verdict::Reversibility;
use versioning_core::release_policy::Demand;

use super::assessment::Assessment;
use super::journey::Journey;
use crate::lifecycle::store::publish::Record;
use crate::migration::effects::UpScript;

/// A migration and what its up script says.
pub type Told<'a> = (&'a Migration, Rc<UpScript>);

/// What is known without running anything: what the scripts say.
pub fn untried(journey: &Journey, told: &[Told<'_>], reason: &str) -> Assessment {
    let own = journey
        .steps
        .iter()
        .filter(|one| journey.own.contains(&one.id));
    let records = own.map(|one| {
        let script = told.iter().find(|(known, _)| known.id == one.id);
        Record {
            migration_id: Uuid::from_bytes(one.id),
            reversibility: Reversibility::Unknown.as_str(),
            detail: Some(reason.to_owned()),
            suggested_bump: script.and_then(bump).map(Bump::as_str),
            findings: script.map(|(_, script)| findings(script)),
        }
    });
    Assessment {
        records: records.collect(),
        demands: demands(told),
        not_run: Some(reason.to_owned()),
    }
}

/// What the scripts demand together, the biggest steps first.
fn demands(told: &[Told<'_>]) -> Vec<Demand> {
    let mut demands = rows_lost(told);
    demands.extend(broken(told));
    demands.extend(added(told));
    demands.sort_by_key(|demand| std::cmp::Reverse(demand.bump));
    demands
}

/// The step that a script demands by what its text tells; none when that is nothing, for it may do more.
fn bump(one: &Told<'_>) -> Option<Bump> {
    let demands = demands(std::slice::from_ref(one));
    demands.iter().map(|demand| demand.bump).max()
}

/// What is kept of it with the migration.
fn findings(script: &UpScript) -> Value {
    let breaks = script
        .breaking
        .iter()
        .map(|one| json!({"kind": one.kind, "object": one.object}));
    let losses = consequence::losses(script.effects.iter());
    let losses = losses.known.iter().map(|loss| {
        json!({
            "kind": loss.kind(),
            "table": loss.table().to_string(),
            "column": loss.column(),
        })
    });
    let tables: Vec<String> = tables_made(&script.effects).collect();
    json!({
        "measured": false,
        "breaking_changes": breaks.collect::<Vec<_>>(),
        "data_loss": losses.collect::<Vec<_>>(),
        "down_data_loss": [],
        "schema_restored": null,
        "added": tables,
        "warnings": [],
    })
}

/// What the scripts break by their text, of what was there before them. What depends on what is written, or on
/// who asks, changes at least how something behaves.
fn broken(told: &[Told<'_>]) -> Vec<Demand> {
    let mut made = BTreeSet::new();
    let mut demands = Vec::new();
    for (migration, script) in told {
        for one in &script.breaking {
            if !made.contains(consequence::whole(&one.object)) {
                let by = format!("{} (migration {})", one.object, migration.sequence);
                let bump = match one.is_certain() {
                    true => Bump::Major,
                    false => Bump::Minor,
                };
                demands.push(Demand::new(one.kind, &by, bump));
            }
        }
        made.extend(tables_made(&script.effects));
    }
    demands
}

/// What the scripts add by their text.
fn added(told: &[Told<'_>]) -> Vec<Demand> {
    let all = told
        .iter()
        .flat_map(|(migration, script)| script.added.iter().map(move |one| (migration, one)));
    let demand = |(migration, one): (&&Migration, &versioning_core::addition::Addition)| Demand {
        place: Some((one.statement_number, Some(migration.sequence))),
        ..Demand::new(one.kind, &one.object, Bump::Minor)
    };
    all.map(demand).collect()
}

/// Rows that the scripts delete by their text: where there are none, running them shows nothing.
pub fn rows_lost(told: &[Told<'_>]) -> Vec<Demand> {
    let all = told.iter().flat_map(|(_, script)| script.effects.iter());
    let losses = consequence::losses(all);
    let rows = losses
        .known
        .iter()
        .filter(|loss| matches!(loss, Loss::Rows(_) | Loss::SomeRows(_)));
    rows.map(|loss| Demand::new(loss.kind(), &loss.table().to_string(), Bump::Major))
        .collect()
}
