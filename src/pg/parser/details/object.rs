//! Views, functions, types, policies, rights and whatever else is no table.

use pgrx::pg_sys::{self, NodeTag, ObjectType};
use versioning_core::detail::{AttributeChange, Detail, TableChange};
use versioning_core::effect::{ObjectKind, ObjectName};

use super::super::{effects, tree};
use super::{column, routine, setting};

/// # Safety
/// A statement node of a raw parse tree.
pub(super) unsafe fn details(node: *mut pg_sys::Node) -> Vec<Detail> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        match tree::tag(node) {
            NodeTag::T_GrantStmt => grant(&*node.cast()),
            NodeTag::T_VariableSetStmt => setting::setting(&*node.cast()).into_iter().collect(),
            NodeTag::T_AlterObjectSchemaStmt => moved(&*node.cast()).into_iter().collect(),
            NodeTag::T_AlterDomainStmt => domain(&*node.cast()).into_iter().collect(),
            NodeTag::T_CreateRoleStmt
            | NodeTag::T_AlterRoleStmt
            | NodeTag::T_DropRoleStmt
            | NodeTag::T_GrantRoleStmt
            | NodeTag::T_ReassignOwnedStmt
            | NodeTag::T_AlterDatabaseStmt => vec![Detail::ClusterWide {
                command: tree::command_tag(node),
            }],
            NodeTag::T_AlterRoleSetStmt => {
                setting::default_setting(node, (*node.cast::<pg_sys::AlterRoleSetStmt>()).setstmt)
            }
            NodeTag::T_AlterDatabaseSetStmt => setting::default_setting(
                node,
                (*node.cast::<pg_sys::AlterDatabaseSetStmt>()).setstmt,
            ),
            _ => relation(node)
                .or_else(|| routine::detail(node))
                .or_else(|| kind(node))
                .into_iter()
                .collect(),
        }
    }
}

/// Tables are told by the effects.
///
/// # Safety
/// Part of a raw parse tree.
unsafe fn moved(alter: &pg_sys::AlterObjectSchemaStmt) -> Option<Detail> {
    if matches!(
        alter.objectType,
        ObjectType::OBJECT_TABLE | ObjectType::OBJECT_FOREIGN_TABLE
    ) {
        return None;
    }
    // SAFETY: by the caller's word; relations are named by `relation`, all else by `object`.
    let name = unsafe {
        match alter.relation.is_null() {
            true => tree::object_name(alter.object),
            false => tree::relation(alter.relation),
        }
    };
    Some(Detail::MovedObject {
        kind: effects::object_kind(alter.objectType),
        name,
    })
}

/// What hangs on a relation.
///
/// # Safety
/// A statement node of a raw parse tree.
unsafe fn relation(node: *mut pg_sys::Node) -> Option<Detail> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        Some(match tree::tag(node) {
            NodeTag::T_ViewStmt => view(&*node.cast()),
            NodeTag::T_RefreshMatViewStmt => {
                let refresh = &*node.cast::<pg_sys::RefreshMatViewStmt>();
                Detail::Refresh {
                    view: tree::relation(refresh.relation),
                    concurrently: refresh.concurrent,
                    empties: refresh.skipData,
                }
            }
            NodeTag::T_CreateTrigStmt => {
                let trigger = &*node.cast::<pg_sys::CreateTrigStmt>();
                Detail::NewTrigger {
                    name: tree::text(trigger.trigname).unwrap_or_default(),
                    table: tree::relation(trigger.relation),
                }
            }
            NodeTag::T_RuleStmt => {
                let rule = &*node.cast::<pg_sys::RuleStmt>();
                Detail::NewRule {
                    name: tree::text(rule.rulename).unwrap_or_default(),
                    table: tree::relation(rule.relation),
                }
            }
            NodeTag::T_CreatePolicyStmt => {
                let policy = &*node.cast::<pg_sys::CreatePolicyStmt>();
                Detail::NewPolicy {
                    name: tree::text(policy.policy_name).unwrap_or_default(),
                    table: tree::relation(policy.table),
                    restrictive: !policy.permissive,
                }
            }
            NodeTag::T_AlterPolicyStmt => {
                let policy = &*node.cast::<pg_sys::AlterPolicyStmt>();
                Detail::AlterPolicy {
                    name: tree::text(policy.policy_name).unwrap_or_default(),
                    table: tree::relation(policy.table),
                }
            }
            NodeTag::T_ClusterStmt => {
                rebuild((*node.cast::<pg_sys::ClusterStmt>()).relation, true)?
            }
            NodeTag::T_ReindexStmt => {
                rebuild((*node.cast::<pg_sys::ReindexStmt>()).relation, false)?
            }
            NodeTag::T_CreateSeqStmt => new(
                ObjectKind::Sequence,
                tree::relation((*node.cast::<pg_sys::CreateSeqStmt>()).sequence),
            ),
            NodeTag::T_AlterSeqStmt => sequence(&*node.cast())?,
            _ => return None,
        })
    }
}

/// # Safety
/// NULL or a RangeVar of a raw parse tree.
unsafe fn rebuild(relation: *const pg_sys::RangeVar, rewrites: bool) -> Option<Detail> {
    if relation.is_null() {
        return None;
    }
    // SAFETY: by the caller's word.
    let name = unsafe { tree::relation(relation) };
    Some(Detail::Rebuild { name, rewrites })
}

fn new(kind: ObjectKind, name: ObjectName) -> Detail {
    Detail::NewObject { kind, name }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn view(view: &pg_sys::ViewStmt) -> Detail {
    // SAFETY: by the caller's word.
    let (relation, temporary) = unsafe {
        let persistence = (*view.view).relpersistence as u8;
        (
            tree::relation(view.view),
            persistence == pg_sys::RELPERSISTENCE_TEMP,
        )
    };
    Detail::NewView {
        view: relation,
        replaces: view.replace,
        materialized: false,
        check_option: view.withCheckOption != pg_sys::ViewCheckOption::NO_CHECK_OPTION,
        temporary,
    }
}

/// `OWNED BY` alone says who drops it: nothing that a client sees.
///
/// # Safety
/// Part of a raw parse tree.
unsafe fn sequence(alter: &pg_sys::AlterSeqStmt) -> Option<Detail> {
    // SAFETY: by the caller's word; the options are DefElems.
    unsafe {
        let options: Vec<String> = tree::nodes(alter.options)
            .into_iter()
            .filter_map(|node| tree::text((*node.cast::<pg_sys::DefElem>()).defname))
            .collect();
        let restarts = options.iter().any(|option| option == "restart");
        let visible = options.iter().any(|option| option != "owned_by");
        visible.then(|| Detail::AlterSequence {
            sequence: tree::relation(alter.sequence),
            restarts,
        })
    }
}

/// Types.
///
/// # Safety
/// A statement node of a raw parse tree.
unsafe fn kind(node: *mut pg_sys::Node) -> Option<Detail> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        let names = match tree::tag(node) {
            NodeTag::T_CreateEnumStmt => (*node.cast::<pg_sys::CreateEnumStmt>()).typeName,
            NodeTag::T_CreateRangeStmt => (*node.cast::<pg_sys::CreateRangeStmt>()).typeName,
            NodeTag::T_CompositeTypeStmt => {
                let composite = &*node.cast::<pg_sys::CompositeTypeStmt>();
                return Some(new(ObjectKind::Type, tree::relation(composite.typevar)));
            }
            NodeTag::T_CreateDomainStmt => {
                let domain = &*node.cast::<pg_sys::CreateDomainStmt>();
                return Some(Detail::NewDomain {
                    domain: tree::dotted_name(domain.domainname),
                    base: versioning_core::detail::Column {
                        type_name: tree::type_text(domain.typeName),
                        type_is_qualified: column::type_is_qualified(domain.typeName),
                        constraints: tree::nodes(domain.constraints)
                            .into_iter()
                            .filter(|node| tree::tag(*node) == NodeTag::T_Constraint)
                            .filter_map(|node| column::constraint(&*node.cast()))
                            .collect(),
                        ..Default::default()
                    },
                });
            }
            NodeTag::T_AlterEnumStmt => return Some(enum_value(&*node.cast())),
            _ => return None,
        };
        Some(new(ObjectKind::Type, tree::dotted_name(names)))
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn enum_value(alter: &pg_sys::AlterEnumStmt) -> Detail {
    // SAFETY: by the caller's word; only a renamed value has an old one.
    unsafe {
        let type_name = tree::dotted_name(alter.typeName);
        match tree::text(alter.oldVal) {
            Some(value) => Detail::EnumValueRenamed {
                type_name,
                value,
                new_value: tree::text(alter.newVal).unwrap_or_default(),
            },
            None => Detail::EnumValueAdded {
                type_name,
                value: tree::text(alter.newVal).unwrap_or_default(),
            },
        }
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn domain(alter: &pg_sys::AlterDomainStmt) -> Option<Detail> {
    // SAFETY: by the caller's word; the definition of ADD CONSTRAINT is a Constraint.
    unsafe {
        let not_valid = match alter.subtype as u8 {
            b'O' => false,
            b'C' => (*alter.def.cast::<pg_sys::Constraint>()).skip_validation,
            _ => return None,
        };
        Some(Detail::DomainNarrowed {
            domain: tree::dotted_name(alter.typeName),
            not_valid,
        })
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn grant(grant: &pg_sys::GrantStmt) -> Vec<Detail> {
    // SAFETY: by the caller's word; the objects are told apart by their tags, the grantees are RoleSpecs.
    unsafe {
        let to_public = tree::nodes(grant.grantees).into_iter().any(|node| {
            (*node.cast::<pg_sys::RoleSpec>()).roletype == pg_sys::RoleSpecType::ROLESPEC_PUBLIC
        });
        // REVOKE GRANT OPTION FOR takes no right.
        if grant.grant_option && !grant.is_grant {
            return Vec::new();
        }
        tree::nodes(grant.objects)
            .into_iter()
            .map(|node| match tree::tag(node) {
                NodeTag::T_RangeVar => tree::relation(node.cast()),
                _ => tree::object_name(node),
            })
            .map(|name| {
                let object = name.to_string();
                match grant.is_grant {
                    true => Detail::Grant { object, to_public },
                    false => Detail::Revoke { object },
                }
            })
            .collect()
    }
}

/// The renames that no effect tells of.
///
/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn rename(rename: &pg_sys::RenameStmt) -> Option<Detail> {
    // SAFETY: by the caller's word.
    unsafe {
        let old = tree::text(rename.subname).unwrap_or_default();
        let new = tree::text(rename.newname).unwrap_or_default();
        match rename.renameType {
            ObjectType::OBJECT_TABCONSTRAINT => Some(Detail::AlterTable {
                table: tree::relation(rename.relation),
                change: TableChange::ConstraintRenamed(old, new),
            }),
            ObjectType::OBJECT_ATTRIBUTE => Some(Detail::Attribute {
                type_name: tree::relation(rename.relation),
                attribute: old,
                change: AttributeChange::Renamed,
            }),
            ObjectType::OBJECT_ROLE | ObjectType::OBJECT_DATABASE => Some(Detail::ClusterWide {
                command: "RENAME".to_owned(),
            }),
            _ => None,
        }
    }
}
