//! A time limit for a part of a statement. The server's own `statement_timeout` covers the whole call and
//! can't be started anew inside it.

use std::cell::Cell;
use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};

use pgrx::pg_sys;

use crate::pg::interrupt;

/// Beyond every reason that the server knows: `RegisterTimeout` then picks the next free one.
const NEXT_FREE: c_int = 64;

// utils/timeout.h, which pgrx doesn't bind.
unsafe extern "C-unwind" {
    fn RegisterTimeout(id: c_int, handler: extern "C" fn()) -> c_int;
    fn enable_timeout_every(id: c_int, finish: pg_sys::TimestampTz, delay_ms: c_int);
    fn disable_timeout(id: c_int, keep_indicator: bool);
}

static FIRED: AtomicBool = AtomicBool::new(false);

thread_local! {
    // Registered once for each backend: there are few places.
    static REASON: Cell<Option<c_int>> = const { Cell::new(None) };
}

/// Asks the running statement to stop, as the server's own time limits do.
extern "C" fn on_timeout() {
    FIRED.store(true, Ordering::SeqCst);
    // SAFETY: sets two flags that are made for signal handlers; SIGALRM wakes whoever waits.
    unsafe {
        pg_sys::InterruptPending = 1;
        pg_sys::QueryCancelPending = 1;
    }
}

fn reason() -> c_int {
    if let Some(reason) = REASON.get() {
        return reason;
    }
    // SAFETY: main thread, after the server has set up its time-outs; the handler lives as long as
    // the library, which is never unloaded.
    let reason = unsafe { RegisterTimeout(NEXT_FREE, on_timeout) };
    REASON.set(Some(reason));
    reason
}

/// A script may catch the request to stop and go on: it is repeated, but not so soon that it could hit the
/// handling of the first one.
const REPEAT_MS: i32 = 1_000;

/// Starts the limit.
pub fn start(milliseconds: i32) {
    FIRED.store(false, Ordering::SeqCst);
    let reason = reason();
    // SAFETY: a registered reason; the time is that of the server's clock.
    unsafe {
        let finish = pg_sys::GetCurrentTimestamp() + i64::from(milliseconds) * 1_000;
        enable_timeout_every(reason, finish, milliseconds.max(REPEAT_MS));
    }
}

/// Ends the limit, and says whether it was hit since [`start`]. A request to stop that it made and that
/// nobody has followed yet is taken back, so that it doesn't hit what comes after.
pub fn stop() -> bool {
    if let Some(reason) = REASON.get() {
        // SAFETY: a registered reason; harmless when it isn't running.
        unsafe { disable_timeout(reason, false) };
    }
    let hit = FIRED.swap(false, Ordering::SeqCst);
    if hit && !interrupt::was_cancelled() {
        // SAFETY: as in `on_timeout`; nobody else has made a request.
        unsafe { pg_sys::QueryCancelPending = 0 };
    }
    hit
}
