//! What was found out about migrations when their versions were published, and what their text tells of those
//! about which nothing was.

use std::collections::{HashMap, HashSet};

use pgrx::Uuid;
use serde_json::Value;
use versioning_core::consequence;
use versioning_core::effect::{Effect, tables_made};
use versioning_core::model::{Id, Migration};
use versioning_core::plan::Plan;

use super::situation::Situation;
use super::store::publish as store;
use super::store::table;
use super::upgrade_plan::Parsed;
use crate::error::Result;
use crate::migration::check::statements;
use crate::migration::effects;
use crate::pg::table_owner::as_table_owner;

/// Something that a client of the old version may trip over.
pub struct Breaks<'a> {
    /// The migration that does it.
    pub migration: &'a Migration,
    /// The kind, as it is reported.
    pub kind: String,
    /// The object, as the script would name it.
    pub object: String,
    /// Whether a statement of an old client that uses the object is sure to fail.
    pub is_certain: bool,
    /// The statement that does it, where that is known.
    pub statement_number: Value,
    /// What else is to be said.
    pub detail: Value,
}

/// What migrations break, in run order: what was recorded, else what the parse tree tells. What a migration
/// does to objects that an earlier one of them makes breaks nobody.
///
/// # Errors
/// Only broken expectations.
pub fn breaking<'a>(parsed: &[Parsed<'a>]) -> Result<Vec<Breaks<'a>>> {
    let recorded = recorded(parsed.iter().map(|(migration, _)| *migration))?;
    let mut made: HashSet<String> = HashSet::new();
    let mut found = Vec::new();
    for (migration, effects) in parsed {
        let Some(findings) = recorded.get(&migration.id) else {
            let told = told(migration)?.into_iter();
            found.extend(told.filter(|one| !made.contains(consequence::whole(&one.object))));
            made.extend(tables_made(effects));
            continue;
        };
        let breaks = list(findings, "breaking_changes").filter_map(|one| known(migration, one));
        found.extend(breaks.filter(|one| !made.contains(consequence::whole(&one.object))));
        made.extend(
            list(findings, "added").filter_map(|name| name.as_str().map(ToOwned::to_owned)),
        );
    }
    Ok(found)
}

fn recorded<'a>(migrations: impl Iterator<Item = &'a Migration>) -> Result<HashMap<Id, Value>> {
    let ids = migrations.map(|one| Uuid::from_bytes(one.id)).collect();
    let found = store::findings(ids)?.into_iter();
    Ok(found.map(|(id, found)| (*id.as_bytes(), found)).collect())
}

fn list<'v>(findings: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    findings
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn told(migration: &Migration) -> Result<Vec<Breaks<'_>>> {
    let script = effects::of_up_script(&migration.up_sql, &migration.checksum)?;
    let found = script.breaking.iter();
    Ok(found
        .map(|one| Breaks {
            migration,
            kind: one.kind.to_owned(),
            is_certain: one.is_certain(),
            object: one.object.clone(),
            statement_number: Value::Null,
            detail: Value::Null,
        })
        .collect())
}

fn known<'a>(migration: &'a Migration, finding: &Value) -> Option<Breaks<'a>> {
    let kind = finding.get("kind")?.as_str()?;
    let part = |name| finding.get(name).cloned().unwrap_or(Value::Null);
    Some(Breaks {
        migration,
        kind: kind.to_owned(),
        object: finding.get("object")?.as_str()?.to_owned(),
        is_certain: consequence::is_certain(kind),
        statement_number: part("statement_number"),
        detail: part("detail"),
    })
}

/// Adds to the losses of a rollback those that its down scripts hide (a DO block, a call) and that showed when
/// they were run in a copy: the tables and columns that they take, counted on the live rows.
///
/// # Errors
/// 42501 should row level security hide a row all the same.
pub fn add_hidden_losses(
    situation: &Situation,
    plan: &Plan<'_>,
    known: &mut Vec<Value>,
) -> Result<()> {
    let hiding = hiding(plan)?;
    let recorded = recorded(hiding.iter().copied())?;
    for migration in hiding {
        let Some(findings) = recorded.get(&migration.id) else {
            continue;
        };
        for finding in list(findings, "down_data_loss") {
            let is_new = |loss: &Value| !known.iter().any(|known| is_same(known, loss));
            if let Some(loss) = counted(situation, migration.sequence, finding)?.filter(is_new) {
                known.push(loss);
            }
        }
    }
    Ok(())
}

/// The migrations of a rollback whose down scripts ran in a copy, so that it is known which tables and columns
/// they take, also where they hide it.
///
/// # Errors
/// Only broken expectations.
pub fn tried_downs(plan: &Plan<'_>) -> Result<HashSet<Id>> {
    let recorded = recorded(hiding(plan)?.into_iter())?.into_iter();
    let ran = |findings: &Value| {
        findings
            .get("schema_restored")
            .is_some_and(Value::is_boolean)
    };
    Ok(recorded
        .filter(|(_, findings)| ran(findings))
        .map(|(id, _)| id)
        .collect())
}

/// The migrations of a rollback whose down scripts hide what they do.
fn hiding<'a>(plan: &Plan<'a>) -> Result<Vec<&'a Migration>> {
    let mut hiding = Vec::new();
    for migration in plan.running() {
        let parsed = statements(
            "down_sql",
            migration.down_sql.as_deref().unwrap_or_default(),
        )?;
        let mut effects = parsed.iter().flat_map(|one| &one.effects);
        if effects.any(|effect| matches!(effect, Effect::Dynamic { .. })) {
            hiding.push(migration);
        }
    }
    Ok(hiding)
}

/// Whether two losses are of the same rows or values, or one of the other's table.
fn is_same(known: &Value, loss: &Value) -> bool {
    let part = |value: &Value, name| value.get(name).cloned().unwrap_or(Value::Null);
    let column = part(known, "column");
    part(known, "table") == part(loss, "table")
        && (column == part(loss, "column") || part(known, "kind") == "table_dropped")
}

/// What is there now of what went in the copy.
fn counted(situation: &Situation, sequence: i32, finding: &Value) -> Result<Option<Value>> {
    let text = |name| finding.get(name).and_then(Value::as_str);
    let (Some(kind), Some(shown)) = (text("kind"), text("table")) else {
        return Ok(None);
    };
    // Only the text told it, and of the text the rows that it takes now are counted.
    let is_told = matches!(kind, "rows_deleted" | "table_truncated");
    if is_told && finding.get("rows").and_then(Value::as_u64) == Some(0) {
        return Ok(None);
    }
    let (schema, name) = store::name_parts(shown)?;
    let schema = schema.as_deref().unwrap_or_else(|| situation.schema());
    let Some(table) = table::live_table(schema, &name)? else {
        return Ok(None);
    };
    let column = text("column");
    let has = |column| table.stored_columns.iter().any(|name| name == column);
    if column.is_some_and(|column| !has(column)) {
        return Ok(None);
    }
    let (rows, values) = as_table_owner(table.oid, table.owner, || {
        store::rows_and_values(&table.quoted, column)
    })?;
    if rows == 0 || column.is_some() && values == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::json!({
        "table": shown,
        "column": column,
        "kind": kind,
        "rows": rows,
        "values": column.map(|_| values),
        "site_rows": Value::Null,
        "site_values": Value::Null,
        "migration_sequence": sequence,
        "statement_number": finding.get("statement_number"),
        "certain": kind == "table_dropped" || kind == "column_dropped",
    })))
}
