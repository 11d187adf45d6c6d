//! Estimates from the statistics of columns.

use std::ptr;

use pgrx::pg_sys;

use super::{Node, list};

/// What is needed to estimate how many rows a condition lets through.
#[derive(Debug, Clone, Copy)]
pub struct Estimation {
    root: *mut pg_sys::PlannerInfo,
    relation: i32,
}

impl Estimation {
    /// As the estimator of an operator gets it.
    pub fn new(root: *mut pg_sys::PlannerInfo, relation: i32) -> Self {
        Self { root, relation }
    }

    /// The expression with everything computed that is known by now.
    pub fn computed(self, expression: Node) -> Node {
        // SAFETY: an expression of the query that `root` plans.
        let computed =
            unsafe { pg_sys::estimate_expression_value(self.root, expression.0.as_ptr()) };
        Node::from_pointer(computed).unwrap_or(expression)
    }

    /// The share of rows for which all conditions hold.
    pub fn selectivity(self, conditions: Vec<Node>) -> f64 {
        // SAFETY: conditions on columns of the query that `root` plans.
        unsafe {
            pg_sys::clauselist_selectivity(
                self.root,
                list(conditions),
                self.relation,
                pg_sys::JoinType::JOIN_INNER,
                ptr::null_mut(),
            )
        }
    }
}

impl Estimation {
    /// The share of rows that lie between two neighbouring values of the column's histogram, which
    /// is as exact as the statistics of a type get whose values PostgreSQL can't interpolate.
    /// 0 where there is no histogram.
    pub fn histogram_step(self, column: Node) -> f64 {
        let mut variable = pg_sys::VariableStatData::default();
        // SAFETY: an expression of the query that `root` plans; the statistics are released below,
        // by the function that came with them.
        unsafe {
            pg_sys::examine_variable(self.root, column.0.as_ptr(), self.relation, &mut variable);
            let tuple = variable.statsTuple;
            if tuple.is_null() {
                return 0.0;
            }
            let between = histogram_size(tuple) - 1;
            let step = if between > 0 {
                (1.0 - common_share(tuple)).max(0.0) / f64::from(between)
            } else {
                0.0
            };
            if let Some(release) = variable.freefunc {
                release(tuple);
            }
            step
        }
    }
}

/// How many values the histogram of a column has, 0 without one.
///
/// # Safety
/// `tuple` is a row of pg_statistic.
unsafe fn histogram_size(tuple: pg_sys::HeapTuple) -> i32 {
    // SAFETY: by the caller's word.
    unsafe {
        statistics(
            tuple,
            pg_sys::STATISTIC_KIND_HISTOGRAM,
            pg_sys::ATTSTATSSLOT_VALUES,
            |slot| slot.nvalues,
        )
    }
    .unwrap_or_default()
}

/// The share of rows that have one of a column's most common values.
///
/// # Safety
/// `tuple` is a row of pg_statistic.
unsafe fn common_share(tuple: pg_sys::HeapTuple) -> f64 {
    let sum = |slot: &pg_sys::AttStatsSlot| {
        let count = usize::try_from(slot.nnumbers).unwrap_or_default();
        // SAFETY: the slot has as many numbers as it says.
        let numbers = unsafe { std::slice::from_raw_parts(slot.numbers, count) };
        numbers.iter().copied().map(f64::from).sum()
    };
    // SAFETY: by the caller's word.
    unsafe {
        statistics(
            tuple,
            pg_sys::STATISTIC_KIND_MCV,
            pg_sys::ATTSTATSSLOT_NUMBERS,
            sum,
        )
    }
    .unwrap_or_default()
}

/// Reads a part of a column's statistics; `None` when they have none of that kind.
///
/// # Safety
/// `tuple` is a row of pg_statistic.
unsafe fn statistics<R>(
    tuple: pg_sys::HeapTuple,
    kind: u32,
    part: u32,
    read: impl FnOnce(&pg_sys::AttStatsSlot) -> R,
) -> Option<R> {
    let mut slot = pg_sys::AttStatsSlot::default();
    // SAFETY: by the caller's word; the slot is filled in and freed here.
    unsafe {
        let found = pg_sys::get_attstatsslot(
            &mut slot,
            tuple,
            kind as i32,
            pg_sys::InvalidOid,
            part as i32,
        );
        found.then(|| {
            let result = read(&slot);
            pg_sys::free_attstatsslot(&mut slot);
            result
        })
    }
}
