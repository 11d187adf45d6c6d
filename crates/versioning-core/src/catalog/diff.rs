//! The differences of two schemas with all that they mean.

use std::collections::HashMap;

use super::canonical::value;
use super::change::{Action, Change, Collection, Cost, Finding, Level, ObjectRef};
use super::model::{DataType, Named, Relation, Schema};
use super::rename::Renames;
use super::wording::{self, SchemaTypes, TypePair};
use super::{client, lock, loss, structure};

/// Every difference, each object before its parts, with what it means to clients of the old version,
/// what it destroys and what it costs. Equal schemas have none.
pub fn diff(before: &Schema, after: &Schema) -> Vec<Change> {
    diff_with(before, after, &Renames::of(before, after))
}

/// As [`diff`], where definitions also name what is outside these schemas.
pub(super) fn diff_with(before: &Schema, after: &Schema, renames: &Renames) -> Vec<Change> {
    if before == after {
        return Vec::new();
    }
    let changes = structure::compare(&value(before), &value(after));
    let pair = SchemaPair::new(before, after);
    let types = SchemaTypes::of(before, after);
    let wording = Wording {
        renames,
        types: &types,
    };
    let mut report = Report::new(changes, wording);
    client::judge(&pair, &mut report);
    loss::judge(&pair, &mut report);
    let mut changes = report.changes;
    for change in &mut changes {
        note_order(change);
        note_addition(change);
        lock::judge(&pair, change);
    }
    changes
}

/// SELECT * gives the columns in another order, and INSERT without a column list takes them in it.
fn note_order(change: &mut Change) {
    if change.action == Action::Reordered {
        change.findings.push(Finding {
            kind: "column_order_changed",
            level: Level::Dangerous,
            note: None,
        });
    }
}

/// Something new to use is worth a minor version; an index or a trigger is nothing to use.
fn note_addition(change: &mut Change) {
    let is_new = matches!(change.action, Action::Added(_));
    if !is_new || change.level() >= Level::Addition {
        return;
    }
    let kind = match change.object.collection {
        Collection::Relations => "relation_added",
        Collection::Columns => "column_added",
        Collection::Functions => "function_added",
        Collection::Sequences if !is_of_a_column(change) => "sequence_added",
        Collection::Types => "type_added",
        Collection::Others if !client::is_unnoticed(&change.object_type) => "object_added",
        _ => return,
    };
    change.findings.push(Finding {
        kind,
        level: Level::Addition,
        note: None,
    });
}

fn is_of_a_column(change: &Change) -> bool {
    matches!(&change.action, Action::Added(sequence) if sequence["owned_by"].is_string())
}

/// Both models, and who has become whom.
pub(super) struct SchemaPair<'a> {
    pub before: &'a Schema,
    pub after: &'a Schema,
    relations: HashMap<&'a str, &'a str>,
}

impl<'a> SchemaPair<'a> {
    fn new(before: &'a Schema, after: &'a Schema) -> Self {
        let new_names: HashMap<_, &str> = after
            .relations
            .iter()
            .filter_map(|(name, relation)| Some((relation.identity?, name.as_str())))
            .collect();
        let relations = before
            .relations
            .iter()
            .filter_map(|(name, old)| {
                let partner = match old.identity {
                    Some(identity) => match new_names.get(&identity) {
                        Some(name) => Some(*name),
                        None => namesake(name, &after.relations)
                            .filter(|new| new.identity.is_none())
                            .map(|_| name.as_str()),
                    },
                    None => namesake(name, &after.relations).map(|_| name.as_str()),
                };
                Some((name.as_str(), partner?))
            })
            .collect();
        Self {
            before,
            after,
            relations,
        }
    }

    /// What the relation is now, whatever it is called: its name and itself.
    pub fn relation_now(&self, name: &str) -> Option<(&'a str, &'a Relation)> {
        let now = *self.relations.get(name)?;
        Some((now, self.after.relations.get(now)?))
    }

    /// How definitions name a relation now that was named so before.
    pub fn reference_now(&self, printed: &str) -> String {
        let now = self
            .before
            .own_name(printed)
            .and_then(|name| self.relation_now(&name));
        now.map_or(printed.to_owned(), |(name, _)| {
            self.after.printed_name(name)
        })
    }
}

fn namesake<'a>(name: &str, objects: &'a Named<Relation>) -> Option<&'a Relation> {
    objects.get(name)
}

/// What a column is now, whatever it is called.
pub(super) fn column_now<'a>(
    name: &str,
    old: &super::model::Column,
    relation: &'a Relation,
) -> Option<(&'a str, &'a super::model::Column)> {
    let same = |new: &super::model::Column| match (old.identity, new.identity) {
        (Some(old), Some(new)) => Some(old == new),
        _ => None,
    };
    if old.identity.is_some() {
        let found = relation
            .columns
            .iter()
            .find(|(_, new)| same(new) == Some(true));
        if let Some((name, new)) = found {
            return Some((name, new));
        }
    }
    relation
        .columns
        .get_key_value(name)
        .filter(|(_, new)| same(new).is_none())
        .map(|(name, new)| (name.as_str(), new))
}

/// The changes, to which findings are added where they belong.
pub(super) struct Report<'a> {
    changes: Vec<Change>,
    places: HashMap<(bool, ObjectRef), usize>,
    wording: Wording<'a>,
}

/// What tells whether two definitions say the same: they may name things otherwise, and casts that only
/// follow from the types of columns say nothing.
#[derive(Clone, Copy)]
pub(super) struct Wording<'a> {
    renames: &'a Renames,
    types: &'a SchemaTypes,
}

/// As [`Wording`], for the definitions of one relation or domain.
pub(super) struct WordingOf<'a> {
    renames: &'a Renames,
    types: TypePair<'a>,
}

impl<'a> Wording<'a> {
    /// For the parts of a relation.
    pub fn of_relation(
        self,
        pair: &SchemaPair<'_>,
        old: &Relation,
        new: &Relation,
    ) -> WordingOf<'a> {
        let types = self
            .types
            .of_relation((pair.before, old), (pair.after, new));
        WordingOf {
            renames: self.renames,
            types,
        }
    }

    /// For the checks of a domain.
    pub fn of_domain(self, old: &DataType, new: &DataType) -> WordingOf<'a> {
        WordingOf {
            renames: self.renames,
            types: self.types.of_domain(old, new),
        }
    }

    /// For what belongs to neither.
    pub fn of_all(self) -> WordingOf<'a> {
        WordingOf {
            renames: self.renames,
            types: self.types.of_all(),
        }
    }
}

impl WordingOf<'_> {
    /// Whether two definitions say the same.
    pub fn same(&self, old: &str, new: &str) -> bool {
        wording::same(self.renames, &self.types, old, new)
    }

    /// As [`Self::same`], for definitions that may be missing.
    pub fn same_or_none(&self, old: Option<&String>, new: Option<&String>) -> bool {
        wording::same_or_none(self.renames, &self.types, old, new)
    }

    /// Both definitions without the casts that say nothing.
    pub fn plain(&self, old: &str, new: &str) -> (String, String) {
        wording::plain(&self.types, old, new)
    }
}

/// Which model an object is named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

impl<'a> Report<'a> {
    fn new(changes: Vec<Change>, wording: Wording<'a>) -> Self {
        let places = changes
            .iter()
            .enumerate()
            // The order of columns is a change beside the table's own.
            .filter(|(_, change)| change.action != Action::Reordered)
            .map(|(place, change)| (key(change), place))
            .collect();
        Self {
            changes,
            places,
            wording,
        }
    }

    /// What tells whether two definitions say the same.
    pub fn wording(&self) -> Wording<'a> {
        self.wording
    }

    /// Whether two definitions that belong to no relation say the same.
    pub fn same(&self, old: &str, new: &str) -> bool {
        self.wording.of_all().same(old, new)
    }

    /// As [`Self::same`], for definitions that may be missing.
    pub fn same_or_none(&self, old: Option<&String>, new: Option<&String>) -> bool {
        self.wording.of_all().same_or_none(old, new)
    }

    /// Adds what a difference means to clients.
    pub fn add(&mut self, side: Side, object: &ObjectRef, kind: &'static str, level: Level) {
        self.explain(side, object, kind, level, None);
    }

    /// As [`Self::add`], with words.
    pub fn explain(
        &mut self,
        side: Side,
        object: &ObjectRef,
        kind: &'static str,
        level: Level,
        note: Option<String>,
    ) {
        let Some((change, exact)) = self.change(side, object) else {
            return;
        };
        let note = note.or_else(|| (!exact).then(|| object.to_string()));
        let finding = Finding { kind, level, note };
        if !change.findings.contains(&finding) {
            change.findings.push(finding);
        }
    }

    /// Adds what goes of people's data.
    pub fn lose(&mut self, object: &ObjectRef, kind: &'static str) {
        if let Some((change, _)) = self.change(Side::Before, object)
            && !change.losses.contains(&kind)
        {
            change.losses.push(kind);
        }
    }

    /// The change of that object, else of what it is a part of, else a new one; and whether it is the
    /// object's own.
    fn change(&mut self, side: Side, object: &ObjectRef) -> Option<(&mut Change, bool)> {
        let mut exact = true;
        let mut place = self.place(side, object);
        if place.is_none() {
            place = object.parent.as_ref().and_then(|parent| {
                let whole = ObjectRef::top(Collection::Relations, parent);
                self.place(side, &whole)
            });
            exact = place.is_none();
        }
        let place = place.unwrap_or_else(|| {
            self.places
                .insert((side == Side::After, object.clone()), self.changes.len());
            self.changes.push(bare_change(object));
            self.changes.len() - 1
        });
        Some((self.changes.get_mut(place)?, exact))
    }

    fn place(&self, side: Side, object: &ObjectRef) -> Option<usize> {
        let exact = self.places.get(&(side == Side::After, object.clone()));
        // An object that stays is known by its old name; a new one by its new name.
        exact
            .or_else(|| self.places.get(&(side != Side::After, object.clone())))
            .copied()
    }
}

fn key(change: &Change) -> (bool, ObjectRef) {
    (
        matches!(change.action, Action::Added(_)),
        change.object.clone(),
    )
}

/// A change that no property shows: what it means is all there is to say.
fn bare_change(object: &ObjectRef) -> Change {
    Change {
        action: Action::Changed,
        object_type: match object.collection {
            Collection::Relations => "table",
            Collection::Columns => "column",
            Collection::Constraints => "constraint",
            Collection::Functions => "function",
            _ => "object",
        }
        .to_owned(),
        object: object.clone(),
        schema: None,
        path: Vec::new(),
        properties: std::collections::BTreeMap::new(),
        findings: Vec::new(),
        losses: Vec::new(),
        cost: Cost::default(),
    }
}
