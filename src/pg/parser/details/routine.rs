//! Functions, aggregates, and what fires or is installed by itself.

use pgrx::pg_sys::{self, FunctionParameterMode, NodeTag, ObjectType};
use versioning_core::detail::Detail;

use super::super::tree;

/// Functions and what fires by itself.
///
/// # Safety
/// A statement node of a raw parse tree.
pub(super) unsafe fn detail(node: *mut pg_sys::Node) -> Option<Detail> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        Some(match tree::tag(node) {
            NodeTag::T_CreateFunctionStmt => function(&*node.cast()),
            NodeTag::T_DefineStmt => aggregate(&*node.cast())?,
            NodeTag::T_AlterFunctionStmt => {
                let alter = &*node.cast::<pg_sys::AlterFunctionStmt>();
                Detail::AlterFunction {
                    name: tree::object_name(alter.func.cast()),
                    security_definer: tree::option_is_on(alter.actions, "security", false),
                    fixed_search_path: sets_search_path(alter.actions),
                    options: tree::nodes(alter.actions)
                        .into_iter()
                        .filter_map(|node| tree::text((*node.cast::<pg_sys::DefElem>()).defname))
                        .collect(),
                }
            }
            NodeTag::T_CreateEventTrigStmt => Detail::NewEventTrigger {
                name: tree::text((*node.cast::<pg_sys::CreateEventTrigStmt>()).trigname)
                    .unwrap_or_default(),
            },
            NodeTag::T_AlterOwnerStmt => {
                let alter = &*node.cast::<pg_sys::AlterOwnerStmt>();
                let name = match alter.relation.is_null() {
                    true => tree::object_name(alter.object),
                    false => tree::relation(alter.relation),
                };
                Detail::OwnerChanged {
                    object: name.to_string(),
                }
            }
            NodeTag::T_CreateExtensionStmt => {
                let extension = &*node.cast::<pg_sys::CreateExtensionStmt>();
                Detail::NewExtension {
                    name: tree::text(extension.extname).unwrap_or_default(),
                    has_schema: tree::nodes(extension.options).into_iter().any(|option| {
                        let name = tree::text((*option.cast::<pg_sys::DefElem>()).defname);
                        name.as_deref() == Some("schema")
                    }),
                }
            }
            _ => return None,
        })
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn function(create: &pg_sys::CreateFunctionStmt) -> Detail {
    // SAFETY: by the caller's word; the parameters are FunctionParameters.
    unsafe {
        let arguments = tree::nodes(create.parameters)
            .into_iter()
            .map(|node| &*node.cast::<pg_sys::FunctionParameter>())
            .filter(|parameter| {
                !matches!(
                    parameter.mode,
                    FunctionParameterMode::FUNC_PARAM_OUT | FunctionParameterMode::FUNC_PARAM_TABLE
                )
            })
            .map(|parameter| tree::type_text(parameter.argType))
            .collect();
        Detail::NewFunction {
            name: tree::dotted_name(create.funcname),
            arguments,
            replaces: create.replace,
            security_definer: tree::option_is_on(create.options, "security", false),
            fixed_search_path: sets_search_path(create.options),
        }
    }
}

/// An aggregate is called like a function.
///
/// # Safety
/// Part of a raw parse tree.
unsafe fn aggregate(define: &pg_sys::DefineStmt) -> Option<Detail> {
    if define.kind != ObjectType::OBJECT_AGGREGATE {
        return None;
    }
    // SAFETY: by the caller's word; the arguments are a list whose first member is the list of
    // FunctionParameters, but in the old style, where there is none.
    unsafe {
        let parameters = tree::nodes(define.args).first().copied();
        let arguments = parameters
            .filter(|list| tree::tag(*list) == NodeTag::T_List)
            .map(|list| tree::nodes(list.cast()))
            .unwrap_or_default()
            .into_iter()
            .map(|node| &*node.cast::<pg_sys::FunctionParameter>())
            .map(|parameter| tree::type_text(parameter.argType))
            .collect();
        Some(Detail::NewFunction {
            name: tree::dotted_name(define.defnames),
            arguments,
            replaces: define.replace,
            security_definer: false,
            fixed_search_path: false,
        })
    }
}

/// # Safety
/// NULL or the options of a function of a raw parse tree.
unsafe fn sets_search_path(options: *mut pg_sys::List) -> bool {
    // SAFETY: by the caller's word; the argument of "set" is a VariableSetStmt.
    unsafe {
        tree::nodes(options)
            .into_iter()
            .map(|node| &*node.cast::<pg_sys::DefElem>())
            .filter(|option| tree::tag(option.arg) == NodeTag::T_VariableSetStmt)
            .any(|option| {
                let set = &*option.arg.cast::<pg_sys::VariableSetStmt>();
                tree::text(set.name).as_deref() == Some("search_path")
                    && set.kind != pg_sys::VariableSetKind::VAR_RESET
            })
    }
}
