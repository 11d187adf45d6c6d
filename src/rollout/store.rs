//! All SQL of this room.

use npm_semver::Version;
use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;
use versioning_core::rollout::{Progress, Status};

use super::site::Outcome;
use crate::error::{Error, Result};
use crate::pg::query::{self, Row};
use crate::pg::record::{Record, Rollouts};

/// A rollout, as far as running it needs to know.
pub struct Rollout {
    pub id: Uuid,
    pub module_id: Uuid,
    pub module: String,
    pub target: Version,
    pub all_sites: bool,
    pub create_backup: bool,
    pub force: bool,
    pub executed_by: Option<Uuid>,
}

impl Rollout {
    /// The rollout in words.
    pub fn name(&self) -> String {
        format!(
            "rollout of module \"{}\" to version {}",
            self.module, self.target
        )
    }
}

/// A rollout to be created.
pub struct NewRollout<'a> {
    pub module_id: Uuid,
    pub target: &'a Version,
    pub waves: Vec<String>,
    pub max_failures: i32,
    pub all_sites: bool,
    pub create_backup: bool,
    pub force: bool,
    pub executed_by: Option<Uuid>,
    pub created_by: &'a str,
}

/// A site that may be in a rollout.
pub struct Candidate {
    pub site_id: Uuid,
    pub slug: String,
}

/// Which sites a runner may claim.
#[derive(Debug, Clone, Copy)]
pub enum Claim {
    /// A pending one of this wave.
    Pending { wave: i32 },
    /// One that was locked before.
    Locked,
}

/// A site whose row this transaction has locked.
pub struct Claimed {
    pub site_id: Uuid,
    pub slug: String,
}

/// Text that the type's output function printed, as a version again.
fn version(text: &str) -> Result<Version> {
    Version::parse(text).map_err(|problem| {
        Error::internal(format!("stored version {text:?} does not parse: {problem}"))
    })
}

fn status(row: &Row<'_>, column: usize) -> Result<Status> {
    let word: String = row.get(column)?;
    Status::from_word(&word)
        .ok_or_else(|| Error::internal(format!("rollout status \"{word}\" is unknown")))
}

/// The rollout of that id.
pub fn rollout(id: Uuid) -> Result<Option<Rollout>> {
    query::first(
        "SELECT r.module_id, r.target_version::text, r.all_sites, r.create_backup, r.force, r.executed_by, m.slug
         FROM module_versioning.rollouts r
         JOIN module_versioning.modules m ON m.id = r.module_id
         WHERE r.id = $1",
        &[id.into()],
        |row| {
            Ok(Rollout {
                id,
                module_id: row.get(1)?,
                target: version(&row.get::<String>(2)?)?,
                all_sites: row.get(3)?,
                create_backup: row.get(4)?,
                force: row.get(5)?,
                executed_by: row.optional(6)?,
                module: row.get(7)?,
            })
        },
    )
}

/// A rollout as a row of its table.
pub fn row(id: Uuid) -> Result<Option<Record<Rollouts>>> {
    query::record(
        "SELECT r FROM module_versioning.rollouts r WHERE r.id = $1",
        &[id.into()],
    )
}

/// Writes a new rollout and returns its id.
pub fn insert(new: &NewRollout<'_>) -> Result<Uuid> {
    query::one(
        "INSERT INTO module_versioning.rollouts
             (module_id, target_version, waves, max_failures, all_sites, create_backup, force, executed_by, created_by)
         VALUES ($1, $2::module_versioning.semver, $3, $4, $5, $6, $7, $8, $9::pg_catalog.name)
         RETURNING id",
        &[
            new.module_id.into(),
            new.target.to_string().into(),
            new.waves.clone().into(),
            new.max_failures.into(),
            new.all_sites.into(),
            new.create_backup.into(),
            new.force.into(),
            new.executed_by.into(),
            new.created_by.into(),
        ],
        |row| row.get(1),
    )
}

/// Writes the sites of a new rollout, each with its wave.
pub fn insert_sites(id: Uuid, sites: impl Iterator<Item = (Candidate, i32)>) -> Result<()> {
    let (mut ids, mut slugs, mut waves) = (Vec::new(), Vec::new(), Vec::new());
    for (site, wave) in sites {
        ids.push(site.site_id);
        slugs.push(site.slug);
        waves.push(wave);
    }
    query::run(
        "INSERT INTO module_versioning.rollout_sites (rollout_id, site_id, site_slug, wave)
         SELECT $1, t.site_id, t.slug, t.wave
         FROM ROWS FROM (pg_catalog.unnest($2::uuid[]), pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::integer[]))
              AS t (site_id, slug, wave)",
        &[id.into(), ids.into(), slugs.into(), waves.into()],
    )
    .map(drop)
}

/// The sites that run the module: those below the target first, then by id.
pub fn installed_sites(module_id: Uuid, target: &Version) -> Result<Vec<Candidate>> {
    query::rows(
        "SELECT s.id, s.slug
         FROM module_versioning.site_modules i
         JOIN module_versioning.sites s ON s.id = i.site_id
         JOIN module_versioning.site_module_versions a ON a.site_module_id = i.id AND a.status = 'active'
         JOIN module_versioning.registered_versions v ON v.id = a.version_id
         WHERE i.module_id = $1
         ORDER BY v.version OPERATOR(module_versioning.>=) $2::module_versioning.semver, s.id",
        &[module_id.into(), target.to_string().into()],
        |row| Ok(Candidate { site_id: row.get(1)?, slug: row.get(2)? }),
    )
}

/// The version that a site runs, if site and installation are there.
pub fn active_version(site_id: Uuid, module_id: Uuid) -> Result<Option<Version>> {
    query::first(
        "SELECT v.version::text
         FROM module_versioning.site_modules i
         JOIN module_versioning.site_module_versions a ON a.site_module_id = i.id AND a.status = 'active'
         JOIN module_versioning.registered_versions v ON v.id = a.version_id
         WHERE i.site_id = $1 AND i.module_id = $2",
        &[site_id.into(), module_id.into()],
        |row| version(&row.get::<String>(1)?),
    )
}

/// Where a rollout stands now, with what other runners have committed.
pub fn progress(id: Uuid) -> Result<Progress> {
    query::one(
        "SELECT r.status, r.max_failures::bigint,
                (SELECT s.wave FROM module_versioning.rollout_sites s
                 WHERE s.rollout_id = r.id AND s.status = 'pending' ORDER BY s.wave, s.site_id LIMIT 1),
                EXISTS (SELECT FROM module_versioning.rollout_sites s
                        WHERE s.rollout_id = r.id AND s.status = 'locked'),
                (SELECT pg_catalog.count(*) FROM module_versioning.rollout_sites s
                 WHERE s.rollout_id = r.id AND s.status = 'failed')
         FROM module_versioning.rollouts r WHERE r.id = $1",
        &[id.into()],
        |row| {
            Ok(Progress {
                status: status(row, 1)?,
                max_failures: row.get(2)?,
                open_wave: row.optional(3)?,
                has_locked: row.get(4)?,
                failures: row.get(5)?,
            })
        },
    )
}

/// Sites whose turn has not come, or comes again.
pub fn open_sites(id: Uuid) -> Result<i64> {
    query::one(
        "SELECT pg_catalog.count(*) FROM module_versioning.rollout_sites s
         WHERE s.rollout_id = $1 AND s.status IN ('pending', 'locked')",
        &[id.into()],
        |row| row.get(1),
    )
}

/// Locks the row of a site that no other runner holds; one of `except` is not wanted.
pub fn claim(id: Uuid, claim: Claim, except: &[Uuid]) -> Result<Option<Claimed>> {
    match claim {
        Claim::Pending { wave } => query::first(
            "SELECT s.site_id, s.site_slug FROM module_versioning.rollout_sites s
             WHERE s.rollout_id = $1 AND s.status = 'pending' AND s.wave = $2
             ORDER BY s.site_id LIMIT 1 FOR UPDATE SKIP LOCKED",
            &[id.into(), wave.into()],
            claimed,
        ),
        Claim::Locked => query::first(
            "SELECT s.site_id, s.site_slug FROM module_versioning.rollout_sites s
             WHERE s.rollout_id = $1 AND s.status = 'locked' AND s.site_id <> ALL ($2::uuid[])
             ORDER BY s.completed_at, s.site_id LIMIT 1 FOR UPDATE SKIP LOCKED",
            &[id.into(), except.to_vec().into()],
            claimed,
        ),
    }
}

/// The same, waiting for another runner as long as `lock_timeout` says. None when that one has finished it.
pub fn claim_waiting(id: Uuid, wave: i32) -> Result<Option<Claimed>> {
    query::first(
        "SELECT s.site_id, s.site_slug FROM module_versioning.rollout_sites s
         WHERE s.rollout_id = $1 AND s.status = 'pending' AND s.wave = $2
         ORDER BY s.site_id LIMIT 1 FOR UPDATE",
        &[id.into(), wave.into()],
        claimed,
    )
}

fn claimed(row: &Row<'_>) -> Result<Claimed> {
    Ok(Claimed {
        site_id: row.get(1)?,
        slug: row.get(2)?,
    })
}

/// Notes what came of a site.
pub fn record(
    id: Uuid,
    site_id: Uuid,
    started_at: TimestampWithTimeZone,
    outcome: &Outcome,
) -> Result<()> {
    query::run(
        "UPDATE module_versioning.rollout_sites
         SET status = $3, sqlstate = $4, error_message = $5, error_detail = $6, error_hint = $7,
             failed_migration_id = $8, statement_number = $9, from_version = $10::module_versioning.semver,
             backup_id = $11, run_ids = $12, attempts = attempts + 1,
             started_at = $13, completed_at = pg_catalog.clock_timestamp()
         WHERE rollout_id = $1 AND site_id = $2",
        &[
            id.into(),
            site_id.into(),
            outcome.status.as_str().into(),
            outcome.sqlstate.clone().into(),
            outcome.message.clone().into(),
            outcome.detail.clone().into(),
            outcome.hint.clone().into(),
            outcome.failed_migration_id.into(),
            outcome.statement_number.into(),
            outcome.from_version.as_ref().map(ToString::to_string).into(),
            outcome.backup_id.into(),
            outcome.run_ids.clone().into(),
            started_at.into(),
        ],
    )
    .map(drop)
}

/// Notes that a rollout has begun. Never waits: who holds the row is noting the same, or more.
pub fn start(id: Uuid) -> Result<()> {
    query::run(
        "UPDATE module_versioning.rollouts
         SET status = 'running', started_at = coalesce(started_at, pg_catalog.clock_timestamp())
         WHERE id = (SELECT r.id FROM module_versioning.rollouts r
                     WHERE r.id = $1 AND r.status = 'pending' FOR UPDATE SKIP LOCKED)",
        &[id.into()],
    )
    .map(drop)
}

/// Halts a rollout and what of its sites no runner holds. Never waits for runners.
pub fn halt(id: Uuid, reason: &str) -> Result<()> {
    query::run(
        "UPDATE module_versioning.rollouts SET status = 'halted', halted_reason = $2
         WHERE id = (SELECT r.id FROM module_versioning.rollouts r
                     WHERE r.id = $1 AND r.status IN ('pending', 'running') FOR UPDATE SKIP LOCKED)",
        &[id.into(), reason.into()],
    )?;
    query::run(
        "UPDATE module_versioning.rollout_sites SET status = 'halted'
         WHERE rollout_id = $1
           AND site_id IN (SELECT s.site_id FROM module_versioning.rollout_sites s
                           WHERE s.rollout_id = $1 AND s.status = 'pending' FOR UPDATE SKIP LOCKED)",
        &[id.into()],
    )
    .map(drop)
}

/// Ends a rollout in which every site has an outcome; sites that came later are listed.
pub fn complete(rollout: &Rollout) -> Result<()> {
    let ended = query::run(
        "UPDATE module_versioning.rollouts
         SET status = 'completed', completed_at = pg_catalog.clock_timestamp(),
             started_at = coalesce(started_at, pg_catalog.clock_timestamp())
         WHERE id = (SELECT r.id FROM module_versioning.rollouts r
                     WHERE r.id = $1 AND r.status IN ('pending', 'running') FOR UPDATE SKIP LOCKED)",
        &[rollout.id.into()],
    )?;
    if ended > 0 && rollout.all_sites {
        add_new_sites(rollout, "added")?;
    }
    Ok(())
}

/// Takes sites into the last wave that run the module below the target and are not in the rollout.
pub fn add_new_sites(rollout: &Rollout, status: &str) -> Result<()> {
    query::run(
        "INSERT INTO module_versioning.rollout_sites (rollout_id, site_id, site_slug, wave, status)
         SELECT r.id, s.id, s.slug, greatest(pg_catalog.cardinality(r.waves), 1), $2
         FROM module_versioning.rollouts r
         JOIN module_versioning.site_modules i ON i.module_id = r.module_id
         JOIN module_versioning.sites s ON s.id = i.site_id
         JOIN module_versioning.site_module_versions a ON a.site_module_id = i.id AND a.status = 'active'
         JOIN module_versioning.registered_versions v ON v.id = a.version_id
         WHERE r.id = $1 AND v.version OPERATOR(module_versioning.<) r.target_version
         ON CONFLICT (rollout_id, site_id) DO NOTHING",
        &[rollout.id.into(), status.into()],
    )
    .map(drop)
}

/// Locks the row of a rollout and says where it stands.
pub fn lock(id: Uuid) -> Result<Status> {
    query::one(
        "SELECT r.status FROM module_versioning.rollouts r WHERE r.id = $1 FOR UPDATE",
        &[id.into()],
        |row| status(row, 1),
    )
}

/// Sites that were stopped before their turn get it; those that failed get another one, or are left out.
pub fn reopen_sites(id: Uuid, retry_failed: bool) -> Result<()> {
    if !retry_failed {
        query::run(
            "UPDATE module_versioning.rollout_sites SET status = 'skipped'
             WHERE rollout_id = $1 AND status = 'failed'",
            &[id.into()],
        )?;
    }
    query::run(
        "UPDATE module_versioning.rollout_sites
         SET status = 'pending', sqlstate = NULL, error_message = NULL, error_detail = NULL, error_hint = NULL,
             failed_migration_id = NULL, statement_number = NULL
         WHERE rollout_id = $1 AND status IN ('failed', 'halted', 'added')",
        &[id.into()],
    )
    .map(drop)
}

/// A rollout is open again, unless no site is.
pub fn reopen(id: Uuid, is_started: bool) -> Result<()> {
    query::run(
        "UPDATE module_versioning.rollouts r
         SET status = CASE WHEN NOT o.is_open THEN 'completed' WHEN $2 THEN 'running' ELSE 'pending' END,
             halted_reason = NULL,
             completed_at = CASE WHEN o.is_open THEN NULL
                                 ELSE coalesce(r.completed_at, pg_catalog.clock_timestamp()) END
         FROM (SELECT EXISTS (SELECT FROM module_versioning.rollout_sites s
                              WHERE s.rollout_id = $1 AND s.status IN ('pending', 'locked')) AS is_open) o
         WHERE r.id = $1",
        &[id.into(), is_started.into()],
    )
    .map(drop)
}

/// The server's lock table.
pub struct Locks {
    /// Places that this session's locks take.
    pub held: i64,
    /// Places that all sessions' locks take.
    pub used: i64,
    /// Places there are.
    pub capacity: i64,
}

/// Counts the locks of now. Those on the fast path take no place.
pub fn locks() -> Result<Locks> {
    query::one(
        "SELECT pg_catalog.count(*) FILTER (WHERE l.pid = pg_catalog.pg_backend_pid()), pg_catalog.count(*),
                pg_catalog.current_setting('max_locks_per_transaction')::bigint
                * (pg_catalog.current_setting('max_connections')::bigint
                   + pg_catalog.current_setting('max_prepared_transactions')::bigint)
         FROM pg_catalog.pg_locks l WHERE NOT l.fastpath",
        &[],
        |row| Ok(Locks { held: row.get(1)?, used: row.get(2)?, capacity: row.get(3)? }),
    )
}
