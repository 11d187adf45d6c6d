//! What differs for clients of the old version.

use pgrx::spi;
use serde_json::json;
use versioning_core::catalog::{Bump, Level, diff_all};
use versioning_core::rehearsal::attribution::Between;
use versioning_core::rehearsal::membership;
use versioning_core::release_policy::{Demand, demands};

use super::super::pass::{Catalogs, First};
use super::super::witness::Witness;
use super::super::words::{by_definition, shown_changes, shown_finding, undecided};
use super::Judgement;

impl Judgement<'_> {
    /// How the schemas differ, and what that means to clients of the old version.
    pub(super) fn changes(&mut self, first: &First) {
        let Some(after) = &first.after else { return };
        let changes = diff_all(
            &first.before.schemas,
            &after.schemas,
            Some(&self.subject.schema),
        );
        let between = Between {
            before: &first.before.schemas,
            after: &after.schemas,
            home: &self.subject.schema,
            seen: &first.seen,
        };
        for change in &changes {
            let place = between.statement_of(change);
            self.found
                .schema_changes
                .extend(shown_changes(change, place));
            self.found.warnings.extend(undecided(change));
            self.found.demands.extend(demands(change, place));
            self.found.losing.extend(by_definition(change, place));
            let breaking = change.findings.iter();
            self.found.breaking_changes.extend(
                breaking
                    .filter(|finding| finding.level == Level::Breaking)
                    .map(|finding| shown_finding(change, finding, place)),
            );
        }
        self.left_groups(first, after);
        for name in first.event_triggers.values() {
            self.found.schema_changes.push(json!({
                "kind": "event_trigger_added", "object": name, "object_type": "event trigger",
                "change": "added", "breaking": false, "statement_number": null, "detail": null,
            }));
            self.demand(Bump::Minor);
            let demand = Demand::new("event_trigger_added", name, Bump::Minor);
            self.found.demands.push(demand);
        }
        // Whether data goes with a change is measured, not guessed from it.
        for change in &changes {
            self.demand(match change.level() {
                Level::Breaking => Bump::Major,
                Level::Dangerous | Level::Addition => Bump::Minor,
                Level::Info => Bump::Patch,
            });
        }
        self.demand(Bump::Patch);
    }

    /// What roles may do no longer because they are no members of others any more.
    fn left_groups(&mut self, first: &First, after: &Catalogs) {
        let before = (&first.before.schemas, &first.before.memberships);
        for lost in membership::lost(before, (&after.schemas, &after.memberships)) {
            let schema = spi::quote_identifier(&lost.schema);
            let object = match lost.object {
                Some(object) if lost.schema == self.subject.schema => object,
                Some(object) => format!("{schema}.{object}"),
                None => schema,
            };
            self.demand(Bump::Major);
            let demand = Demand::new("privilege_revoked", &object, Bump::Major);
            self.found.demands.push(demand);
            self.found.breaking_changes.push(json!({
                "kind": "privilege_revoked",
                "object": object,
                "statement_number": null,
                "detail": format!(
                    "Role {} had {} through role {}, of which it is no member any more or doesn't inherit from.",
                    spi::quote_identifier(&lost.role),
                    lost.rights.join(", "),
                    spi::quote_identifier(&lost.group)
                ),
            }));
        }
    }

    /// Statements that work before the scripts and fail after them.
    pub fn witnesses(&mut self, witnesses: &[Witness]) {
        for witness in witnesses {
            let part = format!("{}.", witness.object);
            let is_told = self.found.breaking_changes.iter().any(|told| {
                let object = told["object"].as_str().unwrap_or_default();
                told["kind"] == witness.kind && object.starts_with(&part)
            });
            // A trigger's own text told so already.
            if is_told {
                continue;
            }
            // It isn't undecided any more.
            let trigger = format!(": trigger {part}");
            (self.found.warnings).retain(|warning| {
                witness.kind != "writes_rejected_by_trigger" || !warning.contains(&trigger)
            });
            let by = match &witness.usage {
                Some(usage) if usage.role == "public" => " for PUBLIC".to_owned(),
                Some(usage) => format!(" for role {}", spi::quote_identifier(&usage.role)),
                None => String::new(),
            };
            self.demand(Bump::Major);
            let demand = Demand::new(witness.kind, &witness.object, Bump::Major);
            self.found.demands.push(demand);
            self.found.breaking_changes.push(json!({
                "kind": witness.kind,
                "object": witness.object,
                "statement_number": null,
                "detail": format!(
                    "It fails{by} with SQLSTATE {} and worked before: {}",
                    witness.sqlstate, witness.statement
                ),
            }));
        }
    }
}
