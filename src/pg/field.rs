//! Bytes of a snapshot back to values of any type, by the type's own functions.

use std::ffi::{CStr, CString};

use pgrx::{AllocatedByPostgres, PgBox, pg_sys};

use crate::error::{Error, Result};

/// A function of a type, looked up once. Its caches live in the memory context that was current then.
pub(super) fn function(oid: pg_sys::Oid) -> pg_sys::FmgrInfo {
    let mut info = pg_sys::FmgrInfo::default();
    // SAFETY: fills in the struct, or raises when there is no such function.
    unsafe { pg_sys::fmgr_info(oid, &mut info) };
    info
}

/// A value and its type, in the memory context that was current when it was made.
pub struct Value {
    pub(super) kind: pg_sys::Oid,
    /// `None` for NULL.
    pub(super) datum: Option<pg_sys::Datum>,
}

impl Value {
    /// NULL of a type.
    pub fn null(kind: pg_sys::Oid) -> Self {
        Self { kind, datum: None }
    }

    /// A `bigint`.
    pub fn int8(number: Option<i64>) -> Self {
        Self {
            kind: pg_sys::INT8OID,
            datum: number.map(pg_sys::Datum::from),
        }
    }
}

/// Reads bytes as values of one type.
pub struct FieldDecoder {
    kind: pg_sys::Oid,
    steps: Steps,
}

enum Steps {
    /// The binary form of the type itself.
    Receive(Input),
    /// Text.
    Parse(Input),
    /// The binary form of another type, taken to the wanted one by way of text.
    Convert {
        receive: Input,
        output: pg_sys::FmgrInfo,
        parse: Input,
    },
}

struct Input {
    function: pg_sys::FmgrInfo,
    parameter: pg_sys::Oid,
    modifier: i32,
}

impl Input {
    fn receive(kind: pg_sys::Oid, modifier: i32) -> Self {
        let (mut oid, mut parameter) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
        // SAFETY: out parameters valid for the call; raises when the type has no receive function.
        unsafe { pg_sys::getTypeBinaryInputInfo(kind, &mut oid, &mut parameter) };
        Self {
            function: function(oid),
            parameter,
            modifier,
        }
    }

    fn parse(kind: pg_sys::Oid, modifier: i32) -> Self {
        let (mut oid, mut parameter) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
        // SAFETY: as above.
        unsafe { pg_sys::getTypeInputInfo(kind, &mut oid, &mut parameter) };
        Self {
            function: function(oid),
            parameter,
            modifier,
        }
    }

    /// NULL goes through the function too: a domain may refuse it.
    fn call_receive(&mut self, bytes: Option<&[u8]>) -> Result<pg_sys::Datum> {
        let Some(bytes) = bytes else {
            // SAFETY: a NULL buffer stands for a NULL value.
            return Ok(unsafe {
                pg_sys::ReceiveFunctionCall(
                    &mut self.function,
                    std::ptr::null_mut(),
                    self.parameter,
                    self.modifier,
                )
            });
        };
        // SAFETY: the buffer is a copy in the current memory context, which receive functions may
        // change and which ends in a NUL byte as some of them want.
        unsafe {
            let mut buffer = PgBox::<pg_sys::StringInfoData, AllocatedByPostgres>::from_pg(
                pg_sys::makeStringInfo(),
            );
            let length = i32::try_from(bytes.len()).map_err(|_| too_long())?;
            pg_sys::appendBinaryStringInfo(buffer.as_ptr(), bytes.as_ptr().cast(), length);
            let value = pg_sys::ReceiveFunctionCall(
                &mut self.function,
                buffer.as_ptr(),
                self.parameter,
                self.modifier,
            );
            if buffer.cursor != buffer.len {
                return Err(Error::damaged_snapshot(
                    "a value of a snapshot is longer than its type takes",
                ));
            }
            buffer.cursor = 0;
            Ok(value)
        }
    }

    fn call_parse(&mut self, bytes: Option<&[u8]>) -> Result<pg_sys::Datum> {
        let text = bytes.map(CString::new).transpose().map_err(|_| {
            Error::damaged_snapshot("a text value of a snapshot has a NUL byte in it")
        })?;
        let pointer = text
            .as_ref()
            .map_or(std::ptr::null_mut(), |text| text.as_ptr().cast_mut());
        // SAFETY: a C string that lives through the call, or NULL for a NULL value.
        Ok(unsafe {
            pg_sys::InputFunctionCall(&mut self.function, pointer, self.parameter, self.modifier)
        })
    }
}

fn too_long() -> Error {
    Error::damaged_snapshot("a value of a snapshot is longer than a value can be")
}

/// A type and its modifier (`numeric(10,2)`: the type numeric, the modifier for 10 and 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeReference {
    /// The type.
    pub oid: pg_sys::Oid,
    /// Its modifier, -1 for none.
    pub modifier: i32,
}

impl FieldDecoder {
    /// Reads what an encoder for `written` wrote, as `wanted`. `written` is `None` for text.
    pub fn new(written: Option<pg_sys::Oid>, wanted: TypeReference) -> Self {
        let steps = match written {
            None => Steps::Parse(Input::parse(wanted.oid, wanted.modifier)),
            Some(written) if written == wanted.oid => {
                Steps::Receive(Input::receive(wanted.oid, wanted.modifier))
            }
            Some(written) => {
                let (mut output, mut is_varlena) = (pg_sys::InvalidOid, false);
                // SAFETY: out parameters valid for the call.
                unsafe { pg_sys::getTypeOutputInfo(written, &mut output, &mut is_varlena) };
                Steps::Convert {
                    receive: Input::receive(written, -1),
                    output: function(output),
                    parse: Input::parse(wanted.oid, wanted.modifier),
                }
            }
        };
        Self {
            kind: wanted.oid,
            steps,
        }
    }

    /// The value of some bytes, `None` for NULL, in the current memory context.
    ///
    /// # Errors
    /// XX001 when the bytes are no value of the type; the type's own errors are raised.
    pub fn decode(&mut self, bytes: Option<&[u8]>) -> Result<Value> {
        let value = match &mut self.steps {
            Steps::Receive(receive) => receive.call_receive(bytes)?,
            Steps::Parse(parse) => parse.call_parse(bytes)?,
            Steps::Convert {
                receive,
                output,
                parse,
            } => match bytes {
                None => parse.call_parse(None)?,
                Some(_) => {
                    let value = receive.call_receive(bytes)?;
                    // SAFETY: a non-null value of the type that `output` belongs to.
                    let text = unsafe {
                        CStr::from_ptr(pg_sys::OutputFunctionCall(output, value)).to_bytes()
                    };
                    parse.call_parse(Some(text))?
                }
            },
        };
        Ok(Value {
            kind: self.kind,
            datum: bytes.map(|_| value),
        })
    }
}
