//! What could hold rows and is gone: tables and columns that nobody has filled yet, or that were filled a
//! moment ago. Rows written in between would go with them.

use std::collections::{BTreeMap, BTreeSet};

use super::image::Number;
use super::loss::{Kind, Loss, Name};

/// A table that holds rows of its own, and its stored columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Structure {
    /// Its name.
    pub name: Name,
    /// For a partition the table that it is part of in the end.
    pub root: Option<u32>,
    /// The names of its columns, generated ones left out.
    pub columns: BTreeMap<Number, String>,
}

/// Tables by OID.
pub type Structures = BTreeMap<u32, Structure>;

/// What a thing loses that people use in between.
pub const IN_BETWEEN: &str = "What is written to it in between would go.";

/// What the scripts back say about things that people use in between, by the names that they have then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// Columns whose values come home, whatever is in them by then.
    pub columns: BTreeSet<(Name, String)>,
    /// Tables whose rows do.
    pub tables: BTreeSet<Name>,
    /// Tables whose rows come home only where no others are in their place.
    pub hesitant: BTreeSet<Name>,
    /// Whether that may be any table's.
    pub all_hesitate: bool,
}

/// What a table loses whose rows come home only where no others are in their place.
const LEFT_BEHIND: &str =
    "Rows don't come home where others stand in their place by then, and go with it.";

impl Carried {
    /// Whether a table or column is gone and all that is written to it in between comes home.
    pub fn comes_home(&self, loss: &Loss) -> bool {
        match &loss.column {
            Some(column) => {
                let column = (loss.table.clone(), column.clone());
                self.columns.contains(&column)
            }
            None => self.tables.contains(&loss.table),
        }
    }

    /// Whether rows may stay behind that came home at the rehearsal.
    pub fn hesitates(&self, loss: &Loss) -> bool {
        loss.kind == Kind::TableDropped
            && (self.all_hesitate || self.hesitant.contains(&loss.table))
    }
}

/// The tables and columns that were there and are gone.
pub fn removed(before: &Structures, after: &Structures) -> Vec<Loss> {
    let mut losses = Vec::new();
    for (oid, structure) in before {
        let loss = |kind, column: Option<&String>| Loss {
            kind,
            object: *oid,
            table: structure.name.clone(),
            column: column.cloned(),
            rows: 0,
            values: column.map(|_| 0),
            certain: false,
            detail: Some(IN_BETWEEN.to_owned()),
        };
        match after.get(oid) {
            // It goes with the whole.
            None if structure
                .root
                .is_some_and(|root| !after.contains_key(&root)) => {}
            // A column of the whole is told there.
            Some(_) if structure.root.is_some() => {}
            None => losses.push(loss(Kind::TableDropped, None)),
            Some(now) => losses.extend(
                (structure.columns.iter())
                    .filter(|(number, _)| !now.columns.contains_key(number))
                    .map(|(_, name)| loss(Kind::ColumnDropped, Some(name))),
            ),
        }
    }
    losses
}

/// The way back as a whole: what was there before the way forth and isn't now, and what could be written
/// in between and would go. `moved` answers whether a table or column was filled in between and all that
/// it held is still there.
pub fn on_the_way_back(
    mut lost: Vec<Loss>,
    removed: Vec<Loss>,
    carried: &Carried,
    moved: impl Fn(&Loss) -> bool,
) -> Vec<Loss> {
    for mut loss in removed {
        let hesitates = carried.hesitates(&loss) && moved(&loss);
        if hesitates {
            loss.detail = Some(LEFT_BEHIND.to_owned());
        }
        let moved = |loss: &Loss| !hesitates && (carried.comes_home(loss) || moved(loss));
        let is_told = lost.iter().any(|told| {
            told.kind == loss.kind && told.object == loss.object && told.column == loss.column
        });
        if !is_told && !moved(&loss) {
            lost.push(loss);
        }
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structure(name: &str, columns: &[(Number, &str)]) -> Structure {
        Structure {
            name: Name {
                schema: "app".to_owned(),
                name: name.to_owned(),
            },
            root: None,
            columns: columns
                .iter()
                .map(|(number, name)| (*number, (*name).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn a_table_goes_as_a_whole_and_a_renamed_column_stays() {
        let before: Structures = [
            (1, structure("note", &[(1, "id"), (2, "text"), (3, "mood")])),
            (2, structure("tag", &[(1, "id")])),
        ]
        .into();
        let after: Structures = [(1, structure("remark", &[(1, "id"), (2, "body")]))].into();
        let gone = removed(&before, &after);
        let shown: Vec<_> = gone
            .iter()
            .map(|loss| {
                (
                    loss.kind.as_str(),
                    loss.table.name.as_str(),
                    loss.column.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("column_dropped", "note", Some("mood")),
                ("table_dropped", "tag", None)
            ]
        );
        assert!(removed(&before, &before).is_empty());
    }

    #[test]
    fn what_is_told_with_numbers_is_told_once() {
        let before: Structures = [(1, structure("note", &[(2, "mood")]))].into();
        let after: Structures = [(1, structure("note", &[]))].into();
        let mut counted = removed(&before, &after);
        counted.iter_mut().for_each(|loss| loss.rows = 7);
        let all = on_the_way_back(
            counted.clone(),
            removed(&before, &after),
            &Carried::default(),
            |_| false,
        );
        assert_eq!(all, counted);
        let none = on_the_way_back(
            Vec::new(),
            removed(&before, &after),
            &Carried::default(),
            |_| true,
        );
        assert!(none.is_empty());
    }

    #[test]
    fn what_comes_home_is_not_lost_unless_others_may_be_in_its_place() {
        let before: Structures = [
            (1, structure("note", &[(1, "id"), (2, "mood")])),
            (2, structure("old", &[(1, "id")])),
        ]
        .into();
        let after: Structures = [(1, structure("note", &[(1, "id")]))].into();
        let name = |name: &str| structure(name, &[]).name;
        let mut carried = Carried {
            columns: [(name("note"), "mood".to_owned())].into(),
            tables: [name("old")].into(),
            ..Carried::default()
        };
        let lost = |carried: &Carried, moved| {
            on_the_way_back(Vec::new(), removed(&before, &after), carried, |_| moved).len()
        };
        assert_eq!(lost(&Carried::default(), false), 2);
        assert_eq!(lost(&carried, false), 0);
        carried = Carried::default();
        carried.hesitant.insert(name("old"));
        assert_eq!(lost(&carried, true), 1);
        assert_eq!(lost(&carried, false), 2);
    }
}
