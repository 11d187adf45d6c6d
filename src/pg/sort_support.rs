//! Sort support: comparisons without a function call, and abbreviated keys, for a type of variable
//! length whose values order like the bytes of a key within them.

use std::cmp::Ordering;
use std::ffi::c_int;

use pgrx::memcxt::PgMemoryContexts;
use pgrx::pg_sys;
use pgrx::pg_sys::submodules::panic::pgrx_extern_c_guard;

use super::hash;
use super::varlena::Bytes;

/// A type that sorts by a key within its bytes.
pub trait SortKey: 'static {
    /// The key within the bytes of a value. Keys order like their bytes, and none is the beginning
    /// of another.
    fn key(bytes: &[u8]) -> &[u8];
}

// pgrx wraps this function, but tuplesort knows it by its address: with it, it sorts by a loop of
// its own.
unsafe extern "C-unwind" {
    fn ssup_datum_unsigned_cmp(
        one: pg_sys::Datum,
        two: pg_sys::Datum,
        support: pg_sys::SortSupport,
    ) -> c_int;
}

/// Fills in how values of the type are sorted: what a btree support function 2 does.
pub fn prepare<T: SortKey>(support: pg_sys::SortSupport) {
    // SAFETY: the argument of the support function; PostgreSQL has filled in the memory context and
    // whether it wants abbreviations.
    unsafe {
        (*support).comparator = Some(compare::<T>);
        if (*support).abbreviate && size_of::<pg_sys::Datum>() == 8 {
            (*support).ssup_extra = PgMemoryContexts::For((*support).ssup_cxt)
                .leak_and_drop_on_delete(Abbreviations::default())
                .cast();
            (*support).comparator = Some(ssup_datum_unsigned_cmp);
            (*support).abbrev_converter = Some(abbreviate::<T>);
            (*support).abbrev_abort = Some(abort);
            (*support).abbrev_full_comparator = Some(compare::<T>);
        }
    }
}

unsafe extern "C-unwind" fn compare<T: SortKey>(
    one: pg_sys::Datum,
    two: pg_sys::Datum,
    _support: pg_sys::SortSupport,
) -> c_int {
    // SAFETY: both are values of the type; a panic becomes an error at this border.
    let ordering = unsafe {
        pgrx_extern_c_guard(move || {
            let (one, two) = (Bytes::new(one), Bytes::new(two));
            T::key(&one).cmp(T::key(&two))
        })
    };
    match ordering {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

/// The first eight bytes of the key as a number: keys that differ in them order like the numbers,
/// for the zeros behind a shorter key are never reached.
unsafe extern "C-unwind" fn abbreviate<T: SortKey>(
    original: pg_sys::Datum,
    support: pg_sys::SortSupport,
) -> pg_sys::Datum {
    // SAFETY: a value of the type; `prepare` has set ssup_extra; a panic becomes an error here.
    unsafe {
        pgrx_extern_c_guard(move || {
            let value = Bytes::new(original);
            let mut first = [0; 8];
            for (place, &byte) in first.iter_mut().zip(T::key(&value)) {
                *place = byte;
            }
            if let Some(seen) = (*support).ssup_extra.cast::<Abbreviations>().as_mut() {
                seen.note(&first);
            }
            pg_sys::Datum::from(u64::from_be_bytes(first))
        })
    }
}

/// Whether abbreviations are too much alike to be worth it.
unsafe extern "C-unwind" fn abort(count: c_int, support: pg_sys::SortSupport) -> bool {
    // SAFETY: `prepare` has set ssup_extra.
    let seen = unsafe { (*support).ssup_extra.cast::<Abbreviations>().as_mut() };
    count >= FEW && seen.is_some_and(|seen| !seen.are_worth_it())
}

/// Below this count of values it isn't worth thinking about.
const FEW: c_int = 10_000;
/// With so many different abbreviations they are worth it, whatever follows.
const MANY: f64 = 5_000.0;
const WORDS: usize = 128;
const BITS: u32 = 64 * WORDS as u32;

/// How many different abbreviations there are, roughly: each sets one bit of many by its hash.
struct Abbreviations {
    count: u64,
    is_settled: bool,
    bits: [u64; WORDS],
}

impl Default for Abbreviations {
    fn default() -> Self {
        Self {
            count: 0,
            is_settled: false,
            bits: [0; WORDS],
        }
    }
}

impl Abbreviations {
    fn note(&mut self, abbreviation: &[u8]) {
        self.count += 1;
        if self.is_settled {
            return;
        }
        let bit = hash::hash(abbreviation) % BITS;
        if let Some(word) = self.bits.get_mut(bit as usize / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    /// The same rule as that of PostgreSQL's own types: one different key in 2,000.
    fn are_worth_it(&mut self) -> bool {
        if !self.is_settled {
            let ones: u32 = self.bits.iter().map(|word| word.count_ones()).sum();
            let zeros = f64::from(BITS - ones).max(1.0);
            let different = f64::from(BITS) * (f64::from(BITS) / zeros).ln();
            self.is_settled = different > MANY;
            return self.is_settled || different >= self.count as f64 / 2_000.0 + 0.5;
        }
        true
    }
}
