//! Who held the lock that somebody waited for in vain.

use pgrx::pg_sys::LockTagType;

use crate::error::Result;
use crate::pg::interrupt::LockTag;
use crate::pg::query;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Process id of the backend.
    pub pid: i32,
    /// Its role.
    pub role: String,
    /// Its application_name.
    pub application: String,
    /// When its current query began.
    pub query_start: String,
    /// What is locked, in words.
    pub object: Option<String>,
}

impl Holder {
    /// A sentence about it.
    pub fn sentence(&self) -> String {
        let object = self
            .object
            .as_ref()
            .map_or_else(|| "It".to_owned(), |object| capitalized(object));
        format!(
            "{object} is locked by process {} (role {}, application \"{}\"), whose current query began at {}.",
            self.pid, self.role, self.application, self.query_start
        )
    }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

/// DETAIL of a failed statement: what PostgreSQL said, how long it waited, and for whom.
pub fn detail(said: Option<String>, timeout_ms: i32, holder: Option<Holder>) -> String {
    let waited = match holder {
        Some(holder) => format!(
            "The lock was not free within {timeout_ms} ms. {}",
            holder.sentence()
        ),
        None => "Who holds the lock can't be told any more.".to_owned(),
    };
    match said {
        Some(said) => format!("{said}\n{waited}"),
        None => waited,
    }
}

/// Where `pg_locks` shows a kind of lock: its `locktype`, and which of its columns hold the four fields.
fn place(kind: u32) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        LockTagType::LOCKTAG_RELATION => {
            ("relation", "l.database = $2::oid AND l.relation = $3::oid")
        }
        // Who holds a row shows in the table of locks by its transaction only; who waits for the same
        // row first, by its tuple.
        LockTagType::LOCKTAG_TUPLE => (
            "tuple",
            "l.database = $2::oid AND l.relation = $3::oid AND l.page = $4 AND l.tuple = $5",
        ),
        LockTagType::LOCKTAG_TRANSACTION => ("transactionid", "l.transactionid::text::bigint = $2"),
        LockTagType::LOCKTAG_ADVISORY => (
            "advisory",
            "l.database = $2::oid AND l.classid = $3::oid AND l.objid = $4::oid AND l.objsubid = $5",
        ),
        LockTagType::LOCKTAG_OBJECT => (
            "object",
            "l.database = $2::oid AND l.classid = $3::oid AND l.objid = $4::oid",
        ),
        _ => return None,
    })
}

/// What the lock is on, in words. A row's holder is told by the tables it is writing to.
const OBJECT: &str = "
    CASE l.locktype
        WHEN 'relation' THEN pg_catalog.concat('relation ', l.relation::pg_catalog.regclass)
        WHEN 'tuple' THEN pg_catalog.concat('a row of relation ', l.relation::pg_catalog.regclass)
        WHEN 'transactionid' THEN
            (SELECT pg_catalog.concat('a row of relation ', pg_catalog.string_agg(written.name, ' or '))
               FROM (SELECT DISTINCT w.relation::pg_catalog.regclass::text AS name
                       FROM pg_catalog.pg_locks w
                       JOIN pg_catalog.pg_class c ON c.oid = w.relation AND c.relkind IN ('r', 'p')
                      WHERE w.pid = l.pid AND w.granted AND w.locktype = 'relation'
                        AND w.mode IN ('RowExclusiveLock', 'RowShareLock')
                        AND w.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                           WHERE d.datname = pg_catalog.current_database())
                      ORDER BY 1 LIMIT 3) AS written
             HAVING pg_catalog.count(*) > 0)
        WHEN 'advisory' THEN 'an advisory lock'
    END";

/// Who holds that lock now, the strongest mode first; nobody when it was released meanwhile.
///
/// # Errors
/// Only broken expectations.
pub fn holder(tag: LockTag) -> Result<Option<Holder>> {
    let Some((kind, condition)) = place(tag.kind) else {
        return Ok(None);
    };
    let [first, second, third, fourth] = tag.fields.map(i64::from);
    query::first(
        &format!(
            "SELECT l.pid, coalesce(a.usename::text, ''), coalesce(a.application_name, ''),
                    coalesce(a.query_start::text, 'an unknown time'), {OBJECT}
               FROM pg_catalog.pg_locks l
               LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
              WHERE l.locktype = $1 AND l.granted AND l.pid <> pg_catalog.pg_backend_pid()
                AND ({condition}) AND (($2 + $3 + $4 + $5) IS NOT NULL)
              ORDER BY pg_catalog.array_position(ARRAY['AccessExclusiveLock', 'ExclusiveLock',
                           'ShareRowExclusiveLock', 'ShareLock', 'ShareUpdateExclusiveLock',
                           'RowExclusiveLock', 'RowShareLock', 'AccessShareLock'], l.mode), l.pid
              LIMIT 1"
        ),
        &[
            kind.into(),
            first.into(),
            second.into(),
            third.into(),
            fourth.into(),
        ],
        |row| {
            Ok(Holder {
                pid: row.get(1)?,
                role: row.get(2)?,
                application: row.get(3)?,
                query_start: row.get(4)?,
                object: row.optional(5)?,
            })
        },
    )
}
