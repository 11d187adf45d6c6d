//! What a migration did to the schema: which tables came, went or got another name, and what the schema
//! is now, object by object.

use versioning_core::model::Isolation;
use versioning_core::schema::{self as core, Objects};

use super::situation::Situation;
use super::store;
use crate::error::Result;
use crate::schema::{self, Table};

/// The schema before a script runs.
pub struct Before {
    tables: Vec<Table>,
    objects: Objects,
}

impl Before {
    /// Looks at the module's schema.
    ///
    /// # Errors
    /// None of its own.
    pub fn read(situation: &Situation) -> Result<Self> {
        let name = situation.schema();
        Ok(Self {
            tables: schema::tables(name)?,
            objects: schema::objects(name)?,
        })
    }

    /// Looks again and records what the script made of it.
    ///
    /// # Errors
    /// None of its own.
    pub fn record_changes(&self, situation: &Situation) -> Result<()> {
        let after = Self::read(situation)?;
        if situation.module.isolation == Isolation::Row {
            self.register_tables(situation, &after.tables)?;
        }
        let owned = store::state::recorded_state(situation.module.id, situation.state_site())?;
        let owned = core::owned_after(&owned, &self.objects, &after.objects);
        store::state::record_state(
            situation.module.id,
            situation.state_site(),
            &core::fingerprint(&owned),
            &owned,
        )
    }

    /// New tables register themselves, dropped ones leave, renamed ones keep their entry.
    fn register_tables(&self, situation: &Situation, after: &[Table]) -> Result<()> {
        let module = &situation.module;
        for table in &self.tables {
            match after.iter().find(|candidate| candidate.oid == table.oid) {
                None => store::state::forget_table(module.id, &table.name)?,
                Some(now) if now.name != table.name => {
                    store::state::rename_table(module.id, &table.name, &now.name)?;
                }
                Some(_) => {}
            }
        }
        for table in after {
            if !self
                .tables
                .iter()
                .any(|candidate| candidate.oid == table.oid)
            {
                let site_column = table
                    .columns
                    .contains(&module.site_column)
                    .then_some(&*module.site_column);
                store::state::register_table(module.id, &table.name, site_column)?;
            }
        }
        Ok(())
    }
}
