//! The rules over hand-made statements. What the server's parser makes of real scripts is tried in the
//! regression test `lint_migration`.

use std::collections::HashSet;

use super::*;
use crate::detail::{Column, ColumnChange, Constraint, Detail, TableChange};
use crate::effect::{ConstraintKind, Effect, ObjectKind};
use crate::script::{Refusal, RefusalKind, Statement};

fn name(text: &str) -> ObjectName {
    ObjectName {
        schema: None,
        name: text.into(),
    }
}

/// Statements on lines of their own.
fn script(parts: Vec<(&str, Vec<Effect>, Vec<Detail>)>) -> Script {
    Script::Parsed(
        (1..)
            .zip(parts)
            .map(|(number, (command, effects, details))| Described {
                statement: Statement {
                    number,
                    line: number * 10,
                    text: String::new(),
                    command: command.to_owned(),
                    refusal: None,
                    effects,
                    post_step: None,
                },
                details,
            })
            .collect(),
    )
}

fn rules(up: &Script, down: Option<&Script>) -> Vec<(&'static str, Option<String>)> {
    lint(up, down, || ())
        .into_iter()
        .filter(|finding| !["missing_down", "access_exclusive"].contains(&finding.rule.name))
        .map(|finding| (finding.rule.name, finding.object))
        .collect()
}

fn found(effects: Vec<Effect>, details: Vec<Detail>) -> Vec<&'static str> {
    rules(&script(vec![("ALTER TABLE", effects, details)]), None)
        .into_iter()
        .map(|(rule, _)| rule)
        .collect()
}

fn constraint(kind: ConstraintKind) -> Constraint {
    Constraint {
        name: Some("c".into()),
        kind,
        columns: vec!["b".into()],
        not_valid: false,
        using_index: None,
        references: (kind == ConstraintKind::ForeignKey).then(|| name("p")),
        proves_not_null: None,
    }
}

fn new_constraint(constraint: Constraint) -> Detail {
    Detail::NewConstraint {
        table: name("a"),
        constraint,
    }
}

fn drop_table(table: &str) -> Effect {
    Effect::DropTable {
        table: name(table),
        cascade: false,
    }
}

fn create_table(table: &str) -> (&'static str, Vec<Effect>, Vec<Detail>) {
    (
        "CREATE TABLE",
        vec![Effect::CreateTable {
            table: name(table),
            temporary: false,
        }],
        vec![Detail::NewTable {
            table: name(table),
            columns: vec![Column {
                name: "b".into(),
                type_name: "int4".into(),
                ..Column::default()
            }],
            constraints: Vec::new(),
            partition_of: None,
            if_not_exists: false,
        }],
    )
}

#[test]
fn every_rule_has_one_name_and_is_documented() {
    let documentation = include_str!("../../../../docs/lint.md");
    let mut names = HashSet::new();
    for rule in RULES {
        assert!(names.insert(rule.name), "{} stands twice", rule.name);
        let row = format!("| `{}` | {} |", rule.name, rule.severity.as_str());
        assert!(documentation.contains(&row), "docs/lint.md lacks {row}");
    }
    let listed = documentation
        .lines()
        .filter(|line| line.starts_with("| `") && line.matches('|').count() == 5)
        .filter_map(|line| line.split('`').nth(1))
        .filter(|listed| !names.contains(listed));
    assert_eq!(listed.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn what_the_comparison_with_other_linters_says_is_in_the_messages() {
    let documentation = include_str!("../../../../docs/lint.md");
    // Names of single cases stand with them.
    let cases = [
        include_str!("client.rs"),
        include_str!("constraint.rs"),
        include_str!("object.rs"),
        include_str!("refused.rs"),
        include_str!("work.rs"),
    ];
    let mut compared = 0;
    for line in documentation.lines() {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [
            "",
            tool @ ("squawk" | "Atlas" | "pg-schema-diff"),
            theirs,
            ours,
            "",
        ] = parts[..]
        else {
            continue;
        };
        let rule = RULES.iter().find(|rule| rule.name == ours);
        assert!(rule.is_some(), "{ours} is no rule");
        let known = rule.map_or("", |rule| rule.known_as);
        let is_told = |text: &str| {
            text.split(['"', ',']).any(|one| {
                let one = one.trim();
                one == theirs || one == format!("{tool} {theirs}")
            })
        };
        assert!(
            is_told(known) || cases.iter().any(|case| is_told(case)),
            "no message says {tool} {theirs}"
        );
        compared += 1;
    }
    assert!(compared > 90, "{compared}");
}

#[test]
fn constraints_hurt_by_what_they_check_and_how() {
    use ConstraintKind::{Check, Exclusion, ForeignKey, NotNull, PrimaryKey, Unique};
    let cases: [(ConstraintKind, &[&str]); 6] = [
        (NotNull, &["not_null_added", "validation_scan"]),
        (Check, &["check_added", "validation_scan"]),
        (PrimaryKey, &["unique_added", "index_build"]),
        (Unique, &["unique_added", "index_build"]),
        (Exclusion, &["exclusion_added", "index_build"]),
        (
            ForeignKey,
            &[
                "fk_added",
                "validation_scan",
                "share_row_exclusive",
                "fk_without_index",
            ],
        ),
    ];
    for (kind, expected) in cases {
        assert_eq!(
            found(Vec::new(), vec![new_constraint(constraint(kind))]),
            expected,
            "{kind:?}"
        );
    }
    let gentle = |constraint| found(Vec::new(), vec![new_constraint(constraint)]);
    assert_eq!(
        gentle(Constraint {
            not_valid: true,
            ..constraint(Check)
        }),
        ["check_added"]
    );
    assert_eq!(
        gentle(Constraint {
            using_index: Some("i".into()),
            ..constraint(Unique)
        }),
        ["unique_added"]
    );
}

#[test]
fn a_check_that_proves_it_spares_the_scan_for_null() {
    let proof = Constraint {
        not_valid: true,
        proves_not_null: Some("b".into()),
        ..constraint(ConstraintKind::Check)
    };
    let set_not_null = Effect::SetNotNull {
        table: name("a"),
        column: "b".into(),
    };
    let with = script(vec![
        ("ALTER TABLE", Vec::new(), vec![new_constraint(proof)]),
        ("ALTER TABLE", vec![set_not_null.clone()], Vec::new()),
    ]);
    assert!(
        !rules(&with, None)
            .iter()
            .any(|(rule, _)| *rule == "validation_scan")
    );
    assert_eq!(
        found(vec![set_not_null], Vec::new()),
        ["not_null_added", "validation_scan"]
    );
}

#[test]
fn how_a_new_column_is_filled_decides_whether_the_table_is_rewritten() {
    let with = |change: &dyn Fn(&mut Column)| {
        let mut column = Column {
            name: "b".into(),
            type_name: "int4".into(),
            ..Column::default()
        };
        change(&mut column);
        let added = Effect::AddColumn {
            table: name("a"),
            column: "b".into(),
            type_name: "int4".into(),
            required: false,
        };
        let detail = Detail::NewColumn {
            table: name("a"),
            column,
        };
        found(vec![added], vec![detail])
    };
    let none: [&str; 0] = [];
    assert_eq!(with(&|_| ()), none);
    assert_eq!(with(&|column| column.default = Some(Vec::new())), none);
    assert_eq!(
        with(&|column| column.not_null = true),
        ["required_column_added"]
    );
    let rewrites: [&dyn Fn(&mut Column); 5] = [
        &|column| column.default = Some(vec![name("random")]),
        &|column| column.default = Some(vec![name("slug")]),
        &|column| column.generated = true,
        &|column| column.identity = Some(false),
        &|column| column.type_name = "bigserial".into(),
    ];
    for change in rewrites {
        assert_eq!(with(change), ["table_rewrite"]);
    }
    let is_virtual = |column: &mut Column| {
        column.generated = true;
        column.is_virtual = true;
    };
    assert_eq!(with(&is_virtual), none);
}

#[test]
fn what_a_script_made_is_its_own_to_change() {
    let index = Detail::NewIndex {
        name: Some("i".into()),
        table: name("a"),
        unique: true,
        columns: vec![Some("b".into())],
        classes: Vec::new(),
    };
    let truncate = Effect::Truncate {
        tables: vec![name("a")],
        cascade: false,
    };
    let row_security = Detail::AlterTable {
        table: name("a"),
        change: TableChange::RowSecurityOn,
    };
    let default = Detail::AlterColumn {
        table: name("a"),
        column: "b".into(),
        change: ColumnChange::DefaultSet(Vec::new()),
    };
    let up = script(vec![
        create_table("a"),
        ("CREATE INDEX", Vec::new(), vec![index]),
        ("ALTER TABLE", Vec::new(), vec![row_security, default]),
        ("TRUNCATE TABLE", vec![truncate], Vec::new()),
        ("DROP TABLE", vec![drop_table("a")], Vec::new()),
    ]);
    assert_eq!(rules(&up, Some(&script(Vec::new()))), []);
}

#[test]
fn a_type_is_narrower_or_wider_than_the_one_that_the_other_script_names() {
    let retype = |new_type: &str| {
        script(vec![(
            "ALTER TABLE",
            vec![Effect::AlterColumnType {
                table: name("a"),
                column: "b".into(),
                new_type: new_type.into(),
                using: false,
            }],
            Vec::new(),
        )])
    };
    let (up, down) = (retype("int8"), retype("int4"));
    let object = Some("a.b".to_owned());
    assert_eq!(
        rules(&up, Some(&down)),
        [
            ("column_type_widened", object.clone()),
            ("table_rewrite", object.clone()),
            ("column_type_narrowed", object.clone()),
            ("table_rewrite", object),
        ]
    );
    for (old, new, expected) in [
        ("int4", "int8", Width::Wider { rewrites: true }),
        ("int8", "int2", Width::Narrower),
        ("int4", "numeric", Width::Wider { rewrites: true }),
        ("int8", "float8", Width::Narrower),
        ("int4", "float8", Width::Wider { rewrites: true }),
        (
            "numeric(10,2)",
            "numeric(12,2)",
            Width::Wider { rewrites: false },
        ),
        (
            "numeric(10,2)",
            "numeric(12,4)",
            Width::Wider { rewrites: true },
        ),
        ("numeric(12,4)", "numeric(12,2)", Width::Narrower),
        (
            "varchar(10)",
            "varchar(20)",
            Width::Wider { rewrites: false },
        ),
        ("varchar(10)", "text", Width::Wider { rewrites: false }),
        ("text", "varchar(10)", Width::Narrower),
        ("char(3)", "text", Width::Wider { rewrites: true }),
        ("timestamptz", "timestamptz(0)", Width::Narrower),
        ("timestamp", "date", Width::Narrower),
        ("integer", "int4", Width::Same),
        ("text", "int4", Width::Other),
        ("int4", "int4[]", Width::Other),
        ("mood", "text", Width::Other),
    ] {
        assert_eq!(width(old, new), expected, "{old} to {new}");
    }
}

#[test]
fn a_down_script_takes_back_what_the_up_script_leaves() {
    let up = script(vec![create_table("a"), create_table("b")]);
    let down = script(vec![("DROP TABLE", vec![drop_table("b")], Vec::new())]);
    assert_eq!(
        rules(&up, Some(&down)),
        [
            ("down_incomplete", Some("a".to_owned())),
            ("table_dropped", Some("b".to_owned())),
        ]
    );
    let hidden = script(vec![(
        "DO",
        vec![Effect::Dynamic { what: "DO".into() }],
        Vec::new(),
    )]);
    assert_eq!(
        rules(&up, Some(&hidden)),
        [("dynamic_sql", Some("DO".to_owned()))]
    );
    let missing = lint(&up, None, || ());
    assert_eq!(
        missing
            .iter()
            .map(|finding| finding.rule.name)
            .collect::<Vec<_>>(),
        ["missing_down"]
    );
    assert_eq!(missing[0].statement_number, None);
    assert_eq!(lint(&script(Vec::new()), None, || ()), []);
}

#[test]
fn a_renamed_table_with_a_view_in_its_place_is_no_break() {
    let rename = Effect::RenameTable {
        table: name("a"),
        new_name: "b".into(),
    };
    let view = Detail::NewView {
        view: name("a"),
        replaces: false,
        materialized: false,
        check_option: false,
        temporary: false,
    };
    let up = script(vec![
        ("ALTER TABLE", vec![rename], Vec::new()),
        ("CREATE VIEW", Vec::new(), vec![view]),
    ]);
    let found = lint(&up, Some(&script(Vec::new())), || ());
    assert_eq!(found[0].rule.name, "table_replaced_by_view");
    assert_eq!(found[0].severity, Severity::Warning);
    assert_eq!(breaking(&found), []);
}

#[test]
fn breaking_is_what_clients_trip_over_and_not_what_is_lost_or_slow() {
    let up = [
        Effect::Truncate {
            tables: vec![name("a")],
            cascade: false,
        },
        drop_table("b"),
        Effect::Drop {
            kind: ObjectKind::View,
            name: name("v"),
            cascade: false,
        },
    ];
    let Script::Parsed(statements) = script(vec![("OTHER", up.to_vec(), Vec::new())]) else {
        return;
    };
    let kinds: Vec<&str> = breaking(&lint_up(statements, || ()))
        .iter()
        .map(|one| one.kind)
        .collect();
    assert_eq!(kinds, ["table_dropped", "view_dropped"]);
}

#[test]
fn a_refused_statement_says_so_and_nothing_else() {
    let Script::Parsed(mut statements) =
        script(vec![("COMMIT", vec![drop_table("a")], Vec::new())])
    else {
        return;
    };
    statements[0].statement.refusal = Some(Refusal {
        kind: RefusalKind::TransactionControl,
        what: "COMMIT".into(),
    });
    let up = Script::Parsed(statements);
    assert_eq!(rules(&up, None), [("transaction_control", None)]);
}

#[test]
fn a_script_that_does_not_parse_is_one_finding() {
    let fault = |found: &str| {
        Script::Faulty(Fault {
            message: "syntax error".into(),
            statement_number: 2,
            line: 7,
            found: found.into(),
        })
    };
    for (text, rule) in [
        ("SELEC", "syntax"),
        ("\\i x", "psql_meta"),
        (":x", "psql_meta"),
    ] {
        let found = lint(&fault(text), None, || ());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].rule.name, found[0].line), (rule, Some(7)));
    }
    let down = lint(&script(vec![create_table("a")]), Some(&fault("x")), || ());
    assert_eq!(down.len(), 1);
    assert_eq!(down[0].direction, Direction::Down);
}

#[test]
fn pauses_at_every_statement() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static PAUSES: AtomicUsize = AtomicUsize::new(0);
    let statements = || (0..20).map(|_| create_table("a")).collect();
    let pause = || {
        PAUSES.fetch_add(1, Ordering::Relaxed);
    };
    lint(&script(statements()), Some(&script(statements())), pause);
    // Each script by itself, and the up script against the down script.
    assert!(PAUSES.load(Ordering::Relaxed) >= 60);
}
