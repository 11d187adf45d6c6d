//! Taking an existing schema under management without running anything in it: it is compared with what
//! the version's migrations make, and then counts as if they had run.

mod comparison;

use npm_semver::Version;
use pgrx::{Uuid, pg_sys};
use versioning_core::model::{Direction, Isolation, Migration};
use versioning_core::plan::{Blocker, BlockerKind, counted};
use versioning_core::post_step::{PostStep, Verdict};
use versioning_core::schema::Live;

use self::comparison::Expected;
use super::lock::{self, ModuleLock};
use super::obstacle::for_adoption;
use super::run::{Change, Outcome};
use super::situation::Situation;
use super::store::state::State;
use super::store::{self, ChangeRow};
use super::upgrade::already_installed;
use super::upgrade_plan::superuser_owner;
use super::{run, state};
use crate::error::{Error, Result};
use crate::migration::check::statements;
use crate::migration::history::mark_applied;
use crate::migration::post_step;
use crate::pg::{identity, subtransaction::in_subtransaction};
use crate::schema::{self, Table};

/// What a caller may ask of an adoption.
pub struct Wish<'a> {
    /// The version that the schema is said to be at.
    pub version: Option<&'a Version>,
    /// Whether to go on although the schema isn't what that version's migrations make.
    pub accept_drift: bool,
    /// Who asks.
    pub confirmed_by: &'a str,
}

/// Adopts a module on a site.
///
/// # Errors
/// 22023 without a version; 42704 for an unknown one; 55000 when another version is installed, something
/// stands against it, or the schema isn't what the version's migrations make; 55P03 when another session
/// is at it.
pub fn adopt(situation: &Situation, wish: &Wish<'_>) -> Result<ChangeRow> {
    let version = wish.version.ok_or_else(|| {
        Error::invalid_argument("version must not be null")
            .hint("Name the version that the schema is at; get_versions lists them.")
    })?;
    let schema = situation.new_schema();
    lock::module(
        situation.module.id,
        &situation.module.slug,
        ModuleLock::Alone,
    )?;
    in_subtransaction(|| {
        let (site_module_id, _) =
            lock::new_installation(&situation.name(), situation.module.id, || {
                store::ensure_installation(situation.site.id, situation.module.id, &schema)
            })?;
        lock::installation(site_module_id, &situation.name())?;
        let situation = &situation.read_again()?;
        if let Some(current) = situation.current() {
            return already_installed(situation, current, Some(version));
        }
        take_over(situation, site_module_id, version, wish)
    })
}

fn take_over(
    situation: &Situation,
    site_module_id: Uuid,
    version: &Version,
    wish: &Wish<'_>,
) -> Result<ChangeRow> {
    let started = std::time::Instant::now();
    let target = situation.version(version)?;
    let blockers = for_adoption(situation, target)?;
    refuse(situation, version, &blockers, wish.accept_drift)?;
    let migrations: Vec<&Migration> = situation
        .migrations
        .iter()
        .filter(|migration| migration.to_version <= *version)
        .collect();
    let live = live_schema(situation)?;
    refuse_foreign_schema(situation)?;
    let mut warnings: Vec<String> = superuser_owner(situation).into_iter().collect();
    warnings.extend(
        blockers
            .iter()
            .filter(|blocker| blocker.kind == BlockerKind::Judgement)
            .map(|blocker| format!("accepted: {}", blocker.text)),
    );
    let compared =
        comparison::compare(situation, &migrations, &live, version, wish, &mut warnings)?;
    store::touch_module(situation.module.id)?;
    store::touch_installation(site_module_id)?;
    record(situation, &compared, &live)?;
    for migration in &migrations {
        let (id, site) = (
            Uuid::from_bytes(migration.id),
            situation.applied_site(migration),
        );
        if !situation.applied.contains(&migration.id) {
            mark_applied(id, site, None)?;
            post_step::fall_due(id, site)?;
            warnings.extend(not_run(migration)?);
        }
    }
    store::enter_version(site_module_id, target.id, None)?;
    warnings.extend(post_steps(situation, &migrations, wish)?);
    let outcome = Outcome {
        run_ids: Vec::new(),
        backup_id: None,
        failure: None,
        warnings,
        duration_ms: i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX),
    };
    Change {
        direction: Some(Direction::Up),
        from_version: None,
        to_version: Some(version),
    }
    .done(situation, &outcome, Vec::new())
}

/// Refuses an adoption that something stands against. Shared tables that have gone on are drift too.
fn refuse(
    situation: &Situation,
    version: &Version,
    blockers: &[Blocker],
    accept_drift: bool,
) -> Result<()> {
    let standing: Vec<&Blocker> = blockers
        .iter()
        .filter(|blocker| !accept_drift || blocker.kind == BlockerKind::Correctness)
        .collect();
    if standing.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = standing
        .iter()
        .map(|blocker| format!("- {}", blocker.text))
        .collect();
    let acceptable = standing
        .iter()
        .all(|blocker| blocker.kind == BlockerKind::Judgement);
    Err(Error::wrong_state(format!(
        "adoption of {} at {version} is blocked",
        situation.name()
    ))
    .detail(lines.join("\n"))
    .hint(if acceptable {
        "If you accept this, call it again with accept_drift => true."
    } else {
        "Resolve these first, or name another version."
    }))
}

/// The schema that is there.
fn live_schema(situation: &Situation) -> Result<Live> {
    let schema = situation.schema();
    if schema::exists(schema)? {
        return schema::live(schema);
    }
    Err(Error::wrong_state(format!("schema \"{schema}\" does not exist"))
        .detail(format!(
            "The tables of {} would be there, so there is nothing to adopt.",
            situation.name()
        ))
        .hint("Install the module with install_module, or give the existing schema that name first."))
}

/// A schema of a site's own goes when the module is uninstalled: it has to be the module owner's to give.
fn refuse_foreign_schema(situation: &Situation) -> Result<()> {
    let (module, schema) = (&situation.module, situation.schema());
    let owner = run::owner(situation)?;
    let holder = schema::owner(schema)?.unwrap_or(owner);
    if module.isolation == Isolation::Row || identity::can_act_as(owner, holder) {
        return Ok(());
    }
    Err(not_owned(
        situation,
        &format!("schema \"{schema}\""),
        holder,
    ))
}

fn not_owned(situation: &Situation, what: &str, holder: pg_sys::Oid) -> Error {
    let (owner, holder) = (&situation.module.owner_role, identity::role_name(holder));
    Error::not_allowed(format!(
        "module \"{}\" can't adopt {what}",
        situation.module.slug
    ))
    .detail(format!(
        "It belongs to role \"{holder}\", and the module's owner_role \"{owner}\" can't act as that role."
    ))
    .hint(format!("Give it to \"{owner}\" first."))
}

/// The recorded state says what the migrations make; what else is there is the tenant's.
fn record(situation: &Situation, compared: &Expected, live: &Live) -> Result<()> {
    let extras = state::extras(situation, &compared.objects, live)?;
    store::state::record_state(
        situation.module.id,
        situation.state_site(),
        &State {
            objects: compared.objects.clone(),
            tenant_objects: extras.into_iter().collect(),
            outside_objects: store::state::state(situation.module.id, situation.state_site())?
                .outside_objects,
            left_objects: Vec::new(),
        },
    )?;
    if situation.module.isolation == Isolation::Row {
        for table in schema::tables(situation.schema())? {
            if compared.tables.contains(&table.name) {
                refuse_foreign_table(situation, &table)?;
                state::register(situation, &table)?;
            }
        }
    }
    Ok(())
}

/// Snapshots, restores and uninstalling work on a registered table with its owner's rights.
fn refuse_foreign_table(situation: &Situation, table: &Table) -> Result<()> {
    let Some(live) = store::table::live_table(&table.schema, &table.name)? else {
        return Ok(());
    };
    if identity::can_act_as(run::owner(situation)?, live.owner) {
        return Ok(());
    }
    Err(not_owned(
        situation,
        &format!("table {}", live.shown),
        live.owner,
    ))
}

/// Rows that a migration would have written are not there, or are there already: nobody knows.
fn not_run(migration: &Migration) -> Result<Option<String>> {
    const WRITING: &[&str] = &[
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "COPY",
        "TRUNCATE TABLE",
        "DO",
        "CALL",
    ];
    let writing = statements("up_sql", &migration.up_sql)?
        .iter()
        .filter(|statement| WRITING.contains(&statement.command.as_str()))
        .count();
    Ok((writing > 0).then(|| {
        format!(
            "migration {} to {} was not run: {} in it may change rows",
            migration.sequence,
            migration.to_version,
            counted(writing, "statement")
        )
    }))
}

/// What the catalog shows as done needs no hand any more; the rest is said.
fn post_steps(
    situation: &Situation,
    migrations: &[&Migration],
    wish: &Wish<'_>,
) -> Result<Vec<String>> {
    let ids = migrations.iter().map(|one| Uuid::from_bytes(one.id));
    for due in post_step::due_of(ids.collect(), situation.site.id)? {
        let target = post_step::target(&due)?;
        if matches!(target, PostStep::Untraceable | PostStep::Reindex { .. }) {
            continue;
        }
        if let Verdict::Done(detail) = post_step::verdict(&due, &target)? {
            post_step::confirm(&due, wish.confirmed_by, &detail)?;
        }
    }
    Ok(post_step::due(situation.module.id, situation.site.id)?
        .into_iter()
        .map(|statement| format!("post-step still to be run by hand: {statement}"))
        .collect())
}
