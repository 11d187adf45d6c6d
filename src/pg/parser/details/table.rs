//! Tables, their columns, constraints and indexes.

use pgrx::pg_sys::{self, AlterTableType, NodeTag, ObjectType};
use versioning_core::detail::{AttributeChange, ColumnChange, Detail, TableChange};
use versioning_core::effect::ObjectName;
use versioning_core::moving::Reading;

use super::super::tree;
use super::column;

/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn create(create: &pg_sys::CreateStmt) -> Detail {
    // SAFETY: by the caller's word; the elements are told apart by their tags.
    unsafe {
        let (mut columns, mut constraints) = (Vec::new(), Vec::new());
        for element in tree::nodes(create.tableElts) {
            match tree::tag(element) {
                NodeTag::T_ColumnDef => columns.push(column::column(&*element.cast())),
                NodeTag::T_Constraint => constraints.extend(column::constraint(&*element.cast())),
                _ => {}
            }
        }
        for one in &columns {
            constraints.extend(one.constraints.iter().cloned());
        }
        let parents = tree::nodes(create.inhRelations);
        Detail::NewTable {
            table: tree::relation(create.relation),
            columns,
            constraints,
            partition_of: parents
                .first()
                .filter(|_| !create.partbound.is_null())
                .map(|parent| tree::relation(parent.cast())),
            if_not_exists: create.if_not_exists,
        }
    }
}

/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn create_as(create: &pg_sys::CreateTableAsStmt) -> Vec<Detail> {
    // SAFETY: by the caller's word; the parser always fills in `into` and its relation.
    unsafe {
        let mut found = super::query::details(create.query);
        let name = tree::relation((*create.into).rel);
        found.push(if create.objtype == ObjectType::OBJECT_MATVIEW {
            Detail::NewView {
                view: name,
                replaces: false,
                materialized: true,
                check_option: false,
                temporary: false,
            }
        } else {
            Detail::NewTable {
                table: name,
                columns: Vec::new(),
                constraints: Vec::new(),
                partition_of: None,
                if_not_exists: create.if_not_exists,
            }
        });
        found
    }
}

/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn index(index: &pg_sys::IndexStmt) -> Detail {
    // SAFETY: by the caller's word; the list holds IndexElems.
    unsafe {
        let elements = || {
            tree::nodes(index.indexParams)
                .into_iter()
                .map(|node| &*node.cast::<pg_sys::IndexElem>())
        };
        Detail::NewIndex {
            name: tree::text(index.idxname),
            table: tree::relation(index.relation),
            unique: index.unique,
            columns: elements().map(|element| tree::text(element.name)).collect(),
            classes: elements()
                .map(|element| tree::strings(element.opclass))
                .filter(|names| names.len() == 1)
                .flatten()
                .collect(),
        }
    }
}

/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn alter(alter: &pg_sys::AlterTableStmt) -> Vec<Detail> {
    // SAFETY: by the caller's word; the list holds AlterTableCmds.
    unsafe {
        let name = tree::relation(alter.relation);
        let commands = tree::nodes(alter.cmds)
            .into_iter()
            .map(|node| &*node.cast::<pg_sys::AlterTableCmd>());
        match alter.objtype {
            ObjectType::OBJECT_TABLE | ObjectType::OBJECT_FOREIGN_TABLE => {
                let mut columns = Vec::new();
                let mut found = Vec::new();
                for one in commands {
                    columns.extend(computed_from(one));
                    found.extend(command(&name, one));
                }
                found.extend((!columns.is_empty()).then(|| {
                    Detail::Reads(Reading {
                        tables: vec![name],
                        columns,
                        whole_rows: false,
                    })
                }));
                found
            }
            ObjectType::OBJECT_TYPE => commands.filter_map(|one| attribute(&name, one)).collect(),
            _ => commands
                .filter(|one| one.subtype == AlterTableType::AT_ChangeOwner)
                .map(|_| Detail::OwnerChanged {
                    object: name.to_string(),
                })
                .collect(),
        }
    }
}

/// The columns whose values USING or a generated column takes over.
///
/// # Safety
/// Part of a raw parse tree.
unsafe fn computed_from(command: &pg_sys::AlterTableCmd) -> Vec<String> {
    // SAFETY: by the caller's word; the definition of both is a ColumnDef.
    unsafe {
        if !matches!(
            command.subtype,
            AlterTableType::AT_AlterColumnType | AlterTableType::AT_AddColumn
        ) {
            return Vec::new();
        }
        let definition = &*command.def.cast::<pg_sys::ColumnDef>();
        let mut columns = super::query::met(definition.raw_default).columns;
        for node in tree::nodes(definition.constraints) {
            if tree::tag(node) != NodeTag::T_Constraint {
                continue;
            }
            let clause = &*node.cast::<pg_sys::Constraint>();
            if clause.contype == pg_sys::ConstrType::CONSTR_GENERATED {
                columns.extend(super::query::met(clause.raw_expr).columns);
            }
        }
        columns
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn attribute(type_name: &ObjectName, command: &pg_sys::AlterTableCmd) -> Option<Detail> {
    let change = match command.subtype {
        AlterTableType::AT_AddColumn => AttributeChange::Added,
        AlterTableType::AT_DropColumn => AttributeChange::Dropped,
        AlterTableType::AT_AlterColumnType => AttributeChange::TypeChanged,
        _ => return None,
    };
    // SAFETY: by the caller's word; a new attribute is named by its definition.
    let attribute = unsafe {
        match change {
            AttributeChange::Added => {
                tree::text((*command.def.cast::<pg_sys::ColumnDef>()).colname)
            }
            _ => tree::text(command.name),
        }
    };
    Some(Detail::Attribute {
        type_name: type_name.clone(),
        attribute: attribute.unwrap_or_default(),
        change,
    })
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn command(table: &ObjectName, command: &pg_sys::AlterTableCmd) -> Option<Detail> {
    // SAFETY: by the caller's word; what `def` is follows from the subtype.
    unsafe {
        match command.subtype {
            AlterTableType::AT_AddColumn => Some(Detail::NewColumn {
                table: table.clone(),
                column: column::column(&*command.def.cast()),
            }),
            AlterTableType::AT_AddConstraint => {
                column::constraint(&*command.def.cast()).map(|constraint| Detail::NewConstraint {
                    table: table.clone(),
                    constraint,
                })
            }
            // What the effects tell completely.
            AlterTableType::AT_DropColumn
            | AlterTableType::AT_AlterColumnType
            | AlterTableType::AT_SetNotNull
            | AlterTableType::AT_DropConstraint => None,
            _ => match column_change(command) {
                Some(change) => Some(Detail::AlterColumn {
                    table: table.clone(),
                    column: tree::text(command.name).unwrap_or_default(),
                    change,
                }),
                None if command.subtype == AlterTableType::AT_ColumnDefault => None,
                None => Some(Detail::AlterTable {
                    table: table.clone(),
                    change: table_change(command),
                }),
            },
        }
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn column_change(command: &pg_sys::AlterTableCmd) -> Option<ColumnChange> {
    // SAFETY: by the caller's word; what `def` is follows from the subtype.
    unsafe {
        Some(match command.subtype {
            AlterTableType::AT_ColumnDefault => {
                ColumnChange::DefaultSet(column::default(command.def)?)
            }
            AlterTableType::AT_DropNotNull => ColumnChange::NotNullDropped,
            AlterTableType::AT_AddIdentity => {
                let clause = &*command.def.cast::<pg_sys::Constraint>();
                ColumnChange::IdentityAdded(column::is_always(clause.generated_when))
            }
            AlterTableType::AT_SetIdentity => ColumnChange::IdentitySet(sets_always(command)),
            AlterTableType::AT_DropIdentity => ColumnChange::IdentityDropped,
            AlterTableType::AT_DropExpression => ColumnChange::ExpressionDropped,
            #[cfg(any(feature = "pg17", feature = "pg18"))]
            AlterTableType::AT_SetExpression => ColumnChange::ExpressionSet,
            AlterTableType::AT_SetStatistics
            | AlterTableType::AT_SetOptions
            | AlterTableType::AT_ResetOptions
            | AlterTableType::AT_SetStorage
            | AlterTableType::AT_SetCompression => ColumnChange::Tuning,
            _ => return None,
        })
    }
}

/// Whether SET GENERATED says ALWAYS.
///
/// # Safety
/// Part of a raw parse tree, of SET GENERATED.
unsafe fn sets_always(command: &pg_sys::AlterTableCmd) -> bool {
    // SAFETY: by the caller's word; the definition is a list of DefElems, whose "generated" is an Integer.
    unsafe {
        tree::nodes(command.def.cast())
            .into_iter()
            .map(|node| &*node.cast::<pg_sys::DefElem>())
            .filter(|option| tree::text(option.defname).as_deref() == Some("generated"))
            .filter(|option| tree::tag(option.arg) == NodeTag::T_Integer)
            .any(|option| {
                let value = (*option.arg.cast::<pg_sys::Integer>()).ival;
                u8::try_from(value).is_ok_and(|value| value == pg_sys::ATTRIBUTE_IDENTITY_ALWAYS)
            })
    }
}

/// # Safety
/// Part of a raw parse tree.
unsafe fn table_change(command: &pg_sys::AlterTableCmd) -> TableChange {
    use AlterTableType as Kind;
    // SAFETY: by the caller's word; what `def` is follows from the subtype.
    unsafe {
        let name = || tree::text(command.name).unwrap_or_default();
        match command.subtype {
            Kind::AT_EnableRowSecurity => TableChange::RowSecurityOn,
            Kind::AT_DisableRowSecurity => TableChange::RowSecurityOff,
            Kind::AT_ForceRowSecurity => TableChange::RowSecurityForced,
            Kind::AT_NoForceRowSecurity => TableChange::RowSecurityUnforced,
            Kind::AT_ChangeOwner => TableChange::Owner,
            Kind::AT_SetLogged => TableChange::Logged,
            Kind::AT_SetUnLogged => TableChange::Unlogged,
            Kind::AT_SetAccessMethod => TableChange::AccessMethod,
            Kind::AT_SetTableSpace => TableChange::Tablespace,
            Kind::AT_ReplicaIdentity => TableChange::ReplicaIdentity,
            Kind::AT_DisableTrig | Kind::AT_DisableTrigAll | Kind::AT_DisableTrigUser => {
                TableChange::TriggerDisabled
            }
            Kind::AT_EnableTrig
            | Kind::AT_EnableAlwaysTrig
            | Kind::AT_EnableReplicaTrig
            | Kind::AT_EnableTrigAll
            | Kind::AT_EnableTrigUser => TableChange::TriggerEnabled,
            Kind::AT_AddInherit => TableChange::Inherits(tree::relation(command.def.cast())),
            Kind::AT_DropInherit => TableChange::InheritsNoMore(tree::relation(command.def.cast())),
            Kind::AT_AttachPartition => TableChange::PartitionAttached(partition(command)),
            Kind::AT_DetachPartition => TableChange::PartitionDetached(partition(command)),
            Kind::AT_ValidateConstraint => TableChange::ConstraintValidated(name()),
            Kind::AT_AlterConstraint => TableChange::ConstraintAltered(altered_constraint(command)),
            Kind::AT_SetRelOptions
            | Kind::AT_ResetRelOptions
            | Kind::AT_ClusterOn
            | Kind::AT_DropCluster => TableChange::Tuning,
            _ => TableChange::Other,
        }
    }
}

/// # Safety
/// Part of a raw parse tree, of ATTACH or DETACH PARTITION.
pub(super) unsafe fn partition(command: &pg_sys::AlterTableCmd) -> ObjectName {
    // SAFETY: by the caller's word; the definition is a PartitionCmd.
    unsafe { tree::relation((*command.def.cast::<pg_sys::PartitionCmd>()).name) }
}

/// # Safety
/// Part of a raw parse tree, of ALTER CONSTRAINT.
unsafe fn altered_constraint(command: &pg_sys::AlterTableCmd) -> String {
    #[cfg(feature = "pg18")]
    type Definition = pg_sys::ATAlterConstraint;
    #[cfg(not(feature = "pg18"))]
    type Definition = pg_sys::Constraint;
    // SAFETY: by the caller's word; the definition is of that type.
    unsafe { tree::text((*command.def.cast::<Definition>()).conname).unwrap_or_default() }
}
