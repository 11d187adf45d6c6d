//! Whether a script may have moved values elsewhere before it drops them. Where tables hold no rows, running
//! it shows nothing of that; its text tells what it reads and writes.

use crate::detail::{Described, Detail};
use crate::effect::{Effect, ObjectName};

/// Columns that a statement reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The tables that it names.
    pub tables: Vec<ObjectName>,
    /// The columns that it names.
    pub columns: Vec<String>,
    /// Whether it reads whole rows.
    pub whole_rows: bool,
}

/// A statement that may move values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mover {
    /// The statement, from 1.
    pub statement_number: i32,
    /// What it reads; `None` when that can't be told.
    pub reading: Option<Reading>,
}

/// What a script may move, and what it gives other names meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moving {
    movers: Vec<Mover>,
    /// Names of tables and columns and the ones that they get.
    renamed: Vec<(String, String)>,
}

impl Moving {
    /// Reads a script.
    pub fn of(script: &[Described]) -> Self {
        let mut found = Self::default();
        for described in script {
            found.movers.extend(mover(described));
            let renames = described.statement.effects.iter();
            found
                .renamed
                .extend(renames.filter_map(|effect| match effect {
                    Effect::RenameTable { table, new_name } => {
                        Some((table.name.clone(), new_name.clone()))
                    }
                    Effect::RenameColumn {
                        column, new_name, ..
                    } => Some((column.clone(), new_name.clone())),
                    _ => None,
                }));
        }
        found
    }

    /// Whether a statement before `end` (any, when that isn't known) may have moved the values of a table, or of
    /// one of its columns, by the names that they have before the script.
    pub fn may_move(&self, table: &str, column: Option<&str>, end: Option<i32>) -> bool {
        let tables = self.names(table);
        let columns = column.map(|column| self.names(column));
        let before = self
            .movers
            .iter()
            .filter(|mover| end.is_none_or(|end| mover.statement_number < end));
        let mut readings = before.map(|mover| mover.reading.as_ref());
        readings.any(|reading| {
            reading.is_none_or(|reading| {
                let named = &reading.columns;
                let of_table =
                    (reading.tables.iter()).any(|one| tables.contains(&one.name.as_str()));
                let of_column = columns
                    .as_ref()
                    .is_none_or(|columns| named.iter().any(|one| columns.contains(&one.as_str())));
                of_table && (reading.whole_rows || of_column)
            })
        })
    }

    /// A name and those that follow it.
    fn names<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        let mut names = vec![name];
        for (old, new) in &self.renamed {
            if names.contains(&old.as_str()) {
                names.push(new);
            }
        }
        names
    }
}

fn mover(described: &Described) -> Option<Mover> {
    let statement = &described.statement;
    let is_hidden =
        |effect: &Effect| matches!(effect, Effect::Dynamic { .. } | Effect::DropOwned { .. });
    let writes = statement
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Update { .. }))
        || described
            .details
            .iter()
            .any(|detail| matches!(detail, Detail::Insert { .. } | Detail::ServerCopy { .. }))
        || matches!(
            statement.command.as_str(),
            "ALTER TABLE" | "CREATE TABLE AS" | "CREATE MATERIALIZED VIEW" | "MERGE"
        );
    let reading = if statement.effects.iter().any(is_hidden) {
        None
    } else {
        let reading = described.details.iter().find_map(|detail| match detail {
            Detail::Reads(reading) => Some(reading.clone()),
            _ => None,
        });
        Some(reading.filter(|_| writes)?)
    };
    Some(Mover {
        statement_number: statement.number,
        reading,
    })
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

    fn statement(number: i32, command: &str, effects: Vec<Effect>, reads: &[&str]) -> Described {
        let reading = Reading {
            tables: vec![name("t")],
            columns: reads.iter().map(ToString::to_string).collect(),
            whole_rows: reads.contains(&"*"),
        };
        Described {
            statement: Statement {
                number,
                line: number,
                text: String::new(),
                command: command.to_owned(),
                refusal: None,
                effects,
                post_step: None,
            },
            details: vec![Detail::Reads(reading)],
        }
    }

    fn update(reads: &[&str]) -> Described {
        let effect = Effect::Update {
            table: name("t"),
            columns: vec!["n".into()],
            has_where: false,
        };
        statement(2, "UPDATE", vec![effect], reads)
    }

    #[test]
    fn what_reads_the_values_before_they_go_may_have_moved_them() {
        let moving = Moving::of(&[update(&["b"])]);
        assert!(moving.may_move("t", Some("b"), Some(3)));
        assert!(moving.may_move("t", Some("b"), None));
        assert!(moving.may_move("t", None, Some(3)));
        assert!(!moving.may_move("t", Some("c"), Some(3)));
        assert!(!moving.may_move("u", Some("b"), Some(3)));
        assert!(!moving.may_move("t", Some("b"), Some(2)));
        let copied = statement(1, "CREATE TABLE AS", Vec::new(), &["*"]);
        assert!(Moving::of(&[copied]).may_move("t", Some("c"), Some(3)));
    }

    #[test]
    fn what_only_looks_moves_nothing() {
        let select = statement(1, "SELECT", Vec::new(), &["*"]);
        assert!(!Moving::of(&[select]).may_move("t", None, None));
    }

    #[test]
    fn what_is_hidden_may_move_anything() {
        let hidden = Effect::Dynamic { what: "DO".into() };
        let block = statement(1, "DO", vec![hidden], &[]);
        assert!(Moving::of(&[block]).may_move("x", Some("y"), Some(2)));
    }

    #[test]
    fn other_names_are_followed() {
        let renamed = Effect::RenameTable {
            table: name("s"),
            new_name: "t".into(),
        };
        let moving = Moving::of(&[
            statement(1, "ALTER TABLE", vec![renamed], &[]),
            update(&["b"]),
        ]);
        assert!(moving.may_move("s", Some("b"), Some(3)));
    }
}
