//! Columns, constraints, indexes and sequences: the many, which are put together without JSON.

use std::collections::HashMap;

use pgrx::pg_sys;
use versioning_core::catalog::acl::{Untouched, grants};
use versioning_core::catalog::change::quoted;
use versioning_core::catalog::model::{
    Column, Constraint, ConstraintKind, Identity, Index, Relation, Sequence,
};

use super::super::store::capture::{
    DescribedColumn, DescribedConstraint, DescribedIndex, DescribedSequence,
};
use super::assembly::Assembly;
use super::properties::{from_value, read_properties};
use super::text;
use crate::error::Result;

/// The catalog of constraints has this OID in every database; it is not among the bindings.
const PG_CONSTRAINT: u32 = 2606;

impl Assembly {
    /// A column of a relation that is known already; the same holds below.
    pub fn add_column(&mut self, column: DescribedColumn) -> Result<()> {
        let number = i32::from(column.number);
        let comment = self.comment((pg_sys::RelationRelationId.to_u32(), column.relation, number));
        let Some(relation) = self.relation(column.relation) else {
            return Ok(());
        };
        let mut described: Column = match &column.properties {
            None => Column::default(),
            Some(text) => read_properties("column", &column.name, text)
                .and_then(|properties| from_value("column", &column.name, properties))?,
        };
        if column.acl.is_some() {
            described.grants = grants(column.acl.as_deref(), &relation.owner, Untouched::Closed);
        }
        if column.generated {
            described.generated = column.expression;
        } else {
            described.default = column.expression;
        }
        described.r#type = column.data_type;
        described.type_identity = Some(column.type_identity);
        described.not_null = column.not_null;
        described.comment = comment;
        described.identity = Some(Identity {
            object: column.relation,
            number,
        });
        relation.columns.insert(column.name, described);
        Ok(())
    }

    /// Says of a view's column that nothing can be written to it.
    pub fn mark_readonly(&mut self, view: u32, number: i16) {
        let Some(relation) = self.relation(view) else {
            return;
        };
        for column in relation.columns.values_mut() {
            if column_number(column) == i32::from(number) {
                column.readonly = true;
            }
        }
    }

    /// Says of each column which one it is, dropped ones not counted.
    pub fn number_columns(&mut self) {
        for (_, model) in self.models.values_mut() {
            for relation in model.relations.values_mut() {
                let mut columns: Vec<&mut Column> = relation.columns.values_mut().collect();
                columns.sort_unstable_by_key(|column| column_number(column));
                for (position, column) in (1..).zip(columns) {
                    column.position = Some(position);
                }
            }
        }
    }

    /// A sequence.
    pub fn add_sequence(&mut self, sequence: DescribedSequence) {
        let comment = self.comment((pg_sys::RelationRelationId.to_u32(), sequence.object, 0));
        let owned_by = sequence.column.and_then(|(relation, number)| {
            let place = self.relations.get(&relation)?;
            let (_, model) = self.models.get(&place.schema)?;
            let names = names(model.relations.get(&place.name)?);
            let column = names.get(&number)?;
            Some(format!(
                "{}.{}",
                model.printed_name(&place.name),
                quoted(column)
            ))
        });
        let [start, increment, minimum, maximum, cache] =
            sequence.numbers.map(|number| number.to_string());
        let described = Sequence {
            grants: grants(sequence.acl.as_deref(), &sequence.owner, Untouched::Closed),
            owner: sequence.owner,
            comment,
            r#type: sequence.data_type,
            start,
            increment,
            minimum,
            maximum,
            cache,
            cycle: sequence.cycle,
            owned_by,
            internal: sequence.internal,
            unlogged: sequence.unlogged,
            identity: identity(sequence.object),
        };
        if let Some((_, model)) = self.models.get_mut(&sequence.schema) {
            model.sequences.insert(sequence.name, described);
        }
    }

    /// A constraint of a relation or domain.
    pub fn add_constraint(&mut self, constraint: DescribedConstraint) {
        let class = PG_CONSTRAINT;
        let mut described = Constraint {
            kind: match constraint.kind.as_str() {
                "u" => ConstraintKind::Unique,
                "p" => ConstraintKind::PrimaryKey,
                "f" => ConstraintKind::ForeignKey,
                "x" => ConstraintKind::Exclusion,
                _ => ConstraintKind::Check,
            },
            definition: text::of_constraint(&constraint.definition),
            not_valid: constraint.not_valid,
            comment: self.comment((class, constraint.object, 0)),
            identity: identity(constraint.object),
            ..Constraint::default()
        };
        if let Some(relation) = self.relation(constraint.whole) {
            let names = names(relation);
            let columns = constraint.columns.iter();
            described.columns = columns
                .filter_map(|number| named(&names, *number))
                .collect();
            relation.constraints.insert(constraint.name, described);
        } else if let Some(place) = self.types.get(&constraint.whole)
            && let Some((_, model)) = self.models.get_mut(&place.schema)
            && let Some(domain) = model.types.get_mut(&place.name)
        {
            domain.constraints.insert(constraint.name, described);
        }
    }

    /// An index of a relation.
    pub fn add_index(&mut self, index: DescribedIndex) {
        let comment = self.comment((pg_sys::RelationRelationId.to_u32(), index.object, 0));
        let Some(relation) = self.relation(index.relation) else {
            return;
        };
        let names = names(relation);
        let columns = index.columns.iter();
        let described = Index {
            definition: text::of_index(&index.definition),
            columns: index.keys.unwrap_or_else(|| {
                columns
                    .filter_map(|number| named(&names, *number))
                    .collect()
            }),
            predicate: index.predicate,
            unique: index.unique,
            nulls_not_distinct: index.nulls_not_distinct,
            invalid: index.invalid,
            comment,
            identity: identity(index.object),
        };
        relation.indexes.insert(index.name, described);
    }
}

fn identity(object: u32) -> Option<Identity> {
    Some(Identity { object, number: 0 })
}

fn column_number(column: &Column) -> i32 {
    column.identity.map_or(0, |identity| identity.number)
}

fn names(relation: &Relation) -> HashMap<i32, String> {
    let columns = relation.columns.iter();
    columns
        .map(|(name, column)| (column_number(column), name.clone()))
        .collect()
}

fn named(names: &HashMap<i32, String>, number: i16) -> Option<String> {
    names.get(&i32::from(number)).cloned()
}
