//! One site of a rollout: what is to be done with it, doing it, and what came of it.

use std::cmp::Ordering;

use npm_semver::Version;
use pgrx::Uuid;
use versioning_core::rollout::{SiteStatus, Verdict, verdict};

use super::store::{self, Claimed, Rollout};
use crate::error::{Error, Result};
use crate::lifecycle::{self, UpgradeWish};
use crate::pg::record::{ModuleChange, Record};
use crate::pg::subtransaction::in_subtransaction;
use crate::progress::{self, Operation};

/// What became of a site.
pub struct Outcome {
    pub status: SiteStatus,
    pub sqlstate: Option<String>,
    pub message: Option<String>,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub failed_migration_id: Option<Uuid>,
    pub statement_number: Option<i32>,
    pub from_version: Option<Version>,
    pub backup_id: Option<Uuid>,
    pub run_ids: Option<Vec<Uuid>>,
}

impl Outcome {
    fn new(status: SiteStatus, from_version: Option<Version>) -> Self {
        Self {
            status,
            sqlstate: None,
            message: None,
            detail: None,
            hint: None,
            failed_migration_id: None,
            statement_number: None,
            from_version,
            backup_id: None,
            run_ids: None,
        }
    }
}

/// Upgrades a claimed site, unless there is nothing to do, and records what came of it.
///
/// # Errors
/// What is no site's own fault: a shortage of the server, a query cancel.
pub fn upgrade(rollout: &Rollout, claimed: &Claimed) -> Result<Outcome> {
    let started_at = pgrx::datum::clock_timestamp();
    let outcome = match due(rollout, claimed)? {
        Err(outcome) => outcome,
        Ok(from_version) => attempt(rollout, claimed, from_version)?,
    };
    store::record(rollout.id, claimed.site_id, started_at, &outcome)?;
    Ok(outcome)
}

/// The version that a site is to be upgraded from, or why there is nothing to do for it.
fn due(rollout: &Rollout, claimed: &Claimed) -> Result<std::result::Result<Version, Outcome>> {
    let Some(current) = store::active_version(claimed.site_id, rollout.module_id)? else {
        return Ok(Err(Outcome::new(SiteStatus::Gone, None)));
    };
    Ok(match current.cmp(&rollout.target) {
        Ordering::Less => Ok(current),
        Ordering::Equal => Err(Outcome::new(SiteStatus::Noop, Some(current))),
        Ordering::Greater => Err(Outcome::new(SiteStatus::Ahead, Some(current))),
    })
}

fn attempt(rollout: &Rollout, claimed: &Claimed, from_version: Version) -> Result<Outcome> {
    let wish = UpgradeWish {
        target: Some(&rollout.target),
        create_backup: rollout.create_backup,
        force: rollout.force,
        executed_by: rollout.executed_by,
        with_dependencies: false,
    };
    let (site, module) = (claimed.site_id, rollout.module_id);
    let name = format!("version {} to site \"{}\"", rollout.target, claimed.slug);
    let done = progress::during(Operation::Rollout, site, module, &name, || {
        in_subtransaction(|| lifecycle::upgrade_site(site, module, &wish))
    });
    match done {
        Ok(Some(change)) => outcome(&change, from_version),
        Ok(None) => Err(Error::internal("an upgrade returned nothing")),
        Err(error) => {
            // Somebody may have got there first: then the error says no more than that.
            match due(rollout, claimed)? {
                Err(outcome) => Ok(outcome),
                Ok(_) => failed(error, from_version),
            }
        }
    }
}

/// The outcome of an upgrade that returned.
fn outcome(change: &Record<ModuleChange>, from_version: Version) -> Result<Outcome> {
    let sqlstate: Option<String> = change.field("sqlstate")?;
    let status = match change.field::<String>("status")?.as_deref() {
        Some("success") => SiteStatus::Success,
        Some("noop") => SiteStatus::Noop,
        _ => failure_status(sqlstate.as_deref().unwrap_or_default()).ok_or_else(|| {
            Error::beyond_configuration(
                change_message(change).unwrap_or_else(|| "the server ran out of something".into()),
            )
        })?,
    };
    Ok(Outcome {
        status,
        sqlstate,
        message: change_message(change),
        detail: change.field("error_detail")?,
        hint: change.field("error_hint")?,
        failed_migration_id: change.field("failed_migration_id")?,
        statement_number: change.field("statement_number")?,
        from_version: Some(from_version),
        backup_id: change.field("backup_id")?,
        run_ids: change.field("run_ids")?,
    })
}

fn change_message(change: &Record<ModuleChange>) -> Option<String> {
    change.field("error_message").ok().flatten()
}

fn failure_status(sqlstate: &str) -> Option<SiteStatus> {
    match verdict(sqlstate) {
        Verdict::Locked => Some(SiteStatus::Locked),
        Verdict::Failed => Some(SiteStatus::Failed),
        Verdict::Stop => None,
    }
}

fn failed(error: Error, from_version: Version) -> Result<Outcome> {
    let Some(status) = failure_status(&error.sqlstate()) else {
        return Err(error);
    };
    let words = error.words();
    Ok(Outcome {
        sqlstate: Some(error.sqlstate()),
        message: Some(words.message.clone()),
        detail: words.detail.clone(),
        hint: words.hint.clone(),
        ..Outcome::new(status, Some(from_version))
    })
}
