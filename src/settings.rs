//! Every setting (GUC) of the extension, and nothing else reads or defines one.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};

use crate::pg::setting;

static LOCK_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(5_000);
static ALLOW_SUPERUSER_OWNER: GucSetting<bool> = GucSetting::<bool>::new(true);

/// How long one lock may be waited for, in milliseconds; 0 waits for ever.
pub fn lock_timeout() -> i32 {
    LOCK_TIMEOUT.get()
}

/// Whether a module may be owned by a superuser, whose scripts then run with a superuser's rights.
pub fn allow_superuser_owner() -> bool {
    ALLOW_SUPERUSER_OWNER.get()
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
    GucRegistry::define_bool_guc(
        c"module_versioning.allow_superuser_owner",
        c"Whether migrations of a module that a superuser owns may run.",
        c"Such migrations run with a superuser's rights. Off: register modules with an owner_role that is no superuser.",
        &ALLOW_SUPERUSER_OWNER,
        GucContext::Suset,
        GucFlags::default(),
    );
    setting::reserve_prefix(c"module_versioning");
}
