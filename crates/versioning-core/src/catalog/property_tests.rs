//! What holds for any two schemas.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::model::{
    Column, Constraint, ConstraintKind, DataType, Function, Grants, Identity, Index, Named, Policy,
    Relation, RelationKind, Sequence,
};
use super::*;

fn name() -> impl Strategy<Value = String> {
    // Few names, so that schemas have some in common; odd ones among them.
    prop_oneof![
        "[a-d]",
        Just("identity".to_owned()),
        Just("columns".to_owned()),
        Just("Odd \"name\".x".to_owned()),
    ]
}

fn identity() -> impl Strategy<Value = Option<Identity>> {
    option::of((1..6_u32, 0..3).prop_map(|(object, number)| Identity { object, number }))
}

fn grants() -> impl Strategy<Value = Grants> {
    btree_set("(SELECT|INSERT) TO (app|public)", 0..2)
}

fn kind() -> impl Strategy<Value = String> {
    "(integer|bigint|text|character varying\\((10|20)\\)|numeric\\(10,[12]\\)|state|text\\[\\])"
}

fn column() -> impl Strategy<Value = Column> {
    let texts = (
        option::of("[xy]"),
        option::of("[xy]"),
        option::of("always|by default"),
    );
    (
        kind(),
        any::<bool>(),
        texts,
        grants(),
        option::of(1..5),
        identity(),
    )
        .prop_map(
            |(
                r#type,
                not_null,
                (default, generated, identity_kind),
                grants,
                position,
                identity,
            )| Column {
                r#type,
                not_null,
                default,
                generated,
                identity_kind,
                grants,
                position,
                identity,
                ..Column::default()
            },
        )
}

fn constraint() -> impl Strategy<Value = Constraint> {
    let kinds = prop_oneof![
        Just(ConstraintKind::Check),
        Just(ConstraintKind::Unique),
        Just(ConstraintKind::PrimaryKey),
        Just(ConstraintKind::ForeignKey),
        Just(ConstraintKind::Exclusion),
    ];
    (
        kinds,
        "CHECK \\(a [<>] [0-9]\\)| ON DELETE",
        vec(name(), 0..2),
        any::<bool>(),
        identity(),
    )
        .prop_map(
            |(kind, definition, columns, not_valid, identity)| Constraint {
                kind,
                definition,
                columns,
                not_valid,
                identity,
                ..Constraint::default()
            },
        )
}

fn index() -> impl Strategy<Value = Index> {
    ("[xy]", vec(name(), 0..2), any::<bool>(), identity()).prop_map(
        |(definition, columns, unique, identity)| Index {
            definition,
            columns,
            unique,
            identity,
            ..Index::default()
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    ("all|select", any::<bool>(), option::of("true|id = 1")).prop_map(
        |(command, restrictive, using)| Policy {
            command,
            restrictive,
            using,
            ..Policy::default()
        },
    )
}

fn relation() -> impl Strategy<Value = Relation> {
    let kinds = prop_oneof![
        3 => Just(RelationKind::Table),
        1 => Just(RelationKind::View),
        1 => Just(RelationKind::CompositeType),
        1 => Just(RelationKind::MaterializedView),
    ];
    let parts = (
        btree_map(name(), column(), 0..4),
        btree_map(name(), constraint(), 0..3),
        btree_map(name(), index(), 0..2),
        btree_map(name(), policy(), 0..2),
    );
    (
        kinds,
        "app|shop",
        grants(),
        parts,
        any::<bool>(),
        option::of("[xy]"),
        identity(),
    )
        .prop_map(
            |(
                kind,
                owner,
                grants,
                (columns, constraints, indexes, policies),
                row_security,
                comment,
                identity,
            )| Relation {
                kind,
                owner,
                grants,
                columns,
                constraints,
                indexes,
                policies,
                row_security,
                comment,
                identity,
                ..Relation::default()
            },
        )
}

fn function() -> impl Strategy<Value = Function> {
    (
        "f|g",
        vec(kind(), 0..3),
        0..3,
        option::of("text|integer"),
        identity(),
    )
        .prop_map(|(name, input_types, defaults, result, identity)| Function {
            name,
            input_types,
            defaults,
            result,
            identity,
            ..Function::default()
        })
}

fn data_type() -> impl Strategy<Value = DataType> {
    let labels = btree_set("[p-s]", 0..4)
        .prop_map(|labels| labels.into_iter().collect::<Vec<_>>())
        .prop_shuffle();
    (labels, option::of(1..5_u32), identity()).prop_map(|(labels, first, identity)| DataType {
        label_identities: first
            .map(|first| (first..).zip(&labels).map(|(number, _)| number).collect())
            .unwrap_or_default(),
        labels,
        identity,
        ..DataType::default()
    })
}

fn sequence() -> impl Strategy<Value = Sequence> {
    ("[1-3]", option::of("a.a"), identity()).prop_map(|(start, owned_by, identity)| Sequence {
        start,
        owned_by,
        identity,
        ..Sequence::default()
    })
}

/// Two objects of one schema are never the same one.
fn distinct<T>(objects: &mut Named<T>, identity: impl Fn(&mut T) -> &mut Option<Identity>) {
    let mut seen = std::collections::HashSet::new();
    for object in objects.values_mut() {
        let identity = identity(object);
        if identity.is_some_and(|identity| !seen.insert(identity)) {
            *identity = None;
        }
    }
}

fn schema() -> impl Strategy<Value = Schema> {
    (
        btree_map(name(), relation(), 0..4),
        btree_map(name(), function(), 0..3),
        btree_map(name(), data_type(), 0..3),
        btree_map(name(), sequence(), 0..3),
        grants(),
    )
        .prop_map(|(relations, functions, types, sequences, grants)| {
            let mut schema = Schema {
                format: model::FORMAT,
                relations,
                functions,
                types,
                sequences,
                grants,
                ..Schema::default()
            };
            for relation in schema.relations.values_mut() {
                distinct(&mut relation.columns, |column| &mut column.identity);
                distinct(&mut relation.constraints, |constraint| {
                    &mut constraint.identity
                });
                distinct(&mut relation.indexes, |index| &mut index.identity);
            }
            distinct(&mut schema.relations, |relation| &mut relation.identity);
            distinct(&mut schema.functions, |function| &mut function.identity);
            distinct(&mut schema.types, |kind| &mut kind.identity);
            distinct(&mut schema.sequences, |sequence| &mut sequence.identity);
            schema
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_schema_does_not_differ_from_itself(schema in schema()) {
        prop_assert_eq!(diff(&schema, &schema), Vec::<Change>::new());
    }

    #[test]
    fn the_changes_applied_to_the_old_schema_give_the_new_one(before in schema(), after in schema()) {
        let applied = apply(&before, &diff(&before, &after)).expect("applicable");
        prop_assert_eq!(text(&applied), text(&after));
    }

    #[test]
    fn no_difference_means_the_same_fingerprint(before in schema(), after in schema()) {
        let structural = diff(&before, &after)
            .iter()
            .any(|change| change.action != Action::Reordered);
        if !structural {
            prop_assert_eq!(fingerprint(&before), fingerprint(&after));
        }
        if fingerprint(&before) != fingerprint(&after) {
            prop_assert!(structural);
        }
    }

    #[test]
    fn a_schema_is_read_back_from_its_text(schema in schema()) {
        let read_back = read(&canonical::value(&schema).to_string()).expect("its own text");
        prop_assert_eq!(&read_back, &schema);
        let shown = read(&canonical::shown(&schema)).expect("its own text");
        prop_assert_eq!(text(&shown), text(&schema));
    }

    #[test]
    fn the_text_is_the_schema_without_what_is_incidental(schema in schema()) {
        let stripped = canonical::stripped(canonical::value(&schema), &canonical::INCIDENTAL);
        let read_back: serde_json::Value = serde_json::from_str(&text(&schema)).expect("its own text");
        prop_assert_eq!(read_back, stripped);
    }

    #[test]
    fn nothing_is_called_a_rename_without_identities(before in schema(), after in schema()) {
        let anonymous = |schema: &Schema| read(&text(schema)).expect("its own text");
        for change in diff(&anonymous(&before), &anonymous(&after)) {
            prop_assert!(!matches!(change.action, Action::Renamed(_) | Action::Recreated));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        let _ = read(&text);
    }
}
