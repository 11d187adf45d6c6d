//! What a change is doing now: for the session itself as NOTICEs, for others in the view `progress`.
//!
//! Everything here may be left out without changing what happens. The numbers of a report and how they
//! are packed stand here and in `sql/install/71_progress.sql`, nowhere else.

use std::cell::Cell;

use pgrx::Uuid;
use pgrx::datum::clock_timestamp;

use crate::pg::publication::{publish, withdraw, withdraw_all};
use crate::settings;

/// What is going on as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A module is installed on a site.
    Install = 1,
    /// It is upgraded.
    Upgrade = 2,
    /// It is rolled back.
    Rollback = 3,
    /// A snapshot is taken by itself.
    Snapshot = 4,
    /// A snapshot is restored by itself.
    Restore = 5,
    /// A rollout upgrades a site.
    Rollout = 6,
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Rollback => "rollback",
            Self::Snapshot => "snapshot",
            Self::Restore => "restore",
            Self::Rollout => "rollout",
        }
    }
}

/// Which part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Plans and locks.
    Preparation = 1,
    /// Rows are read into a snapshot.
    Snapshot = 2,
    /// A script runs.
    Migration = 3,
    /// The new version is activated and looked at.
    Verification = 4,
    /// Rows are put back from a snapshot.
    Restore = 5,
}

impl Step {
    fn word(self) -> &'static str {
        match self {
            Self::Preparation => "preparation",
            Self::Snapshot => "snapshot",
            Self::Migration => "migration",
            Self::Verification => "verification",
            Self::Restore => "restore",
        }
    }
}

/// The keys under which a report's numbers are published.
mod key {
    pub const WHAT: usize = 0;
    pub const SITE: usize = 1;
    pub const MODULE: usize = 3;
    pub const STARTED: usize = 5;
    pub const MIGRATION: usize = 6;
    pub const STATEMENT: usize = 7;
    pub const ROWS_DONE: usize = 8;
    pub const ROWS_TOTAL: usize = 9;
    pub const BYTES_DONE: usize = 10;
    pub const BYTES_TOTAL: usize = 11;
}

thread_local! {
    static CURRENT: Cell<Option<Operation>> = const { Cell::new(None) };
    static STATEMENTS: Cell<u32> = const { Cell::new(0) };
    static DONE: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    static TOTAL: Cell<Option<(u64, u64)>> = const { Cell::new(None) };
}

/// Ends the report however its operation ends.
struct Report;

impl Drop for Report {
    fn drop(&mut self) {
        CURRENT.set(None);
        // While an error passes through, this backend may be in the middle of the lock table. The locks go
        // with the transaction, or with the next report.
        if !std::thread::panicking() {
            withdraw_all();
        }
    }
}

/// Reports an operation while `body` runs. Inside another operation it is a part of that.
pub fn during<R>(
    operation: Operation,
    site_id: Uuid,
    module_id: Uuid,
    name: &str,
    body: impl FnOnce() -> R,
) -> R {
    if CURRENT.get().is_some() {
        return body();
    }
    withdraw_all();
    CURRENT.set(Some(operation));
    let report = Report;
    publish_id(key::SITE, site_id);
    publish_id(key::MODULE, module_id);
    // Microseconds since 2000-01-01, as PostgreSQL counts.
    let started: pgrx::pg_sys::TimestampTz = clock_timestamp().into();
    publish(key::STARTED, started.cast_unsigned());
    say(|| format!("{} of {name}", operation.word()));
    enter(Step::Preparation);
    let result = body();
    drop(report);
    result
}

fn publish_id(key: usize, id: Uuid) {
    let (high, low) = id.as_bytes().split_at(8);
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    publish(key, number(high));
    publish(key + 1, number(low));
}

fn say(text: impl FnOnce() -> String) {
    if settings::progress_notices() {
        pgrx::notice!("{}", text());
    }
}

fn enter(step: Step) {
    let Some(operation) = CURRENT.get() else {
        return;
    };
    for key in key::MIGRATION..=key::BYTES_TOTAL {
        withdraw(key);
    }
    STATEMENTS.set(0);
    DONE.set((0, 0));
    TOTAL.set(None);
    publish(key::WHAT, (operation as u64) << 8 | step as u64);
}

/// The next step of the operation begins.
pub fn step(step: Step) {
    enter(step);
    say(|| step.word().to_owned());
}

fn of_total(number: u32, total: u32) -> u64 {
    u64::from(number) << 32 | u64::from(total)
}

/// A number that is only shown.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Migration `number` of `total` begins, to that version or from it.
pub fn migration(number: usize, total: usize, version: &npm_semver::Version) {
    enter(Step::Migration);
    if CURRENT.get().is_some() {
        publish(key::MIGRATION, of_total(small(number), small(total)));
    }
    say(|| format!("migration {number} of {total}: version {version}"));
}

/// A script of so many statements begins.
pub fn statements(total: usize) {
    STATEMENTS.set(small(total));
}

/// Statement `number` of the script begins.
pub fn statement(number: u32) {
    let total = STATEMENTS.get();
    // What comes after the last one is no statement of the script.
    if CURRENT.get().is_none() || number > total {
        return;
    }
    publish(key::STATEMENT, of_total(number, total));
    say(|| format!("statement {number} of {total}"));
}

/// So many rows and bytes are to be gone through, as far as that is known.
pub fn expect(rows: u64, bytes: u64) {
    if CURRENT.get().is_some() {
        TOTAL.set(Some((rows, bytes)));
        publish(key::ROWS_TOTAL, rows);
        publish(key::BYTES_TOTAL, bytes);
    }
}

/// So many more of them are done.
pub fn done(rows: u64, bytes: u64) {
    if CURRENT.get().is_none() {
        return;
    }
    let before = DONE.get();
    let now = (
        before.0.saturating_add(rows),
        before.1.saturating_add(bytes),
    );
    // What is gone through twice, to be sure, counts once.
    let now = TOTAL
        .get()
        .map_or(now, |total| (now.0.min(total.0), now.1.min(total.1)));
    DONE.set(now);
    publish(key::ROWS_DONE, now.0);
    publish(key::BYTES_DONE, now.1);
}
