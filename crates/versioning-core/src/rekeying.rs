//! Whether scripts write the values by which the rows of a table are told apart: then a row can't be followed
//! by them.

use std::collections::BTreeSet;

use crate::effect::Effect;

/// What scripts write to, and which names they change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rekeying {
    /// Tables and columns whose values are overwritten.
    written: BTreeSet<(String, String)>,
    /// Tables from which rows are taken away.
    emptied: BTreeSet<String>,
    /// Older and newer names of tables.
    tables: Vec<(String, String)>,
    /// Older and newer names of columns.
    columns: Vec<(String, String)>,
    /// Whether a statement doesn't show what it does.
    pub is_hidden: bool,
}

impl Rekeying {
    /// What the statements of all scripts together do.
    pub fn of<'a>(effects: impl IntoIterator<Item = &'a Effect>) -> Self {
        let mut found = Self::default();
        for effect in effects {
            found.add(effect);
        }
        found
    }

    fn add(&mut self, effect: &Effect) {
        match effect {
            Effect::Update { table, columns, .. } => self.written.extend(
                columns
                    .iter()
                    .map(|column| (table.name.clone(), column.clone())),
            ),
            Effect::Delete { table, .. } | Effect::DropTable { table, .. } => {
                self.emptied.insert(table.name.clone());
            }
            Effect::Truncate { tables, .. } => {
                let names = tables.iter().map(|table| table.name.clone());
                self.emptied.extend(names);
            }
            Effect::RenameTable { table, new_name } => {
                self.tables.push((table.name.clone(), new_name.clone()));
            }
            Effect::RenameColumn {
                column, new_name, ..
            } => self.columns.push((column.clone(), new_name.clone())),
            Effect::Dynamic { .. } => self.is_hidden = true,
            _ => {}
        }
    }

    /// Whether values of a column are overwritten, by any name that table and column have meanwhile.
    pub fn writes(&self, table: &str, column: &str) -> bool {
        let (tables, columns) = (names(table, &self.tables), names(column, &self.columns));
        self.written.iter().any(|(table, column)| {
            tables.contains(table.as_str()) && columns.contains(column.as_str())
        })
    }

    /// Whether rows are taken from a table, by any name that it has meanwhile.
    pub fn takes_rows(&self, table: &str) -> bool {
        let tables = names(table, &self.tables);
        self.emptied
            .iter()
            .any(|name| tables.contains(name.as_str()))
    }
}

/// A name, and all those that it leads to or comes from.
fn names<'a>(name: &'a str, renamed: &'a [(String, String)]) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::from([name]);
    loop {
        let before = found.len();
        for (old, new) in renamed {
            if found.contains(old.as_str()) || found.contains(new.as_str()) {
                found.extend([old.as_str(), new.as_str()]);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::ObjectName;

    fn name(text: &str) -> ObjectName {
        ObjectName {
            schema: None,
            name: text.to_owned(),
        }
    }

    fn update(table: &str, column: &str) -> Effect {
        Effect::Update {
            table: name(table),
            columns: vec![column.to_owned()],
            has_where: false,
        }
    }

    #[test]
    fn only_columns_that_are_set_are_written() {
        let found = Rekeying::of(&[update("t", "id")]);
        assert!(found.writes("t", "id"));
        assert!(!found.writes("t", "mail"));
        assert!(!found.writes("u", "id"));
        assert!(!found.takes_rows("t") && !found.is_hidden);
    }

    #[test]
    fn other_names_are_followed_both_ways() {
        let renamed = [
            Effect::RenameTable {
                table: name("t"),
                new_name: "u".to_owned(),
            },
            Effect::RenameColumn {
                table: name("u"),
                column: "id".to_owned(),
                new_name: "number".to_owned(),
            },
            update("u", "number"),
            Effect::Delete {
                table: name("u"),
                has_where: true,
            },
        ];
        let found = Rekeying::of(&renamed);
        for (table, column) in [("t", "id"), ("u", "id"), ("u", "number")] {
            assert!(found.writes(table, column), "{table}.{column}");
        }
        assert!(found.takes_rows("t"));
        assert!(!found.writes("t", "mail"));
    }

    #[test]
    fn what_is_hidden_is_said() {
        let hidden = Effect::Dynamic {
            what: "DO".to_owned(),
        };
        assert!(Rekeying::of(&[hidden]).is_hidden);
    }
}
