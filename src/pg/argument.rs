//! Argument types that pgrx lacks, or reads in a way that panics on unusual values.

use std::ffi::CStr;

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::FromDatum;
use pgrx::nullable::Nullable;
use pgrx::pg_sys;
use pgrx::pgrx_sql_entity_graph::impl_sql_translatable;

use crate::error::{Error, Result};

/// An argument that must be given.
///
/// # Errors
/// 22023 when it is NULL.
pub fn required<T>(argument: Option<T>, name: &str) -> Result<T> {
    argument.ok_or_else(|| {
        Error::invalid_argument(format!("argument \"{name}\" must not be null"))
            .detail("It has no default.")
            .hint(format!("Pass a value for \"{name}\"."))
    })
}

/// An argument or result of SQL type `jsonb`, as its text: pgrx's own type panics on a number that has no
/// place in a double, and makes a tree of a large result only to write it again.
#[derive(Debug, Clone)]
pub struct JsonbText(pub String);

/// An argument of SQL type `name`.
#[derive(Debug, Clone)]
pub struct Name(pub String);

impl_sql_translatable!(JsonbText, "jsonb");
impl_sql_translatable!(Name, "name");

/// What the type's output function makes of the value.
///
/// # Safety
/// `datum` is a non-null value of the type.
unsafe fn output_text(datum: pg_sys::Datum, kind: pg_sys::Oid) -> String {
    let (mut function, mut is_varlena) = (pg_sys::InvalidOid, false);
    // SAFETY: the type exists, so it has an output function, which returns a C string.
    unsafe {
        pg_sys::getTypeOutputInfo(kind, &mut function, &mut is_varlena);
        let text = pg_sys::OidOutputFunctionCall(function, datum);
        CStr::from_ptr(text).to_string_lossy().into_owned()
    }
}

macro_rules! text_argument {
    ($rust:ident, $oid:expr) => {
        impl FromDatum for $rust {
            unsafe fn from_polymorphic_datum(
                datum: pg_sys::Datum,
                is_null: bool,
                _type: pg_sys::Oid,
            ) -> Option<Self> {
                // SAFETY: not null, and of the type that the function declares.
                (!is_null).then(|| Self(unsafe { output_text(datum, $oid) }))
            }
        }

        // SAFETY: the argument's SQL type is this type, as SqlTranslatable says.
        unsafe impl<'fcx> ArgAbi<'fcx> for $rust {
            unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
                // SAFETY: as above. Functions take this type as an Option, so it isn't null here.
                unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or(Self(String::new()))
            }

            unsafe fn unbox_nullable_arg(arg: Arg<'_, 'fcx>) -> Nullable<Self> {
                // SAFETY: as above.
                unsafe { arg.unbox_arg_using_from_datum().into() }
            }
        }
    };
}

text_argument!(JsonbText, pg_sys::JSONBOID);
text_argument!(Name, pg_sys::NAMEOID);

// SAFETY: the SQL type of the result is jsonb, as SqlTranslatable says.
unsafe impl BoxRet for JsonbText {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        let mut text = self.0.into_bytes();
        text.push(0);
        let (mut function, mut parameter) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
        // SAFETY: the type exists, so it has an input function; that reads a C string, which the text is
        // now, and raises where it is no JSON.
        unsafe {
            pg_sys::getTypeInputInfo(pg_sys::JSONBOID, &mut function, &mut parameter);
            let datum =
                pg_sys::OidInputFunctionCall(function, text.as_mut_ptr().cast(), parameter, -1);
            fcinfo.return_raw_datum(datum)
        }
    }
}
