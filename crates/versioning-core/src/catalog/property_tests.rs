//! What holds for any two schemas.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::model::{
    Column, Constraint, ConstraintKind, DataType, Function, Grants, Identity, Index, Named, Other,
    Policy, Relation, RelationKind, Rule, Sequence, Trigger, TypeKind,
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
        "CHECK \\(a(::text|::numeric)? [<>/] ('x'::text|[0-9](::numeric)?)\\)( NO INHERIT)?| ON DELETE",
        vec(name(), 0..2),
        any::<bool>(),
        identity(),
        (btree_set("fillfactor=[12]0", 0..2), option::of("fast"), option::of("[xy]")),
    )
        .prop_map(
            |(kind, definition, columns, not_valid, identity, (options, tablespace, index_comment))| Constraint {
                kind,
                definition,
                columns,
                not_valid,
                identity,
                options,
                tablespace,
                index_comment,
                ..Constraint::default()
            },
        )
}

fn index() -> impl Strategy<Value = Index> {
    let parts = (
        option::of("a > 0(::numeric)?"),
        any::<bool>(),
        option::of("fast"),
        btree_set("1=[12]00", 0..2),
    );
    ("[xy]", vec(name(), 0..2), any::<bool>(), identity(), parts).prop_map(
        |(
            definition,
            columns,
            unique,
            identity,
            (predicate, nulls_not_distinct, tablespace, statistics),
        )| Index {
            definition,
            columns,
            unique,
            identity,
            predicate,
            nulls_not_distinct,
            tablespace,
            statistics,
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

fn enabled() -> impl Strategy<Value = Option<String>> {
    option::of("disabled|replica|always")
}

fn trigger() -> impl Strategy<Value = Trigger> {
    ("BEFORE [xy]", enabled(), identity()).prop_map(|(definition, enabled, identity)| Trigger {
        definition,
        enabled,
        identity,
        ..Trigger::default()
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    ("ON [xy]", enabled(), identity()).prop_map(|(definition, enabled, identity)| Rule {
        definition,
        enabled,
        identity,
        ..Rule::default()
    })
}

/// What few relations have.
fn rare() -> impl Strategy<Value = Relation> {
    let partition = (
        option::of("a|b"),
        option::of("FOR VALUES (FROM \\([12]\\) TO \\([34]\\)|IN \\([12]\\))|DEFAULT"),
    );
    (
        btree_set("toast.autovacuum_enabled=false|fillfactor=[57]0|security_invoker=true|check_option=(local|cascaded)", 0..3),
        (option::of("fast"), option::of("a|b"), option::of("columnar")),
        option::of(" SELECT a FROM [ab]"),
        partition,
        (any::<bool>(), any::<bool>()),
        btree_map(name(), trigger(), 0..2),
        btree_map(name(), rule(), 0..2),
    )
        .prop_map(|(options, (tablespace, clustered_on, access_method), definition, (partition_of, partition_bound), (unlogged, updatable), triggers, rules)| Relation {
            options,
            tablespace,
            clustered_on,
            access_method,
            definition,
            partition_of,
            partition_bound,
            unlogged,
            updatable,
            triggers,
            rules,
            ..Relation::default()
        })
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
        prop_oneof![2 => Just(Relation::default()), 1 => rare()],
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
                rare,
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
                ..rare
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
        (
            "(a )?integer( DEFAULT [12])?",
            vec("a?", 0..3),
            any::<bool>(),
            option::of("s"),
            vec(kind(), 0..2),
        ),
    )
        .prop_map(
            |(
                name,
                input_types,
                defaults,
                result,
                identity,
                (arguments, input_names, variadic, support, transforms),
            )| Function {
                arguments,
                input_names,
                variadic,
                support,
                transforms,
                name,
                input_types,
                defaults,
                result,
                identity,
                ..Function::default()
            },
        )
}

fn data_type() -> impl Strategy<Value = DataType> {
    let labels = btree_set("[p-s]", 0..4)
        .prop_map(|labels| labels.into_iter().collect::<Vec<_>>())
        .prop_shuffle();
    let domain = (
        prop_oneof![
            Just(TypeKind::Enum),
            Just(TypeKind::Domain),
            Just(TypeKind::Range)
        ],
        option::of(kind()),
        any::<bool>(),
        btree_map(name(), constraint(), 0..2),
    );
    (labels, option::of(1..5_u32), identity(), domain).prop_map(
        |(labels, first, identity, (kind, base, not_null, constraints))| DataType {
            kind,
            base,
            not_null,
            constraints,
            label_identities: first
                .map(|first| (first..).zip(&labels).map(|(number, _)| number).collect())
                .unwrap_or_default(),
            labels,
            identity,
            ..DataType::default()
        },
    )
}

fn sequence() -> impl Strategy<Value = Sequence> {
    ("[1-3]", option::of("a.a"), identity()).prop_map(|(start, owned_by, identity)| Sequence {
        start,
        owned_by,
        identity,
        ..Sequence::default()
    })
}

fn other() -> impl Strategy<Value = Other> {
    (
        "operator( class| family)?|cast|statistics|text search configuration|base type",
        "[xy]",
        option::of("app|shop"),
        grants(),
        option::of("[xy]"),
        identity(),
    )
        .prop_map(
            |(kind, definition, owner, grants, comment, identity)| Other {
                kind,
                definition,
                owner,
                grants,
                comment,
                identity,
            },
        )
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
        btree_map(name(), other(), 0..3),
        grants(),
    )
        .prop_map(|(relations, functions, types, sequences, others, grants)| {
            let mut schema = Schema {
                format: model::FORMAT,
                relations,
                functions,
                types,
                sequences,
                others,
                grants,
                ..Schema::default()
            };
            for relation in schema.relations.values_mut() {
                distinct(&mut relation.columns, |column| &mut column.identity);
                distinct(&mut relation.constraints, |constraint| {
                    &mut constraint.identity
                });
                distinct(&mut relation.indexes, |index| &mut index.identity);
                distinct(&mut relation.triggers, |trigger| &mut trigger.identity);
                distinct(&mut relation.rules, |rule| &mut rule.identity);
            }
            distinct(&mut schema.relations, |relation| &mut relation.identity);
            distinct(&mut schema.functions, |function| &mut function.identity);
            distinct(&mut schema.types, |kind| &mut kind.identity);
            distinct(&mut schema.sequences, |sequence| &mut sequence.identity);
            distinct(&mut schema.others, |other| &mut other.identity);
            for kind in schema.types.values_mut() {
                distinct(&mut kind.constraints, |constraint| &mut constraint.identity);
            }
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
            prop_assert_eq!(fingerprint(before.clone()), fingerprint(after.clone()));
        }
        if fingerprint(before.clone()) != fingerprint(after.clone()) {
            prop_assert!(structural);
        }
    }

    #[test]
    fn a_schema_is_read_back_from_its_text(schema in schema()) {
        let read_back = read(&canonical::value(&schema).to_string()).expect("its own text");
        prop_assert_eq!(&read_back, &schema);
        let shown = read(&canonical::shown(schema.clone())).expect("its own text");
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
    fn what_is_said_in_the_words_of_now_is_no_other_schema(before in schema(), after in schema()) {
        let one = |schema: &Schema| std::collections::BTreeMap::from([("s".to_owned(), schema.clone())]);
        let (before, after) = (one(&before), one(&after));
        let settled = settled(&before, &after);
        // Nothing but definitions changes, and a second look changes nothing more.
        prop_assert_eq!(&wording::settled(&settled, &after), &settled);
        prop_assert_eq!(&wording::settled(&after, &after), &after);
        let left = diff_all(&settled, &after, None).len();
        prop_assert!(left <= diff_all(&before, &after, None).len());
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        let _ = read(&text);
    }
}
