//! Who may do what: grants, owners, row-level security.

use std::collections::BTreeSet;

use super::super::change::{Collection, Level, ObjectRef, quoted};
use super::super::condition::{self, Strictness};
use super::super::diff::{Report, SchemaPair, Side, WordingOf};
use super::super::model::{Grants, Policy, Relation};

const GRANTABLE: &str = " WITH GRANT OPTION";

/// Privileges on a whole that went and that nothing else replaces; privileges that came.
pub(super) fn grants(
    report: &mut Report<'_>,
    object: &ObjectRef,
    old: &Grants,
    new: &Grants,
    new_owner: &str,
) {
    part_grants(report, object, old, new, &Grants::new(), new_owner);
}

/// As [`grants`], for a column: whoever may with the whole table may with it.
pub(super) fn part_grants(
    report: &mut Report<'_>,
    object: &ObjectRef,
    old: &Grants,
    new: &Grants,
    on_whole: &Grants,
    new_owner: &str,
) {
    // An owner's own privileges aren't listed.
    let to_owner = format!(" TO {}", quoted(new_owner));
    for grant in old.difference(new) {
        let plain = grant.strip_suffix(GRANTABLE).unwrap_or(grant);
        let privilege = plain.split(" TO ").next().unwrap_or(plain);
        if plain != grant && new.contains(plain) {
            // They may go on using it, and no longer give it to others.
            report.explain(
                Side::Before,
                object,
                "privilege_revoked",
                Level::Dangerous,
                Some(grant.clone()),
            );
            continue;
        }
        let still_has = [
            plain.to_owned(),
            format!("{plain}{GRANTABLE}"),
            format!("{privilege} TO public"),
        ]
        .iter()
        .any(|other| new.contains(other) || on_whole.contains(other));
        if still_has || plain.ends_with(&to_owner) {
            continue;
        }
        report.explain(
            Side::Before,
            object,
            "privilege_revoked",
            Level::Breaking,
            Some(grant.clone()),
        );
    }
    let had = |grant: &str| old.contains(&format!("{grant}{GRANTABLE}"));
    for grant in new.difference(old).filter(|grant| !had(grant)) {
        report.explain(
            Side::Before,
            object,
            "privilege_granted",
            Level::Addition,
            Some(grant.clone()),
        );
    }
}

/// Another owner: functions run with other rights, row-level security counts for other roles.
pub(super) fn owner(report: &mut Report<'_>, object: &ObjectRef, old: &str, new: &str) {
    if old != new {
        report.add(Side::Before, object, "owner_changed", Level::Dangerous);
    }
}

/// Row-level security and its policies. Where it can't be told whether a condition lets more or fewer rows
/// through, it counts as tighter.
pub(super) fn row_security(
    pair: &SchemaPair<'_>,
    report: &mut Report<'_>,
    name: &str,
    old: &Relation,
    new: &Relation,
) {
    let wording = report.wording().of_relation(pair, old, new);
    let table = ObjectRef::top(Collection::Relations, name);
    let level = if lets_everything_through(new) {
        Level::Dangerous
    } else {
        Level::Breaking
    };
    match (old.row_security, new.row_security) {
        (false, true) => {
            report.add(Side::Before, &table, "rls_enabled", level);
        }
        (true, false) => report.add(Side::Before, &table, "rls_disabled", Level::Dangerous),
        (true, true) => policies(report, &wording, name, old, new),
        // Policies have no effect yet.
        (false, false) => {}
    }
    if new.row_security && old.row_security && new.force_row_security && !old.force_row_security {
        report.explain(
            Side::Before,
            &table,
            "rls_enabled",
            level,
            Some("for the owner too".to_owned()),
        );
    }
}

fn lets_everything_through(table: &Relation) -> bool {
    let everybody = |policy: &Policy| {
        !policy.restrictive
            && policy.command == "all"
            && policy.roles.contains("public")
            && is_true(policy.using.as_deref())
            && policy
                .with_check
                .as_deref()
                .is_none_or(|check| is_true(Some(check)))
    };
    table.policies.values().any(everybody)
        && !table.policies.values().any(|policy| policy.restrictive)
}

fn is_true(condition: Option<&str>) -> bool {
    matches!(condition, Some("true" | "(true)"))
}

fn policies(
    report: &mut Report<'_>,
    wording: &WordingOf<'_>,
    table: &str,
    old: &Relation,
    new: &Relation,
) {
    let object = |name: &str| ObjectRef::part(Collection::Policies, table, name);
    for (name, was) in &old.policies {
        if new.policies.values().any(|is| is_same(wording, was, is)) {
            continue;
        }
        let (kind, level) = match new.policies.get(name) {
            None if was.restrictive => ("policy_loosened", Level::Dangerous),
            None => ("policy_tightened", Level::Breaking),
            Some(is) if is_looser(wording, was, is) => ("policy_loosened", Level::Dangerous),
            Some(_) => ("policy_tightened", Level::Breaking),
        };
        report.add(Side::Before, &object(name), kind, level);
    }
    for (name, is) in &new.policies {
        let stays = old.policies.values().any(|was| is_same(wording, was, is));
        if stays || old.policies.contains_key(name) {
            continue;
        }
        let (kind, level) = if is.restrictive {
            ("policy_tightened", Level::Breaking)
        } else {
            ("policy_added", Level::Addition)
        };
        report.add(Side::After, &object(name), kind, level);
    }
}

/// A policy under another name is the same policy.
fn is_same(wording: &WordingOf<'_>, old: &Policy, new: &Policy) -> bool {
    old.command == new.command
        && old.restrictive == new.restrictive
        && old.roles == new.roles
        && wording.same_or_none(old.using.as_ref(), new.using.as_ref())
        && wording.same_or_none(old.with_check.as_ref(), new.with_check.as_ref())
}

/// Whether the new policy takes nothing away. A permissive one gives rows, a restrictive one takes them: both
/// take nothing away where the new condition holds wherever the old one did.
fn is_looser(wording: &WordingOf<'_>, old: &Policy, new: &Policy) -> bool {
    if old.restrictive != new.restrictive {
        return old.restrictive;
    }
    let covers = |roles: &BTreeSet<String>, others: &BTreeSet<String>| {
        others.contains("public") || roles.is_subset(others)
    };
    let covers_roles = if old.restrictive {
        covers(&new.roles, &old.roles)
    } else {
        covers(&old.roles, &new.roles)
    };
    let covers_command = old.command == new.command || (new.command == "all" && !old.restrictive);
    let reads = old.command != "insert";
    let writes = matches!(old.command.as_str(), "all" | "insert" | "update");
    covers_roles
        && covers_command
        && (!reads || holds_too(wording, old.using.as_deref(), new.using.as_deref()))
        && (!writes || holds_too(wording, written(old), written(new)))
}

/// Which rows may be written: without a condition of its own, those that may be seen.
fn written(policy: &Policy) -> Option<&str> {
    policy.with_check.as_deref().or(policy.using.as_deref())
}

/// Whether the new condition holds wherever the old one did.
fn holds_too(wording: &WordingOf<'_>, old: Option<&str>, new: Option<&str>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            let (old, new) = wording.plain(old, new);
            condition::compare(&old, &new) == Strictness::Looser
        }
        (old, new) => old == new,
    }
}
