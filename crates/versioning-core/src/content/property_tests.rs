//! Random tables, random edits: what is counted is what was done.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::tests::{columns, hash};
use super::*;

type Rows = Vec<(u32, Vec<Option<u8>>)>;

fn image(description: &str, rows: impl Iterator<Item = (u32, Vec<Option<u8>>)>) -> Image {
    let (columns, keys) = columns(description);
    let mut image = Image::new(columns, keys);
    for (id, cells) in rows {
        let mut values = vec![hash(&format!("id {id}"))];
        values.extend(
            cells
                .iter()
                .map(|cell| cell.map_or(NULL, |cell| hash(&cell.to_string()))),
        );
        image.push(&values, None, &mut usize::MAX.clone());
    }
    image
}

fn lost(before: Image, after: Option<Image>) -> BTreeMap<(Kind, Option<String>), u64> {
    let before = [Kept {
        oid: 1,
        name: Name::default(),
        image: before,
        parts: BTreeMap::new(),
        unimportant: BTreeSet::new(),
    }];
    let live = after.map(|image| Live {
        oid: 1,
        name: Name::default(),
        image,
        standing: Standing::Kept,
    });
    let after: Vec<Live> = live.into_iter().collect();
    let existing = after.iter().map(|live| live.oid).collect();
    let moments = Moments {
        before: &before,
        after: &after,
        rewritten: &BTreeSet::new(),
        existing: &existing,
        references: &BTreeSet::new(),
        written_only: false,
        pause: || (),
    };
    losses(moments)
        .into_iter()
        .map(|loss| ((loss.kind, loss.column), loss.rows))
        .collect()
}

fn rows() -> impl Strategy<Value = Rows> {
    let row = proptest::collection::vec(proptest::option::weighted(0.8, 0_u8..4), 3);
    proptest::collection::vec(row, 0..30).prop_map(|rows| (0..).zip(rows).collect())
}

/// What happens to a row.
#[derive(Debug, Clone)]
enum Edit {
    Stay,
    Delete,
    Write(usize, Option<u8>),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        3 => Just(Edit::Stay),
        1 => Just(Edit::Delete),
        // Values that no column had, so that nothing is found again at another place.
        2 => (0_usize..3, proptest::option::weighted(0.7, 100_u8..)).prop_map(|(column, value)| Edit::Write(column, value)),
    ];
    proptest::collection::vec(edit, 30)
}

const COLUMNS: &str = "id* a b c";

proptest! {
    #[test]
    fn nothing_changed_is_nothing_lost(rows in rows(), keyed in any::<bool>(), turn in any::<bool>()) {
        let description = if keyed { COLUMNS } else { "id a b c" };
        let mut after = rows.clone();
        if turn {
            after.reverse();
        }
        let found = lost(image(description, rows.into_iter()), Some(image(description, after.into_iter())));
        prop_assert!(found.is_empty());
    }

    #[test]
    fn edits_are_counted_exactly(rows in rows(), edits in edits(), turn in any::<bool>()) {
        let mut expected: BTreeMap<(Kind, Option<String>), u64> = BTreeMap::new();
        let mut after = Vec::new();
        for ((id, cells), edit) in rows.iter().zip(&edits) {
            let mut cells = cells.clone();
            match edit {
                Edit::Stay => {}
                Edit::Delete => {
                    *expected.entry((Kind::RowsDeleted, None)).or_default() += 1;
                    continue;
                }
                Edit::Write(column, value) => {
                    if cells[*column].is_some() {
                        let name = ["a", "b", "c"][*column].to_owned();
                        *expected.entry((Kind::ColumnOverwritten, Some(name))).or_default() += 1;
                    }
                    cells[*column] = *value;
                }
            }
            after.push((*id, cells));
        }
        if turn {
            after.reverse();
        }
        let before = image(COLUMNS, rows.into_iter());
        let found = lost(before.clone(), Some(image(COLUMNS, after.into_iter())));
        prop_assert_eq!(found, expected);
        let gone = before.count as u64;
        let dropped = lost(before, None);
        prop_assert_eq!(dropped.get(&(Kind::TableDropped, None)).copied().unwrap_or(0), gone);
    }

    #[test]
    fn deletions_are_counted_without_a_key_too(rows in rows(), edits in edits()) {
        let stays = |edit: &Edit| !matches!(edit, Edit::Delete);
        let after = rows.iter().zip(&edits).filter(|(_, edit)| stays(edit)).map(|(row, _)| row.clone());
        let deleted = rows.iter().zip(&edits).filter(|(_, edit)| !stays(edit)).count() as u64;
        let found = lost(image("id a b c", rows.clone().into_iter()), Some(image("id a b c", after)));
        let expected = if deleted > 0 { BTreeMap::from([((Kind::RowsDeleted, None), deleted)]) } else { BTreeMap::new() };
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn rows_copied_to_a_new_table_are_never_lost(rows in rows(), renamed in any::<bool>()) {
        // One column alone says too little: its numbers may be equal by chance.
        prop_assume!(rows.is_empty() || rows.iter().any(|(_, cells)| cells.iter().any(Option::is_some)));
        let before = [Kept {
            oid: 1,
            name: Name::default(),
            image: image(COLUMNS, rows.clone().into_iter()),
            parts: BTreeMap::new(), unimportant: BTreeSet::new(),
        }];
        let description = if renamed { "w x y z" } else { "id a b c" };
        let copy = Live {
            oid: 2,
            name: Name::default(),
            image: image(description, rows.into_iter().rev()),
            standing: Standing::New,
        };
        let moments = Moments {
            before: &before,
            after: &[copy],
            rewritten: &BTreeSet::new(),
            existing: &BTreeSet::new(), references: &BTreeSet::new(), written_only: false, pause: || (),
        };
        let found = losses(moments);
        prop_assert!(found.is_empty(), "{:?}", found);
    }
}
