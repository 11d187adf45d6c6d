//! Memory that is given back row by row, where a whole table passes through one SQL statement.

use pgrx::pg_sys;

/// A memory context of its own, a child of the one that was current when it was made.
pub struct Scratch(pg_sys::MemoryContext);

impl Scratch {
    /// A new, empty one.
    pub fn new() -> Self {
        // SAFETY: the parent is valid; the sizes are PostgreSQL's ALLOCSET_DEFAULT_SIZES.
        Self(unsafe {
            pg_sys::AllocSetContextCreateInternal(
                pg_sys::CurrentMemoryContext,
                c"module_versioning scratch".as_ptr(),
                0,
                8 * 1024,
                8 * 1024 * 1024,
            )
        })
    }

    /// Runs `body` with this context current, and frees afterwards all that it allocated there. What
    /// `body` returns must not point into it.
    pub fn with<R>(&self, body: impl FnOnce() -> R) -> R {
        // SAFETY: both contexts are alive; when `body` raises, the error's own handling switches back.
        unsafe {
            let outside = pg_sys::MemoryContextSwitchTo(self.0);
            let result = body();
            pg_sys::MemoryContextSwitchTo(outside);
            pg_sys::MemoryContextReset(self.0);
            result
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // While an error passes through, the context is left to the clean-up of its parent.
        if !std::thread::panicking() {
            // SAFETY: made by `new`, not current any more, and deleted once.
            unsafe { pg_sys::MemoryContextDelete(self.0) };
        }
    }
}
