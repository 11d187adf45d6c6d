//! What is rehearsed: which scripts, in which schema, as whom.

use std::collections::BTreeSet;

use npm_semver::Version;
use pgrx::{Uuid, pg_sys};
use versioning_core::model::{Direction, Isolation, Migration};
use versioning_core::plan::Plan;

use super::permission::owner_for;
use crate::error::Result;
use crate::lifecycle::lock::{self, ModuleLock};
use crate::lifecycle::rollback_plan::Rollback;
use crate::lifecycle::situation::Situation;
use crate::lifecycle::store;
use crate::lifecycle::upgrade_plan::Upgrade;
use crate::pg::argument::required;
use crate::registry;
use crate::schema::watch;
use crate::settings;

/// A script.
#[derive(Debug, Clone)]
pub struct Script {
    /// What errors call it.
    pub name: &'static str,
    /// Its text.
    pub sql: String,
    /// The sequence of its migration, where it is registered.
    pub migration: Option<i32>,
    /// How long each of its statements may run, in milliseconds, in place of the setting.
    pub statement_timeout: Option<i32>,
}

/// Scripts to rehearse.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The site for which they run.
    pub site_id: Uuid,
    /// The module.
    pub module_id: Uuid,
    /// Where unqualified names are looked up and created; made if it isn't there.
    pub schema: String,
    /// The role as which they run.
    pub owner: pg_sys::Oid,
    /// Its name.
    pub owner_role: String,
    /// Which way the rehearsed scripts lead.
    pub direction: Direction,
    /// The rehearsed scripts, in run order.
    pub forward: Vec<Script>,
    /// Those that lead back, in run order; none when one of them is missing.
    pub back: Option<Vec<Script>>,
    /// What is known before anything runs.
    pub warnings: Vec<String>,
    /// The schemas at which nobody looks, for the scripts have no business there.
    pub unwatched: BTreeSet<String>,
}

impl Subject {
    /// Makes what the scripts expect to be there.
    ///
    /// # Errors
    /// None of its own.
    pub fn prepare(&self) -> Result<()> {
        store::state::ensure_schema(&self.schema, &self.owner_role).map(drop)
    }

    /// Why the scripts are not run, if the tables are too large for it.
    ///
    /// # Errors
    /// None of its own.
    pub fn too_large(&self) -> Result<Option<String>> {
        let limit = settings::rehearsal_size_limit();
        if limit == 0 {
            return Ok(None);
        }
        let (size, largest) = watch::size(&self.schema)?;
        Ok((size > limit).then(|| {
            format!(
                "nothing was run: the tables of schema \"{}\" take {size} bytes (the largest is {}), and module_versioning.rehearsal_size_limit is {limit}",
                self.schema,
                largest.unwrap_or_default()
            )
        }))
    }
}

/// Scripts that are not registered.
///
/// # Errors
/// 22023 for NULL, 42704 for an unknown module or site, 42501 for whoever may not.
pub fn of_scripts(
    caller: pg_sys::Oid,
    module_id: Option<Uuid>,
    site_id: Option<Uuid>,
    up_sql: &str,
    down_sql: Option<&str>,
) -> Result<Subject> {
    let module = registry::module(module_id)?;
    let owner = owner_for(caller, &module)?;
    let site = match site_id {
        Some(_) => Some(registry::site(site_id)?),
        None => None,
    };
    lock::module(module.id, &module.slug, ModuleLock::Beside)?;
    // Without a site, one that runs the module stands for all.
    let site_id = match &site {
        Some(site) => Some(site.id),
        None => store::rehearse::any_site(module.id)?,
    };
    let installation = match site_id {
        Some(site_id) => registry::installation(site_id, module.id)?,
        None => None,
    };
    let schema = match (module.isolation, installation, &site) {
        (Isolation::Schema, Some(installation), _) => installation.schema_name,
        (Isolation::Schema, None, Some(site)) => {
            versioning_core::naming::site_schema(&module.schema_name, &site.slug)
        }
        _ => module.schema_name.clone(),
    };
    let script = |name, sql: &str| Script {
        name,
        sql: sql.to_owned(),
        migration: None,
        statement_timeout: None,
    };
    Ok(Subject {
        site_id: site_id.unwrap_or_else(|| Uuid::from_bytes([0; 16])),
        module_id: module.id,
        schema,
        owner,
        owner_role: module.owner_role,
        direction: Direction::Up,
        forward: vec![script("up_sql", up_sql)],
        back: down_sql.map(|sql| vec![script("down_sql", sql)]),
        warnings: Vec::new(),
        unwatched: BTreeSet::new(),
    })
}

/// What an upgrade or installation would run.
///
/// # Errors
/// As [`Upgrade::new`], and 42501 for whoever may not.
pub fn of_upgrade(
    caller: pg_sys::Oid,
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    target: Option<&Version>,
) -> Result<Subject> {
    let situation = Situation::read(site_id, module_id)?;
    let owner = owner_for(caller, &situation.module)?;
    let situation = locked(situation)?;
    let upgrade = Upgrade::new(&situation, target)?;
    Ok(of_plan(&situation, owner, &upgrade.plan, Direction::Up))
}

/// What a rollback would run.
///
/// # Errors
/// As [`Rollback::new`], and 42501 for whoever may not.
pub fn of_rollback(
    caller: pg_sys::Oid,
    site_id: Option<Uuid>,
    module_id: Option<Uuid>,
    target: Option<&Version>,
) -> Result<Subject> {
    let situation = Situation::read(site_id, module_id)?;
    let owner = owner_for(caller, &situation.module)?;
    required(target, "target_version")?;
    let situation = locked(situation)?;
    let rollback = Rollback::new(&situation, target)?;
    Ok(of_plan(&situation, owner, &rollback.plan, Direction::Down))
}

/// No change of the module's shared tables or of this installation goes on beside a rehearsal.
fn locked(situation: Situation) -> Result<Situation> {
    let module = &situation.module;
    lock::module(module.id, &module.slug, ModuleLock::Beside)?;
    if let Some(installation) = &situation.installation {
        lock::keep_installation(installation.site_module_id, &situation.name())?;
    }
    situation.read_again()
}

fn of_plan(
    situation: &Situation,
    owner: pg_sys::Oid,
    plan: &Plan<'_>,
    direction: Direction,
) -> Subject {
    let running: Vec<&Migration> = plan.running().collect();
    let ups = |migrations: &mut dyn Iterator<Item = &&Migration>| -> Vec<Script> {
        migrations
            .map(|one| Script {
                name: "up_sql",
                sql: one.up_sql.clone(),
                migration: Some(one.sequence),
                statement_timeout: None,
            })
            .collect()
    };
    let downs = |migrations: &mut dyn Iterator<Item = &&Migration>| -> Option<Vec<Script>> {
        migrations
            .map(|one| {
                Some(Script {
                    name: "down_sql",
                    sql: one.down_sql.clone()?,
                    migration: Some(one.sequence),
                    statement_timeout: None,
                })
            })
            .collect()
    };
    let (forward, back) = match direction {
        Direction::Up => (ups(&mut running.iter()), downs(&mut running.iter().rev())),
        Direction::Down => (
            downs(&mut running.iter()).unwrap_or_default(),
            Some(ups(&mut running.iter().rev())),
        ),
    };
    let blocked = plan
        .blockers
        .iter()
        .map(|one| format!("blocked: {}", one.text));
    Subject {
        site_id: situation.site.id,
        module_id: situation.module.id,
        schema: match &situation.installation {
            Some(_) => situation.schema().to_owned(),
            None => situation.new_schema(),
        },
        owner,
        owner_role: situation.module.owner_role.clone(),
        direction,
        forward,
        back,
        warnings: blocked.chain(plan.warnings.iter().cloned()).collect(),
        unwatched: BTreeSet::new(),
    }
}
