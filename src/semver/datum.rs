//! The layout on disk of `semver` and `semver_range`, and how their values cross between SQL and Rust.
//!
//! The bytes after the varlena header are those of `npm_semver::stored`: a format byte, a key whose
//! byte order is precedence, and build metadata behind it. Comparing and hashing never parse.

use npm_semver::stored;
use npm_semver::{Range, Version};
use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, FromDatum, IntoDatum, UnboxDatum};
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::pgrx_sql_entity_graph::impl_sql_translatable;

use crate::error::Error;
use crate::pg::call::answers;
use crate::pg::catalog;
use crate::pg::sort_support::SortKey;
use crate::pg::varlena::Bytes;

/// A value of SQL type `semver`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Semver(pub Version);

/// A value of SQL type `semver_range`.
#[derive(Debug, Clone, PartialEq)]
pub struct SemverRange(pub Range);

/// How stored versions are sorted: by their key, in which build metadata has no part.
pub struct ByPrecedence;

impl SortKey for ByPrecedence {
    #[inline]
    fn key(bytes: &[u8]) -> &[u8] {
        stored::version_key(bytes)
    }
}

impl_sql_translatable!(Semver, "module_versioning.semver");
impl_sql_translatable!(SemverRange, "module_versioning.semver_range");

answers!(Semver, SemverRange);

/// The error for stored bytes that no release of this extension has written.
pub fn damaged(kind: &str, problem: impl std::fmt::Display) -> Error {
    Error::damaged_snapshot(format!("stored {kind} is damaged: {problem}"))
        .hint("Restore the row from a backup; the bytes on disk are not what was written.")
}

fn raise(error: Error) -> ! {
    ErrorReport::from(error).report(pgrx::PgLogLevel::ERROR);
    unreachable!("a report at level ERROR does not return")
}

macro_rules! varlena_type {
    ($rust:ident, $name:literal, $inner:ty, $decode:path, $encode:path) => {
        impl FromDatum for $rust {
            unsafe fn from_polymorphic_datum(
                datum: pg_sys::Datum,
                is_null: bool,
                _type: pg_sys::Oid,
            ) -> Option<Self> {
                if is_null || datum.is_null() {
                    return None;
                }
                // SAFETY: a non-null datum of this varlena type.
                match $decode(&unsafe { Bytes::new(datum) }) {
                    Ok(value) => Some(Self(value)),
                    Err(problem) => raise(damaged($name, problem)),
                }
            }
        }

        impl IntoDatum for $rust {
            fn into_datum(self) -> Option<pg_sys::Datum> {
                $encode(&self.0).as_slice().into_datum()
            }

            fn type_oid() -> pg_sys::Oid {
                catalog::extension_type($name).unwrap_or(pg_sys::InvalidOid)
            }
        }

        // SAFETY: the argument's SQL type is this type, as SqlTranslatable says.
        unsafe impl<'fcx> ArgAbi<'fcx> for $rust {
            unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
                // SAFETY: as above.
                match unsafe { arg.unbox_arg_using_from_datum() } {
                    Some(value) => value,
                    None => raise(damaged($name, "it is null")),
                }
            }
        }

        // SAFETY: the datum has this type, by the caller's word.
        unsafe impl UnboxDatum for $rust {
            type As<'src> = Self;

            unsafe fn unbox<'src>(datum: Datum<'src>) -> Self
            where
                Self: 'src,
            {
                // SAFETY: as above.
                match unsafe { Self::from_datum(datum.sans_lifetime(), false) } {
                    Some(value) => value,
                    None => raise(damaged($name, "it is null")),
                }
            }
        }

        // SAFETY: returns a palloc'd varlena of this type.
        unsafe impl BoxRet for $rust {
            unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
                match self.into_datum() {
                    // SAFETY: as above.
                    Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
                    None => fcinfo.return_null(),
                }
            }
        }
    };
}

varlena_type!(
    Semver,
    "semver",
    Version,
    stored::decode_version,
    stored::encode_version
);
varlena_type!(
    SemverRange,
    "semver_range",
    Range,
    stored::decode_range,
    stored::encode_range
);
