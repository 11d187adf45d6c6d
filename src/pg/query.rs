//! Running SQL from Rust. Parameters for every value; rows come back as owned Rust values.
//!
//! pgrx's own SPI client is not used for this because it either assigns a transaction id to a mere
//! read (which fails on a standby) or reads with a snapshot that misses this function's own writes
//! inside a subtransaction. Here a query always sees what ran before it and assigns nothing by itself.

use std::ffi::{CString, c_char, c_int};

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::{FromDatum, IntoDatum};

use crate::error::{Error, Result};
use crate::pg::catalog;
use crate::pg::prepared::{Prepared, prepared};
use crate::pg::record::{Record, RowType};
use crate::pg::scope::with_settings;

/// One row of a result, valid only inside the mapping closure.
pub struct Row<'a> {
    tuple: pg_sys::HeapTuple,
    descriptor: pg_sys::TupleDesc,
    query: &'a str,
}

impl Row<'_> {
    /// The value of a column (numbered from 1), `None` when it is NULL.
    ///
    /// # Errors
    /// XX000 when the column is not there or its type is not `T`'s.
    pub fn optional<T: FromDatum + IntoDatum>(&self, column: usize) -> Result<Option<T>> {
        let number = c_int::try_from(column)
            .map_err(|_| self.broken(column, "has no such number".to_owned()))?;
        // SAFETY: tuple and descriptor belong to the SPI result that is alive while the row is;
        // SPI_gettypeid answers InvalidOid for a column that isn't there.
        let kind = unsafe { pg_sys::SPI_gettypeid(self.descriptor, number) };
        if kind == pg_sys::InvalidOid || !T::is_compatible_with(kind) {
            return Err(self.broken(column, format!("has type {}", kind.to_u32())));
        }
        let mut is_null = true;
        // SAFETY: as above, and the type of the datum was just checked against T.
        unsafe {
            let datum = pg_sys::SPI_getbinval(self.tuple, self.descriptor, number, &mut is_null);
            Ok(T::from_datum(datum, is_null))
        }
    }

    /// The value of a column that is never NULL.
    ///
    /// # Errors
    /// XX000 when it is NULL after all, or as [`Row::optional`].
    pub fn get<T: FromDatum + IntoDatum>(&self, column: usize) -> Result<T> {
        self.optional(column)?
            .ok_or_else(|| self.broken(column, "is null".to_owned()))
    }

    fn broken(&self, column: usize, what: String) -> Error {
        Error::internal(format!("column {column} of an internal query {what}"))
            .detail(format!("The query is: {}", self.query))
    }
}

/// Closes the SPI connection on the way out; an error closes it by the transaction's own clean-up.
fn connected<R>(body: impl FnOnce() -> Result<R>) -> Result<R> {
    // SAFETY: paired with SPI_finish on every path that returns.
    unsafe { pg_sys::SPI_connect() };
    let result = body();
    // SAFETY: as above.
    unsafe { pg_sys::SPI_finish() };
    result
}

/// A query and its arguments, as SPI takes them.
struct Call {
    text: CString,
    count: c_int,
    types: Vec<pg_sys::Oid>,
    values: Vec<pg_sys::Datum>,
    nulls: Vec<c_char>,
}

impl Call {
    fn new(query: &str, arguments: &[DatumWithOid<'_>]) -> Result<Self> {
        let text =
            CString::new(query).map_err(|_| Error::internal("an internal query has a NUL byte"))?;
        let value = |argument: &DatumWithOid<'_>| {
            argument
                .datum()
                .map_or(pg_sys::Datum::null(), |datum| datum.sans_lifetime())
        };
        let null = |argument: &DatumWithOid<'_>| {
            let mark = if argument.datum().is_some() {
                b' '
            } else {
                b'n'
            };
            mark as c_char
        };
        Ok(Self {
            text,
            count: c_int::try_from(arguments.len())
                .map_err(|_| Error::internal("an internal query has too many arguments"))?,
            types: arguments.iter().map(DatumWithOid::oid).collect(),
            values: arguments.iter().map(value).collect(),
            nulls: arguments.iter().map(null).collect(),
        })
    }
}

fn execute(query: &str, arguments: &[DatumWithOid<'_>]) -> Result<()> {
    let mut call = Call::new(query, arguments)?;
    let prepared = prepared(&call.text, &call.types);
    // SAFETY: connected to SPI; the three arrays have `count` elements and outlive the call, as does the plan.
    let status = unsafe {
        match &prepared {
            Some(prepared) => pg_sys::SPI_execute_plan(
                prepared.plan(),
                call.values.as_mut_ptr(),
                call.nulls.as_ptr(),
                false,
                0,
            ),
            None => pg_sys::SPI_execute_with_args(
                call.text.as_ptr(),
                call.count,
                call.types.as_mut_ptr(),
                call.values.as_mut_ptr(),
                call.nulls.as_ptr(),
                false,
                0,
            ),
        }
    };
    if status < 0 {
        return Err(
            Error::internal(format!("an internal query failed with SPI code {status}"))
                .detail(format!("The query is: {query}")),
        );
    }
    Ok(())
}

/// Maps the rows that the last call left behind.
fn fetched<T>(query: &str, map: &mut impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    // SAFETY: SPI_tuptable is NULL or the result of the query that just ran; it lives until
    // SPI_finish, and `map` can only copy out of it.
    unsafe {
        let table = pg_sys::SPI_tuptable;
        if table.is_null() {
            return Ok(Vec::new());
        }
        let count = usize::try_from((*table).numvals).unwrap_or(0);
        let mut mapped = Vec::with_capacity(count);
        for index in 0..count {
            let row = Row {
                tuple: *(*table).vals.add(index),
                descriptor: (*table).tupdesc,
                query,
            };
            mapped.push(map(&row)?);
        }
        Ok(mapped)
    }
}

/// Runs a query and maps each of its rows.
///
/// # Errors
/// What `map` returns. PostgreSQL's own errors are raised, not returned.
pub fn rows<T>(
    query: &str,
    arguments: &[DatumWithOid<'_>],
    mut map: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    connected(|| {
        execute(query, arguments)?;
        fetched(query, &mut map)
    })
}

/// One plan for whatever arguments: planning costs more than it could save, and compiling does too.
const PLANNING: &[(&str, &str)] = &[("plan_cache_mode", "force_generic_plan"), ("jit", "off")];

/// A portal over a query's rows, of which none has been made yet.
fn open(call: &mut Call, kept: Option<&Prepared>) -> pg_sys::Portal {
    // SAFETY: connected to SPI; the arrays of the call have `count` elements and outlive it, as does
    // the plan.
    unsafe {
        match kept {
            Some(kept) => pg_sys::SPI_cursor_open(
                std::ptr::null(),
                kept.plan(),
                call.values.as_mut_ptr(),
                call.nulls.as_ptr(),
                false,
            ),
            None => pg_sys::SPI_cursor_open_with_args(
                std::ptr::null(),
                call.text.as_ptr(),
                call.count,
                call.types.as_mut_ptr(),
                call.values.as_mut_ptr(),
                call.nulls.as_ptr(),
                false,
                0,
            ),
        }
    }
}

/// As [`rows`], with settings that hold while the query runs but not while it is parsed: they say how
/// definitions are printed, and never what a name or operator of the query itself means.
///
/// # Errors
/// As [`rows`].
pub fn rows_printed<T>(
    settings: &[(&str, &str)],
    query: &str,
    arguments: &[DatumWithOid<'_>],
    mut map: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut call = Call::new(query, arguments)?;
    connected(|| {
        let kept = prepared(&call.text, &call.types);
        let portal = with_settings(PLANNING, || Ok(open(&mut call, kept.as_ref())))?;
        let result = with_settings(settings, || {
            // SAFETY: the portal opened above, closed below on every path that returns and by the
            // transaction on one that raises; a count of LONG_MAX is all rows.
            unsafe { pg_sys::SPI_cursor_fetch(portal, true, core::ffi::c_long::MAX) };
            fetched(query, &mut map)
        });
        // SAFETY: as above; the rows have been mapped to owned values.
        unsafe { pg_sys::SPI_cursor_close(portal) };
        result
    })
}

/// Runs a query and maps its first row, if there is one.
///
/// # Errors
/// As [`rows`].
pub fn first<T>(
    query: &str,
    arguments: &[DatumWithOid<'_>],
    map: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    Ok(rows(query, arguments, map)?.into_iter().next())
}

/// Runs a query that returns exactly one row and maps it.
///
/// # Errors
/// XX000 when there is no row, and as [`rows`].
pub fn one<T>(
    query: &str,
    arguments: &[DatumWithOid<'_>],
    map: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<T> {
    first(query, arguments, map)?.ok_or_else(|| {
        Error::internal("an internal query found no row").detail(format!("The query is: {query}"))
    })
}

/// Runs a statement for its effect and returns how many rows it touched.
///
/// # Errors
/// As [`rows`].
pub fn run(query: &str, arguments: &[DatumWithOid<'_>]) -> Result<u64> {
    connected(|| {
        execute(query, arguments)?;
        // SAFETY: reads a global that the call above set.
        Ok(unsafe { pg_sys::SPI_processed })
    })
}

/// Runs a query whose first column is a row of the composite type `T`, and returns that row.
///
/// # Errors
/// XX000 when the column is of another type.
pub fn record<T: RowType>(
    query: &str,
    arguments: &[DatumWithOid<'_>],
) -> Result<Option<Record<T>>> {
    connected(|| {
        execute(query, arguments)?;
        // SAFETY: as in `rows`; SPI_datumTransfer copies the value into the caller's memory context,
        // where it outlives SPI_finish.
        unsafe {
            let table = pg_sys::SPI_tuptable;
            if table.is_null() || (*table).numvals == 0 {
                return Ok(None);
            }
            let (tuple, descriptor) = (*(*table).vals, (*table).tupdesc);
            if pg_sys::SPI_gettypeid(descriptor, 1) != catalog::extension_type(T::NAME)? {
                return Err(
                    Error::internal(format!("an internal query returned no {}", T::NAME))
                        .detail(format!("The query is: {query}")),
                );
            }
            let mut is_null = true;
            let datum = pg_sys::SPI_getbinval(tuple, descriptor, 1, &mut is_null);
            Ok((!is_null).then(|| Record::new(pg_sys::SPI_datumTransfer(datum, false, -1))))
        }
    })
}

/// Has a query parsed and its names resolved, without planning or running it.
///
/// # Errors
/// PostgreSQL's own errors are raised, not returned.
pub fn analyze(query: &str) -> Result<()> {
    let text =
        CString::new(query).map_err(|_| Error::internal("an internal query has a NUL byte"))?;
    connected(|| {
        // SAFETY: connected to SPI; a valid C string without parameters. The plan is NULL or freed once.
        unsafe {
            let plan = pg_sys::SPI_prepare(text.as_ptr(), 0, std::ptr::null_mut());
            if !plan.is_null() {
                pg_sys::SPI_freeplan(plan);
            }
        }
        Ok(())
    })
}
