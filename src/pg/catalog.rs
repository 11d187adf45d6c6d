//! Look-ups of catalog objects by name, independent of any search_path.

use std::ffi::CString;

use pgrx::pg_sys;

use crate::error::{Error, Result};
use crate::pg::query;

/// The schema of the extension.
const SCHEMA: &std::ffi::CStr = c"module_versioning";

/// The type of that name in the extension's schema (a table's row type too).
///
/// # Errors
/// 42704 when it isn't there: the extension was dropped, or is older than its library.
pub fn extension_type(name: &str) -> Result<pg_sys::Oid> {
    let missing = || {
        Error::not_found(format!("type \"module_versioning.{name}\" does not exist"))
            .hint("Run ALTER EXTENSION module_versioning UPDATE.")
    };
    let text = CString::new(name).map_err(|_| missing())?;
    // SAFETY: catalog look-ups by name; both answer InvalidOid when there is nothing. The syscache is
    // the cache: a static would go stale when the extension is dropped and created again.
    let found = unsafe {
        let schema = pg_sys::get_namespace_oid(SCHEMA.as_ptr(), true);
        pg_sys::GetSysCacheOid(
            pg_sys::SysCacheIdentifier::TYPENAMENSP as i32,
            pg_sys::Anum_pg_type_oid as pg_sys::AttrNumber,
            pg_sys::Datum::from(text.as_ptr()),
            pg_sys::Datum::from(schema),
            pg_sys::Datum::null(),
            pg_sys::Datum::null(),
        )
    };
    if found == pg_sys::InvalidOid {
        Err(missing())
    } else {
        Ok(found)
    }
}

/// The role that owns the extension: its tables belong to it.
///
/// # Errors
/// 42704 when the extension isn't installed.
pub fn extension_owner() -> Result<pg_sys::Oid> {
    query::one(
        "SELECT extowner FROM pg_catalog.pg_extension WHERE extname = 'module_versioning'",
        &[],
        |row| row.get(1),
    )
}
