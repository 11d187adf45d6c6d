//! Going on with a rollout: claim a site, upgrade it, look where the rollout stands, again.

use std::collections::HashSet;

use pgrx::Uuid;
use versioning_core::rollout::{Action, next_action};

use super::capacity::Capacity;
use super::site::{self, Outcome};
use super::store::{self, Claim, Claimed, Rollout};
use crate::error::{Error, Result};
use crate::pg::scope::with_settings;
use crate::pg::subtransaction::in_subtransaction;
use crate::settings;
use pgrx::prelude::PgSqlErrorCode;

/// How many sites one call takes on when nobody says otherwise. Each needs up to six subtransactions, and
/// PostgreSQL keeps 64 of them in memory per session.
const DEFAULT_SITES: i32 = 10;

/// A call for so few sites fits into any lock table.
pub const UNCHECKED_SITES: usize = 10;

/// A site that was tried.
pub struct Tried {
    /// Which one.
    pub site_id: Uuid,
    /// What became of it.
    pub outcome: Outcome,
}

/// How many sites a call takes on.
///
/// # Errors
/// 22023 when it is none.
pub fn limit(max_sites: Option<i32>) -> Result<usize> {
    let limit = max_sites.unwrap_or(DEFAULT_SITES);
    usize::try_from(limit)
        .ok()
        .filter(|limit| *limit > 0)
        .ok_or_else(|| {
            Error::invalid_argument("max_sites must be at least 1")
                .detail(format!("It is {limit}."))
        })
}

/// Upgrades up to `limit` sites. With `wait` the first of them may be one that another runner holds now.
///
/// # Errors
/// 53400 when so many don't fit into one transaction; what stops every site alike. A site's own errors
/// are its outcome.
pub fn advance(rollout: &Rollout, limit: usize, wait: bool) -> Result<Vec<Tried>> {
    let mut tried: Vec<Tried> = Vec::new();
    let mut seen = HashSet::new();
    let mut capacity = Capacity::new(limit);
    loop {
        pgrx::check_for_interrupts!();
        let action = next_action(&store::progress(rollout.id)?);
        let claim = match action {
            Action::Nothing => break,
            Action::Halt => {
                store::halt(rollout.id, "more sites failed than max_failures allows")?;
                break;
            }
            Action::Complete => {
                store::complete(rollout)?;
                break;
            }
            Action::Upgrade { .. } | Action::TryAgain if tried.len() >= limit => break,
            Action::Upgrade { wave } => Claim::Pending { wave },
            Action::TryAgain => Claim::Locked,
        };
        let tried_before: Vec<Uuid> = tried.iter().map(|tried| tried.site_id).collect();
        let free = store::claim(rollout.id, claim, &again(claim, tried_before))?;
        let claimed = match (free, claim) {
            (Some(claimed), _) => Some(claimed),
            // Only while it holds nothing: two calls that wait for each other's sites would be stuck.
            (None, Claim::Pending { wave }) if wait && tried.is_empty() => {
                match waited_for(rollout.id, wave)? {
                    Waited::Free(claimed) => Some(claimed),
                    Waited::Changed => continue,
                    Waited::InVain => None,
                }
            }
            (None, _) => None,
        };
        let Some(claimed) = claimed else { break };
        if !seen.insert(*claimed.site_id.as_bytes()) {
            break;
        }
        store::start(rollout.id)?;
        let outcome = site::upgrade(rollout, &claimed)?;
        tried.push(Tried {
            site_id: claimed.site_id,
            outcome,
        });
        capacity.check(rollout, tried.len())?;
    }
    Ok(tried)
}

/// A site that is locked now is not tried twice in one call.
fn again(claim: Claim, tried: Vec<Uuid>) -> Vec<Uuid> {
    match claim {
        Claim::Pending { .. } => Vec::new(),
        Claim::Locked => tried,
    }
}

/// What came of waiting for a site of another runner.
enum Waited {
    /// The other one gave it up.
    Free(Claimed),
    /// The other one is done with it.
    Changed,
    /// The other one is still at it.
    InVain,
}

fn waited_for(rollout_id: Uuid, wave: i32) -> Result<Waited> {
    let timeout = settings::lock_timeout().to_string();
    let claimed = in_subtransaction(|| {
        with_settings(&[("lock_timeout", &timeout)], || {
            store::claim_waiting(rollout_id, wave)
        })
    });
    match claimed {
        Ok(Some(claimed)) => Ok(Waited::Free(claimed)),
        Ok(None) => Ok(Waited::Changed),
        Err(Error::Raised(raised)) if raised.code == PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE => {
            Ok(Waited::InVain)
        }
        Err(error) => Err(error),
    }
}
