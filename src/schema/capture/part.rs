//! Columns and sequences: the many, which are put together without JSON.

use std::collections::HashMap;

use pgrx::pg_sys;
use versioning_core::catalog::acl::{Untouched, grants};
use versioning_core::catalog::change::quoted;
use versioning_core::catalog::model::{Column, Identity, Relation, Sequence};

use super::super::store::capture::{DescribedColumn, DescribedSequence};
use super::assembly::Assembly;
use super::properties::{from_value, read_properties};
use crate::error::Result;

impl Assembly {
    /// A column of a relation that is known already; the same holds below.
    pub fn add_column(&mut self, column: DescribedColumn) -> Result<()> {
        let number = i32::from(column.number);
        let comment = self.comment((pg_sys::RelationRelationId.to_u32(), column.relation, number));
        let Some(owner) = self.relation(column.relation).map(|it| it.owner.clone()) else {
            return Ok(());
        };
        let mut described: Column = match &column.properties {
            None => Column::default(),
            Some(text) => read_properties("column", &column.name, text)
                .and_then(|properties| from_value("column", &column.name, properties))?,
        };
        if column.acl.is_some() {
            described.grants = grants(column.acl.as_deref(), &owner, Untouched::Closed);
        }
        described.collation = column.collation;
        described.storage = column.storage.map(str::to_owned);
        described.identity_kind = column.identity_kind.map(str::to_owned);
        self.collations
            .insert((column.relation, number), column.collation_identity);
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
        if let Some(relation) = self.relation(column.relation) {
            relation.columns.insert(column.name, described);
        }
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
}

pub(super) fn identity(object: u32) -> Option<Identity> {
    Some(Identity { object, number: 0 })
}

pub(super) fn column_number(column: &Column) -> i32 {
    column.identity.map_or(0, |identity| identity.number)
}

fn names(relation: &Relation) -> HashMap<i32, String> {
    let columns = relation.columns.iter();
    columns
        .map(|(name, column)| (column_number(column), name.clone()))
        .collect()
}
