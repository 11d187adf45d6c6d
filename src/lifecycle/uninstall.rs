//! Taking a module off a site.
//!
//! `schema` layout: the site's schema goes. `row` layout: the site's rows go; shared tables stay, for
//! other sites use them and a later installation will. The history stays in both.

use pgrx::Uuid;
use versioning_core::model::{Direction, Isolation};
use versioning_core::plan::Blocker;
use versioning_core::schema as core;

use super::hold;
use super::lock::{self, ModuleLock};
use super::obstacle::refuse_blocked;
use super::run::{self, Act, Change, Order};
use super::situation::Situation;
use super::snapshot;
use super::store::{self, ChangeRow};
use crate::error::{Error, Result};
use crate::migration::history::unmark_applied;
use crate::migration::post_step;
use crate::pg::table_owner::as_table_owner;
use crate::snapshot::take::SnapshotKind;
use crate::{registry, schema};

/// What a caller may ask.
pub struct Wish {
    /// Whether to take a snapshot first.
    pub create_backup: bool,
    /// Whether to go on although objects elsewhere need the site's schema.
    pub force: bool,
}

/// Uninstalls a module.
///
/// # Errors
/// 2BP01 when another module of the site depends on it; 55000 when it isn't installed.
pub fn uninstall(situation: &Situation, wish: &Wish) -> Result<ChangeRow> {
    let (installation, _) = situation.installed()?;
    let site_module_id = installation.site_module_id;
    let name = situation.name();
    lock::module(
        situation.module.id,
        &situation.module.slug,
        ModuleLock::Beside,
    )?;
    lock::installation(site_module_id, &name)?;
    let situation = &situation.read_again()?;
    let (_, current) = situation.installed()?;
    hold::company(situation, None)?;
    refuse_needed(situation)?;
    refuse_blocked(
        &format!("removal of {name}"),
        Direction::Down,
        &needed_elsewhere(situation)?,
        wish.force,
    )?;
    let change = Change {
        direction: Some(Direction::Down),
        from_version: Some(current),
        to_version: None,
    };
    let order = Order {
        direction: Direction::Down,
        executed_by: None,
        force: wish.force,
    };
    let mut act = UninstallAct {
        situation,
        site_module_id,
        wish,
    };
    let outcome = run::all_or_nothing(situation, &[], order, &mut act)?;
    change.done(situation, &outcome, Vec::new())
}

fn refuse_needed(situation: &Situation) -> Result<()> {
    let dependents = registry::broken_dependents(situation.site.id, situation.module.id, None)?;
    if dependents.is_empty() {
        return Ok(());
    }
    Err(Error::still_needed(format!(
        "module \"{}\" is needed by other modules of site \"{}\"",
        situation.module.slug, situation.site.slug
    ))
    .detail(dependents.join("\n"))
    .hint("Uninstall those first. Where modules need each other, upgrade one of them to a version that doesn't need the other."))
}

/// Foreign keys and views elsewhere that go when the site's schema goes.
fn needed_elsewhere(situation: &Situation) -> Result<Vec<Blocker>> {
    if situation.module.isolation == Isolation::Row {
        return Ok(Vec::new());
    }
    let state = store::state::state(situation.module.id, situation.state_site())?;
    let needing = schema::outside_dependents(situation.schema())?
        .into_iter()
        .map(|object| object.description)
        .filter(|object| !state.outside_objects.contains(object))
        .map(|object| {
            Blocker::judgement(format!("{object} needs the schema and would go with it"))
        });
    // What hangs on the module's own tables goes with them; what stands by itself is somebody's.
    let live = schema::live(situation.schema())?;
    let own = core::extras(&state.objects, &live, true)
        .into_iter()
        .filter(|name| live.get(name).is_some_and(|object| object.table.is_none()))
        .filter(|name| !core::is_annotation(name))
        .map(|name| {
            Blocker::judgement(format!(
                "{name} is not the module's and would go with the schema"
            ))
        });
    Ok(needing.chain(own).collect())
}

struct UninstallAct<'a> {
    situation: &'a Situation,
    site_module_id: Uuid,
    wish: &'a Wish,
}

impl Act for UninstallAct<'_> {
    fn prepare(&mut self) -> Result<Option<Uuid>> {
        store::touch_installation(self.site_module_id)?;
        if !self.wish.create_backup {
            return Ok(None);
        }
        snapshot::take(self.situation, SnapshotKind::Auto, None, None).map(Some)
    }

    fn complete(&mut self, backup_id: Option<Uuid>) -> Result<Vec<String>> {
        let situation = self.situation;
        match situation.module.isolation {
            Isolation::Schema => store::state::drop_schema(situation.schema())?,
            Isolation::Row => delete_rows(situation)?,
        }
        for migration in &situation.migrations {
            let site = situation.applied_site(migration);
            if let Some(site) = site.filter(|_| situation.applied.contains(&migration.id)) {
                unmark_applied(Uuid::from_bytes(migration.id), Some(site))?;
            }
        }
        if let Some(site) = situation.state_site() {
            store::state::forget_state(situation.module.id, site)?;
        }
        post_step::forget_site(situation.module.id, situation.site.id)?;
        store::leave_version(self.site_module_id, "rolled_back", backup_id)?;
        Ok(Vec::new())
    }
}

/// Deletes the site's rows, each table as its owner. Foreign keys between the tables are checked when all
/// of them have been through, as far as they can be deferred; else children go first.
fn delete_rows(situation: &Situation) -> Result<()> {
    let tables = registry::tables(&situation.module)?;
    let names: Vec<(String, String)> = tables
        .iter()
        .map(|table| (table.schema.clone(), table.relation.clone()))
        .collect();
    for (schema, relation) in store::table::children_first(&names)? {
        let Some(table) = tables
            .iter()
            .find(|t| t.schema == schema && t.relation == relation)
        else {
            continue;
        };
        let (Some(column), Some(live)) = (
            &table.site_column,
            store::table::live_table(&schema, &relation)?,
        ) else {
            continue;
        };
        as_table_owner(live.oid, live.owner, || {
            store::table::delete_rows_of_site(&live, column, situation.site.id)
        })?;
    }
    Ok(())
}
