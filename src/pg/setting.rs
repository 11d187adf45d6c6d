//! What settings this server has, and whose they are.

use std::ffi::CString;

use pgrx::pg_sys;

/// Whether the server knows a setting of that name.
pub fn is_known(name: &str) -> bool {
    CString::new(name).is_ok_and(|name| {
        // SAFETY: a valid C string; with missing_ok the function answers NULL and doesn't raise.
        unsafe { !pg_sys::GetConfigOption(name.as_ptr(), true, false).is_null() }
    })
}

/// Makes unknown settings of that prefix an error.
pub fn reserve_prefix(prefix: &std::ffi::CStr) {
    // SAFETY: called from _PG_init on the backend's main thread; PostgreSQL copies the string, and
    // reserving a prefix twice is harmless.
    unsafe { pg_sys::MarkGUCPrefixReserved(prefix.as_ptr()) };
}
