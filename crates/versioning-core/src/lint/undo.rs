//! What a script takes back, or makes again.

use super::scene::{details, effects};
use crate::detail::{Described, Detail, PartKind, TableChange};
use crate::effect::{Effect, ObjectName};

/// Two names of one object, for scripts write a schema or leave it out.
pub(super) fn same(one: &ObjectName, other: &ObjectName) -> bool {
    one.name == other.name
        && (one.schema == other.schema || one.schema.is_none() || other.schema.is_none())
}

/// What the down script does.
pub(super) struct Down<'a> {
    /// The script.
    pub script: &'a [Described],
    /// Whether one of its drops takes along what depends on it.
    pub cascades: bool,
}

impl<'a> Down<'a> {
    pub fn of(script: &'a [Described]) -> Self {
        let cascades = effects(script).any(|(_, effect)| {
            matches!(
                effect,
                Effect::DropTable { cascade: true, .. }
                    | Effect::DropColumn { cascade: true, .. }
                    | Effect::Drop { cascade: true, .. }
            )
        });
        Self { script, cascades }
    }

    pub fn any_effect(&self, test: impl Fn(&Effect) -> bool) -> bool {
        effects(self.script).any(|(_, effect)| test(effect))
    }

    pub fn any_detail(&self, test: impl Fn(&Detail) -> bool) -> bool {
        details(self.script).any(|(_, detail)| test(detail))
    }

    /// Whether the table goes, or was put away under another name.
    pub fn drops_table(&self, wanted: &ObjectName) -> bool {
        self.any_effect(|effect| match effect {
            Effect::DropTable { table, .. }
            | Effect::RenameTable { table, .. }
            | Effect::MoveTable { table, .. } => same(table, wanted),
            _ => false,
        })
    }

    pub fn drops_column(&self, wanted: &ObjectName, wanted_column: &str) -> bool {
        self.drops_table(wanted)
            || self.any_effect(|effect| match effect {
                Effect::DropColumn { table, column, .. }
                | Effect::RenameColumn { table, column, .. } => {
                    same(table, wanted) && column == wanted_column
                }
                _ => false,
            })
    }

    pub fn drops_object(&self, wanted: &ObjectName) -> bool {
        self.any_effect(|effect| match effect {
            Effect::Drop { name, .. } | Effect::Rename { name, .. } => same(name, wanted),
            _ => false,
        }) || self.any_detail(
            |detail| matches!(detail, Detail::DropFunction { name, .. } if same(name, wanted)),
        )
    }

    pub fn drops_part(&self, wanted_kind: PartKind, wanted: &str, on: &ObjectName) -> bool {
        self.drops_table(on)
            || self.any_detail(|detail| {
                matches!(detail, Detail::DropPart { kind, name, table } if *kind == wanted_kind && name == wanted && same(table, on))
            })
    }

    pub fn makes_table(&self, wanted: &ObjectName) -> bool {
        self.any_effect(|effect| match effect {
            Effect::CreateTable { table, .. } => same(table, wanted),
            Effect::RenameTable { new_name, .. } => *new_name == wanted.name,
            Effect::MoveTable { table, .. } => table.name == wanted.name,
            _ => false,
        })
    }

    pub fn makes_column(&self, wanted: &ObjectName, wanted_column: &str) -> bool {
        self.makes_table(wanted)
            || self.any_effect(|effect| match effect {
                Effect::AddColumn { table, column, .. } => {
                    same(table, wanted) && column == wanted_column
                }
                Effect::RenameColumn {
                    table, new_name, ..
                } => same(table, wanted) && new_name == wanted_column,
                _ => false,
            })
    }

    pub fn changes_column(&self, wanted: &ObjectName, wanted_column: &str) -> bool {
        self.drops_column(wanted, wanted_column)
            || self.any_effect(|effect| match effect {
                Effect::AlterColumnType { table, column, .. }
                | Effect::SetNotNull { table, column }
                | Effect::DropDefault { table, column } => {
                    same(table, wanted) && column == wanted_column
                }
                _ => false,
            })
            || self.any_detail(|detail| {
                matches!(detail, Detail::AlterColumn { table, column, .. } if same(table, wanted) && column == wanted_column)
            })
    }

    pub fn changes_table(&self, wanted: &ObjectName, test: impl Fn(&TableChange) -> bool) -> bool {
        self.drops_table(wanted)
            || self.any_detail(|detail| {
                matches!(detail, Detail::AlterTable { table, change } if same(table, wanted) && test(change))
            })
    }
}
