//! The messages that a statement sends while it runs: kept for the record, and passed on as before.

use std::cell::{Cell, RefCell};
use std::sync::OnceLock;

use pgrx::pg_sys;

/// How many messages of one statement are kept.
const KEPT: usize = 20;
/// How many characters of each.
const KEPT_LENGTH: usize = 500;
/// How many messages of one script reach the client; the rest would only drown it.
const PASSED_ON: u64 = 10_000;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `INFO`, `NOTICE` or `WARNING`.
    pub severity: &'static str,
    /// Its text.
    pub message: String,
}

/// The messages of one statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices {
    /// The first ones.
    pub kept: Vec<Notice>,
    /// How many came after those.
    pub omitted: u64,
}

struct Collector {
    notices: Notices,
    /// What the server's log takes, as a number of `log_min_messages`.
    log_from: i32,
    sent: u64,
}

thread_local! {
    static COLLECTOR: RefCell<Option<Collector>> = const { RefCell::new(None) };
    static COLLECTING: Cell<bool> = const { Cell::new(false) };
}

static NEXT: OnceLock<pg_sys::emit_log_hook_type> = OnceLock::new();

/// The value of `log_min_messages` under which messages reach the hook. What the server's log wouldn't
/// have got, it still doesn't get.
pub const LOG_LEVEL: (&str, &str) = ("log_min_messages", "info");

/// Puts the hook in place. Called once, when the library is loaded.
pub fn install() {
    // SAFETY: main thread; hooks are meant to be chained like this.
    unsafe {
        if NEXT.set(pg_sys::emit_log_hook).is_ok() {
            pg_sys::emit_log_hook = Some(on_message);
        }
    }
}

/// Stops collecting when dropped.
struct Collecting;

impl Drop for Collecting {
    fn drop(&mut self) {
        COLLECTING.set(false);
        COLLECTOR.with(|collector| {
            if let Ok(mut collector) = collector.try_borrow_mut() {
                *collector = None;
            }
        });
    }
}

/// Runs `body` and collects the messages sent meanwhile. Set [`LOG_LEVEL`] inside.
pub fn collecting<R>(body: impl FnOnce() -> R) -> R {
    // SAFETY: reads a global of the backend's main thread.
    let log_from = unsafe { pg_sys::log_min_messages };
    COLLECTOR.set(Some(Collector {
        notices: Notices::default(),
        log_from,
        sent: 0,
    }));
    COLLECTING.set(true);
    let end = Collecting;
    let result = body();
    drop(end);
    result
}

/// The messages since the last call.
pub fn take() -> Notices {
    COLLECTOR.with(|collector| {
        collector
            .try_borrow_mut()
            .ok()
            .and_then(|mut collector| Some(std::mem::take(&mut collector.as_mut()?.notices)))
            .unwrap_or_default()
    })
}

unsafe extern "C-unwind" fn on_message(report: *mut pg_sys::ErrorData) {
    if COLLECTING.get() && !report.is_null() {
        // SAFETY: the report that PostgreSQL is about to send, valid for this call.
        unsafe { note(&mut *report) };
    }
    if let Some(Some(next)) = NEXT.get() {
        // SAFETY: the hook that was there before, called as PostgreSQL would have.
        unsafe { next(report) };
    }
}

/// It must not raise: it runs while a message is being sent.
///
/// # Safety
/// A report with its text filled in.
unsafe fn note(report: &mut pg_sys::ErrorData) {
    let Some(severity) = severity(report.elevel) else {
        return;
    };
    COLLECTOR.with(|collector| {
        let Ok(mut collector) = collector.try_borrow_mut() else {
            return;
        };
        let Some(collector) = collector.as_mut() else {
            return;
        };
        if report.elevel < collector.log_from || collector.log_from == pg_sys::LOG as i32 {
            report.output_to_server = false;
        }
        collector.sent += 1;
        if collector.sent > PASSED_ON {
            report.output_to_client = false;
        }
        if collector.notices.kept.len() >= KEPT {
            collector.notices.omitted += 1;
            return;
        }
        if report.message.is_null() {
            return;
        }
        // SAFETY: a C string by the caller's word.
        let text = unsafe { std::ffi::CStr::from_ptr(report.message) }.to_string_lossy();
        collector.notices.kept.push(Notice {
            severity,
            message: text.chars().take(KEPT_LENGTH).collect(),
        });
    });
}

fn severity(level: i32) -> Option<&'static str> {
    match u32::try_from(level).ok()? {
        pg_sys::INFO => Some("INFO"),
        pg_sys::NOTICE => Some("NOTICE"),
        pg_sys::WARNING => Some("WARNING"),
        _ => None,
    }
}
