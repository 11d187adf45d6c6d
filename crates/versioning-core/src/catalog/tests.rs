//! Differences and what they mean, on small schemas.

use super::model::{
    Column, Constraint, ConstraintKind, DataType, Function, Identity, Index, Policy, Relation,
    RelationKind, Sequence, Trigger,
};
use super::*;

fn identity(object: u32, number: i32) -> Option<Identity> {
    Some(Identity { object, number })
}

fn column(kind: &str, number: i32) -> Column {
    Column {
        r#type: kind.into(),
        position: Some(number),
        identity: identity(1, number),
        ..Column::default()
    }
}

/// `orders (id integer primary key, note text)` and nothing else.
fn orders() -> Schema {
    let mut table = Relation {
        owner: "shop".into(),
        identity: identity(1, 0),
        ..Relation::default()
    };
    table.columns.insert(
        "id".into(),
        Column {
            not_null: true,
            ..column("integer", 1)
        },
    );
    table.columns.insert("note".into(), column("text", 2));
    let key = Constraint {
        kind: ConstraintKind::PrimaryKey,
        definition: "PRIMARY KEY (id)".into(),
        columns: vec!["id".into()],
        identity: identity(10, 0),
        ..Constraint::default()
    };
    table.constraints.insert("orders_pkey".into(), key);
    let mut schema = Schema {
        format: model::FORMAT,
        owner: "shop".into(),
        ..Schema::default()
    };
    schema.relations.insert("orders".into(), table);
    schema
}

fn changed(change: impl FnOnce(&mut Schema)) -> (Schema, Schema) {
    let before = orders();
    let mut after = before.clone();
    change(&mut after);
    (before, after)
}

fn table(schema: &mut Schema) -> &mut Relation {
    schema.relations.get_mut("orders").expect("orders")
}

/// Everything that is said of a change: action, object, kinds, breaking, loss.
fn said(before: &Schema, after: &Schema) -> Vec<String> {
    diff(before, after)
        .iter()
        .map(|change| {
            let kinds: Vec<&str> = change.findings.iter().map(|found| found.kind).collect();
            format!(
                "{} {} {}: {}{}{}",
                change.action.as_str(),
                change.object_type,
                change.object,
                kinds.join(", "),
                if change.is_breaking() {
                    ", breaking"
                } else {
                    ""
                },
                if change.loses_data() { ", loss" } else { "" },
            )
        })
        .collect()
}

/// The same change, with identities and without.
fn both(change: impl Fn(&mut Schema)) -> (Vec<String>, Vec<String>) {
    let (before, after) = changed(&change);
    let anonymous = |schema: &Schema| read(&text(schema)).expect("its own text");
    (
        said(&before, &after),
        said(&anonymous(&before), &anonymous(&after)),
    )
}

fn rename_column(schema: &mut Schema) {
    let column = table(schema).columns.remove("note").expect("note");
    table(schema).columns.insert("remark".into(), column);
}

#[test]
fn a_rename_is_told_from_a_drop_and_an_addition_by_identity_alone() {
    let (identified, anonymous) = both(rename_column);
    assert_eq!(
        identified,
        ["renamed column orders.note: column_renamed, breaking"]
    );
    assert_eq!(
        anonymous,
        [
            "dropped column orders.note: column_dropped, breaking, loss",
            "added column orders.remark: column_added",
        ]
    );
}

#[test]
fn dropping_and_adding_a_column_of_the_same_name_loses_data_and_breaks_nobody() {
    let (identified, anonymous) = both(|schema| {
        table(schema).columns.insert(
            "note".into(),
            Column {
                position: Some(2),
                ..column("text", 3)
            },
        );
    });
    assert_eq!(identified, ["recreated column orders.note: , loss"]);
    assert!(anonymous.is_empty());
}

#[test]
fn a_changed_type_is_one_change() {
    let (identified, anonymous) = both(|schema| {
        table(schema).columns.get_mut("id").expect("id").r#type = "bigint".into();
    });
    assert_eq!(
        identified,
        ["changed column orders.id: column_type_widened"]
    );
    assert_eq!(anonymous, identified);
}

#[test]
fn a_view_under_the_old_name_keeps_clients_of_a_renamed_table_alive() {
    let rename = |schema: &mut Schema, updatable: bool, columns: &[&str]| {
        let moved = schema.relations.remove("orders").expect("orders");
        let mut view = Relation {
            kind: RelationKind::View,
            owner: "shop".into(),
            updatable,
            definition: Some("SELECT id, note FROM sales".into()),
            identity: identity(2, 0),
            ..Relation::default()
        };
        for name in columns {
            let column = Column {
                not_null: false,
                identity: identity(2, 1),
                ..moved.columns[*name].clone()
            };
            view.columns.insert((*name).into(), column);
        }
        schema.relations.insert("sales".into(), moved);
        schema.relations.insert("orders".into(), view);
    };
    let (before, after) = changed(|schema| rename(schema, true, &["id", "note"]));
    assert_eq!(
        said(&before, &after),
        [
            "renamed table orders: table_replaced_by_view",
            "added view orders: relation_added"
        ]
    );
    let (before, after) = changed(|schema| rename(schema, false, &["id", "note"]));
    assert!(diff(&before, &after)[0].is_breaking());
    let (before, after) = changed(|schema| rename(schema, true, &["id"]));
    let changes = diff(&before, &after);
    assert!(changes[0].is_breaking());
    assert_eq!(changes[0].findings[1].kind, "column_dropped");
    assert_eq!(changes[0].findings[1].note.as_deref(), Some("orders.note"));
}

#[test]
fn two_columns_that_swap_their_names_keep_their_values() {
    let (before, after) = changed(|schema| {
        let columns = &mut table(schema).columns;
        let (id, note) = (
            columns.remove("id").expect("id"),
            columns.remove("note").expect("note"),
        );
        columns.insert("note".into(), id);
        columns.insert("id".into(), note);
    });
    let changes = diff(&before, &after);
    assert!(changes.iter().all(|change| !change.loses_data()));
    let applied = apply(&before, &changes).expect("applicable");
    assert_eq!(text(&applied), text(&after));
}

#[test]
fn a_required_column_breaks_writers_and_one_with_a_default_does_not() {
    let add = |default: Option<&str>| {
        both(|schema| {
            let new = Column {
                not_null: true,
                default: default.map(str::to_owned),
                ..column("text", 3)
            };
            table(schema).columns.insert("state".into(), new);
        })
        .0
    };
    assert_eq!(
        add(None),
        ["added column orders.state: required_column_added, breaking"]
    );
    assert_eq!(
        add(Some("'new'::text")),
        ["added column orders.state: column_added"]
    );
}

#[test]
fn a_constraint_that_says_the_same_under_another_name_is_the_same() {
    let (identified, anonymous) = both(|schema| {
        let key = table(schema)
            .constraints
            .remove("orders_pkey")
            .expect("key");
        table(schema).constraints.insert("orders_key".into(), key);
    });
    assert_eq!(
        identified,
        ["renamed constraint orders.orders_pkey: constraint_renamed"]
    );
    assert!(
        anonymous.iter().all(|line| !line.contains("breaking")),
        "{anonymous:?}"
    );
}

#[test]
fn a_key_may_move_from_a_constraint_to_an_index_but_not_a_primary_key() {
    let moved = |kind: ConstraintKind| {
        let mut before = orders();
        for constraint in table(&mut before).constraints.values_mut() {
            constraint.kind = kind;
        }
        let mut after = before.clone();
        table(&mut after).constraints.clear();
        let index = Index {
            definition: "USING btree (id)".into(),
            columns: vec!["id".into()],
            unique: true,
            ..Index::default()
        };
        table(&mut after).indexes.insert("orders_id".into(), index);
        said(&before, &after).concat()
    };
    let unique = moved(ConstraintKind::Unique);
    assert!(!unique.contains("breaking"), "{unique}");
    let primary = moved(ConstraintKind::PrimaryKey);
    assert!(
        primary.contains("unique_dropped, constraint_renamed, breaking"),
        "{primary}"
    );
}

#[test]
fn a_foreign_key_on_a_new_column_breaks_nobody() {
    let key = |columns: &str| Constraint {
        kind: ConstraintKind::ForeignKey,
        definition: format!("FOREIGN KEY ({columns}) REFERENCES shops(id)"),
        columns: vec![columns.into()],
        ..Constraint::default()
    };
    let (_, on_new) = both(|schema| {
        table(schema)
            .columns
            .insert("shop".into(), column("integer", 3));
        table(schema)
            .constraints
            .insert("orders_shop_fkey".into(), key("shop"));
    });
    assert!(
        on_new.iter().all(|line| !line.contains("breaking")),
        "{on_new:?}"
    );
    let (_, on_old) = both(|schema| {
        table(schema)
            .constraints
            .insert("orders_note_fkey".into(), key("note"));
    });
    assert_eq!(
        on_old,
        ["added constraint orders.orders_note_fkey: fk_added, breaking"]
    );
}

#[test]
fn row_security_breaks_unless_a_policy_lets_everything_through() {
    let enable = |using: Option<&str>| {
        both(|schema| {
            table(schema).row_security = true;
            if let Some(using) = using {
                let policy = Policy {
                    command: "all".into(),
                    roles: ["public".to_owned()].into(),
                    using: Some(using.into()),
                    ..Policy::default()
                };
                table(schema).policies.insert("mine".into(), policy);
            }
        })
        .1
    };
    assert_eq!(
        enable(None),
        ["changed table orders: rls_enabled, breaking"]
    );
    assert!(
        enable(Some("true"))
            .iter()
            .all(|line| !line.contains("breaking"))
    );
    assert!(
        enable(Some("id = 1"))
            .iter()
            .any(|line| line.contains("breaking"))
    );
}

#[test]
fn enum_values_are_known_by_identity() {
    let with = |labels: &[(&str, u32)]| {
        let mut schema = orders();
        let kind = DataType {
            labels: labels
                .iter()
                .map(|(label, _)| (*label).to_owned())
                .collect(),
            label_identities: labels.iter().map(|(_, identity)| *identity).collect(),
            identity: identity(5, 0),
            ..DataType::default()
        };
        schema.types.insert("state".into(), kind);
        schema
    };
    let before = with(&[("new", 1), ("paid", 2)]);
    let renamed = with(&[("new", 1), ("settled", 2)]);
    assert_eq!(
        said(&before, &renamed),
        ["changed enum state: enum_value_renamed, breaking"]
    );
    let removed = with(&[("new", 1)]);
    assert_eq!(
        said(&before, &removed),
        ["changed enum state: enum_value_removed, breaking, loss"]
    );
    let added = with(&[("new", 1), ("paid", 2), ("sent", 3)]);
    assert_eq!(
        said(&before, &added),
        ["changed enum state: enum_value_added"]
    );
}

#[test]
fn a_function_that_takes_the_old_calls_keeps_their_clients_alive() {
    let function = |types: &[&str], defaults: i32| Function {
        name: "total".into(),
        input_types: types.iter().map(|kind| (*kind).to_owned()).collect(),
        defaults,
        result: Some("numeric".into()),
        ..Function::default()
    };
    let with = |key: &str, function: Function| {
        let mut schema = orders();
        schema.functions.insert(key.into(), function);
        schema
    };
    let before = with("total(integer)", function(&["integer"], 0));
    let extended = with("total(integer, text)", function(&["integer", "text"], 1));
    assert!(
        diff(&before, &extended)
            .iter()
            .all(|change| !change.is_breaking())
    );
    let required = with("total(integer, text)", function(&["integer", "text"], 0));
    assert!(diff(&before, &required).iter().any(Change::is_breaking));
    assert!(diff(&before, &orders()).iter().any(Change::is_breaking));
}

#[test]
fn the_sequence_of_a_column_goes_with_it_and_one_that_stands_alone_is_data() {
    let with = |owned_by: Option<&str>| {
        let mut schema = orders();
        let sequence = Sequence {
            owned_by: owned_by.map(str::to_owned),
            ..Sequence::default()
        };
        schema.sequences.insert("numbers".into(), sequence);
        schema
    };
    assert_eq!(
        said(&with(None), &orders()),
        ["dropped sequence numbers: sequence_dropped, breaking, loss"]
    );
    assert_eq!(
        said(&with(Some("orders.id")), &orders()),
        ["dropped sequence numbers: sequence_dropped"]
    );
}

#[test]
fn the_bump_follows_the_gravest_change() {
    let bump = |change: fn(&mut Schema)| {
        let (before, after) = changed(change);
        suggested_bump(&diff(&before, &after))
    };
    assert_eq!(bump(|_| ()), Bump::Patch);
    assert_eq!(
        bump(|schema| schema.comment = Some("Orders.".into())),
        Bump::Patch
    );
    assert_eq!(
        bump(|schema| {
            table(schema)
                .columns
                .insert("state".into(), column("text", 3));
        }),
        Bump::Minor
    );
    assert_eq!(
        bump(|schema| {
            table(schema)
                .triggers
                .insert("t".into(), Trigger::default());
        }),
        Bump::Minor
    );
    assert_eq!(bump(rename_column), Bump::Major);
    assert_eq!(bump(|schema| schema.relations.clear()), Bump::Major);
}

#[test]
fn the_order_of_columns_is_information() {
    let (before, after) = changed(|schema| {
        table(schema).columns.get_mut("id").expect("id").position = Some(2);
        table(schema)
            .columns
            .get_mut("note")
            .expect("note")
            .position = Some(1);
    });
    assert_eq!(
        said(&before, &after),
        ["reordered table orders: column_order_changed"]
    );
    assert_eq!(fingerprint(before.clone()), fingerprint(after.clone()));
}

#[test]
fn identities_are_no_part_of_the_fingerprint_and_a_comment_is() {
    let (before, after) = changed(|schema| table(schema).identity = identity(99, 0));
    assert_eq!(fingerprint(before.clone()), fingerprint(after.clone()));
    let (before, after) = changed(|schema| table(schema).comment = Some("Orders.".into()));
    assert_ne!(fingerprint(before.clone()), fingerprint(after.clone()));
}

#[test]
fn a_column_named_like_a_property_is_a_column() {
    let (before, after) = changed(|schema| {
        table(schema)
            .columns
            .insert("identity".into(), column("text", 3));
        table(schema)
            .columns
            .insert("position".into(), column("text", 4));
    });
    assert_eq!(diff(&before, &after).len(), 2);
    assert!(
        read(&text(&after)).expect("its own text").relations["orders"]
            .columns
            .contains_key("identity")
    );
}

#[test]
fn what_describes_no_schema_is_refused() {
    for text in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"format": 2}"#,
        r#"{"format": 1, "tables": {}}"#,
        r#"{"format": 1, "relations": {"t": {"columns": []}}}"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
    assert!(read(r#"{"format": 1}"#).is_ok());
}

#[test]
fn names_are_quoted_where_sql_needs_it() {
    assert_eq!(change::quoted("orders_2"), "orders_2");
    assert_eq!(change::quoted("2nd"), "\"2nd\"");
    assert_eq!(change::quoted("Say \"hi\""), "\"Say \"\"hi\"\"\"");
}
