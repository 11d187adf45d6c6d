//! Rights that roles have through others, and lose with them.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Schema;
use crate::catalog::change::quoted;
use crate::catalog::model::Grants;

/// That one role is a member of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Membership {
    /// The member, unquoted.
    pub member: String,
    /// What it is a member of, unquoted.
    pub group: String,
    /// The member has the group's rights without asking.
    pub inherits: bool,
}

/// All memberships of a server; of superusers none, for they need none.
pub type Memberships = BTreeSet<Membership>;

/// Rights on an object that a role has no longer, because it left another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The object's schema, unquoted.
    pub schema: String,
    /// The object, quoted; none for the schema itself.
    pub object: Option<String>,
    /// The role that lost them, unquoted.
    pub role: String,
    /// The role that it had them from, unquoted.
    pub group: String,
    /// The rights: `SELECT`, or all of the owner.
    pub rights: Vec<String>,
}

/// The roles that each role can act as.
struct Circle {
    inherited: BTreeMap<String, BTreeSet<String>>,
    all: BTreeMap<String, BTreeSet<String>>,
}

impl Circle {
    fn of(memberships: &Memberships) -> Self {
        Self {
            inherited: closure(memberships, |one| one.inherits),
            all: closure(memberships, |_| true),
        }
    }

    fn left<'a>(&'a self, after: &Self, member: &str) -> BTreeSet<&'a str> {
        let pairs = [(&self.inherited, &after.inherited), (&self.all, &after.all)];
        let none = BTreeSet::new();
        let mut found = BTreeSet::new();
        for (old, new) in pairs {
            let now = new.get(member).unwrap_or(&none);
            let was = old.get(member).into_iter().flatten();
            found.extend(
                was.filter(|group| !now.contains(*group))
                    .map(String::as_str),
            );
        }
        found
    }
}

fn closure(
    memberships: &Memberships,
    counts: impl Fn(&Membership) -> bool,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut direct: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in memberships.iter().filter(|one| counts(one)) {
        direct.entry(&one.member).or_default().push(&one.group);
    }
    let reached = |member: &str| {
        let mut found = BTreeSet::new();
        let mut open = direct.get(member).cloned().unwrap_or_default();
        while let Some(group) = open.pop() {
            if found.insert(group.to_owned()) {
                open.extend(direct.get(group).into_iter().flatten());
            }
        }
        found
    };
    direct
        .keys()
        .map(|member| ((*member).to_owned(), reached(member)))
        .collect()
}

/// An object as far as rights on it go.
struct Secured<'a> {
    schema: &'a str,
    object: Option<String>,
    owner: &'a str,
    grants: Vec<&'a Grants>,
}

fn secured<'a>(name: &'a str, schema: &'a Schema) -> Vec<Secured<'a>> {
    let mut found = vec![Secured {
        schema: name,
        object: None,
        owner: &schema.owner,
        grants: vec![&schema.grants],
    }];
    let mut add = |object: String, owner: &'a str, grants: Vec<&'a Grants>| {
        found.push(Secured {
            schema: name,
            object: Some(object),
            owner,
            grants,
        });
    };
    for (name, relation) in &schema.relations {
        let columns = relation.columns.values().map(|column| &column.grants);
        let grants = std::iter::once(&relation.grants).chain(columns).collect();
        add(quoted(name), &relation.owner, grants);
    }
    for (name, sequence) in &schema.sequences {
        add(quoted(name), &sequence.owner, vec![&sequence.grants]);
    }
    for (name, function) in &schema.functions {
        add(name.clone(), &function.owner, vec![&function.grants]);
    }
    for (name, one) in &schema.types {
        add(quoted(name), &one.owner, vec![&one.grants]);
    }
    found
}

impl Secured<'_> {
    /// What a role has directly.
    fn rights_of(&self, role: &str) -> BTreeSet<String> {
        let to = format!(" TO {}", quoted(role));
        let mut rights: BTreeSet<String> = self
            .grants
            .iter()
            .flat_map(|grants| grants.iter())
            .filter_map(|grant| {
                let plain = grant.strip_suffix(" WITH GRANT OPTION").unwrap_or(grant);
                plain.strip_suffix(&to).map(str::to_owned)
            })
            .collect();
        if self.owner == role {
            rights.insert(OWNERSHIP.to_owned());
        }
        rights
    }
}

const OWNERSHIP: &str = "all of the owner";

/// What members of a role lost when they left it. What the role itself lost is another matter.
pub fn lost(
    before: (&BTreeMap<String, Schema>, &Memberships),
    after: (&BTreeMap<String, Schema>, &Memberships),
) -> Vec<Lost> {
    if before.1 == after.1 {
        return Vec::new();
    }
    let (old, new) = (Circle::of(before.1), Circle::of(after.1));
    let objects: Vec<Secured<'_>> = after
        .0
        .iter()
        .filter(|(name, _)| before.0.contains_key(*name))
        .flat_map(|(name, schema)| secured(name, schema))
        .collect();
    let mut found = Vec::new();
    for member in old.all.keys() {
        let left = old.left(&new, member);
        if left.is_empty() {
            continue;
        }
        let none = BTreeSet::new();
        let now = new.inherited.get(member).unwrap_or(&none);
        let others = [member.as_str(), "public"];
        let others = others.into_iter().chain(now.iter().map(String::as_str));
        let others: Vec<&str> = others.collect();
        for object in &objects {
            let has: BTreeSet<String> = others
                .iter()
                .flat_map(|role| object.rights_of(role))
                .collect();
            for group in left.iter().filter(|_| !has.contains(OWNERSHIP)) {
                let rights = object.rights_of(group);
                let rights: Vec<String> = rights.difference(&has).cloned().collect();
                if !rights.is_empty() {
                    found.push(Lost {
                        schema: object.schema.to_owned(),
                        object: object.object.clone(),
                        role: member.clone(),
                        group: (*group).to_owned(),
                        rights,
                    });
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::model::Relation;

    fn memberships(pairs: &[(&str, &str, bool)]) -> Memberships {
        pairs
            .iter()
            .map(|(member, group, inherits)| Membership {
                member: (*member).to_owned(),
                group: (*group).to_owned(),
                inherits: *inherits,
            })
            .collect()
    }

    fn schemas(grants: &[&str]) -> BTreeMap<String, Schema> {
        let relation = Relation {
            owner: "shop".to_owned(),
            grants: grants.iter().map(|grant| (*grant).to_owned()).collect(),
            ..Relation::default()
        };
        let schema = Schema {
            owner: "root".to_owned(),
            relations: BTreeMap::from([("orders".to_owned(), relation)]),
            ..Schema::default()
        };
        BTreeMap::from([("shop".to_owned(), schema)])
    }

    fn rights(
        grants: &[&str],
        old: &[(&str, &str, bool)],
        new: &[(&str, &str, bool)],
    ) -> Vec<String> {
        let schemas = schemas(grants);
        lost((&schemas, &memberships(old)), (&schemas, &memberships(new)))
            .into_iter()
            .map(|one| {
                let object = one.object.unwrap_or_default();
                format!(
                    "{} {} {object} {}",
                    one.role,
                    one.group,
                    one.rights.join(",")
                )
            })
            .collect()
    }

    #[test]
    fn a_member_that_leaves_loses_what_it_had_from_the_group_alone() {
        let (old, none) = ([("ann", "auditors", true)], []);
        assert_eq!(
            rights(&["SELECT TO auditors"], &old, &none),
            ["ann auditors orders SELECT"]
        );
        assert_eq!(
            rights(&["SELECT TO auditors", "SELECT TO ann"], &old, &none),
            [""; 0]
        );
        assert_eq!(
            rights(&["SELECT TO auditors", "SELECT TO public"], &old, &none),
            [""; 0]
        );
        assert_eq!(rights(&["SELECT TO others"], &old, &none), [""; 0]);
        assert_eq!(rights(&["SELECT TO auditors"], &old, &old), [""; 0]);
    }

    #[test]
    fn rights_come_through_several_groups_and_from_owners() {
        let old = [("ann", "clerks", true), ("clerks", "auditors", true)];
        let left = [("ann", "clerks", true)];
        assert_eq!(
            rights(&["SELECT TO auditors"], &old, &left),
            [
                "ann auditors orders SELECT",
                "clerks auditors orders SELECT"
            ]
        );
        let stays = [("ann", "auditors", true)];
        assert_eq!(
            rights(&["SELECT TO auditors"], &old, &stays),
            ["clerks auditors orders SELECT"]
        );
        assert_eq!(
            rights(&[], &[("ann", "shop", true)], &[]),
            ["ann shop orders all of the owner"]
        );
    }

    #[test]
    fn who_has_to_ask_from_now_on_has_lost_it() {
        let (old, new) = ([("ann", "auditors", true)], [("ann", "auditors", false)]);
        assert_eq!(
            rights(&["SELECT TO auditors"], &old, &new),
            ["ann auditors orders SELECT"]
        );
    }
}
