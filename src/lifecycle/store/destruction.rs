//! The SQL that finds and counts what a statement would destroy.

use pgrx::{Uuid, pg_sys};

use super::table::{LIVE_TABLE, LiveTable, live_table_of_row};
use crate::error::Result;
use crate::pg::query;

/// Where a walk along dependencies begins.
pub enum Start<'a> {
    /// An object of a system catalog, by schema and name: `pg_class`, `pg_type`, `pg_proc`.
    Named(&'a str, &'a str, &'a str),
    /// A column, by table and name.
    Column(pg_sys::Oid, &'a str),
    /// A schema, by name.
    Schema(&'a str),
    /// An extension, by name.
    Extension(&'a str),
    /// What roles own.
    Owned(&'a [String]),
}

/// What goes along: a table, a column of a table that stays (`Some`), or a sequence of its own.
pub struct Gone {
    /// The relation.
    pub relation: pg_sys::Oid,
    /// Whether it is a sequence.
    pub is_sequence: bool,
    /// The column.
    pub column: Option<String>,
}

/// What goes with an object, itself included; with `cascade` what needs it too.
pub fn going_along(start: &Start<'_>, cascade: bool) -> Result<Vec<Gone>> {
    let (first, second) = match start {
        Start::Named(_, schema, name) => ((*schema).to_owned(), (*name).to_owned()),
        Start::Column(table, name) => (table.to_u32().to_string(), (*name).to_owned()),
        Start::Schema(name) | Start::Extension(name) => ((*name).to_owned(), String::new()),
        Start::Owned(roles) => (String::new(), roles.join("\u{1}")),
    };
    let beginning = match start {
        Start::Named("pg_class", ..) => OF_CLASS,
        Start::Named("pg_type", ..) => OF_TYPE,
        Start::Named(..) => OF_FUNCTION,
        Start::Column(..) => OF_COLUMN,
        Start::Schema(_) => OF_SCHEMA,
        Start::Extension(_) => OF_EXTENSION,
        Start::Owned(_) => OF_ROLES,
    };
    query::rows(
        &format!("WITH RECURSIVE gone (classid, objid, objsubid) AS ({beginning} {WALK}"),
        &[first.into(), second.into(), cascade.into()],
        |row| {
            Ok(Gone {
                relation: row.get(1)?,
                is_sequence: row.get(2)?,
                column: row.optional(3)?,
            })
        },
    )
}

const OF_CLASS: &str = "SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, c.oid, 0
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2";
const OF_TYPE: &str = "SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::oid, t.oid, 0
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = $1 AND t.typname = $2";
const OF_FUNCTION: &str = "SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::oid, p.oid, 0
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = $1 AND p.proname = $2";
const OF_COLUMN: &str =
    "SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, a.attrelid, a.attnum::int4
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = $1::oid AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped";
const OF_SCHEMA: &str = "SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass::oid, n.oid, 0
    FROM pg_catalog.pg_namespace n WHERE n.nspname = $1 AND $2 = ''";
const OF_EXTENSION: &str = "SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass::oid, e.oid, 0
    FROM pg_catalog.pg_extension e WHERE e.extname = $1 AND $2 = ''";
const OF_ROLES: &str = "SELECT d.classid, d.objid, d.objsubid
    FROM pg_catalog.pg_shdepend d
    JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid
    WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.deptype = 'o'
      AND d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      AND r.rolname = ANY (pg_catalog.string_to_array($2, pg_catalog.chr(1))) AND $1 = ''";

/// Along pg_depend: parts always go, what needs it with CASCADE only. Then the tables, their partitions
/// and children left out (a count of the parent includes them), the columns of other tables that hold
/// values of their own, and the sequences that belong to no column.
const WALK: &str = "UNION
    SELECT d.classid, d.objid, d.objsubid
    FROM gone g
    JOIN pg_catalog.pg_depend d ON d.refclassid = g.classid AND d.refobjid = g.objid
    WHERE (g.objsubid = 0 OR d.refobjsubid = g.objsubid)
      AND (d.deptype IN ('a', 'i', 'P', 'S', 'e') OR $3 AND d.deptype = 'n')
), relations AS (
    SELECT DISTINCT c.oid, c.relkind
    FROM gone g JOIN pg_catalog.pg_class c ON c.oid = g.objid
    WHERE g.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND g.objsubid = 0 AND c.relkind IN ('r', 'p', 'S')
)
SELECT r.oid, r.relkind = 'S', NULL::text
FROM relations r
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i JOIN relations p ON p.oid = i.inhparent WHERE i.inhrelid = r.oid)
  AND NOT (r.relkind = 'S' AND EXISTS (
      SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')))
UNION ALL
SELECT DISTINCT a.attrelid, false, a.attname::text
FROM gone g
JOIN pg_catalog.pg_class c ON c.oid = g.objid AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_attribute a ON a.attrelid = g.objid AND a.attnum = g.objsubid
WHERE g.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND g.objsubid > 0
  AND NOT a.attisdropped AND a.attgenerated = '' AND NOT EXISTS (SELECT FROM relations r WHERE r.oid = a.attrelid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i
                  JOIN gone p ON p.classid = g.classid AND p.objid = i.inhparent AND p.objsubid > 0
                  WHERE i.inhrelid = a.attrelid)
ORDER BY 1, 3 NULLS FIRST";

/// The table with that number.
pub fn table(relation: pg_sys::Oid) -> Result<Option<LiveTable>> {
    query::first(
        &format!("{LIVE_TABLE} WHERE c.oid = $1 AND c.relkind IN ('r', 'p')"),
        &[relation.into()],
        live_table_of_row,
    )
}

/// The tables that TRUNCATE … CASCADE empties besides.
pub fn referring(tables: &[pg_sys::Oid]) -> Result<Vec<pg_sys::Oid>> {
    query::rows(
        "WITH RECURSIVE emptied (oid) AS (
             SELECT t FROM pg_catalog.unnest($1::oid[]) t
             UNION
             SELECT k.conrelid FROM emptied e
             JOIN pg_catalog.pg_constraint k ON k.confrelid = e.oid AND k.contype = 'f'
         )
         SELECT e.oid FROM emptied e
         WHERE e.oid <> ALL ($1::oid[])
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i JOIN emptied p ON p.oid = i.inhparent WHERE i.inhrelid = e.oid)
         ORDER BY 1",
        &[tables.to_vec().into()],
        |row| row.get(1),
    )
}

/// A foreign key whose rows change when the referenced ones are deleted.
pub struct Reference {
    /// The table that refers.
    pub child: pg_sys::Oid,
    /// Its columns.
    pub columns: Vec<String>,
    /// The columns referred to.
    pub keys: Vec<String>,
    /// Whether its rows go too; else the columns are set to NULL or their defaults.
    pub deletes: bool,
}

/// The foreign keys that act on DELETE of the table.
pub fn acting_references(table: pg_sys::Oid) -> Result<Vec<Reference>> {
    query::rows(
        "SELECT k.conrelid,
                ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u (n, place)
                      JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.place),
                ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u (n, place)
                      JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.place),
                k.confdeltype = 'c'
         FROM pg_catalog.pg_constraint k
         WHERE k.confrelid = $1 AND k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd') AND k.conparentid = 0
         ORDER BY k.oid",
        &[table.into()],
        |row| {
            Ok(Reference {
                child: row.get(1)?,
                columns: row.get(2)?,
                keys: row.get(3)?,
                deletes: row.get(4)?,
            })
        },
    )
}

/// The triggers of the table's owner or others that fire on a kind of statement, by their names.
pub fn triggers(table: pg_sys::Oid, event: TriggerEvent) -> Result<Vec<String>> {
    query::rows(
        "SELECT t.tgname::text FROM pg_catalog.pg_trigger t
         WHERE t.tgrelid = $1 AND NOT t.tgisinternal AND t.tgenabled NOT IN ('D', 'R') AND t.tgtype & $2 <> 0
         ORDER BY t.tgname",
        &[table.into(), (event as i32).into()],
        |row| row.get(1),
    )
}

/// The bits of `pg_trigger.tgtype`.
#[derive(Debug, Clone, Copy)]
pub enum TriggerEvent {
    /// TRIGGER_TYPE_DELETE.
    Delete = 8,
    /// TRIGGER_TYPE_UPDATE.
    Update = 16,
    /// TRIGGER_TYPE_TRUNCATE.
    Truncate = 32,
}

/// A column as the catalog has it.
pub struct LiveColumn {
    /// Its type, as SQL.
    pub type_name: String,
    /// Its default, as SQL.
    pub default: Option<String>,
}

/// A column that holds values of its own.
pub fn column(table: pg_sys::Oid, name: &str) -> Result<Option<LiveColumn>> {
    query::first(
        "SELECT pg_catalog.format_type(a.atttypid, a.atttypmod), pg_catalog.pg_get_expr(d.adbin, d.adrelid)
         FROM pg_catalog.pg_attribute a
         LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = $1 AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''",
        &[table.into(), name.into()],
        |row| {
            Ok(LiveColumn {
                type_name: row.get(1)?,
                default: row.optional(2)?,
            })
        },
    )
}

/// A sequence as it stands.
pub struct LiveSequence {
    /// As it is shown: schema and name.
    pub shown: String,
    /// Whether it belongs to a column.
    pub is_owned: bool,
    /// Who owns it.
    pub owner: pg_sys::Oid,
}

/// The sequence of that number.
pub fn sequence(relation: pg_sys::Oid) -> Result<Option<LiveSequence>> {
    query::first(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), c.relowner,
                EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0
                          AND d.deptype IN ('a', 'i'))
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = $1 AND c.relkind = 'S'",
        &[relation.into()],
        |row| {
            Ok(LiveSequence {
                shown: row.get(1)?,
                owner: row.get(2)?,
                is_owned: row.get(3)?,
            })
        },
    )
}

/// The relation of that name.
pub fn relation(schema: &str, name: &str) -> Result<Option<pg_sys::Oid>> {
    query::first(
        "SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relname = $2",
        &[schema.into(), name.into()],
        |row| row.get(1),
    )
}

/// The last number that a sequence gave out, if it ever did. The caller runs it as the sequence's owner.
pub fn last_number(shown: &str) -> Result<Option<i64>> {
    let found = query::first(
        &format!("SELECT CASE WHEN is_called THEN last_value END FROM {shown}"),
        &[],
        |row| row.optional(1),
    )?;
    Ok(found.flatten())
}

/// What a count is to say.
pub struct Counting<'a> {
    /// `WITH …`, or nothing.
    pub with: &'a str,
    /// What to read, as SQL.
    pub from: &'a str,
    /// Which rows, as SQL.
    pub condition: &'a str,
    /// Which of them count as values, as SQL.
    pub value: &'a str,
    /// The column that says whose a row is, where there is one.
    pub site_column: Option<&'a str>,
}

impl Counting<'_> {
    /// The query; its one parameter is the site.
    pub fn query(&self) -> String {
        let Self {
            with,
            from,
            condition,
            value,
            ..
        } = self;
        let of_site = self.site_column.map_or_else(
            || "true".to_owned(),
            |column| format!("{}::text = $1::text", pgrx::spi::quote_identifier(column)),
        );
        format!(
            "{with} SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE {value}),
                    pg_catalog.count(*) FILTER (WHERE {of_site}),
                    pg_catalog.count(*) FILTER (WHERE ({value}) AND {of_site})
             FROM {from} WHERE {condition}"
        )
    }
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Rows.
    pub rows: i64,
    /// Those that have a value.
    pub values: i64,
    /// Rows of the site.
    pub site_rows: i64,
    /// Those of them that have a value.
    pub site_values: i64,
}

/// Runs a [`Counting`] query.
pub fn count(query: &str, site_id: Uuid) -> Result<Counts> {
    query::one(query, &[site_id.into()], |row| {
        Ok(Counts {
            rows: row.get(1)?,
            values: row.get(2)?,
            site_rows: row.get(3)?,
            site_values: row.get(4)?,
        })
    })
}
