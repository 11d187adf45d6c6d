//! The life of a version: draft, published, then perhaps deprecated or yanked.

use npm_semver::Version;
use pgrx::{Uuid, pg_sys};
use versioning_core::release::is_breaking_bump;
use versioning_core::status::Status;

use super::store::version::{self as store, Draft};
use super::{Module, RegisteredVersion, dependency, locking, module};
use crate::error::{Error, Result};
use crate::pg::argument::required;
use crate::pg::identity;
use crate::pg::record::{ModuleVersions, Record};

/// The arguments of `create_version`; what is `None` was not given.
pub struct VersionArguments {
    pub module_id: Option<Uuid>,
    pub version: Option<Version>,
    pub bundle_url: Option<String>,
    pub bundle_hash: Option<String>,
    pub changelog: Option<String>,
    pub release_notes: Option<String>,
    pub min_platform_version: Option<Version>,
    pub breaking_changes: Option<bool>,
    pub breaking_description: Option<String>,
    pub dependencies: Option<String>,
    pub source_url: Option<String>,
    pub allow_backport: Option<bool>,
    pub conflicts: Option<String>,
}

/// Adds a draft.
///
/// # Errors
/// 22023, 22P02, 23505, 42501, 42704; see the comment of `create_version`.
pub fn create(arguments: VersionArguments) -> Result<Record<ModuleVersions>> {
    let caller = identity::current_role();
    identity::as_extension_owner(|| {
        let module = module(arguments.module_id)?;
        authorise(caller, &module)?;
        let version = required(arguments.version, "version")?;
        check_unused(&module, &version)?;
        if !arguments.allow_backport.unwrap_or(false) {
            check_above_latest(&module, &version)?;
        }
        let dependencies = arguments.dependencies.unwrap_or_else(|| "{}".to_owned());
        let conflicts = arguments.conflicts.unwrap_or_else(|| "{}".to_owned());
        dependency::check_declarations(&module, &dependencies, &conflicts)?;
        let draft = Draft {
            bundle_url: arguments.bundle_url,
            bundle_hash: arguments.bundle_hash.map(checked_hash).transpose()?,
            changelog: arguments.changelog,
            release_notes: arguments.release_notes,
            min_platform_version: arguments.min_platform_version,
            breaking_changes: arguments.breaking_changes.unwrap_or(false)
                || breaks_by_number(&module, &version)?,
            breaking_description: arguments.breaking_description,
            dependencies,
            conflicts,
            source_url: arguments.source_url,
            version,
        };
        insert(&module, draft)
    })
}

fn insert(module: &Module, draft: Draft) -> Result<Record<ModuleVersions>> {
    let version = draft.version.clone();
    let name = format!("version {version} of module \"{}\"", module.slug);
    // Waits for another session that is adding the same version.
    let inserted = locking::bounded(&name, locking::VERSIONS, || store::insert(module.id, draft))?;
    match inserted {
        Some(id) => store::record(id),
        // Somebody else has committed it since it was looked for.
        None => {
            let registered = store::same_precedence(module.id, &version)?;
            Err(duplicate(
                module,
                &version,
                registered.as_ref().unwrap_or(&version),
            ))
        }
    }
}

/// Only who can act as the module's owner decides over its versions.
fn authorise(caller: pg_sys::Oid, module: &Module) -> Result<()> {
    let owner = identity::role_named(&module.owner_role)?;
    if identity::can_act_as(caller, owner) {
        return Ok(());
    }
    let caller = identity::role_name(caller);
    Err(Error::not_allowed(format!(
        "role \"{caller}\" may not change the versions of module \"{}\"",
        module.slug
    ))
    .detail(format!(
        "The module belongs to role \"{}\".",
        module.owner_role
    ))
    .hint(format!(
        "Grant \"{}\" to \"{caller}\", or let its owner do it.",
        module.owner_role
    )))
}

fn check_unused(module: &Module, version: &Version) -> Result<()> {
    match store::same_precedence(module.id, version)? {
        Some(registered) => Err(duplicate(module, version, &registered)),
        None => Ok(()),
    }
}

fn duplicate(module: &Module, version: &Version, registered: &Version) -> Error {
    let slug = &module.slug;
    let error = if version.build() == registered.build() {
        Error::already_exists(format!(
            "version {version} of module \"{slug}\" is registered already"
        ))
        .detail("A number is given once and never again.")
    } else {
        Error::already_exists(format!(
            "version {version} of module \"{slug}\" is registered already, as {registered}"
        ))
        .detail("Build metadata doesn't make another version.")
    };
    error.hint("Choose a higher version.")
}

fn check_above_latest(module: &Module, version: &Version) -> Result<()> {
    let Some(latest) = store::highest_published(module.id)?.filter(|latest| version < latest)
    else {
        return Ok(());
    };
    Err(Error::invalid_argument(format!(
        "version {version} of module \"{}\" is not above its latest published version",
        module.slug
    ))
    .detail(format!("The latest published version is {latest}."))
    .hint("Choose a higher version, or pass allow_backport => true to add to an older line."))
}

fn checked_hash(hash: String) -> Result<String> {
    if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(hash.to_ascii_lowercase());
    }
    Err(Error::invalid_argument("bundle_hash is not a SHA-256 hash")
        .detail(format!(
            "It is 64 hexadecimal digits; this one has {} characters.",
            hash.chars().count()
        ))
        .hint("Pass the output of sha256sum over the bundle, without the file name."))
}

/// The highest release below a version that was ever published: the one whose clients it meets.
///
/// # Errors
/// Only XX000.
pub fn previous_release(module: &Module, version: &Version) -> Result<Option<Version>> {
    store::highest_release_below(module.id, version)
}

fn breaks_by_number(module: &Module, version: &Version) -> Result<bool> {
    let previous = previous_release(module, version)?;
    Ok(is_breaking_bump(previous.as_ref(), version))
}

/// Makes a draft public. `judge` is asked once it is sure that nothing else stands against it, with the releases
/// below which no other becomes public until the transaction ends.
///
/// # Errors
/// 55000 when it is no draft or a dependency can't be satisfied; 22023, 42501, 42704; those of `judge`.
pub fn publish(
    id: Option<Uuid>,
    published_by: Option<Uuid>,
    judge: impl FnOnce(&Module, &RegisteredVersion) -> Result<()>,
) -> Result<Record<ModuleVersions>> {
    change(id, Status::Published, |module, version| {
        let unsatisfied = dependency::unsatisfied(version)?;
        if !unsatisfied.is_empty() {
            return Err(Error::wrong_state(format!(
                "version {} of module \"{}\" has dependencies that nothing published satisfies",
                version.version, module.slug
            ))
            .detail(unsatisfied.join("\n"))
            .hint("Publish a fitting version of each of them first, or create the version anew with other ranges."));
        }
        locking::keep_lower_drafts(module, &version.version)?;
        judge(module, version)?;
        // Other versions may have come out since the draft was made.
        let breaking = version.breaking_changes || breaks_by_number(module, &version.version)?;
        store::publish(version.id, published_by, breaking)
    })
}

/// Takes a version out of what is found, without harm to those who run it.
///
/// # Errors
/// 55000 when it isn't published; 22023, 42501, 42704.
pub fn deprecate(id: Option<Uuid>, reason: Option<&str>) -> Result<Record<ModuleVersions>> {
    change(id, Status::Deprecated, |_, version| {
        store::set_status(version.id, Status::Deprecated, reason)
    })
}

/// Forbids a version to new sites.
///
/// # Errors
/// 55000 when it is a draft or yanked already; 22023, 42501, 42704.
pub fn yank(id: Option<Uuid>, reason: Option<&str>) -> Result<Record<ModuleVersions>> {
    let reason = required(reason, "reason")?;
    change(id, Status::Yanked, |_, version| {
        store::set_status(version.id, Status::Yanked, Some(reason))
    })
}

/// Writes down other notes, or another reason for the state of a version; what is not given stays.
///
/// # Errors
/// 22023, 42501, 42704; 55P03 when another session changes the version.
pub fn annotate(
    id: Option<Uuid>,
    release_notes: Option<&str>,
    status_reason: Option<&str>,
) -> Result<Record<ModuleVersions>> {
    let caller = identity::current_role();
    identity::as_extension_owner(|| {
        let id = required(id, "version_id")?;
        let version = super::version(Some(id))?;
        let module = module(Some(version.module_id))?;
        authorise(caller, &module)?;
        let name = format!("version {} of module \"{}\"", version.version, module.slug);
        locking::change(id, &name)?;
        store::annotate(id, release_notes, status_reason)?;
        store::record(id)
    })
}

/// Takes a version from its state to the next, if there is a way and the caller may.
fn change(
    id: Option<Uuid>,
    next: Status,
    act: impl FnOnce(&Module, &RegisteredVersion) -> Result<()>,
) -> Result<Record<ModuleVersions>> {
    let caller = identity::current_role();
    identity::as_extension_owner(|| {
        let id = required(id, "version_id")?;
        let version = super::version(Some(id))?;
        let module = module(Some(version.module_id))?;
        authorise(caller, &module)?;
        let name = format!("version {} of module \"{}\"", version.version, module.slug);
        let version = locking::change(id, &name)?;
        if !version.status.may_become(next) {
            return Err(no_way(&module, &version, next));
        }
        act(&module, &version)?;
        store::record(id)
    })
}

fn no_way(module: &Module, version: &RegisteredVersion, next: Status) -> Error {
    let hint = match version.status {
        Status::Draft => "Publish it first, with publish_version.",
        Status::Published | Status::Deprecated | Status::Yanked => {
            "Create a higher version and publish that."
        }
    };
    let subject = format!("version {} of module \"{}\"", version.version, module.slug);
    Error::wrong_state(if version.status == next {
        format!("{subject} is {next} already")
    } else {
        format!("{subject} is {} and can't become {next}", version.status)
    })
    .detail("A version goes from draft to published, from there to deprecated or yanked, from deprecated to yanked, and no other way.")
    .hint(hint)
}

/// Counts one download. Only another download in the same slot is ever waited for.
///
/// # Errors
/// 22023 for NULL, 42704 when there is no such version, 55P03 when the slot is locked too long.
pub fn record_download(id: Option<Uuid>) -> Result<i64> {
    let version = super::version(id)?;
    let name = format!("the download count of version {}", version.version);
    locking::bounded(&name, "version_downloads", || {
        store::count_download(version.id)
    })?;
    store::downloads(version.id)
}
