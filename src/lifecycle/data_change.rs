//! What a change does to rows, kept so that undoing it can tell what the scripts destroyed from what people
//! wrote since: what became of each table, and the rows that were touched as the change left them.

use pgrx::{Uuid, spi};
use versioning_core::lineage::{self, Fate, Shape, TableName};
use versioning_core::model::{Direction, Isolation, Migration, Scope};
use versioning_core::snapshot::manifest::Table;

use super::race::Race;
use super::situation::Situation;
use super::{snapshot, touched};
use crate::error::Result;
use crate::pg::view::{HeldView, Moment};
use crate::snapshot::source::TableSource;
use crate::snapshot::{image, store, verify};

/// The tables of a snapshot before the scripts of a change run.
pub struct Watch {
    backup_id: Uuid,
    direction: Direction,
    /// Rows of all sites, of the tables that shared scripts may change.
    before_image: Option<Uuid>,
    sources: Vec<TableSource>,
    shapes: Vec<Shape>,
    /// The tables as they were read.
    known: Vec<Table>,
    race: Race,
}

/// The name of a table that is read.
fn name(source: &TableSource) -> TableName {
    TableName {
        schema: source.schema.clone(),
        relation: source.relation.clone(),
    }
}

/// A table as it is read under another name.
pub fn source(name: &TableName, site_column: Option<String>) -> TableSource {
    TableSource {
        name: spi::quote_qualified_identifier(&name.schema, &name.relation),
        schema: name.schema.clone(),
        relation: name.relation.clone(),
        site_column,
    }
}

/// What a watch is kept over.
pub struct Watched<'a> {
    /// The installation.
    pub situation: &'a Situation,
    /// What runs.
    pub migrations: &'a [&'a Migration],
    /// Which way.
    pub direction: Direction,
    /// Tables of which the rows of all sites are to be kept, whatever the scripts name.
    pub whole: &'a [TableName],
}

impl Watch {
    /// Looks at the tables, after the snapshot was taken; `moment` is one before that. Nothing without
    /// scripts.
    ///
    /// # Errors
    /// As taking a snapshot.
    pub fn begin(watched: &Watched<'_>, backup_id: Uuid, moment: Moment) -> Result<Option<Self>> {
        if watched.migrations.is_empty() {
            return Ok(None);
        }
        let situation = watched.situation;
        let mut sources = snapshot::tables(situation)?;
        let whole = of_all_sites(watched, &sources)?;
        let before_image = image::take(situation.site.id, situation.module.id, &whole)?;
        let mut known = verify::readable(backup_id)?.1.tables;
        if let Some(id) = before_image {
            for table in image::readable(id)?.tables {
                known.retain(|other| {
                    (&other.schema, &other.relation) != (&table.schema, &table.relation)
                });
                known.push(table);
            }
        }
        for source in &mut sources {
            if whole.iter().any(|other| name(other) == name(source)) {
                source.site_column = None;
            }
        }
        let names: Vec<TableName> = sources.iter().map(name).collect();
        Ok(Some(Self {
            backup_id,
            direction: watched.direction,
            before_image,
            shapes: store::shapes(&names, &[])?,
            sources,
            known,
            race: Race::since(moment, situation.site.id.to_string()),
        }))
    }

    /// The tables as they were read, of all sites where the scripts may destroy rows of others.
    pub fn known(&self) -> &[Table] {
        &self.known
    }

    /// Before a migration runs.
    ///
    /// # Errors
    /// As taking a snapshot.
    pub fn before_migration(&mut self, situation: &Situation, migration: &Migration) -> Result<()> {
        let Self {
            race,
            known,
            shapes,
            direction,
            ..
        } = self;
        race.before_migration(situation, migration, *direction, known, shapes)
    }

    /// Looks again and records what became of them.
    ///
    /// # Errors
    /// As taking a snapshot.
    pub fn end(mut self, situation: &Situation) -> Result<()> {
        let (site, module) = (situation.site.id, situation.module.id);
        let names: Vec<TableName> = self.sources.iter().map(name).collect();
        let ids: Vec<u32> = self.shapes.iter().map(|shape| shape.id).collect();
        let now = store::shapes(&names, &ids)?;
        let mut fates = lineage::fates(&self.shapes, &now);
        let mut touched: Vec<TableSource> = fates
            .iter()
            .filter(|fate| !fate.is_same)
            .filter_map(|fate| self.after(fate))
            .collect();
        // Tables that the change has made: undoing it tells by them whether people have written there.
        let is_new = |source: &TableSource| !now.iter().any(|shape| shape.name == name(source));
        touched.extend(snapshot::tables(situation)?.into_iter().filter(is_new));
        let mut after_image = None;
        if !touched.is_empty() {
            let view = HeldView::now();
            after_image = image::take_in(&view, site, module, &touched)?;
            let wanted = fates.iter().filter(|fate| !fate.is_same);
            let wanted = wanted.map(|fate| fate.before.clone()).collect();
            let unsure = self
                .race
                .unsure(&view, &wanted, &self.known, &self.shapes, &now)?;
            for fate in &mut fates {
                fate.is_sure = !unsure.contains(&fate.before);
            }
        }
        store::record_change(&store::DataChange {
            backup_id: self.backup_id,
            before_image: self.before_image(site, module)?,
            after_image,
            tables: fates,
        })
    }

    /// What was read before the scripts, with the tables in place that others have written to meanwhile.
    fn before_image(&mut self, site: Uuid, module: Uuid) -> Result<Option<Uuid>> {
        let changed = std::mem::take(&mut self.race.changed);
        if changed.is_empty() {
            return Ok(self.before_image);
        }
        let mut tables = match self.before_image {
            Some(id) => image::readable(id)?.tables,
            None => Vec::new(),
        };
        tables.retain(|table| {
            let same = |other: &Table| {
                (&other.schema, &other.relation) == (&table.schema, &table.relation)
            };
            !changed.iter().any(same)
        });
        tables.extend(changed);
        let id = image::keep(site, module, tables)?;
        image::forget(&self.before_image.into_iter().collect::<Vec<_>>())?;
        Ok(id)
    }

    /// How a table is read after the change; nothing for one that is gone, or whose site can't be told.
    fn after(&self, fate: &Fate) -> Option<TableSource> {
        let now = fate.after.as_ref()?;
        let was = self.sources.iter().find(|one| name(one) == fate.before)?;
        let site_column = match &was.site_column {
            Some(column) => Some(fate.columns.get(column).cloned().flatten()?),
            None => None,
        };
        Some(source(now, site_column))
    }
}

/// Tables whose rows of other sites a change may destroy, to be read whole.
fn of_all_sites(watched: &Watched<'_>, sources: &[TableSource]) -> Result<Vec<TableSource>> {
    let situation = watched.situation;
    let is_shared = |migration: &&&Migration| migration.scope == Scope::Shared;
    let shared: Vec<&Migration> = watched
        .migrations
        .iter()
        .filter(is_shared)
        .copied()
        .collect();
    if situation.module.isolation != Isolation::Row
        || situation.neighbours.is_empty()
        || shared.is_empty()
    {
        return Ok(Vec::new());
    }
    let named = touched::tables(situation, &shared, watched.direction)?;
    let is_touched = |source: &&TableSource| {
        let name = name(source);
        source.site_column.is_some()
            && (watched.whole.contains(&name)
                || named.as_ref().is_none_or(|all| all.contains(&name)))
    };
    Ok(sources
        .iter()
        .filter(is_touched)
        .map(|one| TableSource {
            site_column: None,
            ..one.clone()
        })
        .collect())
}
