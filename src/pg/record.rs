//! Rows of the extension's own tables and composite types, on their way back to the caller.

use std::marker::PhantomData;

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::{FromDatum, IntoDatum};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{PgTupleDesc, pg_sys};

use crate::error::Error;
use crate::pg::catalog;

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

impl<T: RowType> Record<T> {
    /// The value of one of its columns, `None` when it is NULL.
    ///
    /// # Errors
    /// XX000 when there is no such column, or its type is not `V`'s.
    pub fn field<V: FromDatum + IntoDatum>(&self, name: &str) -> crate::error::Result<Option<V>> {
        let missing = || Error::internal(format!("{} has no readable column \"{name}\"", T::NAME));
        let descriptor = PgTupleDesc::for_composite_type_by_oid(catalog::extension_type(T::NAME)?)
            .ok_or_else(missing)?;
        let attribute = descriptor
            .iter()
            .find(|attribute| attribute.name() == name)
            .filter(|attribute| V::is_compatible_with(attribute.atttypid))
            .ok_or_else(missing)?;
        let mut is_null = true;
        // SAFETY: the datum is a row of that type (see `new`), so the number of the attribute holds for it;
        // the attribute's type was just compared with V's.
        unsafe {
            let header = pg_sys::pg_detoast_datum(self.datum.cast_mut_ptr()).cast();
            let value = pg_sys::GetAttributeByNum(header, attribute.attnum, &mut is_null);
            Ok(V::from_datum(value, is_null))
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
    /// A row of `post_steps`.
    PostSteps = "post_steps";
    /// A row of `module_migration_runs`.
    ModuleMigrationRuns = "module_migration_runs";
    /// A row of `module_data_backups`.
    ModuleDataBackups = "module_data_backups";
    /// What `install_module`, `upgrade_module`, `rollback_module` and `uninstall_module` return.
    ModuleChange = "module_change";
    /// A row of `rollouts`.
    Rollouts = "rollouts";
    /// What `plan_upgrade` returns.
    UpgradePlan = "upgrade_plan";
    /// What `plan_rollback` returns.
    RollbackPlan = "rollback_plan";
    /// What `rehearse_migration`, `rehearse_upgrade` and `rehearse_rollback` return.
    Rehearsal = "rehearsal";
}
