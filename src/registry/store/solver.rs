//! What the dependency solver asks for: much at a time, so that few queries do.

use std::collections::BTreeMap;

use pgrx::Uuid;
use versioning_core::model::Id;
use versioning_core::solver::{Declaration, Installed, ModuleFacts, VersionFacts};
use versioning_core::status::Status;

use super::version;
use crate::error::{Error, Result};
use crate::pg::query;
use crate::registry::NeededInstallation;

/// What a site runs.
pub fn active(site: Uuid) -> Result<Vec<Installed>> {
    query::rows(
        "SELECT i.module_id, v.version::text
         FROM module_versioning.site_modules i
         JOIN module_versioning.site_module_versions s ON s.site_module_id = i.id AND s.status = 'active'
         JOIN module_versioning.registered_versions v ON v.id = s.version_id
         WHERE i.site_id = $1 ORDER BY i.module_id",
        &[site.into()],
        |row| {
            Ok(Installed {
                module: *row.get::<Uuid>(1)?.as_bytes(),
                version: version(&row.get::<String>(2)?)?,
            })
        },
    )
}

/// The modules of those ids and slugs, by slug, with their versions, ascending, without drafts.
pub fn modules(ids: Vec<Uuid>, slugs: Vec<String>) -> Result<Vec<ModuleFacts>> {
    let mut found: BTreeMap<String, ModuleFacts> = query::rows(
        "SELECT m.id, m.slug FROM module_versioning.modules m WHERE m.id = ANY ($1)
         UNION
         SELECT m.id, m.slug FROM module_versioning.modules m WHERE m.slug = ANY ($2)",
        &[ids.into(), slugs.into()],
        |row| {
            let slug: String = row.get(2)?;
            let facts = ModuleFacts {
                id: *row.get::<Uuid>(1)?.as_bytes(),
                slug: slug.clone(),
                versions: Vec::new(),
            };
            Ok((slug, facts))
        },
    )?
    .into_iter()
    .collect();
    let mut versions: BTreeMap<Id, Vec<VersionFacts>> = BTreeMap::new();
    let modules: Vec<Uuid> = found
        .values()
        .map(|module| Uuid::from_bytes(module.id))
        .collect();
    query::rows(
        "SELECT v.module_id, v.id, v.version::text, v.status, v.min_platform_version::text
         FROM module_versioning.registered_versions v
         WHERE v.module_id = ANY ($1) AND v.status <> 'draft'",
        &[modules.into()],
        |row| {
            let (status, platform): (String, Option<String>) = (row.get(4)?, row.optional(5)?);
            let facts = VersionFacts {
                id: *row.get::<Uuid>(2)?.as_bytes(),
                version: version(&row.get::<String>(3)?)?,
                status: Status::from_word(&status)
                    .ok_or_else(|| Error::internal(format!("status \"{status}\" is unknown")))?,
                min_platform: platform.as_deref().map(version).transpose()?,
            };
            versions
                .entry(*row.get::<Uuid>(1)?.as_bytes())
                .or_default()
                .push(facts);
            Ok(())
        },
    )?;
    for module in found.values_mut() {
        module.versions = versions.remove(&module.id).unwrap_or_default();
        module.versions.sort_by(|a, b| a.version.cmp(&b.version));
    }
    Ok(found.into_values().collect())
}

/// The installations of those modules on a site.
pub fn needed_installations(
    site: Uuid,
    ids: Vec<Uuid>,
    slugs: Vec<String>,
) -> Result<Vec<NeededInstallation>> {
    query::rows(
        "SELECT m.id, m.slug, i.id
         FROM module_versioning.modules m
         JOIN module_versioning.site_modules i ON i.module_id = m.id AND i.site_id = $1
         WHERE m.id = ANY ($2) OR m.slug = ANY ($3)
         ORDER BY m.id",
        &[site.into(), ids.into(), slugs.into()],
        |row| {
            Ok(NeededInstallation {
                module_id: row.get(1)?,
                slug: row.get(2)?,
                site_module_id: row.get(3)?,
            })
        },
    )
}

/// What the versions of those ids declare, in the order of the ids.
pub fn declarations(versions: Vec<Uuid>) -> Result<Vec<Declaration>> {
    let wanted = versions.len();
    let found = query::rows(
        "SELECT v.dependencies::text, v.conflicts::text
         FROM ROWS FROM (pg_catalog.unnest($1)) WITH ORDINALITY AS wanted (id, place)
         JOIN module_versioning.registered_versions v ON v.id = wanted.id
         ORDER BY wanted.place",
        &[versions.into()],
        |row| {
            Ok(Declaration {
                dependencies: json(&row.get::<String>(1)?)?,
                conflicts: json(&row.get::<String>(2)?)?,
            })
        },
    )?;
    if found.len() == wanted {
        Ok(found)
    } else {
        Err(Error::internal(
            "a version of the registry has gone while it was read",
        ))
    }
}

fn json(text: &str) -> Result<serde_json::Value> {
    serde_json::from_str(text).map_err(|problem| {
        Error::internal(format!("a stored declaration can't be read: {problem}"))
            .detail(format!("It is: {text}"))
    })
}
