//! What queries and expressions name: functions, columns, the tables they write.

use std::ffi::c_void;

use pgrx::pg_sys::{self, NodeTag};
use versioning_core::detail::Detail;
use versioning_core::effect::ObjectName;

use super::super::tree;

/// What a walk has met.
#[derive(Default)]
pub(super) struct Met {
    /// The functions called, each once.
    pub(super) functions: Vec<ObjectName>,
    /// The columns named, without their tables, each once.
    pub(super) columns: Vec<String>,
    /// The tables that rows are inserted into, and whether a query says how many.
    inserts: Vec<(ObjectName, bool)>,
}

/// # Safety
/// NULL or an expression or query of a raw parse tree.
pub(super) unsafe fn met(node: *mut pg_sys::Node) -> Met {
    let mut met = Met::default();
    // SAFETY: by the caller's word; `visit` gets `met` back as its context while this frame lives.
    unsafe { visit(node, (&raw mut met).cast()) };
    met
}

/// # Safety
/// A query of a raw parse tree.
pub(super) unsafe fn details(node: *mut pg_sys::Node) -> Vec<Detail> {
    // SAFETY: by the caller's word.
    let met = unsafe { met(node) };
    let mut found: Vec<Detail> = met
        .inserts
        .into_iter()
        .map(|(table, from_query)| Detail::Insert { table, from_query })
        .collect();
    if !met.functions.is_empty() {
        found.push(Detail::Calls {
            functions: met.functions,
        });
    }
    found
}

/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn copy(copy: &pg_sys::CopyStmt) -> Vec<Detail> {
    let command = match (copy.is_from, copy.is_program) {
        (true, true) => "COPY FROM PROGRAM",
        (true, false) => "COPY FROM",
        (false, true) => "COPY TO PROGRAM",
        (false, false) => "COPY TO",
    };
    // SAFETY: by the caller's word.
    let mut found = unsafe { details(copy.query) };
    if !copy.filename.is_null() {
        found.push(Detail::ServerCopy {
            command: command.to_owned(),
            writes_outside: !copy.is_from || copy.is_program,
        });
    }
    found
}

/// Notes what a node names, then goes on to the nodes below it.
unsafe extern "C-unwind" fn visit(node: *mut pg_sys::Node, context: *mut c_void) -> bool {
    // SAFETY: called by `met` and by the server's walker with nodes of the tree and with the `Met` of
    // `met`; each cast follows the tag. The reference ends before the walker calls back.
    unsafe {
        if node.is_null() {
            return false;
        }
        note(node, &mut *context.cast::<Met>());
        pg_sys::raw_expression_tree_walker(node, Some(visit), context)
    }
}

/// # Safety
/// A node of a raw parse tree.
unsafe fn note(node: *mut pg_sys::Node, met: &mut Met) {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        match tree::tag(node) {
            NodeTag::T_FuncCall => {
                let name = tree::dotted_name((*node.cast::<pg_sys::FuncCall>()).funcname);
                if !met.functions.contains(&name) {
                    met.functions.push(name);
                }
            }
            NodeTag::T_ColumnRef => {
                let column = tree::strings((*node.cast::<pg_sys::ColumnRef>()).fields).pop();
                if let Some(column) = column
                    && !met.columns.contains(&column)
                {
                    met.columns.push(column);
                }
            }
            NodeTag::T_InsertStmt => {
                let insert = &*node.cast::<pg_sys::InsertStmt>();
                let from_query = tree::tag(insert.selectStmt) == NodeTag::T_SelectStmt
                    && (*insert.selectStmt.cast::<pg_sys::SelectStmt>())
                        .valuesLists
                        .is_null();
                met.inserts
                    .push((tree::relation(insert.relation), from_query));
            }
            _ => {}
        }
    }
}
