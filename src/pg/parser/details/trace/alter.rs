//! What ALTER statements change, and what they switch on and off.

use pgrx::pg_sys::{self, AlterTableType, NodeTag, ObjectType};
use versioning_core::detail::{Mark, Trace};
use versioning_core::effect::ObjectName;

use super::super::super::tree;
use super::super::table::partition;
use super::{create, named};

fn set(kind: &'static str, object: ObjectName) -> Option<Vec<Trace>> {
    Some(vec![Trace::of(kind, object, Mark::Set)])
}

/// # Safety
/// A statement node of a raw parse tree.
pub(super) unsafe fn traces(node: *mut pg_sys::Node) -> Option<Vec<Trace>> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        database_wide(node).or_else(|| match tree::tag(node) {
            NodeTag::T_AlterTableStmt => Some(table(&*node.cast())),
            NodeTag::T_RenameStmt => Some(rename(&*node.cast()).into_iter().collect()),
            NodeTag::T_AlterObjectSchemaStmt => Some(moved(&*node.cast()).into_iter().collect()),
            NodeTag::T_AlterOwnerStmt => {
                let alter = &*node.cast::<pg_sys::AlterOwnerStmt>();
                let (object, part) = about(alter.objectType, alter.relation, alter.object);
                Some(vec![Trace::of("owner", object, Mark::Set).part(part)])
            }
            NodeTag::T_AlterPolicyStmt => {
                let policy = &*node.cast::<pg_sys::AlterPolicyStmt>();
                let name = tree::text(policy.policy_name);
                let trace = Trace::of("policy", tree::relation(policy.table), Mark::Set);
                Some(vec![trace.part(name)])
            }
            NodeTag::T_AlterFunctionStmt => {
                let routine = &*(*node.cast::<pg_sys::AlterFunctionStmt>()).func;
                let types = tree::nodes(routine.objargs).into_iter();
                let part = (!routine.args_unspecified).then(|| named::signature(types));
                let name = tree::dotted_name(routine.objname);
                Some(vec![Trace::of("function", name, Mark::Set).part(part)])
            }
            NodeTag::T_AlterDomainStmt => Some(domain(&*node.cast()).into_iter().collect()),
            NodeTag::T_AlterSeqStmt => Some(sequence(&*node.cast()).into_iter().collect()),
            _ => type_or_search(node),
        })
    }
}

/// # Safety
/// A statement node of a raw parse tree.
unsafe fn type_or_search(node: *mut pg_sys::Node) -> Option<Vec<Trace>> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        let (kind, names) = match tree::tag(node) {
            NodeTag::T_AlterTypeStmt => ("type", (*node.cast::<pg_sys::AlterTypeStmt>()).typeName),
            NodeTag::T_AlterOpFamilyStmt => (
                "operator family",
                (*node.cast::<pg_sys::AlterOpFamilyStmt>()).opfamilyname,
            ),
            NodeTag::T_AlterOperatorStmt => {
                let operator = (*node.cast::<pg_sys::AlterOperatorStmt>()).opername;
                ("operator", (*operator).objname)
            }
            NodeTag::T_AlterStatsStmt => (
                "statistics object",
                (*node.cast::<pg_sys::AlterStatsStmt>()).defnames,
            ),
            NodeTag::T_AlterTSConfigurationStmt => (
                "text search configuration",
                (*node.cast::<pg_sys::AlterTSConfigurationStmt>()).cfgname,
            ),
            NodeTag::T_AlterTSDictionaryStmt => (
                "text search dictionary",
                (*node.cast::<pg_sys::AlterTSDictionaryStmt>()).dictname,
            ),
            _ => return None,
        };
        set(kind, tree::dotted_name(names))
    }
}

/// # Safety
/// A statement node of a raw parse tree.
unsafe fn database_wide(node: *mut pg_sys::Node) -> Option<Vec<Trace>> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        let (kind, mark, name) = match tree::tag(node) {
            NodeTag::T_AlterExtensionStmt => (
                "extension",
                Mark::Set,
                (*node.cast::<pg_sys::AlterExtensionStmt>()).extname,
            ),
            NodeTag::T_AlterFdwStmt => (
                "foreign-data wrapper",
                Mark::Set,
                (*node.cast::<pg_sys::AlterFdwStmt>()).fdwname,
            ),
            NodeTag::T_AlterForeignServerStmt => (
                "server",
                Mark::Set,
                (*node.cast::<pg_sys::AlterForeignServerStmt>()).servername,
            ),
            NodeTag::T_AlterPublicationStmt => (
                "publication",
                Mark::Set,
                (*node.cast::<pg_sys::AlterPublicationStmt>()).pubname,
            ),
            NodeTag::T_AlterSubscriptionStmt => (
                "subscription",
                Mark::Set,
                (*node.cast::<pg_sys::AlterSubscriptionStmt>()).subname,
            ),
            NodeTag::T_DropSubscriptionStmt => (
                "subscription",
                Mark::Gone,
                (*node.cast::<pg_sys::DropSubscriptionStmt>()).subname,
            ),
            NodeTag::T_AlterEventTrigStmt => (
                "event trigger",
                Mark::Set,
                (*node.cast::<pg_sys::AlterEventTrigStmt>()).trigname,
            ),
            NodeTag::T_AlterUserMappingStmt => {
                let mapping = &*node.cast::<pg_sys::AlterUserMappingStmt>();
                let (server, user) = (mapping.servername, mapping.user);
                return Some(vec![create::user_mapping(server, user, Mark::Set)]);
            }
            NodeTag::T_DropUserMappingStmt => {
                let mapping = &*node.cast::<pg_sys::DropUserMappingStmt>();
                let (server, user) = (mapping.servername, mapping.user);
                return Some(vec![create::user_mapping(server, user, Mark::Gone)]);
            }
            _ => return None,
        };
        let name = named::plain(&tree::text(name).unwrap_or_default());
        Some(vec![Trace::of(kind, name, mark)])
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn about(
    kind: ObjectType::Type,
    relation: *const pg_sys::RangeVar,
    object: *mut pg_sys::Node,
) -> (ObjectName, Option<String>) {
    // SAFETY: by the caller's word; relations are named by `relation`, all else by `object`.
    unsafe {
        match relation.is_null() {
            true => named::target(kind, object),
            false => (tree::relation(relation), None),
        }
    }
}

/// What a statement on a table, view, index or sequence changes besides columns and constraints.
///
/// # Safety
/// Part of a raw parse tree.
unsafe fn table(alter: &pg_sys::AlterTableStmt) -> Vec<Trace> {
    // SAFETY: by the caller's word; the list holds AlterTableCmds.
    unsafe {
        let name = tree::relation(alter.relation);
        let commands = tree::nodes(alter.cmds)
            .into_iter()
            .map(|node| &*node.cast::<pg_sys::AlterTableCmd>());
        match alter.objtype {
            ObjectType::OBJECT_TABLE | ObjectType::OBJECT_FOREIGN_TABLE => {
                commands.filter_map(|one| command(&name, one)).collect()
            }
            ObjectType::OBJECT_TYPE => commands.filter_map(|one| attribute(&name, one)).collect(),
            kind => commands
                .map(|one| {
                    let what = match one.subtype {
                        AlterTableType::AT_ChangeOwner => "owner",
                        _ if kind == ObjectType::OBJECT_VIEW => "view options",
                        _ => named::word(kind),
                    };
                    Trace::of(what, name.clone(), Mark::Set)
                })
                .collect(),
        }
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn command(table: &ObjectName, command: &pg_sys::AlterTableCmd) -> Option<Trace> {
    use AlterTableType as Kind;
    // SAFETY: by the caller's word; what `def` is follows from the subtype.
    unsafe {
        let (kind, mark, part) = match command.subtype {
            Kind::AT_EnableRowSecurity => ("row level security", Mark::On, None),
            Kind::AT_DisableRowSecurity => ("row level security", Mark::Off, None),
            Kind::AT_ForceRowSecurity => ("forced row level security", Mark::On, None),
            Kind::AT_NoForceRowSecurity => ("forced row level security", Mark::Off, None),
            Kind::AT_SetLogged => ("logging", Mark::On, None),
            Kind::AT_SetUnLogged => ("logging", Mark::Off, None),
            Kind::AT_EnableTrig | Kind::AT_EnableTrigAll | Kind::AT_EnableTrigUser => {
                ("firing of triggers", Mark::On, tree::text(command.name))
            }
            Kind::AT_DisableTrig | Kind::AT_DisableTrigAll | Kind::AT_DisableTrigUser => {
                ("firing of triggers", Mark::Off, tree::text(command.name))
            }
            Kind::AT_EnableRule => ("firing of rules", Mark::On, tree::text(command.name)),
            Kind::AT_DisableRule => ("firing of rules", Mark::Off, tree::text(command.name)),
            Kind::AT_AddInherit => (
                "inheritance",
                Mark::On,
                Some(tree::relation(command.def.cast()).to_string()),
            ),
            Kind::AT_DropInherit => (
                "inheritance",
                Mark::Off,
                Some(tree::relation(command.def.cast()).to_string()),
            ),
            Kind::AT_AttachPartition => {
                ("partition", Mark::On, Some(partition(command).to_string()))
            }
            Kind::AT_DetachPartition => {
                ("partition", Mark::Off, Some(partition(command).to_string()))
            }
            kind => (lasting(kind)?, Mark::Set, None),
        };
        Some(Trace::of(kind, table.clone(), mark).part(part))
    }
}

/// What is set on a table as a whole.
fn lasting(kind: AlterTableType::Type) -> Option<&'static str> {
    use AlterTableType as Kind;
    Some(match kind {
        Kind::AT_ChangeOwner => "owner",
        Kind::AT_SetAccessMethod => "access method",
        Kind::AT_SetTableSpace => "tablespace",
        Kind::AT_ReplicaIdentity => "replica identity",
        Kind::AT_SetRelOptions | Kind::AT_ResetRelOptions => "options",
        Kind::AT_GenericOptions => "options",
        Kind::AT_ClusterOn | Kind::AT_DropCluster => "clustering",
        Kind::AT_AddOf | Kind::AT_DropOf => "type",
        Kind::AT_EnableAlwaysTrig | Kind::AT_EnableReplicaTrig => "firing of triggers",
        Kind::AT_EnableAlwaysRule | Kind::AT_EnableReplicaRule => "firing of rules",
        _ => return None,
    })
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn attribute(type_name: &ObjectName, command: &pg_sys::AlterTableCmd) -> Option<Trace> {
    // SAFETY: by the caller's word; a new attribute is named by its definition.
    unsafe {
        let named = || tree::text(command.name);
        let (mark, part) = match command.subtype {
            AlterTableType::AT_AddColumn => (
                Mark::Made,
                tree::text((*command.def.cast::<pg_sys::ColumnDef>()).colname),
            ),
            AlterTableType::AT_DropColumn => (Mark::Gone, named()),
            AlterTableType::AT_AlterColumnType => (Mark::Set, named()),
            AlterTableType::AT_ChangeOwner => {
                return Some(Trace::of("owner", type_name.clone(), Mark::Set));
            }
            _ => return None,
        };
        Some(Trace::of("attribute", type_name.clone(), mark).part(part))
    }
}

/// Tables and their columns are told by the effects, roles and databases belong to the server.
///
/// # Safety
/// Part of a raw parse tree.
unsafe fn rename(rename: &pg_sys::RenameStmt) -> Option<Trace> {
    // SAFETY: by the caller's word.
    unsafe {
        let is_of_table = matches!(
            rename.relationType,
            ObjectType::OBJECT_TABLE | ObjectType::OBJECT_FOREIGN_TABLE
        );
        let (object, part) = match rename.renameType {
            ObjectType::OBJECT_TABLE
            | ObjectType::OBJECT_FOREIGN_TABLE
            | ObjectType::OBJECT_ROLE
            | ObjectType::OBJECT_DATABASE
            | ObjectType::OBJECT_TABLESPACE => return None,
            ObjectType::OBJECT_COLUMN if is_of_table => return None,
            ObjectType::OBJECT_SCHEMA => {
                let name = tree::text(rename.subname).unwrap_or_default();
                (named::plain(&name), None)
            }
            ObjectType::OBJECT_DOMCONSTRAINT => {
                (tree::object_name(rename.object), tree::text(rename.subname))
            }
            kind if rename.relation.is_null() => {
                let (object, signature) = named::target(kind, rename.object);
                // The arguments of a function are no name of a part of it.
                (
                    object,
                    signature.filter(|_| named::word(kind) != "function"),
                )
            }
            _ => (tree::relation(rename.relation), tree::text(rename.subname)),
        };
        let mark = Mark::Renamed(tree::text(rename.newname).unwrap_or_default());
        Some(Trace::of(named::word(rename.renameType), object, mark).part(part))
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn moved(alter: &pg_sys::AlterObjectSchemaStmt) -> Option<Trace> {
    if matches!(
        alter.objectType,
        ObjectType::OBJECT_TABLE | ObjectType::OBJECT_FOREIGN_TABLE
    ) {
        return None;
    }
    // SAFETY: by the caller's word.
    unsafe {
        let (object, _) = about(alter.objectType, alter.relation, alter.object);
        let mark = Mark::Moved(tree::text(alter.newschema).unwrap_or_default());
        Some(Trace::of(named::word(alter.objectType), object, mark))
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn domain(alter: &pg_sys::AlterDomainStmt) -> Option<Trace> {
    // SAFETY: by the caller's word; the definition of ADD CONSTRAINT is a Constraint.
    unsafe {
        let name = tree::dotted_name(alter.typeName);
        let constraint = |mark, part| Some(Trace::of("constraint", name.clone(), mark).part(part));
        match alter.subtype as u8 {
            b'T' => Some(Trace::of("default of domain", name, Mark::Set)),
            b'O' => Some(Trace::of("NOT NULL of domain", name, Mark::On)),
            b'N' => Some(Trace::of("NOT NULL of domain", name, Mark::Off)),
            b'C' => {
                let added = &*alter.def.cast::<pg_sys::Constraint>();
                constraint(Mark::Made, tree::text(added.conname))
            }
            b'X' => constraint(Mark::Gone, tree::text(alter.name)),
            _ => None,
        }
    }
}

/// RESTART is no change of the sequence itself.
///
/// # Safety
/// Part of a raw parse tree.
unsafe fn sequence(alter: &pg_sys::AlterSeqStmt) -> Option<Trace> {
    // SAFETY: by the caller's word; the options are DefElems.
    unsafe {
        let changes = tree::nodes(alter.options).into_iter().any(|node| {
            let name = tree::text((*node.cast::<pg_sys::DefElem>()).defname);
            name.as_deref() != Some("restart")
        });
        let mut trace = Trace::of("sequence", tree::relation(alter.sequence), Mark::Set);
        trace.holders.extend(create::owner_column(alter.options));
        changes.then_some(trace)
    }
}
