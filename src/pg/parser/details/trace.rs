//! What statements leave of whatever is no table, column, index or table constraint, from their parse trees:
//! what a down script has to put back.

mod alter;
mod create;
mod named;

use pgrx::pg_sys::{self, GrantTargetType, NodeTag, ObjectType};
use versioning_core::detail::{Detail, Mark, Trace};
use versioning_core::effect::ObjectName;

use super::super::tree;

/// # Safety
/// A statement node of a raw parse tree.
pub(super) unsafe fn details(node: *mut pg_sys::Node) -> Vec<Detail> {
    // SAFETY: by the caller's word.
    unsafe { traces(node) }
        .into_iter()
        .map(Detail::Trace)
        .collect()
}

/// # Safety
/// A statement node of a raw parse tree.
unsafe fn traces(node: *mut pg_sys::Node) -> Vec<Trace> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        match tree::tag(node) {
            NodeTag::T_DropStmt => drop_objects(&*node.cast()),
            NodeTag::T_CommentStmt => {
                let comment = &*node.cast::<pg_sys::CommentStmt>();
                vec![named::annotated("comment", comment.objtype, comment.object)]
            }
            NodeTag::T_SecLabelStmt => {
                let label = &*node.cast::<pg_sys::SecLabelStmt>();
                vec![named::annotated(
                    "security label",
                    label.objtype,
                    label.object,
                )]
            }
            NodeTag::T_GrantStmt => grant(&*node.cast(), "rights"),
            NodeTag::T_AlterDefaultPrivilegesStmt => default_rights(&*node.cast()),
            _ => create::traces(node)
                .or_else(|| alter::traces(node))
                .unwrap_or_default(),
        }
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn drop_objects(statement: &pg_sys::DropStmt) -> Vec<Trace> {
    let kind = statement.removeType;
    // The effects tell of these.
    if matches!(
        kind,
        ObjectType::OBJECT_TABLE | ObjectType::OBJECT_FOREIGN_TABLE | ObjectType::OBJECT_INDEX
    ) {
        return Vec::new();
    }
    // SAFETY: by the caller's word.
    unsafe {
        tree::nodes(statement.objects)
            .into_iter()
            .map(|object| {
                let (name, part) = named::target(kind, object);
                Trace::of(named::word(kind), name, Mark::Gone).part(part)
            })
            .collect()
    }
}

/// A trace of each role's rights on each object.
///
/// # Safety
/// Part of a raw parse tree.
unsafe fn grant(grant: &pg_sys::GrantStmt, kind: &'static str) -> Vec<Trace> {
    // REVOKE GRANT OPTION FOR takes no right.
    if grant.grant_option && !grant.is_grant {
        return Vec::new();
    }
    let mark = if grant.is_grant {
        Mark::Made
    } else {
        Mark::Gone
    };
    // SAFETY: by the caller's word; the objects are told apart by their tags, the grantees are RoleSpecs.
    unsafe {
        let roles: Vec<String> = tree::nodes(grant.grantees)
            .into_iter()
            .map(|role| named::role(role.cast()))
            .collect();
        let objects: Vec<ObjectName> = if grant.targtype == GrantTargetType::ACL_TARGET_OBJECT {
            tree::nodes(grant.objects)
                .into_iter()
                .map(|object| match tree::tag(object) {
                    NodeTag::T_RangeVar => tree::relation(object.cast()),
                    _ => tree::object_name(object),
                })
                .collect()
        } else {
            vec![named::plain("*")]
        };
        objects
            .iter()
            .flat_map(|object| {
                roles.iter().map(|role| {
                    Trace::of(kind, object.clone(), mark.clone()).part(Some(role.clone()))
                })
            })
            .collect()
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn default_rights(alter: &pg_sys::AlterDefaultPrivilegesStmt) -> Vec<Trace> {
    // SAFETY: by the caller's word; the action is a GrantStmt without objects.
    unsafe { grant(&*alter.action, "default rights") }
}
