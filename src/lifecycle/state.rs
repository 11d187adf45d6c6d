//! What a migration did to the schema: which tables came, went or got another name, what the module's
//! objects are now, and what became of those that others keep beside them.

use std::collections::BTreeSet;

use versioning_core::effect::Effect;
use versioning_core::model::{Direction, Isolation, Migration};
use versioning_core::plan::list;
use versioning_core::schema::{self as core, Live, Objects};

use super::post_step::touched;
use super::situation::Situation;
use super::store;
use super::store::state::State;
use crate::error::{Error, Result};
use crate::migration::check::statements;
use crate::migration::post_step;
use crate::registry;
use crate::schema::{self, Dependent, Table};

/// What the scripts of an act left.
pub struct After {
    live: Live,
    /// What they took of others, which was accepted beforehand.
    taken: Vec<String>,
}

impl After {
    /// What was taken; and after scripts that led up, what is in the schema beside the module's objects,
    /// and what of the module's is not as it should be: a sentence each.
    ///
    /// # Errors
    /// None of its own.
    pub fn remarks(self, situation: &Situation, direction: Direction) -> Result<Vec<String>> {
        let mut found: Vec<String> = self
            .taken
            .into_iter()
            .map(|object| format!("forced: {object} was not the module's and is gone"))
            .collect();
        if direction == Direction::Up {
            found.extend(beside(situation, &self.live)?);
        }
        Ok(found)
    }
}

/// The schema before the scripts of an act run. One look before all of them and one after: nothing in
/// between asks what each one made.
pub struct Before {
    tables: Vec<Table>,
    watched: Vec<String>,
    named: BTreeSet<(String, String)>,
    live: Live,
    outside: Vec<Dependent>,
}

impl Before {
    /// Looks at what the migrations may change.
    ///
    /// # Errors
    /// None of its own.
    pub fn read(
        situation: &Situation,
        migrations: &[&Migration],
        direction: Direction,
    ) -> Result<Self> {
        let home = situation.schema();
        let mut watched = BTreeSet::from([home.to_owned()]);
        let mut named = BTreeSet::new();
        if situation.module.isolation == Isolation::Row {
            for migration in migrations {
                named.extend(tables_named(migration, direction)?);
            }
            watched.extend(named.iter().map(|(schema, _)| schema.clone()));
            watched.extend(
                registry::tables(&situation.module)?
                    .into_iter()
                    .map(|table| table.schema),
            );
        }
        let watched: Vec<String> = watched.into_iter().collect();
        Ok(Self {
            // In the schema layout a site's tables are those of its schema.
            tables: match situation.module.isolation {
                Isolation::Row => schema::tables_of(&watched)?,
                Isolation::Schema => Vec::new(),
            },
            live: schema::live(home)?,
            outside: schema::outside_dependents(home)?,
            watched,
            named,
        })
    }

    /// Looks again and records what the scripts made of it.
    ///
    /// # Errors
    /// 55000 when it took something of others, unless `accepted`.
    pub fn record_changes(self, situation: &Situation, accepted: bool) -> Result<After> {
        let module = &situation.module;
        let live = schema::live(situation.schema())?;
        if module.isolation == Isolation::Row {
            self.register_tables(situation, &schema::tables_of(&self.watched)?)?;
        }
        let state = store::state::state(module.id, situation.state_site())?;
        let (recorded, known) = (state.objects, state.outside_objects);
        let mut left_objects = state.left_objects;
        let outside = schema::outside_dependents(situation.schema())?;
        let outside_objects = own_outside(&known, &self.outside, &outside);
        let mut taken = core::vanished(&recorded, &self.live, &live);
        taken.extend(
            schema::gone(self.outside)?
                .into_iter()
                .filter(|object| !known.contains(object)),
        );
        // What down scripts left behind is the module's work: its scripts may take it away.
        taken.retain(|object| !left_objects.contains(object));
        forgive_post_steps(situation, &mut taken)?;
        if !taken.is_empty() && !accepted {
            return Err(takes_others(situation, &taken));
        }
        let objects = core::recorded_after(&recorded, &self.live, &live);
        let extras = extras(situation, &objects, &live)?;
        left_objects.retain(|name| extras.contains(name));
        store::state::record_state(
            module.id,
            situation.state_site(),
            &State {
                objects,
                tenant_objects: extras.into_iter().collect(),
                outside_objects,
                left_objects,
            },
        )?;
        Ok(After { live, taken })
    }

    /// New tables register themselves, dropped ones leave, renamed and moved ones keep their entry.
    fn register_tables(&self, situation: &Situation, after: &[Table]) -> Result<()> {
        let module = &situation.module;
        // Old names go before new ones come: one table may have got the name that another had.
        let mut renamed = Vec::new();
        for table in &self.tables {
            let name = registered_name(situation, table);
            match after.iter().find(|now| now.oid == table.oid) {
                Some(now) if registered_name(situation, now) == name => {}
                now => {
                    let entry = store::state::forget_table(module.id, &name)?;
                    renamed.extend(now.map(|now| (table, now, entry)));
                }
            }
        }
        for (table, now, entry) in renamed {
            let name = registered_name(situation, now);
            match entry {
                Some(site_column) => {
                    store::state::register_table(module.id, &name, site_column.as_deref())?;
                }
                // What a migration brings into the module's schema becomes the module's.
                None if table.schema != now.schema && now.schema == situation.schema() => {
                    register(situation, now)?;
                }
                None => {}
            }
        }
        for table in after {
            let known = self.tables.iter().any(|before| before.oid == table.oid);
            // Elsewhere others make tables too, at the same time.
            let ours = table.schema == situation.schema()
                || self
                    .named
                    .contains(&(table.schema.clone(), table.name.clone()));
            if !known && ours {
                register(situation, table)?;
            }
        }
        Ok(())
    }
}

/// What is the module's in other schemas: what was so before and is there still, and what the run made.
fn own_outside(known: &[String], before: &[Dependent], after: &[Dependent]) -> Vec<String> {
    after
        .iter()
        .filter(|object| known.contains(&object.description) || !before.contains(object))
        .map(|object| object.description.clone())
        .collect()
}

/// A table as `module_tables` names it: without schema in the module's own.
fn registered_name(situation: &Situation, table: &Table) -> String {
    if table.schema == situation.schema() {
        pgrx::spi::quote_identifier(&table.name)
    } else {
        pgrx::spi::quote_qualified_identifier(&table.schema, &table.name)
    }
}

/// Registers a table, with the module's site column if it has one of that name.
///
/// # Errors
/// None of its own.
pub fn register(situation: &Situation, table: &Table) -> Result<()> {
    let module = &situation.module;
    let site_column = table
        .columns
        .contains(&module.site_column)
        .then_some(&*module.site_column);
    store::state::register_table(module.id, &registered_name(situation, table), site_column)
}

/// The tables that a script names with their schema: those it makes, moves, renames or drops there.
fn tables_named(migration: &Migration, direction: Direction) -> Result<BTreeSet<(String, String)>> {
    let script = match direction {
        Direction::Up => Some(migration.up_sql.as_str()),
        Direction::Down => migration.down_sql.as_deref(),
    };
    let mut named = BTreeSet::new();
    for statement in statements("script", script.unwrap_or_default())? {
        for effect in statement.effects {
            named.extend(match effect {
                Effect::CreateTable { table, .. } | Effect::DropTable { table, .. } => {
                    table.schema.map(|schema| (schema, table.name))
                }
                Effect::RenameTable { table, new_name } => {
                    table.schema.map(|schema| (schema, new_name))
                }
                Effect::MoveTable { table, new_schema } => Some((new_schema, table.name)),
                _ => None,
            });
        }
    }
    Ok(named)
}

/// What a post-step made is the module's, although nobody has confirmed it yet.
fn forgive_post_steps(situation: &Situation, taken: &mut Vec<String>) -> Result<()> {
    if taken.is_empty() {
        return Ok(());
    }
    let migrations = situation.migrations.iter();
    let ids = migrations.map(|migration| pgrx::Uuid::from_bytes(migration.id));
    let made: Vec<String> = post_step::targets(ids.collect())?
        .iter()
        .map(touched)
        .collect();
    taken.retain(|object| !made.contains(object));
    Ok(())
}

fn takes_others(situation: &Situation, taken: &[String]) -> Error {
    Error::wrong_state(format!(
        "the change of {} takes objects that are not the module's",
        situation.name()
    ))
    .detail(
        taken
            .iter()
            .map(|object| format!("- {object}"))
            .collect::<Vec<_>>()
            .join("\n"),
    )
    .hint("Everything was undone. If you accept this, upgrade_module and rollback_module take force => true.")
}

/// What else is in the schema, but for what other modules keep there.
///
/// # Errors
/// None of its own.
pub fn extras(situation: &Situation, recorded: &Objects, live: &Live) -> Result<BTreeSet<String>> {
    let (module, schema) = (&situation.module, situation.schema());
    let whole_schema = schema::owned_by(schema, &module.owner_role)?;
    let mut extras = core::extras(recorded, live, whole_schema);
    if module.isolation == Isolation::Row && !extras.is_empty() {
        for object in store::state::objects_of_others(module.id, schema)? {
            extras.remove(&object);
        }
    }
    Ok(extras)
}

/// Keeps what is recorded as the schema of the version that is about to be left.
///
/// # Errors
/// None of its own.
pub fn keep_version(situation: &Situation) -> Result<()> {
    let active = situation
        .installation
        .as_ref()
        .and_then(|it| it.active.as_ref());
    match active {
        Some((version_id, _)) => {
            store::state::keep_as_version(situation.module.id, situation.state_site(), *version_id)
        }
        None => Ok(()),
    }
}

/// After the down scripts that lead back to a version: what they left behind or failed to bring back,
/// measured by the schema that the version had when it was left. That one is what counts from now on.
///
/// # Errors
/// None of its own.
pub fn come_back(situation: &Situation, version_id: pgrx::Uuid) -> Result<Vec<String>> {
    let (module_id, site) = (situation.module.id, situation.state_site());
    let Some(kept) = store::state::kept_version(module_id, site, version_id)? else {
        return Ok(Vec::new());
    };
    let mut state = store::state::state(module_id, site)?;
    let live = schema::live(situation.schema())?;
    let mut found = core::difference(&kept, &state.objects);
    // What was missing before the down scripts ran is recorded still, but they left nothing of it.
    found.retain(|difference| match difference {
        core::Drift::Extra(name) => live.contains_key(name),
        _ => true,
    });
    let left = found.iter().filter_map(|difference| match difference {
        core::Drift::Extra(name) => Some(name.clone()),
        _ => None,
    });
    state.left_objects.extend(left);
    let warnings = found
        .into_iter()
        .map(|difference| match difference {
            core::Drift::Missing(name) => {
                format!("the down scripts did not bring back: {name}")
            }
            core::Drift::Extra(name) => format!("the down scripts left behind: {name}"),
            core::Drift::Different(name) => {
                format!("the down scripts did not put back as it was: {name}")
            }
        })
        .collect();
    state.objects = kept;
    store::state::record_state(module_id, site, &state)?;
    Ok(warnings)
}

fn beside(situation: &Situation, live: &Live) -> Result<Vec<String>> {
    let state = store::state::state(situation.module.id, situation.state_site())?;
    let drift = core::drift(&state.objects, &core::definitions(live));
    let kept = extras(situation, &state.objects, live)?;
    let kept: Vec<String> = kept
        .into_iter()
        .filter(|name| !core::is_annotation(name))
        .collect();
    let mut found = Vec::new();
    if !kept.is_empty() {
        found.push(format!(
            "kept, though not the module's: {}",
            list(kept.into_iter())
        ));
    }
    if !drift.is_empty() {
        found.push(format!(
            "the schema had drifted before and still does: {}",
            list(drift.iter().map(core::Drift::describe))
        ));
    }
    Ok(found)
}
