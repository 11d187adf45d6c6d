//! How statements name what they are about.

use pgrx::pg_sys::{self, NodeTag, ObjectType, RoleSpecType};
use versioning_core::detail::{Mark, Trace};
use versioning_core::effect::ObjectName;

use super::super::super::tree;

/// The word for a kind of objects.
pub(super) fn word(kind: ObjectType::Type) -> &'static str {
    match kind {
        ObjectType::OBJECT_VIEW | ObjectType::OBJECT_MATVIEW => "view",
        ObjectType::OBJECT_SEQUENCE => "sequence",
        ObjectType::OBJECT_TYPE | ObjectType::OBJECT_DOMAIN => "type",
        ObjectType::OBJECT_SCHEMA => "schema",
        ObjectType::OBJECT_FUNCTION
        | ObjectType::OBJECT_PROCEDURE
        | ObjectType::OBJECT_ROUTINE
        | ObjectType::OBJECT_AGGREGATE => "function",
        ObjectType::OBJECT_TRIGGER => "trigger",
        ObjectType::OBJECT_POLICY => "policy",
        ObjectType::OBJECT_RULE => "rule",
        ObjectType::OBJECT_EXTENSION => "extension",
        ObjectType::OBJECT_OPERATOR => "operator",
        ObjectType::OBJECT_OPCLASS => "operator class",
        ObjectType::OBJECT_OPFAMILY => "operator family",
        ObjectType::OBJECT_CAST => "cast",
        ObjectType::OBJECT_COLLATION => "collation",
        ObjectType::OBJECT_CONVERSION => "conversion",
        ObjectType::OBJECT_STATISTIC_EXT => "statistics object",
        _ => rarer_word(kind),
    }
}

fn rarer_word(kind: ObjectType::Type) -> &'static str {
    match kind {
        ObjectType::OBJECT_TSCONFIGURATION => "text search configuration",
        ObjectType::OBJECT_TSDICTIONARY => "text search dictionary",
        ObjectType::OBJECT_TSPARSER => "text search parser",
        ObjectType::OBJECT_TSTEMPLATE => "text search template",
        ObjectType::OBJECT_FDW => "foreign-data wrapper",
        ObjectType::OBJECT_FOREIGN_SERVER => "server",
        ObjectType::OBJECT_PUBLICATION => "publication",
        ObjectType::OBJECT_SUBSCRIPTION => "subscription",
        ObjectType::OBJECT_LANGUAGE => "language",
        ObjectType::OBJECT_TRANSFORM => "transform",
        ObjectType::OBJECT_ACCESS_METHOD => "access method",
        ObjectType::OBJECT_EVENT_TRIGGER => "event trigger",
        ObjectType::OBJECT_INDEX => "index",
        ObjectType::OBJECT_TABCONSTRAINT | ObjectType::OBJECT_DOMCONSTRAINT => "constraint",
        ObjectType::OBJECT_COLUMN => "column",
        ObjectType::OBJECT_ATTRIBUTE => "attribute",
        _ => "object",
    }
}

pub(super) fn plain(name: &str) -> ObjectName {
    ObjectName {
        schema: None,
        name: name.to_owned(),
    }
}

/// # Safety
/// NULL or a RoleSpec of a raw parse tree.
pub(super) unsafe fn role(role: *const pg_sys::RoleSpec) -> String {
    if role.is_null() {
        return String::new();
    }
    // SAFETY: by the caller's word.
    let (kind, name) = unsafe { ((*role).roletype, tree::text((*role).rolename)) };
    match kind {
        RoleSpecType::ROLESPEC_PUBLIC => "PUBLIC".to_owned(),
        RoleSpecType::ROLESPEC_CSTRING => name.unwrap_or_default(),
        _ => "CURRENT_USER".to_owned(),
    }
}

/// The argument types of a function, without modifiers and schemas: two scripts may write them in two ways.
///
/// # Safety
/// TypeNames of a raw parse tree.
pub(super) unsafe fn signature(types: impl Iterator<Item = *mut pg_sys::Node>) -> String {
    let plain = |node: *mut pg_sys::Node| {
        // SAFETY: by the caller's word.
        let text = unsafe { tree::type_text(node.cast()) };
        let array = if text.ends_with("[]") { "[]" } else { "" };
        let base = text.split(['(', '[']).next().unwrap_or_default();
        let base = base.rsplit('.').next().unwrap_or_default().to_owned();
        base + array
    };
    types.map(plain).collect::<Vec<_>>().join(",")
}

/// The object that a statement names, and its part.
///
/// # Safety
/// NULL or the node by which statements name an object of that kind.
pub(super) unsafe fn target(
    kind: ObjectType::Type,
    object: *mut pg_sys::Node,
) -> (ObjectName, Option<String>) {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        let is_list = tree::tag(object) == NodeTag::T_List;
        match kind {
            ObjectType::OBJECT_TRIGGER
            | ObjectType::OBJECT_POLICY
            | ObjectType::OBJECT_RULE
            | ObjectType::OBJECT_TABCONSTRAINT
            | ObjectType::OBJECT_COLUMN
                if is_list =>
            {
                let mut names = tree::strings(object.cast());
                let part = names.pop();
                let name = names.pop().unwrap_or_default();
                let schema = names.pop();
                (ObjectName { schema, name }, part)
            }
            ObjectType::OBJECT_DOMCONSTRAINT | ObjectType::OBJECT_TRANSFORM if is_list => {
                let part = tree::strings(object.cast()).pop();
                let first = tree::nodes(object.cast()).first().copied();
                let name = first.map_or_else(|| plain(""), |first| tree::object_name(first));
                (name, part)
            }
            ObjectType::OBJECT_CAST if is_list => {
                let types = tree::nodes(object.cast()).into_iter();
                (cast(types), None)
            }
            ObjectType::OBJECT_OPCLASS | ObjectType::OBJECT_OPFAMILY if is_list => {
                let mut names = tree::strings(object.cast()).into_iter();
                let method = names.next();
                let mut names: Vec<String> = names.collect();
                let name = names.pop().unwrap_or_default();
                let schema = names.pop();
                (ObjectName { schema, name }, method)
            }
            _ if tree::tag(object) == NodeTag::T_ObjectWithArgs => {
                let routine = &*object.cast::<pg_sys::ObjectWithArgs>();
                let is_operator = kind == ObjectType::OBJECT_OPERATOR;
                let types = tree::nodes(routine.objargs).into_iter();
                let known = !routine.args_unspecified
                    && !is_operator
                    && kind != ObjectType::OBJECT_AGGREGATE;
                let part = known.then(|| signature(types));
                (tree::dotted_name(routine.objname), part)
            }
            _ => (tree::object_name(object), None),
        }
    }
}

/// # Safety
/// The two TypeNames of a cast.
pub(super) unsafe fn cast(types: impl Iterator<Item = *mut pg_sys::Node>) -> ObjectName {
    // SAFETY: by the caller's word.
    let types: Vec<String> = types
        .map(|node| unsafe { tree::type_text(node.cast()) })
        .collect();
    plain(&format!("({})", types.join(" AS ")))
}

/// A comment or a label.
///
/// # Safety
/// As [`target`].
pub(super) unsafe fn annotated(
    kind: &'static str,
    of: ObjectType::Type,
    object: *mut pg_sys::Node,
) -> Trace {
    // SAFETY: by the caller's word.
    let (name, part) = unsafe { target(of, object) };
    // Of the whole, not of any part; arguments are no part.
    let part = part.filter(|_| word(of) != "function").unwrap_or_default();
    Trace::of(kind, name, Mark::Set).part(Some(part))
}
