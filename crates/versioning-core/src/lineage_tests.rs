//! What the decisions of `lineage` are.

use std::slice::from_ref;

use super::*;

fn name(relation: &str) -> TableName {
    TableName {
        schema: "s".into(),
        relation: relation.into(),
    }
}

fn shape(id: u32, relation: &str, columns: &[(i16, &str)], storage: &str) -> Shape {
    Shape {
        id,
        name: name(relation),
        columns: columns
            .iter()
            .map(|(number, name)| ShapeColumn {
                number: *number,
                name: (*name).into(),
                kind: 23,
                has_default: false,
            })
            .collect(),
        files: storage.into(),
        writes: storage.into(),
    }
}

fn is_new(undo: &Undo) -> Vec<(&str, bool)> {
    let told = |column: &'_ UndoColumn| column.is_new;
    undo.columns
        .iter()
        .map(|column| (column.name.as_str(), told(column)))
        .collect()
}

#[test]
fn a_renamed_table_and_column_are_the_same() {
    let before = shape(1, "t", &[(1, "id"), (2, "a")], "x");
    let after = shape(1, "u", &[(1, "id"), (2, "b"), (3, "c")], "x");
    let fate = &fates(from_ref(&before), from_ref(&after))[0];
    assert_eq!(fate.after, Some(name("u")));
    assert_eq!(fate.columns["a"], Some("b".into()));
    assert_eq!(fate.added, ["c"]);
    assert!(fate.is_same);
    // Renamed back by the same table: nothing was destroyed.
    let back = shape(1, "t", &[(1, "id"), (2, "a")], "x");
    let undone = undo(from_ref(fate), from_ref(&after), &[back], true);
    assert!(!undone[0].rows && undone[0].columns.is_empty());
    // What was written in the column that came and went has no place any more.
    assert_eq!(undone[0].homeless, ["c"]);
    // Made anew instead: rows come back.
    let anew = shape(9, "t", &[(1, "id"), (2, "a")], "y");
    let undone = undo(from_ref(fate), &[after], &[anew], true);
    assert!(undone[0].rows);
    assert_eq!(is_new(&undone[0]), [("id", true), ("a", true)]);
    assert_eq!(undone[0].between.as_ref().unwrap().table, name("u"));
}

#[test]
fn touched_rows_and_other_types_are_told() {
    let before = shape(1, "t", &[(1, "id")], "x");
    assert!(!fates(from_ref(&before), &[shape(1, "t", &[(1, "id")], "y")])[0].is_same);
    let mut other = before.clone();
    other.columns[0].kind = 20;
    assert!(!fates(from_ref(&before), &[other])[0].is_same);
    // Dropped and added again under the same name: another column.
    let again = shape(1, "t", &[(2, "id")], "x");
    let fate = &fates(&[before], &[again])[0];
    assert!(!fate.is_same);
    assert_eq!(fate.columns["id"], Some("id".into()));
}

#[test]
fn a_dropped_column_comes_back_in_the_column_made_anew() {
    let old = shape(1, "t", &[(1, "id"), (2, "fax")], "x");
    let between = shape(1, "t", &[(1, "id"), (3, "mail")], "x");
    let new = shape(1, "t", &[(1, "id"), (4, "fax")], "x");
    let fates = fates(&[old], from_ref(&between));
    assert!(fates[0].is_same);
    for is_complete in [true, false] {
        let undone = undo(&fates, from_ref(&between), from_ref(&new), is_complete);
        assert_eq!(undone[0].rows, is_complete);
        let fax = undone[0].columns.iter().find(|column| column.name == "fax");
        assert!(fax.unwrap().is_new);
    }
    // A column that was there before the undoing is not for this one.
    let there = shape(1, "t", &[(1, "id"), (4, "fax")], "x");
    let undone = undo(&fates, &[there], &[new], false);
    assert!(undone.is_empty());
}

#[test]
fn a_dropped_table_comes_back_once() {
    let old = shape(1, "t", &[(1, "id")], "x");
    let fates = fates(&[old], &[]);
    assert_eq!(fates[0].after, None);
    let new = shape(7, "t", &[(1, "id")], "z");
    let undone = undo(&fates, &[], from_ref(&new), false);
    assert!(undone[0].rows && undone[0].between.is_none());
    assert!(undo(&fates, from_ref(&new), from_ref(&new), true).is_empty());
    assert!(undo(&fates, &[], &[], true).is_empty());
}

#[test]
fn a_table_made_again_under_the_name_is_the_heir() {
    let old = shape(1, "t", &[(1, "id"), (2, "a")], "x");
    let new = shape(2, "t", &[(1, "a"), (2, "id")], "y");
    let fate = &fates(&[old], from_ref(&new))[0];
    assert_eq!(fate.after, Some(name("t")));
    assert_eq!(fate.columns["a"], Some("a".into()));
    assert!(!fate.is_same);
    // But not one that was there under another name.
    let (old, other) = (shape(1, "t", &[], "x"), shape(2, "u", &[], "x"));
    let moved = shape(2, "t", &[], "x");
    let fates = fates(&[old, other], &[moved]);
    assert_eq!(fates[0].after, None);
    assert_eq!(fates[1].after, Some(name("t")));
}

#[test]
fn old_rows_are_readable_while_they_lie_there() {
    let old = shape(1, "t", &[(1, "id"), (2, "a")], "x");
    let mut now = shape(1, "u", &[(1, "id"), (2, "b"), (3, "c")], "x");
    now.writes = "more".into();
    let names = now.readable_as_of(&old).unwrap();
    assert_eq!(names["b"], "a");
    assert_eq!(names.len(), 2);
    let less = shape(1, "t", &[(1, "id")], "x");
    assert_eq!(less.readable_as_of(&old).unwrap().len(), 1);
    assert_eq!(
        shape(2, "t", &[(1, "id"), (2, "a")], "x").readable_as_of(&old),
        None
    );
    assert_eq!(
        shape(1, "t", &[(1, "id"), (2, "a")], "y").readable_as_of(&old),
        None
    );
}

#[test]
fn only_the_completing_step_looks_at_values_that_stayed() {
    let old = shape(1, "t", &[(1, "id"), (2, "a")], "x");
    let changed = shape(1, "t", &[(1, "id"), (2, "a")], "y");
    let fates = fates(from_ref(&old), from_ref(&changed));
    let undone = undo(&fates, from_ref(&changed), from_ref(&old), true);
    assert_eq!(is_new(&undone[0]), [("id", false), ("a", false)]);
    assert!(undo(&fates, &[changed], &[old], false).is_empty());
}
