//! What goes as a whole: tables, columns, sequences, and what CASCADE takes along.

use pgrx::pg_sys;
use serde_json::json;
use versioning_core::destruction::Destruction;
use versioning_core::effect::{ObjectKind, ObjectName};

use super::{Found, Measure};
use crate::error::Result;
use crate::lifecycle::store::destruction::{self, Gone, Start};
use crate::lifecycle::store::table::LiveTable;
use crate::pg::identity::{Restriction, run_as};

impl Measure<'_> {
    /// Counts what goes with an object.
    pub fn gone(&mut self, destruction: &Destruction) -> Result<()> {
        let found = match destruction {
            Destruction::Table { table, cascade } => {
                let schema = self.schema_of(table);
                destruction::going_along(&Start::Named("pg_class", schema, &table.name), *cascade)?
            }
            Destruction::Column {
                table,
                column,
                cascade,
            } => {
                let Some(live) = self.resolve(table)? else {
                    return Ok(());
                };
                destruction::going_along(&Start::Column(live.oid, column), *cascade)?
            }
            Destruction::Object {
                kind,
                name,
                cascade,
            } => self.with_object(*kind, name, *cascade)?,
            Destruction::Owned { roles } => destruction::going_along(&Start::Owned(roles), true)?,
            _ => Vec::new(),
        };
        for one in found {
            self.one_gone(&one)?;
        }
        Ok(())
    }

    fn with_object(&self, kind: ObjectKind, name: &ObjectName, cascade: bool) -> Result<Vec<Gone>> {
        let schema = self.schema_of(name);
        let start = match kind {
            ObjectKind::Schema => Start::Schema(&name.name),
            ObjectKind::Extension => Start::Extension(&name.name),
            ObjectKind::Type => Start::Named("pg_type", schema, &name.name),
            ObjectKind::Function => Start::Named("pg_proc", schema, &name.name),
            ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence => {
                Start::Named("pg_class", schema, &name.name)
            }
            ObjectKind::Index | ObjectKind::Other => return Ok(Vec::new()),
        };
        destruction::going_along(&start, cascade)
    }

    fn one_gone(&mut self, gone: &Gone) -> Result<()> {
        if gone.is_sequence {
            return self.sequence_lost(gone.relation, "sequence_dropped");
        }
        let whole = (gone.relation, None);
        if self.counted.contains(&whole)
            || !self.counted.insert((gone.relation, gone.column.clone()))
        {
            return Ok(());
        }
        let Some(table) = destruction::table(gone.relation)? else {
            return Ok(());
        };
        let kind = match gone.column {
            None => "table_dropped",
            Some(_) => "column_dropped",
        };
        self.count_gone(&table, gone.column.as_deref(), kind)
    }

    /// Counts a table or column that goes for certain.
    pub fn count_gone(
        &mut self,
        table: &LiveTable,
        column: Option<&str>,
        kind: &str,
    ) -> Result<()> {
        let counts = self.count_all(table, column)?;
        self.report(table, column, kind, counts, true);
        Ok(())
    }

    /// A sequence of its own that is set back.
    pub fn sequence_set(&mut self, name: &ObjectName) -> Result<()> {
        let relation = destruction::relation(self.schema_of(name), &name.name)?;
        match relation {
            Some(relation) => self.sequence_lost(relation, "sequence_reset"),
            None => Ok(()),
        }
    }

    /// Where a sequence stands is lost, unless it belongs to a column or never gave out a number.
    fn sequence_lost(&mut self, relation: pg_sys::Oid, kind: &str) -> Result<()> {
        let Some(sequence) = destruction::sequence(relation)? else {
            return Ok(());
        };
        if sequence.is_owned || !self.counted.insert((relation, None)) {
            return Ok(());
        }
        let last = run_as(sequence.owner, Restriction::RestrictedOperation, || {
            destruction::last_number(&sequence.shown)
        })?;
        if let Some(last) = last {
            let (migration_sequence, statement_number) = self.place;
            let value = json!({
                "table": self.local(&sequence.shown, self.situation.schema()),
                "column": null,
                "kind": kind,
                "rows": 1,
                "values": 1,
                "site_rows": 1,
                "site_values": 1,
                "certain": true,
                "last_value": last,
                "migration_sequence": migration_sequence,
                "statement_number": statement_number,
            });
            self.known.push(Found {
                table: relation,
                column: None,
                kind: kind.to_owned(),
                value,
            });
        }
        Ok(())
    }
}
