//! The up script around one of its statements: what it has made before, and what it does afterwards.

use super::scene::effects;
use super::undo::Down;
use crate::detail::{Described, Detail};
use crate::effect::{Effect, ObjectKind, ObjectName};

/// The script, seen from one of its statements.
pub(super) struct Own<'a> {
    /// What stands before it.
    pub earlier: Down<'a>,
    /// What stands after it.
    pub later: Down<'a>,
}

impl<'a> Own<'a> {
    /// Around the statement at that place, from 0.
    pub fn around(script: &'a [Described], place: usize) -> Self {
        Self {
            earlier: Down::part(script.get(..place).unwrap_or_default()),
            later: Down::part(script.get(place + 1..).unwrap_or_default()),
        }
    }

    /// Whether the script has made the table, under this name or another one.
    pub fn is_new(&self, table: &ObjectName) -> bool {
        self.earlier.creates_table(table)
            || self.earlier.any_effect(|effect| {
                matches!(effect, Effect::RenameTable { table: old, new_name }
                    if *new_name == table.name && self.earlier.creates_table(old))
            })
    }

    /// Whether the script has made the column, under this name or another one, or its table.
    pub fn is_new_column(&self, table: &ObjectName, column: &str) -> bool {
        let adds = |wanted: &str| {
            self.earlier.any_effect(|effect| {
                matches!(effect, Effect::AddColumn { table: on, column: added, .. }
                    if self.earlier.same(on, table) && added == wanted)
            })
        };
        self.is_new(table)
            || adds(column)
            || self.earlier.any_effect(|effect| {
                matches!(effect, Effect::RenameColumn { table: on, column: old, new_name }
                    if new_name == column && self.earlier.same(on, table) && adds(old))
            })
    }

    /// Whether the table goes later.
    pub fn drops_table(&self, wanted: &ObjectName) -> bool {
        self.later.any_effect(
            |effect| matches!(effect, Effect::DropTable { table, .. } if self.later.same(table, wanted)),
        )
    }

    /// Whether the column goes later.
    pub fn drops_column(&self, wanted: &ObjectName, wanted_column: &str) -> bool {
        self.later.any_effect(|effect| {
            matches!(effect, Effect::DropColumn { table, column, .. }
                if self.later.same(table, wanted) && column == wanted_column)
        })
    }

    /// The names that the table has from here on.
    pub fn names_of_table(&self, table: &ObjectName) -> Vec<ObjectName> {
        let mut names = vec![table.clone()];
        for (_, effect) in effects(self.later.script) {
            if let Effect::RenameTable { table, new_name } = effect
                && names.contains(table)
            {
                names.push(ObjectName {
                    schema: table.schema.clone(),
                    name: new_name.clone(),
                });
            }
        }
        names
    }

    /// The names that the column has from here on.
    pub fn names_of_column(&self, table: &ObjectName, column: &str) -> Vec<String> {
        let mut names = vec![column.to_owned()];
        for (_, effect) in effects(self.later.script) {
            if let Effect::RenameColumn {
                table: on,
                column,
                new_name,
            } = effect
                && self.later.same(on, table)
                && names.contains(column)
            {
                names.push(new_name.clone());
            }
        }
        names
    }

    /// Whether the script has added the constraint.
    pub fn adds_constraint(&self, wanted: &ObjectName, name: &str) -> bool {
        self.earlier.any_detail(|detail| {
            matches!(detail, Detail::NewConstraint { table, constraint }
                if self.earlier.same(table, wanted) && constraint.name.as_deref() == Some(name))
        })
    }

    /// Whether the script drops the index later, or makes a constraint of it.
    pub fn takes_index(&self, index: &str) -> bool {
        let drops = |effect: &Effect| matches!(effect, Effect::Drop { kind: ObjectKind::Index, name, .. } if name.name == index);
        let takes_over = |detail: &Detail| {
            matches!(detail, Detail::NewConstraint { constraint, .. }
                if constraint.using_index.as_deref() == Some(index))
        };
        self.later.any_effect(drops) || self.later.any_detail(takes_over)
    }

    /// Whether the script has made the index.
    pub fn makes_index(&self, index: &ObjectName) -> bool {
        self.earlier.any_detail(
            |detail| matches!(detail, Detail::NewIndex { name: Some(name), .. } if *name == index.name),
        )
    }
}
