//! What statements say that they will do, from their parse trees.

mod alter;
mod data;

use pgrx::pg_sys::{self, NodeTag, ObjectType};
use versioning_core::effect::{Effect, ObjectKind, ObjectName};

use super::tree;

/// # Safety
/// A statement node of a raw parse tree.
pub(super) unsafe fn effects(node: *mut pg_sys::Node) -> Vec<Effect> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        match tree::tag(node) {
            NodeTag::T_CreateStmt => vec![create(&*(*node.cast::<pg_sys::CreateStmt>()).relation)],
            NodeTag::T_CreateForeignTableStmt => {
                let foreign = &*node.cast::<pg_sys::CreateForeignTableStmt>();
                vec![create(&*foreign.base.relation)]
            }
            NodeTag::T_CreateTableAsStmt => create_as(&*node.cast()),
            NodeTag::T_CreateSchemaStmt => {
                let create = &*node.cast::<pg_sys::CreateSchemaStmt>();
                tree::nodes(create.schemaElts)
                    .into_iter()
                    .flat_map(|element| effects(element))
                    .map(|effect| in_schema(effect, tree::text(create.schemaname)))
                    .collect()
            }
            NodeTag::T_DropStmt => drop_objects(&*node.cast()),
            NodeTag::T_DropOwnedStmt => {
                let behavior = (*node.cast::<pg_sys::DropOwnedStmt>()).behavior;
                vec![Effect::DropOwned {
                    cascade: cascades(behavior),
                }]
            }
            NodeTag::T_TruncateStmt => vec![truncate(&*node.cast())],
            NodeTag::T_AlterTableStmt => alter::alter_table(&*node.cast()),
            NodeTag::T_RenameStmt => alter::rename(&*node.cast()).into_iter().collect(),
            NodeTag::T_AlterObjectSchemaStmt => alter::set_schema(&*node.cast()),
            NodeTag::T_DoStmt => vec![dynamic("DO")],
            NodeTag::T_CallStmt => vec![call(&*node.cast())],
            NodeTag::T_ExecuteStmt => {
                let name = tree::text((*node.cast::<pg_sys::ExecuteStmt>()).name);
                vec![dynamic(&format!("EXECUTE {}", name.unwrap_or_default()))]
            }
            _ => data::effects(node),
        }
    }
}

/// What a CREATE SCHEMA makes, it makes there.
fn in_schema(mut effect: Effect, schema: Option<String>) -> Effect {
    if let Effect::CreateTable { table, .. } = &mut effect {
        table.schema = table.schema.take().or(schema);
    }
    effect
}

fn dynamic(what: &str) -> Effect {
    Effect::Dynamic {
        what: what.to_owned(),
    }
}

fn cascades(behavior: pg_sys::DropBehavior::Type) -> bool {
    behavior == pg_sys::DropBehavior::DROP_CASCADE
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn create(relation: &pg_sys::RangeVar) -> Effect {
    let temporary = relation.relpersistence as u8 == pg_sys::RELPERSISTENCE_TEMP;
    // SAFETY: by the caller's word.
    let table = unsafe { tree::relation(relation) };
    Effect::CreateTable { table, temporary }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn create_as(create_as: &pg_sys::CreateTableAsStmt) -> Vec<Effect> {
    // SAFETY: by the caller's word; the parser always fills in `into` and its relation.
    unsafe {
        let mut effects = data::effects(create_as.query);
        if create_as.objtype == ObjectType::OBJECT_TABLE {
            effects.push(create(&*(*create_as.into).rel));
        }
        effects
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn truncate(truncate: &pg_sys::TruncateStmt) -> Effect {
    // SAFETY: by the caller's word; the list holds RangeVars.
    let tables = unsafe {
        tree::nodes(truncate.relations)
            .into_iter()
            .map(|node| tree::relation(node.cast()))
            .collect()
    };
    Effect::Truncate {
        tables,
        cascade: cascades(truncate.behavior),
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn call(call: &pg_sys::CallStmt) -> Effect {
    // SAFETY: by the caller's word; before analysis the call is in `funccall`.
    let name = unsafe { tree::dotted_name((*call.funccall).funcname) };
    dynamic(&format!("CALL {name}"))
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn drop_objects(statement: &pg_sys::DropStmt) -> Vec<Effect> {
    let cascade = cascades(statement.behavior);
    // SAFETY: by the caller's word.
    let names: Vec<ObjectName> = unsafe {
        tree::nodes(statement.objects)
            .into_iter()
            .map(|object| tree::object_name(object))
            .collect()
    };
    let names = names.into_iter();
    match statement.removeType {
        ObjectType::OBJECT_TABLE | ObjectType::OBJECT_FOREIGN_TABLE => names
            .map(|table| Effect::DropTable { table, cascade })
            .collect(),
        kind => {
            let kind = object_kind(kind);
            names
                .map(|name| Effect::Drop {
                    kind,
                    name,
                    cascade,
                })
                .collect()
        }
    }
}

pub(super) fn object_kind(kind: ObjectType::Type) -> ObjectKind {
    match kind {
        ObjectType::OBJECT_VIEW => ObjectKind::View,
        ObjectType::OBJECT_MATVIEW => ObjectKind::MaterializedView,
        ObjectType::OBJECT_FUNCTION
        | ObjectType::OBJECT_PROCEDURE
        | ObjectType::OBJECT_ROUTINE
        | ObjectType::OBJECT_AGGREGATE => ObjectKind::Function,
        ObjectType::OBJECT_SEQUENCE => ObjectKind::Sequence,
        ObjectType::OBJECT_TYPE | ObjectType::OBJECT_DOMAIN => ObjectKind::Type,
        ObjectType::OBJECT_SCHEMA => ObjectKind::Schema,
        ObjectType::OBJECT_INDEX => ObjectKind::Index,
        ObjectType::OBJECT_EXTENSION => ObjectKind::Extension,
        _ => ObjectKind::Other,
    }
}
