//! Registering a migration: who may, where it stands in the order, and what is refused.

use npm_semver::Version;
use pgrx::Uuid;
use pgrx::datum::Interval;
use pgrx::prelude::PgSqlErrorCode;
use serde_json::{Value, json};
use versioning_core::checksum;
use versioning_core::model::{Isolation, Migration, Scope};
use versioning_core::registration::{self, Misplaced, Place};
use versioning_core::script;

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
    /// The migration that does the same work on another line of versions.
    pub equivalent_of: Option<Uuid>,
    /// How long each statement may wait for a lock; without it: what the setting says.
    pub lock_timeout: Option<Interval>,
    /// How long each statement may run; without it: what the setting says.
    pub statement_timeout: Option<Interval>,
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
    let mut statements = classified("up_sql", request.up_sql)?;
    if let Some(down_sql) = request.down_sql {
        statements.extend(classified("down_sql", down_sql)?);
    }
    let statements = Value::Array(statements);
    let scope = scope_of(request.scope, &module)?;
    identity::as_extension_owner(|| {
        lock(&module)?;
        let checksum = checksum::of_scripts(request.up_sql, request.down_sql);
        if let Some(id) = already_there(module_id, request, scope, &checksum)? {
            return store::migration_row(id);
        }
        check_target(&module, &request.to_version)?;
        check_equivalent(&module, request, scope)?;
        let sequence = sequence(module_id, request)?;
        store::insert(&NewMigration {
            module_id,
            request,
            sequence,
            scope,
            checksum: &checksum,
            is_reversible: request.is_reversible.unwrap_or(request.down_sql.is_some()),
            created_by: &identity::role_name(caller),
            statements: &statements,
        })
    })
}

/// The statements of a script as they are kept with the migration.
fn classified(name: &str, script: &str) -> Result<Vec<Value>> {
    let statements = check::statements(name, script)?;
    Ok(statements
        .iter()
        .map(|statement| {
            json!({
                "script": name,
                "statement_number": statement.number,
                "line": statement.line,
                "command": statement.command,
                "class": script::TRANSACTIONAL,
            })
        })
        .collect())
}

/// Nobody may register SQL that runs as a role which they couldn't become themselves.
pub(super) fn check_caller(caller: pgrx::pg_sys::Oid, module: &Module) -> Result<()> {
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
pub(super) fn lock(module: &Module) -> Result<()> {
    bounded(&format!("module \"{}\"", module.slug), || {
        store::module_lock(module.id)
    })
}

/// Waits for a lock no longer than `module_versioning.lock_timeout`.
fn bounded<R>(name: &str, wait: impl FnOnce() -> Result<R>) -> Result<R> {
    let lock_timeout = settings::lock_timeout().to_string();
    let locked = scope::with_settings(&[("lock_timeout", &lock_timeout)], || {
        subtransaction::in_subtransaction(wait)
    });
    match locked {
        Err(error) if error.code() == PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE => Err(
            Error::busy(format!("{name} is being changed by another session"))
                .detail(format!("Its lock was not free within {lock_timeout} ms."))
                .hint("Try again, or raise module_versioning.lock_timeout."),
        ),
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
    check_limit("lock_timeout", request.lock_timeout)?;
    check_limit("statement_timeout", request.statement_timeout)
}

/// A limit is counted in milliseconds, as the server's own ones are.
fn check_limit(name: &str, limit: Option<Interval>) -> Result<()> {
    let Some(limit) = limit else { return Ok(()) };
    let milliseconds = store::milliseconds(limit)?;
    if (0.0..=f64::from(i32::MAX)).contains(&milliseconds) {
        return Ok(());
    }
    Err(Error::invalid_argument(format!("{name} is out of range"))
        .detail("It goes from 0, which sets no limit, to 2147483647 ms, about 24 days.")
        .hint("Pass an interval such as '30 s', or leave it out."))
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
    let same_limits = store::limits(Uuid::from_bytes(found.id))? == limits_asked(request)?;
    let same = found.checksum == checksum
        && found.to_version == request.to_version
        && found.from_version == request.from_version
        && found.scope == scope
        && found.equivalent_of == request.equivalent_of.map(|id| *id.as_bytes())
        && found.requires_maintenance == request.requires_maintenance
        && same_limits
        && request
            .is_reversible
            .is_none_or(|asked| asked == found.is_reversible);
    if same {
        return Ok(Some(Uuid::from_bytes(found.id)));
    }
    Err(
        Error::already_exists(format!("sequence {sequence} is taken by another migration"))
            .detail(format!(
                "There is: {}. Asked for: {}{}.",
                summary(&found)?,
                summary(&Migration {
                    from_version: request.from_version.clone(),
                    to_version: request.to_version.clone(),
                    scope,
                    is_reversible: request.is_reversible.unwrap_or(found.is_reversible),
                    requires_maintenance: request.requires_maintenance,
                    equivalent_of: request.equivalent_of.map(|id| *id.as_bytes()),
                    checksum: checksum.to_owned(),
                    ..found.clone()
                })?,
                if same_limits {
                    ""
                } else {
                    ", with other time limits"
                }
            ))
            .hint("Leave sequence out, or take one that is free. A migration is never replaced."),
    )
}

/// The limits of its statements, in whole milliseconds as [`store::limits`] has them.
fn limits_asked(request: &Request<'_>) -> Result<(Option<i32>, Option<i32>)> {
    let whole = |limit: Option<Interval>| -> Result<Option<i32>> {
        let milliseconds = limit.map(store::milliseconds).transpose()?;
        // Checked to be in range before.
        Ok(milliseconds.map(|milliseconds| milliseconds.ceil() as i32))
    };
    Ok((
        whole(request.lock_timeout)?,
        whole(request.statement_timeout)?,
    ))
}

/// What makes a migration what it is; its description and estimated duration may change.
fn summary(migration: &Migration) -> Result<String> {
    let mut parts = Vec::new();
    if let Some(from_version) = &migration.from_version {
        parts.push(format!("from {from_version} to {}", migration.to_version));
    } else {
        parts.push(format!("to {}", migration.to_version));
    }
    parts.push(format!("scope {}", migration.scope.as_str()));
    if !migration.is_reversible {
        parts.push("irreversible".to_owned());
    }
    if migration.requires_maintenance {
        parts.push("requires maintenance".to_owned());
    }
    if let Some(id) = migration.equivalent_of {
        let id = Uuid::from_bytes(id);
        let known = store::equivalents::of(id)?;
        let name = known.first().map(|one| one.sequence.to_string());
        let name = name.unwrap_or_else(|| id.to_string());
        parts.push(format!("equivalent of migration {name}"));
    }
    parts.push(format!("checksum {}", migration.checksum));
    Ok(parts.join(", "))
}

/// Equivalents stand for each other on different lines of versions of one module.
fn check_equivalent(module: &Module, request: &Request<'_>, scope: Scope) -> Result<()> {
    let Some(id) = request.equivalent_of else {
        return Ok(());
    };
    let class = store::equivalents::of(id)?;
    let Some(named) = class.first() else {
        return Err(Error::not_found(format!("migration {id} does not exist"))
            .detail("It was given as equivalent_of.")
            .hint("Pass the id of a registered migration, as add_migration returns it."));
    };
    let problem = if named.module_id != module.id {
        "it belongs to another module".to_owned()
    } else if named.scope != scope {
        format!(
            "its scope is {}, that of the new one {}",
            named.scope.as_str(),
            scope.as_str()
        )
    } else if let Some(same) = class
        .iter()
        .find(|one| one.to_version == request.to_version)
    {
        format!(
            "migration {} leads to version {} too",
            same.sequence, same.to_version
        )
    } else {
        return Ok(());
    };
    Err(
        Error::invalid_argument(format!(
            "migration {} can't be an equivalent: {problem}",
            named.sequence
        ))
            .detail("Equivalent migrations do the same work for different versions of one module, with one scope; only one of them runs.")
            .hint("Leave equivalent_of out, or name the migration that this one ports to another line."),
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
    // Nobody publishes the version while it gets a migration, nor the other way round.
    let name = format!("version {to_version} of module \"{slug}\"");
    let status = bounded(&name, || store::lock_version(version_id))?;
    match status.as_deref() {
        None | Some("draft") => Ok(()),
        Some(status) => Err(Error::wrong_state(format!(
            "{name} is {status} and its migrations can't be added to"
        ))
        .detail("The migrations of a version are part of what was published.")
        .hint("Create a higher version and put the change there.")),
    }
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
            .detail("Migrations run by version and then by sequence: the two orders must agree, but for a backport below a version that is out.")
            .hint(hint)
    })
}
