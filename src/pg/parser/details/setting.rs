//! Settings that a script changes, for itself or for sessions that begin later.

use pgrx::pg_sys::{self, NodeTag};
use versioning_core::detail::Detail;
use versioning_core::plpgsql;

use super::super::tree;

/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn setting(set: &pg_sys::VariableSetStmt) -> Option<Detail> {
    use pg_sys::VariableSetKind as Kind;
    // SAFETY: by the caller's word.
    let name = unsafe { tree::text(set.name) }.map(|name| name.to_lowercase());
    let (name, local) = match set.kind {
        Kind::VAR_SET_MULTI => return None,
        // Of what is reset, only this one changes what the script means.
        Kind::VAR_RESET_ALL => ("search_path".to_owned(), true),
        Kind::VAR_RESET => (name.filter(|name| name == "search_path")?, true),
        _ => (name?, set.is_local),
    };
    Some(Detail::Setting { name, local })
}

/// What sessions of a role or database begin with.
///
/// # Safety
/// A statement node of a raw parse tree, and what it sets.
pub(super) unsafe fn default_setting(
    node: *mut pg_sys::Node,
    set: *const pg_sys::VariableSetStmt,
) -> Vec<Detail> {
    // SAFETY: by the caller's word.
    let (command, name) = unsafe { (tree::command_tag(node), tree::text((*set).name)) };
    let setting = name.map(|name| Detail::DefaultSetting {
        command: command.clone(),
        name: name.to_lowercase(),
    });
    let mut found = vec![Detail::ClusterWide { command }];
    found.extend(setting);
    found
}

/// The settings that a block changes.
///
/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn block(block: &pg_sys::DoStmt) -> Vec<Detail> {
    // SAFETY: by the caller's word; the arguments are DefElems of Strings.
    let argument = |wanted: &str| unsafe {
        tree::nodes(block.args)
            .into_iter()
            .map(|node| &*node.cast::<pg_sys::DefElem>())
            .filter(|option| tree::text(option.defname).as_deref() == Some(wanted))
            .filter(|option| tree::tag(option.arg) == NodeTag::T_String)
            .find_map(|option| tree::text((*option.arg.cast::<pg_sys::String>()).sval))
    };
    if argument("language").is_some_and(|language| language != "plpgsql") {
        return Vec::new();
    }
    plpgsql::settings(&argument("as").unwrap_or_default())
        .into_iter()
        .map(|setting| match setting.command {
            Some(command) => Detail::DefaultSetting {
                command,
                name: setting.name,
            },
            None => Detail::Setting {
                name: setting.name,
                local: setting.local,
            },
        })
        .collect()
}
