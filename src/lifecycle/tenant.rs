//! What scripts would do to objects of others that need the module's, told before anything runs.
//!
//! The parse trees say what is dropped or changed, the catalog says what needs it. What is only known by
//! running (a DO block, objects that the scripts themselves make first) is found out then, and stops the
//! change too.

use versioning_core::effect::{Effect, ObjectKind, ObjectName};
use versioning_core::model::Migration;
use versioning_core::plan::{Blocker, list};

use super::situation::Situation;
use super::store;
use super::upgrade_plan::Parsed;
use crate::error::Result;
use crate::migration::check::statements;
use crate::schema::{self, Needing, Wanted};

/// What a statement does to something that others may need.
struct Touch<'a> {
    relation: &'a ObjectName,
    column: Option<&'a str>,
    cascade: bool,
}

fn touch(effect: &Effect) -> Option<Touch<'_>> {
    match effect {
        Effect::DropTable { table, cascade } => Some(Touch {
            relation: table,
            column: None,
            cascade: *cascade,
        }),
        Effect::DropColumn {
            table,
            column,
            cascade,
        } => Some(Touch {
            relation: table,
            column: Some(column),
            cascade: *cascade,
        }),
        Effect::AlterColumnType { table, column, .. } => Some(Touch {
            relation: table,
            column: Some(column),
            cascade: false,
        }),
        Effect::Drop {
            kind: ObjectKind::View | ObjectKind::MaterializedView,
            name,
            cascade,
        } => Some(Touch {
            relation: name,
            column: None,
            cascade: *cascade,
        }),
        _ => None,
    }
}

/// Parses the down scripts, each once.
///
/// # Errors
/// As [`statements`].
pub fn parse_down<'a>(migrations: impl Iterator<Item = &'a Migration>) -> Result<Vec<Parsed<'a>>> {
    migrations
        .map(|migration| {
            let script = migration.down_sql.as_deref().unwrap_or_default();
            let parsed = statements("down_sql", script)?;
            let effects = parsed.into_iter().flat_map(|statement| statement.effects);
            Ok((migration, effects.collect()))
        })
        .collect()
}

/// What the scripts would take of others, as blockers, and what of others would make them fail, as
/// warnings.
///
/// # Errors
/// None of its own.
pub fn endangered(
    situation: &Situation,
    parsed: &[Parsed<'_>],
) -> Result<(Vec<Blocker>, Vec<String>)> {
    let (mut blockers, mut warnings) = (Vec::new(), Vec::new());
    let touches: Vec<(&Migration, Touch<'_>)> = parsed
        .iter()
        .flat_map(|(migration, effects)| {
            effects
                .iter()
                .filter_map(|effect| touch(effect).map(|touch| (*migration, touch)))
        })
        .collect();
    if touches.is_empty() {
        return Ok((blockers, warnings));
    }
    let home = situation.schema();
    let state = store::state::state(situation.module.id, situation.state_site())?;
    let live = schema::live(home)?;
    let is_ours = |needing: &Needing| {
        state.outside_objects.contains(&needing.description)
            || live.iter().any(|(name, object)| {
                object.identity == needing.identity && state.objects.contains_key(name)
            })
    };
    let wanted: Vec<Wanted> = touches
        .iter()
        .map(|(_, touch)| Wanted {
            schema: touch.relation.schema.as_deref().unwrap_or(home).to_owned(),
            relation: touch.relation.name.clone(),
            column: touch.column.map(ToOwned::to_owned),
        })
        .collect();
    let mut found: Vec<Vec<String>> = vec![Vec::new(); touches.len()];
    for (index, needing) in schema::needing(&wanted)? {
        if let (false, Some(list)) = (is_ours(&needing), found.get_mut(index)) {
            list.push(needing.description);
        }
    }
    for ((migration, touch), needing) in touches.into_iter().zip(found) {
        if needing.is_empty() {
            continue;
        }
        let what = match touch.column {
            Some(column) => format!("column {}.{column}", touch.relation.name),
            None => touch.relation.name.clone(),
        };
        let needing = list(needing.into_iter());
        let sequence = migration.sequence;
        if touch.cascade {
            blockers.push(Blocker::judgement(format!(
                "migration {sequence} drops {what} with CASCADE, which takes what is not the module's: {needing}"
            )));
        } else {
            warnings.push(format!(
                "migration {sequence} drops or changes {what}, which is needed by what is not the module's: {needing}; it fails as long as that is there"
            ));
        }
    }
    Ok((blockers, warnings))
}
