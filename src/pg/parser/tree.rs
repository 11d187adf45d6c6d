//! Reading raw parse trees: nodes, lists and names as Rust values.
//!
//! Every function here takes pointers that lie in one raw parse tree; that is its safety condition.

use std::ffi::{CStr, c_char};

use pgrx::PgList;
use pgrx::pg_sys::{self, NodeTag};
use versioning_core::effect::ObjectName;

/// # Safety
/// NULL or a node.
pub(in crate::pg) unsafe fn tag(node: *const pg_sys::Node) -> NodeTag {
    if node.is_null() {
        return NodeTag::T_Invalid;
    }
    // SAFETY: every node starts with its tag.
    unsafe { (*node).type_ }
}

/// # Safety
/// NULL or a C string.
pub(in crate::pg) unsafe fn text(string: *const c_char) -> Option<String> {
    if string.is_null() {
        return None;
    }
    // SAFETY: by the caller's word.
    Some(
        unsafe { CStr::from_ptr(string) }
            .to_string_lossy()
            .into_owned(),
    )
}

/// # Safety
/// NULL or a list of nodes.
pub(in crate::pg) unsafe fn nodes(list: *mut pg_sys::List) -> Vec<*mut pg_sys::Node> {
    // SAFETY: by the caller's word; from_pg takes NULL as the empty list.
    unsafe { PgList::<pg_sys::Node>::from_pg(list).iter_ptr().collect() }
}

/// The strings of a list; nodes that are none are left out.
///
/// # Safety
/// NULL or a list of nodes.
pub(in crate::pg) unsafe fn strings(list: *mut pg_sys::List) -> Vec<String> {
    // SAFETY: by the caller's word; a node tagged T_String is one.
    unsafe {
        nodes(list)
            .into_iter()
            .filter(|node| tag(*node) == NodeTag::T_String)
            .filter_map(|node| text((*node.cast::<pg_sys::String>()).sval))
            .collect()
    }
}

/// A dotted name. What precedes the schema (a database) is left out.
///
/// # Safety
/// NULL or a list of nodes.
pub(super) unsafe fn dotted_name(list: *mut pg_sys::List) -> ObjectName {
    // SAFETY: by the caller's word.
    let mut parts = unsafe { strings(list) };
    let name = parts.pop().unwrap_or_default();
    ObjectName {
        schema: parts.pop(),
        name,
    }
}

/// The name of whatever stands for an object in DROP and ALTER statements.
///
/// # Safety
/// NULL or a node.
pub(super) unsafe fn object_name(node: *mut pg_sys::Node) -> ObjectName {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        match tag(node) {
            NodeTag::T_String => ObjectName {
                schema: None,
                name: text((*node.cast::<pg_sys::String>()).sval).unwrap_or_default(),
            },
            NodeTag::T_List => dotted_name(node.cast()),
            NodeTag::T_TypeName => dotted_name((*node.cast::<pg_sys::TypeName>()).names),
            NodeTag::T_ObjectWithArgs => {
                dotted_name((*node.cast::<pg_sys::ObjectWithArgs>()).objname)
            }
            _ => ObjectName {
                schema: None,
                name: String::new(),
            },
        }
    }
}

/// # Safety
/// NULL or a RangeVar.
pub(super) unsafe fn relation(relation: *const pg_sys::RangeVar) -> ObjectName {
    if relation.is_null() {
        return ObjectName {
            schema: None,
            name: String::new(),
        };
    }
    // SAFETY: by the caller's word.
    unsafe {
        ObjectName {
            schema: text((*relation).schemaname),
            name: text((*relation).relname).unwrap_or_default(),
        }
    }
}

/// A type as a script would write it, with its modifiers and without `pg_catalog`.
///
/// # Safety
/// NULL or a TypeName.
pub(super) unsafe fn type_text(type_name: *const pg_sys::TypeName) -> String {
    if type_name.is_null() {
        return String::new();
    }
    // SAFETY: by the caller's word; TypeNameToString reads only what the parser filled in.
    unsafe {
        let name = text(pg_sys::TypeNameToString(type_name)).unwrap_or_default();
        // The array bounds come behind the modifiers: numeric(10,2)[].
        let base = name
            .trim_end_matches("[]")
            .trim_start_matches("pg_catalog.");
        let modifiers: Vec<String> = nodes((*type_name).typmods)
            .into_iter()
            .filter_map(|node| integer(node))
            .collect();
        let modifiers = if modifiers.is_empty() {
            String::new()
        } else {
            format!("({})", modifiers.join(","))
        };
        let array = if (*type_name).arrayBounds.is_null() {
            ""
        } else {
            "[]"
        };
        format!("{base}{modifiers}{array}")
    }
}

/// What is cast, however often: there may be more casts than the stack has room for.
///
/// # Safety
/// NULL or an expression.
pub(super) unsafe fn without_casts(mut node: *mut pg_sys::Node) -> *mut pg_sys::Node {
    // SAFETY: by the caller's word, and the cast follows the tag.
    unsafe {
        while tag(node) == NodeTag::T_TypeCast {
            node = (*node.cast::<pg_sys::TypeCast>()).arg;
        }
    }
    node
}

/// The text of a constant, also of one with a cast.
///
/// # Safety
/// NULL or an expression.
pub(super) unsafe fn constant(node: *mut pg_sys::Node) -> Option<String> {
    // SAFETY: by the caller's word; the union's member follows its tag.
    unsafe {
        let node = without_casts(node);
        match tag(node) {
            NodeTag::T_A_Const => {
                let value = &(*node.cast::<pg_sys::A_Const>()).val;
                match value.node.type_ {
                    NodeTag::T_String => text(value.sval.sval),
                    NodeTag::T_Boolean => Some(value.boolval.boolval.to_string()),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// # Safety
/// NULL or a node.
unsafe fn integer(node: *mut pg_sys::Node) -> Option<String> {
    // SAFETY: by the caller's word; the union's member follows its tag.
    unsafe {
        if tag(node) != NodeTag::T_A_Const {
            return None;
        }
        let value = &(*node.cast::<pg_sys::A_Const>()).val;
        (value.node.type_ == NodeTag::T_Integer).then(|| value.ival.ival.to_string())
    }
}

/// Whether an option of that name is there and not false: `WITH (name)`, `WITH (name = true)`.
/// `absent` is the answer when it isn't there.
///
/// # Safety
/// NULL or a list of DefElems.
pub(super) unsafe fn option_is_on(list: *mut pg_sys::List, name: &str, absent: bool) -> bool {
    // SAFETY: by the caller's word; defGetBoolean raises for a value that is no boolean, as the
    // statement itself would.
    unsafe {
        nodes(list)
            .into_iter()
            .map(|node| node.cast::<pg_sys::DefElem>())
            .find(|option| text((**option).defname).as_deref() == Some(name))
            .map_or(absent, |option| pg_sys::defGetBoolean(option))
    }
}

/// # Safety
/// A statement node.
pub(in crate::pg) unsafe fn command_tag(node: *mut pg_sys::Node) -> String {
    // SAFETY: by the caller's word; the name is a static C string.
    unsafe { text(pg_sys::GetCommandTagName(pg_sys::CreateCommandTag(node))).unwrap_or_default() }
}
