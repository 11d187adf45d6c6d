//! The catalog queries of this room.

pub mod access;
pub mod capture;
pub mod content;
pub mod membership;
pub mod standing;
pub mod watch;

use pgrx::pg_sys;
use versioning_core::schema::{Live, Object};

use crate::error::Result;
use crate::pg::query;
use crate::pg::scope::with_settings;

/// An ordinary or partitioned table; a partition counts as part of its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Tells a rename from a drop and a new table.
    pub oid: pg_sys::Oid,
    /// Its schema, unquoted.
    pub schema: String,
    /// Its name, unquoted.
    pub name: String,
    /// Its columns' names, unquoted.
    pub columns: Vec<String>,
}

/// Definitions print names that are not in pg_catalog with their schema.
const QUALIFIED_NAMES: &[(&str, &str)] = &[("search_path", "pg_catalog, pg_temp")];

/// Each look-up in [`OBJECTS`] has an index for it. A catalog without statistics, as it is after many
/// tables were made, would make the planner read whole catalogs instead. So the schema's name changes nothing
/// about the plan, and planning costs more than running: it is done once.
const BY_INDEX: &[(&str, &str)] = &[
    ("plan_cache_mode", "force_generic_plan"),
    ("jit", "off"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("from_collapse_limit", "1"),
    ("join_collapse_limit", "1"),
];

/// Constants in a definition are printed as these say, and not as the session happens to be set.
const ONE_STYLE: &[(&str, &str)] = &[
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("quote_all_identifiers", "off"),
    ("standard_conforming_strings", "on"),
];

/// Every object of a schema, as `kind name`. Definitions leave out the schema's own name: schemas that
/// hold the same are equal, whatever they are called.
///
/// # Errors
/// Those of the catalog functions.
pub fn live(schema: &str) -> Result<Live> {
    let search_path = format!("{}, pg_temp", pgrx::spi::quote_identifier(schema));
    let settings = [BY_INDEX, ONE_STYLE].concat();
    with_settings(&settings, || {
        let found = query::rows(OBJECTS, &[schema.into(), search_path.into()], |row| {
            let object = Object {
                definition: row.optional(2)?.unwrap_or_default(),
                table: row.optional(3)?,
                identity: row.get(4)?,
            };
            Ok((row.get(1)?, object))
        })?;
        Ok(found.into_iter().collect())
    })
}

/// Whether a schema is there and belongs to the role of that name.
///
/// # Errors
/// None of its own.
pub fn owned_by(schema: &str, role: &str) -> Result<bool> {
    let found = query::first(
        "SELECT pg_catalog.pg_get_userbyid(n.nspowner) = $2::name FROM pg_catalog.pg_namespace n WHERE n.nspname = $1",
        &[schema.into(), role.into()],
        |row| row.get(1),
    )?;
    Ok(found.unwrap_or(false))
}

/// The owner of a schema, if that is there.
///
/// # Errors
/// None of its own.
pub fn owner(schema: &str) -> Result<Option<pg_sys::Oid>> {
    query::first(
        "SELECT nspowner FROM pg_catalog.pg_namespace WHERE nspname = $1",
        &[schema.into()],
        |row| row.get(1),
    )
}

/// Whether a schema is there.
///
/// # Errors
/// None of its own.
pub fn exists(schema: &str) -> Result<bool> {
    let found = query::first(
        "SELECT true FROM pg_catalog.pg_namespace WHERE nspname = $1",
        &[schema.into()],
        |row| row.get(1),
    )?;
    Ok(found.unwrap_or(false))
}

/// The tables of a schema, by name.
///
/// # Errors
/// None of its own.
pub fn tables(schema: &str) -> Result<Vec<Table>> {
    tables_of(&[schema.to_owned()])
}

/// The tables of several schemas, by name. Partitions are left out: they are part of their root.
///
/// # Errors
/// None of its own.
pub fn tables_of(schemas: &[String]) -> Result<Vec<Table>> {
    query::rows(
        "SELECT c.oid, n.nspname::text, c.relname::text,
                ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                      ORDER BY a.attnum)
         FROM pg_catalog.pg_namespace n
         JOIN pg_catalog.pg_depend s ON s.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
              AND s.refobjid = n.oid AND s.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
         JOIN pg_catalog.pg_class c ON c.oid = s.objid AND c.relnamespace = n.oid
         WHERE n.nspname = ANY ($1::name[]) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND c.relpersistence <> 't'
         ORDER BY n.nspname, c.relname",
        &[schemas.to_vec().into()],
        |row| {
            Ok(Table {
                oid: row.get(1)?,
                schema: row.get(2)?,
                name: row.get(3)?,
                columns: row.get(4)?,
            })
        },
    )
}

/// Something outside a schema that needs something inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    class: pg_sys::Oid,
    object: pg_sys::Oid,
    part: i32,
    /// What it is, with its schema.
    pub description: String,
}

/// What lies outside a schema and needs something inside it: views and what is built on them, foreign
/// keys, columns, functions, triggers.
///
/// # Errors
/// None of its own.
pub fn outside_dependents(schema: &str) -> Result<Vec<Dependent>> {
    let mut settings = QUALIFIED_NAMES.to_vec();
    settings.extend(BY_INDEX);
    with_settings(&settings, || {
        query::rows(OUTSIDE, &[schema.into()], |row| {
            Ok(Dependent {
                class: row.get(1)?,
                object: row.get(2)?,
                part: row.get(3)?,
                description: row
                    .get::<String>(4)?
                    .trim_start_matches("rule _RETURN on ")
                    .to_owned(),
            })
        })
    })
}

/// Those of the dependents that are there no longer.
///
/// # Errors
/// None of its own.
pub fn gone(dependents: Vec<Dependent>) -> Result<Vec<String>> {
    let mut gone = Vec::new();
    for dependent in dependents {
        let there = query::one(
            "SELECT pg_catalog.pg_describe_object($1, $2, $3) IS NOT NULL",
            &[
                dependent.class.into(),
                dependent.object.into(),
                dependent.part.into(),
            ],
            |row| row.get::<bool>(1),
        )?;
        if !there {
            gone.push(dependent.description);
        }
    }
    Ok(gone)
}

/// Something that needs a relation or one of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needing {
    /// As [`Object::identity`], if it is in the same schema.
    pub identity: String,
    /// What it is, with its schema.
    pub description: String,
}

/// A relation or one of its columns, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The schema.
    pub schema: String,
    /// The relation.
    pub relation: String,
    /// The column; none for the whole relation.
    pub column: Option<String>,
}

/// What needs relations or their columns: views, what is built on those, and foreign keys; each with
/// the index of what it needs. A relation that isn't there is needed by nothing.
///
/// # Errors
/// None of its own.
pub fn needing(wanted: &[Wanted]) -> Result<Vec<(usize, Needing)>> {
    let schemas: Vec<String> = wanted.iter().map(|one| one.schema.clone()).collect();
    let relations: Vec<String> = wanted.iter().map(|one| one.relation.clone()).collect();
    let columns: Vec<Option<String>> = wanted.iter().map(|one| one.column.clone()).collect();
    let mut settings = QUALIFIED_NAMES.to_vec();
    settings.extend(BY_INDEX);
    with_settings(&settings, || {
        query::rows(
            NEEDING,
            &[schemas.into(), relations.into(), columns.into()],
            |row| {
                let needing = Needing {
                    identity: row.get(2)?,
                    description: row.get(3)?,
                };
                let index = usize::try_from(row.get::<i64>(1)?).unwrap_or(usize::MAX);
                Ok((index, needing))
            },
        )
    })
}

const NEEDING: &str = "
    WITH RECURSIVE start AS (
        SELECT w.number - 1 AS number, c.oid, coalesce(a.attnum, 0) AS part
        FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]))
             WITH ORDINALITY AS w (schema, relation, part, number)
        JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
        JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = w.part AND NOT a.attisdropped
        WHERE w.part IS NULL OR a.attnum IS NOT NULL
    ), view (number, oid) AS (
        SELECT start.number, r.ev_class
        FROM start
        JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
             AND d.refobjid = start.oid AND (start.part = 0 OR d.refobjsubid = start.part) AND d.deptype = 'n'
        JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid
        WHERE r.ev_class <> start.oid
        UNION
        SELECT view.number, r.ev_class
        FROM view
        JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
             AND d.refobjid = view.oid AND d.deptype = 'n'
        JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid
        WHERE r.ev_class <> view.oid
    )
    SELECT view.number, pg_catalog.concat('c', view.oid),
           pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, view.oid, 0)
    FROM view
    UNION ALL
    SELECT start.number, pg_catalog.concat('k', k.oid),
           pg_catalog.pg_describe_object('pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid, 0)
    FROM start
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
         AND d.refobjid = start.oid AND (start.part = 0 OR d.refobjsubid = start.part) AND d.deptype = 'n'
    JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
         AND k.oid = d.objid AND k.contype = 'f' AND k.conrelid <> start.oid
    GROUP BY start.number, k.oid
    ORDER BY 1, 3";

/// A view is told by its rule, a row type by its table; a view on a view needs what that needs.
const OUTSIDE: &str = "
    WITH RECURSIVE namespace AS (
        SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = $1
    ), needed (class, object) AS (
        SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, c.oid
        FROM namespace JOIN pg_catalog.pg_depend s ON s.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
             AND s.refobjid = namespace.oid AND s.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        JOIN pg_catalog.pg_class c ON c.oid = s.objid
        UNION ALL
        SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::oid, c.reltype
        FROM namespace JOIN pg_catalog.pg_depend s ON s.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
             AND s.refobjid = namespace.oid AND s.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        JOIN pg_catalog.pg_class c ON c.oid = s.objid AND c.reltype <> 0
        UNION ALL
        SELECT s.classid, s.objid
        FROM namespace JOIN pg_catalog.pg_depend s ON s.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
             AND s.refobjid = namespace.oid
             AND s.classid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_type'::pg_catalog.regclass)
    ), dependent (class, object, part, relation, schema) AS (
        SELECT d.classid, d.objid, d.objsubid, o.relation, coalesce(o.schema, c.relnamespace)
        FROM needed
        JOIN pg_catalog.pg_depend d ON d.refclassid = needed.class AND d.refobjid = needed.object AND d.deptype IN ('n', 'a')
        CROSS JOIN LATERAL (
            SELECT r.ev_class AS relation, NULL::oid AS schema FROM pg_catalog.pg_rewrite r
            WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid
            UNION ALL SELECT k.conrelid, k.connamespace FROM pg_catalog.pg_constraint k
            WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.oid = d.objid
            UNION ALL SELECT g.tgrelid, NULL FROM pg_catalog.pg_trigger g
            WHERE d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND g.oid = d.objid AND NOT g.tgisinternal
            UNION ALL SELECT p.polrelid, NULL FROM pg_catalog.pg_policy p
            WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND p.oid = d.objid
            UNION ALL SELECT a.adrelid, NULL FROM pg_catalog.pg_attrdef a
            WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND a.oid = d.objid
            UNION ALL SELECT r.oid, NULL FROM pg_catalog.pg_class r
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND r.oid = d.objid AND NOT r.relispartition
              AND (d.objsubid = 0 OR r.relkind IN ('r', 'p', 'f'))
            UNION ALL SELECT NULL, f.pronamespace FROM pg_catalog.pg_proc f
            WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND f.oid = d.objid
            UNION ALL SELECT NULL, t.typnamespace FROM pg_catalog.pg_type t
            WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = d.objid
        ) o
        LEFT JOIN pg_catalog.pg_class c ON c.oid = o.relation
        WHERE NOT EXISTS (SELECT FROM namespace WHERE namespace.oid = coalesce(o.schema, c.relnamespace))
    ), reached (class, object, part, relation) AS (
        SELECT class, object, part, relation FROM dependent
        UNION
        SELECT d.classid, d.objid, d.objsubid, r.ev_class
        FROM reached
        JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
             AND d.refobjid = reached.relation AND d.deptype = 'n'
        JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid
        WHERE reached.class = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    )
    SELECT DISTINCT ON (4) class, object, part, pg_catalog.pg_describe_object(class, object, part)
    FROM reached WHERE pg_catalog.pg_describe_object(class, object, part) IS NOT NULL
    ORDER BY 4";

/// One query for a whole schema; the parameter is its name.
const OBJECTS: &str = include_str!("objects.sql");
