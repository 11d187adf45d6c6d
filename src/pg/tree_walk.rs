//! Walking the server's trees with a visitor of our own.
//!
//! A tree may be deeper than the stack allows: then the server raises an error in the midst of the walk, and it
//! must leave all levels at once. So there is one guard around the whole walk and none at each level, and a
//! visitor has nothing to clean up when it goes on to the nodes below.

use std::ffi::{c_int, c_void};

use pgrx::pg_sys;

/// What is called for each node: true ends the walk.
pub type Visitor = unsafe extern "C-unwind" fn(*mut pg_sys::Node, *mut c_void) -> bool;

// Unguarded, unlike pgrx's bindings: an error can't unwind through a guard at each level.
unsafe extern "C-unwind" {
    #[cfg_attr(not(feature = "pg15"), link_name = "raw_expression_tree_walker_impl")]
    fn raw_expression_tree_walker(
        node: *mut pg_sys::Node,
        visitor: Option<Visitor>,
        context: *mut c_void,
    ) -> bool;

    #[cfg_attr(not(feature = "pg15"), link_name = "expression_tree_walker_impl")]
    fn expression_tree_walker(
        node: *mut pg_sys::Node,
        visitor: Option<Visitor>,
        context: *mut c_void,
    ) -> bool;

    #[cfg_attr(not(feature = "pg15"), link_name = "query_tree_walker_impl")]
    fn query_tree_walker(
        query: *mut pg_sys::Query,
        visitor: Option<Visitor>,
        context: *mut c_void,
        flags: c_int,
    ) -> bool;
}

/// Walks a tree, from its root on.
///
/// # Safety
/// NULL or a tree of the kind that the visitor takes, and the context that it takes.
pub unsafe fn walk(node: *mut pg_sys::Node, visitor: Visitor, context: *mut c_void) -> bool {
    // SAFETY: by the caller's word. What the server raises ends here, and goes on as a panic.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| visitor(node, context)) }
}

/// Goes on to the nodes below one of a raw tree; only from a visitor.
///
/// # Safety
/// As [`walk`]; the caller holds nothing that must be dropped.
pub unsafe fn below_raw(node: *mut pg_sys::Node, visitor: Visitor, context: *mut c_void) -> bool {
    // SAFETY: by the caller's word.
    unsafe { raw_expression_tree_walker(node, Some(visitor), context) }
}

/// Goes on to the nodes below one of an analyzed tree; only from a visitor.
///
/// # Safety
/// As [`below_raw`].
pub unsafe fn below(node: *mut pg_sys::Node, visitor: Visitor, context: *mut c_void) -> bool {
    // SAFETY: by the caller's word.
    unsafe { expression_tree_walker(node, Some(visitor), context) }
}

/// Goes on to the parts of a query; only from a visitor.
///
/// # Safety
/// As [`below_raw`].
pub unsafe fn below_query(
    query: *mut pg_sys::Query,
    visitor: Visitor,
    context: *mut c_void,
    flags: c_int,
) -> bool {
    // SAFETY: by the caller's word.
    unsafe { query_tree_walker(query, Some(visitor), context, flags) }
}
