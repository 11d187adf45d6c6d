//! The catalog queries behind images of tables: which tables there are, how their rows are read.

use pgrx::pg_sys;
use pgrx::spi::quote_identifier;
use versioning_core::content::{Name, Number, Reference, Structure, Structures, TypeId};

use crate::error::Result;
use crate::pg::identity::role_name;
use crate::pg::query;

/// Schemas that are nobody's data: the server's own, temporary ones, those of this extension.
const USER_SCHEMAS: &str = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'module_versioning', 'module_versioning_data')";

/// A partition, or the table itself: where its rows lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its OID.
    pub oid: pg_sys::Oid,
    /// Its name.
    pub name: Name,
    /// Its file; 0 for none.
    pub file: pg_sys::Oid,
}

/// A table with rows of its own, or a partitioned one with its partitions' rows.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its OID.
    pub oid: pg_sys::Oid,
    /// Its name.
    pub name: Name,
    /// Whose it is.
    pub owner: pg_sys::Oid,
    /// Whether its rows lie in partitions.
    pub partitioned: bool,
    /// The table and its partitions.
    pub parts: Vec<Part>,
}

impl Table {
    /// The table in a FROM clause: with its partitions, without the tables that inherit from it.
    pub fn item(&self) -> String {
        let only = if self.partitioned { "" } else { "ONLY " };
        format!(
            "{only}{}.{}",
            quote_identifier(&self.name.schema),
            quote_identifier(&self.name.name)
        )
    }
}

/// Those of the tables that aren't temporary, partitions as the tables that they are part of in the end.
///
/// # Errors
/// None of its own.
pub fn roots(tables: &[pg_sys::Oid]) -> Result<Vec<pg_sys::Oid>> {
    query::rows(
        "SELECT DISTINCT COALESCE(pg_catalog.pg_partition_root(c.oid::pg_catalog.regclass)::oid, c.oid)
         FROM pg_catalog.pg_class c
         WHERE c.oid = ANY ($1) AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
         ORDER BY 1",
        &[tables.to_vec().into()],
        |row| row.get(1),
    )
}

/// Those of the tables that are still there.
///
/// # Errors
/// None of its own.
pub fn tables(oids: &[pg_sys::Oid]) -> Result<Vec<Table>> {
    let mut tables: Vec<Table> = query::rows(
        "SELECT c.oid, n.nspname::text, c.relname::text, c.relowner, c.relkind = 'p', c.relfilenode
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = ANY ($1) AND c.relkind IN ('r', 'p')
         ORDER BY c.oid",
        &[oids.to_vec().into()],
        |row| {
            let oid = row.get(1)?;
            let name = Name {
                schema: row.get(2)?,
                name: row.get(3)?,
            };
            Ok(Table {
                oid,
                owner: row.get(4)?,
                partitioned: row.get(5)?,
                parts: vec![Part {
                    oid,
                    name: name.clone(),
                    file: row.get(6)?,
                }],
                name,
            })
        },
    )?;
    for table in tables.iter_mut().filter(|table| table.partitioned) {
        table.parts = parts(table.oid)?;
    }
    Ok(tables)
}

fn parts(root: pg_sys::Oid) -> Result<Vec<Part>> {
    query::rows(
        "SELECT c.oid, n.nspname::text, c.relname::text, c.relfilenode
         FROM pg_catalog.pg_partition_tree($1::oid::pg_catalog.regclass) t
         JOIN pg_catalog.pg_class c ON c.oid = t.relid::oid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         ORDER BY c.oid",
        &[root.into()],
        |row| {
            Ok(Part {
                oid: row.get(1)?,
                name: Name {
                    schema: row.get(2)?,
                    name: row.get(3)?,
                },
                file: row.get(4)?,
            })
        },
    )
}

/// All tables that hold rows, with their stored columns.
///
/// # Errors
/// None of its own.
pub fn structures() -> Result<Structures> {
    let query = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text,
                CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid::pg_catalog.regclass)::oid END,
                ARRAY(SELECT a.attnum FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
                      AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum),
                ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
                      AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {USER_SCHEMAS}"
    );
    let found = query::rows(&query, &[], |row| {
        let oid: pg_sys::Oid = row.get(1)?;
        let numbers: Vec<Number> = row.get(5)?;
        let names: Vec<String> = row.get(6)?;
        let structure = Structure {
            name: Name {
                schema: row.get(2)?,
                name: row.get(3)?,
            },
            root: row.optional::<pg_sys::Oid>(4)?.map(pg_sys::Oid::to_u32),
            columns: numbers.into_iter().zip(names).collect(),
        };
        Ok((oid.to_u32(), structure))
    })?;
    Ok(found.into_iter().collect())
}

/// A stored column as the catalog has it.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its number.
    pub number: Number,
    /// Its name.
    pub name: String,
    /// Its type and modifier.
    pub kind: TypeId,
    /// The type as people write it.
    pub type_name: String,
    /// The name of the type beneath any domain, if that is one of the server's own.
    pub base_name: Option<String>,
    /// The enum that its values, or the elements of them, are of.
    pub enumeration: Option<pg_sys::Oid>,
    /// Whether the values are arrays.
    pub is_array: bool,
    /// The name of the arrays' type of items, if that is one of the server's own.
    pub item_name: Option<String>,
    /// The attributes of a composite type.
    pub attributes: Vec<(Number, String)>,
    /// Whether the database gives numbers for it by itself.
    pub is_given: bool,
    /// Its default, as the server prints it.
    pub default: Option<String>,
    /// Whether its values are computed from other columns.
    pub is_generated: bool,
}

/// The columns of a table whose values lie in it.
///
/// # Errors
/// None of its own.
pub fn columns(table: pg_sys::Oid) -> Result<Vec<Column>> {
    query::rows(
        "WITH RECURSIVE base AS (
             SELECT a.attnum, t.* FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
             WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
             UNION ALL
             SELECT b.attnum, t.* FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.typbasetype
             WHERE b.typtype = 'd')
         SELECT a.attnum, a.attname::text, a.atttypid, a.atttypmod,
                pg_catalog.format_type(a.atttypid, a.atttypmod),
                CASE WHEN b.typnamespace = 'pg_catalog'::pg_catalog.regnamespace THEN b.typname::text END,
                CASE WHEN b.typtype = 'e' THEN b.oid WHEN e.typtype = 'e' THEN e.oid END,
                e.oid IS NOT NULL,
                ARRAY(SELECT m.attnum FROM pg_catalog.pg_attribute m WHERE b.typtype = 'c' AND m.attrelid = b.typrelid
                      AND m.attnum > 0 AND NOT m.attisdropped ORDER BY m.attnum),
                ARRAY(SELECT m.attname::text FROM pg_catalog.pg_attribute m WHERE b.typtype = 'c' AND m.attrelid = b.typrelid
                      AND m.attnum > 0 AND NOT m.attisdropped ORDER BY m.attnum),
                a.attidentity <> '' OR COALESCE(d.expression LIKE 'nextval(%', false),
                CASE WHEN a.attgenerated = '' THEN d.expression END,
                a.attgenerated <> '',
                (SELECT pg_catalog.count(*)::int4 FROM pg_catalog.pg_attribute m
                 WHERE b.typtype = 'c' AND m.attrelid = b.typrelid AND m.attnum > 0 AND m.attisdropped),
                CASE WHEN e.typnamespace = 'pg_catalog'::pg_catalog.regnamespace THEN e.typname::text END
         FROM base b
         JOIN pg_catalog.pg_attribute a ON a.attrelid = $1 AND a.attnum = b.attnum
         LEFT JOIN pg_catalog.pg_type e ON e.oid = b.typelem AND b.typcategory = 'A'
         LEFT JOIN LATERAL (
             SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS expression
             FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) d ON true
         WHERE b.typtype <> 'd'
         ORDER BY a.attnum",
        &[table.into()],
        |row| {
            let numbers: Vec<Number> = row.get(9)?;
            let names: Vec<String> = row.get(10)?;
            Ok(Column {
                number: row.get(1)?,
                name: row.get(2)?,
                kind: (
                    row.get::<pg_sys::Oid>(3)?.to_u32(),
                    row.get(4)?,
                    usize::try_from(row.get::<i32>(14)?).unwrap_or(0),
                ),
                type_name: row.get(5)?,
                base_name: row.optional(6)?,
                enumeration: row.optional(7)?,
                is_array: row.get(8)?,
                item_name: row.optional(15)?,
                attributes: numbers.into_iter().zip(names).collect(),
                is_given: row.get(11)?,
                default: row.optional(12)?,
                is_generated: row.get(13)?,
            })
        },
    )
}

/// Whether a table has columns whose values may have others inside, are computed from others, or may be those of
/// another type: those that are not among the known ones.
///
/// # Errors
/// None of its own.
pub fn has_parts(table: pg_sys::Oid, known: Vec<Number>) -> Result<bool> {
    query::one(
        "SELECT EXISTS (
             SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
             WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
               AND (a.attgenerated <> '' OR t.typcategory = 'A'
                    OR t.typname IN ('json', 'jsonb')
                    OR t.typname IN ('float4', 'numeric') AND a.attnum <> ALL ($2)))",
        &[table.into(), known.into()],
        |row| row.get(1),
    )
}

/// Sets of columns by which no two rows of a table are equal and that are never NULL: its primary key
/// first, then those of few columns.
///
/// # Errors
/// None of its own.
pub fn keys(table: pg_sys::Oid) -> Result<Vec<Vec<Number>>> {
    query::rows(
        "SELECT k.columns
         FROM pg_catalog.pg_index i
         CROSS JOIN LATERAL (
             SELECT pg_catalog.array_agg(c.number ORDER BY c.place) AS columns,
                    pg_catalog.bool_and(COALESCE(a.attnotnull, false)) AS is_filled
             FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS c (number, place)
             LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = c.number
             WHERE c.place <= i.indnkeyatts) k
         WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
           AND i.indexprs IS NULL AND k.is_filled
         ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid",
        &[table.into()],
        |row| row.get(1),
    )
}

/// Grants a table's owner what it takes to read the table.
///
/// # Errors
/// PostgreSQL's own are raised.
pub fn let_owner_read(table: &Table) -> Result<()> {
    let owner = quote_identifier(role_name(table.owner));
    let (schema, name) = (
        quote_identifier(&table.name.schema),
        quote_identifier(&table.name.name),
    );
    query::run(&format!("GRANT USAGE ON SCHEMA {schema} TO {owner}"), &[])?;
    query::run(
        &format!("GRANT SELECT ON TABLE {schema}.{name} TO {owner}"),
        &[],
    )
    .map(drop)
}

/// The labels of all enums: value, enum, label.
///
/// # Errors
/// None of its own.
pub fn labels() -> Result<Vec<(u32, u32, String)>> {
    query::rows(
        "SELECT e.oid, e.enumtypid, e.enumlabel::text FROM pg_catalog.pg_enum e",
        &[],
        |row| {
            Ok((
                row.get::<pg_sys::Oid>(1)?.to_u32(),
                row.get::<pg_sys::Oid>(2)?.to_u32(),
                row.get(3)?,
            ))
        },
    )
}

/// Constants as their types print them: pairs of an expression and a type.
///
/// # Errors
/// PostgreSQL's own are raised.
pub fn constants(expressions: &[(&str, &str)]) -> Result<Vec<String>> {
    let items: Vec<String> = expressions
        .iter()
        .map(|(expression, kind)| {
            format!("pg_catalog.format('%s', CAST(({expression}) AS {kind}))")
        })
        .collect();
    query::one(
        &format!("SELECT ARRAY[{}]::text[]", items.join(", ")),
        &[],
        |row| row.get(1),
    )
}

/// A table that stands beside another.
#[derive(Debug, Clone)]
pub struct Neighbour {
    /// Its OID.
    pub oid: pg_sys::Oid,
    /// Its name.
    pub name: String,
    /// The names of its columns.
    pub columns: Vec<String>,
}

/// The tables of a schema, partitions as the whole.
///
/// # Errors
/// None of its own.
pub fn neighbours(schema: &str) -> Result<Vec<Neighbour>> {
    query::rows(
        "SELECT c.oid, c.relname::text,
                ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
         ORDER BY c.oid",
        &[schema.into()],
        |row| {
            Ok(Neighbour {
                oid: row.get(1)?,
                name: row.get(2)?,
                columns: row.get(3)?,
            })
        },
    )
}

/// The foreign keys of a table that are of one column and refer to other tables.
///
/// # Errors
/// None of its own.
pub fn references_of(table: pg_sys::Oid) -> Result<Vec<Reference>> {
    query::rows(
        "SELECT k.confrelid, k.conkey[1], k.confkey[1] FROM pg_catalog.pg_constraint k
         WHERE k.conrelid = $1 AND k.contype = 'f' AND k.confrelid <> k.conrelid
           AND pg_catalog.cardinality(k.conkey) = 1
         ORDER BY 1, 2",
        &[table.into()],
        |row| {
            Ok(Reference {
                table: table.to_u32(),
                column: row.get(2)?,
                other: row.get::<pg_sys::Oid>(1)?.to_u32(),
                other_column: row.get(3)?,
            })
        },
    )
}

/// A sequence that no column owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: Name,
    /// The number that it gave last, `None` before the first.
    pub last_value: Option<i64>,
    /// Whether its numbers go down.
    pub descends: bool,
    /// Whether a column owns it.
    pub is_owned: bool,
}

/// All sequences. Must run with rights on all of them.
///
/// # Errors
/// None of its own.
pub fn sequences() -> Result<Vec<Sequence>> {
    let query = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text, pg_catalog.pg_sequence_last_value(c.oid::pg_catalog.regclass),
                s.seqincrement < 0,
                EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0
                          AND d.deptype IN ('a', 'i'))
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
         WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND {USER_SCHEMAS}
         ORDER BY c.oid"
    );
    query::rows(&query, &[], |row| {
        Ok(Sequence {
            oid: row.get::<pg_sys::Oid>(1)?.to_u32(),
            name: Name {
                schema: row.get(2)?,
                name: row.get(3)?,
            },
            last_value: row.optional(4)?,
            descends: row.get(5)?,
            is_owned: row.get(6)?,
        })
    })
}

/// The large objects, at most so many.
///
/// # Errors
/// None of its own.
pub fn large_objects(most: i64) -> Result<Vec<u32>> {
    query::rows(
        "SELECT m.oid FROM pg_catalog.pg_largeobject_metadata m ORDER BY m.oid LIMIT $1",
        &[most.into()],
        |row| Ok(row.get::<pg_sys::Oid>(1)?.to_u32()),
    )
}
