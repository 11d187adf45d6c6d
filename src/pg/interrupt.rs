//! Whether somebody asked the query to stop, and what it was waiting for then.
//!
//! An error with SQLSTATE 57014 may come from a script's own RAISE, from our own timer, or from a real
//! request: only the last one must never be swallowed. Every real request, the server's own time-outs
//! included, arrives as SIGINT. While a watch is on, a handler in front of the server's notes that one
//! came, and the heavyweight lock that the backend was waiting for: later nobody can tell any more.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use pgrx::pg_sys;

/// A heavyweight lock as `LOCKTAG` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockTag {
    /// Which kind of object (`LockTagType`).
    pub kind: u32,
    /// What the kind says they are: mostly database, relation, page, tuple.
    pub fields: [u32; 4],
}

// What the handler writes: lock-free atomics only.
static CANCELLED: AtomicBool = AtomicBool::new(false);
static WAITED: AtomicBool = AtomicBool::new(false);
static KIND: AtomicU32 = AtomicU32::new(0);
static FIELDS: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];
/// The handler that was there before, as an address; 0 for none.
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static WATCHES: Cell<u32> = const { Cell::new(0) };
}

extern "C" fn on_sigint(signal: libc::c_int) {
    CANCELLED.store(true, Ordering::SeqCst);
    // SAFETY: the main thread of the backend is interrupted here. Its own PGPROC stays where it is, and
    // while waitLock is set the shared lock it points to is kept alive by this very wait.
    unsafe {
        let process = pg_sys::MyProc;
        if !process.is_null() && !(*process).waitLock.is_null() {
            let tag = &(*(*process).waitLock).tag;
            KIND.store(u32::from(tag.locktag_type), Ordering::SeqCst);
            FIELDS[0].store(tag.locktag_field1, Ordering::SeqCst);
            FIELDS[1].store(tag.locktag_field2, Ordering::SeqCst);
            FIELDS[2].store(tag.locktag_field3, Ordering::SeqCst);
            FIELDS[3].store(u32::from(tag.locktag_field4), Ordering::SeqCst);
            WAITED.store(true, Ordering::SeqCst);
        }
        let next = NEXT.load(Ordering::SeqCst);
        if next != 0 {
            // What was installed before as a plain handler (see `install`).
            let next: extern "C" fn(libc::c_int) = std::mem::transmute(next);
            next(signal);
        }
    }
}

/// The previous handler, put back when dropped.
struct Watch {
    previous: Option<libc::sigaction>,
}

impl Watch {
    /// Only the outermost watch installs the handler.
    fn start() -> Self {
        let outer = WATCHES.get();
        WATCHES.set(outer + 1);
        let previous = if outer == 0 { install() } else { None };
        Self { previous }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHES.set(WATCHES.get().saturating_sub(1));
        if let Some(previous) = &self.previous {
            // SAFETY: what sigaction returned when the handler was installed.
            unsafe { libc::sigaction(libc::SIGINT, previous, ptr::null_mut()) };
        }
    }
}

/// Puts our handler in front of the server's, with the server's flags and mask. Leaves everything as
/// it is when the server's is no plain handler.
fn install() -> Option<libc::sigaction> {
    let mut previous = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: reads the present action into memory that is valid for it; it is initialised when 0 is
    // returned. The new one differs from it in the handler only.
    unsafe {
        if libc::sigaction(libc::SIGINT, ptr::null(), previous.as_mut_ptr()) != 0 {
            return None;
        }
        let previous = previous.assume_init();
        let is_plain = previous.sa_flags & libc::SA_SIGINFO == 0
            && previous.sa_sigaction != libc::SIG_DFL
            && previous.sa_sigaction != libc::SIG_IGN;
        if !is_plain {
            return None;
        }
        NEXT.store(previous.sa_sigaction, Ordering::SeqCst);
        let mut action = previous;
        action.sa_sigaction = on_sigint as *const () as usize;
        (libc::sigaction(libc::SIGINT, &action, ptr::null_mut()) == 0).then_some(previous)
    }
}

/// Runs `body` with the watch on.
pub fn watching<R>(body: impl FnOnce() -> R) -> R {
    forget();
    let watch = Watch::start();
    let result = body();
    drop(watch);
    result
}

/// Forgets what was noted so far.
pub fn forget() {
    CANCELLED.store(false, Ordering::SeqCst);
    WAITED.store(false, Ordering::SeqCst);
}

/// Whether a request to stop has come since the watch began or [`forget`] was called.
pub fn was_cancelled() -> bool {
    CANCELLED.load(Ordering::SeqCst)
}

/// The lock that the backend was waiting for when the last request came.
pub fn waited_for() -> Option<LockTag> {
    WAITED.load(Ordering::SeqCst).then(|| LockTag {
        kind: KIND.load(Ordering::SeqCst),
        fields: [0, 1, 2, 3].map(|index: usize| {
            FIELDS
                .get(index)
                .map_or(0, |field| field.load(Ordering::SeqCst))
        }),
    })
}
