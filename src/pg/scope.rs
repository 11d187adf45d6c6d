//! Settings that hold for one piece of work and are back afterwards, whatever that work set itself.

use std::ffi::CString;

use pgrx::pg_sys;

use crate::error::{Error, Result};

/// Runs `body` with the given settings. Afterwards every setting is what it was before, also those
/// that `body` changed. When `body` raises, the end of the surrounding subtransaction does the same.
///
/// # Errors
/// What `body` returns; 22023 from PostgreSQL when a value doesn't fit its setting.
pub fn with_settings<R>(settings: &[(&str, &str)], body: impl FnOnce() -> Result<R>) -> Result<R> {
    // SAFETY: main thread inside a transaction; the level is ended below on every path that returns,
    // and by the (sub)transaction's abort on every path that raises.
    let level = unsafe { pg_sys::NewGUCNestLevel() };
    let result = settings
        .iter()
        .try_for_each(|(name, value)| set(name, value))
        .and_then(|()| body());
    // SAFETY: the level opened above, or one opened after it that this ends too.
    unsafe { pg_sys::AtEOXact_GUC(false, level) };
    result
}

fn set(name: &str, value: &str) -> Result<()> {
    let c_string = |text: &str| {
        CString::new(text).map_err(|_| Error::internal(format!("setting {text:?} has a NUL byte")))
    };
    let (name, value) = (c_string(name)?, c_string(value)?);
    // SAFETY: valid C strings that PostgreSQL copies. SUSET because the extension, not the caller,
    // chooses these settings; ACTION_SAVE binds them to the nest level.
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_SUSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
    }
    Ok(())
}
