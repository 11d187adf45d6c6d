//! Soft errors: from PostgreSQL 16 on, a caller of a type's input function can ask for an error to
//! be noted instead of raised (`pg_input_is_valid`, `COPY … ON_ERROR ignore`).

use pgrx::pg_sys;

use crate::error::Error;

/// Notes the error where the caller wants it, and says whether that was so. If not, it is to be
/// raised.
#[cfg(feature = "pg15")]
pub fn save(_context: *mut pg_sys::Node, _error: &Error) -> bool {
    false
}

/// Notes the error where the caller wants it, and says whether that was so. If not, it is to be
/// raised.
#[cfg(not(feature = "pg15"))]
pub fn save(context: *mut pg_sys::Node, error: &Error) -> bool {
    use std::ffi::{CStr, CString, c_char, c_int};

    // PostgreSQL's own functions of error reporting, which pgrx keeps to itself.
    unsafe extern "C-unwind" {
        fn errcode(code: c_int) -> c_int;
        fn errmsg_internal(format: *const c_char, ...) -> c_int;
        fn errdetail_internal(format: *const c_char, ...) -> c_int;
        fn errhint(format: *const c_char, ...) -> c_int;
    }

    let c_string = |text: &str| CString::new(text).unwrap_or_default();
    let words = error.words();
    // SAFETY: the context is a node or null. With an ErrorSaveContext nothing is raised between
    // start and finish: the words are copied, the format has one string for its one placeholder.
    unsafe {
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_ErrorSaveContext {
            return false;
        }
        if pg_sys::errsave_start(context, std::ptr::null()) {
            const TEXT: &CStr = c"%s";
            errcode(error.code() as c_int);
            errmsg_internal(TEXT.as_ptr(), c_string(&words.message).as_ptr());
            if let Some(detail) = &words.detail {
                errdetail_internal(TEXT.as_ptr(), c_string(detail).as_ptr());
            }
            if let Some(hint) = &words.hint {
                errhint(TEXT.as_ptr(), c_string(hint).as_ptr());
            }
            pg_sys::errsave_finish(context, c"".as_ptr(), 0, c"".as_ptr());
        }
        true
    }
}
