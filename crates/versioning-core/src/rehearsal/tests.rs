//! The judgements, each on the smallest observation that shows it.

use std::collections::{BTreeMap, BTreeSet};

use super::shape::{Column, Gone, Table, Tables};
use super::verdict::{Facts, Reversibility, reversibility};
use super::*;

const TABLE: u32 = 10;
const INDEX: u32 = 11;
const VIEW: u32 = 12;
const NEW: u32 = 99;

fn relation(oid: u32, shown: &str, kind: Kind, table: Option<u32>) -> Relation {
    Relation {
        oid,
        shown: shown.to_owned(),
        kind,
        file: oid + 1000,
        table,
    }
}

fn before() -> Relations {
    [
        relation(TABLE, "customer", Kind::Table, None),
        relation(INDEX, "customer_pkey", Kind::Index, Some(TABLE)),
        relation(VIEW, "dear", Kind::View, None),
    ]
    .into_iter()
    .map(|one| (one.oid, one))
    .collect()
}

fn kinds(seen: &Observation) -> Vec<String> {
    let found = hazards(seen, &before());
    found.locks.into_iter().map(|one| one.kind).collect()
}

#[test]
fn strong_locks_on_tables_that_were_there_count() {
    let with = |oid, mode| Observation {
        locks: vec![(oid, mode)],
        ..Observation::default()
    };
    assert_eq!(
        kinds(&with(TABLE, Mode::AccessExclusive)),
        ["access_exclusive"]
    );
    assert_eq!(kinds(&with(TABLE, Mode::Exclusive)), ["exclusive"]);
    assert_eq!(
        kinds(&with(TABLE, Mode::ShareRowExclusive)),
        ["share_row_exclusive"]
    );
    for mode in [
        Mode::AccessShare,
        Mode::RowExclusive,
        Mode::ShareUpdateExclusive,
        Mode::Share,
    ] {
        assert!(kinds(&with(TABLE, mode)).is_empty(), "{mode}");
    }
    assert!(kinds(&with(VIEW, Mode::AccessExclusive)).is_empty());
    assert!(kinds(&with(NEW, Mode::AccessExclusive)).is_empty());
}

#[test]
fn a_rewrite_has_its_indexes_and_a_truncate_is_none() {
    let rewritten = Observation {
        files: vec![TABLE, INDEX],
        scans: vec![(TABLE, vec!["constraint c".to_owned()])],
        ..Observation::default()
    };
    assert_eq!(kinds(&rewritten), ["table_rewrite"]);
    assert_eq!(hazards(&rewritten, &before()).rewrites.len(), 1);
    let truncated = Observation {
        truncated: vec![TABLE],
        ..rewritten
    };
    assert!(kinds(&truncated).is_empty());
    let reindexed = Observation {
        files: vec![INDEX],
        ..Observation::default()
    };
    assert_eq!(kinds(&reindexed), ["index_build"]);
}

#[test]
fn an_index_that_takes_over_a_file_is_not_built() {
    let made = |file| Observation {
        indexes: vec![NewIndex {
            shown: "customer_name_idx".to_owned(),
            table: TABLE,
            file,
        }],
        ..Observation::default()
    };
    assert_eq!(kinds(&made(7)), ["index_build"]);
    assert!(kinds(&made(INDEX + 1000)).is_empty());
    assert!(kinds(&made(0)).is_empty());
}

#[test]
fn a_scan_needs_a_reason() {
    let scanned = |rules: Vec<String>| Observation {
        scans: vec![(TABLE, rules)],
        ..Observation::default()
    };
    assert!(kinds(&scanned(Vec::new())).is_empty());
    assert_eq!(
        kinds(&scanned(vec!["NOT NULL of name".to_owned()])),
        ["validation_scan"]
    );
}

#[test]
fn most_rows_or_many_rows_are_bulk() {
    let wrote = |inserted, updated, deleted, rows| Observation {
        written: vec![(
            TABLE,
            Written {
                inserted,
                updated,
                deleted,
            },
            rows,
        )],
        ..Observation::default()
    };
    for (seen, is_bulk) in [
        (wrote(0, 3, 0, 100), false),
        (wrote(0, 50, 0, 100), true),
        (wrote(0, 0, 60, 40), true),
        (wrote(0, 0, 1, 40), false),
        (wrote(5, 0, 0, 5), false),
        (wrote(20_000, 0, 0, 0), true),
        (wrote(0, 20_000, 0, 0), true),
    ] {
        assert_eq!(!kinds(&seen).is_empty(), is_bulk, "{seen:?}");
    }
}

#[test]
fn the_strongest_bit_of_a_mask_is_the_mode() {
    assert_eq!(Mode::strongest(0), None);
    assert_eq!(Mode::strongest(1 << 1), Some(Mode::AccessShare));
    assert_eq!(
        Mode::strongest(1 << 8 | 1 << 3),
        Some(Mode::AccessExclusive)
    );
    assert_eq!(Mode::strongest(1 << 5), Some(Mode::Share));
}

#[test]
fn counters_that_were_set_back_count_from_nothing() {
    let now = Written {
        inserted: 5,
        updated: 2,
        deleted: 9,
    };
    let then = Written {
        inserted: 3,
        updated: 4,
        deleted: 9,
    };
    let expected = Written {
        inserted: 2,
        updated: 2,
        deleted: 0,
    };
    assert_eq!(now.since(then), expected);
}

fn table(shown: &str, columns: &[(i16, &str, &str)]) -> Table {
    let column = |(number, name, kind): &(i16, &str, &str)| {
        let column = Column {
            name: (*name).to_owned(),
            type_name: (*kind).to_owned(),
            type_parts: String::new(),
        };
        (*number, column)
    };
    Table {
        shown: shown.to_owned(),
        columns: columns.iter().map(column).collect(),
    }
}

#[test]
fn what_holds_rows_is_known_by_number() {
    let before: Tables = [(1, table("a", &[(1, "x", "integer"), (2, "y", "text")]))].into();
    let after: Tables = [
        (
            1,
            table(
                "renamed",
                &[(1, "z", "integer"), (2, "y", "bytea"), (3, "new", "text")],
            ),
        ),
        (2, table("b", &[(1, "id", "integer")])),
    ]
    .into();
    let renamed: Tables = [(1, table("c", &[(1, "x2", "integer"), (2, "y2", "text")]))].into();
    assert_eq!(
        shape::made_and_gone(&before, &after, &before),
        [
            Gone::Column("renamed".to_owned(), "new".to_owned()),
            Gone::Table("b".to_owned())
        ]
    );
    assert_eq!(shape::reshaped(&before, &after), BTreeSet::from([1]));
    assert!(shape::reshaped(&before, &renamed).is_empty());
    assert_eq!(
        shape::reshaped(&before, &BTreeMap::new()),
        BTreeSet::from([1])
    );
    let retyped = shape::retyped(&before, &after);
    assert_eq!(retyped.len(), 1);
    assert_eq!(retyped[0].column, "y");
}

#[test]
fn the_way_back_is_judged_by_what_happened() {
    let good = Facts {
        up_ran: true,
        has_down: true,
        down_ran: Some(true),
        schema_restored: Some(true),
        up_again: Some(true),
        loses_data: false,
        incomplete: false,
    };
    let judged = |change: &dyn Fn(&mut Facts)| {
        let mut facts = good.clone();
        change(&mut facts);
        reversibility(&facts)
    };
    assert_eq!(judged(&|_| ()), Reversibility::Reversible);
    assert_eq!(
        judged(&|facts| facts.loses_data = true),
        Reversibility::Lossy
    );
    assert_eq!(
        judged(&|facts| facts.has_down = false),
        Reversibility::Irreversible
    );
    assert_eq!(
        judged(&|facts| facts.down_ran = Some(false)),
        Reversibility::Irreversible
    );
    assert_eq!(
        judged(&|facts| facts.schema_restored = Some(false)),
        Reversibility::Irreversible
    );
    assert_eq!(
        judged(&|facts| facts.up_again = Some(false)),
        Reversibility::Irreversible
    );
    assert_eq!(
        judged(&|facts| facts.up_ran = false),
        Reversibility::Unknown
    );
    assert_eq!(
        judged(&|facts| facts.incomplete = true),
        Reversibility::Unknown
    );
}

#[test]
fn a_loss_is_laid_to_the_statement_that_defined_wrote_or_locked_it() {
    let numbered = |number, change: &dyn Fn(&mut Observation)| {
        let mut one = Observation {
            number,
            ..Observation::default()
        };
        change(&mut one);
        one
    };
    let seen = [
        numbered(1, &|one| one.locks.push((TABLE, Mode::AccessExclusive))),
        numbered(2, &|one| {
            one.objects.insert((TABLE, 3));
        }),
        numbered(3, &|one| one.files.push(TABLE)),
    ];
    assert_eq!(
        attribution::of(TABLE, Some(3), true, &seen),
        Some((2, None))
    );
    assert_eq!(attribution::of(TABLE, None, false, &seen), Some((3, None)));
    assert_eq!(
        attribution::of(TABLE, None, false, &seen[..2]),
        Some((1, None))
    );
    assert_eq!(attribution::of(NEW, None, true, &seen), None);
}
