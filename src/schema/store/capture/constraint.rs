//! Constraints. Keys and foreign keys as they usually are are put together from numbers; of the others the
//! server prints the definition.

use pgrx::pg_sys::Oid;

use super::{Printer, oid};
use crate::error::Result;

/// A constraint of a relation or domain.
#[derive(Debug)]
pub struct DescribedConstraint {
    /// The relation or domain.
    pub whole: u32,
    /// Its OID.
    pub object: u32,
    /// Its name.
    pub name: String,
    /// The catalog's letter for its kind.
    pub kind: String,
    /// Its definition, as the server prints it, unless it is a usual key.
    pub definition: Option<String>,
    /// The numbers of its columns.
    pub columns: Vec<i16>,
    /// What a foreign key refers to.
    pub reference: Option<Reference>,
    /// Old rows haven't been checked.
    pub not_valid: bool,
    /// Storage parameters of its index.
    pub options: Option<Vec<String>>,
    /// The tablespace of its index, where it was chosen.
    pub tablespace: Option<String>,
    /// The index it stands on; of a foreign key, that of what it refers to.
    pub index: u32,
}

/// What a foreign key refers to.
#[derive(Debug)]
pub struct Reference {
    /// The relation.
    pub relation: u32,
    /// The numbers of its columns.
    pub columns: Vec<i16>,
    /// What follows the columns: ` ON DELETE CASCADE`.
    pub actions: String,
}

impl Printer {
    /// Constraints of the relations and of the domains.
    ///
    /// # Errors
    /// None of its own.
    pub fn constraints(
        &self,
        relations: &[Oid],
        domains: &[Oid],
    ) -> Result<Vec<DescribedConstraint>> {
        let query = include_str!("constraints.sql");
        let arguments = [relations.to_vec().into(), domains.to_vec().into()];
        self.rows(query, &arguments, |row| {
            let referred: Oid = row.get(7)?;
            let reference = match row.optional(8)? {
                Some(columns) => Some(Reference {
                    relation: referred.to_u32(),
                    columns,
                    actions: row.get(9)?,
                }),
                None => None,
            };
            Ok(DescribedConstraint {
                whole: oid(row, 1)?,
                object: oid(row, 2)?,
                name: row.get(3)?,
                kind: row.get(4)?,
                definition: row.optional(5)?,
                columns: row.optional(6)?.unwrap_or_default(),
                reference,
                not_valid: row.get(10)?,
                options: row.optional(11)?,
                tablespace: row.optional(12)?,
                index: oid(row, 13)?,
            })
        })
    }
}
