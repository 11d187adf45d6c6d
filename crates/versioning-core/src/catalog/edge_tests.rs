//! Differences that are easily mistaken for none.

use serde_json::{Value, json};

use super::*;

fn schema(objects: &Value) -> Schema {
    let mut value = json!({"format": 1, "owner": "shop"});
    for (name, object) in objects.as_object().expect("objects") {
        value[name] = object.clone();
    }
    read(&value.to_string()).expect("a schema")
}

fn kinds(before: &Value, after: &Value) -> Vec<(&'static str, Level)> {
    diff(&schema(before), &schema(after))
        .iter()
        .flat_map(|change| change.findings.clone())
        .map(|finding| (finding.kind, finding.level))
        .collect()
}

#[test]
fn a_precision_in_the_middle_of_a_types_name_makes_no_other_type() {
    let table = |kind: &str| {
        json!({"relations": {"sample": {"owner": "shop", "identity": {"object": 1}, "columns": {
            "taken": {"type": kind, "type_identity": 1184, "identity": {"object": 1, "number": 1}}
        }}}})
    };
    let (all, seconds) = ("timestamp with time zone", "timestamp(0) with time zone");
    assert_eq!(
        kinds(&table(all), &table(seconds)),
        [("column_type_narrowed", Level::Breaking)]
    );
    assert_eq!(
        kinds(&table(seconds), &table(all)),
        [("column_type_widened", Level::Dangerous)]
    );
}

#[test]
fn a_table_that_becomes_a_partition_is_something_new_to_its_parent() {
    let part = |parent: Value, bound: Value| {
        json!({"relations": {
            "trip": {"kind": "partitioned table", "owner": "shop", "identity": {"object": 1}},
            "trip_2025": {"owner": "shop", "identity": {"object": 2}, "partition_of": parent, "partition_bound": bound}
        }})
    };
    let alone = part(Value::Null, Value::Null);
    let attached = part("trip".into(), "FOR VALUES IN (2025)".into());
    assert_eq!(
        kinds(&alone, &attached),
        [("partition_attached", Level::Addition)]
    );
    assert_eq!(
        kinds(&attached, &alone),
        [("partition_detached", Level::Breaking)]
    );
}

#[test]
fn a_sequence_that_a_column_takes_over_goes_with_it() {
    let sequence = |owner: Value| json!({"sequences": {"numbers": {"owner": "shop", "start": "1", "owned_by": owner, "identity": {"object": 1}}}});
    let (loose, tied) = (sequence(Value::Null), sequence("holder.id".into()));
    let changed = [("sequence_changed", Level::Dangerous)];
    assert_eq!(kinds(&loose, &tied), changed);
    assert_eq!(kinds(&tied, &loose), changed);
    assert_eq!(kinds(&tied, &sequence("bearer.id".into())), []);
}

#[test]
fn row_security_forced_on_the_owner_breaks_what_the_owner_writes() {
    let table = |forced: bool, policies: Value| {
        json!({"relations": {"notes": {"owner": "shop", "identity": {"object": 1}, "row_security": true,
            "force_row_security": forced, "policies": policies}}})
    };
    let open = json!({"all": {"command": "all", "roles": ["public"], "using": "true"}});
    assert_eq!(
        kinds(&table(false, json!({})), &table(true, json!({}))),
        [("rls_enabled", Level::Breaking)]
    );
    assert_eq!(
        kinds(&table(false, open.clone()), &table(true, open)),
        [("rls_enabled", Level::Dangerous)]
    );
}

#[test]
fn a_view_in_a_tables_place_may_check_what_is_written() {
    let table = json!({"relations": {"notes": {"owner": "shop", "identity": {"object": 1}}}});
    let view = json!({"relations": {"notes": {"kind": "view", "owner": "shop", "updatable": true,
        "definition": "SELECT 1", "options": ["check_option=cascaded"], "identity": {"object": 2}}}});
    let found = kinds(&table, &view);
    assert!(
        found.contains(&("view_check_option_added", Level::Breaking)),
        "{found:?}"
    );
    assert!(
        found.contains(&("table_replaced_by_view", Level::Dangerous)),
        "{found:?}"
    );
}

#[test]
fn what_is_added_to_a_table_behind_a_view_in_its_place_is_met_by_writers() {
    let column = json!({"type": "text", "identity": {"object": 1, "number": 1}});
    let table = |columns: Value, indexes: Value| json!({"owner": "shop", "identity": {"object": 1}, "columns": columns, "indexes": indexes});
    let before = json!({"relations": {"notes": table(json!({"body": column.clone()}), json!({}))}});
    let view = json!({"kind": "view", "owner": "shop", "updatable": true, "definition": "SELECT body FROM texts",
        "columns": {"body": {"type": "text"}}, "identity": {"object": 2}});
    let after = |columns: Value, indexes: Value| json!({"relations": {"texts": table(columns, indexes), "notes": view.clone()}});
    let only_renamed = kinds(&before, &after(json!({"body": column.clone()}), json!({})));
    assert!(
        only_renamed
            .iter()
            .all(|(_, level)| *level != Level::Breaking),
        "{only_renamed:?}"
    );
    let key =
        json!({"texts_body": {"definition": "btree (body)", "columns": ["body"], "unique": true}});
    let with_key = kinds(&before, &after(json!({"body": column.clone()}), key));
    assert!(
        with_key.contains(&("unique_added", Level::Breaking)),
        "{with_key:?}"
    );
    let required =
        json!({"type": "text", "not_null": true, "identity": {"object": 1, "number": 2}});
    let with_column = kinds(
        &before,
        &after(json!({"body": column, "author": required}), json!({})),
    );
    assert!(
        with_column.contains(&("required_column_added", Level::Breaking)),
        "{with_column:?}"
    );
}
