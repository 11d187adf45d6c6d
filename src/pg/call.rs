//! C functions that are called once per row or once per comparison, where the ease of `#[pg_extern]`
//! would show: arguments are looked at where they lie, and a function can remember things between
//! calls. Their `CREATE FUNCTION` is written by hand in sql/install.

use std::any::{Any, TypeId};
use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::ops::Range;

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::memcxt::PgMemoryContexts;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;

use super::planner::Node;
use super::varlena::Bytes;
use crate::error::{Error, Result};

/// One call of a function that [`c_function!`] defines. What an argument is read as must be what
/// the function's `CREATE FUNCTION` declares; and what needs an argument that isn't NULL answers
/// `None` otherwise.
#[derive(Debug)]
pub struct Call<'a> {
    raw: pg_sys::FunctionCallInfo,
    alive: PhantomData<&'a ()>,
}

impl<'a> Call<'a> {
    /// Wraps what PostgreSQL passes to a C function.
    ///
    /// # Safety
    /// `raw` is the argument of the function that runs, declared with the types its body reads.
    #[inline]
    pub unsafe fn new(raw: pg_sys::FunctionCallInfo) -> Self {
        Self {
            raw,
            alive: PhantomData,
        }
    }

    /// The argument as PostgreSQL passes it.
    #[inline]
    pub fn datum(&self, position: usize) -> Option<pg_sys::Datum> {
        // SAFETY: PostgreSQL fills in as many arguments as it says.
        let arguments = unsafe {
            let count = usize::try_from((*self.raw).nargs).unwrap_or_default();
            (*self.raw).args.as_slice(count)
        };
        (arguments.get(position))
            .filter(|argument| !argument.isnull)
            .map(|argument| argument.value)
    }

    /// The bytes of an argument of variable length.
    #[inline]
    pub fn bytes(&self, position: usize) -> Option<Bytes<'a>> {
        // SAFETY: declared as a varlena, not NULL; it lives as long as the call.
        self.datum(position)
            .map(|datum| unsafe { Bytes::new(datum) })
    }

    /// The bytes of an argument of variable length, if they can be read where they lie.
    #[inline]
    pub fn plain_bytes(&self, position: usize) -> Option<&'a [u8]> {
        // SAFETY: as above.
        self.datum(position)
            .and_then(|datum| unsafe { Bytes::plain(datum) })
    }

    /// Whether these arguments are constants of the query, the same in every call that can see what
    /// this one remembers. An argument that is left out counts as one.
    pub fn are_constant(&self, positions: Range<usize>) -> bool {
        // SAFETY: PostgreSQL gives the expression that it calls for, or nothing.
        let expression = unsafe {
            let function = (*self.raw).flinfo.as_ref();
            function.and_then(|function| Node::from_pointer(function.fn_expr))
        };
        let arguments = expression.map_or_else(Vec::new, Node::members);
        let asked = arguments.get(positions.start..positions.end.min(arguments.len()));
        asked.is_some_and(|asked| {
            !asked.is_empty() && asked.iter().all(|argument| argument.is_constant())
        })
    }

    /// A `boolean`.
    #[inline]
    pub fn boolean(&self, position: usize) -> Option<bool> {
        self.datum(position).map(|datum| datum.value() != 0)
    }

    /// A `bigint`.
    #[inline]
    pub fn bigint(&self, position: usize) -> Option<i64> {
        self.datum(position).map(|datum| datum.value() as i64)
    }

    /// An `integer`.
    pub fn integer(&self, position: usize) -> Option<i32> {
        self.datum(position).map(|datum| datum.value() as i32)
    }

    /// A `cstring`.
    pub fn c_string(&self, position: usize) -> Option<&'a CStr> {
        // SAFETY: a non-null cstring ends with a NUL byte and lives as long as the call.
        self.datum(position)
            .map(|datum| unsafe { CStr::from_ptr(datum.cast_mut_ptr()) })
    }

    /// An `internal` that is a node of the planner.
    pub fn node(&self, position: usize) -> Option<Node> {
        self.datum(position)
            .and_then(|datum| Node::from_pointer(datum.cast_mut_ptr()))
    }

    /// An `internal` of any other kind.
    pub fn pointer<T>(&self, position: usize) -> Option<*mut T> {
        self.datum(position)
            .map(|datum| datum.cast_mut_ptr::<T>())
            .filter(|pointer| !pointer.is_null())
    }

    /// What the caller says about the call: soft errors are saved there.
    pub fn context(&self) -> *mut pg_sys::Node {
        // SAFETY: the call is alive.
        unsafe { (*self.raw).context }
    }

    /// What an earlier call remembered, with the same place in the same query.
    #[inline]
    pub fn remembered<T: Any>(&self) -> Option<&T> {
        // SAFETY: only `remember` writes to it, which needs the call for itself.
        self.place().map(|place| unsafe { &*place })
    }

    /// Where a value of this type is remembered.
    #[inline]
    fn place<T: Any>(&self) -> Option<*mut T> {
        // SAFETY: only `remember` sets fn_extra of these functions; the mark tells whether it was
        // with this type.
        unsafe {
            let function = (*self.raw).flinfo.as_ref()?;
            let mark = function.fn_extra.cast::<TypeId>();
            if mark.is_null() || *mark != TypeId::of::<T>() {
                return None;
            }
            Some(&raw mut (*mark.cast::<Remembered<T>>()).value)
        }
    }

    /// Remembers the value for later calls with the same place in the same query.
    pub fn remember<T: Any>(&mut self, value: T) {
        // SAFETY: no reference to the old value is left, for `self` is borrowed as a whole. fn_extra
        // is the function's own; the value is dropped with its memory context.
        unsafe {
            if let Some(place) = self.place::<T>() {
                *place = value;
            } else if let Some(function) = (*self.raw).flinfo.as_mut() {
                let mark = TypeId::of::<T>();
                function.fn_extra = PgMemoryContexts::For(function.fn_mcxt)
                    .leak_and_drop_on_delete(Remembered { mark, value })
                    .cast();
            }
        }
    }

    /// Ends the call with NULL.
    pub fn null(&self) -> pg_sys::Datum {
        // SAFETY: the call is alive.
        unsafe { (*self.raw).isnull = true };
        pg_sys::Datum::null()
    }
}

/// What a C function can answer with.
pub trait Answer {
    /// Ends the call with it.
    fn answer(self, call: &Call<'_>) -> pg_sys::Datum;
}

/// Implements [`Answer`] for types that pgrx knows how to return.
macro_rules! answers {
    ($($kind:ty),*) => {$(
        impl $crate::pg::call::Answer for $kind {
            #[inline]
            fn answer(self, call: &$crate::pg::call::Call<'_>) -> pgrx::pg_sys::Datum {
                call.answer(self)
            }
        }
    )*};
}
pub(crate) use answers;

answers!(bool, i32, i64, f64, (), Vec<u8>, CString, Raw);

impl Call<'_> {
    /// Ends the call with a result of the type that the function declares.
    #[inline]
    pub fn answer<R: BoxRet>(&self, result: R) -> pg_sys::Datum {
        // SAFETY: the call is alive.
        unsafe {
            let mut call = FcInfo::from_ptr(self.raw);
            result.box_into(&mut call).sans_lifetime()
        }
    }
}

impl<T: Answer> Answer for Option<T> {
    #[inline]
    fn answer(self, call: &Call<'_>) -> pg_sys::Datum {
        match self {
            Some(value) => value.answer(call),
            None => call.null(),
        }
    }
}

impl<T: Answer> Answer for Result<T> {
    #[inline]
    fn answer(self, call: &Call<'_>) -> pg_sys::Datum {
        match self {
            Ok(value) => value.answer(call),
            Err(error) => raise(error),
        }
    }
}

#[cold]
fn raise(error: Error) -> ! {
    ErrorReport::from(error).report(pgrx::PgLogLevel::ERROR);
    unreachable!("a report at level ERROR does not return")
}

/// A value in `fn_extra`, behind the mark of its type.
#[repr(C)]
struct Remembered<T> {
    mark: TypeId,
    value: T,
}

/// A result that is passed on as it is: one of the arguments, or a value made by PostgreSQL.
#[derive(Debug, Clone, Copy)]
pub struct Raw(pub pg_sys::Datum);

// SAFETY: whoever makes it vouches that the datum is of the function's type.
unsafe impl BoxRet for Raw {
    #[inline]
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        // SAFETY: as above.
        unsafe { fcinfo.return_raw_datum(self.0) }
    }
}

/// Defines the C function `symbol` that answers with what `body` makes of its [`Call`].
macro_rules! c_function {
    ($($symbol:ident => $body:expr;)*) => {$(
        const _: () = {
            #[unsafe(export_name = concat!("pg_finfo_", stringify!($symbol)))]
            extern "C" fn finfo() -> &'static pgrx::pg_sys::Pg_finfo_record {
                const RECORD: pgrx::pg_sys::Pg_finfo_record =
                    pgrx::pg_sys::Pg_finfo_record { api_version: 1 };
                &RECORD
            }

            #[unsafe(export_name = stringify!($symbol))]
            unsafe extern "C-unwind" fn function(
                raw: pgrx::pg_sys::FunctionCallInfo,
            ) -> pgrx::pg_sys::Datum {
                // SAFETY: PostgreSQL calls with the arguments that CREATE FUNCTION declares; a
                // panic becomes an error at this border.
                unsafe {
                    pgrx::pg_sys::submodules::panic::pgrx_extern_c_guard(move || {
                        let mut call = $crate::pg::call::Call::new(raw);
                        let result = ($body)(&mut call);
                        $crate::pg::call::Answer::answer(result, &call)
                    })
                }
            }
        };
    )*};
}
pub(crate) use c_function;
