//! Rows in COPY BINARY format into a table, by the server's own COPY FROM: as fast as that is, with all
//! it does for a table (defaults, constraints, partitions, indexes).

use std::cell::Cell;
use std::ffi::{CStr, CString, c_int, c_void};

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::error::{Error, Result};

/// Appends the next bytes to the buffer; false when there are no more.
pub type Source<'a> = &'a mut dyn FnMut(&mut Vec<u8>) -> Result<bool>;

struct Feed<'a> {
    source: Source<'a>,
    buffer: Vec<u8>,
    position: usize,
    has_more: bool,
}

thread_local! {
    // COPY gives its callback no place for data of ours. A backend has one thread; a COPY inside another
    // puts the outer one's feed back when it is done.
    static FEED: Cell<*mut c_void> = const { Cell::new(std::ptr::null_mut()) };
}

struct Restore(*mut c_void);

impl Drop for Restore {
    fn drop(&mut self) {
        FEED.set(self.0);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn read(out: *mut c_void, _least: c_int, most: c_int) -> c_int {
    // SAFETY: `copy_in` has put a Feed there that lives until COPY is done, and nobody else uses it
    // meanwhile.
    let feed = unsafe { &mut *FEED.get().cast::<Feed<'_>>() };
    while feed.position == feed.buffer.len() && feed.has_more {
        feed.buffer.clear();
        feed.position = 0;
        match (feed.source)(&mut feed.buffer) {
            Ok(has_more) => feed.has_more = has_more,
            // COPY knows no other way to be stopped.
            Err(error) => ErrorReport::from(error).report(PgLogLevel::ERROR),
        }
    }
    let rest = feed.buffer.get(feed.position..).unwrap_or_default();
    let count = rest.len().min(usize::try_from(most).unwrap_or(0));
    // SAFETY: COPY's buffer has room for `most` bytes.
    unsafe { std::ptr::copy_nonoverlapping(rest.as_ptr(), out.cast::<u8>(), count) };
    feed.position += count;
    c_int::try_from(count).unwrap_or(0)
}

/// Copies rows into these columns of a table, which is locked already, as the current role and with the
/// settings of now; returns how many. Foreign keys are checked when all are in.
///
/// # Errors
/// XX000 when a name has a NUL byte. What `source` returns, and what COPY finds, is raised.
pub fn copy_in(table: pg_sys::Oid, columns: &[&str], source: Source<'_>) -> Result<u64> {
    let names = columns
        .iter()
        .map(|name| CString::new(*name))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Error::internal("a column name has a NUL byte"))?;
    let mut feed = Feed {
        source,
        buffer: Vec::new(),
        position: 0,
        has_more: true,
    };
    let restore = Restore(FEED.replace((&raw mut feed).cast()));
    // SAFETY: main thread inside a transaction that holds a lock on the table. Names and options are
    // copied into the current memory context; `feed` outlives the call. What raises is cleaned up by the
    // (sub)transaction's abort.
    let count = unsafe {
        let relation = pg_sys::table_open(table, pg_sys::RowExclusiveLock as pg_sys::LOCKMODE);
        let state = pg_sys::make_parsestate(std::ptr::null_mut());
        pg_sys::addRangeTableEntryForRelation(
            state,
            relation,
            pg_sys::RowExclusiveLock as c_int,
            std::ptr::null_mut(),
            false,
            false,
        );
        let mut list = std::ptr::null_mut();
        for name in &names {
            list = pg_sys::lappend(list, string_node(name));
        }
        let format = pg_sys::makeDefElem(
            pg_sys::pstrdup(c"format".as_ptr()),
            string_node(c"binary").cast(),
            -1,
        );
        let options = pg_sys::lappend(std::ptr::null_mut(), format.cast());
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        let copy = pg_sys::BeginCopyFrom(
            state,
            relation,
            std::ptr::null_mut(),
            std::ptr::null(),
            false,
            Some(read),
            list,
            options,
        );
        let count = pg_sys::CopyFrom(copy);
        pg_sys::EndCopyFrom(copy);
        pg_sys::PopActiveSnapshot();
        pg_sys::free_parsestate(state);
        pg_sys::table_close(relation, pg_sys::NoLock as pg_sys::LOCKMODE);
        pg_sys::CommandCounterIncrement();
        count
    };
    drop(restore);
    Ok(count)
}

/// # Safety
/// Allocates in the current memory context, as all nodes are.
unsafe fn string_node(text: &CStr) -> *mut c_void {
    // SAFETY: a valid C string, copied.
    unsafe { pg_sys::makeString(pg_sys::pstrdup(text.as_ptr())).cast() }
}
