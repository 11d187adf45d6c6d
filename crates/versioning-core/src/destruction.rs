//! What the statements of scripts destroy, step by step, in terms of the objects that are there before
//! them: so that it can be counted before anything runs.
//!
//! What the scripts have made themselves is theirs to drop. What they rename keeps its old name here.

mod kind;

pub use kind::{Conversion, Destruction, Step};

use std::collections::{HashMap, HashSet};

use crate::clause;
use crate::detail::{Described, Detail};
use crate::effect::{Effect, ObjectKind, ObjectName};

/// Follows scripts that run one after another.
#[derive(Debug, Default)]
pub struct Destructions {
    made_tables: HashSet<ObjectName>,
    made_columns: HashSet<(ObjectName, String)>,
    made_objects: HashSet<ObjectName>,
    /// Types, sequences and the like by their new names.
    renamed_objects: HashMap<ObjectName, ObjectName>,
    /// Tables by their new names.
    renamed: HashMap<ObjectName, ObjectName>,
    /// Columns by their new names, with tables by their old ones.
    renamed_columns: HashMap<(ObjectName, String), String>,
    gone: HashSet<ObjectName>,
    gone_columns: HashSet<(ObjectName, String)>,
    written: HashSet<ObjectName>,
}

impl Destructions {
    /// What the next script destroys.
    pub fn of_script(&mut self, statements: &[Described]) -> Vec<Step> {
        let mut steps = Vec::new();
        for described in statements {
            let number = described.statement.number;
            for detail in &described.details {
                self.note_detail(detail);
            }
            for effect in &described.statement.effects {
                let found = self.of_effect(effect, described);
                self.note(effect);
                steps.extend(found.map(|destruction| self.step(destruction, number)));
                self.note_written(effect);
            }
            for detail in &described.details {
                let found = self.of_detail(detail);
                steps.extend(found.map(|destruction| self.step(destruction, number)));
                self.note_inserted(detail);
            }
        }
        steps
    }

    fn step(&self, destruction: Destruction, statement_number: i32) -> Step {
        let table = match &destruction {
            Destruction::Table { table, .. }
            | Destruction::Column { table, .. }
            | Destruction::Deleted { table, .. }
            | Destruction::Overwritten { table, .. }
            | Destruction::Retyped { table, .. }
            | Destruction::NotNull { table, .. } => Some(table),
            _ => None,
        };
        Step {
            is_untouched: table.is_none_or(|table| !self.written.contains(table)),
            destruction,
            statement_number,
        }
    }

    /// The table by the name that it has before the scripts; nothing for one that they have made, or that
    /// is gone already.
    fn table(&self, name: &ObjectName) -> Option<ObjectName> {
        if self.made_tables.contains(name) {
            return None;
        }
        let live = self.renamed.get(name).unwrap_or(name).clone();
        (!self.gone.contains(&live)).then_some(live)
    }

    /// Table and column by the names that they have before the scripts.
    fn column(&self, table: &ObjectName, column: &str) -> Option<(ObjectName, String)> {
        let table = self.table(table)?;
        let key = (table, column.to_owned());
        if self.made_columns.contains(&key) {
            return None;
        }
        let live = self.renamed_columns.get(&key).cloned();
        let (table, column) = key;
        let key = (table, live.unwrap_or(column));
        (!self.gone_columns.contains(&key)).then_some(key)
    }

    fn of_effect(&self, effect: &Effect, described: &Described) -> Option<Destruction> {
        let text = &described.statement.text;
        match effect {
            Effect::DropTable { table, cascade } => Some(Destruction::Table {
                table: self.table(table)?,
                cascade: *cascade,
            }),
            Effect::DropColumn {
                table,
                column,
                cascade,
            } => {
                let (table, column) = self.column(table, column)?;
                Some(Destruction::Column {
                    table,
                    column,
                    cascade: *cascade,
                })
            }
            Effect::Truncate { tables, cascade } => {
                let tables: Vec<ObjectName> = tables
                    .iter()
                    .filter_map(|table| self.table(table))
                    .collect();
                (!tables.is_empty()).then_some(Destruction::Truncated {
                    tables,
                    cascade: *cascade,
                })
            }
            Effect::Delete { table, .. } => Some(Destruction::Deleted {
                table: self.table(table)?,
                rows: self
                    .is_readable(described)
                    .then(|| clause::deleted(text))
                    .flatten(),
            }),
            Effect::Update { table, columns, .. } => self.overwritten(table, columns, described),
            Effect::AlterColumnType { .. } | Effect::SetNotNull { .. } => {
                self.of_column(effect, text)
            }
            Effect::Drop {
                kind,
                name,
                cascade,
            } => {
                let holds_data = matches!(
                    kind,
                    ObjectKind::Sequence | ObjectKind::Schema | ObjectKind::Extension
                );
                let counts = (holds_data || *cascade) && !self.made_objects.contains(name);
                counts.then(|| Destruction::Object {
                    kind: *kind,
                    name: self.renamed_objects.get(name).unwrap_or(name).clone(),
                    cascade: *cascade,
                })
            }
            Effect::Dynamic { what } => Some(Destruction::Hidden { what: what.clone() }),
            _ => None,
        }
    }

    /// What becomes of the values of a column that stays.
    fn of_column(&self, effect: &Effect, text: &str) -> Option<Destruction> {
        match effect {
            Effect::AlterColumnType {
                table,
                column,
                new_type,
                using,
            } => {
                let (table, column) = self.column(table, column)?;
                Some(Destruction::Retyped {
                    table,
                    column,
                    new_type: new_type.clone(),
                    conversion: match using {
                        false => Conversion::Assignment,
                        true => clause::conversion(text)
                            .map_or(Conversion::Unknown, Conversion::Expression),
                    },
                })
            }
            Effect::SetNotNull { table, column } => {
                let (table, column) = self.column(table, column)?;
                Some(Destruction::NotNull { table, column })
            }
            _ => None,
        }
    }

    fn overwritten(
        &self,
        table: &ObjectName,
        columns: &[String],
        described: &Described,
    ) -> Option<Destruction> {
        let columns: Vec<String> = columns
            .iter()
            .filter_map(|column| self.column(table, column))
            .map(|(_, column)| column)
            .collect();
        if columns.is_empty() {
            return None;
        }
        let readable = self.is_readable(described) && described.statement.command == "UPDATE";
        Some(Destruction::Overwritten {
            table: self.table(table)?,
            columns,
            update: readable
                .then(|| clause::updated(&described.statement.text))
                .flatten(),
        })
    }

    /// Whether the clauses of the statement mean before the scripts what they mean in its place: it is
    /// plain, and nothing has another name.
    fn is_readable(&self, described: &Described) -> bool {
        let writes = described
            .statement
            .effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Delete { .. } | Effect::Update { .. }));
        let command = described.statement.command.as_str();
        matches!(command, "DELETE" | "UPDATE")
            && writes.count() == 1
            && self.renamed.is_empty()
            && self.renamed_columns.is_empty()
    }

    fn of_detail(&self, detail: &Detail) -> Option<Destruction> {
        match detail {
            Detail::AlterSequence {
                sequence,
                restarts: true,
            } if !self.made_objects.contains(sequence) => Some(Destruction::SequenceSet {
                sequence: sequence.clone(),
            }),
            Detail::DropOwned { roles } => Some(Destruction::Owned {
                roles: roles.clone(),
            }),
            _ => None,
        }
    }

    fn note_detail(&mut self, detail: &Detail) {
        match detail {
            Detail::NewView { view: name, .. }
            | Detail::NewFunction { name, .. }
            | Detail::NewObject { name, .. }
            | Detail::NewDomain { domain: name, .. } => {
                self.made_objects.insert(name.clone());
            }
            Detail::NewExtension { name, .. } => {
                self.made_objects.insert(ObjectName {
                    schema: None,
                    name: name.clone(),
                });
            }
            _ => {}
        }
    }

    /// Takes in what an effect does to names.
    fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::CreateTable { table, .. } => {
                self.made_tables.insert(table.clone());
                self.renamed.remove(table);
            }
            Effect::AddColumn { table, column, .. } => {
                if let Some(table) = self.table(table) {
                    self.made_columns.insert((table, column.clone()));
                }
            }
            Effect::DropTable { table, .. } => {
                if !self.made_tables.remove(table)
                    && let Some(live) = self.table(table)
                {
                    self.gone.insert(live);
                }
            }
            Effect::DropColumn { table, column, .. } => {
                if let Some(live) = self.table(table) {
                    let key = (live, column.clone());
                    if !self.made_columns.remove(&key)
                        && let Some(gone) = self.column(table, column)
                    {
                        self.renamed_columns.remove(&key);
                        self.gone_columns.insert(gone);
                    }
                }
            }
            Effect::RenameTable { table, new_name } => {
                let new = ObjectName {
                    schema: table.schema.clone(),
                    name: new_name.clone(),
                };
                self.rename(table, new);
            }
            Effect::MoveTable { table, new_schema } => {
                let new = ObjectName {
                    schema: Some(new_schema.clone()),
                    name: table.name.clone(),
                };
                self.rename(table, new);
            }
            Effect::RenameColumn {
                table,
                column,
                new_name,
            } => self.rename_column(table, column, new_name),
            Effect::Rename { name, new_name, .. } => self.rename_object(name, new_name),
            _ => {}
        }
    }

    fn rename(&mut self, old: &ObjectName, new: ObjectName) {
        if self.made_tables.remove(old) {
            self.made_tables.insert(new);
        } else {
            let live = self.renamed.remove(old).unwrap_or_else(|| old.clone());
            self.renamed.insert(new, live);
        }
    }

    fn rename_object(&mut self, old: &ObjectName, new_name: &str) {
        let new = ObjectName {
            schema: old.schema.clone(),
            name: new_name.to_owned(),
        };
        if self.made_objects.remove(old) {
            self.made_objects.insert(new);
        } else {
            let live = self.renamed_objects.remove(old);
            self.renamed_objects
                .insert(new, live.unwrap_or_else(|| old.clone()));
        }
    }

    fn rename_column(&mut self, table: &ObjectName, old: &str, new: &str) {
        let Some(live) = self.table(table) else {
            return;
        };
        let (old, new) = ((live.clone(), old.to_owned()), (live, new.to_owned()));
        if self.made_columns.remove(&old) {
            self.made_columns.insert(new);
        } else {
            let name = self.renamed_columns.remove(&old).unwrap_or(old.1);
            self.renamed_columns.insert(new, name);
        }
    }

    fn note_written(&mut self, effect: &Effect) {
        let tables = match effect {
            Effect::Delete { table, .. } | Effect::Update { table, .. } => {
                std::slice::from_ref(table)
            }
            Effect::Truncate { tables, .. } => tables.as_slice(),
            _ => return,
        };
        for table in tables
            .iter()
            .filter_map(|table| self.table(table))
            .collect::<Vec<_>>()
        {
            self.written.insert(table);
        }
    }

    fn note_inserted(&mut self, detail: &Detail) {
        if let Detail::Insert { table, .. } = detail
            && let Some(table) = self.table(table)
        {
            self.written.insert(table);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Statement;

    fn name(text: &str) -> ObjectName {
        ObjectName {
            schema: None,
            name: text.into(),
        }
    }

    fn statement(number: i32, text: &str, effects: Vec<Effect>) -> Described {
        let command = text.split(' ').next().unwrap_or_default().to_owned();
        Described {
            statement: Statement {
                number,
                line: number,
                text: text.to_owned(),
                command,
                refusal: None,
                effects,
                post_step: None,
            },
            details: Vec::new(),
        }
    }

    fn drop_column(table: &str, column: &str) -> Effect {
        Effect::DropColumn {
            table: name(table),
            column: column.into(),
            cascade: false,
        }
    }

    fn delete(table: &str) -> Effect {
        Effect::Delete {
            table: name(table),
            has_where: true,
        }
    }

    #[test]
    fn what_is_renamed_first_is_destroyed_under_its_old_name() {
        let script = [
            statement(
                1,
                "ALTER",
                vec![Effect::RenameTable {
                    table: name("a"),
                    new_name: "b".into(),
                }],
            ),
            statement(
                2,
                "ALTER",
                vec![Effect::RenameColumn {
                    table: name("b"),
                    column: "c".into(),
                    new_name: "d".into(),
                }],
            ),
            statement(3, "ALTER", vec![drop_column("b", "d")]),
        ];
        let steps = Destructions::default().of_script(&script);
        assert_eq!(
            steps,
            [Step {
                destruction: Destruction::Column {
                    table: name("a"),
                    column: "c".into(),
                    cascade: false,
                },
                statement_number: 3,
                is_untouched: true,
            }]
        );
    }

    #[test]
    fn what_scripts_made_themselves_is_theirs_across_scripts() {
        let mut destructions = Destructions::default();
        let made = Effect::AddColumn {
            table: name("a"),
            column: "c".into(),
            type_name: "text".into(),
            required: false,
        };
        assert_eq!(
            destructions.of_script(&[statement(1, "ALTER", vec![made])]),
            []
        );
        assert_eq!(
            destructions.of_script(&[statement(1, "ALTER", vec![drop_column("a", "c")])]),
            []
        );
        // Dropped once more it is another one.
        assert_eq!(
            destructions
                .of_script(&[statement(1, "ALTER", vec![drop_column("a", "c")])])
                .len(),
            1
        );
    }

    #[test]
    fn the_second_deletion_meets_other_rows_than_there_are_now() {
        let script = [
            statement(1, "DELETE FROM a WHERE b", vec![delete("a")]),
            statement(2, "DELETE FROM a WHERE c", vec![delete("a")]),
        ];
        let untouched: Vec<bool> = Destructions::default()
            .of_script(&script)
            .iter()
            .map(|step| step.is_untouched)
            .collect();
        assert_eq!(untouched, [true, false]);
    }
}
