//! Which tables scripts do something to, told from their parse trees.

use versioning_core::consequence;
use versioning_core::effect::{Effect, ObjectName};
use versioning_core::lineage::TableName;
use versioning_core::model::{Direction, Migration};
use versioning_core::rekeying::Rekeying;

use super::situation::Situation;
use crate::error::Result;
use crate::migration::check::statements;

/// What the statements of a migration's script do.
fn effects(migration: &Migration, direction: Direction) -> Result<Vec<Effect>> {
    let (name, script) = match direction {
        Direction::Up => ("up_sql", Some(&migration.up_sql)),
        Direction::Down => ("down_sql", migration.down_sql.as_ref()),
    };
    let Some(script) = script else {
        return Ok(Vec::new());
    };
    let parsed = statements(name, script)?;
    Ok(parsed
        .into_iter()
        .flat_map(|statement| statement.effects)
        .collect())
}

fn name(situation: &Situation, table: &ObjectName) -> TableName {
    TableName {
        schema: table
            .schema
            .clone()
            .unwrap_or_else(|| situation.schema().to_owned()),
        relation: table.name.clone(),
    }
}

/// The tables in which the scripts destroy rows or values; nothing when a script hides what it does, so that
/// it may be any.
///
/// # Errors
/// 42601 for a script that doesn't parse any more.
pub fn tables(
    situation: &Situation,
    migrations: &[&Migration],
    direction: Direction,
) -> Result<Option<Vec<TableName>>> {
    let mut all = Vec::new();
    for migration in migrations {
        all.extend(effects(migration, direction)?);
    }
    let losses = consequence::losses(all.iter());
    if !losses.hidden.is_empty() {
        return Ok(None);
    }
    let tables = losses
        .known
        .iter()
        .map(|loss| name(situation, loss.table()));
    Ok(Some(tables.collect()))
}

/// The tables whose rows a migration writes anew or takes away as a whole, for which it locks everybody out.
///
/// # Errors
/// 42601 for a script that doesn't parse any more.
pub fn written_anew(
    situation: &Situation,
    migration: &Migration,
    direction: Direction,
) -> Result<Vec<TableName>> {
    let mut found = Vec::new();
    for effect in effects(migration, direction)? {
        match effect {
            Effect::AlterColumnType { table, .. } | Effect::DropTable { table, .. } => {
                found.push(name(situation, &table));
            }
            Effect::Truncate { tables, .. } => {
                found.extend(tables.iter().map(|table| name(situation, table)));
            }
            _ => {}
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// What both scripts of migrations write to, by which a row may have become one with another key.
///
/// # Errors
/// 42601 for a script that doesn't parse any more.
pub fn rekeying(migrations: &[&Migration]) -> Result<Rekeying> {
    let mut all = Vec::new();
    for migration in migrations {
        all.extend(effects(migration, Direction::Up)?);
        all.extend(effects(migration, Direction::Down)?);
    }
    Ok(Rekeying::of(&all))
}

/// The texts of a migration's statements that write rows, lower case: they may read other tables on the way.
///
/// # Errors
/// 42601 for a script that doesn't parse any more.
pub fn writing_statements(migration: &Migration, direction: Direction) -> Result<Vec<String>> {
    let (name, script) = match direction {
        Direction::Up => ("up_sql", Some(&migration.up_sql)),
        Direction::Down => ("down_sql", migration.down_sql.as_ref()),
    };
    let Some(script) = script else {
        return Ok(Vec::new());
    };
    let parsed = statements(name, script)?.into_iter();
    let writes = |command: &str| ["UPDATE", "INSERT", "MERGE", "DO", "SELECT"].contains(&command);
    Ok(parsed
        .filter(|statement| writes(&statement.command))
        .map(|statement| statement.text.to_lowercase())
        .collect())
}
