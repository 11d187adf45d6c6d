//! Constraints and indexes: the usual ones are put together here, as the server would print them.

use std::collections::HashMap;

use pgrx::pg_sys;
use pgrx::spi::quote_identifier;
use versioning_core::catalog::model::{Constraint, ConstraintKind, Index};

use super::super::store::capture::{DescribedConstraint, DescribedIndex, Reference, UsualClasses};
use super::assembly::Assembly;
use super::part::{column_number, identity};
use super::text;

/// The catalog of constraints has this OID in every database; it is not among the bindings.
const PG_CONSTRAINT: u32 = 2606;

const RELATION: u32 = pg_sys::RelationRelationId.to_u32();

/// Types whose values an operator class for another type takes as they are.
const VARCHAR: u32 = 1043;
const TEXT: u32 = 25;

impl Assembly {
    /// A constraint of a relation or domain.
    pub fn add_constraint(&mut self, constraint: DescribedConstraint) {
        let described = Constraint {
            kind: match constraint.kind.as_str() {
                "u" => ConstraintKind::Unique,
                "p" => ConstraintKind::PrimaryKey,
                "f" => ConstraintKind::ForeignKey,
                "x" => ConstraintKind::Exclusion,
                _ => ConstraintKind::Check,
            },
            definition: match &constraint.definition {
                Some(printed) => text::of_constraint(printed),
                None => self.usual_key(&constraint),
            },
            columns: self.column_names(constraint.whole, &constraint.columns),
            not_valid: constraint.not_valid,
            options: constraint.options.into_iter().flatten().collect(),
            tablespace: constraint.tablespace,
            index_comment: match constraint.kind.as_str() {
                "u" | "p" | "x" => self.comment((RELATION, constraint.index, 0)),
                _ => None,
            },
            comment: self.comment((PG_CONSTRAINT, constraint.object, 0)),
            identity: identity(constraint.object),
        };
        if let Some(relation) = self.relation(constraint.whole) {
            relation.constraints.insert(constraint.name, described);
        } else if let Some(place) = self.types.get(&constraint.whole)
            && let Some((_, model)) = self.models.get_mut(&place.schema)
            && let Some(domain) = model.types.get_mut(&place.name)
        {
            domain.constraints.insert(constraint.name, described);
        }
    }

    fn usual_key(&mut self, constraint: &DescribedConstraint) -> String {
        let columns = quoted(&self.column_names(constraint.whole, &constraint.columns));
        match (&constraint.reference, constraint.kind.as_str()) {
            (Some(reference), "f") => {
                let Reference {
                    relation,
                    columns: referred,
                    actions,
                } = reference;
                let referred = quoted(&self.column_names(*relation, referred));
                let table = self.printed_name(*relation);
                format!("FOREIGN KEY ({columns}) REFERENCES {table}({referred}){actions}")
            }
            (_, "p") => format!("PRIMARY KEY ({columns})"),
            _ => format!("UNIQUE ({columns})"),
        }
    }

    /// The name of a relation as the server prints it.
    fn printed_name(&self, relation: u32) -> String {
        let Some(place) = self.relations.get(&relation) else {
            return String::new();
        };
        let name = quote_identifier(&place.name);
        match self.models.get(&place.schema) {
            Some((schema, model)) if model.qualified_as.is_some() => {
                format!("{}.{name}", quote_identifier(schema))
            }
            _ => name,
        }
    }

    fn column_names(&mut self, relation: u32, numbers: &[i16]) -> Vec<String> {
        let Some(relation) = self.relation(relation) else {
            return Vec::new();
        };
        let of_number = |number: &i16| {
            let mut columns = relation.columns.iter();
            let (name, _) = columns.find(|(_, is)| column_number(is) == i32::from(*number))?;
            Some(name.clone())
        };
        numbers.iter().filter_map(of_number).collect()
    }

    /// Whether each column of the index has the operator class and the collation that it would have if
    /// none was named.
    pub fn has_usual_keys(&self, index: &DescribedIndex, usual: &UsualClasses) -> bool {
        let Some(place) = self.relations.get(&index.relation) else {
            return false;
        };
        let Some(relation) = (self.models.get(&place.schema))
            .and_then(|(_, model)| model.relations.get(&place.name))
        else {
            return false;
        };
        let types: HashMap<i32, u32> = (relation.columns.values())
            .filter_map(|column| Some((column_number(column), column.type_identity?)))
            .collect();
        let mut keys = index
            .columns
            .iter()
            .zip(&index.classes)
            .zip(&index.collations);
        let is_usual = |((number, class), collation): ((&i16, &pg_sys::Oid), &pg_sys::Oid)| {
            let number = i32::from(*number);
            let takes = usual.get(&class.to_u32());
            let has = types.get(&number).copied();
            let of_type = takes.copied() == has || takes == Some(&TEXT) && has == Some(VARCHAR);
            let of_column = self.collations.get(&(index.relation, number));
            has.is_some() && of_type && of_column == Some(&collation.to_u32())
        };
        index.columns.len() == index.classes.len() && keys.all(is_usual)
    }

    /// An index of a relation.
    pub fn add_index(&mut self, index: DescribedIndex) {
        let comment = self.comment((RELATION, index.object, 0));
        let columns = self.column_names(index.relation, &index.columns);
        let (definition, keys, predicate) = match index.printed {
            Some(printed) => (
                text::of_index(&printed.definition),
                printed.keys,
                printed.predicate,
            ),
            None => (format!("USING btree ({})", quoted(&columns)), None, None),
        };
        let described = Index {
            definition,
            columns: keys.unwrap_or(columns),
            predicate,
            unique: index.unique,
            nulls_not_distinct: index.nulls_not_distinct,
            invalid: index.invalid,
            tablespace: index.tablespace,
            statistics: index.statistics.into_iter().flatten().collect(),
            comment,
            identity: identity(index.object),
        };
        if let Some(relation) = self.relation(index.relation) {
            relation.indexes.insert(index.name, described);
        }
    }
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(quote_identifier).collect();
    quoted.join(", ")
}
