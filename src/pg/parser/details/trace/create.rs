//! What CREATE statements make.

use pgrx::pg_sys::{self, FunctionParameterMode, NodeTag, ObjectType};
use versioning_core::detail::{Holder, Mark, Trace};
use versioning_core::effect::ObjectName;

use super::super::super::tree;
use super::named;

fn made(kind: &'static str, object: ObjectName) -> Option<Vec<Trace>> {
    Some(vec![Trace::of(kind, object, Mark::Made)])
}

/// OR REPLACE leaves another one where there was one.
fn made_or_set(kind: &'static str, object: ObjectName, replaces: bool) -> Trace {
    let mark = if replaces { Mark::Set } else { Mark::Made };
    Trace::of(kind, object, mark)
}

/// # Safety
/// A statement node of a raw parse tree.
pub(super) unsafe fn traces(node: *mut pg_sys::Node) -> Option<Vec<Trace>> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        on_tables(node)
            .or_else(|| types(node))
            .or_else(|| database_wide(node))
            .or_else(|| match tree::tag(node) {
                NodeTag::T_CreateFunctionStmt => Some(vec![function(&*node.cast())]),
                NodeTag::T_DefineStmt => Some(define(&*node.cast())),
                NodeTag::T_CreateSeqStmt => Some(sequence(&*node.cast())),
                NodeTag::T_CreateSchemaStmt => Some(schema(&*node.cast())),
                NodeTag::T_CreateStatsStmt => statistics(&*node.cast()),
                _ => None,
            })
    }
}

/// Views, and what hangs on tables.
///
/// # Safety
/// A statement node of a raw parse tree.
unsafe fn on_tables(node: *mut pg_sys::Node) -> Option<Vec<Trace>> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        match tree::tag(node) {
            NodeTag::T_ViewStmt => {
                let view = &*node.cast::<pg_sys::ViewStmt>();
                let is_temporary = (*view.view).relpersistence as u8 == pg_sys::RELPERSISTENCE_TEMP;
                let made = made_or_set("view", tree::relation(view.view), view.replace);
                Some(if is_temporary { Vec::new() } else { vec![made] })
            }
            NodeTag::T_CreateTableAsStmt => {
                let create = &*node.cast::<pg_sys::CreateTableAsStmt>();
                match create.objtype {
                    ObjectType::OBJECT_MATVIEW => made("view", tree::relation((*create.into).rel)),
                    _ => None,
                }
            }
            NodeTag::T_CreateTrigStmt => {
                let trigger = &*node.cast::<pg_sys::CreateTrigStmt>();
                let table = tree::relation(trigger.relation);
                let name = tree::text(trigger.trigname);
                Some(vec![
                    made_or_set("trigger", table, trigger.replace).part(name),
                ])
            }
            NodeTag::T_RuleStmt => {
                let rule = &*node.cast::<pg_sys::RuleStmt>();
                let table = tree::relation(rule.relation);
                let name = tree::text(rule.rulename);
                Some(vec![made_or_set("rule", table, rule.replace).part(name)])
            }
            NodeTag::T_CreatePolicyStmt => {
                let policy = &*node.cast::<pg_sys::CreatePolicyStmt>();
                let table = tree::relation(policy.table);
                let name = tree::text(policy.policy_name);
                Some(vec![Trace::of("policy", table, Mark::Made).part(name)])
            }
            _ => None,
        }
    }
}

/// # Safety
/// A statement node of a raw parse tree.
unsafe fn types(node: *mut pg_sys::Node) -> Option<Vec<Trace>> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        match tree::tag(node) {
            NodeTag::T_CompositeTypeStmt => {
                let composite = &*node.cast::<pg_sys::CompositeTypeStmt>();
                made("type", tree::relation(composite.typevar))
            }
            NodeTag::T_CreateEnumStmt => made(
                "type",
                tree::dotted_name((*node.cast::<pg_sys::CreateEnumStmt>()).typeName),
            ),
            NodeTag::T_CreateRangeStmt => made(
                "type",
                tree::dotted_name((*node.cast::<pg_sys::CreateRangeStmt>()).typeName),
            ),
            NodeTag::T_CreateDomainStmt => made(
                "type",
                tree::dotted_name((*node.cast::<pg_sys::CreateDomainStmt>()).domainname),
            ),
            NodeTag::T_CreateCastStmt => {
                let cast = &*node.cast::<pg_sys::CreateCastStmt>();
                let types = [cast.sourcetype.cast(), cast.targettype.cast()];
                made("cast", named::cast(types.into_iter()))
            }
            NodeTag::T_CreateOpClassStmt => {
                let class = &*node.cast::<pg_sys::CreateOpClassStmt>();
                let name = tree::dotted_name(class.opclassname);
                let method = tree::text(class.amname);
                Some(vec![
                    Trace::of("operator class", name, Mark::Made).part(method),
                ])
            }
            NodeTag::T_CreateOpFamilyStmt => {
                let family = &*node.cast::<pg_sys::CreateOpFamilyStmt>();
                let name = tree::dotted_name(family.opfamilyname);
                let method = tree::text(family.amname);
                Some(vec![
                    Trace::of("operator family", name, Mark::Made).part(method),
                ])
            }
            NodeTag::T_CreateConversionStmt => {
                let conversion = &*node.cast::<pg_sys::CreateConversionStmt>();
                made("conversion", tree::dotted_name(conversion.conversion_name))
            }
            NodeTag::T_CreateTransformStmt => {
                let transform = &*node.cast::<pg_sys::CreateTransformStmt>();
                let name = tree::dotted_name((*transform.type_name).names);
                let made = made_or_set("transform", name, transform.replace);
                Some(vec![made.part(tree::text(transform.lang))])
            }
            _ => None,
        }
    }
}

/// What has no schema.
///
/// # Safety
/// A statement node of a raw parse tree.
unsafe fn database_wide(node: *mut pg_sys::Node) -> Option<Vec<Trace>> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        let (kind, name) = match tree::tag(node) {
            NodeTag::T_CreateExtensionStmt => {
                let extension = &*node.cast::<pg_sys::CreateExtensionStmt>();
                // One that was there already stays.
                if extension.if_not_exists {
                    return None;
                }
                ("extension", extension.extname)
            }
            NodeTag::T_CreateFdwStmt => (
                "foreign-data wrapper",
                (*node.cast::<pg_sys::CreateFdwStmt>()).fdwname,
            ),
            NodeTag::T_CreateForeignServerStmt => (
                "server",
                (*node.cast::<pg_sys::CreateForeignServerStmt>()).servername,
            ),
            NodeTag::T_CreateUserMappingStmt => {
                let mapping = &*node.cast::<pg_sys::CreateUserMappingStmt>();
                return Some(vec![user_mapping(
                    mapping.servername,
                    mapping.user,
                    Mark::Made,
                )]);
            }
            NodeTag::T_CreatePublicationStmt => (
                "publication",
                (*node.cast::<pg_sys::CreatePublicationStmt>()).pubname,
            ),
            NodeTag::T_CreateSubscriptionStmt => (
                "subscription",
                (*node.cast::<pg_sys::CreateSubscriptionStmt>()).subname,
            ),
            NodeTag::T_CreateEventTrigStmt => (
                "event trigger",
                (*node.cast::<pg_sys::CreateEventTrigStmt>()).trigname,
            ),
            NodeTag::T_CreateAmStmt => (
                "access method",
                (*node.cast::<pg_sys::CreateAmStmt>()).amname,
            ),
            NodeTag::T_CreatePLangStmt => {
                ("language", (*node.cast::<pg_sys::CreatePLangStmt>()).plname)
            }
            _ => return None,
        };
        made(kind, named::plain(&tree::text(name).unwrap_or_default()))
    }
}

/// It goes with its server.
///
/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn user_mapping(
    server: *const std::ffi::c_char,
    user: *const pg_sys::RoleSpec,
    mark: Mark,
) -> Trace {
    // SAFETY: by the caller's word.
    unsafe {
        let server = named::plain(&tree::text(server).unwrap_or_default());
        Trace::of("user mapping", server, mark).part(Some(named::role(user)))
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn function(create: &pg_sys::CreateFunctionStmt) -> Trace {
    // SAFETY: by the caller's word; the parameters are FunctionParameters.
    unsafe {
        let types = tree::nodes(create.parameters)
            .into_iter()
            .map(|node| &*node.cast::<pg_sys::FunctionParameter>())
            .filter(|parameter| {
                !matches!(
                    parameter.mode,
                    FunctionParameterMode::FUNC_PARAM_OUT | FunctionParameterMode::FUNC_PARAM_TABLE
                )
            })
            .map(|parameter| parameter.argType.cast());
        let name = tree::dotted_name(create.funcname);
        made_or_set("function", name, create.replace).part(Some(named::signature(types)))
    }
}

/// Aggregates, operators, types, collations, text search objects.
///
/// # Safety
/// Part of a raw parse tree.
unsafe fn define(define: &pg_sys::DefineStmt) -> Vec<Trace> {
    // SAFETY: by the caller's word.
    let name = unsafe { tree::dotted_name(define.defnames) };
    vec![made_or_set(named::word(define.kind), name, define.replace)]
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn sequence(create: &pg_sys::CreateSeqStmt) -> Vec<Trace> {
    // SAFETY: by the caller's word.
    unsafe {
        let relation = create.sequence;
        if (*relation).relpersistence as u8 == pg_sys::RELPERSISTENCE_TEMP {
            return Vec::new();
        }
        let mut made = Trace::of("sequence", tree::relation(relation), Mark::Made);
        made.holders.extend(owner_column(create.options));
        vec![made]
    }
}

/// The column of `OWNED BY`, if there is one.
///
/// # Safety
/// NULL or a list of DefElems.
pub(super) unsafe fn owner_column(options: *mut pg_sys::List) -> Option<Holder> {
    // SAFETY: by the caller's word; the argument of "owned_by" is a list of strings.
    unsafe {
        let option = tree::nodes(options)
            .into_iter()
            .map(|node| &*node.cast::<pg_sys::DefElem>())
            .find(|option| tree::text(option.defname).as_deref() == Some("owned_by"))?;
        if tree::tag(option.arg) != NodeTag::T_List {
            return None;
        }
        let mut names = tree::strings(option.arg.cast());
        let column = names.pop()?;
        let name = names.pop()?;
        Some(Holder {
            table: ObjectName {
                schema: names.pop(),
                name,
            },
            columns: vec![column],
        })
    }
}

/// The elements leave traces of their own.
///
/// # Safety
/// Part of a raw parse tree.
unsafe fn schema(create: &pg_sys::CreateSchemaStmt) -> Vec<Trace> {
    // SAFETY: by the caller's word; without a name the schema is called like its owner.
    unsafe {
        let name = tree::text(create.schemaname).unwrap_or_else(|| named::role(create.authrole));
        vec![Trace::of("schema", named::plain(&name), Mark::Made)]
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn statistics(create: &pg_sys::CreateStatsStmt) -> Option<Vec<Trace>> {
    // SAFETY: by the caller's word; the tables are RangeVars, the expressions StatsElems.
    unsafe {
        // PostgreSQL 16 gives it a name when the script doesn't.
        if create.defnames.is_null() {
            return None;
        }
        let columns: Vec<String> = tree::nodes(create.exprs)
            .into_iter()
            .filter(|node| tree::tag(*node) == NodeTag::T_StatsElem)
            .filter_map(|node| tree::text((*node.cast::<pg_sys::StatsElem>()).name))
            .collect();
        let mut made = Trace::of(
            "statistics object",
            tree::dotted_name(create.defnames),
            Mark::Made,
        );
        made.holders = tree::nodes(create.relations)
            .into_iter()
            .filter(|node| tree::tag(*node) == NodeTag::T_RangeVar)
            .map(|node| Holder {
                table: tree::relation(node.cast()),
                columns: columns.clone(),
            })
            .collect();
        Some(vec![made])
    }
}
