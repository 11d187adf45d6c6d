//! Indexes. The usual ones are put together from numbers; of the others the server prints the definition.

use std::collections::{HashMap, HashSet};

use pgrx::pg_sys::Oid;

use super::{Printer, oid};
use crate::error::Result;

/// An index that is no constraint's.
#[derive(Debug)]
pub struct DescribedIndex {
    /// The relation.
    pub relation: u32,
    /// Its OID.
    pub object: u32,
    /// Its name.
    pub name: String,
    /// What only the server can print, where it is needed.
    pub printed: Option<Printed>,
    /// The numbers of its key columns, 0 for an expression.
    pub columns: Vec<i16>,
    /// The operator classes of its key columns: each with the type it is the usual one of.
    pub classes: Vec<Oid>,
    /// The collations of its key columns.
    pub collations: Vec<Oid>,
    /// No two rows may be equal in it.
    pub unique: bool,
    /// Neither may two that are NULL.
    pub nulls_not_distinct: bool,
    /// A build that failed half-way.
    pub invalid: bool,
    /// The tablespace, where it was chosen.
    pub tablespace: Option<String>,
    /// The statistics targets of its columns by number, where they were chosen.
    pub statistics: Option<Vec<String>>,
}

/// An index as the server prints it.
#[derive(Debug)]
pub struct Printed {
    /// Its definition.
    pub definition: String,
    /// Its keys, if there is an expression among them.
    pub keys: Option<Vec<String>>,
    /// The condition of a partial index.
    pub predicate: Option<String>,
}

/// Operator classes of B-trees that are the usual ones, each with its type.
pub type UsualClasses = HashMap<u32, u32>;

impl Printer {
    /// Indexes of the relations, those of constraints left out. Whether one is usual also depends on its
    /// columns: `is_usual` says that of one whose other properties are.
    ///
    /// # Errors
    /// None of its own.
    pub fn indexes(
        &self,
        relations: &[Oid],
        is_usual: impl Fn(&DescribedIndex, &UsualClasses) -> bool,
    ) -> Result<Vec<DescribedIndex>> {
        let query = include_str!("indexes.sql");
        let mut plain = HashSet::new();
        let mut found = self.rows(query, &[relations.to_vec().into()], |row| {
            let index = DescribedIndex {
                relation: oid(row, 1)?,
                object: oid(row, 2)?,
                name: row.get(3)?,
                printed: None,
                columns: row.get(4)?,
                classes: row.get(5)?,
                collations: row.get(6)?,
                unique: row.get(7)?,
                nulls_not_distinct: row.get(8)?,
                invalid: row.get(9)?,
                tablespace: row.optional(11)?,
                statistics: row.optional(12)?,
            };
            if row.get(10)? {
                plain.insert(index.object);
            }
            Ok(index)
        })?;
        if found.is_empty() {
            return Ok(found);
        }
        let usual: UsualClasses = self
            .rows(include_str!("usual_classes.sql"), &[], |row| {
                Ok((oid(row, 1)?, oid(row, 2)?))
            })?
            .into_iter()
            .collect();
        let unusual: Vec<Oid> = (found.iter())
            .filter(|index| !plain.contains(&index.object) || !is_usual(index, &usual))
            .map(|index| Oid::from(index.object))
            .collect();
        let mut printed = self.printed(unusual)?;
        for index in &mut found {
            index.printed = printed.remove(&index.object);
        }
        Ok(found)
    }

    fn printed(&self, indexes: Vec<Oid>) -> Result<HashMap<u32, Printed>> {
        if indexes.is_empty() {
            return Ok(HashMap::new());
        }
        let query = include_str!("index_definitions.sql");
        let printed = self.rows(query, &[indexes.into()], |row| {
            let printed = Printed {
                definition: row.get(2)?,
                keys: row.optional(3)?,
                predicate: row.optional(4)?,
            };
            Ok((oid(row, 1)?, printed))
        })?;
        Ok(printed.into_iter().collect())
    }
}
