//! The message that a type's binary input function reads.

use std::ffi::CStr;
use std::slice;

use pgrx::pg_sys;

use super::call::Call;
use crate::error::{Error, Result};

/// A binary message, read from the front.
#[derive(Debug)]
pub struct Message(pg_sys::StringInfo);

impl Message {
    /// The message that the function is called with.
    ///
    /// # Errors
    /// XX000 when there is none.
    pub fn of(call: &Call<'_>) -> Result<Self> {
        call.pointer(0)
            .map(Self)
            .ok_or_else(|| Error::internal("a receive function got no message"))
    }

    /// The next byte; raises 08P01 at the end.
    pub fn byte(&mut self) -> i32 {
        // SAFETY: the buffer is valid for the call; its bounds are checked there.
        unsafe { pg_sys::pq_getmsgbyte(self.0) }
    }

    /// All that is left, as text that was sent in the client's encoding.
    pub fn text(&mut self) -> String {
        let mut length = 0;
        // SAFETY: as above; the text is converted into palloc'd memory that ends with a NUL byte.
        unsafe {
            let rest = (*self.0).len - (*self.0).cursor;
            let text = pg_sys::pq_getmsgtext(self.0, rest, &mut length);
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }

    /// All that is left, as it is.
    pub fn bytes(&mut self) -> &[u8] {
        // SAFETY: as above; so many bytes are there, as checked.
        unsafe {
            let rest = (*self.0).len - (*self.0).cursor;
            let bytes = pg_sys::pq_getmsgbytes(self.0, rest);
            slice::from_raw_parts(bytes.cast(), usize::try_from(rest).unwrap_or_default())
        }
    }
}
