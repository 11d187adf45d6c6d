//! Values of any type to the bytes of a snapshot: by the type's own functions, or, for the types that
//! tables mostly have, by code that gives the same bytes without a call.

use std::ffi::CStr;

use pgrx::pg_sys;
use versioning_core::snapshot::row::{RowWriter, TooLong};

use crate::pg::field::function;
use crate::pg::varlena::Bytes;
use crate::pg::{jsonb, numeric};

/// Writes values of one type.
pub struct FieldEncoder {
    shortcut: Option<Shortcut>,
    function: pg_sys::FmgrInfo,
    text: bool,
}

/// What stands for a type's send function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shortcut {
    /// One byte, 0 or 1.
    Bool,
    /// The datum's lowest bytes in network order.
    Int2,
    Int4,
    Int8,
    /// Sixteen bytes that the datum points to.
    Uuid,
    /// The bytes as they are stored.
    Bytes,
    Numeric,
    Jsonb,
}

impl Shortcut {
    fn of(kind: pg_sys::Oid) -> Option<Self> {
        // SAFETY: a catalog look-up. A domain's values are sent as those of the type beneath.
        let kind = unsafe { pg_sys::getBaseType(kind) };
        Some(match kind {
            pg_sys::BOOLOID => Self::Bool,
            pg_sys::INT2OID => Self::Int2,
            pg_sys::INT4OID | pg_sys::FLOAT4OID | pg_sys::DATEOID | pg_sys::OIDOID => Self::Int4,
            pg_sys::INT8OID
            | pg_sys::FLOAT8OID
            | pg_sys::TIMEOID
            | pg_sys::TIMESTAMPOID
            | pg_sys::TIMESTAMPTZOID
                if cfg!(target_pointer_width = "64") =>
            {
                Self::Int8
            }
            pg_sys::UUIDOID => Self::Uuid,
            // Text is sent as it is, for database and client_encoding are UTF8.
            pg_sys::TEXTOID
            | pg_sys::VARCHAROID
            | pg_sys::BPCHAROID
            | pg_sys::JSONOID
            | pg_sys::BYTEAOID => Self::Bytes,
            pg_sys::NUMERICOID => Self::Numeric,
            pg_sys::JSONBOID => Self::Jsonb,
            _ => return None,
        })
    }
}

impl FieldEncoder {
    /// For a type; as `text` by its output function, else as its send function does.
    pub fn new(kind: pg_sys::Oid, text: bool) -> Self {
        let (mut oid, mut is_varlena) = (pg_sys::InvalidOid, false);
        // SAFETY: out parameters valid for the call; raises when the type has no such function.
        unsafe {
            if text {
                pg_sys::getTypeOutputInfo(kind, &mut oid, &mut is_varlena);
            } else {
                pg_sys::getTypeBinaryOutputInfo(kind, &mut oid, &mut is_varlena);
            }
        }
        Self {
            shortcut: if text { None } else { Shortcut::of(kind) },
            function: function(oid),
            text,
        }
    }

    /// Appends a value to a row. What PostgreSQL allocates for it stays in the current memory context.
    ///
    /// # Errors
    /// When it is longer than the format can say.
    ///
    /// # Safety
    /// `value` must be a non-null value of the encoder's type.
    pub unsafe fn append(
        &mut self,
        value: pg_sys::Datum,
        row: &mut RowWriter<'_>,
    ) -> Result<(), TooLong> {
        if let Some(shortcut) = self.shortcut {
            // SAFETY: by the caller's word, and the shortcut is the type's.
            if unsafe { shortcut.append(value, row) }? {
                return Ok(());
            }
        }
        // SAFETY: by the caller's word; both functions return what they allocated and nobody changes.
        unsafe {
            if self.text {
                let text = pg_sys::OutputFunctionCall(&mut self.function, value);
                row.value(CStr::from_ptr(text).to_bytes())
            } else {
                let bytes = pg_sys::SendFunctionCall(&mut self.function, value);
                row.value(pgrx::varlena_to_byte_slice(bytes))
            }
        }
    }
}

impl Shortcut {
    /// Appends the value, or answers false where that is left to the send function.
    ///
    /// # Safety
    /// `value` must be a non-null value of the shortcut's type.
    #[inline]
    unsafe fn append(self, value: pg_sys::Datum, row: &mut RowWriter<'_>) -> Result<bool, TooLong> {
        // SAFETY, for the blocks below: by the caller's word, values of these types are varlenas, that of
        // a uuid sixteen bytes.
        match self {
            Self::Bool => row.value(&[u8::from(value.value() as u8 != 0)])?,
            Self::Int2 => row.value(&(value.value() as u16).to_be_bytes())?,
            Self::Int4 => row.value(&(value.value() as u32).to_be_bytes())?,
            Self::Int8 => row.value(&(value.value() as u64).to_be_bytes())?,
            Self::Uuid => {
                // SAFETY: as above.
                let bytes = unsafe { std::slice::from_raw_parts(value.cast_mut_ptr::<u8>(), 16) };
                row.value(bytes)?;
            }
            // SAFETY: as above.
            Self::Bytes => row.value(&unsafe { Bytes::new(value) })?,
            Self::Numeric => {
                // SAFETY: as above.
                let bytes = unsafe { Bytes::new(value) };
                let Some(number) = numeric::Stored::read(&bytes) else {
                    return Ok(false);
                };
                return row.value_with(|out| {
                    number.send(out);
                    true
                });
            }
            Self::Jsonb => {
                // SAFETY: as above.
                let bytes = unsafe { Bytes::new(value) };
                return row.value_with(|out| {
                    // The version of the binary form.
                    out.push(1);
                    jsonb::write(&bytes, out).is_some()
                });
            }
        }
        Ok(true)
    }
}
