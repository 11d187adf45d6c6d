//! What a statement that needs the top level works on, if it can be a post-step of a migration.

use pgrx::pg_sys::{self, AlterTableType, NodeTag, ObjectType};
use versioning_core::effect::ObjectName;
use versioning_core::post_step::{IndexShape, PostStep};

use super::tree;

/// # Safety
/// A statement node of a raw parse tree.
pub(super) unsafe fn post_step(node: *mut pg_sys::Node) -> Option<PostStep> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        match tree::tag(node) {
            NodeTag::T_IndexStmt => {
                let index = &*node.cast::<pg_sys::IndexStmt>();
                index.concurrent.then(|| PostStep::CreateIndex {
                    index: tree::text(index.idxname),
                    table: tree::relation(index.relation),
                    shape: shape(index).describe(),
                })
            }
            NodeTag::T_DropStmt => drop_index(&*node.cast()),
            NodeTag::T_ReindexStmt => reindex(&*node.cast()),
            NodeTag::T_VacuumStmt => (*node.cast::<pg_sys::VacuumStmt>())
                .is_vacuumcmd
                .then_some(PostStep::Untraceable),
            NodeTag::T_AlterTableStmt => detach(&*node.cast()),
            _ => None,
        }
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn shape(statement: &pg_sys::IndexStmt) -> IndexShape {
    // SAFETY: by the caller's word; both lists hold IndexElem nodes.
    unsafe {
        let elements = |list| {
            tree::nodes(list)
                .into_iter()
                .map(|node| &*node.cast::<pg_sys::IndexElem>())
        };
        IndexShape {
            is_unique: statement.unique,
            method: tree::text(statement.accessMethod).unwrap_or_default(),
            keys: elements(statement.indexParams)
                .map(|key| {
                    let is_descending = key.ordering == pg_sys::SortByDir::SORTBY_DESC;
                    (tree::text(key.name), is_descending)
                })
                .collect(),
            included: elements(statement.indexIncludingParams)
                .filter_map(|column| tree::text(column.name))
                .collect(),
            is_partial: !statement.whereClause.is_null(),
        }
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn drop_index(statement: &pg_sys::DropStmt) -> Option<PostStep> {
    if !statement.concurrent || statement.removeType != ObjectType::OBJECT_INDEX {
        return None;
    }
    // SAFETY: by the caller's word. PostgreSQL drops one index at a time CONCURRENTLY.
    let names: Vec<ObjectName> = unsafe {
        tree::nodes(statement.objects)
            .into_iter()
            .map(|object| tree::object_name(object))
            .collect()
    };
    match <[ObjectName; 1]>::try_from(names) {
        Ok([index]) => Some(PostStep::DropIndex { index }),
        Err(_) => None,
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn reindex(statement: &pg_sys::ReindexStmt) -> Option<PostStep> {
    use pg_sys::ReindexObjectType as Kind;
    // SAFETY: by the caller's word.
    unsafe {
        let concurrently = tree::option_is_on(statement.params, "concurrently", false);
        match statement.kind {
            Kind::REINDEX_OBJECT_INDEX if concurrently => Some(PostStep::Reindex {
                index: tree::relation(statement.relation),
            }),
            Kind::REINDEX_OBJECT_TABLE if concurrently => Some(PostStep::Untraceable),
            Kind::REINDEX_OBJECT_SCHEMA => Some(PostStep::Untraceable),
            _ => None,
        }
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn detach(statement: &pg_sys::AlterTableStmt) -> Option<PostStep> {
    // SAFETY: by the caller's word; the definition of a detach is a PartitionCmd.
    unsafe {
        tree::nodes(statement.cmds)
            .into_iter()
            .map(|node| &*node.cast::<pg_sys::AlterTableCmd>())
            .filter(|command| command.subtype == AlterTableType::AT_DetachPartition)
            .filter(|command| tree::tag(command.def) == NodeTag::T_PartitionCmd)
            .map(|command| &*command.def.cast::<pg_sys::PartitionCmd>())
            .find(|command| command.concurrent)
            .map(|command| PostStep::DetachPartition {
                table: tree::relation(statement.relation),
                partition: tree::relation(command.name),
            })
    }
}
