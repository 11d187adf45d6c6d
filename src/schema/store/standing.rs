//! Where sequences, statistics and sizes stand: what is looked at before and after scripts are tried.

use std::collections::BTreeMap;

use pgrx::pg_sys;

use super::watch::{SHOWN, USER_SCHEMA, number};
use crate::error::Result;
use crate::pg::query;
use crate::pg::table_statistics::Size;

/// A sequence and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// As findings name it.
    pub shown: String,
    /// The value it gave last; none when it gave none yet.
    pub last_value: Option<i64>,
    /// Whether it counts downwards.
    pub descends: bool,
}

/// Where every sequence of people stands.
///
/// # Errors
/// Only broken expectations.
pub fn positions(home: &str) -> Result<BTreeMap<u32, Position>> {
    let found = query::rows(
        &format!(
            "SELECT c.oid, {SHOWN}, pg_catalog.pg_sequence_last_value(c.oid), s.seqincrement < 0
             FROM pg_catalog.pg_sequence s
             JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE {USER_SCHEMA} AND c.relpersistence = 'p'"
        ),
        &[home.into()],
        |row| {
            let oid: pg_sys::Oid = row.get(1)?;
            let position = Position {
                shown: row.get(2)?,
                last_value: row.optional(3)?,
                descends: row.get(4)?,
            };
            Ok((number(oid), position))
        },
    )?;
    Ok(found.into_iter().collect())
}

/// Sets a sequence to the value it gave last.
///
/// # Errors
/// Only broken expectations.
pub fn set_position(sequence: u32, last_value: i64) -> Result<()> {
    query::run(
        "SELECT pg_catalog.setval($1::pg_catalog.regclass, $2)",
        &[pg_sys::Oid::from(sequence).into(), last_value.into()],
    )
    .map(drop)
}

/// How many large objects there are, counted up to a million.
///
/// # Errors
/// Only broken expectations.
pub fn large_objects() -> Result<i64> {
    query::one(
        "SELECT pg_catalog.count(*) FROM (SELECT FROM pg_catalog.pg_largeobject_metadata LIMIT 1000000) l",
        &[],
        |row| row.get(1),
    )
}

/// The event triggers, by number.
///
/// # Errors
/// Only broken expectations.
pub fn event_triggers() -> Result<BTreeMap<u32, String>> {
    let found = query::rows(
        "SELECT e.oid, pg_catalog.quote_ident(e.evtname) FROM pg_catalog.pg_event_trigger e WHERE e.evtenabled <> 'D'",
        &[],
        |row| Ok((number(row.get(1)?), row.get(2)?)),
    )?;
    Ok(found.into_iter().collect())
}

/// The tables, indexes and materialized views for which statistics are kept.
///
/// # Errors
/// Only broken expectations.
pub fn counted_relations() -> Result<Vec<pg_sys::Oid>> {
    query::rows(
        "SELECT c.oid FROM pg_catalog.pg_class c
         WHERE c.oid >= 16384 AND c.relkind IN ('r', 'i', 't', 'm', 'S')",
        &[],
        |row| row.get(1),
    )
}

/// The functions for which statistics are kept.
///
/// # Errors
/// Only broken expectations.
pub fn counted_functions() -> Result<Vec<pg_sys::Oid>> {
    query::rows(
        "SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.oid >= 16384",
        &[],
        |row| row.get(1),
    )
}

/// How large the planner takes every table to be.
///
/// # Errors
/// Only broken expectations.
pub fn planner_sizes() -> Result<BTreeMap<u32, Size>> {
    let all_frozen = if cfg!(feature = "pg18") {
        "c.relallfrozen"
    } else {
        "0"
    };
    let found = query::rows(
        &format!(
            "SELECT c.oid, c.relpages, c.reltuples, c.relallvisible, {all_frozen}
             FROM pg_catalog.pg_class c WHERE c.oid >= 16384 AND c.relkind IN ('r', 'm')"
        ),
        &[],
        |row| {
            let size = Size {
                pages: row.get(2)?,
                rows: row.get(3)?,
                all_visible: row.get(4)?,
                all_frozen: row.get(5)?,
            };
            Ok((number(row.get(1)?), size))
        },
    )?;
    Ok(found.into_iter().collect())
}

/// How large the tables of a schema are, with their indexes and large values, and the largest of them.
///
/// # Errors
/// Only broken expectations.
pub fn size(schema: &str) -> Result<(i64, Option<String>)> {
    query::one(
        "SELECT coalesce(pg_catalog.sum(s.size), 0)::bigint,
                (pg_catalog.array_agg(s.name ORDER BY s.size DESC))[1]
         FROM (SELECT pg_catalog.quote_ident(c.relname) AS name, pg_catalog.pg_total_relation_size(c.oid) AS size
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relkind IN ('r', 'm')) s",
        &[schema.into()],
        |row| Ok((row.get(1)?, row.optional(2)?)),
    )
}
