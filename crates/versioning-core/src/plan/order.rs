//! The migrations of a module in the order in which they run, and which of them do the same work.

use std::collections::HashMap;

use crate::model::{Id, Migration};

/// The migrations in run order, in classes: those of one class do the same work on different lines of
/// versions, so that one of them in force is as good as all.
pub(super) struct Line<'a> {
    /// By the version they lead to, then by sequence.
    migrations: Vec<&'a Migration>,
    /// Each class as places in `migrations`, ascending; most classes have one member.
    classes: Vec<Vec<usize>>,
    /// The class of each migration.
    class_of: Vec<usize>,
}

impl<'a> Line<'a> {
    /// Sorts and classes migrations, in whatever order they come.
    pub(super) fn new(migrations: &'a [Migration]) -> Self {
        let mut sorted: Vec<&Migration> = migrations.iter().collect();
        sorted.sort_by(|a, b| {
            a.to_version
                .cmp(&b.to_version)
                .then(a.sequence.cmp(&b.sequence))
        });
        let first_of_class = joined(&sorted);
        let mut classes: Vec<Vec<usize>> = Vec::new();
        let mut class_of = Vec::with_capacity(sorted.len());
        for (place, &first) in first_of_class.iter().enumerate() {
            let class = if first == place {
                classes.push(Vec::new());
                classes.len() - 1
            } else {
                // The first of a class comes before its other members, so its class is known.
                class_of.get(first).copied().unwrap_or_default()
            };
            class_of.push(class);
            if let Some(members) = classes.get_mut(class) {
                members.push(place);
            }
        }
        Self {
            migrations: sorted,
            classes,
            class_of,
        }
    }

    /// The classes, each with its members in run order.
    pub(super) fn classes(&self) -> impl Iterator<Item = Vec<&'a Migration>> {
        self.classes.iter().map(|class| self.members(class))
    }

    /// The migrations in run order, each with the members of its class.
    pub(super) fn with_classes(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&'a Migration, Vec<&'a Migration>)> {
        self.migrations
            .iter()
            .zip(&self.class_of)
            .map(|(migration, class)| {
                let class = self.classes.get(*class).map(|class| self.members(class));
                (*migration, class.unwrap_or_default())
            })
    }

    fn members(&self, class: &[usize]) -> Vec<&'a Migration> {
        class
            .iter()
            .filter_map(|place| self.migrations.get(*place).copied())
            .collect()
    }
}

/// For each migration the place of the first one of its class. What is equivalent to the same migration
/// is equivalent to each other, in both directions, through any number of steps.
fn joined(migrations: &[&Migration]) -> Vec<usize> {
    let mut first: Vec<usize> = (0..migrations.len()).collect();
    if migrations.iter().all(|one| one.equivalent_of.is_none()) {
        return first;
    }
    let places: HashMap<Id, usize> = migrations
        .iter()
        .enumerate()
        .map(|(place, migration)| (migration.id, place))
        .collect();
    for (place, migration) in migrations.iter().enumerate() {
        let other = migration.equivalent_of.and_then(|id| places.get(&id));
        if let Some(&other) = other {
            let (one, other) = (root(&first, place), root(&first, other));
            if let Some(link) = first.get_mut(one.max(other)) {
                *link = one.min(other);
            }
        }
    }
    (0..migrations.len())
        .map(|place| root(&first, place))
        .collect()
}

/// Follows the links to the first of the class; each link leads to an earlier place, or to itself.
fn root(first: &[usize], mut place: usize) -> usize {
    while let Some(&link) = first.get(place).filter(|link| **link < place) {
        place = link;
    }
    place
}
