//! What the parser makes of scripts. These run in the server: `cargo pgrx test`.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use pgrx::prelude::*;
    use versioning_core::effect::{ConstraintKind, Effect, ObjectKind, ObjectName};
    use versioning_core::script::{RefusalKind, Statement};

    use crate::pg::{parser, query};

    fn parse(script: &str) -> Vec<Statement> {
        parser::parse(script)
            .expect("no internal error")
            .expect("a script that parses")
    }

    fn effects(script: &str) -> Vec<Effect> {
        parse(script)
            .into_iter()
            .flat_map(|statement| statement.effects)
            .collect()
    }

    fn named(name: &str) -> ObjectName {
        ObjectName {
            schema: None,
            name: name.to_owned(),
        }
    }

    #[pg_test]
    fn splits_as_the_parser_does() {
        let script = "\u{feff}-- first\nSELECT 1 ;\r\n;;\nSELECT ';', $$;$$ /* ; */;\n\n\
                      CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; -- end";
        let statements = parse(script);
        let found: Vec<(i32, i32, &str)> = statements
            .iter()
            .map(|each| (each.number, each.line, each.command.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (1, 2, "SELECT"),
                (2, 4, "SELECT"),
                (3, 6, "CREATE FUNCTION")
            ]
        );
        assert_eq!(statements[0].text, "SELECT 1");
        assert!(statements[2].text.ends_with("END"));
        for nothing in ["", " \n", ";;;", "-- only", "/* a /* b */ */ ;", "\u{feff}"] {
            assert!(parse(nothing).is_empty(), "{nothing:?}");
        }
    }

    #[pg_test]
    fn reads_backslashes_as_when_it_runs() {
        query::run("SET LOCAL standard_conforming_strings = off", &[]).expect("set");
        assert_eq!(parse("SELECT 'a\\'; SELECT ';'").len(), 2);
        let setting: String =
            query::one("SHOW standard_conforming_strings", &[], |row| row.get(1)).expect("a row");
        assert_eq!(setting, "off");
    }

    #[pg_test]
    fn refuses_what_cannot_run_in_a_transaction() {
        use RefusalKind::{
            ClientCopy, NeedsTopLevel, RoleChange, SelectInto, SessionState, TransactionControl,
        };
        for (script, kind) in [
            ("BEGIN", TransactionControl),
            ("START TRANSACTION", TransactionControl),
            ("COMMIT AND CHAIN", TransactionControl),
            ("END", TransactionControl),
            ("ROLLBACK", TransactionControl),
            ("ABORT", TransactionControl),
            ("SAVEPOINT s", TransactionControl),
            ("RELEASE s", TransactionControl),
            ("ROLLBACK TO s", TransactionControl),
            ("PREPARE TRANSACTION 'x'", TransactionControl),
            ("COMMIT PREPARED 'x'", TransactionControl),
            ("ROLLBACK PREPARED 'x'", TransactionControl),
            ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", NeedsTopLevel),
            ("DROP INDEX CONCURRENTLY i", NeedsTopLevel),
            ("REINDEX TABLE CONCURRENTLY t", NeedsTopLevel),
            ("REINDEX (CONCURRENTLY) INDEX i", NeedsTopLevel),
            ("REINDEX SCHEMA s", NeedsTopLevel),
            ("REINDEX DATABASE d", NeedsTopLevel),
            ("REINDEX SYSTEM d", NeedsTopLevel),
            ("VACUUM", NeedsTopLevel),
            ("VACUUM (ANALYZE) t", NeedsTopLevel),
            ("CLUSTER", NeedsTopLevel),
            ("CREATE DATABASE d", NeedsTopLevel),
            ("DROP DATABASE IF EXISTS d", NeedsTopLevel),
            ("ALTER DATABASE d SET TABLESPACE t", NeedsTopLevel),
            ("CREATE TABLESPACE t LOCATION '/t'", NeedsTopLevel),
            ("DROP TABLESPACE t", NeedsTopLevel),
            ("ALTER SYSTEM SET work_mem = '1MB'", NeedsTopLevel),
            ("ALTER SYSTEM RESET ALL", NeedsTopLevel),
            (
                "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p",
                NeedsTopLevel,
            ),
            ("ALTER SUBSCRIPTION s REFRESH PUBLICATION", NeedsTopLevel),
            ("ALTER SUBSCRIPTION s SET PUBLICATION p", NeedsTopLevel),
            ("DISCARD ALL", NeedsTopLevel),
            (
                "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
                NeedsTopLevel,
            ),
            ("COPY t FROM STDIN", ClientCopy),
            ("COPY (SELECT 1) TO STDOUT", ClientCopy),
            ("SELECT 1 INTO x", SelectInto),
            ("SELECT 1 INTO x UNION SELECT 2", SelectInto),
            ("SET ROLE postgres", RoleChange),
            ("RESET SESSION AUTHORIZATION", RoleChange),
            ("PREPARE p AS SELECT 1", SessionState),
        ] {
            let refusal = parse(script).remove(0).refusal;
            assert_eq!(refusal.map(|each| each.kind), Some(kind), "{script}");
        }
    }

    #[pg_test]
    fn accepts_what_only_looks_like_it() {
        for script in [
            "SELECT 'COMMIT; VACUUM; CREATE INDEX CONCURRENTLY', \"vacuum\" FROM \"commit\"",
            "DO $$ BEGIN PERFORM 'COMMIT'; /* VACUUM */ END $$",
            "-- COMMIT;\nSELECT 1 /* ROLLBACK; */",
            "CREATE INDEX concurrently_built ON t (a)",
            "CREATE INDEX \"concurrently\" ON t (a)",
            "ANALYZE t",
            "CLUSTER t USING i",
            "REINDEX TABLE t",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
            "ALTER TYPE e ADD VALUE 'x'",
            "ALTER TABLE t DETACH PARTITION p",
            "ALTER DATABASE d SET work_mem = '1MB'",
            "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (connect = false)",
            "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)",
            "DISCARD PLANS",
            "COPY t FROM '/f'",
            "COPY t TO PROGRAM 'true'",
            "CREATE TABLE x AS SELECT 1",
        ] {
            assert!(
                parse(script).iter().all(|each| each.refusal.is_none()),
                "{script}"
            );
        }
    }

    #[pg_test]
    fn finds_the_place_of_a_syntax_error() {
        for (script, statement, line, column) in [
            ("SELEC 1", 1, 1, 1),
            ("SELECT 1;\n\n  SELECT $$;$$;\nSELEC 2; SELECT 3", 3, 4, 1),
            ("SELECT 'ä'; SELECT 'ö' ö ö", 2, 1, 26),
            ("SELECT 1; SELECT 'open", 2, 1, 18),
            ("SELECT 1; SELECT (1", 2, 1, 20),
            ("\u{feff}SELECT 1;\r\n\\i file", 2, 2, 1),
            (
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELEC 2; END",
                1,
                1,
                56,
            ),
            (
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; SELEC",
                2,
                1,
                61,
            ),
        ] {
            let fault = parser::parse(script)
                .expect("no internal error")
                .expect_err(script);
            assert_eq!(
                (fault.statement_number, fault.line, fault.column),
                (statement, line, column),
                "{script}"
            );
        }
    }

    #[pg_test]
    fn tells_what_a_script_drops_and_renames() {
        let table = named("t");
        assert_eq!(
            effects(
                "DROP TABLE IF EXISTS t, s.\"U\" CASCADE; DROP VIEW v; DROP SCHEMA s CASCADE; DROP OWNED BY r"
            ),
            [
                Effect::DropTable {
                    table: table.clone(),
                    cascade: true
                },
                Effect::DropTable {
                    table: ObjectName {
                        schema: Some("s".to_owned()),
                        name: "U".to_owned()
                    },
                    cascade: true
                },
                Effect::Drop {
                    kind: ObjectKind::View,
                    name: named("v"),
                    cascade: false
                },
                Effect::Drop {
                    kind: ObjectKind::Schema,
                    name: named("s"),
                    cascade: true
                },
                Effect::DropOwned { cascade: false },
            ]
        );
        assert_eq!(
            effects("DROP FUNCTION f(int); DROP TYPE y; DROP SEQUENCE q; DROP MATERIALIZED VIEW m"),
            [
                Effect::Drop {
                    kind: ObjectKind::Function,
                    name: named("f"),
                    cascade: false
                },
                Effect::Drop {
                    kind: ObjectKind::Type,
                    name: named("y"),
                    cascade: false
                },
                Effect::Drop {
                    kind: ObjectKind::Sequence,
                    name: named("q"),
                    cascade: false
                },
                Effect::Drop {
                    kind: ObjectKind::MaterializedView,
                    name: named("m"),
                    cascade: false
                },
            ]
        );
        assert_eq!(
            effects(
                "ALTER TABLE t RENAME TO u; ALTER TABLE t RENAME a TO b; ALTER TABLE t SET SCHEMA s; ALTER SCHEMA s RENAME TO r"
            ),
            [
                Effect::RenameTable {
                    table: table.clone(),
                    new_name: "u".to_owned()
                },
                Effect::RenameColumn {
                    table: table.clone(),
                    column: "a".to_owned(),
                    new_name: "b".to_owned()
                },
                Effect::MoveTable {
                    table,
                    new_schema: "s".to_owned()
                },
                Effect::Rename {
                    kind: ObjectKind::Schema,
                    name: named("s"),
                    new_name: "r".to_owned()
                },
            ]
        );
    }

    #[pg_test]
    fn tells_what_a_script_alters() {
        let table = named("t");
        let added = |column: &str, type_name: &str, required| Effect::AddColumn {
            table: named("t"),
            column: column.to_owned(),
            type_name: type_name.to_owned(),
            required,
        };
        assert_eq!(
            effects(
                "ALTER TABLE t ADD a int, ADD b numeric(10,2)[] NOT NULL, ADD c text NOT NULL DEFAULT '', \
                 ADD d bigserial NOT NULL, ADD e int NOT NULL GENERATED ALWAYS AS (1) STORED, ADD f int CHECK (f > 0)"
            ),
            [
                added("a", "int4", false),
                added("b", "numeric(10,2)[]", true),
                added("c", "text", false),
                added("d", "bigserial", false),
                added("e", "int4", false),
                added("f", "int4", false),
                Effect::AddConstraint {
                    table: table.clone(),
                    name: None,
                    kind: ConstraintKind::Check
                },
            ]
        );
        assert_eq!(
            effects(
                "ALTER TABLE t DROP a, DROP COLUMN b CASCADE, ALTER c TYPE varchar(5) USING c::text, \
                 ALTER d SET NOT NULL, ALTER e DROP DEFAULT, ALTER f SET DEFAULT 1, \
                 ADD CONSTRAINT g UNIQUE (h), DROP CONSTRAINT i"
            ),
            [
                Effect::DropColumn {
                    table: table.clone(),
                    column: "a".to_owned(),
                    cascade: false
                },
                Effect::DropColumn {
                    table: table.clone(),
                    column: "b".to_owned(),
                    cascade: true
                },
                Effect::AlterColumnType {
                    table: table.clone(),
                    column: "c".to_owned(),
                    new_type: "varchar(5)".to_owned(),
                    using: true
                },
                Effect::SetNotNull {
                    table: table.clone(),
                    column: "d".to_owned()
                },
                Effect::DropDefault {
                    table: table.clone(),
                    column: "e".to_owned()
                },
                Effect::AddConstraint {
                    table: table.clone(),
                    name: Some("g".to_owned()),
                    kind: ConstraintKind::Unique
                },
                Effect::DropConstraint {
                    table,
                    name: "i".to_owned(),
                    cascade: false
                },
            ]
        );
    }

    #[pg_test]
    fn tells_what_a_script_writes() {
        let table = named("t");
        let update = |column: &str, has_where| Effect::Update {
            table: named("t"),
            columns: vec![column.to_owned()],
            has_where,
        };
        let delete = |has_where| Effect::Delete {
            table: named("t"),
            has_where,
        };
        assert_eq!(
            effects("TRUNCATE t CASCADE"),
            [Effect::Truncate {
                tables: vec![table.clone()],
                cascade: true
            }]
        );
        assert_eq!(
            effects("DELETE FROM t; DELETE FROM t WHERE a"),
            [delete(false), delete(true)]
        );
        assert_eq!(effects("UPDATE t SET a = lower(a)"), [update("a", false)]);
        assert_eq!(
            effects("WITH d AS (DELETE FROM t RETURNING *) SELECT 1 FROM d"),
            [delete(false)]
        );
        assert_eq!(
            effects("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1 WHERE t.a > 1"),
            [update("b", true)]
        );
        assert_eq!(
            effects(
                "MERGE INTO t USING u ON a = b WHEN MATCHED AND c THEN DELETE \
                 WHEN MATCHED THEN UPDATE SET d = 1 WHEN NOT MATCHED THEN DO NOTHING"
            ),
            [delete(true), update("d", true)]
        );
        assert_eq!(effects("EXPLAIN ANALYZE DELETE FROM t"), [delete(false)]);
        assert_eq!(
            effects("EXPLAIN DELETE FROM t; INSERT INTO t VALUES (f())"),
            []
        );
        assert_eq!(
            effects("CREATE TEMP TABLE t (a int); CREATE SCHEMA s CREATE TABLE t (a int)"),
            [
                Effect::CreateTable {
                    table: table.clone(),
                    temporary: true
                },
                // What CREATE SCHEMA makes lies in it.
                Effect::CreateTable {
                    table: ObjectName {
                        schema: Some("s".to_owned()),
                        ..table
                    },
                    temporary: false
                }
            ]
        );
        let dynamic = |what: &str| Effect::Dynamic {
            what: what.to_owned(),
        };
        assert_eq!(
            effects("DO ''; CALL s.p(1); EXECUTE q; SELECT s.f(1), g()"),
            ["DO", "CALL s.p", "EXECUTE q", "function s.f", "function g"].map(dynamic)
        );
    }
}
