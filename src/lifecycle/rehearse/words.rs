//! What was found, in the words of a rehearsal.

use pgrx::spi;
use serde_json::{Value, json};
use versioning_core::catalog::change::Collection;
use versioning_core::catalog::{self, Change};
use versioning_core::content::{Kind, Loss};
use versioning_core::rehearsal::attribution::Place;
use versioning_core::rehearsal::shape::{Retyped, Tables};
use versioning_core::rehearsal::{Finding, Observation, Relations, attribution};

/// A difference as findings, one of each kind that it is of, what matters most first.
pub fn shown_changes(change: &Change, place: Option<Place>) -> Vec<Value> {
    let mut kinds: Vec<(catalog::Level, String)> = Vec::new();
    for finding in &change.findings {
        match kinds.iter_mut().find(|(_, kind)| kind == finding.kind) {
            Some((level, _)) => *level = finding.level.max(*level),
            None => kinds.push((finding.level, finding.kind.to_owned())),
        }
    }
    kinds.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
    if kinds.is_empty() {
        let kind = format!("{}_{}", change.object_type, change.action.as_str());
        kinds.push((catalog::Level::Info, kind.replace([' ', '-'], "_")));
    }
    let shown = kinds.into_iter().map(|(level, kind)| {
        json!({
            "kind": kind,
            "object": change.object_name(),
            "object_type": change.object_type,
            "change": change.action.as_str(),
            "breaking": level == catalog::Level::Breaking,
            "statement_number": place.map(|(number, _)| number),
            "migration_sequence": place.and_then(|(_, migration)| migration),
            "detail": change.detail(),
        })
    });
    shown.collect()
}

/// What can't be told about a trigger that may refuse what clients write.
pub fn undecided(change: &Change) -> Vec<String> {
    let of_triggers = change.findings.iter().filter(|finding| {
        change.object.collection == Collection::Triggers
            && finding.level != catalog::Level::Breaking
    });
    of_triggers
        .filter_map(|finding| {
            let note = finding.note.as_deref()?;
            Some(format!(
                "{}: trigger {}: {note}",
                finding.kind,
                change.object_name()
            ))
        })
        .collect()
}

pub fn shown_finding(change: &Change, finding: &catalog::Finding, place: Option<Place>) -> Value {
    json!({
        "kind": finding.kind,
        "object": change.object_name(),
        "object_type": change.object_type,
        "statement_number": place.map(|(number, _)| number),
        "migration_sequence": place.and_then(|(_, migration)| migration),
        "detail": finding.note,
    })
}

/// What goes with a difference together with its data, whether there is any or not.
pub fn by_definition(change: &Change, place: Option<Place>) -> Vec<Finding> {
    let object = change.object_name();
    let is_column = change.object.collection == Collection::Columns;
    let table = match &change.object.parent {
        Some(parent) => catalog::change::quoted(parent),
        None => object.clone(),
    };
    let table = match (&change.schema, is_column) {
        (Some(schema), true) => format!("{}.{table}", catalog::change::quoted(schema)),
        _ => table,
    };
    let losses = change.losses.iter().map(|kind| {
        let finding = Finding::new(kind, &object, "What is in it goes with it.")
            .fact("table", table.as_str())
            .fact("column", is_column.then_some(change.object.name.as_str()));
        match place {
            Some((number, migration)) => finding.by(number, migration),
            None => finding,
        }
    });
    losses.collect()
}

/// A loss as a finding, with the statement that is the likeliest to have made it.
pub fn shown_loss(loss: &Loss, home: &str, tables: &Tables, seen: &[Observation]) -> Finding {
    let quoted = spi::quote_identifier(&loss.table.name);
    let table = if loss.table.schema == home {
        quoted
    } else {
        spi::quote_qualified_identifier(&loss.table.schema, &loss.table.name)
    };
    let object = match &loss.column {
        Some(column) => format!("{table}.{}", spi::quote_identifier(column)),
        None => table.clone(),
    };
    let detail = loss.detail.clone().unwrap_or_else(|| match loss.values {
        Some(values) => format!("{values} values in {} rows are lost.", loss.rows),
        None => format!("{} rows are lost.", loss.rows),
    });
    let finding = Finding::new(loss.kind.as_str(), &object, detail)
        .fact("table", table)
        .fact("column", loss.column.clone())
        .fact("rows", loss.rows)
        .fact("values", loss.values)
        .fact("certain", loss.certain);
    let by_definition = matches!(
        loss.kind,
        Kind::TableDropped | Kind::ColumnDropped | Kind::ColumnTypeNarrowed | Kind::SequenceDropped
    );
    let number = loss.column.as_ref().and_then(|name| {
        let columns = tables.get(&loss.object)?.columns.iter();
        columns
            .filter(|(_, column)| column.name == *name)
            .map(|(number, _)| *number)
            .next()
    });
    match attribution::of(loss.object, number, by_definition, seen) {
        Some((number, migration)) => finding.by(number, migration),
        None => finding,
    }
}

/// Whether it was there before the scripts, and not only in between.
pub fn is_of_before(loss: &Loss) -> bool {
    loss.rows > 0 || loss.values.is_some_and(|values| values > 0)
}

/// Whether it is about rows of a table, and not about its columns.
pub fn is_of_rows(finding: &Finding) -> bool {
    ["rows_deleted", "table_truncated", "table_dropped"].contains(&finding.kind.as_str())
}

pub fn shown_locks(seen: &Observation, relations: &Relations) -> Vec<Value> {
    seen.locks
        .iter()
        .filter_map(|(oid, mode)| {
            let relation = relations.get(oid)?;
            Some(json!({ "object": relation.shown, "mode": mode.as_str() }))
        })
        .collect()
}

pub fn rounded(milliseconds: f64) -> f64 {
    (milliseconds * 1000.0).round() / 1000.0
}

/// A column whose type on the way back cuts what people write in the meantime.
pub fn shown_cut(retyped: &Retyped) -> Finding {
    let detail = format!(
        "What is written there after the upgrade is cut from {} to {}.",
        retyped.old, retyped.new
    );
    let object = format!(
        "{}.{}",
        retyped.table,
        spi::quote_identifier(&retyped.column)
    );
    Finding::new("column_type_narrowed", &object, detail)
        .fact("table", retyped.table.as_str())
        .fact("column", retyped.column.as_str())
        .fact("rows", 0)
        .fact("values", 0)
        .fact("certain", false)
}
