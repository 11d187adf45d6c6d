//! What becomes of tables when scripts are undone.

use std::slice::from_ref;

use super::*;
use crate::lineage::{ShapeColumn, fates};

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

#[test]
fn what_the_undoing_leaves_alone_is_no_passage() {
    let table = shape(1, "t", &[(1, "id"), (2, "a")], "x");
    let mut other = table.clone();
    other.columns.pop();
    assert_eq!(
        passages(&[], from_ref(&table), from_ref(&table)),
        Passages::default()
    );
    // A column that goes takes its values along, and no others.
    assert_eq!(
        passages(&[], from_ref(&table), &[other]),
        Passages::default()
    );
}

#[test]
fn tables_of_the_newer_version_are_gone() {
    let table = shape(1, "note", &[(1, "id")], "x");
    assert_eq!(passages(&[], &[table], &[]).gone, [name("note")]);
}

#[test]
fn rows_that_only_the_undoing_touches_are_told() {
    let table = shape(1, "t", &[(1, "id")], "x");
    let fates = fates(from_ref(&table), from_ref(&table));
    let after = shape(1, "t", &[(1, "id")], "y");
    let found = passages(&fates, from_ref(&table), from_ref(&after));
    assert_eq!(found.touched[0].told, Told::Untouched);
    let unknown = passages(&[], from_ref(&table), &[after]);
    assert_eq!(unknown.touched[0].told, Told::Unknown);
}

#[test]
fn a_table_rebuilt_under_its_older_name_is_followed() {
    let old = shape(1, "t", &[(1, "id"), (2, "v"), (3, "w")], "x");
    let between = shape(1, "u", &[(1, "id"), (2, "value"), (4, "mail")], "y");
    let up = fates(&[old], from_ref(&between));
    let anew = shape(9, "t", &[(1, "id"), (2, "v"), (3, "w")], "z");
    let found = passages(&up, &[between], &[anew]);
    let one = &found.touched[0];
    assert_eq!((&one.from, &one.to), (&name("u"), &name("t")));
    let names: Vec<(&str, &str)> = one
        .columns
        .iter()
        .map(|column| (column.from.as_str(), column.to.as_str()))
        .collect();
    assert_eq!(names, [("id", "id"), ("value", "v")]);
    assert_eq!(one.gone[0].from, "mail");
    assert_eq!(one.told, Told::Touched);
}

#[test]
fn another_column_of_the_same_name_is_told() {
    let old = shape(1, "t", &[(1, "id"), (2, "v")], "x");
    let between = shape(1, "t", &[(3, "id"), (2, "v")], "x");
    let up = fates(&[old], from_ref(&between));
    assert_eq!(up[0].replaced, ["id"]);
    let after = shape(1, "t", &[(4, "id"), (2, "v")], "y");
    let found = passages(&up, &[between], &[after]);
    let told: Vec<(bool, bool)> = found.touched[0]
        .columns
        .iter()
        .map(|column| (column.was_replaced, column.is_replaced))
        .collect();
    assert_eq!(told, [(true, true), (false, false)]);
}
