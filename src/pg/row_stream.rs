//! The rows of a query, one by one as the executor makes them: nothing is collected, whatever the
//! table's size.

use std::ffi::{CString, c_int};

use pgrx::datum::IntoDatum;
use pgrx::prelude::*;
use versioning_core::snapshot::row::RowWriter;

use crate::error::{Error, Result};
use crate::pg::field_encoder::FieldEncoder;
use crate::pg::memory::Scratch;

/// Where a row lies: its table (a partition, perhaps) and its place in it.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The table.
    pub table: pg_sys::Oid,
    /// `ctid`.
    pub row: pg_sys::ItemPointerData,
}

impl Place {
    /// Block, line and table as one number, which no two places are likely to share.
    pub fn number(&self) -> u64 {
        let block = &self.row.ip_blkid;
        let line = u64::from(block.bi_hi) << 32
            | u64::from(block.bi_lo) << 16
            | u64::from(self.row.ip_posid);
        line ^ u64::from(self.table.to_u32()).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// A query whose rows are to be streamed.
pub struct Source<'a> {
    /// The query. Its first two columns are `tableoid` and `ctid`, the rest are the row's fields.
    pub query: &'a str,
    /// `$1`, a text.
    pub parameter: Option<&'a str>,
    /// For each field, whether it is written as text.
    pub text: &'a [bool],
}

/// One row, valid only inside the closure it is handed to.
pub struct StreamedRow<'a> {
    slot: *mut pg_sys::TupleTableSlot,
    encoders: &'a mut [FieldEncoder],
}

const PLACE_COLUMNS: usize = 2;

impl StreamedRow<'_> {
    fn datum(&self, index: usize) -> Option<pg_sys::Datum> {
        // SAFETY: `receive` has deformed all columns of the slot, and start-up has checked their number.
        unsafe {
            let is_null = *(*self.slot).tts_isnull.add(index);
            (!is_null).then(|| *(*self.slot).tts_values.add(index))
        }
    }

    /// Where the row lies.
    ///
    /// # Errors
    /// XX000 when the query isn't one over a table.
    pub fn place(&self) -> Result<Place> {
        match (self.datum(0), self.datum(1)) {
            (Some(table), Some(row)) => Ok(Place {
                table: pg_sys::Oid::from(table.value() as u32),
                // SAFETY: start-up has checked that the second column is a tid, passed by reference.
                row: unsafe { *row.cast_mut_ptr::<pg_sys::ItemPointerData>() },
            }),
            _ => Err(Error::internal("a row of an internal query has no place")),
        }
    }

    /// Appends the row to the buffer in the snapshot format.
    ///
    /// # Errors
    /// 0A000 for a value that is too long for the format.
    pub fn append_to(&mut self, buffer: &mut Vec<u8>) -> Result<()> {
        let fields = u16::try_from(self.encoders.len())
            .map_err(|_| Error::internal("a table has more columns than a table can have"))?;
        let mut writer = RowWriter::begin(buffer, fields);
        for index in 0..self.encoders.len() {
            let Some(value) = self.datum(index + PLACE_COLUMNS) else {
                writer.null();
                continue;
            };
            let Some(encoder) = self.encoders.get_mut(index) else {
                continue;
            };
            // SAFETY: start-up made the encoder for the type of this very column.
            unsafe { encoder.append(value, &mut writer) }
                .map_err(|error| Error::not_supported(error.to_string()))?;
        }
        Ok(())
    }
}

type EachRow<'a> = &'a mut dyn FnMut(&mut StreamedRow<'_>) -> Result<()>;

/// PostgreSQL's end of the stream. `head` must come first: the executor knows only that.
#[repr(C)]
struct Receiver<'a> {
    head: pg_sys::DestReceiver,
    text: &'a [bool],
    encoders: Vec<FieldEncoder>,
    scratch: Scratch,
    each: EachRow<'a>,
    error: Option<Error>,
}

#[pg_guard]
unsafe extern "C-unwind" fn start_up(
    receiver: *mut pg_sys::DestReceiver,
    _operation: c_int,
    descriptor: pg_sys::TupleDesc,
) {
    // SAFETY: the executor hands back the pointer that `stream` gave it; the Receiver lives there.
    let (receiver, columns) = unsafe {
        let columns: Vec<pg_sys::Oid> = (1..=(*descriptor).natts)
            .map(|number| pg_sys::SPI_gettypeid(descriptor, number))
            .collect();
        (&mut *receiver.cast::<Receiver<'_>>(), columns)
    };
    match columns.split_at_checked(PLACE_COLUMNS) {
        Some(([pg_sys::OIDOID, pg_sys::TIDOID], fields)) if fields.len() == receiver.text.len() => {
            receiver.encoders = fields
                .iter()
                .zip(receiver.text)
                .map(|(kind, text)| FieldEncoder::new(*kind, *text))
                .collect();
        }
        _ => {
            receiver.error = Some(Error::internal(
                "an internal query has other columns than planned",
            ))
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn receive(
    slot: *mut pg_sys::TupleTableSlot,
    receiver: *mut pg_sys::DestReceiver,
) -> bool {
    pgrx::check_for_interrupts!();
    // SAFETY: as in `start_up`; nobody else holds a reference to the Receiver while the executor runs.
    let receiver = unsafe {
        pg_sys::slot_getallattrs(slot);
        &mut *receiver.cast::<Receiver<'_>>()
    };
    if receiver.error.is_some() {
        return false;
    }
    let Receiver {
        encoders,
        scratch,
        each,
        ..
    } = receiver;
    match scratch.with(|| each(&mut StreamedRow { slot, encoders })) {
        Ok(()) => true,
        Err(error) => {
            receiver.error = Some(error);
            false
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn do_nothing(_receiver: *mut pg_sys::DestReceiver) {}

/// Hands each row of the query to `each`, reading with the active snapshot ([`consistent_view`]).
///
/// # Errors
/// What `each` returns, at once. PostgreSQL's own errors are raised.
pub fn stream(source: &Source<'_>, each: EachRow<'_>) -> Result<()> {
    let query = CString::new(source.query)
        .map_err(|_| Error::internal("an internal query has a NUL byte"))?;
    // SAFETY: paired with SPI_finish below; an error closes the connection by the transaction's clean-up.
    unsafe { pg_sys::SPI_connect() };
    let mut receiver = Receiver {
        head: pg_sys::DestReceiver {
            receiveSlot: Some(receive),
            rStartup: Some(start_up),
            rShutdown: Some(do_nothing),
            rDestroy: Some(do_nothing),
            mydest: pg_sys::CommandDest::DestNone,
        },
        text: source.text,
        encoders: Vec::new(),
        scratch: Scratch::new(),
        each,
        error: None,
    };
    let mut options = pg_sys::SPIExecuteOptions {
        read_only: true,
        ..Default::default()
    };
    // SAFETY: the parameter list has room for the one parameter that is written; the receiver and the
    // options live on this frame until the call has returned.
    let status = unsafe {
        if let Some(parameter) = source.parameter {
            let list = pg_sys::makeParamList(1);
            let slot = (*list).params.as_mut_ptr();
            (*slot).value = parameter
                .to_owned()
                .into_datum()
                .unwrap_or(pg_sys::Datum::null());
            (*slot).isnull = false;
            (*slot).pflags = pg_sys::PARAM_FLAG_CONST as u16;
            (*slot).ptype = pg_sys::TEXTOID;
            options.params = list;
        }
        options.dest = (&raw mut receiver).cast();
        pg_sys::SPI_execute_extended(query.as_ptr(), &options)
    };
    let error = receiver.error.take();
    drop(receiver);
    // SAFETY: as above.
    unsafe { pg_sys::SPI_finish() };
    match error {
        Some(error) => Err(error),
        None if status < 0 => Err(Error::internal(format!(
            "an internal query failed with SPI code {status}"
        ))
        .detail(format!("The query is: {}", source.query))),
        None => Ok(()),
    }
}

/// Runs `body` with one view of the database: what is committed now (under REPEATABLE READ and above,
/// what was when the transaction began) and what this transaction has done. Take locks before.
///
/// # Errors
/// What `body` returns.
pub fn consistent_view<R>(body: impl FnOnce() -> Result<R>) -> Result<R> {
    // SAFETY: main thread inside a transaction; popped below, and by the (sub)transaction's abort when
    // `body` raises.
    unsafe {
        pg_sys::CommandCounterIncrement();
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
    }
    let result = body();
    // SAFETY: as above.
    unsafe { pg_sys::PopActiveSnapshot() };
    result
}
