//! What a change costs on a table in use: the strongest lock that making it takes, whether all rows are
//! written anew or read. For tables that were there before; a new one is nobody's yet.

use serde_json::Value;

use super::change::{Action, Change, Collection, Cost};
use super::data_type;
use super::diff::{SchemaPair, column_now};

const ACCESS_EXCLUSIVE: &str = "access_exclusive";
const SHARE_ROW_EXCLUSIVE: &str = "share_row_exclusive";
const SHARE_UPDATE_EXCLUSIVE: &str = "share_update_exclusive";
const SHARE: &str = "share";
const ACCESS_SHARE: &str = "access_share";

/// Fills in what the change costs.
pub(super) fn judge(pair: &SchemaPair<'_>, change: &mut Change) {
    change.cost = match change.object.collection {
        Collection::Relations => relation(pair, change),
        Collection::Columns if is_part_of_table(pair, change) => {
            column(change, has_new_type(pair, change))
        }
        Collection::Indexes => index(change),
        // The table is only looked up.
        Collection::Constraints
        | Collection::Triggers
        | Collection::Rules
        | Collection::Policies
            if changes_only(change, &["comment"]) =>
        {
            only(ACCESS_SHARE)
        }
        Collection::Constraints => constraint(change),
        Collection::Triggers => only(SHARE_ROW_EXCLUSIVE),
        Collection::Rules | Collection::Policies => only(ACCESS_EXCLUSIVE),
        _ => Cost::default(),
    };
}

fn only(lock: &'static str) -> Cost {
    Cost {
        lock: Some(lock),
        rewrite: Some(false),
        scan: false,
    }
}

fn is_part_of_table(pair: &SchemaPair<'_>, change: &Change) -> bool {
    let parent = change.object.parent.as_deref().unwrap_or_default();
    pair.before
        .relations
        .get(parent)
        .is_some_and(|relation| relation.kind.is_table())
}

/// Whether the column has another type, and not only one that is called otherwise.
fn has_new_type(pair: &SchemaPair<'_>, change: &Change) -> bool {
    let parent = change.object.parent.as_deref().unwrap_or_default();
    let name = &change.object.name;
    let found = pair.before.relations.get(parent).and_then(|relation| {
        let (_, now) = pair.relation_now(parent)?;
        let was = relation.columns.get(name)?;
        Some(!was.has_type_of(column_now(name, was, now)?.1))
    });
    found.unwrap_or(true)
}

/// Whether nothing but these properties is another.
fn changes_only(change: &Change, names: &[&str]) -> bool {
    let mut changed = change.properties.keys();
    change.action == Action::Changed && changed.all(|name| names.contains(&name.as_str()))
}

/// A new table is nobody's yet, but those that it belongs to are in use.
fn new_relation(pair: &SchemaPair<'_>, relation: &Value) -> Cost {
    let was_there = |printed: &Value| {
        let mut before = pair.before.relations.keys();
        before.any(|name| *printed == pair.before.printed_name(name))
    };
    let parents = relation["inherits"].as_array();
    if was_there(&relation["partition_of"]) {
        only(ACCESS_EXCLUSIVE)
    } else if parents.is_some_and(|parents| parents.iter().any(was_there)) {
        only(SHARE_UPDATE_EXCLUSIVE)
    } else {
        Cost::default()
    }
}

fn relation(pair: &SchemaPair<'_>, change: &Change) -> Cost {
    let light: &[&str] = match change.object_type.as_str() {
        "table" => &["comment", "grants", "options", "clustered_on"],
        _ => &["comment", "grants", "clustered_on"],
    };
    match &change.action {
        Action::Added(relation) => new_relation(pair, relation),
        _ if changes_only(change, &["grants"]) => Cost::default(),
        _ if changes_only(change, light) => only(SHARE_UPDATE_EXCLUSIVE),
        Action::Reordered => Cost {
            rewrite: Some(true),
            ..only(ACCESS_EXCLUSIVE)
        },
        _ => Cost {
            rewrite: Some(
                ["unlogged", "access_method", "tablespace"]
                    .iter()
                    .any(|name| change.properties.contains_key(*name)),
            ),
            ..only(ACCESS_EXCLUSIVE)
        },
    }
}

fn column(change: &Change, has_new_type: bool) -> Cost {
    match &change.action {
        Action::Added(column) => Cost {
            rewrite: fills_each_row(column),
            ..only(ACCESS_EXCLUSIVE)
        },
        Action::Recreated => Cost {
            rewrite: None,
            ..only(ACCESS_EXCLUSIVE)
        },
        Action::Changed | Action::Renamed(_) => changed_column(change, has_new_type),
        _ => only(ACCESS_EXCLUSIVE),
    }
}

fn changed_column(change: &Change, has_new_type: bool) -> Cost {
    if changes_only(change, &["grants"]) {
        return Cost::default();
    }
    if changes_only(change, &["grants", "comment", "statistics", "options"]) {
        return only(SHARE_UPDATE_EXCLUSIVE);
    }
    let rewrite = change.properties.get("type").is_some_and(|(old, new)| {
        let (old, new) = (
            old.as_str().unwrap_or_default(),
            new.as_str().unwrap_or_default(),
        );
        has_new_type && data_type::compare(old, new).rewrite
    });
    let not_null = change.properties.get("not_null");
    Cost {
        rewrite: Some(rewrite || change.properties.contains_key("collation")),
        scan: not_null.is_some_and(|(_, new)| *new == Value::Bool(true)),
        ..only(ACCESS_EXCLUSIVE)
    }
}

/// Whether adding the column writes every row: its value isn't one and the same for all of them.
fn fills_each_row(column: &Value) -> Option<bool> {
    let has = |name: &str| !column[name].is_null();
    if has("generated") {
        return Some(column["virtual_column"] != true);
    }
    if has("identity_kind") {
        return Some(true);
    }
    let Some(default) = column["default"].as_str() else {
        return Some(false);
    };
    let volatile = [
        "nextval(",
        "random",
        "uuid",
        "clock_timestamp(",
        "timeofday(",
        "currval(",
        "setval(",
    ];
    if volatile.iter().any(|name| default.contains(name)) {
        return Some(true);
    }
    let stable = [
        "now()",
        "statement_timestamp()",
        "transaction_timestamp()",
        "current_setting(",
    ];
    let called = stable
        .iter()
        .fold(default.to_owned(), |text, name| text.replace(name, ""));
    // What another function does isn't known.
    let calls = called.split('\'').step_by(2).any(|code| code.contains('('));
    if calls { None } else { Some(false) }
}

fn constraint(change: &Change) -> Cost {
    match &change.action {
        Action::Added(constraint) => {
            let lock = match constraint["kind"].as_str() {
                Some("foreign key") => SHARE_ROW_EXCLUSIVE,
                _ => ACCESS_EXCLUSIVE,
            };
            Cost {
                scan: constraint["not_valid"] != true,
                ..only(lock)
            }
        }
        Action::Changed if change.properties.keys().all(|name| name == "not_valid") => Cost {
            scan: true,
            ..only(SHARE_UPDATE_EXCLUSIVE)
        },
        Action::Recreated | Action::Changed => Cost {
            scan: true,
            ..only(ACCESS_EXCLUSIVE)
        },
        _ => only(ACCESS_EXCLUSIVE),
    }
}

fn index(change: &Change) -> Cost {
    match &change.action {
        Action::Added(_) | Action::Recreated => Cost {
            scan: true,
            ..only(SHARE)
        },
        Action::Renamed(_) => only(SHARE_UPDATE_EXCLUSIVE),
        Action::Changed if change.properties.contains_key("comment") => {
            only(SHARE_UPDATE_EXCLUSIVE)
        }
        _ => only(ACCESS_EXCLUSIVE),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::canonical::read;
    use super::super::diff::diff;
    use super::*;

    fn schema(patch: &Value) -> Value {
        let mut schema = json!({"format": 1, "owner": "shop", "relations": {"p": {
            "owner": "shop", "identity": {"object": 1},
            "columns": {"v": {"type": "integer", "identity": {"object": 1, "number": 1}}},
            "policies": {"own": {"command": "all", "roles": ["public"], "using": "v = 1", "identity": {"object": 2}}},
            "triggers": {"stamp": {"definition": "BEFORE UPDATE ON p EXECUTE FUNCTION f()", "identity": {"object": 3}}},
            "constraints": {"p_check": {"definition": "CHECK (v > 0)", "columns": ["v"], "identity": {"object": 4}}}
        }}});
        merge(&mut schema["relations"], patch);
        schema
    }

    fn merge(target: &mut Value, patch: &Value) {
        match patch {
            Value::Object(patch) => {
                for (name, value) in patch {
                    merge(&mut target[name], value);
                }
            }
            _ => *target = patch.clone(),
        }
    }

    #[test]
    fn locks_are_those_that_the_server_takes() {
        let part = |name: &str| json!({name: {"owner": "shop", "partition_of": "p", "partition_bound": "DEFAULT", "identity": {"object": 9}}});
        let of = |kind: &str, name: &str| json!({"p": {kind: {name: {"comment": "x"}}}});
        for (patch, lock) in [
            (
                json!({"p": {"columns": {"v": {"grants": ["SELECT TO app"]}}}}),
                None,
            ),
            (
                json!({"p": {"columns": {"v": {"comment": "x"}}}}),
                Some(SHARE_UPDATE_EXCLUSIVE),
            ),
            (json!({"p": {"grants": ["SELECT TO app"]}}), None),
            (
                json!({"p": {"clustered_on": "p_v"}}),
                Some(SHARE_UPDATE_EXCLUSIVE),
            ),
            (of("policies", "own"), Some(ACCESS_SHARE)),
            (of("triggers", "stamp"), Some(ACCESS_SHARE)),
            (of("constraints", "p_check"), Some(ACCESS_SHARE)),
            (part("p_rest"), Some(ACCESS_EXCLUSIVE)),
            (
                json!({"heir": {"owner": "shop", "inherits": ["p"], "identity": {"object": 9}}}),
                Some(SHARE_UPDATE_EXCLUSIVE),
            ),
            (
                json!({"other": {"owner": "shop", "identity": {"object": 9}}}),
                None,
            ),
        ] {
            let read = |patch: &Value| read(&schema(patch).to_string()).expect("a schema");
            let changes = diff(&read(&json!({})), &read(&patch));
            let locks: Vec<_> = changes.iter().map(|change| change.cost.lock).collect();
            assert_eq!(locks, [lock], "{patch}");
        }
    }
}
