//! What the operators, operator classes and aggregates of both types call. Nothing here parses or
//! allocates: stored versions compare by the bytes of their key, ranges by all their bytes.

use std::cmp::Ordering;

use npm_semver::stored;

use super::datum::ByPrecedence;
use crate::pg::call::{Call, Raw, c_function};
use crate::pg::hash;
use crate::pg::sort_support;

c_function! {
    _semver_lt_wrapper => |call: &mut Call<'_>| compare(call).map(Ordering::is_lt);
    _semver_le_wrapper => |call: &mut Call<'_>| compare(call).map(Ordering::is_le);
    _semver_eq_wrapper => |call: &mut Call<'_>| compare(call).map(Ordering::is_eq);
    _semver_ne_wrapper => |call: &mut Call<'_>| compare(call).map(Ordering::is_ne);
    _semver_ge_wrapper => |call: &mut Call<'_>| compare(call).map(Ordering::is_ge);
    _semver_gt_wrapper => |call: &mut Call<'_>| compare(call).map(Ordering::is_gt);
    semver_compare_wrapper => |call: &mut Call<'_>| compare(call).map(|ordering| ordering as i32);
    _semver_smaller_wrapper => |call: &mut Call<'_>| chosen(call, Ordering::is_le);
    _semver_larger_wrapper => |call: &mut Call<'_>| chosen(call, Ordering::is_ge);
    _semver_hash_wrapper => version_hash;
    _semver_hash_extended_wrapper => version_hash_extended;
    _semver_sort_support_wrapper => |call: &mut Call<'_>| {
        call.pointer(0).map(sort_support::prepare::<ByPrecedence>)
    };
    _semver_range_eq_wrapper => |call: &mut Call<'_>| ranges_are_equal(call);
    _semver_range_ne_wrapper => |call: &mut Call<'_>| ranges_are_equal(call).map(|equal| !equal);
    _semver_range_hash_wrapper => range_hash;
    _semver_range_hash_extended_wrapper => range_hash_extended;
}

#[inline]
fn compare(call: &Call<'_>) -> Option<Ordering> {
    Some(stored::compare(&call.bytes(0)?, &call.bytes(1)?))
}

/// The first argument if the comparison with the second holds, else the second.
#[inline]
fn chosen(call: &Call<'_>, first_holds: fn(Ordering) -> bool) -> Option<Raw> {
    let position = usize::from(!first_holds(compare(call)?));
    call.datum(position).map(Raw)
}

fn version_hash(call: &Call<'_>) -> Option<i32> {
    Some(hash::hash(stored::version_key(&call.bytes(0)?)).cast_signed())
}

fn version_hash_extended(call: &Call<'_>) -> Option<i64> {
    let (version, seed) = (call.bytes(0)?, call.bigint(1)?.cast_unsigned());
    Some(hash::hash_extended(stored::version_key(&version), seed).cast_signed())
}

/// Equal ranges have equal bytes.
fn ranges_are_equal(call: &Call<'_>) -> Option<bool> {
    Some(*call.bytes(0)? == *call.bytes(1)?)
}

fn range_hash(call: &Call<'_>) -> Option<i32> {
    Some(hash::hash(&call.bytes(0)?).cast_signed())
}

fn range_hash_extended(call: &Call<'_>) -> Option<i64> {
    let seed = call.bigint(1)?.cast_unsigned();
    Some(hash::hash_extended(&call.bytes(0)?, seed).cast_signed())
}
