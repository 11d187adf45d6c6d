//! Which statement did it, where only the whole is measured.

use std::collections::BTreeMap;

use super::{Mode, Observation};
use crate::catalog::change::{Action, Change, Collection, ObjectRef};
use crate::catalog::{Identity, Schema};

/// A statement, by its number and its migration's sequence.
pub type Place = (i32, Option<i32>);

/// The catalogs before and after, and what was seen in between.
pub struct Between<'a> {
    /// Every schema before.
    pub before: &'a BTreeMap<String, Schema>,
    /// Every schema after.
    pub after: &'a BTreeMap<String, Schema>,
    /// The module's own schema.
    pub home: &'a str,
    /// What was seen of each statement.
    pub seen: &'a [Observation],
}

impl Between<'_> {
    /// The statement that made a difference: the first that touched a new object, the last that touched
    /// one that is gone or another. Where nothing tells, the only statement there is.
    pub fn statement_of(&self, change: &Change) -> Option<Place> {
        let schema = change.schema.as_deref().unwrap_or(self.home);
        let is_new = matches!(change.action, Action::Added(_));
        let identity = identity(self.before, schema, &change.object)
            .filter(|_| !is_new)
            .or_else(|| identity(self.after, schema, &change.object));
        let found = identity.and_then(|identity| {
            self.touching((identity.object, identity.number), is_new)
                .or_else(|| self.touching((identity.object, 0), is_new))
        });
        let parent = || {
            let parent = ObjectRef::top(Collection::Relations, change.object.parent.as_deref()?);
            let identity = identity_in(&[self.before, self.after], schema, &parent)?;
            self.touching((identity.object, 0), is_new)
        };
        let only = || match self.seen {
            [one, rest @ ..] if rest.iter().all(|other| other.number == one.number) => {
                Some((one.number, one.migration))
            }
            _ => None,
        };
        found.or_else(parent).or_else(only)
    }

    fn touching(&self, object: (u32, i32), first: bool) -> Option<Place> {
        let mut touching = self.seen.iter().filter(|one| one.objects.contains(&object));
        let found = if first {
            touching.next()
        } else {
            touching.next_back()
        };
        found.map(|one| (one.number, one.migration))
    }
}

fn identity_in(
    moments: &[&BTreeMap<String, Schema>],
    schema: &str,
    object: &ObjectRef,
) -> Option<Identity> {
    moments
        .iter()
        .find_map(|models| identity(models, schema, object))
}

/// What an object is known by in the database.
fn identity(
    models: &BTreeMap<String, Schema>,
    schema: &str,
    object: &ObjectRef,
) -> Option<Identity> {
    let model = models.get(schema)?;
    let name = object.name.as_str();
    let relation = || model.relations.get(object.parent.as_deref()?);
    match object.collection {
        Collection::Schema => models.get(name)?.identity,
        Collection::Relations => model.relations.get(name)?.identity,
        Collection::Columns => relation()?.columns.get(name)?.identity,
        Collection::Constraints => match relation() {
            Some(relation) => relation.constraints.get(name)?.identity,
            None => {
                let domain = model.types.get(object.parent.as_deref()?)?;
                domain.constraints.get(name)?.identity
            }
        },
        Collection::Indexes => relation()?.indexes.get(name)?.identity,
        Collection::Triggers => relation()?.triggers.get(name)?.identity,
        Collection::Rules => relation()?.rules.get(name)?.identity,
        Collection::Policies => relation()?.policies.get(name)?.identity,
        Collection::Sequences => model.sequences.get(name)?.identity,
        Collection::Functions => model.functions.get(name)?.identity,
        Collection::Types => model.types.get(name)?.identity,
        Collection::Others => model.others.get(name)?.identity,
    }
}

/// The statement that is the likeliest to have taken rows or values of a table: the last one that dropped or
/// changed the column or the table in the catalog (`by_definition`), or that wrote it anew, emptied it or
/// changed its rows; or else the last one that locked it against everybody.
pub fn of(
    table: u32,
    column: Option<i16>,
    by_definition: bool,
    seen: &[Observation],
) -> Option<Place> {
    let object = (table, column.map_or(0, i32::from));
    let defined = |one: &&Observation| by_definition && one.objects.contains(&object);
    let wrote = |one: &&Observation| {
        one.truncated.contains(&table)
            || one.files.contains(&table)
            || one
                .written
                .iter()
                .any(|(oid, written, _)| *oid == table && written.changes_rows())
    };
    let locked = |one: &&Observation| one.locks.contains(&(table, Mode::AccessExclusive));
    let found = seen
        .iter()
        .rev()
        .find(defined)
        .or_else(|| seen.iter().rev().find(wrote))
        .or_else(|| seen.iter().rev().find(locked))?;
    Some((found.number, found.migration))
}
