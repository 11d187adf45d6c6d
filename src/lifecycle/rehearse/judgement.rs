//! What the passes mean.

mod clients;

use std::collections::BTreeMap;

use pgrx::spi;
use serde_json::json;
use versioning_core::catalog::{Bump, diff_all, settled};
use versioning_core::model::Direction;
use versioning_core::rehearsal::narrowing::{Narrowing, narrowing};
use versioning_core::rehearsal::shape;
use versioning_core::rehearsal::verdict::{self, Facts};
use versioning_core::rehearsal::{Finding, Observation, hazards};

use super::Rehearsed;
use super::pass::{First, Leg, Second};
use super::statements;
use super::subject::Subject;
use super::words::{is_of_before, is_of_rows, shown_cut, shown_loss};
use crate::error::Result;
use crate::migration::check;
use crate::schema::content::Losses;
use crate::schema::watch::Position;

/// What has been found so far.
pub struct Judgement<'a> {
    subject: &'a Subject,
    found: Rehearsed,
    facts: Facts,
    bump: Option<Bump>,
    cuts: Vec<Finding>,
    in_between: Vec<Finding>,
}

impl<'a> Judgement<'a> {
    /// Nothing yet.
    pub fn new(subject: &'a Subject) -> Self {
        Self {
            subject,
            found: Rehearsed {
                warnings: subject.warnings.clone(),
                ..Rehearsed::default()
            },
            facts: Facts {
                has_down: subject.direction == Direction::Down || subject.back.is_some(),
                ..Facts::default()
            },
            bump: None,
            cuts: Vec::new(),
            in_between: Vec::new(),
        }
    }

    /// The scripts are too much to be run: what their text tells.
    ///
    /// # Errors
    /// What the parser refuses.
    pub fn not_run(mut self, reason: &str) -> Result<Rehearsed> {
        self.found.warnings.push(reason.to_owned());
        for script in &self.subject.forward {
            for statement in check::statements(script.name, &script.sql)? {
                self.found.statements.push(json!({
                    "statement_number": statement.number,
                    "migration_sequence": script.migration,
                    "text": versioning_core::script::excerpt(&statement.text, 200),
                    "command": statement.command,
                    "ms": null, "rows": null, "wal_bytes": null, "locks": [],
                }));
            }
        }
        Ok(self.end())
    }

    /// What the first pass means.
    ///
    /// # Errors
    /// None of its own.
    pub fn first_pass(&mut self, first: &First) -> Result<()> {
        (self.found.statements, self.found.duration_ms) = statements::shown(first);
        self.found.locked.clone_from(&first.locked);
        for seen in &first.seen {
            let hazards = hazards(seen, &first.relations);
            self.found.locks.extend(hazards.locks);
            self.found.rewrites.extend(hazards.rewrites);
        }
        self.notes(&first.forward);
        let failure = first.forward.failure();
        self.found.ok = Some(failure.is_none());
        self.facts.up_ran = failure.is_none();
        if let Some((migration, failure)) = failure {
            self.found.failure = Some((
                failure.sqlstate.clone(),
                failure.message.clone(),
                failure.statement_number,
            ));
            self.found.warnings.extend(
                migration.map(|sequence| {
                    format!("the failing statement is one of migration {sequence}")
                }),
            );
            // Who holds the lock.
            if failure.sqlstate == "55P03" {
                self.found.warnings.extend(failure.detail.clone());
            }
            return Ok(());
        }
        for key in &first.unindexed {
            self.found.warnings.push(format!(
                "fk_without_index: no index of {} begins with the columns of foreign key {}: a DELETE or UPDATE of a key in {} reads all of it",
                key.shown, key.name, key.parent
            ));
        }
        self.changes(first);
        self.way_back(first);
        Ok(())
    }

    /// What the guard noted while the scripts ran.
    fn notes(&mut self, leg: &Leg) {
        for (_, tried) in &leg.ran {
            for (number, what) in &tried.left_out {
                self.found.warnings.push(format!(
                    "non_transactional_effect: statement {number} was not run: undoing it would not undo {what}"
                ));
            }
            for command in &tried.notes.cluster_wide {
                self.found.warnings.push(format!(
                    "cluster_wide_change: {command} changes what all databases of the server share"
                ));
            }
            if tried.notes.analyzes {
                self.found.warnings.push(
                    "non_transactional_effect: ANALYZE was not run: undoing it would not undo what it tells the planner".to_owned(),
                );
            }
            for setting in &tried.notes.settings {
                self.found.warnings.push(format!(
                    "session_setting_leak: the script changes {setting} without LOCAL; module_versioning puts it back, other tools leave it set"
                ));
            }
        }
        self.facts.incomplete |= leg.is_incomplete();
    }

    /// The step of the version number is at least this one.
    fn demand(&mut self, bump: Bump) {
        self.bump = self.bump.max(Some(bump));
    }

    fn way_back(&mut self, first: &First) {
        let Some(back) = &first.back else { return };
        self.notes(back);
        let which = match self.subject.direction {
            Direction::Up => "down",
            Direction::Down => "up",
        };
        self.facts.down_ran = Some(back.failure().is_none());
        if let Some((migration, failure)) = back.failure() {
            let of =
                migration.map_or_else(String::new, |sequence| format!(" of migration {sequence}"));
            self.found.warnings.push(format!(
                "the {which} script{of} fails afterwards, at statement {}: {} (SQLSTATE {})",
                failure.statement_number, failure.message, failure.sqlstate
            ));
        }
        if first.restored.is_some() {
            self.in_between.clone_from(&first.in_between);
        }
        self.restored(first);
        if self.subject.direction == Direction::Up {
            self.retyped(first);
        }
        if let Some(again) = &first.again {
            let same = first
                .after
                .as_ref()
                .zip(first.after_again.as_ref())
                .is_some_and(|(after, again)| {
                    let (after, again) = (after.by_name(), again.by_name());
                    after == again || settled(&after, &again) == again
                });
            self.facts.up_again = Some(same);
            if let Some((_, failure)) = again.failure() {
                self.found.warnings.push(format!(
                    "after going back the scripts don't run again, at statement {}: {} (SQLSTATE {})",
                    failure.statement_number, failure.message, failure.sqlstate
                ));
            } else if !same {
                self.found.warnings.push(
                    "after going back the scripts lead to another schema than the first time"
                        .to_owned(),
                );
            }
        }
    }

    /// A script ran once and not a second time.
    pub fn no_second_pass(&mut self) {
        self.facts.incomplete = true;
        self.found.warnings.push(
            "a script ran, but failed when it ran a second time: what is lost can't be told"
                .to_owned(),
        );
    }

    /// What the second pass means.
    pub fn second_pass(&mut self, first: &First, second: &Second) {
        let home = self.subject.schema.as_str();
        let shown = |losses: &Losses, seen: &[Observation]| -> Vec<Finding> {
            let losses = losses.losses.iter();
            let tables = &first.before.tables;
            losses
                .map(|loss| shown_loss(loss, home, tables, seen))
                .collect()
        };
        self.found.data_loss = shown(&second.forward, &first.seen);
        match &second.back {
            Some(back) => {
                self.found.down_data_loss = shown(back, &[]);
                // What is only written in between is no loss of the round trip.
                self.facts.loses_data = back.losses.iter().any(is_of_before);
            }
            None => self.facts.loses_data = !second.forward.losses.is_empty(),
        }
        if self.subject.direction == Direction::Down {
            self.found.down_data_loss.clone_from(&self.found.data_loss);
        }
        let sides = [Some(&second.forward), second.back.as_ref()];
        for unread in sides.into_iter().flatten().flat_map(|side| &side.unread) {
            let text = format!(
                "what table {} loses can't be told: {}",
                spi::quote_qualified_identifier(&unread.table.schema, &unread.table.name),
                unread.reason
            );
            if !self.found.warnings.contains(&text) {
                self.found.warnings.push(text);
                self.facts.incomplete = true;
            }
        }
    }

    /// Columns that have another type again after the way back: what is written in between may not fit.
    fn retyped(&mut self, first: &First) {
        let (Some(after), Some(restored)) = (&first.after, &first.restored) else {
            return;
        };
        let computed = |retyped: &shape::Retyped| {
            let column = (retyped.oid, retyped.column.clone());
            first.back.as_ref().is_some_and(|back| {
                (back.ran.iter()).any(|(_, tried)| tried.notes.computed.contains(&column))
            })
        };
        let is_faithful = |retyped: &shape::Retyped| {
            first
                .faithful
                .contains(&(retyped.oid, retyped.column.clone()))
        };
        for retyped in shape::retyped(&after.tables, &restored.tables) {
            match narrowing(&retyped.old, &retyped.new, computed(&retyped)) {
                Some(Narrowing::Silent) if !is_faithful(&retyped) => {
                    self.cuts.push(shown_cut(&retyped));
                }
                Some(Narrowing::Silent | Narrowing::Refused) => self.found.warnings.push(format!(
                    "the rollback may be refused: column {}.{} goes from {} back to {}, and what is written there meanwhile may not fit",
                    retyped.table, retyped.column, retyped.old, retyped.new
                )),
                None => {}
            }
        }
    }

    fn restored(&mut self, first: &First) {
        let Some(restored) = &first.restored else {
            return;
        };
        // Casts that only follow from a type that a column had in between are no difference.
        let new = restored.by_name();
        let old = settled(&first.before.by_name(), &new);
        self.facts.schema_restored = Some(old == new);
        for change in diff_all(&old, &new, Some(&self.subject.schema)) {
            self.found.warnings.push(format!(
                "the way back does not lead to the old schema: {} {} {}",
                change.object_type,
                change.object_name(),
                change.action.as_str()
            ));
        }
    }

    /// Sequences go on counting whatever is undone.
    pub fn sequences(&mut self, before: &BTreeMap<u32, Position>, after: &BTreeMap<u32, Position>) {
        for (oid, now) in after {
            let Some(then) = before.get(oid) else {
                continue;
            };
            if then.last_value != now.last_value {
                let value = |position: &Position| {
                    position
                        .last_value
                        .map_or_else(|| "none".to_owned(), |value| value.to_string())
                };
                self.found.warnings.push(format!(
                    "sequence {} stays at {}, for nobody takes back what a sequence gave; it was at {}",
                    now.shown,
                    value(now),
                    value(then)
                ));
            }
        }
    }

    /// All of it.
    pub fn end(mut self) -> Rehearsed {
        for cut in std::mem::take(&mut self.cuts) {
            if !(self.found.down_data_loss.iter()).any(|told| told.object == cut.object) {
                self.found.down_data_loss.push(cut);
            }
        }
        for rows in std::mem::take(&mut self.in_between) {
            let told = &self.found.down_data_loss;
            if !told
                .iter()
                .any(|told| is_of_rows(told) && told.object == rows.object)
            {
                self.found.down_data_loss.push(rows);
            }
        }
        let verdict = verdict::reversibility(&self.facts);
        self.found.reversibility = verdict.as_str();
        self.found.schema_restored = self.facts.schema_restored;
        let bump = match self.bump {
            Some(_) if !self.found.data_loss.is_empty() => Some(Bump::Major),
            bump => bump,
        };
        self.found.suggested_bump = bump.map(Bump::as_str);
        if !self.facts.has_down {
            self.found
                .warnings
                .push("there is no way back: a down script is missing".to_owned());
        }
        self.found
    }
}
