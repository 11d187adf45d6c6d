//! Which tables a group of migrations concerns that is being undone, and how they are read.

use std::collections::BTreeSet;

use versioning_core::lineage::{Shape, TableName};
use versioning_core::snapshot::manifest::{Manifest, Table};

use super::data_change::source;
use super::situation::Situation;
use super::snapshot;
use super::undoing::Group;
use crate::error::Result;
use crate::snapshot::refill::Defaults;
use crate::snapshot::source::TableSource;
use crate::snapshot::store::{self, DataChange};
use crate::snapshot::{added_default, image};

/// Whether these are rows of as many sites as were kept of each table before.
///
/// # Errors
/// XX001 for a damaged image.
pub fn is_enough(group: &Group, known: &[Table]) -> Result<bool> {
    let Some(change) = &group.change else {
        return Ok(true);
    };
    for fate in &change.tables {
        let after = fate.after.as_ref();
        let is_part = known.iter().any(|table| {
            table.site_column.is_some()
                && after
                    .is_some_and(|it| it.schema == table.schema && it.relation == table.relation)
        });
        if is_part && is_whole(change, &fate.before)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What columns hold that the first scripts added with a default to rows that they left alone.
///
/// # Errors
/// As reading the tables.
pub fn defaults(group: &Group, shapes: &[Shape]) -> Result<Defaults> {
    let mut found = Defaults::new();
    for fate in group.change.iter().flat_map(|change| &change.tables) {
        let after = fate.after.as_ref().filter(|_| fate.is_same);
        let Some(shape) = shapes.iter().find(|shape| Some(&shape.name) == after) else {
            continue;
        };
        let added = shape.columns.iter().filter(|column| column.has_default);
        let added: Vec<String> = added
            .map(|column| column.name.clone())
            .filter(|name| fate.added.contains(name))
            .collect();
        if !added.is_empty() {
            let values = added_default::of_table(&source(&shape.name, None), &added)?;
            found.insert(shape.name.clone(), values);
        }
    }
    Ok(found)
}

/// The names under which tables of the group are looked for.
pub fn names(group: &Group, now: &Manifest) -> Vec<TableName> {
    let mut names: BTreeSet<TableName> = BTreeSet::new();
    for fate in group.change.iter().flat_map(|change| &change.tables) {
        names.insert(fate.before.clone());
        names.extend(fate.after.clone());
    }
    names.extend(now.tables.iter().map(|table| TableName {
        schema: table.schema.clone(),
        relation: table.relation.clone(),
    }));
    names.into_iter().collect()
}

/// Whether rows of all sites were kept of a table before a change.
///
/// # Errors
/// XX001 for a damaged image.
pub fn is_whole(change: &DataChange, table: &TableName) -> Result<bool> {
    let Some(id) = change.before_image else {
        return Ok(false);
    };
    let image = image::readable(id)?;
    let found = image::table(&image, &table.schema, &table.relation);
    Ok(found.is_some_and(|table| table.site_column.is_none()))
}

/// The tables of a group as they are called now, each with rows of as many sites as were kept of it, and the
/// module's other tables.
///
/// # Errors
/// XX001 for a damaged image.
pub fn tables_now(
    situation: &Situation,
    group: &Group,
    backup: Option<&Manifest>,
    known: Option<&[Table]>,
) -> Result<Vec<TableSource>> {
    let mut tables = snapshot::tables(situation)?;
    let mut names: Vec<TableName> = tables.iter().map(name).collect();
    let fates = || group.change.iter().flat_map(|change| &change.tables);
    names.extend(fates().filter_map(|fate| fate.after.clone()));
    let shapes = store::shapes(&names, &[])?;
    let is_there = |name: &TableName| shapes.iter().any(|shape| shape.name == *name);
    tables.retain(|table| is_there(&name(table)));
    for table in &mut tables {
        let mut known = known.unwrap_or_default().iter();
        if known.any(|one| {
            one.relation == table.relation
                && one.schema == table.schema
                && one.site_column.is_none()
        }) {
            table.site_column = None;
        }
    }
    let (Some(change), Some(backup)) = (&group.change, backup) else {
        return Ok(tables);
    };
    for fate in fates() {
        let Some(now) = fate.after.as_ref().filter(|now| is_there(now)) else {
            continue;
        };
        let (schema, relation) = (&fate.before.schema, &fate.before.relation);
        let is_whole = is_whole(change, &fate.before)?;
        let column = image::table(backup, schema, relation)
            .and_then(|table| table.site_column.clone())
            .filter(|_| !is_whole);
        let is_known_whole = tables
            .iter()
            .any(|table| name(table) == *now && table.site_column.is_none());
        tables.retain(|table| name(table) != *now);
        let site_column = match column.filter(|_| !(is_known_whole && fate.is_same)) {
            Some(column) => match fate.columns.get(&column).cloned().flatten() {
                Some(column) => Some(column),
                None => continue,
            },
            None => None,
        };
        tables.push(source(now, site_column));
    }
    Ok(tables)
}

fn name(source: &TableSource) -> TableName {
    TableName {
        schema: source.schema.clone(),
        relation: source.relation.clone(),
    }
}
