//! Columns and constraints as scripts define them.

use pgrx::pg_sys::{self, ConstrType, NodeTag, NullTestType};
use versioning_core::detail::{Column, Constraint};
use versioning_core::effect::{ConstraintKind, ObjectName};

use super::super::tree;
use super::query;
use crate::pg::catalog;

/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn column(definition: &pg_sys::ColumnDef) -> Column {
    // SAFETY: by the caller's word; a COLLATE clause may stand among the Constraints.
    unsafe {
        let name = tree::text(definition.colname).unwrap_or_default();
        let mut column = Column {
            type_name: tree::type_text(definition.typeName),
            type_is_qualified: type_is_qualified(definition.typeName),
            name,
            ..Column::default()
        };
        for node in tree::nodes(definition.constraints) {
            if tree::tag(node) == NodeTag::T_Constraint {
                constrain(&mut column, &*node.cast());
            }
        }
        column
    }
}

/// Adds what one clause of a column says.
///
/// # Safety
/// Part of a raw parse tree.
unsafe fn constrain(column: &mut Column, clause: &pg_sys::Constraint) {
    // SAFETY: by the caller's word.
    unsafe {
        match clause.contype {
            ConstrType::CONSTR_NOTNULL => column.not_null = true,
            ConstrType::CONSTR_DEFAULT => column.default = default(clause.raw_expr),
            ConstrType::CONSTR_IDENTITY => {
                column.identity = Some(is_always(clause.generated_when));
            }
            ConstrType::CONSTR_GENERATED => {
                column.generated = true;
                column.is_virtual = is_virtual(clause);
            }
            _ => {
                if let Some(mut found) = constraint(clause) {
                    column.not_null |= found.kind == ConstraintKind::PrimaryKey;
                    if found.columns.is_empty() {
                        found.columns.push(column.name.clone());
                    }
                    column.constraints.push(found);
                }
            }
        }
    }
}

#[cfg(feature = "pg18")]
fn is_virtual(clause: &pg_sys::Constraint) -> bool {
    clause.generated_kind as u8 == pg_sys::ATTRIBUTE_GENERATED_VIRTUAL
}

#[cfg(not(feature = "pg18"))]
fn is_virtual(_clause: &pg_sys::Constraint) -> bool {
    false
}

pub(super) fn is_always(generated_when: std::ffi::c_char) -> bool {
    generated_when as u8 == pg_sys::ATTRIBUTE_IDENTITY_ALWAYS
}

/// The functions that a default calls, without the built-in ones that give all rows one value; `None` for
/// no default and for NULL.
///
/// # Safety
/// NULL or an expression of a raw parse tree.
pub(super) unsafe fn default(expression: *mut pg_sys::Node) -> Option<Vec<ObjectName>> {
    // SAFETY: by the caller's word.
    unsafe {
        (!is_null(expression)).then(|| {
            let mut calls = query::met(expression).functions;
            calls.retain(|call| {
                let is_built_in = matches!(call.schema.as_deref(), None | Some("pg_catalog"));
                !(is_built_in && catalog::is_steady(&call.name))
            });
            calls
        })
    }
}

/// # Safety
/// NULL or an expression of a raw parse tree.
unsafe fn is_null(expression: *mut pg_sys::Node) -> bool {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        let expression = tree::without_casts(expression);
        match tree::tag(expression) {
            NodeTag::T_Invalid => true,
            NodeTag::T_A_Const => (*expression.cast::<pg_sys::A_Const>()).isnull,
            _ => false,
        }
    }
}

/// # Safety
/// NULL or a TypeName of a raw parse tree.
pub(super) unsafe fn type_is_qualified(type_name: *const pg_sys::TypeName) -> bool {
    // SAFETY: by the caller's word.
    unsafe { !type_name.is_null() && tree::strings((*type_name).names).len() > 1 }
}

/// # Safety
/// Part of a raw parse tree.
pub(super) unsafe fn constraint(clause: &pg_sys::Constraint) -> Option<Constraint> {
    let kind = match clause.contype {
        ConstrType::CONSTR_NOTNULL => ConstraintKind::NotNull,
        ConstrType::CONSTR_CHECK => ConstraintKind::Check,
        ConstrType::CONSTR_PRIMARY => ConstraintKind::PrimaryKey,
        ConstrType::CONSTR_UNIQUE => ConstraintKind::Unique,
        ConstrType::CONSTR_EXCLUSION => ConstraintKind::Exclusion,
        ConstrType::CONSTR_FOREIGN => ConstraintKind::ForeignKey,
        _ => return None,
    };
    // SAFETY: by the caller's word; which fields are filled follows the kind.
    unsafe {
        let columns = match kind {
            ConstraintKind::ForeignKey => tree::strings(clause.fk_attrs),
            ConstraintKind::Check => query::met(clause.raw_expr).columns,
            _ => tree::strings(clause.keys),
        };
        Some(Constraint {
            name: tree::text(clause.conname),
            kind,
            columns,
            not_valid: clause.skip_validation,
            using_index: tree::text(clause.indexname),
            references: (kind == ConstraintKind::ForeignKey)
                .then(|| tree::relation(clause.pktable)),
            proves_not_null: proves_not_null(clause.raw_expr),
        })
    }
}

/// The column of `column IS NOT NULL`.
///
/// # Safety
/// NULL or an expression of a raw parse tree.
unsafe fn proves_not_null(expression: *mut pg_sys::Node) -> Option<String> {
    // SAFETY: by the caller's word, and each cast follows the tag.
    unsafe {
        if tree::tag(expression) != NodeTag::T_NullTest {
            return None;
        }
        let test = &*expression.cast::<pg_sys::NullTest>();
        if test.nulltesttype != NullTestType::IS_NOT_NULL
            || tree::tag(test.arg.cast()) != NodeTag::T_ColumnRef
        {
            return None;
        }
        tree::strings((*test.arg.cast::<pg_sys::ColumnRef>()).fields).pop()
    }
}
