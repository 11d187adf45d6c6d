//! `module_versioning`: version control, inside PostgreSQL, over the modules a platform's sites run.
//!
//! This file is the table of contents and nothing else. Each room says at its top what it owns.

mod error;
mod lifecycle;
mod migration;
mod pg;
mod progress;
mod registry;
mod rollout;
mod schema;
mod semver;
mod settings;
mod snapshot;

pgrx::pg_module_magic!(name = c"module_versioning", version = c"0.1.0");

pgrx::extension_sql_file!(
    "../sql/install/01_bootstrap.sql",
    name = "bootstrap",
    bootstrap
);
pgrx::extension_sql_file!(
    "../sql/install/10_semver_types.sql",
    name = "semver_types",
    requires = ["bootstrap"]
);
pgrx::extension_sql_file!(
    "../sql/install/11_semver_operators.sql",
    name = "semver_operators",
    requires = ["semver_types"]
);
pgrx::extension_sql_file!(
    "../sql/install/12_semver_ranges.sql",
    name = "semver_ranges",
    requires = ["semver_operators"]
);
pgrx::extension_sql_file!(
    "../sql/install/13_semver_functions.sql",
    name = "semver_functions",
    requires = [
        "semver_types",
        semver::array::semver_max_satisfying,
        semver::array::semver_min_satisfying,
        semver::functions::semver_build,
        semver::functions::semver_coerce,
        semver::functions::semver_compare_build,
        semver::functions::semver_diff,
        semver::functions::semver_inc,
        semver::functions::semver_intersects,
        semver::functions::semver_major,
        semver::functions::semver_min_version,
        semver::functions::semver_minor,
        semver::functions::semver_parse,
        semver::functions::semver_patch,
        semver::functions::semver_prerelease,
        semver::functions::semver_range_valid,
        semver::functions::semver_subset,
        semver::functions::semver_valid,
    ]
);
pgrx::extension_sql_file!(
    "../sql/install/20_tables.sql",
    name = "tables",
    requires = ["semver_ranges", "semver_functions"]
);
pgrx::extension_sql_file!(
    "../sql/install/21_results.sql",
    name = "results",
    requires = ["tables"]
);
pgrx::extension_sql_file!(
    "../sql/install/22_rollout_tables.sql",
    name = "rollout_tables",
    requires = ["tables"]
);
pgrx::extension_sql_file!(
    "../sql/install/30_registry_readers.sql",
    name = "registry_readers",
    requires = [
        "tables",
        registry::functions::_existing_module,
        registry::functions::_existing_site,
        registry::functions::_matching_version,
        registry::functions::_upgrade_path,
    ]
);
pgrx::extension_sql_file!(
    "../sql/install/31_registry_immutability.sql",
    name = "registry_immutability",
    requires = ["tables"]
);
pgrx::extension_sql_file!(
    "../sql/install/32_registry_comments.sql",
    name = "registry_comments",
    requires = [
        registry::functions::_existing_module,
        registry::functions::_existing_site,
        registry::functions::_matching_version,
        registry::functions::_upgrade_path,
        registry::functions::create_version,
        registry::functions::deprecate_version,
        registry::functions::get_module_tables,
        registry::functions::get_version,
        registry::functions::module_id,
        registry::functions::record_download,
        registry::functions::register_module,
        registry::functions::register_module_table,
        registry::functions::register_site,
        registry::functions::resolve_dependencies,
        registry::functions::set_platform_version,
        registry::functions::site_id,
        registry::functions::validate_dependencies,
        registry::functions::annotate_version,
        registry::functions::yank_version,
    ]
);
pgrx::extension_sql_file!(
    "../sql/install/33_migration_immutability.sql",
    name = "migration_immutability",
    requires = ["registry_immutability"]
);
pgrx::extension_sql_file!(
    "../sql/install/34_registry_views.sql",
    name = "registry_views",
    requires = ["tables"]
);
pgrx::extension_sql_file!(
    "../sql/install/35_schema.sql",
    name = "schema",
    requires = [
        schema::functions::_capture_schemas,
        schema::functions::_schemas_diff,
        schema::functions::capture_schema,
        schema::functions::schema_diff,
        schema::functions::schema_fingerprint,
    ]
);

pgrx::extension_sql_file!(
    "../sql/install/40_migration.sql",
    name = "migration",
    requires = [
        "tables",
        registry::functions::_existing_module,
        registry::functions::_existing_site,
        migration::_statement_ends,
        migration::_statement_fails,
        migration::_statement_starts,
        migration::add_migration,
        migration::current_module_id,
        migration::current_site_id,
        migration::lint_migration,
    ]
);

pgrx::extension_sql_file!(
    "../sql/install/41_post_steps.sql",
    name = "post_steps",
    requires = [
        "migration",
        registry::functions::_existing_site,
        migration::add_post_step,
    ]
);

pgrx::extension_sql_file!(
    "../sql/install/50_snapshot_store.sql",
    name = "snapshot_store",
    requires = ["tables"]
);
pgrx::extension_sql_file!(
    "../sql/install/51_snapshot_functions.sql",
    name = "snapshot_functions",
    requires = [
        "snapshot_store",
        snapshot::_snapshot_rows,
        snapshot::delete_snapshot,
        snapshot::diff_snapshot,
        snapshot::expire_snapshots,
        snapshot::export_snapshot,
        snapshot::import_snapshot,
        snapshot::snapshot_chunks,
        lifecycle::snapshot::restore_module_data,
        snapshot::verify_snapshot,
    ]
);
pgrx::extension_sql_file!(
    "../sql/install/60_lifecycle.sql",
    name = "lifecycle",
    requires = [
        "registry_readers",
        "results",
        lifecycle::_pending_migrations,
        lifecycle::adopt_module,
        lifecycle::apply_module_migration,
        lifecycle::confirm_post_step,
        lifecycle::get_rollback_points,
        lifecycle::install_module,
        lifecycle::plan_rollback,
        lifecycle::plan_upgrade,
        lifecycle::publish_version,
        lifecycle::rehearse_migration,
        lifecycle::rehearse_rollback,
        lifecycle::rehearse_upgrade,
        lifecycle::rollback_module,
        lifecycle::uninstall_module,
        lifecycle::upgrade_module,
        lifecycle::verify_module,
    ]
);
pgrx::extension_sql_file!(
    "../sql/install/70_rollout.sql",
    name = "rollout",
    requires = [
        "rollout_tables",
        rollout::_existing_rollout,
        rollout::_require_own_transactions,
        rollout::advance_rollout,
        rollout::create_rollout,
        rollout::halt_rollout,
        rollout::resume_rollout,
    ]
);
pgrx::extension_sql_file!(
    "../sql/install/71_progress.sql",
    name = "progress",
    requires = ["tables"]
);
pgrx::extension_sql_file!("../sql/install/90_grants.sql", name = "grants", finalize);

/// Runs when a backend loads the library: settings and hooks, so that nothing has to be preloaded.
#[pgrx::pg_guard]
extern "C-unwind" fn _PG_init() {
    settings::define();
    pg::notice::install();
    pg::script_guard::install();
}

/// How the server of the `#[pg_test]`s is set up; the test framework looks for this module here.
#[cfg(test)]
pub mod pg_test {
    /// Nothing has to be done before the tests.
    pub fn setup(_options: Vec<&str>) {}

    /// Nothing has to be preloaded.
    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        Vec::new()
    }
}
