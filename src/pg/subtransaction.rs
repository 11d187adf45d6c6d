//! Work that is undone as a whole when it fails.

use std::panic::AssertUnwindSafe;

use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;

use crate::error::{Error, Raised, Result, Words};
use crate::pg::session_lock;

/// The memory context and resource owner to come back to, whatever happens in between.
#[derive(Clone, Copy)]
struct Surroundings {
    context: pg_sys::MemoryContext,
    owner: pg_sys::ResourceOwner,
}

impl Surroundings {
    fn current() -> Self {
        // SAFETY: reads two globals of the backend's main thread.
        unsafe {
            Self {
                context: pg_sys::CurrentMemoryContext,
                owner: pg_sys::CurrentResourceOwner,
            }
        }
    }

    /// # Safety
    /// The (sub)transaction in which the two were read must still be open.
    unsafe fn restore(self) {
        // SAFETY: both outlive the inner subtransaction, by the caller's word.
        unsafe {
            pg_sys::MemoryContextSwitchTo(self.context);
            pg_sys::CurrentResourceOwner = self.owner;
        }
    }
}

/// How many (sub)transactions lie in one another now.
pub fn depth() -> i32 {
    // SAFETY: reads the state of the current transaction.
    unsafe { pg_sys::GetCurrentTransactionNestLevel() }
}

/// Runs `body` in a subtransaction: kept when it returns `Ok`, undone when it returns `Err` or raises.
///
/// # Errors
/// What `body` returned, or what PostgreSQL raised in it as [`Error::Raised`]. A query cancel, a
/// shutdown request, a failed assertion and a Rust panic are undone too but go on upwards.
pub fn in_subtransaction<R>(body: impl FnOnce() -> Result<R>) -> Result<R> {
    let outside = Surroundings::current();
    // SAFETY: main thread inside a transaction; every path below ends the subtransaction exactly once
    // and restores both globals.
    unsafe {
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(outside.context);
    }
    PgTryBuilder::new(AssertUnwindSafe(|| {
        let result = body();
        // SAFETY: the subtransaction begun above is the current one again, for inner ones have ended.
        unsafe {
            if result.is_ok() {
                pg_sys::ReleaseCurrentSubTransaction();
            } else {
                pg_sys::RollbackAndReleaseCurrentSubTransaction();
            }
            outside.restore();
        }
        result
    }))
    .catch_others(move |caught| {
        // SAFETY: as above; an error leaves the subtransaction open for us to end.
        unsafe {
            pg_sys::MemoryContextSwitchTo(outside.context);
            pg_sys::RollbackAndReleaseCurrentSubTransaction();
            outside.restore();
        }
        match raised(&caught) {
            Some(raised) => Err(Error::Raised(raised)),
            None => {
                session_lock::settle_after_cancel();
                caught.rethrow()
            }
        }
    })
    .execute()
}

/// Runs `body` in a subtransaction that is undone whatever comes of it, and returns what it returned.
///
/// # Errors
/// As [`in_subtransaction`].
pub fn undone<R>(body: impl FnOnce() -> Result<R>) -> Result<R> {
    let mut kept = None;
    let ended = in_subtransaction::<()>(|| {
        kept = Some(body()?);
        Err(Error::internal("what was tried is undone"))
    });
    match (kept, ended) {
        (Some(kept), _) => Ok(kept),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Err(Error::internal("what was tried has no outcome")),
    }
}

/// Runs `body` and then `end`, also when an error passes through; that one goes on upwards. `body` has left
/// every subtransaction it began by then.
///
/// # Errors
/// What `body` returns.
pub fn with_end<R>(body: impl FnOnce() -> Result<R>, end: impl FnMut()) -> Result<R> {
    PgTryBuilder::new(AssertUnwindSafe(body))
        .finally(end)
        .execute()
}

/// The error as data, or nothing when it is one that must not be swallowed.
fn raised(caught: &CaughtError) -> Option<Raised> {
    let report = match caught {
        CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => report,
        CaughtError::RustPanic { .. } => return None,
    };
    let code = report.sql_error_code();
    match code {
        PgSqlErrorCode::ERRCODE_QUERY_CANCELED
        | PgSqlErrorCode::ERRCODE_ADMIN_SHUTDOWN
        | PgSqlErrorCode::ERRCODE_CRASH_SHUTDOWN
        | PgSqlErrorCode::ERRCODE_ASSERT_FAILURE => None,
        _ => Some(Raised {
            code,
            words: Words {
                message: report.message().to_owned(),
                detail: report.detail().map(ToOwned::to_owned),
                hint: report.hint().map(ToOwned::to_owned),
            },
        }),
    }
}
