//! The rules: what each is called, how grave it is, who else knows it by which name, and the way out.

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Clients of the old version fail, rows are lost, or the script is refused.
    Error,
    /// It hurts in production, or clients see another behaviour.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The word that is reported.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name: one of the vocabulary that plans and rehearsals use too.
    pub name: &'static str,
    /// How grave it is, unless a finding says otherwise.
    pub severity: Severity,
    /// What other tools call it; empty when none knows it.
    pub known_as: &'static str,
    /// The way out; empty when there is none to tell.
    pub hint: &'static str,
}

macro_rules! rules {
    ($($rust:ident $name:literal $severity:ident $known_as:literal $hint:literal;)*) => {
        $(pub(super) static $rust: Rule = Rule {
            name: $name,
            severity: Severity::$severity,
            known_as: $known_as,
            hint: $hint,
        };)*

        /// Every rule.
        pub static RULES: &[&Rule] = &[$(&$rust),*];
    };
}

rules! {
    // Refused at registration.
    SYNTAX "syntax" Error "squawk syntax-error" "Correct the statement: the server's parser doesn't accept it.";
    PSQL_META "psql_meta" Error "squawk syntax-error" "Put the SQL itself into the script: commands with a backslash and :variables are psql's own.";
    TRANSACTION_CONTROL "transaction_control" Error "Atlas TX201, squawk transaction-nesting, ban-uncommitted-transaction" "Remove the statement: the upgrade begins and ends the transaction.";
    FORBIDDEN_IN_TRANSACTION "forbidden_in_transaction" Error "Atlas TX101, PG103" "Declare it with add_post_step, to be run after the upgrade has committed, or use the form that runs in a transaction.";
    COPY_CLIENT "copy_client" Error "" "Write the rows as INSERT ... VALUES, or copy from and to a file on the server.";
    ENUM_VALUE_USE "enum_value_use" Error "" "Use the value in a migration of a later version, or create the type anew with all values.";
    OTHER "other" Error "" "Remove the statement: add_migration refuses it.";

    // Clients of the old version fail.
    TABLE_DROPPED "table_dropped" Error "Atlas DS102, squawk ban-drop-table, strong_migrations drop_table, pg-schema-diff DELETES_DATA" "Drop it in a later version, when no client uses it any more.";
    TABLE_RENAMED "table_renamed" Error "Atlas BC101, squawk renaming-table, strong_migrations rename_table" "Leave a view with the old name until no client uses it any more.";
    SCHEMA_DROPPED "schema_dropped" Error "Atlas DS101, squawk ban-drop-schema" "Drop single objects, each when no client uses it any more.";
    SCHEMA_RENAMED "schema_renamed" Error "squawk renaming-object" "Clients that name the schema must change with it.";
    COLUMN_DROPPED "column_dropped" Error "Atlas DS103, squawk ban-drop-column, strong_migrations remove_column, pg-schema-diff DELETES_DATA" "Drop it in a later version, when no client uses it any more.";
    COLUMN_RENAMED "column_renamed" Error "Atlas BC102, squawk renaming-column, strong_migrations rename_column" "Add the new column beside the old one and drop that in a later version, or keep the old name alive in a view.";
    COLUMN_TYPE_CHANGED "column_type_changed" Error "Atlas PG301, squawk changing-column-type, strong_migrations change_column" "Add a new column, fill it, and drop the old one in a later version.";
    COLUMN_TYPE_NARROWED "column_type_narrowed" Error "Atlas PG301, squawk changing-column-type, strong_migrations change_column" "Values that the new type can't hold make it fail or are cut: look with rehearse_migration.";
    REQUIRED_COLUMN_ADDED "required_column_added" Error "Atlas MF103, squawk adding-required-field" "Give the column a default, or let it take NULL.";
    NOT_NULL_ADDED "not_null_added" Error "Atlas MF104, squawk adding-not-nullable-field, strong_migrations change_column_null, eugene E2" "Old clients that leave the column out fail: give it a default as well.";
    DEFAULT_DROPPED "default_dropped" Error "squawk ban-drop-default" "Keep the default while clients rely on it.";
    CHECK_ADDED "check_added" Error "squawk ban-new-write-restriction, strong_migrations add_check_constraint" "Rows that old clients write may be refused.";
    UNIQUE_ADDED "unique_added" Error "Atlas MF101, MF102, squawk ban-new-write-restriction" "Rows that old clients write may be refused, and duplicates that are there make it fail.";
    EXCLUSION_ADDED "exclusion_added" Error "squawk ban-new-write-restriction, strong_migrations add_exclusion_constraint" "Rows that old clients write may be refused.";
    FK_ADDED "fk_added" Error "squawk ban-new-write-restriction, strong_migrations add_foreign_key" "Rows that old clients write or delete may be refused.";
    UNIQUE_DROPPED "unique_dropped" Error "Atlas CD103, squawk ban-drop-constraint, ban-drop-index" "INSERT ... ON CONFLICT on these columns fails without it.";
    VIEW_DROPPED "view_dropped" Error "squawk ban-drop-view" "Keep the view until no client uses it any more.";
    FUNCTION_DROPPED "function_dropped" Error "squawk ban-drop-function, pg-schema-diff HAS_UNTRACKABLE_DEPENDENCIES" "Keep the function until no client calls it any more.";
    FUNCTION_SIGNATURE_CHANGED "function_signature_changed" Error "squawk ban-drop-function" "Keep the old signature beside the new one until no client calls it any more.";
    SEQUENCE_DROPPED "sequence_dropped" Error "squawk ban-drop-sequence, pg-schema-diff DELETES_DATA" "Where it stood is lost.";
    TYPE_DROPPED "type_dropped" Error "squawk ban-drop-type, ban-drop-domain" "Keep the type until no client names it any more.";
    EXTENSION_DROPPED "extension_dropped" Warning "squawk ban-drop-extension" "Its types and functions go, for every module in the database.";
    OPERATOR_DROPPED "operator_dropped" Error "" "Keep the operator until no client uses it any more.";
    OWNED_DROPPED "owned_dropped" Error "" "Name what is to be dropped: everything that the role owns goes, also what others made.";
    ENUM_VALUE_RENAMED "enum_value_renamed" Error "squawk renaming-object, strong_migrations rename_enum_value" "Add the new value beside the old one.";
    COMPOSITE_ATTRIBUTE_ADDED "composite_attribute_added" Error "squawk ban-add-composite-attribute" "Clients that build or take apart the row type see one attribute more.";
    COMPOSITE_ATTRIBUTE_DROPPED "composite_attribute_dropped" Error "squawk ban-drop-column" "Clients that build or take apart the row type fail.";
    COMPOSITE_ATTRIBUTE_RENAMED "composite_attribute_renamed" Error "squawk renaming-column" "Clients that name the attribute fail.";
    COMPOSITE_ATTRIBUTE_TYPE_CHANGED "composite_attribute_type_changed" Error "squawk changing-column-type" "Clients read another type.";
    DOMAIN_CONSTRAINT_ADDED "domain_constraint_added" Error "squawk ban-alter-domain-with-add-constraint" "Add it NOT VALID and validate it later: rows that old clients write may be refused either way.";
    IDENTITY_ALWAYS "identity_always" Error "squawk ban-alter-identity" "An INSERT that gives a value fails: use BY DEFAULT.";
    INHERITANCE_REMOVED "inheritance_removed" Error "squawk ban-detach-inheritance" "Queries of the parent don't see its rows any more.";
    PARTITION_DETACHED "partition_detached" Error "squawk ban-detach-inheritance, require-concurrent-partition-detach" "Queries of the parent don't see its rows any more.";
    MATVIEW_UNPOPULATED "matview_unpopulated" Error "" "Queries of it fail until it is refreshed: leave out WITH NO DATA.";
    POLICY_TIGHTENED "policy_tightened" Error "squawk ban-create-policy, ban-alter-policy-condition, ban-alter-policy-roles, ban-drop-policy, pg-schema-diff AUTHZ_UPDATE" "Try with the roles of real clients what they still see and may write.";
    PRIVILEGE_REVOKED "privilege_revoked" Error "squawk ban-revoke, pg-schema-diff AUTHZ_UPDATE" "Clients that use the right fail.";
    RLS_ENABLED "rls_enabled" Error "squawk ban-alter-row-level-security, pg-schema-diff AUTHZ_UPDATE" "Create the policies in the same migration: without one nobody but the owner sees a row.";

    // Clients see another behaviour.
    TABLE_REPLACED_BY_VIEW "table_replaced_by_view" Warning "Atlas BC101, squawk renaming-table" "Look whether clients can still write through the view.";
    COLUMN_TYPE_WIDENED "column_type_widened" Warning "Atlas PG301, squawk changing-column-type" "Clients must be able to read the larger values.";
    DEFAULT_CHANGED "default_changed" Warning "squawk ban-set-default" "";
    NOT_NULL_DROPPED "not_null_dropped" Warning "squawk ban-drop-not-null" "Clients may meet NULL where they never did.";
    CHECK_DROPPED "check_dropped" Warning "Atlas CD102, squawk ban-drop-constraint" "Clients may meet values that they never did.";
    CHECK_CHANGED "check_changed" Warning "squawk ban-new-write-restriction" "Rows that old clients write may be refused, or they may meet values that they never did.";
    FK_ACTION_CHANGED "fk_action_changed" Warning "" "What happens to rows that refer to a deleted one may change.";
    FK_DROPPED "fk_dropped" Warning "Atlas CD101, squawk ban-drop-constraint" "Clients may meet rows that refer to nothing.";
    CONSTRAINT_DROPPED "constraint_dropped" Warning "Atlas CD101, CD102, CD103, squawk ban-drop-constraint" "If it is UNIQUE, INSERT ... ON CONFLICT on its columns fails without it.";
    CONSTRAINT_RENAMED "constraint_renamed" Warning "squawk renaming-object" "ON CONFLICT ON CONSTRAINT, and clients that know errors by the name, must change with it.";
    FK_DEFERRABILITY_CHANGED "fk_deferrability_changed" Warning "" "";
    GENERATED_DROPPED "generated_dropped" Warning "squawk ban-drop-generated-expression" "It keeps its values and isn't computed any more.";
    ENUM_VALUE_ADDED "enum_value_added" Warning "squawk ban-add-enum-value" "Clients must know the value, and there is no way to drop it again.";
    VIEW_DEFINITION_CHANGED "view_definition_changed" Warning "squawk ban-replace-view-function" "";
    VIEW_CHECK_OPTION_ADDED "view_check_option_added" Warning "" "Rows that the view doesn't show can't be written through it any more.";
    VIEW_OPTIONS_CHANGED "view_options_changed" Warning "squawk ban-alter-view-options" "";
    FUNCTION_VOLATILITY_CHANGED "function_volatility_changed" Warning "squawk ban-alter-function-options" "Plans that called it once may call it for each row, or the other way round.";
    FUNCTION_NULL_HANDLING_CHANGED "function_null_handling_changed" Warning "squawk ban-alter-function-options" "";
    EXTENSION_UPDATED "extension_updated" Warning "squawk ban-alter-extension, pg-schema-diff UPGRADING_EXTENSION_VERSION" "It changes the extension for every module in the database, and few extensions can go back.";
    FUNCTION_SECURITY_CHANGED "function_security_changed" Warning "squawk ban-alter-function-options" "";
    TRIGGER_ADDED "trigger_added" Warning "" "It fires for clients of the old version too.";
    TRIGGER_DROPPED "trigger_dropped" Warning "squawk ban-drop-trigger" "";
    TRIGGER_DISABLED "trigger_disabled" Warning "squawk ban-disable-trigger" "Enable it again in the same migration.";
    RULE_DROPPED "rule_dropped" Warning "squawk ban-drop-policy" "";
    OBJECT_DROPPED "object_dropped" Warning "" "Keep it until nobody uses it any more.";
    STATISTICS_DROPPED "statistics_dropped" Info "" "Plans may change: look at those of the queries that needed it.";
    RULE_ADDED "rule_added" Warning "" "Use a trigger, or a view that can be updated.";
    RLS_DISABLED "rls_disabled" Warning "squawk ban-alter-row-level-security, pg-schema-diff AUTHZ_UPDATE" "Everybody with the table's rights sees every row.";
    OWNER_CHANGED "owner_changed" Warning "" "The module's later migrations run as its owner_role and may not be able to change it.";
    REPLICA_IDENTITY_CHANGED "replica_identity_changed" Warning "squawk ban-replica-identity" "";
    DURABILITY_LOWERED "durability_lowered" Warning "" "A crash empties an unlogged table, and standbys don't have its rows.";
    JSON_COLUMN_ADDED "json_column_added" Warning "strong_migrations add_column_json, eugene E3" "Use jsonb: json has no equality, so SELECT DISTINCT and GROUP BY over the row fail.";
    SEQUENCE_CHANGED "sequence_changed" Warning "squawk ban-alter-sequence-values" "";
    SEQUENCE_RESET "sequence_reset" Warning "squawk ban-alter-sequence-values" "Numbers that were given out are given out again.";

    // Data.
    TABLE_TRUNCATED "table_truncated" Error "pg-schema-diff DELETES_DATA" "Every row goes, also those of other sites on shared tables.";
    ROWS_DELETED "rows_deleted" Error "" "rehearse_migration counts the rows.";
    COLUMN_OVERWRITTEN "column_overwritten" Warning "" "rehearse_migration counts the values; write them into a new column to keep the old ones.";
    CATALOG_EDITED "catalog_edited" Error "" "Use the ALTER statement: PostgreSQL checks nothing here.";
    DROP_CASCADE "drop_cascade" Warning "squawk ban-truncate-cascade" "Name what goes along, so that a view or a key that somebody else made isn't lost.";

    // Locks, on tables that were there before.
    ACCESS_EXCLUSIVE "access_exclusive" Info "eugene E9, pg-schema-diff ACQUIRES_ACCESS_EXCLUSIVE_LOCK" "Nobody reads or writes the table until the upgrade has committed.";
    EXCLUSIVE "exclusive" Info "eugene E9" "Nobody writes until the upgrade has committed.";
    SHARE_ROW_EXCLUSIVE "share_row_exclusive" Warning "squawk adding-foreign-key-constraint, strong_migrations add_foreign_key, pg-schema-diff ACQUIRES_SHARE_ROW_EXCLUSIVE_LOCK, eugene E9" "Nobody writes to the tables until the upgrade has committed.";
    TABLE_REWRITE "table_rewrite" Warning "Atlas PG301, PG302, squawk adding-field-with-default, changing-column-type, pg-schema-diff IMPACTS_DATABASE_PERFORMANCE, eugene E5, E10, E11" "Add a plain column, fill it in batches, and constrain it in a later migration.";
    VALIDATION_SCAN "validation_scan" Warning "Atlas PG303, PG305, squawk constraint-missing-not-valid, strong_migrations validate_constraint, pg-schema-diff IMPACTS_DATABASE_PERFORMANCE, eugene E1, E2" "Add the constraint NOT VALID here and VALIDATE CONSTRAINT it in a later migration, which doesn't block writers.";
    INDEX_BUILD "index_build" Warning "Atlas PG101, squawk require-concurrent-index-creation, strong_migrations add_index, pg-schema-diff INDEX_BUILD, ACQUIRES_SHARE_LOCK, eugene E6" "Declare CREATE INDEX CONCURRENTLY with add_post_step.";
    BULK_DML "bulk_dml" Warning "strong_migrations backfill" "Work in batches, outside the migration, or at a quiet hour.";
    STATEMENTS_UNDER_LOCK "statements_under_lock" Warning "eugene E4" "Put the slow statement into a migration of its own, before the one that takes the lock.";
    MANY_ALTERS "many_alters" Info "eugene W12" "Put them into one ALTER TABLE, which takes its lock and reads the rows once.";
    FK_WITHOUT_INDEX "fk_without_index" Warning "eugene E15" "Create an index that begins with the columns: without it each DELETE and UPDATE of the referenced table reads this one.";
    INDEX_DROPPED "index_dropped" Warning "Atlas PG102, squawk require-concurrent-index-deletion, ban-drop-index, pg-schema-diff INDEX_DROPPED" "Declare DROP INDEX CONCURRENTLY with add_post_step.";

    DOMAIN_WITH_CONSTRAINT "domain_with_constraint" Info "squawk ban-create-domain-with-constraint" "Another constraint later reads every table with a column of the domain: a CHECK of the column itself is easier to change.";

    // What can't be told, and what reaches further than the module.
    DYNAMIC_SQL "dynamic_sql" Info "pg-schema-diff HAS_UNTRACKABLE_DEPENDENCIES" "rehearse_migration runs it, measures and undoes it.";
    NON_TRANSACTIONAL_EFFECT "non_transactional_effect" Warning "" "It isn't undone when the upgrade fails.";
    CLUSTER_WIDE_CHANGE "cluster_wide_change" Warning "squawk ban-alter-role-options, ban-alter-database-options" "It isn't the module's alone: do it outside the migration.";
    EVENT_TRIGGER_ADDED "event_trigger_added" Warning "" "It fires for the DDL of everybody in the database.";
    SESSION_SETTING_LEAK "session_setting_leak" Info "" "Settings of a script end with it; write SET LOCAL to say so.";

    // Names and rights.
    ROLE_CHANGED "role_changed" Error "" "Remove it: a migration runs with the rights of the module's owner_role and no others.";
    SEARCH_PATH_CHANGED "search_path_changed" Warning "pgspot PS016, PS017" "Leave search_path alone and write names with their schema: unqualified ones belong to the module's schema.";
    SECURITY_DEFINER_SEARCH_PATH "security_definer_search_path" Warning "pgspot PS003, PS004, splinter 0011" "Add SET search_path = pg_catalog, pg_temp and qualify every name.";
    UNQUALIFIED_EXTENSION_NAME "unqualified_extension_name" Warning "pgspot PS016, PS017" "Write it with the extension's schema: a script finds unqualified names in pg_catalog and the module's schema only.";
    PRIVILEGE_GRANTED "privilege_granted" Info "pg-schema-diff AUTHZ_UPDATE" "";

    // Up against down.
    MISSING_DOWN "missing_down" Warning "" "Without a down script a rollback skips the migration or needs a snapshot.";
    DOWN_INCOMPLETE "down_incomplete" Warning "" "Undo it in the down script; rehearse_migration proves that the schema is restored.";
}

impl Rule {
    /// Whether it is about clients of the old version that fail.
    pub fn breaks(&self) -> bool {
        let names = [
            // Refused, or about data alone.
            "syntax",
            "psql_meta",
            "transaction_control",
            "forbidden_in_transaction",
            "copy_client",
            "enum_value_use",
            "other",
            "table_truncated",
            "rows_deleted",
            "catalog_edited",
            "role_changed",
        ];
        self.severity == Severity::Error && !names.contains(&self.name)
    }

    /// Whether it is about work that takes the longer the more rows a table has.
    pub fn is_heavy(&self) -> bool {
        matches!(
            self.name,
            "table_rewrite" | "validation_scan" | "index_build" | "bulk_dml"
        )
    }
}
