//! What a script takes back, or makes again.

use super::scene::{details, effects};
use crate::detail::{Described, Detail, Mark, PartKind, TableChange, Trace};
use crate::effect::{Effect, ObjectKind, ObjectName};

/// One of the two scripts, asked for what the up script has changed.
pub(super) struct Down<'a> {
    /// The script.
    pub script: &'a [Described],
    /// Whether one of its drops takes along what depends on it.
    pub cascades: bool,
    /// Whether a name with a schema may be one without.
    any_schema: bool,
}

/// Whether a script says where its unqualified names are found.
pub(super) fn sets_search_path(script: &[Described]) -> bool {
    details(script)
        .any(|(_, detail)| matches!(detail, Detail::Setting { name, .. } if name == "search_path"))
}

impl<'a> Down<'a> {
    /// The up script itself.
    pub fn of(script: &'a [Described]) -> Self {
        let cascades = effects(script).any(|(_, effect)| {
            matches!(
                effect,
                Effect::DropTable { cascade: true, .. }
                    | Effect::DropColumn { cascade: true, .. }
                    | Effect::Drop { cascade: true, .. }
            )
        });
        Self {
            script,
            cascades,
            any_schema: true,
        }
    }

    /// A part of the up script, of which nobody asks what its drops take along.
    pub fn part(script: &'a [Described]) -> Self {
        Self {
            script,
            cascades: false,
            any_schema: true,
        }
    }

    /// The script that leads back from `up`. A schema that it names is another one than the module's own, in
    /// which names without a schema are found.
    pub fn back(script: &'a [Described], up: &[Described]) -> Self {
        Self {
            any_schema: sets_search_path(script) || sets_search_path(up),
            ..Self::of(script)
        }
    }

    /// Whether a name of this script means what the up script calls `wanted`. Scripts leave schemas out.
    pub fn same(&self, own: &ObjectName, wanted: &ObjectName) -> bool {
        own.name == wanted.name
            && (own.schema == wanted.schema
                || own.schema.is_none()
                || (self.any_schema && wanted.schema.is_none()))
    }

    pub fn any_effect(&self, test: impl Fn(&Effect) -> bool) -> bool {
        effects(self.script).any(|(_, effect)| test(effect))
    }

    pub fn any_detail(&self, test: impl Fn(&Detail) -> bool) -> bool {
        details(self.script).any(|(_, detail)| test(detail))
    }

    pub fn any_trace(&self, test: impl Fn(&Trace) -> bool) -> bool {
        self.any_detail(|detail| matches!(detail, Detail::Trace(trace) if test(trace)))
    }

    /// Whether CASCADE takes along what depends on types, functions and extensions.
    pub fn cascades_to_functions(&self) -> bool {
        self.any_effect(|effect| {
            matches!(
                effect,
                Effect::Drop {
                    kind: ObjectKind::Type | ObjectKind::Function | ObjectKind::Extension,
                    cascade: true,
                    ..
                }
            )
        })
    }

    /// Whether the table goes, or was put away under another name.
    pub fn drops_table(&self, wanted: &ObjectName) -> bool {
        self.any_effect(|effect| match effect {
            Effect::DropTable { table, .. }
            | Effect::RenameTable { table, .. }
            | Effect::MoveTable { table, .. } => self.same(table, wanted),
            _ => false,
        })
    }

    pub fn drops_column(&self, wanted: &ObjectName, wanted_column: &str) -> bool {
        self.drops_table(wanted)
            || self.any_effect(|effect| match effect {
                Effect::DropColumn { table, column, .. }
                | Effect::RenameColumn { table, column, .. } => {
                    self.same(table, wanted) && column == wanted_column
                }
                _ => false,
            })
    }

    pub fn drops_object(&self, wanted: &ObjectName) -> bool {
        self.any_effect(|effect| match effect {
            Effect::Drop { name, .. } | Effect::Rename { name, .. } => self.same(name, wanted),
            _ => false,
        }) || self.any_detail(
            |detail| matches!(detail, Detail::DropFunction { name, .. } if self.same(name, wanted)),
        )
    }

    /// Whether a column, constraint, trigger, policy, rule or index of that name goes.
    pub fn drops_any_part(&self, wanted: &str, on: &ObjectName) -> bool {
        self.drops_column(on, wanted)
            || self.drops_constraint(on, Some(wanted))
            || self.any_detail(|detail| {
                matches!(detail, Detail::DropPart { kind: PartKind::Trigger | PartKind::Policy | PartKind::Rule, name, table } if name == wanted && self.same(table, on))
            })
    }

    /// Whether a constraint goes: of that name, or any where it has none.
    pub fn drops_constraint(&self, wanted: &ObjectName, wanted_name: Option<&str>) -> bool {
        self.any_effect(|effect| {
            matches!(effect, Effect::DropConstraint { table, name, .. }
                if self.same(table, wanted) && wanted_name.is_none_or(|wanted| name == wanted))
        })
    }

    /// Whether the script itself creates the table.
    pub fn creates_table(&self, wanted: &ObjectName) -> bool {
        self.any_effect(
            |effect| matches!(effect, Effect::CreateTable { table, .. } if self.same(table, wanted)),
        )
    }

    pub fn makes_table(&self, wanted: &ObjectName) -> bool {
        self.any_effect(|effect| match effect {
            Effect::CreateTable { table, .. } => self.same(table, wanted),
            Effect::RenameTable { new_name, .. } => *new_name == wanted.name,
            Effect::MoveTable { table, .. } => table.name == wanted.name,
            _ => false,
        })
    }

    pub fn makes_column(&self, wanted: &ObjectName, wanted_column: &str) -> bool {
        self.makes_table(wanted)
            || self.any_effect(|effect| match effect {
                Effect::AddColumn { table, column, .. } => {
                    self.same(table, wanted) && column == wanted_column
                }
                Effect::RenameColumn {
                    table, new_name, ..
                } => self.same(table, wanted) && new_name == wanted_column,
                _ => false,
            })
    }

    /// Whether the script makes an object of that name that is no table.
    pub fn makes_object(&self, wanted: &ObjectName) -> bool {
        self.any_trace(|trace| {
            matches!(trace.mark, Mark::Made | Mark::Set)
                && matches!(
                    trace.kind,
                    "view" | "sequence" | "type" | "function" | "schema"
                )
                && self.same(&trace.object, wanted)
        }) || self.any_detail(|detail| match detail {
            Detail::NewIndex {
                name: Some(name), ..
            } => *name == wanted.name,
            Detail::NewConstraint { constraint, .. } => {
                constraint.name.as_deref() == Some(wanted.name.as_str())
            }
            _ => false,
        })
    }

    pub fn changes_column(&self, wanted: &ObjectName, wanted_column: &str) -> bool {
        self.drops_column(wanted, wanted_column)
            || self.any_effect(|effect| match effect {
                Effect::AlterColumnType { table, column, .. }
                | Effect::SetNotNull { table, column }
                | Effect::DropDefault { table, column } => {
                    self.same(table, wanted) && column == wanted_column
                }
                _ => false,
            })
            || self.any_detail(|detail| {
                matches!(detail, Detail::AlterColumn { table, column, .. } if self.same(table, wanted) && column == wanted_column)
            })
    }

    pub fn changes_table(&self, wanted: &ObjectName, test: impl Fn(&TableChange) -> bool) -> bool {
        self.drops_table(wanted)
            || self.any_detail(|detail| {
                matches!(detail, Detail::AlterTable { table, change } if self.same(table, wanted) && test(change))
            })
    }
}
