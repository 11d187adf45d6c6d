//! Every setting (GUC) of the extension, and nothing else reads or defines one.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};

use crate::pg::setting;

static LOCK_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(5_000);
static PROGRESS_NOTICES: GucSetting<bool> = GucSetting::<bool>::new(false);
static STATEMENT_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(0);
static LOCK_RETRIES: GucSetting<i32> = GucSetting::<i32>::new(0);
static ALLOW_SUPERUSER_OWNER: GucSetting<bool> = GucSetting::<bool>::new(true);
static ALLOW_OUT_OF_ORDER: GucSetting<bool> = GucSetting::<bool>::new(false);
static SOLVER_STEP_LIMIT: GucSetting<i32> = GucSetting::<i32>::new(100_000);

/// How long one lock may be waited for, in milliseconds; 0 waits for ever.
pub fn lock_timeout() -> i32 {
    LOCK_TIMEOUT.get()
}

/// How long one statement of a script may run, in milliseconds; 0 lets it run for ever.
pub fn statement_timeout() -> i32 {
    STATEMENT_TIMEOUT.get()
}

/// How often a change is tried again whose script ran out of time waiting for a lock.
pub fn lock_retries() -> i32 {
    LOCK_RETRIES.get()
}

/// Whether a module may be owned by a superuser, whose scripts then run with a superuser's rights.
pub fn allow_superuser_owner() -> bool {
    ALLOW_SUPERUSER_OWNER.get()
}

/// Whether a migration may run although the site, or the shared tables, are past its version already.
pub fn allow_out_of_order() -> bool {
    ALLOW_OUT_OF_ORDER.get()
}

/// How many steps the dependency solver may take; 0 = as many as it needs.
pub fn solver_step_limit() -> u64 {
    u64::try_from(SOLVER_STEP_LIMIT.get()).unwrap_or(0)
}

/// Whether each step of a change is told to the client as a NOTICE.
pub fn progress_notices() -> bool {
    PROGRESS_NOTICES.get()
}

/// Defines the settings and reserves their prefix. Runs once per backend, when the library is loaded.
pub fn define() {
    GucRegistry::define_int_guc(
        c"module_versioning.lock_timeout",
        c"How long one lock may be waited for.",
        c"In milliseconds. When it runs out the call fails with SQLSTATE 55P03 and says who holds the lock. 0 waits for ever.",
        &LOCK_TIMEOUT,
        0,
        i32::MAX,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"module_versioning.statement_timeout",
        c"How long one statement of a migration may run.",
        c"In milliseconds. When it runs out the migration has failed with SQLSTATE 57014 and is undone. 0 lets it run for ever. The server's own statement_timeout bounds the whole call besides.",
        &STATEMENT_TIMEOUT,
        0,
        i32::MAX,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"module_versioning.lock_retries",
        c"How often a change is tried again in the same call when a script ran out of time waiting for a lock.",
        c"Each time everything is undone and started over. 0 doesn't try again.",
        &LOCK_RETRIES,
        0,
        1_000,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"module_versioning.allow_superuser_owner",
        c"Whether migrations of a module that a superuser owns may run.",
        c"Such migrations run with a superuser's rights. Off: register modules with an owner_role that is no superuser.",
        &ALLOW_SUPERUSER_OWNER,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"module_versioning.allow_out_of_order",
        c"Whether a migration may run that was registered after the site got past its version.",
        c"Off: an upgrade that would need such a migration is blocked. On: it runs, with a warning.",
        &ALLOW_OUT_OF_ORDER,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"module_versioning.solver_step_limit",
        c"How many steps the search for versions that fit together may take.",
        c"A step looks at one version of one module. When they run out the call fails with SQLSTATE 54000. 0 sets no limit.",
        &SOLVER_STEP_LIMIT,
        0,
        i32::MAX,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"module_versioning.progress_notices",
        c"Whether each step of a change is told to the client.",
        c"As a NOTICE when a snapshot, a migration, a statement of it or the verification begins.",
        &PROGRESS_NOTICES,
        GucContext::Userset,
        GucFlags::default(),
    );
    setting::reserve_prefix(c"module_versioning");
}
