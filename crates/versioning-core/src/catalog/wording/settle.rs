//! A schema as it was, in the words that it is printed in now.

use std::collections::BTreeMap;

use super::super::model::{Constraint, Named, Relation, Schema};
use super::super::rename::Renames;
use super::types::{SchemaTypes, TypePair};
use super::{same, same_or_none};

/// The old schemas with the definitions of the new ones wherever both say the same and only their casts
/// differ: what is still different then is a difference.
pub fn settled(
    before: &BTreeMap<String, Schema>,
    after: &BTreeMap<String, Schema>,
) -> BTreeMap<String, Schema> {
    let mut result = before.clone();
    for (name, old) in &mut result {
        if let Some(new) = after.get(name).filter(|new| **new != *old) {
            schema(old, new);
        }
    }
    result
}

fn schema(old: &mut Schema, new: &Schema) {
    let was = old.clone();
    let types = SchemaTypes::of(&was, new);
    for (name, relation) in &mut old.relations {
        if let (Some(before), Some(now)) = (was.relations.get(name), new.relations.get(name)) {
            let pair = types.of_relation((&was, before), (new, now));
            parts(&pair, relation, now);
        }
    }
    for (name, kind) in &mut old.types {
        if let (Some(before), Some(now)) = (was.types.get(name), new.types.get(name)) {
            let pair = types.of_domain(before, now);
            constraints(&pair, &mut kind.constraints, &now.constraints);
            optional(&pair, &mut kind.default, &now.default);
        }
    }
    for (name, function) in &mut old.functions {
        // A body that the server keeps parsed; others are text.
        if let Some(now) = new.functions.get(name) {
            let parsed = ["BEGIN ATOMIC", "RETURN "];
            if parsed.iter().any(|word| function.body.starts_with(word)) {
                required(&types.of_all(), &mut function.body, &now.body);
            }
        }
    }
}

fn parts(pair: &TypePair<'_>, old: &mut Relation, new: &Relation) {
    optional(pair, &mut old.definition, &new.definition);
    constraints(pair, &mut old.constraints, &new.constraints);
    for (old, new) in both(&mut old.columns, &new.columns) {
        optional(pair, &mut old.default, &new.default);
        optional(pair, &mut old.generated, &new.generated);
    }
    for (old, new) in both(&mut old.indexes, &new.indexes) {
        required(pair, &mut old.definition, &new.definition);
        optional(pair, &mut old.predicate, &new.predicate);
        if old.columns.len() == new.columns.len() {
            for (old, new) in old.columns.iter_mut().zip(&new.columns) {
                required(pair, old, new);
            }
        }
    }
    for (old, new) in both(&mut old.policies, &new.policies) {
        optional(pair, &mut old.using, &new.using);
        optional(pair, &mut old.with_check, &new.with_check);
    }
    for (old, new) in both(&mut old.triggers, &new.triggers) {
        required(pair, &mut old.definition, &new.definition);
    }
    for (old, new) in both(&mut old.rules, &new.rules) {
        required(pair, &mut old.definition, &new.definition);
    }
}

fn constraints(pair: &TypePair<'_>, old: &mut Named<Constraint>, new: &Named<Constraint>) {
    for (old, new) in both(old, new) {
        required(pair, &mut old.definition, &new.definition);
    }
}

fn both<'a, T>(
    old: &'a mut Named<T>,
    new: &'a Named<T>,
) -> impl Iterator<Item = (&'a mut T, &'a T)> {
    old.iter_mut()
        .filter_map(|(name, object)| Some((object, new.get(name)?)))
}

fn required(pair: &TypePair<'_>, old: &mut String, new: &String) {
    if old != new && same(&Renames::default(), pair, old, new) {
        old.clone_from(new);
    }
}

fn optional(pair: &TypePair<'_>, old: &mut Option<String>, new: &Option<String>) {
    if old != new && same_or_none(&Renames::default(), pair, old.as_ref(), new.as_ref()) {
        old.clone_from(new);
    }
}
