//! Locks on rows of the registry: how long they are waited for, and who is in the way.
//!
//! They come after those of the module and the installation (see `lifecycle::lock`): a version before a
//! site.

use npm_semver::Version;
use pgrx::Uuid;
use pgrx::prelude::PgSqlErrorCode;

use super::store::{self, Holder, version as versions};
use super::{Module, RegisteredVersion, Site, unknown_version};
use crate::error::{Error, Result};
use crate::pg::scope;
use crate::pg::subtransaction::in_subtransaction;
use crate::settings;

/// How a change needs a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteLock {
    /// It neither needs nor excludes other modules: changes of other modules go on beside it.
    Beside,
    /// It is right only as long as what else the site has stays as it is.
    Alone,
}

/// Does something that waits for a lock on a row of `table`, no longer than
/// `module_versioning.lock_timeout`.
pub fn bounded<R>(name: &str, table: &str, wait: impl FnOnce() -> Result<R>) -> Result<R> {
    let timeout = settings::lock_timeout();
    let done =
        in_subtransaction(|| scope::with_settings(&[("lock_timeout", &timeout.to_string())], wait));
    match done {
        Err(Error::Raised(raised)) if raised.code == PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE => {
            Err(busy(name, timeout, table, &store::lock_holders(table)?))
        }
        done => done,
    }
}

fn busy(name: &str, timeout: i32, table: &str, holders: &[Holder]) -> Error {
    let holders: Vec<String> = holders
        .iter()
        .map(|holder| format!("process {} (role \"{}\")", holder.pid, holder.role))
        .collect();
    let who = if holders.is_empty() {
        "Who held it can't be told any more.".to_owned()
    } else {
        format!("At work on {table}: {}.", holders.join(", "))
    };
    Error::busy(format!("{name} is being changed by another session"))
        .detail(format!("The lock was not free within {timeout} ms. {who}"))
        .hint("Nothing was changed. Try again, or raise module_versioning.lock_timeout.")
}

/// The table of versions, as messages name it.
pub const VERSIONS: &str = "registered_versions";

/// Locks a version for a change until the transaction ends.
///
/// # Errors
/// 42704 when it has gone; 55P03 when it is held too long; 40001 when it changed after this transaction's
/// snapshot.
pub fn change(id: Uuid, name: &str) -> Result<RegisteredVersion> {
    bounded(name, VERSIONS, || versions::lock(id))?.ok_or_else(|| unknown_version(id))
}

/// Keeps a version as it is, so that nobody yanks it, until the transaction ends. Others may keep it, too.
///
/// # Errors
/// As [`change`].
pub fn hold(id: Uuid, name: &str) -> Result<RegisteredVersion> {
    bounded(name, VERSIONS, || versions::share(id))?.ok_or_else(|| unknown_version(id))
}

/// Locks a site's row until the transaction ends.
///
/// # Errors
/// 55P03 when it is held too long; 40001 when it changed after this transaction's snapshot.
pub fn site(site: &Site, lock: SiteLock) -> Result<()> {
    bounded(&format!("site \"{}\"", site.slug), "sites", || {
        store::lock_site(site.id, lock)
    })
}

/// Keeps the drafts below a version drafts until the transaction ends: what is decided about its number
/// depends on what has been published before.
///
/// # Errors
/// As [`change`].
pub fn keep_lower_drafts(module: &Module, version: &Version) -> Result<()> {
    let name = format!("a version of module \"{}\" below {version}", module.slug);
    bounded(&name, VERSIONS, || {
        versions::share_drafts_below(module.id, version)
    })
}
