//! Live tables as the catalog describes them: what a snapshot must know to read one, a restore to write
//! one. All SQL of other people's tables is made here or in the files that name a statement each.

use pgrx::pg_sys;
use pgrx::spi::quote_identifier;
use versioning_core::snapshot::manifest::{Column, Encoding};

use crate::error::{Error, Result};
use crate::pg::field::TypeReference;
use crate::pg::identity::{Restriction, run_as};
use crate::pg::query;
use crate::pg::table_owner;
use crate::snapshot::obstacle::within_timeout;
use crate::snapshot::rights::refusal;

/// A table whose rows belong to a module.
#[derive(Debug, Clone)]
pub struct TableSource {
    /// As people see it: without schema in the module's own, else qualified.
    pub name: String,
    /// Its schema.
    pub schema: String,
    /// Its name in that schema.
    pub relation: String,
    /// The column that carries the site; `None` for all rows (a schema of the site's own, or a table
    /// that all sites share).
    pub site_column: Option<String>,
}

/// A column of a live table.
#[derive(Debug, Clone)]
pub struct LiveColumn {
    /// Name, type and encoding.
    pub column: Column,
    /// The type.
    pub kind: TypeReference,
    /// Whether its values are computed from other columns.
    pub generated: bool,
    /// Whether it must be given a value.
    pub required: bool,
    /// As text the value that rows got when the column was added to them, if it was a constant.
    pub missing_value: Option<String>,
}

/// A column of a primary key and the operator that compares it.
#[derive(Debug, Clone)]
pub struct KeyColumn {
    /// The column.
    pub name: String,
    /// `OPERATOR(schema.=)`.
    pub operator: String,
}

/// A live table, locked.
#[derive(Debug, Clone)]
pub struct LiveTable {
    /// What was asked for.
    pub source: TableSource,
    /// The table.
    pub oid: pg_sys::Oid,
    /// Whose it is.
    pub owner: pg_sys::Oid,
    /// Whether it is partitioned: then its rows lie in its partitions.
    pub partitioned: bool,
    /// Its columns.
    pub columns: Vec<LiveColumn>,
    /// Its primary key, empty without one.
    pub key: Vec<KeyColumn>,
}

/// How a table is locked while it is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Against changes of its definition.
    Read,
    /// Against other writers too.
    Write,
    /// Against everybody else, as a change of its definition does.
    Exclusive,
}

struct Identity {
    oid: pg_sys::Oid,
    kind: String,
    owner: pg_sys::Oid,
    may_read: bool,
    /// Whether it may keep other writers out.
    may_write: bool,
}

impl TableSource {
    /// The qualified, quoted name.
    pub fn qualified(&self) -> String {
        format!(
            "{}.{}",
            quote_identifier(&self.schema),
            quote_identifier(&self.relation)
        )
    }

    fn identity(&self) -> Result<Option<Identity>> {
        query::first(
            "SELECT c.oid, c.relkind::text, c.relowner,
                    pg_catalog.has_table_privilege(c.relowner, c.oid, 'SELECT'),
                    pg_catalog.has_table_privilege(c.relowner, c.oid, 'UPDATE, DELETE, TRUNCATE')
             FROM pg_catalog.pg_class c
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relname = $2",
            &[self.schema.as_str().into(), self.relation.as_str().into()],
            |row| {
                Ok(Identity {
                    oid: row.get(1)?,
                    kind: row.get(2)?,
                    owner: row.get(3)?,
                    may_read: row.get(4)?,
                    may_write: row.get(5)?,
                })
            },
        )
    }

    /// Looks the table up and locks it. `None` when there is none of that name.
    ///
    /// # Errors
    /// 0A000 when it is a view or anything else without rows of its own; 42501 when its owner has taken
    /// the right to its rows from itself; 55P03 when the lock isn't to be had in time.
    pub fn lock(&self, lock: Lock) -> Result<Option<LiveTable>> {
        let Some(found) = self.identity()? else {
            return Ok(None);
        };
        self.check_kind(&found)?;
        let mode = match lock {
            Lock::Read => "ACCESS SHARE",
            Lock::Write => "SHARE ROW EXCLUSIVE",
            Lock::Exclusive => "ACCESS EXCLUSIVE",
        };
        if !found.may_read || (lock != Lock::Read && !found.may_write) {
            return Err(refusal(self, found.oid, found.owner)?);
        }
        table_owner::check(found.oid, found.owner)?;
        let only = if found.kind == "p" { "" } else { "ONLY " };
        let statement = format!("LOCK TABLE {only}{} IN {mode} MODE", self.qualified());
        within_timeout(&self.name, || {
            run_as(found.owner, Restriction::RestrictedOperation, || {
                query::run(&statement, &[])
            })
        })?;
        // Before the lock was there, somebody may have put something else under the name.
        match self.identity()? {
            Some(now) if now.oid == found.oid && now.owner == found.owner => {
                self.check_kind(&now)?;
                Ok(Some(LiveTable {
                    columns: columns(now.oid)?,
                    key: key(now.oid)?,
                    source: self.clone(),
                    oid: now.oid,
                    owner: now.owner,
                    partitioned: now.kind == "p",
                }))
            }
            _ => Err(Error::wrong_state(format!(
                "table \"{}\" was replaced while it was being locked",
                self.name
            ))
            .hint("Try again.")),
        }
    }

    fn check_kind(&self, identity: &Identity) -> Result<()> {
        let what = match identity.kind.as_str() {
            "r" | "p" => return Ok(()),
            "v" => "a view",
            "m" => "a materialized view",
            "f" => "a foreign table",
            _ => "no table",
        };
        Err(Error::not_supported(format!(
            "\"{}\" is {what} and can't be in a snapshot",
            self.name
        ))
        .detail("A snapshot holds the rows of ordinary and partitioned tables.")
        .hint("Take it off the module's tables."))
    }
}

/// A column is written as text when its type, or one inside it, has no binary form, or when the binary
/// form holds OIDs that mean something in one database only (`reg…` types; arrays and rows hold the OIDs
/// of the types inside: those below 10,000 are the same on every server, the others are given out).
fn columns(table: pg_sys::Oid) -> Result<Vec<LiveColumn>> {
    query::rows(
        "SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.atttypid,
                a.atttypmod, a.attidentity::text, a.attgenerated <> '',
                (a.attnotnull OR d.refuses_null) AND NOT a.atthasdef AND NOT d.has_default AND a.attidentity = '',
                (WITH RECURSIVE tree (type, is_embedded) AS (
                     SELECT a.atttypid, false
                     UNION
                     SELECT inner_type.type, inner_type.is_embedded
                     FROM tree JOIN pg_catalog.pg_type t ON t.oid = tree.type
                     CROSS JOIN LATERAL (
                         SELECT t.typbasetype, false WHERE t.typtype = 'd'
                         UNION ALL
                         SELECT t.typelem, true WHERE t.typlen = -1 AND t.typelem <> 0
                         UNION ALL
                         SELECT f.atttypid, true FROM pg_catalog.pg_attribute f
                         WHERE t.typtype = 'c' AND f.attrelid = t.typrelid
                           AND f.attnum > 0 AND NOT f.attisdropped
                         UNION ALL
                         SELECT r.rngsubtype, false FROM pg_catalog.pg_range r
                         WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
                     ) AS inner_type (type, is_embedded))
                 SELECT pg_catalog.bool_or(
                            t.typsend = 0 OR t.typreceive = 0
                            OR (tree.is_embedded AND t.oid >= 10000)
                            OR (t.oid < 16384 AND t.typname ~ '^reg'))
                 FROM tree JOIN pg_catalog.pg_type t ON t.oid = tree.type),
                (a.attmissingval::text::text[])[1]
         FROM pg_catalog.pg_attribute a
         CROSS JOIN LATERAL (
             WITH RECURSIVE domains (type) AS (
                 SELECT a.atttypid
                 UNION SELECT t.typbasetype FROM domains JOIN pg_catalog.pg_type t ON t.oid = domains.type
                 WHERE t.typtype = 'd')
             SELECT pg_catalog.bool_or(t.typnotnull), pg_catalog.bool_or(t.typdefault IS NOT NULL)
             FROM domains JOIN pg_catalog.pg_type t ON t.oid = domains.type) AS d (refuses_null, has_default)
         WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
         ORDER BY a.attnum",
        &[table.into()],
        |row| {
            Ok(LiveColumn {
                column: Column {
                    name: row.get(1)?,
                    type_name: row.get(2)?,
                    identity: row.get(5)?,
                    encoding: if row.get(8)? {
                        Encoding::Text
                    } else {
                        Encoding::Binary
                    },
                },
                kind: TypeReference {
                    oid: row.get(3)?,
                    modifier: row.get(4)?,
                },
                generated: row.get(6)?,
                required: row.get(7)?,
                missing_value: row.optional(9)?,
            })
        },
    )
}

fn key(table: pg_sys::Oid) -> Result<Vec<KeyColumn>> {
    query::rows(
        "SELECT a.attname::text,
                pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname)
         FROM pg_catalog.pg_index i
         CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(i.indkey::int2[]), pg_catalog.unnest(i.indclass::oid[]))
             WITH ORDINALITY AS k (number, class, place)
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
         JOIN pg_catalog.pg_opclass c ON c.oid = k.class
         JOIN pg_catalog.pg_amop p ON p.amopfamily = c.opcfamily AND p.amopmethod = c.opcmethod
              AND p.amopstrategy = 3 AND p.amoplefttype = c.opcintype
              AND p.amoprighttype = c.opcintype
         JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr
         JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
         WHERE i.indrelid = $1 AND i.indisprimary AND k.place <= i.indnkeyatts
         ORDER BY k.place",
        &[table.into()],
        |row| Ok(KeyColumn { name: row.get(1)?, operator: row.get(2)? }),
    )
}

impl LiveTable {
    /// The columns that a snapshot holds: all but the generated ones.
    pub fn stored_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns
            .iter()
            .filter(|column| !column.generated)
            .map(|column| &column.column)
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&LiveColumn> {
        self.columns
            .iter()
            .find(|column| column.column.name == name)
    }

    /// Runs `body` as the table's owner, who can't leave that role nor prepare anything for later.
    ///
    /// # Errors
    /// What `body` returns.
    pub fn as_owner<R>(&self, body: impl FnOnce() -> Result<R>) -> Result<R> {
        run_as(self.owner, Restriction::RestrictedOperation, body)
    }

    /// The table in a FROM clause: without the tables that inherit from it, with its partitions.
    pub fn table_item(&self) -> String {
        let only = if self.partitioned { "" } else { "ONLY " };
        format!("{only}{}", self.source.qualified())
    }

    /// `WHERE` and the condition that picks the site's rows, the site being the SQL `site` of type text;
    /// empty for a table taken whole.
    ///
    /// # Errors
    /// 42704 when the site column isn't there.
    pub fn site_condition(&self, alias: &str, site: &str) -> Result<String> {
        let Some(name) = &self.source.site_column else {
            return Ok(String::new());
        };
        let column = self.column(name).ok_or_else(|| {
            Error::not_found(format!(
                "table \"{}\" has no site column \"{name}\"",
                self.source.name
            ))
            .hint("Register the table with the column that carries the site, or with none.")
        })?;
        Ok(format!(
            " WHERE {alias}.{} OPERATOR(pg_catalog.=) CAST({site} AS {})",
            quote_identifier(name),
            column.column.type_name
        ))
    }
}

/// The settings under which rows are read and written, so that neither depends on the session's:
/// names and values as text have one form, foreign keys are checked, and row-level security is an error and never
/// a smaller result.
pub const SETTINGS: [(&str, &str); 13] = [
    ("search_path", "pg_catalog, pg_temp"),
    ("row_security", "off"),
    ("client_encoding", "UTF8"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
    ("xmloption", "content"),
    ("array_nulls", "on"),
    ("quote_all_identifiers", "off"),
    ("session_replication_role", "origin"),
];
