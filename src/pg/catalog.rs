//! Look-ups of catalog objects by name, independent of any search_path.

use std::ffi::{CStr, CString};

use pgrx::pg_sys;

use crate::error::{Error, Result};
use crate::pg::query;

/// The schema of the extension.
const SCHEMA: &CStr = c"module_versioning";

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

/// The schema of that name, if there is one.
pub fn schema(name: &str) -> Option<pg_sys::Oid> {
    let name = CString::new(name).ok()?;
    // SAFETY: a valid C string; with missing_ok the function answers InvalidOid and doesn't raise.
    let found = unsafe { pg_sys::get_namespace_oid(name.as_ptr(), true) };
    (found != pg_sys::InvalidOid).then_some(found)
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

/// Whether this session has made a temporary object.
pub fn has_temporary_schema() -> bool {
    let (mut schema, mut toast_schema) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
    // SAFETY: the out parameters are valid for the call.
    unsafe { pg_sys::GetTempNamespaceState(&mut schema, &mut toast_schema) };
    schema != pg_sys::InvalidOid
}

/// Schema and name of a table, while it is there; nothing for what is no table, or a temporary one.
pub fn table_name(relation: pg_sys::Oid) -> Option<(String, String)> {
    // SAFETY: look-ups in the server's own caches; each result is NULL or a string that lives as long as
    // the current memory context, and is copied.
    unsafe {
        let kind = u8::try_from(pg_sys::get_rel_relkind(relation)).unwrap_or_default();
        if ![pg_sys::RELKIND_RELATION, pg_sys::RELKIND_PARTITIONED_TABLE].contains(&kind) {
            return None;
        }
        let namespace = pg_sys::get_rel_namespace(relation);
        if pg_sys::isAnyTempNamespace(namespace) {
            return None;
        }
        let (schema, name) = (
            pg_sys::get_namespace_name(namespace),
            pg_sys::get_rel_name(relation),
        );
        if schema.is_null() || name.is_null() {
            return None;
        }
        let text = |name| CStr::from_ptr(name).to_string_lossy().into_owned();
        Some((text(schema), text(name)))
    }
}

/// Built-in functions that give another value at each call, or say or lock something, and destroy nothing.
const HARMLESS: &[&str] = &[
    "clock_timestamp",
    "currval",
    "gen_random_uuid",
    "lastval",
    "nextval",
    "pg_advisory_xact_lock",
    "pg_notify",
    "pg_sleep",
    "random",
    "set_config",
    "timeofday",
    "txid_current",
];

/// Whether every built-in function of that name only computes, from its arguments and what the database
/// holds; false when there is none.
pub fn is_steady(function: &str) -> bool {
    let Ok(name) = CString::new(function) else {
        return false;
    };
    // SAFETY: the look-up takes a C string for a name; the list and its tuples stay until it is released,
    // and a tuple of this cache is a row of pg_proc, whose fixed part begins at t_hoff.
    unsafe {
        let none = pg_sys::Datum::null();
        let list = pg_sys::SearchSysCacheList(
            pg_sys::SysCacheIdentifier::PROCNAMEARGSNSP as i32,
            1,
            pg_sys::Datum::from(name.as_ptr()),
            none,
            none,
        );
        let count = usize::try_from((*list).n_members).unwrap_or(0);
        let mut built_in = (*list)
            .members
            .as_slice(count)
            .iter()
            .map(|member| {
                let header = (**member).tuple.t_data;
                let row = header.cast::<u8>().add(usize::from((*header).t_hoff));
                &*row.cast::<pg_sys::FormData_pg_proc>()
            })
            .filter(|row| row.oid.to_u32() < pg_sys::FirstNormalObjectId)
            .map(|row| row.provolatile as u8 != pg_sys::PROVOLATILE_VOLATILE)
            .peekable();
        let found = built_in.peek().is_some() && built_in.all(|is_steady| is_steady);
        pg_sys::ReleaseCatCacheList(list);
        found
    }
}

/// Whether a script that calls a function of that name, written with that schema, is sure to destroy
/// nothing by it.
pub fn is_harmless(schema: Option<&str>, function: &str) -> bool {
    match schema {
        None | Some("pg_catalog") => is_steady(function) || HARMLESS.contains(&function),
        Some("module_versioning") => function.starts_with("current_"),
        Some(_) => false,
    }
}
