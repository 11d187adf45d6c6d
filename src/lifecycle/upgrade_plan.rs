//! What an upgrade or installation would do, and what stands against it.

use std::rc::Rc;

use npm_semver::Version;
use pgrx::Uuid;
use serde_json::{Value, json};
use versioning_core::consequence;
use versioning_core::effect::Effect;
use versioning_core::model::{Migration, Scope};
use versioning_core::plan::{self, Plan};
use versioning_core::status::Status;

use super::intact::{is_intact, was_changed};
use super::obstacle::{blockers, broken_neighbours, tables_ahead};
use super::recorded::{self, Breaks};
use super::situation::Situation;
use super::upgrade_path::{chosen, declared, path};
use super::{heavy, store, tenant};
use crate::error::{Error, Result};
use crate::migration::{effects, post_step};
use crate::pg::identity;
use crate::pg::record::{Record, UpgradePlan};
use crate::registry::RegisteredVersion;

/// Beside which other modules a version is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// Those that the site runs now.
    AsInstalled,
    /// Those that the solver found to go with it, which change in the same act.
    Solved,
}

/// An upgrade, or an installation where nothing runs yet, thought through.
pub struct Upgrade<'a> {
    /// The version it leads to.
    pub target: &'a RegisteredVersion,
    /// The migrations and what stands against them.
    pub plan: Plan<'a>,
    /// The versions it goes through, ascending.
    pub path: Vec<&'a RegisteredVersion>,
    /// The versions on the way, yanked and deprecated ones too, that say they break.
    declared: Vec<&'a RegisteredVersion>,
    /// What breaks clients of the old version, with the migration that does it.
    breaking: Vec<Breaks<'a>>,
}

impl<'a> Upgrade<'a> {
    /// Thinks through the upgrade to `target`, or to the newest version when none is named.
    ///
    /// # Errors
    /// 42704 for an unknown version; 22023 when the target lies below the version that runs.
    pub fn new(situation: &'a Situation, target: Option<&Version>) -> Result<Self> {
        Self::in_company(situation, target, Company::AsInstalled)
    }

    /// The same for one of several modules that change together.
    ///
    /// # Errors
    /// As [`Upgrade::new`].
    pub fn in_company(
        situation: &'a Situation,
        target: Option<&Version>,
        company: Company,
    ) -> Result<Self> {
        let target = chosen(situation, target)?;
        let wanted = target.version.clone();
        if situation.current().is_some_and(|current| *current > wanted) {
            return Err(lower_target(situation, &wanted));
        }
        let mut plan = plan::upgrade(situation.facts(), &wanted);
        let (intact, changed): (Vec<_>, Vec<_>) = plan.running().partition(|one| is_intact(one));
        plan.blockers.extend(changed.into_iter().map(was_changed));
        let parsed = parse(intact.into_iter())?;
        let breaking = recorded::breaking(&parsed)?;
        plan.blockers
            .extend(blockers(situation, target, company, &breaking)?);
        plan.blockers.extend(tables_ahead(situation, target)?);
        let (endangered, failing) = tenant::endangered(situation, &parsed)?;
        plan.blockers.extend(endangered);
        plan.warnings.extend(failing);
        plan.warnings
            .extend(broken_neighbours(situation, &breaking, false));
        plan.warnings.extend(others_lose(situation, &parsed));
        plan.warnings.extend(heavy::warnings(situation, &parsed)?);
        plan.warnings.extend(warnings(situation, target));
        let running = plan.running().map(|one| Uuid::from_bytes(one.id));
        let announced = post_step::announced(running.collect())?;
        plan.warnings.extend(announced);
        let path = path(situation, &wanted);
        Ok(Self {
            target,
            plan,
            path,
            declared: declared(situation, &wanted),
            breaking,
        })
    }

    /// Whether there is nothing to do.
    pub fn is_noop(&self, situation: &Situation) -> bool {
        situation.current() == Some(&self.target.version) && self.plan.running().next().is_none()
    }

    /// Whether a version on the way says that it breaks, or a script looks as if it does.
    fn has_breaking_changes(&self) -> bool {
        !self.breaking.is_empty() || !self.declared.is_empty()
    }

    /// The plan as its row.
    ///
    /// # Errors
    /// None of its own.
    pub fn row(&self, situation: &Situation) -> Result<Option<Record<UpgradePlan>>> {
        store::plan::upgrade_plan(&store::plan::UpgradePlanRow {
            current: situation.current().map(ToString::to_string),
            target: self.target.version.to_string(),
            path: self
                .path
                .iter()
                .map(|version| version.version.to_string())
                .collect(),
            migrations: Value::Array(self.plan.steps.iter().map(migration_json).collect()),
            has_breaking_changes: self.has_breaking_changes(),
            breaking_changes: self.breaking_json(),
            estimated_duration_seconds: self.plan.estimated_duration_seconds(),
            requires_maintenance: self.plan.requires_maintenance(),
            can_upgrade: self.plan.blockers.is_empty(),
            blockers: self
                .plan
                .blockers
                .iter()
                .map(|blocker| blocker.text.clone())
                .collect(),
            warnings: self.plan.warnings.clone(),
        })
    }

    fn breaking_json(&self) -> Value {
        let declared = self.declared.iter().map(|version| {
            json!({
                "kind": "declared",
                "object": null,
                "version": version.version.to_string(),
                "detail": version.breaking_description,
            })
        });
        let found = self.breaking.iter().map(|one| {
            json!({
                "kind": one.kind,
                "object": one.object,
                "version": one.migration.to_version.to_string(),
                "migration_sequence": one.migration.sequence,
                "statement_number": one.statement_number,
                "detail": one.detail,
            })
        });
        Value::Array(declared.chain(found).collect())
    }
}

/// A step of a plan as JSON.
pub fn migration_json(step: &plan::Step<'_>) -> Value {
    let migration = step.migration;
    json!({
        "id": Uuid::from_bytes(migration.id).to_string(),
        "sequence": migration.sequence,
        "from_version": migration.from_version.as_ref().map(ToString::to_string),
        "to_version": migration.to_version.to_string(),
        "description": migration.description,
        "scope": migration.scope.as_str(),
        "action": step.action.as_str(),
        "equivalent": step.equivalent.map(|one| Uuid::from_bytes(one.id).to_string()),
        "is_reversible": migration.is_reversible,
        "requires_maintenance": migration.requires_maintenance,
        "estimated_duration_seconds": migration.estimated_duration_seconds,
    })
}

/// The refusal to go forward to an older version.
fn lower_target(situation: &Situation, target: &Version) -> Error {
    Error::invalid_argument(format!("version {target} is lower than the one that runs"))
        .detail(format!(
            "Site \"{}\" runs module \"{}\" at {}.",
            situation.site.slug,
            situation.module.slug,
            situation
                .current()
                .map_or_else(String::new, ToString::to_string)
        ))
        .hint("Go back with rollback_module.")
}

/// A migration with what its up script says that it does.
pub type Parsed<'a> = (&'a Migration, Rc<[Effect]>);

/// Parses the up scripts, each once.
pub fn parse<'a>(migrations: impl Iterator<Item = &'a Migration>) -> Result<Vec<Parsed<'a>>> {
    migrations
        .map(|migration| {
            let script = effects::of_up_script(&migration.up_sql, &migration.checksum)?;
            Ok((migration, script.effects.clone()))
        })
        .collect()
}

/// What shared migrations do to rows of other sites, which are in no snapshot of this one.
fn others_lose(situation: &Situation, parsed: &[Parsed<'_>]) -> Vec<String> {
    let mut found = Vec::new();
    if situation.neighbours.is_empty() {
        return found;
    }
    let shared = parsed
        .iter()
        .filter(|(migration, _)| migration.scope == Scope::Shared);
    for (migration, effects) in shared {
        let sequence = migration.sequence;
        let losses = consequence::losses(effects.iter());
        if !losses.known.is_empty() {
            let what = losses
                .known
                .iter()
                .map(|loss| format!("{} {}", loss.kind(), loss.table()));
            found.push(format!(
                "shared migration {sequence} destroys or overwrites data of other sites too ({}), which a snapshot of this site doesn't hold",
                plan::list(what)
            ));
        }
        found.extend(losses.hidden.iter().map(|what| {
            format!(
                "what {what} in shared migration {sequence} does can't be told without running it"
            )
        }));
    }
    found
}

fn warnings(situation: &Situation, target: &RegisteredVersion) -> Vec<String> {
    let mut found = Vec::new();
    if target.status == Status::Deprecated {
        found.push(format!("version {} is deprecated", target.version));
    }
    found.extend(superuser_owner(situation));
    found
}

/// Scripts with a superuser's rights are worth a word each time.
pub fn superuser_owner(situation: &Situation) -> Option<String> {
    let owner = &situation.module.owner_role;
    let role = identity::role_named(owner).ok()?;
    identity::is_superuser(role).then(|| {
        format!(
            "the scripts of module \"{}\" run with the rights of superuser \"{owner}\"",
            situation.module.slug
        )
    })
}
