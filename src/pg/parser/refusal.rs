//! Which statements can't be part of a migration. Three kinds need the catalog to tell (REINDEX and
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
            _ => {
                let what = top_level_only(node)?;
                Some(Refusal {
                    kind: RefusalKind::NeedsTopLevel,
                    what,
                })
            }
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
        _ => None,
    }
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
