//! Every kind of the vocabulary on the smallest pair of schemas that yields it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;

const BREAKING: &str = "check_added column_became_generated column_dropped column_renamed \
    column_type_changed column_type_narrowed composite_attribute_added composite_attribute_dropped \
    composite_attribute_renamed composite_attribute_type_changed default_dropped domain_constraint_added \
    enum_value_removed enum_value_renamed exclusion_added fk_added function_dropped function_param_renamed \
    function_return_type_changed function_signature_changed identity_always inheritance_removed \
    matview_unpopulated not_null_added operator_dropped partition_detached policy_tightened \
    privilege_revoked required_column_added rls_enabled schema_dropped schema_renamed sequence_dropped \
    table_dropped table_renamed table_replaced_by_readonly_view type_dropped unique_added unique_dropped \
    view_check_option_added view_column_dropped view_column_renamed view_column_type_changed view_dropped \
    view_not_updatable";
const DANGEROUS: &str = "check_changed check_dropped collation_changed column_identity_swapped \
    column_order_changed column_renamed_with_shim column_type_widened constraint_renamed default_changed \
    durability_lowered enum_value_added fk_action_changed fk_deferrability_changed fk_dropped \
    function_null_handling_changed function_overload_added function_security_changed \
    function_signature_extended function_volatility_changed generated_dropped json_column_added \
    not_null_dropped owner_changed replica_identity_changed rls_disabled rls_enabled rule_added \
    sequence_changed table_replaced_by_view trigger_added trigger_disabled trigger_dropped \
    view_definition_changed view_options_changed view_replaced_by_table";

/// A schema with one of everything.
fn base() -> Value {
    json!({
        "format": 1, "owner": "shop", "identity": {"object": 1000},
        "relations": {
            "orders": {
                "owner": "shop", "grants": ["SELECT TO app"], "identity": {"object": 1},
                "columns": {
                    "id": {"type": "integer", "not_null": true, "default": "1", "position": 1, "identity": {"object": 1, "number": 1}},
                    "note": {"type": "character varying(20)", "position": 2, "identity": {"object": 1, "number": 2}},
                    "twice": {"type": "integer", "generated": "(id * 2)", "position": 3, "identity": {"object": 1, "number": 3}}
                },
                "constraints": {
                    "orders_pkey": {"kind": "primary key", "definition": "PRIMARY KEY (id)", "columns": ["id"], "identity": {"object": 11}},
                    "orders_fkey": {"kind": "foreign key", "definition": "FOREIGN KEY (id) REFERENCES shops(id)", "columns": ["id"], "identity": {"object": 12}},
                    "orders_check": {"definition": "CHECK (id > 0)", "columns": ["id"], "identity": {"object": 13}}
                },
                "triggers": {"stamp": {"definition": "BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION f()", "identity": {"object": 14}}}
            },
            "parent": {"owner": "shop", "identity": {"object": 2}, "columns": {"a": {"type": "integer", "identity": {"object": 2, "number": 1}}}},
            "child": {"owner": "shop", "inherits": ["parent"], "identity": {"object": 3}},
            "part": {"owner": "shop", "partition_of": "parent", "partition_bound": "DEFAULT", "identity": {"object": 4}},
            "seen": {
                "kind": "view", "owner": "shop", "updatable": true, "definition": "SELECT id FROM orders", "identity": {"object": 5},
                "columns": {"id": {"type": "integer", "identity": {"object": 5, "number": 1}}}
            },
            "sums": {"kind": "materialized view", "owner": "shop", "definition": "SELECT 1", "identity": {"object": 6}},
            "address": {
                "kind": "composite type", "owner": "shop", "identity": {"object": 7},
                "columns": {"zip": {"type": "text", "identity": {"object": 7, "number": 1}}}
            },
            "secret": {
                "owner": "shop", "row_security": true, "identity": {"object": 8},
                "policies": {"own": {"command": "all", "roles": ["public"], "using": "a = 1", "identity": {"object": 81}}}
            }
        },
        "sequences": {"numbers": {"owner": "shop", "start": "1", "identity": {"object": 20}}},
        "functions": {"f(integer)": {
            "name": "f", "owner": "shop", "arguments": "a integer", "input_types": ["integer"], "input_names": ["a"],
            "result": "integer", "language": "sql", "body": "SELECT 1", "identity": {"object": 30}
        }},
        "types": {
            "state": {"owner": "shop", "labels": ["new", "paid"], "label_identities": [51, 52], "identity": {"object": 40}},
            "amount": {"kind": "domain", "owner": "shop", "base": "numeric", "identity": {"object": 41}}
        },
        "others": {"operator +(integer, integer)": {"kind": "operator", "owner": "shop", "definition": "f", "identity": {"object": 60}}}
    })
}

/// With the patch laid over it: objects are merged, `null` takes away (RFC 7396).
fn merged(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().expect("object").remove(name);
        } else {
            merged(&mut target[name], value);
        }
    }
}

fn with(patch: &Value) -> Schema {
    let mut value = base();
    merged(&mut value, patch);
    read(&value.to_string()).expect("a schema")
}

/// The kinds of a change from the base to the base with that patch, with their levels.
fn kinds(patch: &Value) -> BTreeSet<(&'static str, Level)> {
    diff(&with(&json!({})), &with(patch))
        .iter()
        .flat_map(found)
        .collect()
}

fn found(change: &Change) -> impl Iterator<Item = (&'static str, Level)> {
    change
        .findings
        .iter()
        .map(|finding| (finding.kind, finding.level))
}

fn orders(patch: Value) -> Value {
    json!({"relations": {"orders": patch}})
}

fn relation(name: &str, patch: Value) -> Value {
    json!({"relations": {name: patch}})
}

fn column(name: &str, patch: Value) -> Value {
    orders(json!({"columns": {name: patch}}))
}

fn function(patch: Value) -> Value {
    json!({"functions": {"f(integer)": patch}})
}

fn view() -> Value {
    let columns = base()["relations"]["orders"]["columns"].clone();
    let mut view = json!({
        "kind": "view", "updatable": true, "constraints": null, "triggers": null,
        "identity": {"object": 9}, "columns": columns
    });
    for (_, column) in view["columns"].as_object_mut().expect("columns") {
        column["identity"]["object"] = 9.into();
        column["default"] = Value::Null;
        column["generated"] = Value::Null;
    }
    view
}

/// A patch for each kind, and how much it matters.
fn breaking() -> Vec<(&'static str, Value)> {
    let key = |kind: &str, definition: &str| json!({"kind": kind, "definition": definition, "columns": ["note"]});
    let constraint = |value: Value| orders(json!({"constraints": {"more": value}}));
    vec![
        (
            "check_added",
            constraint(json!({"definition": "CHECK (note <> '')", "columns": ["note"]})),
        ),
        (
            "check_added",
            orders(
                json!({"constraints": {"orders_check": {"definition": "CHECK (id > 5)", "identity": {"object": 99}}}}),
            ),
        ),
        (
            "column_became_generated",
            column(
                "note",
                json!({"generated": "'x'", "identity": {"object": 1, "number": 4}}),
            ),
        ),
        ("column_dropped", column("note", Value::Null)),
        (
            "column_renamed",
            orders(json!({"columns": {
            "note": null, "remark": {"type": "character varying(20)", "position": 2, "identity": {"object": 1, "number": 2}}}})),
        ),
        (
            "column_type_changed",
            column("note", json!({"type": "date"})),
        ),
        (
            "column_type_narrowed",
            column("note", json!({"type": "character varying(10)"})),
        ),
        (
            "composite_attribute_added",
            relation(
                "address",
                json!({"columns": {"city": {"type": "text", "identity": {"object": 7, "number": 2}}}}),
            ),
        ),
        (
            "composite_attribute_dropped",
            relation("address", json!({"columns": {"zip": null}})),
        ),
        (
            "composite_attribute_renamed",
            relation(
                "address",
                json!({"columns": {
            "zip": null, "code": {"type": "text", "identity": {"object": 7, "number": 1}}}}),
            ),
        ),
        (
            "composite_attribute_type_changed",
            relation("address", json!({"columns": {"zip": {"type": "integer"}}})),
        ),
        ("default_dropped", column("id", json!({"default": null}))),
        (
            "domain_constraint_added",
            json!({"types": {"amount": {"constraints": {"positive": {"definition": "CHECK (VALUE > 0)"}}}}}),
        ),
        (
            "domain_constraint_added",
            json!({"types": {"amount": {"not_null": true}}}),
        ),
        (
            "enum_value_removed",
            json!({"types": {"state": {"labels": ["new"], "label_identities": [51]}}}),
        ),
        (
            "enum_value_renamed",
            json!({"types": {"state": {"labels": ["new", "settled"]}}}),
        ),
        (
            "exclusion_added",
            constraint(key("exclusion", "EXCLUDE USING gist (note WITH =)")),
        ),
        (
            "fk_added",
            constraint(key(
                "foreign key",
                "FOREIGN KEY (note) REFERENCES notes(id)",
            )),
        ),
        ("function_dropped", json!({"functions": null})),
        (
            "function_param_renamed",
            function(json!({"arguments": "b integer", "input_names": ["b"]})),
        ),
        (
            "function_return_type_changed",
            function(json!({"result": "bigint"})),
        ),
        (
            "function_return_type_changed",
            function(json!({"outputs": ["x integer"]})),
        ),
        (
            "function_signature_changed",
            json!({"functions": {
            "f(integer)": null,
            "f(integer, text)": {"name": "f", "owner": "shop", "input_types": ["integer", "text"], "result": "integer", "identity": {"object": 31}}}}),
        ),
        (
            "identity_always",
            column("id", json!({"default": null, "identity_kind": "always"})),
        ),
        (
            "inheritance_removed",
            relation("child", json!({"inherits": null})),
        ),
        (
            "matview_unpopulated",
            relation("sums", json!({"unpopulated": true})),
        ),
        ("not_null_added", column("note", json!({"not_null": true}))),
        ("operator_dropped", json!({"others": null})),
        (
            "partition_detached",
            relation(
                "part",
                json!({"partition_of": null, "partition_bound": null}),
            ),
        ),
        (
            "policy_tightened",
            relation("secret", json!({"policies": {"own": {"using": "a = 2"}}})),
        ),
        (
            "policy_tightened",
            relation("secret", json!({"policies": null})),
        ),
        ("privilege_revoked", orders(json!({"grants": []}))),
        (
            "required_column_added",
            column(
                "state",
                json!({"type": "text", "not_null": true, "identity": {"object": 1, "number": 4}}),
            ),
        ),
        ("rls_enabled", orders(json!({"row_security": true}))),
        ("sequence_dropped", json!({"sequences": null})),
        ("table_dropped", relation("orders", Value::Null)),
        (
            "table_renamed",
            json!({"relations": {"parent": null, "ancestor": base()["relations"]["parent"],
            "child": {"inherits": ["ancestor"]}, "part": {"partition_of": "ancestor"}}}),
        ),
        (
            "table_replaced_by_readonly_view",
            orders({
                let mut view = view();
                view["updatable"] = false.into();
                view
            }),
        ),
        ("type_dropped", json!({"types": {"state": null}})),
        ("unique_added", constraint(key("unique", "UNIQUE (note)"))),
        (
            "unique_added",
            orders(
                json!({"indexes": {"more": {"definition": "USING btree (lower(note))", "columns": ["lower(note)"], "unique": true}}}),
            ),
        ),
        (
            "unique_dropped",
            orders(json!({"constraints": {"orders_pkey": null}})),
        ),
        (
            "view_check_option_added",
            relation("seen", json!({"options": ["check_option=local"]})),
        ),
        (
            "view_column_dropped",
            relation("seen", json!({"columns": {"id": null}})),
        ),
        (
            "view_column_renamed",
            relation(
                "seen",
                json!({"columns": {"id": null, "number": {"type": "integer", "identity": {"object": 5, "number": 1}}}}),
            ),
        ),
        (
            "view_column_type_changed",
            relation("seen", json!({"columns": {"id": {"type": "text"}}})),
        ),
        ("view_dropped", relation("seen", Value::Null)),
        (
            "view_not_updatable",
            relation("seen", json!({"updatable": null})),
        ),
        (
            "view_not_updatable",
            relation("seen", json!({"columns": {"id": {"readonly": true}}})),
        ),
    ]
}

fn dangerous() -> Vec<(&'static str, Value)> {
    let trigger = |patch: Value| orders(json!({"triggers": {"stamp": patch}}));
    let fkey = |definition: &str| {
        orders(
            json!({"constraints": {"orders_fkey": {"definition": definition, "identity": {"object": 99}}}}),
        )
    };
    vec![
        (
            "check_changed",
            orders(
                json!({"constraints": {"orders_check": {"definition": "CHECK (id >= 0)", "identity": {"object": 99}}}}),
            ),
        ),
        (
            "check_dropped",
            orders(json!({"constraints": {"orders_check": null}})),
        ),
        (
            "collation_changed",
            column("note", json!({"collation": "\"C\""})),
        ),
        (
            "column_identity_swapped",
            orders(json!({"columns": {
            "id": {"identity": {"object": 1, "number": 3}}, "twice": {"identity": {"object": 1, "number": 1}}}})),
        ),
        (
            "column_order_changed",
            orders(json!({"columns": {"id": {"position": 2}, "note": {"position": 1}}})),
        ),
        (
            "column_renamed_with_shim",
            orders(json!({"columns": {
            "note": {"identity": {"object": 1, "number": 4}, "position": 4},
            "remark": {"type": "character varying(20)", "position": 2, "identity": {"object": 1, "number": 2}}}})),
        ),
        (
            "column_type_widened",
            column("note", json!({"type": "text"})),
        ),
        (
            "constraint_renamed",
            orders(json!({"constraints": {
            "orders_check": null, "positive": base()["relations"]["orders"]["constraints"]["orders_check"]}})),
        ),
        (
            "constraint_renamed",
            orders(json!({"constraints": {
            "orders_pkey": null, "key": base()["relations"]["orders"]["constraints"]["orders_pkey"]}})),
        ),
        ("default_changed", column("id", json!({"default": "2"}))),
        (
            "default_changed",
            function(json!({"arguments": "a integer DEFAULT 2"})),
        ),
        ("durability_lowered", orders(json!({"unlogged": true}))),
        (
            "enum_value_added",
            json!({"types": {"state": {"labels": ["new", "paid", "sent"], "label_identities": [51, 52, 53]}}}),
        ),
        (
            "fk_action_changed",
            fkey("FOREIGN KEY (id) REFERENCES shops(id) ON DELETE CASCADE"),
        ),
        (
            "fk_deferrability_changed",
            fkey("FOREIGN KEY (id) REFERENCES shops(id) DEFERRABLE"),
        ),
        (
            "fk_dropped",
            orders(json!({"constraints": {"orders_fkey": null}})),
        ),
        (
            "function_null_handling_changed",
            function(json!({"strict": true})),
        ),
        (
            "function_overload_added",
            json!({"functions": {"f(text)": {"name": "f", "input_types": ["text"], "result": "integer"}}}),
        ),
        (
            "function_security_changed",
            function(json!({"security_definer": true})),
        ),
        (
            "function_security_changed",
            function(json!({"config": ["work_mem=1MB"]})),
        ),
        (
            "function_signature_extended",
            function(json!({"arguments": "a integer DEFAULT 1", "defaults": 1})),
        ),
        (
            "function_volatility_changed",
            function(json!({"volatility": "stable"})),
        ),
        (
            "generated_dropped",
            column("twice", json!({"generated": null})),
        ),
        (
            "json_column_added",
            column(
                "extra",
                json!({"type": "json", "identity": {"object": 1, "number": 4}}),
            ),
        ),
        ("not_null_dropped", column("id", json!({"not_null": null}))),
        ("owner_changed", orders(json!({"owner": "app"}))),
        (
            "replica_identity_changed",
            orders(json!({"replica_identity": "full"})),
        ),
        (
            "rls_disabled",
            relation("secret", json!({"row_security": null})),
        ),
        (
            "rls_enabled",
            orders(json!({"row_security": true,
            "policies": {"all": {"command": "all", "roles": ["public"], "using": "true"}}})),
        ),
        (
            "rule_added",
            orders(
                json!({"rules": {"r": {"definition": "ON DELETE TO orders DO NOTIFY ' DO INSTEAD '"}}}),
            ),
        ),
        (
            "sequence_changed",
            json!({"sequences": {"numbers": {"start": "5"}}}),
        ),
        ("table_replaced_by_view", orders(view())),
        (
            "trigger_added",
            orders(
                json!({"triggers": {"more": {"definition": "AFTER INSERT ON orders EXECUTE FUNCTION g()"}}}),
            ),
        ),
        ("trigger_disabled", trigger(json!({"enabled": "disabled"}))),
        ("trigger_dropped", trigger(Value::Null)),
        (
            "view_definition_changed",
            relation("seen", json!({"definition": "SELECT id FROM others"})),
        ),
        (
            "view_options_changed",
            relation("seen", json!({"options": ["security_barrier=true"]})),
        ),
        (
            "view_replaced_by_table",
            relation(
                "seen",
                json!({"kind": "table", "updatable": null, "definition": null, "identity": {"object": 9}}),
            ),
        ),
    ]
}

#[test]
fn each_kind_is_told() {
    for (level, cases) in [
        (Level::Breaking, breaking()),
        (Level::Dangerous, dangerous()),
    ] {
        for (kind, patch) in cases {
            let kinds = kinds(&patch);
            assert!(
                kinds.contains(&(kind, level)),
                "{kind}: {kinds:?} from {patch}"
            );
        }
    }
}

#[test]
fn what_is_dangerous_breaks_nothing() {
    for (kind, patch) in dangerous() {
        let kinds = kinds(&patch);
        let breaks = kinds.iter().any(|(_, level)| *level == Level::Breaking);
        assert!(!breaks, "{kind}: {kinds:?} from {patch}");
    }
}

#[test]
fn each_change_breaks_by_one_kind_alone() {
    // Whoever replaces a table by a view takes more than one thing away.
    let several = ["table_replaced_by_readonly_view", "column_became_generated"];
    for (kind, patch) in breaking() {
        let kinds = kinds(&patch);
        let breaks = kinds
            .iter()
            .filter(|(_, level)| *level == Level::Breaking)
            .count();
        assert!(
            breaks == 1 || several.contains(&kind),
            "{kind}: {kinds:?} from {patch}"
        );
    }
}

#[test]
fn every_kind_of_the_vocabulary_is_tried() {
    let tried = |cases: Vec<(&'static str, Value)>| -> BTreeSet<&str> {
        cases.into_iter().map(|(kind, _)| kind).collect()
    };
    // Those of whole schemas are tried below.
    let mut known = tried(breaking());
    known.extend(["schema_dropped", "schema_renamed"]);
    assert_eq!(known, BREAKING.split_whitespace().collect());
    assert_eq!(tried(dangerous()), DANGEROUS.split_whitespace().collect());
}

fn schemas(of: &[(&str, &Schema)]) -> BTreeMap<String, Schema> {
    of.iter()
        .map(|(name, schema)| {
            let schema = Schema {
                qualified_as: Some((*name).to_owned()),
                ..(*schema).clone()
            };
            ((*name).to_owned(), schema)
        })
        .collect()
}

/// A role that may read a view and not what the view reads.
#[test]
fn a_view_that_asks_for_the_callers_rights_is_closed_to_whom_only_the_view_is_granted() {
    let granted = |options: Value| {
        let seen = json!({"options": options, "grants": ["SELECT TO reader"]});
        with(&relation("seen", seen))
    };
    let (before, after) = (
        granted(json!([])),
        granted(json!(["security_invoker=true"])),
    );
    let told: Vec<_> = diff(&before, &after).iter().flat_map(found).collect();
    assert!(
        told.contains(&("privilege_revoked", Level::Breaking)),
        "{told:?}"
    );
    // In one database it is looked up, not told from the grants.
    let all = diff_all(
        &schemas(&[("app", &before)]),
        &schemas(&[("app", &after)]),
        Some("app"),
    );
    let told: Vec<_> = all.iter().flat_map(found).collect();
    assert_eq!(told, [("view_options_changed", Level::Dangerous)]);
}

#[test]
fn schemas_are_dropped_added_and_renamed() {
    let base = with(&json!({}));
    let kinds = |before: &[(&str, &Schema)], after: &[(&str, &Schema)]| -> Vec<String> {
        diff_all(&schemas(before), &schemas(after), Some("app"))
            .iter()
            .filter(|change| change.object_type == "schema" || change.loses_data())
            .map(|change| {
                let kinds: Vec<&str> = found(change).map(|(kind, _)| kind).collect();
                let loss = if change.loses_data() { ", loss" } else { "" };
                format!(
                    "{} {}: {}{loss}",
                    change.action.as_str(),
                    change.object_name(),
                    kinds.join(", ")
                )
            })
            .collect()
    };
    assert_eq!(
        kinds(&[("app", &base)], &[("shop", &base)]),
        ["renamed app: schema_renamed"]
    );
    assert_eq!(kinds(&[], &[("app", &base)]), ["added app: schema_added"]);
    let other = Schema {
        identity: None,
        ..base.clone()
    };
    let dropped = kinds(&[("app", &base), ("Odd one", &other)], &[("app", &base)]);
    assert_eq!(dropped[0], "dropped \"Odd one\": schema_dropped");
    assert!(
        dropped.contains(&"dropped \"Odd one\".orders: table_dropped, loss".to_owned()),
        "{dropped:?}"
    );
    assert!(kinds(&[("app", &base)], &[("app", &base)]).is_empty());
}

#[test]
fn a_table_that_moves_to_another_schema_keeps_its_rows() {
    let base = with(&json!({}));
    let without = with(&json!({"relations": {"orders": null}}));
    let mut archive: Schema =
        read(r#"{"format": 1, "owner": "shop", "identity": {"object": 1001}}"#).expect("a schema");
    let before = schemas(&[("app", &base), ("archive", &archive)]);
    archive
        .relations
        .insert("orders".into(), base.relations["orders"].clone());
    let after = schemas(&[("app", &without), ("archive", &archive)]);
    let changes = diff_all(&before, &after, Some("app"));
    let [change] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    assert_eq!(change.action, Action::Renamed("archive.orders".into()));
    assert_eq!(
        found(change).collect::<Vec<_>>(),
        [("table_renamed", Level::Breaking)]
    );
    assert!(!change.loses_data());
    let back = diff_all(&after, &before, Some("app"));
    assert_eq!(back[0].object_name(), "archive.orders");
}

#[test]
fn what_names_a_renamed_thing_has_not_changed_itself() {
    let renamed = kinds(&json!({
        "relations": {
            "orders": {"columns": {
                "id": null, "number": {"type": "integer", "not_null": true, "default": "1", "position": 1, "identity": {"object": 1, "number": 1}},
                "twice": {"generated": "(number * 2)"}},
                "constraints": {
                    "orders_pkey": {"definition": "PRIMARY KEY (number)", "columns": ["number"]},
                    "orders_fkey": {"definition": "FOREIGN KEY (number) REFERENCES shops(id)", "columns": ["number"]},
                    "orders_check": {"definition": "CHECK (number > 0)", "columns": ["number"]}}},
            "seen": {"definition": "SELECT number AS id FROM orders"}
        }
    }));
    assert_eq!(
        renamed,
        BTreeSet::from([("column_renamed", Level::Breaking)])
    );
}

#[test]
fn what_takes_all_that_was_taken_breaks_nothing() {
    let harmless = [
        // The column says so already.
        orders(
            json!({"constraints": {"more": {"definition": "CHECK (id IS NOT NULL)", "columns": ["id"]}}}),
        ),
        column("id", json!({"comment": "A number."})),
        orders(json!({"comment": "Orders.", "options": ["fillfactor=70"]})),
        column(
            "state",
            json!({"type": "text", "identity": {"object": 1, "number": 4}}),
        ),
        column(
            "state",
            json!({"type": "text", "not_null": true, "default": "''", "identity": {"object": 1, "number": 4}}),
        ),
        orders(json!({"grants": ["SELECT TO public"]})),
        orders(json!({"grants": ["SELECT TO app WITH GRANT OPTION"]})),
        orders(json!({"grants": [], "owner": "app"})),
        orders(
            json!({"indexes": {"more": {"definition": "USING btree (note)", "columns": ["note"]}}}),
        ),
        orders(
            json!({"constraints": {"more": {"kind": "unique", "definition": "UNIQUE (id, note)", "columns": ["id", "note"]}}}),
        ),
        function(json!({"body": "SELECT 2"})),
        relation(
            "secret",
            json!({"policies": {"own": {"using": "a = 1 OR a = 2"}}}),
        ),
        relation(
            "secret",
            json!({"policies": {"more": {"command": "all", "roles": ["app"], "using": "true"}}}),
        ),
        relation(
            "part",
            json!({"partition_of": null, "partition_bound": null, "kind": "table", "identity": {"object": 4}, "partition_of": "parent", "partition_bound": "DEFAULT"}),
        ),
    ];
    for patch in harmless {
        let kinds = kinds(&patch);
        assert!(
            kinds.iter().all(|(_, level)| *level != Level::Breaking),
            "{kinds:?} from {patch}"
        );
    }
}

#[test]
fn a_column_that_a_check_kept_from_null_may_say_so() {
    let proved = |patch: Value| {
        let mut value = base();
        merged(
            &mut value,
            &orders(
                json!({"constraints": {"filled": {"definition": "CHECK (note IS NOT NULL)", "columns": ["note"], "identity": {"object": 19}}}}),
            ),
        );
        merged(&mut value, &patch);
        read(&value.to_string()).expect("a schema")
    };
    let changes = diff(
        &proved(json!({})),
        &proved(column("note", json!({"not_null": true}))),
    );
    assert!(
        changes.iter().all(|change| !change.is_breaking()),
        "{changes:?}"
    );
}

#[test]
fn a_rule_that_does_something_else_instead_breaks_and_one_of_a_view_does_not() {
    let instead = json!({"rules": {"r": {"definition": "ON DELETE TO orders DO INSTEAD NOTHING"}}});
    let told = |patch: &Value| {
        let kinds = kinds(patch);
        kinds.into_iter().find(|(kind, _)| *kind == "rule_added")
    };
    let broken = Some(("rule_added", Level::Breaking));
    assert_eq!(told(&orders(instead.clone())), broken);
    let noticed = Some(("rule_added", Level::Dangerous));
    assert_eq!(told(&relation("seen", instead)), noticed);
}

#[test]
fn a_primary_key_that_is_only_a_unique_index_now_is_a_dropped_one() {
    let kinds = kinds(&orders(json!({
        "constraints": {"orders_pkey": null},
        "indexes": {"orders_id": {"unique": true, "columns": ["id"], "definition": "USING btree (id)", "identity": {"object": 15}}}
    })));
    assert!(
        kinds.contains(&("unique_dropped", Level::Breaking)),
        "{kinds:?}"
    );
}

#[test]
fn a_policy_that_lets_fewer_rows_through_is_never_told_as_looser() {
    let told = |using: &str| {
        kinds(&relation(
            "secret",
            json!({"policies": {"own": {"using": using}}}),
        ))
    };
    let tightened = ("policy_tightened", Level::Breaking);
    let loosened = ("policy_loosened", Level::Dangerous);
    for (using, expected) in [
        ("a = 1 AND (b = 'x'::text OR b = 'z'::text)", tightened),
        ("NOT a = 1 OR b = 'x'::text", tightened),
        ("a = 1 OR b = 'x'::text", loosened),
        ("true", loosened),
    ] {
        assert_eq!(told(using), [expected].into(), "{using}");
    }
}
