//! Registering a migration: who may, where it stands in the order, and what is refused.

use npm_semver::Version;
use pgrx::Uuid;
use pgrx::prelude::PgSqlErrorCode;
use versioning_core::checksum;
use versioning_core::model::{Isolation, Scope};
use versioning_core::registration::{self, Misplaced, Place};

use crate::error::{Error, Result};
use crate::migration::check;
use crate::migration::store::{self, Module, NewMigration};
use crate::pg::record::{ModuleMigrations, Record};
use crate::pg::{identity, scope, subtransaction};
use crate::settings;

/// What `add_migration` was asked for.
pub struct Request<'a> {
    /// The version it leads to.
    pub to_version: Version,
    /// The script that applies it.
    pub up_sql: &'a str,
    /// The script that undoes it.
    pub down_sql: Option<&'a str>,
    /// The version it starts from.
    pub from_version: Option<Version>,
    /// What it does.
    pub description: Option<&'a str>,
    /// Whether it can be undone; without it: whether there is a down script.
    pub is_reversible: Option<bool>,
    /// Whether it wants the site out of service.
    pub requires_maintenance: bool,
    /// How long it takes.
    pub estimated_duration_seconds: Option<i32>,
    /// Its place in the order; without it: the next one.
    pub sequence: Option<i32>,
    /// `shared` or `site`; without it: what the module's layout suggests.
    pub scope: Option<&'a str>,
}

/// Registers a migration, or returns the one that is there already with the same content.
///
/// # Errors
/// As the comment of the SQL function `add_migration` lists them.
pub fn register(
    module_id: Uuid,
    request: &Request<'_>,
) -> Result<Option<Record<ModuleMigrations>>> {
    let caller = identity::current_role();
    let module = identity::as_extension_owner(|| store::module(module_id))?;
    // Before anything is locked, and before the scripts are looked at.
    check_caller(caller, &module)?;
    check_arguments(request)?;
    check::statements("up_sql", request.up_sql)?;
    if let Some(down_sql) = request.down_sql {
        check::statements("down_sql", down_sql)?;
    }
    let scope = scope_of(request.scope, &module)?;
    identity::as_extension_owner(|| {
        lock(&module)?;
        let checksum = checksum::of_scripts(request.up_sql, request.down_sql);
        if let Some(id) = already_there(module_id, request, scope, &checksum)? {
            return store::migration_row(id);
        }
        check_target(&module, &request.to_version)?;
        let sequence = sequence(module_id, request)?;
        store::insert(&NewMigration {
            module_id,
            request,
            sequence,
            scope,
            checksum: &checksum,
            is_reversible: request.is_reversible.unwrap_or(request.down_sql.is_some()),
            created_by: &identity::role_name(caller),
        })
    })
}

/// Nobody may register SQL that runs as a role which they couldn't become themselves.
fn check_caller(caller: pgrx::pg_sys::Oid, module: &Module) -> Result<()> {
    let owner = identity::role_named(&module.owner_role)?;
    if identity::can_act_as(caller, owner) {
        return Ok(());
    }
    let (caller, owner, slug) = (
        identity::role_name(caller),
        &module.owner_role,
        &module.slug,
    );
    Err(Error::not_allowed(format!(
        "permission denied to add a migration to module \"{slug}\""
    ))
    .detail(format!(
        "Its migrations run as role \"{owner}\", and role \"{caller}\" can't act as that role."
    ))
    .hint(format!("Call as a member of role \"{owner}\".")))
}

/// Two registrations at once would take the same sequence.
fn lock(module: &Module) -> Result<()> {
    let lock_timeout = settings::lock_timeout().to_string();
    let locked = scope::with_settings(&[("lock_timeout", &lock_timeout)], || {
        subtransaction::in_subtransaction(|| store::module_lock(module.id))
    });
    match locked {
        Err(error) if error.code() == PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE => {
            Err(Error::busy(format!(
                "module \"{}\" is being changed by another session",
                module.slug
            ))
            .detail(format!("Its lock was not free within {lock_timeout} ms."))
            .hint("Try again, or raise module_versioning.lock_timeout."))
        }
        other => other,
    }
}

fn check_arguments(request: &Request<'_>) -> Result<()> {
    if let Some(from_version) = &request.from_version
        && *from_version >= request.to_version
    {
        let to_version = &request.to_version;
        return Err(Error::invalid_argument(format!(
            "from_version {from_version} is not below to_version {to_version}"
        ))
        .detail(
            "A migration leads from an older version to a newer one; its down script leads back.",
        )
        .hint("Leave from_version out, or give the version that comes before."));
    }
    if request.is_reversible == Some(true) && request.down_sql.is_none() {
        return Err(
            Error::invalid_argument("a migration without down_sql can't be reversible")
                .detail(
                    "is_reversible is true, but there is no script that would undo the migration.",
                )
                .hint("Pass down_sql, or leave is_reversible out."),
        );
    }
    if let Some(seconds) = request
        .estimated_duration_seconds
        .filter(|seconds| *seconds < 0)
    {
        return Err(Error::invalid_argument(format!(
            "estimated_duration_seconds {seconds} is negative"
        ))
        .hint("Pass the number of seconds, or leave it out."));
    }
    Ok(())
}

fn scope_of(asked: Option<&str>, module: &Module) -> Result<Scope> {
    let Some(word) = asked else {
        return Ok(registration::default_scope(module.isolation));
    };
    let scope = Scope::from_word(word).ok_or_else(|| {
        Error::invalid_argument(format!("scope \"{word}\" is unknown"))
            .detail("A migration is 'shared' (runs once for all sites) or 'site' (runs for each).")
            .hint("Pass one of the two, or leave scope out.")
    })?;
    if scope == Scope::Shared && module.isolation == Isolation::Schema {
        return Err(Error::invalid_argument(format!(
            "module \"{}\" has no shared tables for a shared migration",
            module.slug
        ))
        .detail("In the schema layout each site has its own tables, so every migration runs for each site.")
        .hint("Leave scope out."));
    }
    Ok(scope)
}

/// The migration that has this sequence already, when its content is the same.
fn already_there(
    module_id: Uuid,
    request: &Request<'_>,
    scope: Scope,
    checksum: &str,
) -> Result<Option<Uuid>> {
    let Some(sequence) = request.sequence else {
        return Ok(None);
    };
    let Some(found) = store::with_sequence(module_id, sequence)? else {
        return Ok(None);
    };
    let same = found.checksum == checksum
        && found.to_version == request.to_version
        && found.from_version == request.from_version
        && found.scope == scope;
    if same {
        return Ok(Some(Uuid::from_bytes(found.id)));
    }
    Err(
        Error::already_exists(format!("sequence {sequence} is taken by another migration"))
            .detail(format!(
                "There is: {}. Asked for: {}.",
                summary(
                    found.from_version.as_ref(),
                    &found.to_version,
                    found.scope,
                    &found.checksum
                ),
                summary(
                    request.from_version.as_ref(),
                    &request.to_version,
                    scope,
                    checksum
                )
            ))
            .hint("Leave sequence out, or take one that is free. A migration is never replaced."),
    )
}

fn summary(from: Option<&Version>, to: &Version, scope: Scope, checksum: &str) -> String {
    let from = from
        .map(|version| format!("from {version} "))
        .unwrap_or_default();
    format!(
        "{from}to {to}, scope {}, checksum {checksum}",
        scope.as_str()
    )
}

fn check_target(module: &Module, to_version: &Version) -> Result<()> {
    let slug = &module.slug;
    let Some(version_id) = store::version_id(module.id, to_version)? else {
        return Err(
            Error::not_found(format!("module \"{slug}\" has no version {to_version}"))
                .hint("Register the version with create_version first."),
        );
    };
    let sites = store::sites_with_version(version_id)?;
    if sites.is_empty() {
        return Ok(());
    }
    Err(Error::wrong_state(format!(
        "version {to_version} of module \"{slug}\" has been installed already"
    ))
    .detail(format!(
        "A site that has had this version would miss the migration. There are: {}.",
        sites.join(", ")
    ))
    .hint("Put the change into a new version."))
}

fn sequence(module_id: Uuid, request: &Request<'_>) -> Result<i32> {
    let places: Vec<Place> = store::places(module_id)?;
    registration::sequence(&places, &request.to_version, request.sequence).map_err(|misplaced| {
        let hint = match &misplaced {
            Misplaced::BeforeOlder { .. } => "Take a higher sequence, or leave it out.",
            Misplaced::AfterNewer { .. } => "Pass a sequence that is free before that one.",
            Misplaced::Exhausted { .. } => "Pass a sequence that is free.",
        };
        Error::invalid_argument(misplaced.to_string())
            .detail("Migrations run by version and then by sequence: the two orders must agree.")
            .hint(hint)
    })
}
