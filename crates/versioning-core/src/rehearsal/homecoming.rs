//! What scripts back carry home whatever there is, and what they only carry home where nothing has taken its
//! place: a rehearsal sees the rows of one moment, people write others in between.

use std::collections::BTreeSet;

use crate::clause::{carried_column, carried_rows, leaves_clashes_out, updated};
use crate::detail::{Described, Detail};
use crate::effect::{Effect, ObjectName};

/// A column whose values come home.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CarriedColumn {
    /// The table.
    pub table: ObjectName,
    /// The column.
    pub column: String,
    /// The column into which they are put.
    pub into: String,
}

/// A table whose rows come home.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CarriedTable {
    /// The table.
    pub table: ObjectName,
    /// The table into which they are put.
    pub into: ObjectName,
    /// Which columns; none for all.
    pub columns: Option<Vec<String>>,
    /// Whether the same statement deletes them.
    pub is_deleted: bool,
}

/// What the scripts carry home.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Homecoming {
    /// Columns whose values come home.
    pub columns: BTreeSet<CarriedColumn>,
    /// Tables whose rows come home.
    pub tables: BTreeSet<CarriedTable>,
    /// Tables out of which rows come home only where no other row is in their place.
    pub hesitant: BTreeSet<ObjectName>,
    /// Whether a hidden statement leaves out what clashes, whatever table it takes the rows from.
    pub hides_clashes: bool,
}

impl Homecoming {
    /// Of scripts that run one after another.
    pub fn of<'a>(scripts: impl IntoIterator<Item = &'a [Described]> + Clone) -> Self {
        let mut found = Self::default();
        let statements = || scripts.clone().into_iter().flatten();
        for described in statements() {
            found.note_insert(described);
            found.note_update(described);
        }
        let effects: Vec<&Effect> = statements()
            .flat_map(|described| &described.statement.effects)
            .collect();
        found.keep_columns(&effects);
        found.keep_tables(&effects);
        if effects.iter().any(|effect| obscures(effect)) {
            found.columns.clear();
            found.tables.clear();
        }
        found
    }

    /// Without those columns that are written more than once: what is written a second time may be gone again,
    /// and what is changed first isn't what people wrote.
    fn keep_columns(&mut self, effects: &[&Effect]) {
        let count = |table: &ObjectName, column: &str| {
            let changing = |effect: &&&Effect| changes(effect, table, column);
            effects.iter().filter(changing).count()
        };
        let is_written = |table: &ObjectName, column: &str| {
            effects.iter().any(|effect| {
                matches!(effect, Effect::Update { .. }) && changes(effect, table, column)
            })
        };
        self.columns.retain(|one| {
            count(&one.table, &one.into) == 1 && !is_written(&one.table, &one.column)
        });
    }

    /// Without those tables whose rows something else takes, or that are changed first. The table itself goes
    /// once, and once more where the statement that carries its rows deletes them.
    fn keep_tables(&mut self, effects: &[&Effect]) {
        let taken = |table: &ObjectName| {
            let taking = |effect: &&&Effect| empties(effect, table);
            effects.iter().filter(taking).count()
        };
        let is_updated = |of: &ObjectName| {
            let mut effects = effects.iter();
            effects.any(|effect| matches!(effect, Effect::Update { table, .. } if table == of))
        };
        self.tables.retain(|one| {
            let own = 1 + usize::from(one.is_deleted);
            taken(&one.into) == 0 && taken(&one.table) <= own && !is_updated(&one.table)
        });
    }

    fn note_insert(&mut self, described: &Described) {
        let text = &described.statement.text;
        let mut effects = described.statement.effects.iter();
        if effects.any(|effect| matches!(effect, Effect::Dynamic { .. })) {
            self.hides_clashes |= may_hide_clashes(text);
            return;
        }
        let inserts = described.details.iter().filter_map(|detail| match detail {
            Detail::Insert {
                table,
                from_query: true,
            } => Some(table),
            _ => None,
        });
        let targets: Vec<&ObjectName> = inserts.collect();
        let [target] = targets.as_slice() else {
            return;
        };
        let mut sources = sources(described);
        let (leaves_out, by_conflict) = leaves_clashes_out(text);
        if leaves_out && (by_conflict || sources.contains(*target)) {
            sources.remove(*target);
            self.hesitant.extend(sources);
        } else if let Some(rows) = carried_rows(text) {
            let mut sources = sources.into_iter();
            let is_it = |table: &ObjectName| rows.source.trim_matches('"').ends_with(&table.name);
            if let Some(table) = sources.find(|table| table != *target && is_it(table)) {
                let mut effects = described.statement.effects.iter();
                self.tables.insert(CarriedTable {
                    is_deleted: effects.any(|effect| empties(effect, &table)),
                    table,
                    into: (*target).clone(),
                    columns: rows.columns,
                });
            }
        }
    }

    fn note_update(&mut self, described: &Described) {
        let mut tables = described.statement.effects.iter();
        let table = tables.find_map(|effect| match effect {
            Effect::Update { table, .. } => Some(table),
            _ => None,
        });
        let is_plain = described.statement.command == "UPDATE";
        let update = is_plain
            .then(|| updated(&described.statement.text))
            .flatten();
        let Some((table, (rows, written))) = table.zip(update) else {
            return;
        };
        for one in &written {
            if let Some(column) = carried_column(&rows, one) {
                self.columns.insert(CarriedColumn {
                    table: table.clone(),
                    column,
                    into: one.column.clone(),
                });
            }
        }
    }
}

/// Whether a text that holds statements may leave out what clashes.
fn may_hide_clashes(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("on conflict") && text.contains("do nothing")
}

/// Whether scripts make functions which leave out what clashes, and others call functions.
pub fn calls_clashes(making: &[Described], calling: &[Described]) -> bool {
    let makes = |described: &&Described| {
        let command = described.statement.command.as_str();
        matches!(command, "CREATE FUNCTION" | "CREATE PROCEDURE")
    };
    let calls = |described: &Described| {
        let mut effects = described.statement.effects.iter();
        effects.any(|effect| matches!(effect, Effect::Dynamic { .. }))
            || (described.details.iter()).any(|detail| matches!(detail, Detail::Calls { .. }))
    };
    let mut made = making.iter().filter(makes);
    made.any(|described| may_hide_clashes(&described.statement.text)) && calling.iter().any(calls)
}

/// The tables that a statement takes rows from.
fn sources(described: &Described) -> BTreeSet<ObjectName> {
    let read = described.details.iter().flat_map(|detail| match detail {
        Detail::Reads(reading) => reading.tables.as_slice(),
        _ => &[],
    });
    let deleted = described
        .statement
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Delete { table, .. } => Some(table),
            _ => None,
        });
    read.chain(deleted).cloned().collect()
}

/// Whether after a statement names mean something else, or nobody knows what it did.
fn obscures(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::RenameTable { .. }
            | Effect::RenameColumn { .. }
            | Effect::MoveTable { .. }
            | Effect::Dynamic { .. }
    )
}

/// Whether a statement takes rows out of a table.
fn empties(effect: &Effect, of: &ObjectName) -> bool {
    match effect {
        Effect::Delete { table, .. } | Effect::DropTable { table, .. } => table == of,
        Effect::Truncate { tables, .. } => tables.contains(of),
        _ => false,
    }
}

/// Whether a statement writes the column or takes it away.
fn changes(effect: &Effect, of: &ObjectName, name: &str) -> bool {
    match effect {
        Effect::Update { table, columns, .. } => {
            table == of && columns.iter().any(|column| column == name)
        }
        Effect::DropColumn { table, column, .. }
        | Effect::AlterColumnType { table, column, .. } => table == of && column == name,
        Effect::DropTable { table, .. } => table == of,
        Effect::Truncate { tables, .. } => tables.contains(of),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moving::Reading;
    use crate::script::Statement;

    fn name(text: &str) -> ObjectName {
        ObjectName {
            schema: None,
            name: text.to_owned(),
        }
    }

    fn described(text: &str, effects: Vec<Effect>, details: Vec<Detail>) -> Described {
        Described {
            statement: Statement {
                number: 1,
                text: text.to_owned(),
                command: text.split(' ').next().unwrap_or_default().to_owned(),
                effects,
                line: 1,
                refusal: None,
                post_step: None,
            },
            details,
        }
    }

    fn insert(text: &str) -> Described {
        let reading = Reading {
            tables: vec![name("old")],
            ..Reading::default()
        };
        let details = vec![
            Detail::Insert {
                table: name("t"),
                from_query: true,
            },
            Detail::Reads(reading),
        ];
        described(text, Vec::new(), details)
    }

    fn drop_old() -> Described {
        let effect = Effect::DropTable {
            table: name("old"),
            cascade: false,
        };
        described("DROP TABLE old", vec![effect], Vec::new())
    }

    fn delete(table: &str) -> Described {
        let effect = Effect::Delete {
            table: name(table),
            has_where: false,
        };
        described(&format!("DELETE FROM {table}"), vec![effect], Vec::new())
    }

    fn of(script: &[Described]) -> Homecoming {
        Homecoming::of([script])
    }

    #[test]
    fn rows_come_home_unless_something_else_takes_them() {
        let carry = || insert("INSERT INTO t SELECT * FROM old");
        assert_eq!(of(&[carry(), drop_old()]).tables.len(), 1);
        assert!(of(&[delete("old"), carry(), drop_old()]).tables.is_empty());
        assert!(of(&[carry(), delete("t"), drop_old()]).tables.is_empty());
        let hidden = Effect::Dynamic {
            what: "DO".to_owned(),
        };
        let hidden = described("DO $$ $$", vec![hidden], Vec::new());
        assert!(of(&[carry(), hidden, drop_old()]).tables.is_empty());
    }

    #[test]
    fn rows_that_clash_stay_behind() {
        let hesitant = insert("INSERT INTO t SELECT * FROM old ON CONFLICT DO NOTHING");
        assert_eq!(of(&[hesitant, drop_old()]).hesitant, [name("old")].into());
    }

    #[test]
    fn a_column_that_is_written_before_or_after_does_not_come_home() {
        let update = |text: &str, column: &str| {
            let effect = Effect::Update {
                table: name("t"),
                columns: vec![column.to_owned()],
                has_where: false,
            };
            described(text, vec![effect], Vec::new())
        };
        let carry = || update("UPDATE t SET a = b", "a");
        assert_eq!(of(&[carry()]).columns.len(), 1);
        assert!(
            of(&[carry(), update("UPDATE t SET a = 0", "a")])
                .columns
                .is_empty()
        );
        assert!(
            of(&[update("UPDATE t SET b = 0", "b"), carry()])
                .columns
                .is_empty()
        );
    }
}
