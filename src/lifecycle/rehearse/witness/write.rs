//! Writes that a trigger refuses, tried with rows that are there: by a new trigger, or by one that was there
//! and whose function, or what that needs, is another now.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::spi;
use versioning_core::catalog::Schema;
use versioning_core::catalog::model::{Column, Relation, RelationKind, Trigger};

use super::super::pass::Catalogs;
use super::super::subject::Subject;
use super::{Witness, shown};
use crate::error::Result;
use crate::migration::execute::RunContext;
use crate::migration::trial::{Trial, try_script};
use crate::pg::subtransaction::undone;
use crate::settings;

/// SQLSTATEs with which a copy of a row fails because the row itself is there.
const OWN_KEY: [&str; 2] = ["23505", "23P01"];

/// How many rows are tried at most.
const ROWS: usize = 100;

/// The writes that fail now.
pub fn failing(
    subject: &Subject,
    before: &Catalogs,
    after: &Catalogs,
    found: &mut Vec<Witness>,
) -> Result<()> {
    let shaken = shaken(&before.schemas, &after.schemas);
    for (schema, model) in &after.schemas {
        let Some(old) = before.schemas.get(schema) else {
            continue;
        };
        let mut schemas = shaken.iter();
        let shaken = schemas.any(|name| name == schema || may_need(model, name));
        for (name, relation) in &model.relations {
            let Some(was) = old
                .relations
                .get(name)
                .filter(|was| was.kind == relation.kind)
            else {
                continue;
            };
            if is_trying(was, relation, shaken) {
                let target = Target::new(schema, name, was, relation);
                found.extend(target.refused(subject)?);
            }
        }
    }
    Ok(())
}

/// The schemas in which something that a trigger's function may need is another now, or gone.
fn shaken<'a>(
    before: &'a BTreeMap<String, Schema>,
    after: &BTreeMap<String, Schema>,
) -> Vec<&'a str> {
    let schemas = before.iter();
    let shaken =
        schemas.filter(|(name, old)| after.get(*name).is_none_or(|new| is_shaken(old, new)));
    shaken.map(|(name, _)| name.as_str()).collect()
}

fn is_shaken(old: &Schema, new: &Schema) -> bool {
    let functions = old.functions.iter().any(|(name, was)| {
        let is = new.functions.get(name);
        !is.is_some_and(|is| is.body == was.body && is.config == was.config)
    });
    let relations = || {
        old.relations.iter().any(|(name, was)| {
            let Some(is) = new.relations.get(name) else {
                return true;
            };
            let changed = |(name, was): (&String, &Column)| {
                let now = is.columns.get(name);
                now.is_none_or(|is| is.r#type != was.r#type)
            };
            was.columns.iter().any(changed)
        })
    };
    functions || relations()
}

/// Whether the triggers of a schema's tables may need what is in another one.
fn may_need(model: &Schema, schema: &str) -> bool {
    let mut bodies = model.functions.values().map(|function| &function.body);
    let mut triggers = model.relations.values().flat_map(|is| is.triggers.values());
    bodies.any(|body| body.contains(schema))
        || triggers.any(|trigger| trigger.definition.contains(schema))
}

fn is_trying(was: &Relation, is: &Relation, shaken: bool) -> bool {
    let has_rows = matches!(
        is.kind,
        RelationKind::Table | RelationKind::PartitionedTable | RelationKind::View
    );
    let known: BTreeMap<u32, &Trigger> = was
        .triggers
        .values()
        .filter_map(|trigger| Some((trigger.identity?.object, trigger)))
        .collect();
    let is_another = |trigger: &Trigger| {
        let known = trigger.identity.and_then(|one| known.get(&one.object));
        known.is_none_or(|was| was.enabled != trigger.enabled)
    };
    let mut enabled = is
        .triggers
        .values()
        .filter(|trigger| trigger.enabled.as_deref() != Some("disabled"));
    has_rows && enabled.any(|trigger| shaken || is_another(trigger))
}

/// Where something is written.
struct Target<'a> {
    schema: &'a str,
    name: &'a str,
    kind: RelationKind,
    /// The columns that were there before, quoted.
    columns: Vec<String>,
    /// Those of them that take what is written to them.
    settable: Vec<String>,
}

impl<'a> Target<'a> {
    fn new(schema: &'a str, name: &'a str, was: &Relation, is: &Relation) -> Self {
        let writable = |column: &Column| column.generated.is_none() && !column.readonly;
        let kept: Vec<(&String, &Column)> = is
            .columns
            .iter()
            .filter(|(name, now)| writable(now) && was.columns.get(*name).is_some_and(writable))
            .collect();
        let always = |column: &Column| column.identity_kind.as_deref() == Some("always");
        let settable = kept.iter().filter(|(_, column)| !always(column));
        Self {
            schema,
            name,
            kind: is.kind,
            columns: kept
                .iter()
                .map(|(name, _)| spi::quote_identifier(*name))
                .collect(),
            settable: settable
                .map(|(name, _)| spi::quote_identifier(*name))
                .collect(),
        }
    }

    /// The first write that fails now, and not without the triggers.
    fn refused(&self, subject: &Subject) -> Result<Option<Witness>> {
        for statement in self.statements() {
            pgrx::check_for_interrupts!();
            let Some(sqlstate) = ran(subject, &statement)?.filter(|code| is_refusal(code)) else {
                continue;
            };
            if self.kind != RelationKind::View {
                let table = self.qualified();
                let script = format!("ALTER TABLE {table} DISABLE TRIGGER USER; {statement}");
                if ran(subject, &script)?.as_ref() == Some(&sqlstate) {
                    continue;
                }
            }
            return Ok(Some(Witness {
                kind: "writes_rejected_by_trigger",
                object: shown(
                    &subject.schema,
                    self.schema,
                    &spi::quote_identifier(self.name),
                ),
                statement,
                sqlstate,
                usage: None,
            }));
        }
        Ok(None)
    }

    fn qualified(&self) -> String {
        spi::quote_qualified_identifier(self.schema, self.name)
    }

    /// Writes that change nothing, or that a client may make with any row.
    fn statements(&self) -> Vec<String> {
        let relation = self.qualified();
        let columns = self.columns.join(", ");
        let same: Vec<String> = self
            .settable
            .iter()
            .map(|name| format!("{name} = {name}"))
            .collect();
        let same = same.join(", ");
        let only = if self.kind == RelationKind::Table {
            "ONLY "
        } else {
            ""
        };
        let rows = |count: usize| match self.kind {
            RelationKind::View => String::new(),
            _ => format!(
                " WHERE ctid = ANY (ARRAY(SELECT ctid FROM {only}{relation} LIMIT {count}))"
            ),
        };
        let mut texts = Vec::new();
        if !self.settable.is_empty() {
            texts.push(format!("UPDATE {only}{relation} SET {same}{}", rows(ROWS)));
        }
        if !self.columns.is_empty() {
            let into = format!("INSERT INTO {relation} ({columns})");
            let overriding = match self.kind {
                RelationKind::View => "",
                _ => " OVERRIDING SYSTEM VALUE",
            };
            texts.push(format!(
                "{into}{overriding} SELECT {columns} FROM {only}{relation} LIMIT 1"
            ));
            if self.kind != RelationKind::View {
                texts.push(format!(
                    "WITH taken AS (DELETE FROM {only}{relation}{} RETURNING {columns}) {into}{overriding} SELECT {columns} FROM taken",
                    rows(ROWS)
                ));
            }
        }
        texts.push(format!("DELETE FROM {only}{relation}{}", rows(1)));
        texts
    }
}

/// An error that says something about the write: not that it was cancelled, or waited in vain.
fn is_refusal(sqlstate: &str) -> bool {
    let is_of = |classes: &BTreeSet<&str>| classes.iter().any(|class| sqlstate.starts_with(class));
    !is_of(&BTreeSet::from(["57", "53", "55006", "55P03", "40", "XX"]))
}

/// Whether a write that fails after the scripts works before them. The copy of a row may fail for the row's
/// own key: another row wouldn't.
pub fn worked(subject: &Subject, witness: &Witness) -> Result<bool> {
    Ok(match ran(subject, &witness.statement)? {
        None => true,
        Some(before) => before != witness.sqlstate && OWN_KEY.contains(&before.as_str()),
    })
}

/// The SQLSTATE with which a statement fails that is run as a script would and undone.
fn ran(subject: &Subject, statement: &str) -> Result<Option<String>> {
    let context = RunContext {
        site_id: subject.site_id,
        module_id: subject.module_id,
        schema: &subject.schema,
        owner: subject.owner,
    };
    let trial = Trial {
        observer: None,
        lock_timeout: settings::rehearsal_lock_timeout(),
        statement_timeout: None,
    };
    let tried = undone(|| try_script("witness", statement, &context, &trial))?;
    Ok(tried.execution.failure.map(|failure| failure.sqlstate))
}
