//! Rows that Rust has made, as a relation that queries can name: they lie in a tuplestore (in memory up
//! to `work_mem`, then in a temporary file), as the transition tables of triggers do. No catalog entry
//! is made, so it works in a read-only transaction and on a standby.

use std::ffi::{CStr, CString, c_int};

use pgrx::prelude::*;

use crate::error::{Error, Result};
use crate::pg::field::{TypeReference, Value};
use crate::pg::row_stream::Place;
use crate::pg::scope::with_settings;

/// A named relation of rows. It must not outlive the (sub)transaction in which it was made.
pub struct RowSet {
    relation: Box<pg_sys::EphemeralNamedRelationData>,
    store: *mut pg_sys::Tuplestorestate,
    columns: Vec<pg_sys::Oid>,
    count: u64,
    _name: CString,
}

impl RowSet {
    /// An empty one, with these columns.
    ///
    /// # Errors
    /// XX000 when a name has a NUL byte.
    pub fn new(name: &CStr, columns: &[(&str, TypeReference)]) -> Result<Self> {
        let name = name.to_owned();
        let count = c_int::try_from(columns.len())
            .map_err(|_| Error::internal("a row set has too many columns"))?;
        // SAFETY: the descriptor gets as many entries as it has room for; everything is allocated in
        // the current memory context, or copied from the strings passed.
        let (descriptor, store) = unsafe {
            let descriptor = pg_sys::CreateTemplateTupleDesc(count);
            for (number, (column, kind)) in (1..).zip(columns) {
                let column = CString::new(*column)
                    .map_err(|_| Error::internal("a column name has a NUL byte"))?;
                pg_sys::TupleDescInitEntry(
                    descriptor,
                    number,
                    column.as_ptr(),
                    kind.oid,
                    kind.modifier,
                    0,
                );
            }
            (
                descriptor,
                pg_sys::tuplestore_begin_heap(true, false, pg_sys::work_mem),
            )
        };
        let mut relation = Box::new(pg_sys::EphemeralNamedRelationData::default());
        relation.md.name = name.as_ptr().cast_mut();
        relation.md.reliddesc = pg_sys::InvalidOid;
        relation.md.tupdesc = descriptor;
        relation.md.enrtype = pg_sys::EphemeralNameRelationType::ENR_NAMED_TUPLESTORE;
        relation.reldata = store.cast();
        Ok(Self {
            relation,
            store,
            columns: columns.iter().map(|column| column.1.oid).collect(),
            count: 0,
            _name: name,
        })
    }

    /// How many rows it has.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds a row; the values are copied.
    ///
    /// # Errors
    /// XX000 when the values are not as many as the columns, or one is of another type than its column.
    pub fn put(&mut self, values: &[Value]) -> Result<()> {
        let fits = |(value, kind): (&Value, &pg_sys::Oid)| value.kind == *kind;
        if values.len() != self.columns.len() || !values.iter().zip(&self.columns).all(fits) {
            return Err(Error::internal(
                "a row has other values than its row set has columns",
            ));
        }
        let mut nulls: Vec<bool> = values.iter().map(|value| value.datum.is_none()).collect();
        let mut values: Vec<pg_sys::Datum> = values
            .iter()
            .map(|value| value.datum.unwrap_or(pg_sys::Datum::null()))
            .collect();
        // SAFETY: both arrays have one element per column of the descriptor, of its type.
        unsafe {
            pg_sys::tuplestore_putvalues(
                self.store,
                self.relation.md.tupdesc,
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            );
        }
        self.count += 1;
        Ok(())
    }
}

impl RowSet {
    /// Adds the place of a row to a set of two columns, `oid` and `tid`.
    ///
    /// # Errors
    /// As [`RowSet::put`].
    pub fn put_place(&mut self, place: Place) -> Result<()> {
        let mut row = place.row;
        let table = pg_sys::Datum::from(place.table);
        // The value is copied before this function returns.
        let values = [
            Value {
                kind: pg_sys::OIDOID,
                datum: Some(table),
            },
            Value {
                kind: pg_sys::TIDOID,
                datum: Some(pg_sys::Datum::from(&raw mut row)),
            },
        ];
        self.put(&values)
    }
}

impl Drop for RowSet {
    fn drop(&mut self) {
        // While an error passes through, memory and files are left to the transaction's clean-up.
        if !std::thread::panicking() {
            // SAFETY: made by `new` and ended once.
            unsafe { pg_sys::tuplestore_end(self.store) };
        }
    }
}

/// A connection to SPI whose queries can name row sets.
pub struct Session(());

/// When the triggers that check foreign keys run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// When the statement ends.
    WithStatement,
    /// When the surrounding [`checks_at_end`] ends.
    AtEnd,
}

/// The planner knows little about row sets, and nothing about tables that are just being filled: the one
/// join that can become quadratic is not for it to choose. What that does to its estimates must not make
/// it compile each statement.
const PLANNING: [(&str, &str); 2] = [("enable_nestloop", "off"), ("jit", "off")];

/// Runs `body` with a connection on which the row sets are known by their names.
///
/// # Errors
/// What `body` returns.
pub fn with_row_sets<R>(
    sets: &mut [&mut RowSet],
    body: impl FnOnce(&Session) -> Result<R>,
) -> Result<R> {
    with_settings(&PLANNING, || connected(sets, body))
}

fn connected<R>(sets: &mut [&mut RowSet], body: impl FnOnce(&Session) -> Result<R>) -> Result<R> {
    // SAFETY: paired with SPI_finish below; the relations outlive the connection.
    unsafe { pg_sys::SPI_connect() };
    for set in sets.iter_mut() {
        set.relation.md.enrtuples = set.count as f64;
        // SAFETY: as above.
        let status = unsafe { pg_sys::SPI_register_relation(&raw mut *set.relation) };
        if status < 0 {
            return Err(Error::internal(format!(
                "a row set was refused with SPI code {status}"
            )));
        }
    }
    let result = body(&Session(()));
    // SAFETY: as above.
    unsafe { pg_sys::SPI_finish() };
    result
}

impl Session {
    /// Runs a statement and returns how many rows it touched.
    ///
    /// # Errors
    /// XX000 when it is no statement that SPI can run. PostgreSQL's own errors are raised.
    pub fn run(&self, query: &str, checks: Checks) -> Result<u64> {
        let text =
            CString::new(query).map_err(|_| Error::internal("an internal query has a NUL byte"))?;
        // SAFETY: connected, for a Session exists only inside with_row_sets; the plan is used once
        // and freed.
        unsafe {
            let plan = pg_sys::SPI_prepare(text.as_ptr(), 0, std::ptr::null_mut());
            if plan.is_null() {
                return Err(failed(query, pg_sys::SPI_result));
            }
            let status = pg_sys::SPI_execute_snapshot(
                plan,
                std::ptr::null_mut(),
                std::ptr::null(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                false,
                checks == Checks::WithStatement,
                0,
            );
            let processed = pg_sys::SPI_processed;
            pg_sys::SPI_freeplan(plan);
            if status < 0 {
                Err(failed(query, status))
            } else {
                Ok(processed)
            }
        }
    }

    /// Runs a query and returns its first column, which must be text.
    ///
    /// # Errors
    /// As [`Session::run`], and XX000 when a value is NULL or the column is not text.
    pub fn texts(&self, query: &str) -> Result<Vec<String>> {
        self.run(query, Checks::WithStatement)?;
        // SAFETY: the result of the query that just ran, which lives until the connection's next one.
        unsafe {
            let table = pg_sys::SPI_tuptable;
            if table.is_null() {
                return Ok(Vec::new());
            }
            let descriptor = (*table).tupdesc;
            if pg_sys::SPI_gettypeid(descriptor, 1) != pg_sys::TEXTOID {
                return Err(failed(query, 0));
            }
            let count = usize::try_from((*table).numvals).unwrap_or(0);
            let mut texts = Vec::with_capacity(count);
            for index in 0..count {
                let mut is_null = true;
                let tuple = *(*table).vals.add(index);
                let datum = pg_sys::SPI_getbinval(tuple, descriptor, 1, &mut is_null);
                texts.push(String::from_datum(datum, is_null).ok_or_else(|| failed(query, 0))?);
            }
            pg_sys::SPI_freetuptable(table);
            Ok(texts)
        }
    }

    /// Runs a query that returns one number as text.
    ///
    /// # Errors
    /// As [`Session::texts`].
    pub fn count(&self, query: &str) -> Result<u64> {
        self.texts(query)?
            .first()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| failed(query, 0))
    }
}

fn failed(query: &str, status: c_int) -> Error {
    Error::internal(format!("an internal query failed with SPI code {status}"))
        .detail(format!("The query is: {query}"))
}

/// Runs `body`, whose statements with [`Checks::AtEnd`] count as one statement for foreign keys: they are
/// checked, and their actions happen, when all rows are in place. Must run in a subtransaction that is
/// rolled back when this returns an error.
///
/// # Errors
/// What `body` returns. What the checks find is raised.
pub fn checks_at_end<R>(body: impl FnOnce() -> Result<R>) -> Result<R> {
    // SAFETY: main thread inside a transaction. On the paths that return an error or raise, the level is
    // taken off by the subtransaction's rollback, as for a query that fails.
    unsafe { pg_sys::AfterTriggerBeginQuery() };
    let result = body()?;
    // SAFETY: ends the level begun above; without an executor state PostgreSQL makes one itself. The
    // triggers need a snapshot to be active.
    unsafe {
        pg_sys::CommandCounterIncrement();
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        pg_sys::AfterTriggerEndQuery(std::ptr::null_mut());
        pg_sys::PopActiveSnapshot();
    }
    Ok(result)
}
