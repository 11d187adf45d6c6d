//! Rows of the extension's own tables and composite types, on their way back to the caller.

use std::marker::PhantomData;

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::pg_sys;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};

/// A table or composite type of the extension that functions return.
pub trait RowType {
    /// Its name in schema `module_versioning`.
    const NAME: &'static str;
    /// The same, qualified, as it stands in `RETURNS`.
    const SQL: &'static str;
}

/// One row of `T`, as PostgreSQL made it. [`crate::pg::query::record`] makes them.
pub struct Record<T: RowType> {
    datum: pg_sys::Datum,
    row_type: PhantomData<T>,
}

impl<T: RowType> Record<T> {
    /// `datum` is a row of `T` in memory that lives until the SQL function has returned.
    pub(super) fn new(datum: pg_sys::Datum) -> Self {
        Self {
            datum,
            row_type: PhantomData,
        }
    }
}

// SAFETY: a `Record<T>` is only made from a datum whose type was compared with T's.
unsafe impl<T: RowType> SqlTranslatable for Record<T> {
    const TYPE_IDENT: &'static str = T::SQL;
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal(T::SQL));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal(T::SQL)));
}

// SAFETY: hands on the datum, whose memory outlives the call (see `Record::new`).
unsafe impl<T: RowType> BoxRet for Record<T> {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        // SAFETY: the function's return type is T, as RETURN_SQL says.
        unsafe { fcinfo.return_raw_datum(self.datum) }
    }
}

macro_rules! row_types {
    ($($(#[$doc:meta])* $rust:ident = $name:literal;)*) => {$(
        $(#[$doc])*
        pub struct $rust;

        impl RowType for $rust {
            const NAME: &'static str = $name;
            const SQL: &'static str = concat!("module_versioning.", $name);
        }
    )*};
}

row_types! {
    /// A row of `modules`.
    Modules = "modules";
    /// A row of `sites`.
    Sites = "sites";
    /// A row of `module_tables`.
    ModuleTables = "module_tables";
    /// A row of `module_versions`.
    ModuleVersions = "module_versions";
    /// A row of `module_migrations`.
    ModuleMigrations = "module_migrations";
    /// A row of `module_migration_runs`.
    ModuleMigrationRuns = "module_migration_runs";
    /// A row of `module_data_backups`.
    ModuleDataBackups = "module_data_backups";
    /// What `install_module`, `upgrade_module`, `rollback_module` and `uninstall_module` return.
    ModuleChange = "module_change";
    /// What `plan_upgrade` returns.
    UpgradePlan = "upgrade_plan";
    /// What `plan_rollback` returns.
    RollbackPlan = "rollback_plan";
}
