//! What queries and expressions name: functions, columns, the tables they write.

use std::ffi::c_void;

use pgrx::pg_guard;
use pgrx::pg_sys::{self, NodeTag};
use versioning_core::detail::Detail;
use versioning_core::effect::ObjectName;
use versioning_core::moving::Reading;

use super::super::tree;
use crate::pg::tree_walk;

/// What a walk has met.
#[derive(Default)]
pub(super) struct Met {
    /// The functions called, each once.
    pub(super) functions: Vec<ObjectName>,
    /// The columns named, without their tables, each once.
    pub(super) columns: Vec<String>,
    /// The tables that rows are inserted into, and whether a query says how many.
    inserts: Vec<(ObjectName, bool)>,
    /// The settings that set_config changes, and whether until the end of the transaction only.
    settings: Vec<(String, bool)>,
    /// The tables named, and their other names in the statement.
    tables: Vec<ObjectName>,
    aliases: Vec<String>,
    /// Whether a star stands for columns.
    star: bool,
}

impl Met {
    /// What is read.
    pub(super) fn reading(&self) -> Option<Reading> {
        let is_row = |name: &String| {
            self.aliases.contains(name) || self.tables.iter().any(|table| table.name == *name)
        };
        (!self.tables.is_empty()).then(|| Reading {
            tables: self.tables.clone(),
            columns: self.columns.clone(),
            whole_rows: self.star || self.columns.iter().any(is_row),
        })
    }
}

/// # Safety
/// NULL or an expression or query of a raw parse tree.
pub(super) unsafe fn met(node: *mut pg_sys::Node) -> Met {
    let mut met = Met::default();
    // SAFETY: by the caller's word; `visit` gets `met` back as its context while this frame lives.
    unsafe { tree_walk::walk(node, visit, (&raw mut met).cast()) };
    met
}

/// # Safety
/// A query of a raw parse tree.
pub(super) unsafe fn details(node: *mut pg_sys::Node) -> Vec<Detail> {
    // SAFETY: by the caller's word.
    let met = unsafe { met(node) };
    let reading = met.reading();
    let mut found: Vec<Detail> = met
        .inserts
        .into_iter()
        .map(|(table, from_query)| Detail::Insert { table, from_query })
        .collect();
    found.extend(reading.map(Detail::Reads));
    let settings = met.settings.into_iter();
    found.extend(settings.map(|(name, local)| Detail::Setting { name, local }));
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
    if !copy.is_from && !copy.relation.is_null() {
        // SAFETY: by the caller's word.
        let tables = vec![unsafe { tree::relation(copy.relation) }];
        found.push(Detail::Reads(Reading {
            tables,
            columns: Vec::new(),
            whole_rows: true,
        }));
    }
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
    // SAFETY: by the caller's word. Nothing here is left to drop when an error jumps over it.
    unsafe {
        if node.is_null() {
            return false;
        }
        note_guarded(node, context);
        tree_walk::below_raw(node, visit, context)
    }
}

/// The guard is around this alone: around a whole [`visit`] it would take room for every level of the tree.
///
/// # Safety
/// As for [`visit`].
#[pg_guard]
unsafe extern "C-unwind" fn note_guarded(node: *mut pg_sys::Node, context: *mut c_void) {
    // SAFETY: by the caller's word; the reference ends before the walk goes on.
    unsafe { note(node, &mut *context.cast::<Met>()) };
}

/// # Safety
/// A node of a raw parse tree.
unsafe fn note(node: *mut pg_sys::Node, met: &mut Met) {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        match tree::tag(node) {
            NodeTag::T_FuncCall => {
                let call = &*node.cast::<pg_sys::FuncCall>();
                let name = tree::dotted_name(call.funcname);
                if name.name == "set_config" {
                    met.settings.extend(configured(call));
                }
                if !met.functions.contains(&name) {
                    met.functions.push(name);
                }
            }
            NodeTag::T_ColumnRef => {
                let fields = (*node.cast::<pg_sys::ColumnRef>()).fields;
                let last = tree::nodes(fields).last().copied();
                met.star |= last.is_some_and(|last| tree::tag(last) == NodeTag::T_A_Star);
                let column = tree::strings(fields).pop();
                if let Some(column) = column
                    && !met.columns.contains(&column)
                {
                    met.columns.push(column);
                }
            }
            NodeTag::T_RangeVar => {
                let relation = &*node.cast::<pg_sys::RangeVar>();
                met.tables.push(tree::relation(relation));
                if !relation.alias.is_null() {
                    met.aliases.extend(tree::text((*relation.alias).aliasname));
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

/// What a call of set_config changes, when the text says it.
///
/// # Safety
/// Part of a raw parse tree.
unsafe fn configured(call: &pg_sys::FuncCall) -> Option<(String, bool)> {
    // SAFETY: by the caller's word; a constant is told by its tags.
    unsafe {
        let arguments = tree::nodes(call.args);
        let name = tree::constant(arguments.first().copied()?)?.to_lowercase();
        let local = arguments.get(2).and_then(|node| tree::constant(*node));
        let is_local = local.is_some_and(|local| local.starts_with(['t', 'T', '1', 'y', 'Y']));
        Some((name, is_local))
    }
}
