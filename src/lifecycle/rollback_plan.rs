//! What a rollback would do, what it would destroy, and what stands against it.

use npm_semver::Version;
use pgrx::Uuid;
use serde_json::Value;
use versioning_core::model::Scope;
use versioning_core::plan::{self, Plan};

use super::intact::{is_intact, was_changed};
use super::loss::{self, DataLoss};
use super::obstacle::misfits;
use super::situation::Situation;
use super::upgrade_plan::{migration_json, superuser_owner};
use super::{recorded, store, tenant};
use crate::error::{Error, Result};
use crate::pg::argument::required;
use crate::pg::record::{Record, RollbackPlan};
use crate::registry::RegisteredVersion;

/// A rollback, thought through.
pub struct Rollback<'a> {
    /// The version it leads back to.
    pub target: &'a RegisteredVersion,
    /// The migrations and what stands against undoing them.
    pub plan: Plan<'a>,
    /// What the down scripts destroy.
    pub loss: DataLoss,
    /// The snapshot taken when the target version was left.
    pub backup_id: Option<Uuid>,
    /// The versions on the way whose snapshot was deleted since.
    pub deleted: Vec<String>,
}

impl<'a> Rollback<'a> {
    /// Thinks through the rollback to `target`.
    ///
    /// # Errors
    /// 55000 when the module isn't installed; 22023 without a target or with one above the version that
    /// runs; 42704 for an unknown version.
    pub fn new(situation: &'a Situation, target: Option<&Version>) -> Result<Self> {
        let (installation, current) = situation.installed()?;
        let target = chosen(situation, target)?;
        if target.version > *current {
            return Err(Error::invalid_argument(format!(
                "version {} is higher than the one that runs",
                target.version
            ))
            .detail(format!("Site \"{}\" runs {current}.", situation.site.slug))
            .hint("Go forward with upgrade_module."));
        }
        let mut plan = plan::rollback(situation.facts(), &target.version);
        let changed: Vec<_> = plan.running().filter(|one| !is_intact(one)).collect();
        plan.blockers.extend(changed.into_iter().map(was_changed));
        plan.blockers.extend(misfits(situation, target)?);
        plan.warnings.extend(superuser_owner(situation));
        let parsed = tenant::parse_down(plan.running())?;
        let (endangered, failing) = tenant::endangered(situation, &parsed)?;
        plan.blockers.extend(endangered);
        plan.warnings.extend(failing);
        let mut loss = loss::measure(situation, &plan, &recorded::tried_downs(&plan)?)?;
        recorded::add_hidden_losses(situation, &plan, &mut loss.known)?;
        plan.warnings.extend(loss.warnings.iter().cloned());
        plan.warnings.extend(others_rows(situation, &plan, &loss));
        let site_module_id = installation.site_module_id;
        let backup_id = store::plan::snapshot_of_left_version(site_module_id, target.id)?;
        let deleted = if plan.running().next().is_some() {
            store::plan::left_versions_without_snapshot(site_module_id, target.id)?
        } else {
            Vec::new()
        };
        Ok(Self {
            target,
            plan,
            loss,
            backup_id,
            deleted,
        })
    }

    /// Whether there is nothing to do.
    pub fn is_noop(&self, situation: &Situation) -> bool {
        situation.current() == Some(&self.target.version)
    }

    /// The plan as its row.
    ///
    /// # Errors
    /// None of its own.
    pub fn row(&self, situation: &Situation) -> Result<Option<Record<RollbackPlan>>> {
        store::plan::rollback_plan(&store::plan::RollbackPlanRow {
            current: situation.current().map(ToString::to_string),
            target: self.target.version.to_string(),
            migrations: Value::Array(self.plan.steps.iter().map(migration_json).collect()),
            estimated_duration_seconds: self.plan.estimated_duration_seconds(),
            requires_maintenance: self.plan.requires_maintenance(),
            can_rollback: self.plan.blockers.is_empty(),
            blockers: self
                .plan
                .blockers
                .iter()
                .map(|blocker| blocker.text.clone())
                .collect(),
            warnings: self.warnings(),
            data_loss: Value::Array(self.loss.known.clone()),
            backup_id: self.backup_id,
        })
    }

    /// What doing it says by itself, when it has tried to give back what it can, is said here beforehand.
    fn warnings(&self) -> Vec<String> {
        let mut all = self.plan.warnings.clone();
        if !self.deleted.is_empty() {
            all.push(format!(
                "the snapshot taken when the site left {} was deleted: what the upgrade had destroyed can't be given back",
                plan::list(self.deleted.iter().cloned())
            ));
        }
        all
    }
}

/// The version that a rollback to `target` leads to.
///
/// # Errors
/// 22023 when none is named, 42704 for an unknown one.
pub fn chosen<'a>(
    situation: &'a Situation,
    target: Option<&Version>,
) -> Result<&'a RegisteredVersion> {
    situation.version(required(target, "target_version")?)
}

/// Rows of other sites that a shared down script destroys are in no snapshot of this site.
fn others_rows(situation: &Situation, plan: &Plan<'_>, loss: &DataLoss) -> Option<String> {
    let shared = plan
        .running()
        .any(|migration| migration.scope == Scope::Shared);
    (shared && !loss.known.is_empty() && !situation.neighbours.is_empty()).then(|| {
        format!(
            "what is lost includes rows of {}, which a snapshot of site \"{}\" doesn't hold: take theirs first with snapshot_module_data",
            plan::list(situation.neighbours.iter().map(|site| site.site.clone())),
            situation.site.slug
        )
    })
}
