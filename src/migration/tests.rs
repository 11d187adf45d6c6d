//! What a script may do, what of it stays, and what is reported.
//!
//! These run in the server: `cargo pgrx test`.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use pgrx::prelude::*;
    use pgrx::{Uuid, pg_sys};
    use versioning_core::checksum;
    use versioning_core::model::{Direction, Migration, Scope};

    use crate::error::{Error, Result};
    use crate::migration::execute::{self, Execution, RunContext};
    use crate::migration::failure::Failure;
    use crate::pg::{identity, query, run_context, subtransaction};

    const SITE: [u8; 16] = [1; 16];
    const MODULE: [u8; 16] = [2; 16];

    const SETTINGS: &str =
        "SELECT md5(string_agg(name || setting, ',' ORDER BY name)) FROM pg_settings";

    /// A schema `migration_test` and a plain role that owns it.
    fn owner() -> pg_sys::Oid {
        query::run("CREATE ROLE migration_test_owner", &[]).expect("role");
        query::run(
            "CREATE SCHEMA migration_test AUTHORIZATION migration_test_owner",
            &[],
        )
        .expect("schema");
        identity::role_named("migration_test_owner").expect("role")
    }

    fn run_as(owner: pg_sys::Oid, script: &str) -> Execution {
        let context = RunContext {
            site_id: Uuid::from_bytes(SITE),
            module_id: Uuid::from_bytes(MODULE),
            schema: "migration_test",
            owner,
        };
        execute::run_script(script, &context).expect("a script that may run")
    }

    fn run(script: &str) -> Execution {
        run_as(owner(), script)
    }

    fn failure(script: &str) -> Failure {
        run(script).failure.expect("a failure")
    }

    fn text(query: &str) -> String {
        query::one(query, &[], |row| row.get(1)).expect("a text")
    }

    #[pg_test]
    fn runs_as_the_owner_in_the_modules_schema() {
        let done = run("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); TABLE t; -- end");
        assert_eq!(done.failure, None);
        let rows: Vec<(i32, i64)> = done
            .statements
            .iter()
            .map(|each| (each.number, each.rows))
            .collect();
        assert_eq!(
            (rows, done.rows_affected),
            (vec![(1, 0), (2, 2), (3, 2)], 4)
        );
        assert_eq!(
            text("SELECT tableowner::text FROM pg_tables WHERE schemaname = 'migration_test'"),
            "migration_test_owner"
        );
    }

    #[pg_test]
    fn names_may_hold_anything() {
        let schema = "we\"ird'; DROP SCHEMA public; -- $$ .\n\u{fc}";
        let quoted = spi::quote_identifier(schema);
        query::run(&format!("CREATE SCHEMA {quoted}"), &[]).expect("schema");
        let context = RunContext {
            site_id: Uuid::from_bytes(SITE),
            module_id: Uuid::from_bytes(MODULE),
            schema,
            owner: identity::current_role(),
        };
        let script = "CREATE TABLE \"a;b\"\"c\nCOMMIT;\" (\"$$\" int); INSERT INTO \"a;b\"\"c\nCOMMIT;\" VALUES (1)";
        let done = execute::run_script(script, &context).expect("a script that may run");
        assert_eq!((done.failure, done.rows_affected), (None, 1));
        assert_eq!(
            text("SELECT schemaname::text FROM pg_tables WHERE tablename LIKE 'a;b%'"),
            schema
        );
    }

    #[pg_test]
    fn waiting_for_a_lock_is_bounded_by_the_setting() {
        query::run("SET LOCAL module_versioning.lock_timeout = '77ms'", &[]).expect("set");
        let done = run("CREATE TABLE t AS SELECT current_setting('lock_timeout') AS a");
        assert_eq!(done.failure, None);
        assert_eq!(text("SELECT a FROM migration_test.t"), "77ms");
    }

    #[pg_test]
    fn a_changed_script_does_not_run() {
        let version: npm_semver::Version = "1.0.0".parse().expect("a version");
        let mut migration = Migration {
            id: [3; 16],
            from_version: None,
            to_version: version,
            sequence: 1,
            scope: Scope::Site,
            equivalent_of: None,
            up_sql: "SELECT 1".to_owned(),
            down_sql: None,
            is_reversible: false,
            requires_maintenance: false,
            estimated_duration_seconds: None,
            description: None,
            checksum: checksum::of_scripts("SELECT 1", None),
        };
        let context = RunContext {
            site_id: Uuid::from_bytes(SITE),
            module_id: Uuid::from_bytes(MODULE),
            schema: "public",
            owner: identity::current_role(),
        };
        let run = |migration: &Migration, direction| {
            execute::run_migration(migration, direction, &context).map(|done| done.rows_affected)
        };
        assert_eq!(run(&migration, Direction::Up), Ok(1));
        let missing = run(&migration, Direction::Down).expect_err("no down script");
        migration.up_sql = "SELECT 2".to_owned();
        let changed = run(&migration, Direction::Up).expect_err("changed");
        assert_eq!(
            (missing.sqlstate().as_str(), changed.sqlstate().as_str()),
            ("55000", "55000")
        );
    }

    #[pg_test]
    fn settings_hold_within_the_script_and_not_beyond() {
        // A library brings its settings along when it is loaded; that is no leak.
        query::run("LOAD 'plpgsql'", &[]).expect("load");
        let before = text(SETTINGS);
        let done = run(
            "SET statement_timeout = '77s'; SET LOCAL work_mem = '77MB'; SET TimeZone = 'Asia/Tokyo';
             SELECT set_config('search_path', 'pg_catalog', false); SET standard_conforming_strings = off;
             SELECT 'a\\';
             DO $$ BEGIN
               IF current_setting('statement_timeout') || current_setting('work_mem') || current_setting('search_path')
                  <> '77s77MBpg_catalog' THEN RAISE 'lost'; END IF;
             END $$; RESET ALL",
        );
        assert_eq!(done.failure, None);
        assert_eq!(text(SETTINGS), before);
    }

    #[pg_test]
    fn settings_of_the_caller_do_not_reach_the_script() {
        query::run("SET LOCAL DateStyle = 'SQL, DMY'", &[]).expect("set");
        query::run("SET LOCAL TimeZone = 'Asia/Tokyo'", &[]).expect("set");
        let done = run("CREATE TABLE t AS SELECT '01/02/2026 00:00'::timestamptz AS a");
        assert_eq!(done.failure, None);
        assert_eq!(
            text(
                "SELECT (a AT TIME ZONE 'UTC')::date - date '2026-01-01' || '' FROM migration_test.t"
            ),
            "1"
        );
    }

    #[pg_test]
    fn the_role_can_not_be_changed() {
        let owner = owner();
        for script in [
            "DO $$ BEGIN EXECUTE 'SET ROLE postgres'; END $$",
            "DO $$ BEGIN EXECUTE 'SET LOCAL ROLE postgres'; END $$",
            "DO $$ BEGIN EXECUTE 'RESET ROLE'; END $$",
            "DO $$ BEGIN EXECUTE 'SET SESSION AUTHORIZATION postgres'; END $$",
            "DO $$ BEGIN EXECUTE 'RESET SESSION AUTHORIZATION'; END $$",
            "SELECT set_config('role', 'postgres', false)",
            "DO $$ BEGIN SET ROLE postgres; END $$",
        ] {
            let before = identity::state();
            let failure = run_as(owner, script).failure.expect(script);
            assert_eq!(failure.sqlstate, "42501", "{script}");
            assert_eq!(identity::state(), before);
        }
    }

    #[pg_test]
    fn reports_everything_about_a_failure() {
        let failure = failure(
            "CREATE TABLE t (a int CONSTRAINT positive CHECK (a > 0)); INSERT INTO t VALUES (1), (-1)",
        );
        assert_eq!(
            (failure.statement_number, failure.sqlstate.as_str()),
            (2, "23514")
        );
        assert_eq!(
            failure.detail.as_deref(),
            Some("Failing row contains (-1).")
        );
        assert_eq!(failure.constraint_name.as_deref(), Some("positive"));
        assert_eq!(failure.table_name.as_deref(), Some("t"));
        assert_eq!(
            failure.context.as_deref(),
            Some("SQL statement \"INSERT INTO t VALUES (1), (-1)\"")
        );
    }

    #[pg_test]
    fn keeps_the_sqlstate_that_a_script_chose() {
        let failure = failure(
            "DO $$ BEGIN RAISE 'no' USING ERRCODE = 'MV001', DETAIL = 'd', HINT = 'h'; END $$",
        );
        assert_eq!(
            (failure.sqlstate.as_str(), failure.message.as_str()),
            ("MV001", "no")
        );
        assert_eq!(
            (failure.detail.as_deref(), failure.hint.as_deref()),
            (Some("d"), Some("h"))
        );
    }

    #[pg_test]
    fn a_failed_assertion_and_a_hidden_commit_are_failures() {
        let owner = owner();
        for (script, sqlstate) in [
            ("DO $$ BEGIN ASSERT false; END $$", "P0004"),
            ("DO $$ BEGIN COMMIT; END $$", "2D000"),
            ("DO $$ BEGIN EXECUTE 'VACUUM'; END $$", "25001"),
            (
                "DO $$ BEGIN EXECUTE 'DROP EXTENSION module_versioning'; END $$",
                "42501",
            ),
        ] {
            let failure = run_as(owner, script).failure.expect(script);
            assert_eq!(failure.sqlstate, sqlstate, "{script}");
        }
    }

    #[pg_test]
    fn deferred_constraints_are_checked_and_stay_deferrable() {
        let owner = owner();
        let tables = "CREATE TABLE p (id int PRIMARY KEY);
             CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED);";
        let failed = subtransaction::in_subtransaction(|| {
            let done = run_as(owner, &format!("{tables} INSERT INTO c VALUES (9)"));
            let failure = done.failure.expect("a failure");
            Err::<(), Error>(Error::internal(format!(
                "{} {} {}",
                failure.statement_number,
                failure.sqlstate,
                failure.detail.unwrap_or_default()
            )))
        });
        assert_eq!(
            failed.expect_err("an error").to_string(),
            "3 23503 Key (p)=(9) is not present in table \"p\". \
             A deferred constraint was checked after the last statement."
        );
        let again = format!("{tables} INSERT INTO c VALUES (9); INSERT INTO p VALUES (9)");
        assert_eq!(run_as(owner, &again).failure, None);
        // The next script may defer as well, also by constraints that it creates.
        let next = "INSERT INTO c VALUES (8); INSERT INTO p VALUES (8);
             CREATE TABLE d (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED);
             INSERT INTO d VALUES (7); INSERT INTO p VALUES (7);
             CREATE TABLE e (p int REFERENCES p DEFERRABLE); INSERT INTO e VALUES (7)";
        assert_eq!(run_as(owner, next).failure, None);
        // What is initially immediate is checked by each statement.
        let early = run_as(owner, "INSERT INTO e VALUES (6); SELECT 1")
            .failure
            .expect("a failure");
        assert_eq!(
            (early.statement_number, early.sqlstate.as_str()),
            (1, "23503")
        );
    }

    #[pg_test]
    fn a_script_knows_where_it_runs_and_can_not_call_back() {
        let done = run(
            "CREATE TABLE t AS SELECT module_versioning.current_site_id() || ' ' || module_versioning.current_module_id() AS a",
        );
        assert_eq!(done.failure, None);
        assert_eq!(
            text("SELECT a FROM migration_test.t"),
            format!("{} {}", Uuid::from_bytes(SITE), Uuid::from_bytes(MODULE))
        );
        assert_eq!(run_context::running(), None);
        assert!(run_context::refuse_inside_script().is_ok());
    }

    #[pg_test]
    fn the_context_ends_with_an_error_too() {
        let owner = owner();
        let result: Result<()> = subtransaction::in_subtransaction(|| {
            let running = run_context::Running {
                site_id: Uuid::from_bytes(SITE),
                module_id: Uuid::from_bytes(MODULE),
            };
            run_context::while_running(running, || {
                identity::run_as(owner, identity::Restriction::KeepRole, || {
                    query::run("SELECT 1 / 0", &[]).map(|_| ())
                })
            })
        });
        assert!(result.is_err());
        assert_eq!(run_context::running(), None);
    }

    #[pg_test]
    fn a_superuser_owner_can_be_ruled_out() {
        query::run(
            "SET LOCAL module_versioning.allow_superuser_owner = off",
            &[],
        )
        .expect("set");
        let context = RunContext {
            site_id: Uuid::from_bytes(SITE),
            module_id: Uuid::from_bytes(MODULE),
            schema: "public",
            owner: identity::current_role(),
        };
        let error = execute::run_script("SELECT 1", &context).expect_err("refused");
        assert_eq!(error.sqlstate(), "42501");
    }
}
