//! The effects of ALTER statements.

use pgrx::pg_sys::{self, AlterTableType, ConstrType, NodeTag, ObjectType};
use versioning_core::effect::{ConstraintKind, Effect, ObjectName};

use super::super::tree;
use super::{cascades, object_kind};

/// Types that bring a default along.
const SERIAL_TYPES: &[&str] = &[
    "serial",
    "bigserial",
    "smallserial",
    "serial2",
    "serial4",
    "serial8",
];

fn is_table(kind: ObjectType::Type) -> bool {
    matches!(
        kind,
        ObjectType::OBJECT_TABLE | ObjectType::OBJECT_FOREIGN_TABLE
    )
}

/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn alter_table(alter: &pg_sys::AlterTableStmt) -> Vec<Effect> {
    if !is_table(alter.objtype) {
        return Vec::new();
    }
    // SAFETY: by the caller's word; the list holds AlterTableCmds.
    unsafe {
        let table = tree::relation(alter.relation);
        tree::nodes(alter.cmds)
            .into_iter()
            .flat_map(|node| alter_table_command(&table, &*node.cast()))
            .collect()
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn alter_table_command(table: &ObjectName, command: &pg_sys::AlterTableCmd) -> Vec<Effect> {
    let table = table.clone();
    let cascade = cascades(command.behavior);
    // SAFETY: by the caller's word; what `def` is follows from the subtype.
    unsafe {
        let name = tree::text(command.name).unwrap_or_default();
        let effect = match command.subtype {
            AlterTableType::AT_AddColumn => return add_column(&table, &*command.def.cast()),
            AlterTableType::AT_DropColumn => Effect::DropColumn {
                table,
                column: name,
                cascade,
            },
            AlterTableType::AT_AlterColumnType => {
                let definition = &*command.def.cast::<pg_sys::ColumnDef>();
                Effect::AlterColumnType {
                    table,
                    column: name,
                    new_type: tree::type_text(definition.typeName),
                    using: !definition.raw_default.is_null(),
                }
            }
            AlterTableType::AT_SetNotNull => Effect::SetNotNull {
                table,
                column: name,
            },
            AlterTableType::AT_ColumnDefault if command.def.is_null() => Effect::DropDefault {
                table,
                column: name,
            },
            AlterTableType::AT_DropConstraint => Effect::DropConstraint {
                table,
                name,
                cascade,
            },
            AlterTableType::AT_AddConstraint => {
                return constraint(&table, &*command.def.cast())
                    .into_iter()
                    .collect();
            }
            _ => return Vec::new(),
        };
        vec![effect]
    }
}

/// A new column, and the constraints that come with it.
///
/// # Safety
/// Part of a raw parse tree.
unsafe fn add_column(table: &ObjectName, definition: &pg_sys::ColumnDef) -> Vec<Effect> {
    // SAFETY: by the caller's word; the list holds Constraints, but for a COLLATE taken out before.
    unsafe {
        let constraints: Vec<&pg_sys::Constraint> = tree::nodes(definition.constraints)
            .into_iter()
            .filter(|node| tree::tag(*node) == NodeTag::T_Constraint)
            .map(|node| &*node.cast::<pg_sys::Constraint>())
            .collect();
        let has = |kinds: &[ConstrType::Type]| {
            constraints
                .iter()
                .any(|constraint| kinds.contains(&constraint.contype))
        };
        let type_name = tree::type_text(definition.typeName);
        let filled = has(&[
            ConstrType::CONSTR_DEFAULT,
            ConstrType::CONSTR_IDENTITY,
            ConstrType::CONSTR_GENERATED,
        ]) || SERIAL_TYPES.contains(&type_name.as_str());
        let not_null = has(&[ConstrType::CONSTR_NOTNULL, ConstrType::CONSTR_PRIMARY]);
        let mut effects = vec![Effect::AddColumn {
            table: table.clone(),
            column: tree::text(definition.colname).unwrap_or_default(),
            type_name,
            required: not_null && !filled,
        }];
        effects.extend(
            constraints
                .iter()
                // The column itself already says that it takes no NULL.
                .filter(|each| each.contype != ConstrType::CONSTR_NOTNULL)
                .filter_map(|each| constraint(table, each)),
        );
        effects
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn constraint(table: &ObjectName, constraint: &pg_sys::Constraint) -> Option<Effect> {
    let kind = match constraint.contype {
        ConstrType::CONSTR_NOTNULL => ConstraintKind::NotNull,
        ConstrType::CONSTR_CHECK => ConstraintKind::Check,
        ConstrType::CONSTR_PRIMARY => ConstraintKind::PrimaryKey,
        ConstrType::CONSTR_UNIQUE => ConstraintKind::Unique,
        ConstrType::CONSTR_EXCLUSION => ConstraintKind::Exclusion,
        ConstrType::CONSTR_FOREIGN => ConstraintKind::ForeignKey,
        _ => return None,
    };
    // SAFETY: by the caller's word.
    let name = unsafe { tree::text(constraint.conname) };
    Some(Effect::AddConstraint {
        table: table.clone(),
        name,
        kind,
    })
}

/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn rename(rename: &pg_sys::RenameStmt) -> Option<Effect> {
    // SAFETY: by the caller's word; relations are named by `relation`, all else by `object`.
    unsafe {
        let new_name = tree::text(rename.newname).unwrap_or_default();
        let column = || tree::text(rename.subname).unwrap_or_default();
        match rename.renameType {
            kind if is_table(kind) => Some(Effect::RenameTable {
                table: tree::relation(rename.relation),
                new_name,
            }),
            ObjectType::OBJECT_COLUMN if is_table(rename.relationType) => {
                let table = tree::relation(rename.relation);
                Some(Effect::RenameColumn {
                    table,
                    column: column(),
                    new_name,
                })
            }
            ObjectType::OBJECT_COLUMN
            | ObjectType::OBJECT_ATTRIBUTE
            | ObjectType::OBJECT_TABCONSTRAINT
            | ObjectType::OBJECT_DOMCONSTRAINT => None,
            ObjectType::OBJECT_SCHEMA => {
                let name = ObjectName {
                    schema: None,
                    name: column(),
                };
                Some(Effect::Rename {
                    kind: object_kind(rename.renameType),
                    name,
                    new_name,
                })
            }
            kind => {
                let name = if rename.relation.is_null() {
                    tree::object_name(rename.object)
                } else {
                    tree::relation(rename.relation)
                };
                Some(Effect::Rename {
                    kind: object_kind(kind),
                    name,
                    new_name,
                })
            }
        }
    }
}

/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn set_schema(alter: &pg_sys::AlterObjectSchemaStmt) -> Vec<Effect> {
    if !is_table(alter.objectType) {
        return Vec::new();
    }
    // SAFETY: by the caller's word.
    unsafe {
        vec![Effect::MoveTable {
            table: tree::relation(alter.relation),
            new_schema: tree::text(alter.newschema).unwrap_or_default(),
        }]
    }
}
