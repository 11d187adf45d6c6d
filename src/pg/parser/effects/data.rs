//! The effects of statements that read and write rows, wherever in the statement the writing stands:
//! in a WITH query, under EXPLAIN, in a COPY.

use std::ffi::c_void;

use pgrx::pg_guard;
use pgrx::pg_sys::{self, CmdType, NodeTag};
use versioning_core::effect::Effect;

use super::super::tree;
use super::dynamic;
use crate::pg::{catalog, tree_walk};

/// What the walk has met so far.
#[derive(Default)]
struct Met {
    effects: Vec<Effect>,
    functions: Vec<String>,
}

/// # Safety
/// NULL or a node of a raw parse tree.
pub(super) unsafe fn effects(node: *mut pg_sys::Node) -> Vec<Effect> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        match tree::tag(node) {
            NodeTag::T_ExplainStmt => {
                // Without ANALYZE nothing runs.
                let explain = &*node.cast::<pg_sys::ExplainStmt>();
                match tree::option_is_on(explain.options, "analyze", false) {
                    true => super::effects(explain.query),
                    false => Vec::new(),
                }
            }
            NodeTag::T_CopyStmt => effects((*node.cast::<pg_sys::CopyStmt>()).query),
            NodeTag::T_DeclareCursorStmt => {
                effects((*node.cast::<pg_sys::DeclareCursorStmt>()).query)
            }
            NodeTag::T_SelectStmt => {
                let mut met = walk(node);
                // A function may do anything, but for built-in ones; in INSERT, UPDATE and DELETE it is an expression.
                met.functions.dedup();
                let functions = met
                    .functions
                    .iter()
                    .map(|name| dynamic(&format!("function {name}")));
                met.effects.extend(functions);
                met.effects
            }
            NodeTag::T_InsertStmt
            | NodeTag::T_UpdateStmt
            | NodeTag::T_DeleteStmt
            | NodeTag::T_MergeStmt => walk(node).effects,
            _ => Vec::new(),
        }
    }
}

/// # Safety
/// A query of a raw parse tree.
unsafe fn walk(node: *mut pg_sys::Node) -> Met {
    let mut met = Met::default();
    // SAFETY: by the caller's word; `visit` gets `met` back as its context while this frame lives.
    unsafe { tree_walk::walk(node, visit, (&raw mut met).cast()) };
    met
}

/// Notes what a node does, then goes on to the nodes below it.
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
            NodeTag::T_DeleteStmt => {
                let delete = &*node.cast::<pg_sys::DeleteStmt>();
                let table = tree::relation(delete.relation);
                met.effects.push(Effect::Delete {
                    table,
                    has_where: !delete.whereClause.is_null(),
                });
            }
            NodeTag::T_UpdateStmt => {
                let update = &*node.cast::<pg_sys::UpdateStmt>();
                met.effects.push(Effect::Update {
                    table: tree::relation(update.relation),
                    columns: target_columns(update.targetList),
                    has_where: !update.whereClause.is_null(),
                });
            }
            NodeTag::T_InsertStmt => met.effects.extend(upsert(&*node.cast())),
            NodeTag::T_MergeStmt => met.effects.extend(merge(&*node.cast())),
            NodeTag::T_FuncCall => {
                let name = tree::dotted_name((*node.cast::<pg_sys::FuncCall>()).funcname);
                if !catalog::is_harmless(name.schema.as_deref(), &name.name) {
                    met.functions.push(name.to_string());
                }
            }
            _ => {}
        }
    }
}

/// The columns that a SET list writes.
///
/// # Safety
/// NULL or a list of nodes.
unsafe fn target_columns(list: *mut pg_sys::List) -> Vec<String> {
    // SAFETY: by the caller's word, and the cast follows the tag.
    unsafe {
        tree::nodes(list)
            .into_iter()
            .filter(|node| tree::tag(*node) == NodeTag::T_ResTarget)
            .filter_map(|node| tree::text((*node.cast::<pg_sys::ResTarget>()).name))
            .collect()
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn upsert(insert: &pg_sys::InsertStmt) -> Option<Effect> {
    // SAFETY: by the caller's word.
    unsafe {
        let conflict = insert.onConflictClause.as_ref()?;
        (conflict.action == pg_sys::OnConflictAction::ONCONFLICT_UPDATE).then(|| Effect::Update {
            table: tree::relation(insert.relation),
            columns: target_columns(conflict.targetList),
            has_where: !conflict.whereClause.is_null(),
        })
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn merge(merge: &pg_sys::MergeStmt) -> Vec<Effect> {
    // SAFETY: by the caller's word; the list holds MergeWhenClauses. What MERGE touches is always
    // limited by its join condition.
    unsafe {
        tree::nodes(merge.mergeWhenClauses)
            .into_iter()
            .map(|node| &*node.cast::<pg_sys::MergeWhenClause>())
            .filter_map(|clause| match clause.commandType {
                CmdType::CMD_DELETE => Some(Effect::Delete {
                    table: tree::relation(merge.relation),
                    has_where: true,
                }),
                CmdType::CMD_UPDATE => Some(Effect::Update {
                    table: tree::relation(merge.relation),
                    columns: target_columns(clause.targetList),
                    has_where: true,
                }),
                _ => None,
            })
            .collect()
    }
}
