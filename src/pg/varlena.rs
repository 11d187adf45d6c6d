//! The bytes of variable-length values, read where they lie.

use std::ops::Deref;

use pgrx::pg_sys;
use pgrx::varlena;

/// The bytes behind the header of a value, whichever header it has. A value that was compressed or
/// stored elsewhere is copied for that, and the copy freed in the end; any other is only looked at.
#[derive(Debug)]
pub struct Bytes<'a> {
    bytes: &'a [u8],
    copy: Option<*mut pg_sys::varlena>,
}

impl<'a> Bytes<'a> {
    /// The bytes of a value.
    ///
    /// # Safety
    /// `datum` is a varlena, not NULL, that stays where it is for `'a`.
    #[inline]
    pub unsafe fn new(datum: pg_sys::Datum) -> Self {
        // SAFETY: by the caller's word.
        unsafe {
            match Self::plain(datum) {
                Some(bytes) => Self { bytes, copy: None },
                None => Self::fetched(datum.cast_mut_ptr()),
            }
        }
    }

    /// The bytes of a value that is neither compressed nor stored elsewhere; `None` for others.
    ///
    /// # Safety
    /// As `new`.
    #[inline]
    pub unsafe fn plain(datum: pg_sys::Datum) -> Option<&'a [u8]> {
        let value: *mut pg_sys::varlena = datum.cast_mut_ptr();
        // SAFETY: by the caller's word.
        unsafe {
            let is_plain = !(varlena::varatt_is_1b_e(value) || varlena::varatt_is_4b_c(value));
            is_plain.then(|| varlena::varlena_to_byte_slice(value))
        }
    }

    /// As `new`, for a value that is not plain.
    ///
    /// # Safety
    /// As `new`.
    #[cold]
    unsafe fn fetched(value: *mut pg_sys::varlena) -> Self {
        // SAFETY: by the caller's word; the copy is palloc'd and nobody else's.
        unsafe {
            let copy = pg_sys::pg_detoast_datum_packed(value);
            Self {
                bytes: varlena::varlena_to_byte_slice(copy),
                copy: (copy != value).then_some(copy),
            }
        }
    }
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

impl Drop for Bytes<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(copy) = self.copy.take() {
            // SAFETY: palloc'd by `fetched` and freed once.
            unsafe { pg_sys::pfree(copy.cast()) };
        }
    }
}
