//! Every setting (GUC) of the extension, and nothing else reads or defines one.

use pgrx::PostgresGucEnum;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use versioning_core::release_policy::Policy;

use crate::pg::setting;

static LOCK_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(5_000);
static REHEARSAL_LOCK_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(2_000);
static REHEARSAL_SIZE_LIMIT: GucSetting<i32> = GucSetting::<i32>::new(1_048_576);
static PROGRESS_NOTICES: GucSetting<bool> = GucSetting::<bool>::new(false);
static STATEMENT_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(0);
static LOCK_RETRIES: GucSetting<i32> = GucSetting::<i32>::new(0);
static ALLOW_SUPERUSER_OWNER: GucSetting<bool> = GucSetting::<bool>::new(true);
static ALLOW_OUT_OF_ORDER: GucSetting<bool> = GucSetting::<bool>::new(false);
static VERSION_POLICY: GucSetting<VersionPolicy> =
    GucSetting::<VersionPolicy>::new(VersionPolicy::Warn);
static REHEARSE_AT_PUBLISH: GucSetting<bool> = GucSetting::<bool>::new(true);
static SOLVER_STEP_LIMIT: GucSetting<i32> = GucSetting::<i32>::new(100_000);

/// The words of `module_versioning.version_policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
enum VersionPolicy {
    #[name = c"off"]
    Off,
    #[name = c"warn"]
    Warn,
    #[name = c"enforce"]
    Enforce,
}

/// What happens at publication to a version whose number says too little.
pub fn version_policy() -> Policy {
    match VERSION_POLICY.get() {
        VersionPolicy::Off => Policy::Off,
        VersionPolicy::Warn => Policy::Warn,
        VersionPolicy::Enforce => Policy::Enforce,
    }
}

/// Whether migrations are rehearsed when their version is published.
pub fn rehearse_at_publish() -> bool {
    REHEARSE_AT_PUBLISH.get()
}

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

/// How long a statement that is rehearsed may wait for a lock, in milliseconds; 0 waits for ever.
pub fn rehearsal_lock_timeout() -> i32 {
    REHEARSAL_LOCK_TIMEOUT.get()
}

/// How many bytes the tables of a schema may have for a rehearsal to run in it; 0 = any number.
pub fn rehearsal_size_limit() -> i64 {
    i64::from(REHEARSAL_SIZE_LIMIT.get()) * 1024
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
    GucRegistry::define_int_guc(
        c"module_versioning.rehearsal_lock_timeout",
        c"How long a statement that is rehearsed may wait for one lock.",
        c"In milliseconds. When it runs out the rehearsal reports that the script failed with SQLSTATE 55P03. 0 waits for ever.",
        &REHEARSAL_LOCK_TIMEOUT,
        0,
        i32::MAX,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"module_versioning.rehearsal_size_limit",
        c"How large the tables of a module may be for its migrations to be rehearsed.",
        c"With indexes, in kB. A rehearsal is real work under real locks; of larger tables it reports only what the scripts say, and that nothing was run. 0 sets no limit.",
        &REHEARSAL_SIZE_LIMIT,
        0,
        i32::MAX,
        GucContext::Userset,
        GucFlags::UNIT_KB,
    );
    GucRegistry::define_enum_guc(
        c"module_versioning.version_policy",
        c"What happens to a version that is published with too small a step of its number for what its migrations do.",
        c"off: nothing. warn: it is published with a warning. enforce: it is refused with SQLSTATE 55000. What a migration does is found out by running it in an empty copy of the module's schema.",
        &VERSION_POLICY,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"module_versioning.rehearse_at_publish",
        c"Whether migrations are run in an empty copy of the module's schema when their version is published.",
        c"Off: whether they can be undone is not recorded, and only what their text tells counts for module_versioning.version_policy.",
        &REHEARSE_AT_PUBLISH,
        GucContext::Suset,
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
