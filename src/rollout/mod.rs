//! Rollouts: one version to many sites, in waves, by any number of runners.
//!
//! This room owns the tables `rollouts` and `rollout_sites`. It decides nothing that
//! `versioning_core::rollout` can decide, and changes no site itself: that is `lifecycle`'s. A claim is
//! the lock of the site's row and nothing else, so that a runner that dies leaves nothing behind.

mod advance;
mod capacity;
mod creation;
mod site;
mod steering;
mod store;

use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::error::{Error, Result, SqlResult};
use crate::migration::execute::settle_deferred_constraints;
use crate::pg::argument::required;
use crate::pg::identity::{as_extension_owner, current_role, role_name};
use crate::pg::record::{Record, Rollouts};
use crate::pg::run_context::refuse_inside_script;
use crate::pg::transaction;
use crate::semver::Semver;

/// The rollout of that id.
fn rollout(id: Option<Uuid>) -> Result<store::Rollout> {
    let id = required(id, "rollout_id")?;
    store::rollout(id)?.ok_or_else(|| {
        Error::not_found(format!("rollout {id} does not exist"))
            .hint("Create one with create_rollout; list_rollouts shows those there are.")
    })
}

#[pg_extern(stable, requires = ["rollout_tables"])]
#[search_path(pg_catalog, pg_temp)]
fn _existing_rollout(rollout_id: Option<Uuid>) -> SqlResult<Uuid> {
    Ok(as_extension_owner(|| rollout(rollout_id))?.id)
}

#[pg_extern(volatile, requires = ["rollout_tables"])]
#[search_path(pg_catalog, pg_temp)]
fn _require_own_transactions() -> SqlResult<()> {
    if transaction::caller_can_commit() {
        return Ok(());
    }
    Err(Error::needs_top_level("run_rollout can't run inside a transaction block or function")
        .detail("It commits after each site.")
        .hint("CALL it by itself, outside BEGIN and COMMIT. Inside a transaction use advance_rollout, which doesn't commit.")
        .into())
}

#[pg_extern(volatile, requires = ["rollout_tables"])]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::too_many_arguments)] // The arguments of the SQL function.
fn create_rollout(
    module_id: Option<Uuid>,
    target_version: Option<Semver>,
    waves: default!(Option<Vec<Option<String>>>, "'{1,10%,100%}'"),
    max_failures: default!(Option<i32>, "0"),
    site_ids: default!(Option<Vec<Option<Uuid>>>, "NULL"),
    create_backup: default!(Option<bool>, "true"),
    force: default!(Option<bool>, "false"),
    executed_by: default!(Option<Uuid>, "NULL"),
) -> SqlResult<Option<Record<Rollouts>>> {
    refuse_inside_script()?;
    let created_by = role_name(current_role());
    Ok(as_extension_owner(|| {
        creation::create(creation::Request {
            module_id: required(module_id, "module_id")?,
            target: required(target_version, "target_version")?.0,
            waves,
            max_failures: max_failures.unwrap_or(0),
            site_ids,
            create_backup: create_backup.unwrap_or(true),
            force: force.unwrap_or(false),
            executed_by,
            created_by: &created_by,
        })
    })?)
}

#[pg_extern(volatile, requires = ["rollout_tables"])]
#[search_path(pg_catalog, pg_temp)]
fn advance_rollout(
    rollout_id: Option<Uuid>,
    max_sites: default!(Option<i32>, "10"),
    wait: default!(Option<bool>, "false"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(site_id, Uuid),
            name!(status, String),
            name!(sqlstate, Option<String>),
            name!(error_message, Option<String>),
        ),
    >,
    ErrorReport,
> {
    refuse_inside_script()?;
    settle_deferred_constraints()?;
    let tried = as_extension_owner(|| {
        let limit = advance::limit(max_sites)?;
        advance::advance(&rollout(rollout_id)?, limit, wait.unwrap_or(false))
    })?;
    Ok(TableIterator::new(tried.into_iter().map(|tried| {
        (
            tried.site_id,
            tried.outcome.status.as_str().to_owned(),
            tried.outcome.sqlstate,
            tried.outcome.message,
        )
    })))
}

#[pg_extern(volatile, requires = ["rollout_tables"])]
#[search_path(pg_catalog, pg_temp)]
fn halt_rollout(
    rollout_id: Option<Uuid>,
    reason: default!(Option<&str>, "NULL"),
) -> SqlResult<Option<Record<Rollouts>>> {
    refuse_inside_script()?;
    Ok(as_extension_owner(|| {
        steering::halt(&rollout(rollout_id)?, reason)
    })?)
}

#[pg_extern(volatile, requires = ["rollout_tables"])]
#[search_path(pg_catalog, pg_temp)]
fn resume_rollout(
    rollout_id: Option<Uuid>,
    retry_failed: default!(Option<bool>, "true"),
) -> SqlResult<Option<Record<Rollouts>>> {
    refuse_inside_script()?;
    Ok(as_extension_owner(|| {
        steering::resume(&rollout(rollout_id)?, retry_failed.unwrap_or(true))
    })?)
}
