//! The lock of a change: the row of the module, shared unless shared tables change, and then the row of
//! the installation. Both end with the transaction, whatever happens to the backend.
//!
//! Order: module by id, site by id, the version that a change leads to, then the tenants' tables, and last
//! the site's row (see `hold`).

use pgrx::Uuid;
use pgrx::prelude::PgSqlErrorCode;
use versioning_core::model::Scope;

use super::store::lock::{self as store, Holder};
use crate::error::{Error, Result};
use crate::pg::interrupt;
use crate::pg::lock_wait;
use crate::pg::scope::with_settings;
use crate::pg::subtransaction::in_subtransaction;
use crate::settings;

/// How a change needs the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ModuleLock {
    /// It works on one site: others go on beside it, but no change of the shared tables or of the
    /// registered migrations does.
    Beside,
    /// It changes the shared tables: no other change goes on.
    Alone,
}

/// The lock that running migrations of these scopes needs.
pub fn for_scopes(mut scopes: impl Iterator<Item = Scope>) -> ModuleLock {
    if scopes.any(|scope| scope == Scope::Shared) {
        ModuleLock::Alone
    } else {
        ModuleLock::Beside
    }
}

/// Locks the module.
///
/// # Errors
/// 55P03 with who holds the lock; 40001 when the row changed after this transaction's snapshot.
pub fn module(module_id: Uuid, slug: &str, lock: ModuleLock) -> Result<()> {
    bounded(&format!("module \"{slug}\""), module_id, || {
        store::lock_module(module_id, lock)
    })
}

/// Locks the installation of a module on a site.
///
/// # Errors
/// As [`module`].
pub fn installation(site_module_id: Uuid, name: &str) -> Result<()> {
    bounded(name, site_module_id, || {
        store::lock_installation(site_module_id)
    })
}

/// Keeps the installation of a module on a site as it is. Others may keep it, too.
///
/// # Errors
/// As [`module`].
pub fn keep_installation(site_module_id: Uuid, name: &str) -> Result<()> {
    bounded(name, site_module_id, || {
        store::keep_installation(site_module_id)
    })
}

/// Makes the row of an installation, which waits for another session that is making it.
///
/// # Errors
/// As [`module`]; the holder is looked for by the module's mark, for the row is not to be seen yet.
pub fn new_installation<R>(
    name: &str,
    module_id: Uuid,
    make: impl FnOnce() -> Result<R>,
) -> Result<R> {
    within_timeout(name, module_id, make)
}

/// Takes a lock and leaves the mark that says who holds it; the lock itself is the row.
fn bounded(name: &str, id: Uuid, lock: impl FnOnce() -> Result<()>) -> Result<()> {
    within_timeout(name, id, lock)?;
    store::mark_lock_holder(id)
}

/// Waits no longer than `module_versioning.lock_timeout`.
fn within_timeout<R>(name: &str, id: Uuid, wait: impl FnOnce() -> Result<R>) -> Result<R> {
    let timeout = settings::lock_timeout();
    let done = interrupt::watching(|| {
        in_subtransaction(|| with_settings(&[("lock_timeout", &timeout.to_string())], wait))
    });
    match done {
        Err(Error::Raised(raised)) if raised.code == PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE => {
            Err(busy(name, timeout, holder(id)?))
        }
        other => other,
    }
}

/// Who left the mark; and who holds what was waited for, when it wasn't taken by a change of this extension.
fn holder(id: Uuid) -> Result<Option<String>> {
    if let Some(holder) = store::lock_holder(id)? {
        return Ok(Some(sentence(&holder)));
    }
    let holder = interrupt::waited_for().map(lock_wait::holder).transpose()?;
    Ok(holder.flatten().map(|holder| holder.sentence()))
}

fn sentence(holder: &Holder) -> String {
    format!(
        "Its row in {} is locked by process {} (role {}, application \"{}\"), whose current query began at {}.",
        holder.relation, holder.pid, holder.role, holder.application, holder.query_start
    )
}

fn busy(name: &str, timeout: i32, holder: Option<String>) -> Error {
    let holder = holder.unwrap_or_else(|| "Who holds the lock can't be told any more.".to_owned());
    Error::busy(format!("{name} is being changed by another session"))
        .detail(format!(
            "The lock was not free within {timeout} ms. {holder}"
        ))
        .hint("Nothing was changed. Try again, or raise module_versioning.lock_timeout.")
}
