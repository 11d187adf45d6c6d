//! Which statements can't be part of a migration, in its text or hidden in what it runs. Three kinds need the catalog to tell (REINDEX and
//! CLUSTER of a partitioned table, DROP SUBSCRIPTION with a slot): those fail when they run.

use pgrx::pg_sys::{self, NodeTag};
use versioning_core::script::{Refusal, RefusalKind};

use super::tree;

/// # Safety
/// A statement node of a raw parse tree.
pub(super) unsafe fn refusal(node: *mut pg_sys::Node) -> Option<Refusal> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        let command = || tree::command_tag(node);
        match tree::tag(node) {
            NodeTag::T_TransactionStmt => Some(Refusal {
                kind: RefusalKind::TransactionControl,
                what: command(),
            }),
            NodeTag::T_CopyStmt => client_copy(&*node.cast()),
            NodeTag::T_SelectStmt => select_into(node.cast()).then(|| Refusal {
                kind: RefusalKind::SelectInto,
                what: "SELECT INTO".to_owned(),
            }),
            _ => top_level_only(node)
                .map(|what| Refusal {
                    kind: RefusalKind::NeedsTopLevel,
                    what,
                })
                .or_else(|| beyond_the_script(node)),
        }
    }
}

/// Statements that reach beyond their script. PostgreSQL itself runs them anywhere, so they are also
/// refused while a script runs, where a DO block or a function has hidden them.
///
/// # Safety
/// A statement node, of a raw parse tree or of a planned utility statement.
pub(in crate::pg) unsafe fn beyond_the_script(node: *mut pg_sys::Node) -> Option<Refusal> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    let (kind, what) = unsafe {
        let session = |what| Some((RefusalKind::SessionState, what));
        match tree::tag(node) {
            NodeTag::T_PrepareStmt
            | NodeTag::T_ExecuteStmt
            | NodeTag::T_DeallocateStmt
            | NodeTag::T_ListenStmt
            | NodeTag::T_UnlistenStmt
            | NodeTag::T_LoadStmt => session(tree::command_tag(node)),
            NodeTag::T_DiscardStmt => {
                let target = (*node.cast::<pg_sys::DiscardStmt>()).target;
                (target != pg_sys::DiscardMode::DISCARD_PLANS)
                    .then(|| (RefusalKind::SessionState, tree::command_tag(node)))
            }
            NodeTag::T_DeclareCursorStmt => {
                let options = (*node.cast::<pg_sys::DeclareCursorStmt>()).options;
                (options & pg_sys::CURSOR_OPT_HOLD as i32 != 0).then(|| {
                    (
                        RefusalKind::SessionState,
                        "DECLARE CURSOR WITH HOLD".to_owned(),
                    )
                })
            }
            NodeTag::T_ClosePortalStmt => (*node.cast::<pg_sys::ClosePortalStmt>())
                .portalname
                .is_null()
                .then(|| (RefusalKind::SessionState, "CLOSE ALL".to_owned())),
            NodeTag::T_VariableSetStmt => role_change(&*node.cast()),
            _ => own_extension(node),
        }?
    };
    Some(Refusal { kind, what })
}

/// # Safety
/// As [`beyond_the_script`].
unsafe fn role_change(set: &pg_sys::VariableSetStmt) -> Option<(RefusalKind, String)> {
    use pg_sys::VariableSetKind as Kind;
    // SAFETY: by the caller's word; the name is NULL or a C string.
    let name = unsafe { tree::text(set.name) }?;
    let what = match name.as_str() {
        "role" => "ROLE",
        "session_authorization" => "SESSION AUTHORIZATION",
        _ => return None,
    };
    let verb = if set.kind == Kind::VAR_RESET {
        "RESET"
    } else {
        "SET"
    };
    Some((RefusalKind::RoleChange, format!("{verb} {what}")))
}

/// What belongs to this extension and is none of a module's.
const OWN_NAMES: &[&str] = &["module_versioning", "module_versioning_data"];

/// # Safety
/// As [`beyond_the_script`].
unsafe fn own_extension(node: *mut pg_sys::Node) -> Option<(RefusalKind, String)> {
    let is_own = |name: &str| OWN_NAMES.contains(&name);
    // SAFETY: by the caller's word, and each cast follows the tag.
    let found = unsafe {
        match tree::tag(node) {
            NodeTag::T_AlterExtensionStmt => {
                tree::text((*node.cast::<pg_sys::AlterExtensionStmt>()).extname)
                    .is_some_and(|name| is_own(&name))
            }
            NodeTag::T_AlterExtensionContentsStmt => {
                tree::text((*node.cast::<pg_sys::AlterExtensionContentsStmt>()).extname)
                    .is_some_and(|name| is_own(&name))
            }
            NodeTag::T_DropStmt | NodeTag::T_RenameStmt => {
                schemas_or_extensions(node).iter().any(|name| is_own(name))
            }
            _ => false,
        }
    };
    found.then(|| {
        // SAFETY: as above.
        let command = unsafe { tree::command_tag(node) };
        (
            RefusalKind::OwnExtension,
            format!("{command} module_versioning"),
        )
    })
}

/// The schemas and extensions that a statement drops or renames.
///
/// # Safety
/// A DropStmt or RenameStmt.
unsafe fn schemas_or_extensions(node: *mut pg_sys::Node) -> Vec<String> {
    use pg_sys::ObjectType as Kind;
    // SAFETY: by the caller's word.
    unsafe {
        if tree::tag(node) == NodeTag::T_RenameStmt {
            let rename = &*node.cast::<pg_sys::RenameStmt>();
            return match rename.renameType {
                Kind::OBJECT_SCHEMA => tree::text(rename.subname).into_iter().collect(),
                _ => Vec::new(),
            };
        }
        let drop = &*node.cast::<pg_sys::DropStmt>();
        match drop.removeType {
            Kind::OBJECT_SCHEMA | Kind::OBJECT_EXTENSION => tree::strings(drop.objects),
            _ => Vec::new(),
        }
    }
}

/// Whether the statement drops or renames that schema.
///
/// # Safety
/// As [`beyond_the_script`].
pub(in crate::pg) unsafe fn removes_schema(node: *mut pg_sys::Node, schema: &str) -> bool {
    // SAFETY: by the caller's word; the tag is looked at first.
    unsafe {
        matches!(tree::tag(node), NodeTag::T_DropStmt | NodeTag::T_RenameStmt)
            && schemas_or_extensions(node)
                .iter()
                .any(|name| name == schema)
    }
}

/// The cursor that a statement reads or closes by its name.
///
/// # Safety
/// As [`beyond_the_script`].
pub(in crate::pg) unsafe fn named_cursor(node: *mut pg_sys::Node) -> Option<String> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        match tree::tag(node) {
            NodeTag::T_FetchStmt => tree::text((*node.cast::<pg_sys::FetchStmt>()).portalname),
            NodeTag::T_ClosePortalStmt => {
                tree::text((*node.cast::<pg_sys::ClosePortalStmt>()).portalname)
            }
            _ => None,
        }
    }
}

fn client_copy(copy: &pg_sys::CopyStmt) -> Option<Refusal> {
    let what = if copy.is_from {
        "COPY FROM STDIN"
    } else {
        "COPY TO STDOUT"
    };
    copy.filename.is_null().then(|| Refusal {
        kind: RefusalKind::ClientCopy,
        what: what.to_owned(),
    })
}

/// In a set operation INTO hangs on the leftmost arm.
///
/// # Safety
/// A SelectStmt.
unsafe fn select_into(mut select: *const pg_sys::SelectStmt) -> bool {
    // SAFETY: by the caller's word; larg is NULL or a SelectStmt.
    unsafe {
        while !select.is_null() {
            if !(*select).intoClause.is_null() {
                return true;
            }
            select = (*select).larg;
        }
    }
    false
}

/// The name of the statement, if PostgreSQL runs it only outside a transaction block.
///
/// # Safety
/// A statement node of a raw parse tree.
unsafe fn top_level_only(node: *mut pg_sys::Node) -> Option<String> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        let command = || tree::command_tag(node);
        let concurrently = || format!("{} CONCURRENTLY", command());
        match tree::tag(node) {
            NodeTag::T_IndexStmt => (*node.cast::<pg_sys::IndexStmt>())
                .concurrent
                .then(concurrently),
            NodeTag::T_DropStmt => (*node.cast::<pg_sys::DropStmt>())
                .concurrent
                .then(concurrently),
            NodeTag::T_ReindexStmt => reindex(&*node.cast()),
            NodeTag::T_VacuumStmt => (*node.cast::<pg_sys::VacuumStmt>())
                .is_vacuumcmd
                .then(command),
            NodeTag::T_ClusterStmt => (*node.cast::<pg_sys::ClusterStmt>())
                .relation
                .is_null()
                .then(|| "CLUSTER without a table".to_owned()),
            NodeTag::T_CreatedbStmt
            | NodeTag::T_DropdbStmt
            | NodeTag::T_CreateTableSpaceStmt
            | NodeTag::T_DropTableSpaceStmt
            | NodeTag::T_AlterSystemStmt => Some(command()),
            NodeTag::T_AlterDatabaseStmt => {
                let options = (*node.cast::<pg_sys::AlterDatabaseStmt>()).options;
                has_option(options, "tablespace")
                    .then(|| "ALTER DATABASE SET TABLESPACE".to_owned())
            }
            NodeTag::T_CreateSubscriptionStmt => {
                let options = (*node.cast::<pg_sys::CreateSubscriptionStmt>()).options;
                let connect = tree::option_is_on(options, "connect", true);
                tree::option_is_on(options, "create_slot", connect).then(command)
            }
            NodeTag::T_AlterSubscriptionStmt => alter_subscription(&*node.cast()),
            NodeTag::T_DiscardStmt => ((*node.cast::<pg_sys::DiscardStmt>()).target
                == pg_sys::DiscardMode::DISCARD_ALL)
                .then(|| "DISCARD ALL".to_owned()),
            NodeTag::T_AlterTableStmt => detach_concurrently(&*node.cast()),
            _ => None,
        }
    }
}

/// # Safety
/// NULL or a list of DefElems.
unsafe fn has_option(list: *mut pg_sys::List, name: &str) -> bool {
    // SAFETY: by the caller's word.
    unsafe {
        tree::nodes(list).into_iter().any(|node| {
            tree::text((*node.cast::<pg_sys::DefElem>()).defname).as_deref() == Some(name)
        })
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn reindex(reindex: &pg_sys::ReindexStmt) -> Option<String> {
    use pg_sys::ReindexObjectType as Kind;
    // SAFETY: by the caller's word.
    if unsafe { tree::option_is_on(reindex.params, "concurrently", false) } {
        return Some("REINDEX CONCURRENTLY".to_owned());
    }
    match reindex.kind {
        Kind::REINDEX_OBJECT_SCHEMA => Some("REINDEX SCHEMA".to_owned()),
        Kind::REINDEX_OBJECT_DATABASE => Some("REINDEX DATABASE".to_owned()),
        Kind::REINDEX_OBJECT_SYSTEM => Some("REINDEX SYSTEM".to_owned()),
        _ => None,
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn alter_subscription(alter: &pg_sys::AlterSubscriptionStmt) -> Option<String> {
    use pg_sys::AlterSubscriptionType as Kind;
    // SAFETY: by the caller's word.
    let refreshes = || unsafe { tree::option_is_on(alter.options, "refresh", true) };
    match alter.kind {
        Kind::ALTER_SUBSCRIPTION_REFRESH => {
            Some("ALTER SUBSCRIPTION REFRESH PUBLICATION".to_owned())
        }
        Kind::ALTER_SUBSCRIPTION_SET_PUBLICATION
        | Kind::ALTER_SUBSCRIPTION_ADD_PUBLICATION
        | Kind::ALTER_SUBSCRIPTION_DROP_PUBLICATION
            if refreshes() =>
        {
            Some("ALTER SUBSCRIPTION with refresh".to_owned())
        }
        // SAFETY: by the caller's word.
        Kind::ALTER_SUBSCRIPTION_OPTIONS if unsafe { changes_slot(alter.options) } => {
            Some("ALTER SUBSCRIPTION SET".to_owned())
        }
        _ => None,
    }
}

/// Options that belong to the slot at the publisher too: since PostgreSQL 17 and 18.
///
/// # Safety
/// NULL or a list of DefElems.
unsafe fn changes_slot(options: *mut pg_sys::List) -> bool {
    let names: &[&str] = if cfg!(feature = "pg18") {
        &["failover", "two_phase"]
    } else if cfg!(feature = "pg17") {
        &["failover"]
    } else {
        &[]
    };
    // SAFETY: by the caller's word.
    names
        .iter()
        .any(|name| unsafe { has_option(options, name) })
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn detach_concurrently(alter: &pg_sys::AlterTableStmt) -> Option<String> {
    // SAFETY: by the caller's word; the definition of a detach is a PartitionCmd.
    let found = unsafe {
        tree::nodes(alter.cmds)
            .into_iter()
            .map(|node| &*node.cast::<pg_sys::AlterTableCmd>())
            .any(|command| {
                command.subtype == pg_sys::AlterTableType::AT_DetachPartition
                    && tree::tag(command.def) == NodeTag::T_PartitionCmd
                    && (*command.def.cast::<pg_sys::PartitionCmd>()).concurrent
            })
    };
    found.then(|| "ALTER TABLE DETACH PARTITION CONCURRENTLY".to_owned())
}
