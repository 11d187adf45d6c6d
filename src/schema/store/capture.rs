//! All that the catalog says about schemas, in some simple queries whatever their number. What a query
//! returns is what the catalog has: most objects are the usual, and text is made in Rust for less.

mod column;
mod constraint;
mod index;

use std::collections::{BTreeSet, HashMap};

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::Oid;
use pgrx::spi::quote_identifier;

use crate::error::Result;
use crate::pg::query::{self, Row};

pub use self::column::DescribedColumn;
pub use self::constraint::{DescribedConstraint, Reference};
pub use self::index::{DescribedIndex, UsualClasses};

/// An object of any kind.
#[derive(Debug)]
pub struct Described {
    /// What it is in: a schema, relation or type.
    pub whole: u32,
    /// Which part of the model it is: `relation`, `trigger` …
    pub kind: String,
    /// Its OID.
    pub object: u32,
    /// Its name, unquoted; a function's with its input types.
    pub name: String,
    /// The role it belongs to, if it has one of its own.
    pub owner: Option<String>,
    /// Its access list, as the catalog has it.
    pub acl: Option<Vec<String>>,
    /// Its properties, as the JSON text of an object, if any is not the usual.
    pub properties: Option<String>,
}

/// A sequence.
#[derive(Debug)]
pub struct DescribedSequence {
    /// Its schema.
    pub schema: u32,
    /// Its OID.
    pub object: u32,
    /// Its name.
    pub name: String,
    /// The role it belongs to.
    pub owner: String,
    /// Its access list.
    pub acl: Option<Vec<String>>,
    /// Its type.
    pub data_type: String,
    /// Start, increment, minimum, maximum, cache.
    pub numbers: [i64; 5],
    /// It begins again at its end.
    pub cycle: bool,
    /// The relation and column it belongs to.
    pub column: Option<(u32, i32)>,
    /// It is that of an identity column.
    pub internal: bool,
    /// Its values don't survive a crash.
    pub unlogged: bool,
}

/// A comment.
#[derive(Debug)]
pub struct Comment {
    /// The catalog, the object and the column it is on.
    pub on: (u32, u32, i32),
    /// What it says.
    pub text: String,
}

/// Whatever the session has set, a definition prints the same.
const PRINTING: [(&str, &str); 8] = [
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("quote_all_identifiers", "off"),
    ("standard_conforming_strings", "on"),
    ("xmlbinary", "base64"),
];

/// How definitions are printed.
pub struct Printer {
    path: String,
}

impl Printer {
    /// The schema's own objects without it, all others with theirs.
    pub fn within(schema: &str) -> Self {
        let path = format!("pg_catalog, {}, pg_temp", quote_identifier(schema));
        Self { path }
    }

    /// Every object with its schema.
    pub fn qualified() -> Self {
        let path = "pg_catalog, pg_temp".to_owned();
        Self { path }
    }

    fn rows<T>(
        &self,
        query: &str,
        arguments: &[DatumWithOid<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        pgrx::check_for_interrupts!();
        let mut settings = vec![("search_path", self.path.as_str())];
        settings.extend(PRINTING);
        query::rows_printed(&settings, query, arguments, map)
    }

    fn described(&self, query: &str, arguments: &[DatumWithOid<'_>]) -> Result<Vec<Described>> {
        self.rows(query, arguments, |row| {
            Ok(Described {
                whole: oid(row, 1)?,
                kind: row.get(2)?,
                object: oid(row, 3)?,
                name: row.get(4)?,
                owner: row.optional(5)?,
                acl: row.optional(6)?,
                properties: row.optional(7)?,
            })
        })
    }

    /// The schemas of those names.
    ///
    /// # Errors
    /// None of its own; the same holds below.
    pub fn namespaces(&self, names: Vec<String>) -> Result<Vec<Described>> {
        self.described(include_str!("capture/namespaces.sql"), &[names.into()])
    }

    /// Relations, types, functions and all else that stands in the schemas by itself, but for sequences.
    pub fn objects(&self, schemas: &[Oid]) -> Result<Vec<Described>> {
        let argument = || [schemas.to_vec().into()];
        let mut found = self.relations(schemas)?;
        let query = include_str!("capture/kinds.sql");
        let kinds: BTreeSet<i32> = self
            .rows(query, &argument(), |row| row.get(1))?
            .into_iter()
            .collect();
        let rarer = [
            include_str!("capture/types.sql"),
            include_str!("capture/routines.sql"),
            include_str!("capture/others.sql"),
        ];
        let mut wanted: Vec<&str> = (rarer.into_iter().zip(1..))
            .filter(|(_, kind)| kinds.contains(kind))
            .map(|(query, _)| query)
            .collect();
        if kinds.contains(&1) || kinds.contains(&2) {
            wanted.push(include_str!("capture/others_of_types.sql"));
        }
        for query in wanted {
            found.extend(self.described(query, &argument())?);
        }
        Ok(found)
    }

    /// Tables, views and composite types. Most are the usual ones; of the others more is asked.
    fn relations(&self, schemas: &[Oid]) -> Result<Vec<Described>> {
        let query = include_str!("capture/relations.sql");
        let mut found = self.described(query, &[schemas.to_vec().into()])?;
        let unusual: Vec<Oid> = (found.iter())
            .filter(|relation| relation.properties.is_some())
            .map(|relation| Oid::from(relation.object))
            .collect();
        if unusual.is_empty() {
            return Ok(found);
        }
        let query = include_str!("capture/relation_properties.sql");
        let properties = self.rows(query, &[unusual.into()], |row| {
            Ok((oid(row, 1)?, row.get::<String>(2)?))
        })?;
        let mut properties: HashMap<u32, String> = properties.into_iter().collect();
        for relation in &mut found {
            relation.properties = properties.remove(&relation.object);
        }
        Ok(found)
    }

    /// The answers to three questions about the objects.
    fn has(&self, query: &str, objects: &[Oid]) -> Result<[bool; 3]> {
        let answers = self.rows(query, &[objects.to_vec().into()], |row| {
            Ok([row.get(1)?, row.get(2)?, row.get(3)?])
        })?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    /// Sequences of the schemas.
    pub fn sequences(&self, schemas: &[Oid]) -> Result<Vec<DescribedSequence>> {
        let query = include_str!("capture/sequences.sql");
        self.rows(query, &[schemas.to_vec().into()], |row| {
            let relation: Option<Oid> = row.optional(13)?;
            let column: Option<i32> = row.optional(14)?;
            Ok(DescribedSequence {
                schema: oid(row, 1)?,
                object: oid(row, 2)?,
                name: row.get(3)?,
                owner: row.get(4)?,
                acl: row.optional(5)?,
                data_type: row.get(6)?,
                numbers: [
                    row.get(7)?,
                    row.get(8)?,
                    row.get(9)?,
                    row.get(10)?,
                    row.get(11)?,
                ],
                cycle: row.get(12)?,
                column: relation.map(Oid::to_u32).zip(column),
                internal: row.get(15)?,
                unlogged: row.get(16)?,
            })
        })
    }

    /// The columns of those views that nothing can be written to, each with its view.
    pub fn readonly_columns(&self, views: &[Oid]) -> Result<Vec<(u32, i16)>> {
        if views.is_empty() {
            return Ok(Vec::new());
        }
        let query = include_str!("capture/readonly.sql");
        self.rows(query, &[views.to_vec().into()], |row| {
            Ok((oid(row, 1)?, row.get(2)?))
        })
    }

    /// Triggers, rules and policies of the relations.
    pub fn parts(&self, relations: &[Oid]) -> Result<Vec<Described>> {
        let mut found = Vec::new();
        let has = self.has(include_str!("capture/has_parts.sql"), relations)?;
        let rarer = [
            include_str!("capture/triggers.sql"),
            include_str!("capture/rules.sql"),
            include_str!("capture/policies.sql"),
        ];
        for (query, _) in rarer.iter().zip(has).filter(|(_, has)| *has) {
            found.extend(self.described(query, &[relations.to_vec().into()])?);
        }
        Ok(found)
    }
}

fn oid(row: &Row<'_>, column: usize) -> Result<u32> {
    Ok(row.get::<Oid>(column)?.to_u32())
}

/// All comments on people's objects.
///
/// # Errors
/// None of its own.
pub fn comments() -> Result<Vec<Comment>> {
    query::rows(include_str!("capture/comments.sql"), &[], |row| {
        Ok(Comment {
            on: (oid(row, 1)?, oid(row, 2)?, row.get(3)?),
            text: row.get(4)?,
        })
    })
}

/// The schemas that hold people's objects.
///
/// # Errors
/// None of its own.
pub fn user_schemas() -> Result<Vec<String>> {
    query::rows(include_str!("capture/schemas.sql"), &[], |row| row.get(1))
}
