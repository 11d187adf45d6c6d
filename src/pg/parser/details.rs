//! What statements say beyond their effects, from their parse trees: what a linter wants to know.

mod column;
mod object;
mod query;
mod routine;
mod setting;
mod table;
mod trace;

use pgrx::pg_sys::{self, NodeTag, ObjectType};
use versioning_core::detail::{Detail, PartKind, Trace};
use versioning_core::effect::{ObjectKind, ObjectName};

use super::tree;

/// # Safety
/// A statement node of a raw parse tree.
pub(super) unsafe fn details(node: *mut pg_sys::Node) -> Vec<Detail> {
    // SAFETY: by the caller's word.
    unsafe {
        let mut found = told(node);
        found.extend(trace::details(node));
        found
    }
}

/// # Safety
/// A statement node of a raw parse tree.
unsafe fn told(node: *mut pg_sys::Node) -> Vec<Detail> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        match tree::tag(node) {
            NodeTag::T_CreateStmt => vec![table::create(&*node.cast())],
            NodeTag::T_CreateForeignTableStmt => {
                let foreign = &*node.cast::<pg_sys::CreateForeignTableStmt>();
                vec![table::create(&foreign.base)]
            }
            NodeTag::T_CreateTableAsStmt => table::create_as(&*node.cast()),
            NodeTag::T_AlterTableStmt => table::alter(&*node.cast()),
            NodeTag::T_RenameStmt => object::rename(&*node.cast()).into_iter().collect(),
            NodeTag::T_IndexStmt => vec![table::index(&*node.cast())],
            NodeTag::T_DropStmt => drop_objects(node),
            NodeTag::T_TruncateStmt => (*node.cast::<pg_sys::TruncateStmt>())
                .restart_seqs
                .then_some(Detail::RestartIdentity)
                .into_iter()
                .collect(),
            NodeTag::T_DropOwnedStmt => {
                let roles = (*node.cast::<pg_sys::DropOwnedStmt>()).roles;
                vec![Detail::DropOwned {
                    roles: tree::nodes(roles)
                        .into_iter()
                        .filter_map(|role| tree::text((*role.cast::<pg_sys::RoleSpec>()).rolename))
                        .collect(),
                }]
            }
            NodeTag::T_LockStmt => vec![lock(&*node.cast())],
            NodeTag::T_CreateSchemaStmt => create_schema(&*node.cast()),
            NodeTag::T_InsertStmt
            | NodeTag::T_UpdateStmt
            | NodeTag::T_DeleteStmt
            | NodeTag::T_MergeStmt
            | NodeTag::T_SelectStmt => query::details(node),
            NodeTag::T_ExplainStmt => {
                let explain = &*node.cast::<pg_sys::ExplainStmt>();
                match tree::option_is_on(explain.options, "analyze", false) {
                    true => details(explain.query),
                    false => Vec::new(),
                }
            }
            NodeTag::T_CopyStmt => query::copy(&*node.cast()),
            NodeTag::T_DoStmt => setting::block(&*node.cast()),
            _ => object::details(node),
        }
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn create_schema(create: &pg_sys::CreateSchemaStmt) -> Vec<Detail> {
    // SAFETY: by the caller's word; without a name the schema is called like its owner.
    unsafe {
        let name = ObjectName {
            schema: None,
            name: tree::text(create.schemaname).unwrap_or_default(),
        };
        let mut found = vec![Detail::NewObject {
            kind: ObjectKind::Schema,
            name,
        }];
        for element in tree::nodes(create.schemaElts) {
            let elements = details(element).into_iter();
            found.extend(elements.map(|detail| in_schema(detail, tree::text(create.schemaname))));
        }
        found
    }
}

/// What a CREATE SCHEMA makes, it makes there.
fn in_schema(mut detail: Detail, schema: Option<String>) -> Detail {
    match &mut detail {
        Detail::NewTable { table: name, .. }
        | Detail::NewIndex { table: name, .. }
        | Detail::NewView { view: name, .. }
        | Detail::NewObject { name, .. }
        | Detail::Trace(Trace { object: name, .. }) => {
            name.schema = name.schema.take().or(schema);
        }
        _ => {}
    }
    detail
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn lock(statement: &pg_sys::LockStmt) -> Detail {
    // SAFETY: by the caller's word; the list holds RangeVars.
    let tables = unsafe {
        tree::nodes(statement.relations)
            .into_iter()
            .map(|node| tree::relation(node.cast()))
            .collect()
    };
    Detail::Lock {
        tables,
        mode: statement.mode,
    }
}

/// # Safety
/// A DropStmt of a raw parse tree.
unsafe fn drop_objects(node: *mut pg_sys::Node) -> Vec<Detail> {
    // SAFETY: by the caller's word.
    unsafe {
        let statement = &*node.cast::<pg_sys::DropStmt>();
        let objects = tree::nodes(statement.objects).into_iter();
        let part = |kind, object: *mut pg_sys::Node| {
            let mut names = tree::strings(object.cast());
            let name = names.pop().unwrap_or_default();
            let relation = names.pop().unwrap_or_default();
            Detail::DropPart {
                kind,
                name,
                table: ObjectName {
                    schema: names.pop(),
                    name: relation,
                },
            }
        };
        match statement.removeType {
            ObjectType::OBJECT_TRIGGER => objects.map(|o| part(PartKind::Trigger, o)).collect(),
            ObjectType::OBJECT_POLICY => objects.map(|o| part(PartKind::Policy, o)).collect(),
            ObjectType::OBJECT_RULE => objects.map(|o| part(PartKind::Rule, o)).collect(),
            ObjectType::OBJECT_FUNCTION
            | ObjectType::OBJECT_PROCEDURE
            | ObjectType::OBJECT_ROUTINE
            | ObjectType::OBJECT_AGGREGATE => objects
                .filter(|object| tree::tag(*object) == NodeTag::T_ObjectWithArgs)
                .map(|object| dropped_function(&*object.cast()))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn dropped_function(object: &pg_sys::ObjectWithArgs) -> Detail {
    // SAFETY: by the caller's word; the arguments are TypeNames, NULL for a star.
    unsafe {
        let arguments = tree::nodes(object.objargs)
            .into_iter()
            .map(|node| tree::type_text(node.cast()))
            .collect();
        Detail::DropFunction {
            name: tree::dotted_name(object.objname),
            arguments: (!object.args_unspecified).then_some(arguments),
        }
    }
}
