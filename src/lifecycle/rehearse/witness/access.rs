//! Views that a role may use and that fail for it all the same: what lies below is closed to it, or to the
//! view's owner. Nothing is run or planned as those roles: what a view calls would run with their rights.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::spi;
use versioning_core::catalog::Schema;
use versioning_core::catalog::model::{Grants, Relation, RelationKind};

use super::super::pass::Catalogs;
use super::super::subject::Subject;
use super::{Witness, shown};
use crate::error::Result;
use crate::schema::watch;

/// SQLSTATE of what somebody has no right to.
const DENIED: &str = "42501";

/// The uses of views that fail now.
pub fn failing(
    subject: &Subject,
    before: &Catalogs,
    after: &Catalogs,
    found: &mut Vec<Witness>,
) -> Result<()> {
    if before.memberships == after.memberships && !differs(&before.schemas, &after.schemas) {
        return Ok(());
    }
    for (schema, model) in &after.schemas {
        let Some(old) = before.schemas.get(schema) else {
            continue;
        };
        for (name, view) in &model.relations {
            let Some(was) = old.relations.get(name) else {
                continue;
            };
            if view.kind != RelationKind::View {
                continue;
            }
            for (right, role) in kept_grants(&was.grants, &view.grants) {
                pgrx::check_for_interrupts!();
                let usage = Use {
                    schema: schema.clone(),
                    view: name.clone(),
                    role,
                    right,
                };
                if usage.fails()? {
                    found.push(Witness {
                        kind: "privilege_revoked",
                        object: shown(&subject.schema, schema, &spi::quote_identifier(name)),
                        statement: usage.statement(),
                        sqlstate: DENIED.to_owned(),
                        usage: Some(usage),
                    });
                }
            }
        }
    }
    Ok(())
}

/// Whether anything that decides who may do what is another now. What is new closes nothing.
fn differs(before: &BTreeMap<String, Schema>, after: &BTreeMap<String, Schema>) -> bool {
    before.iter().any(|(name, old)| {
        after.get(name).is_some_and(|new| {
            let of_relation = |(name, was): (&String, &Relation)| {
                let is = new.relations.get(name);
                is.is_some_and(|is| rights(was) != rights(is))
            };
            old.relations.iter().any(of_relation)
        })
    })
}

/// What decides who may do what with a relation, and through a view with what is below.
fn rights(relation: &Relation) -> (&str, Vec<&Grants>, &BTreeSet<String>, Option<&str>) {
    let columns = relation.columns.values().map(|column| &column.grants);
    let grants = columns.filter(|grants| !grants.is_empty());
    let options = &relation.options;
    (
        &relation.owner,
        std::iter::once(&relation.grants).chain(grants).collect(),
        options,
        relation.definition.as_deref(),
    )
}

/// Rights that a role has on a view before and after.
fn kept_grants(was: &Grants, is: &Grants) -> Vec<(String, String)> {
    was.intersection(is)
        .filter_map(|grant| {
            let plain = grant.strip_suffix(" WITH GRANT OPTION").unwrap_or(grant);
            let (right, role) = plain.split_once(" TO ")?;
            let role = match role
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
            {
                Some(inner) => inner.replace("\"\"", "\""),
                None => role.to_owned(),
            };
            let is_use = ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&right);
            is_use.then(|| (right.to_owned(), role))
        })
        .collect()
}

/// Somebody who uses a view.
pub struct Use {
    /// The view's schema, unquoted.
    pub schema: String,
    /// The view, unquoted.
    pub view: String,
    /// The role, unquoted; `public` for everybody.
    pub role: String,
    /// The right that the role has on the view.
    pub right: String,
}

impl Use {
    /// Whether it is one that fails.
    pub fn fails(&self) -> Result<bool> {
        watch::is_closed_below(&self.schema, &self.view, &self.role, &self.right)
    }

    /// A statement that needs that right alone.
    fn statement(&self) -> String {
        let view = spi::quote_qualified_identifier(&self.schema, &self.view);
        match self.right.as_str() {
            "INSERT" => format!("INSERT INTO {view} …"),
            "UPDATE" => format!("UPDATE {view} SET …"),
            "DELETE" => format!("DELETE FROM {view}"),
            _ => format!("SELECT … FROM {view}"),
        }
    }
}
