//! Tests of [`super`].

use super::*;

fn objects(list: &[(&str, &str)]) -> Objects {
    list.iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn fingerprint_ignores_the_order_of_creation() {
    let forwards = objects(&[("table a", "x"), ("table b", "y")]);
    let backwards = objects(&[("table b", "y"), ("table a", "x")]);
    assert_eq!(fingerprint(&forwards), fingerprint(&backwards));
}

#[test]
fn fingerprint_tells_apart_what_would_read_the_same_in_a_row() {
    let one = objects(&[("table ab", "c")]);
    let other = objects(&[("table a", "bc")]);
    assert_ne!(fingerprint(&one), fingerprint(&other));
}

/// Objects as `(name, definition, table, identity)`.
fn live(list: &[(&str, &str, &str, &str)]) -> Live {
    list.iter()
        .map(|(name, definition, table, identity)| {
            let object = Object {
                definition: (*definition).to_owned(),
                table: (!table.is_empty()).then(|| (*table).to_owned()),
                identity: (*identity).to_owned(),
            };
            ((*name).to_owned(), object)
        })
        .collect()
}

#[test]
fn a_run_owns_what_it_made_and_what_was_owned_before() {
    let before = live(&[
        ("table mine", "1", "", "1"),
        ("table theirs", "1", "", "2"),
        ("table gone", "1", "", "3"),
    ]);
    let after = live(&[
        ("table mine", "1", "", "1"),
        ("table theirs", "1", "", "2"),
        ("table new", "1", "", "4"),
    ]);
    let recorded = objects(&[("table mine", "1"), ("table gone", "1")]);
    assert_eq!(
        recorded_after(&recorded, &before, &after),
        objects(&[("table mine", "1"), ("table new", "1")])
    );
}

#[test]
fn what_drifted_before_a_run_is_drift_after_it() {
    let before = live(&[
        ("table t", "1", "", "1"),
        ("index i", "other", "table t", "2"),
    ]);
    let mut after = before.clone();
    after.extend(live(&[("column t.c", "int", "table t", "1.3")]));
    let recorded = objects(&[
        ("table t", "1"),
        ("index i", "1"),
        ("constraint k on t", "1"),
    ]);
    let now = recorded_after(&recorded, &before, &after);
    assert_eq!(
        drift(&now, &definitions(&after)),
        [
            Drift::Missing("constraint k on t".into()),
            Drift::Different("index i".into())
        ]
    );
    assert!(now.contains_key("column t.c"));
}

#[test]
fn a_tenants_object_stays_theirs_under_another_name() {
    let before = live(&[
        ("table t", "1", "", "1"),
        ("column t.note", "text", "table t", "1.5"),
        ("index i", "ON t (note)", "table t", "9"),
    ]);
    let after = live(&[
        ("table u", "1", "", "1"),
        ("column u.note", "text", "table u", "1.5"),
        ("index i", "ON u (note)", "table u", "9"),
    ]);
    let recorded = objects(&[("table t", "1")]);
    let now = recorded_after(&recorded, &before, &after);
    assert_eq!(now, objects(&[("table u", "1")]));
    assert_eq!(
        extras(&now, &after, false).into_iter().collect::<Vec<_>>(),
        ["column u.note", "index i"]
    );
    assert!(vanished(&recorded, &before, &after).is_empty());
}

#[test]
fn in_a_schema_of_others_only_what_hangs_on_the_modules_tables_is_extra() {
    let found = live(&[
        ("table t", "1", "", "1"),
        ("index i", "1", "table t", "2"),
        ("table other", "1", "", "3"),
        ("column other.a", "int", "table other", "3.1"),
    ]);
    let recorded = objects(&[("table t", "1")]);
    let names = |whole| {
        extras(&recorded, &found, whole)
            .into_iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(names(false), ["index i"]);
    // The other table is named; what hangs on it needs no word.
    assert_eq!(names(true), ["index i", "table other"]);
}

#[test]
fn what_vanishes_with_a_dropped_table_counts_when_it_held_data() {
    let before = live(&[
        ("table t", "1", "", "1"),
        ("column t.note", "text", "table t", "1.5"),
        ("index i", "1", "table t", "2"),
        ("view v", "1", "", "3"),
        ("table own", "1", "", "4"),
        ("column own.a", "int", "table own", "4.1"),
    ]);
    let recorded = objects(&[("table t", "1")]);
    assert_eq!(
        vanished(&recorded, &before, &Live::new()),
        ["column t.note", "table own", "view v"]
    );
    let kept = live(&[("table t", "1", "", "1"), ("view v", "1", "", "3")]);
    assert_eq!(
        vanished(&recorded, &before, &kept),
        ["column t.note", "index i", "table own"]
    );
}

/// Every schema over three names, three times: whatever a run does, nobody's object changes hands unless the
/// run made it or said so.
#[test]
fn no_untouched_object_changes_hands() {
    let shapes: Vec<Live> = (0..27_u32)
        .map(|number| {
            let mut digits = number;
            let mut next = || {
                let digit = digits % 3;
                digits /= 3;
                digit
            };
            let mut made = Live::new();
            for name in ["index a", "view b", "table c"] {
                match next() {
                    0 => {}
                    digit => made.extend(live(&[(name, &digit.to_string(), "", name)])),
                }
            }
            made
        })
        .collect();
    for before in &shapes {
        for after in &shapes {
            for recorded in &shapes {
                let recorded = definitions(recorded);
                let now = recorded_after(&recorded, before, after);
                for (name, object) in after {
                    let untouched = before.get(name) == Some(object);
                    if untouched {
                        assert_eq!(now.get(name), recorded.get(name), "{name}");
                    }
                    if before.get(name).is_none() {
                        assert_eq!(now.get(name), Some(&object.definition), "{name}");
                    }
                }
                for (name, definition) in &now {
                    assert!(after.contains_key(name) || recorded.get(name) == Some(definition));
                }
                // What was the module's and is gone now is the module's no longer.
                for name in before.keys().filter(|name| !after.contains_key(*name)) {
                    assert!(!now.contains_key(name));
                }
            }
        }
    }
}

#[test]
fn differences_leave_out_more_rights_but_not_fewer() {
    let expected = objects(&[("table a", "1"), ("grants on table a to app", "SELECT")]);
    let found = objects(&[
        ("table a", "1"),
        ("grants on table a to other", "SELECT"),
        ("index x", "1"),
    ]);
    assert_eq!(
        difference(&expected, &found),
        [
            Drift::Missing("grants on table a to app".into()),
            Drift::Extra("index x".into())
        ]
    );
}

#[test]
fn drift_names_what_is_missing_or_different_and_nothing_else() {
    let recorded = objects(&[("index i", "1"), ("table a", "1"), ("table b", "1")]);
    let live = objects(&[("table a", "2"), ("table b", "1"), ("table extra", "1")]);
    assert_eq!(
        drift(&recorded, &live),
        [
            Drift::Missing("index i".into()),
            Drift::Different("table a".into())
        ]
    );
}
