//! What a script leaves in the session: its own is cleared away, the caller's must still be there.
//!
//! Temporary objects, cursors and session-level advisory locks would outlive the script. What the guard
//! let through to what was the caller's (a cursor closed by its variable, a lock released by its key) makes
//! the run fail.

use pgrx::pg_sys;

use crate::error::Result;
use crate::migration::failure::Failure;
use crate::migration::store::session as store;
use crate::pg::catalog;
use crate::pg::script_guard::{self, Protected};
use crate::pg::session_lock::{self, AdvisoryLock};

/// What there was before the script.
pub struct Before {
    temporary: Vec<String>,
    cursors: Vec<String>,
    schema: (String, Option<pg_sys::Oid>),
}

impl Before {
    /// Looks at the session.
    ///
    /// # Errors
    /// Only broken expectations.
    pub fn read(schema: &str) -> Result<Self> {
        Ok(Self {
            temporary: store::temporary_objects()?,
            cursors: store::cursors()?,
            schema: (schema.to_owned(), catalog::schema(schema)),
        })
    }

    /// Runs `body` with the guard on.
    pub fn guarding<R>(&self, body: impl FnOnce() -> R) -> R {
        let protected = Protected {
            schema: self.schema.0.clone(),
            cursors: self.cursors.clone(),
        };
        script_guard::guarding(protected, body)
    }

    /// Clears away what the script left, and says what it took from its caller.
    ///
    /// # Errors
    /// 42501 raised by PostgreSQL when a temporary object belongs to somebody else.
    pub fn clear(&self) -> Result<Option<Failure>> {
        let cursors = store::cursors()?;
        for cursor in cursors.iter().filter(|name| !self.cursors.contains(name)) {
            store::close_cursor(cursor)?;
        }
        // A temporary view would shadow what the caller's session looks up by its bare name, and run the
        // script's functions with the caller's rights.
        store::drop_temporary_objects(&self.temporary)?;
        let locks_lost = settle_locks()?;
        let closed = self.cursors.iter().find(|name| !cursors.contains(name));
        let (schema, oid) = &self.schema;
        Ok(if let Some(cursor) = closed {
            Some(taken(format!(
                "the migration closed cursor \"{cursor}\" of its caller"
            )))
        } else if locks_lost {
            Some(taken(
                "the migration released an advisory lock of its caller".to_owned(),
            ))
        } else if oid.is_some() && *oid != catalog::schema(schema) {
            Some(taken(format!(
                "the migration dropped or renamed schema \"{schema}\", in which it runs"
            )))
        } else {
            None
        })
    }
}

fn taken(message: String) -> Failure {
    Failure {
        sqlstate: "55000".to_owned(),
        message,
        hint: Some("A migration may only change what is its own.".to_owned()),
        ..Failure::default()
    }
}

/// Gives back the session-level locks that the script took, and takes back those it released. Says
/// whether there were such.
fn settle_locks() -> Result<bool> {
    let Some(before) = session_lock::before() else {
        return Ok(false);
    };
    let now = session_lock::held();
    let missing = |lock: &&AdvisoryLock, from: &[AdvisoryLock]| !from.contains(lock);
    let extra: Vec<_> = now.iter().filter(|lock| missing(lock, &before)).collect();
    let lost: Vec<_> = before.iter().filter(|lock| missing(lock, &now)).collect();
    for lock in extra {
        store::release(lock)?;
    }
    for lock in &lost {
        store::take_back(lock)?;
    }
    Ok(!lost.is_empty())
}
