//! Writers that run into something: views that take less, triggers that refuse, bodies whose names have gone.

use serde_json::{Value, json};

use super::{Level, diff, read};

fn kinds(before: &Value, after: &Value) -> Vec<(&'static str, Level)> {
    let read = |value: &Value| {
        let mut value = value.clone();
        value["format"] = 1.into();
        value["owner"] = "shop".into();
        read(&value.to_string()).expect("a schema")
    };
    let mut found: Vec<_> = diff(&read(before), &read(after))
        .into_iter()
        .flat_map(|change| change.findings)
        .filter(|finding| finding.level >= Level::Dangerous)
        .map(|finding| (finding.kind, finding.level))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn relations(relations: Value) -> Value {
    json!({ "relations": relations })
}

#[test]
fn a_view_that_took_some_writes_and_takes_fewer_breaks_writers() {
    let view = |commands: &[&str]| {
        relations(
            json!({"v": {"kind": "view", "definition": "SELECT 1", "partly_updatable": commands}}),
        )
    };
    let broken = [("view_not_updatable", Level::Breaking)];
    assert_eq!(kinds(&view(&["insert"]), &view(&[])), broken);
    assert_eq!(
        kinds(&view(&["insert", "update"]), &view(&["update"])),
        broken
    );
    assert_eq!(kinds(&view(&["insert"]), &view(&["insert", "update"])), []);
}

#[test]
fn a_materialized_view_needs_one_key_to_be_refreshed_beside_readers() {
    let index = |columns: &str, predicate: Option<&str>| json!({"definition": format!("USING btree ({columns})"), "columns": [columns], "unique": true, "predicate": predicate});
    let view = |indexes: Value| {
        relations(
            json!({"m": {"kind": "materialized view", "definition": "SELECT 1", "indexes": indexes,
            "columns": {"id": {"type": "integer"}, "code": {"type": "text"}}}}),
        )
    };
    let both = view(json!({"by_id": index("id", None), "by_code": index("code", None)}));
    let one = view(json!({"by_id": index("id", None)}));
    let useless =
        view(json!({"by_id": index("id", Some("id > 0")), "lower": index("lower(code)", None)}));
    assert_eq!(kinds(&both, &one), []);
    assert_eq!(kinds(&one, &useless), [("unique_dropped", Level::Breaking)]);
    assert_eq!(kinds(&useless, &view(json!({}))), []);
}

#[test]
fn a_default_of_a_view_matters_where_its_table_needs_a_value() {
    let schema = |default: Option<&str>, required: bool| {
        relations(json!({
            "t": {"columns": {"lang": {"type": "text", "not_null": required}}},
            "inner": {"kind": "view", "definition": " SELECT t.lang AS l\n   FROM t;", "columns": {"l": {"type": "text"}}},
            "v": {"kind": "view", "definition": " SELECT i.l AS language\n   FROM \"inner\" i;", "updatable": true,
                  "columns": {"language": {"type": "text", "default": default}}}
        }))
    };
    let lost = |required| kinds(&schema(Some("'de'"), required), &schema(None, required));
    assert_eq!(lost(true), [("default_dropped", Level::Breaking)]);
    assert_eq!(lost(false), [("default_changed", Level::Dangerous)]);
}

#[test]
fn a_column_that_is_renamed_and_narrowed_is_both() {
    let table = |name: &str, kind: &str| {
        relations(json!({"t": {"identity": {"object": 1},
            "columns": {name: {"type": kind, "identity": {"object": 1, "number": 1}}}}}))
    };
    assert_eq!(
        kinds(
            &table("title", "character varying(40)"),
            &table("heading", "character varying(10)")
        ),
        [
            ("column_renamed", Level::Breaking),
            ("column_type_narrowed", Level::Breaking)
        ]
    );
}

#[test]
fn a_primary_key_that_moves_is_no_key_any_more() {
    let table = |column: &str, constraints: Value| {
        relations(
            json!({"t": {"columns": {column: {"type": "integer", "not_null": true, "default": "1"}}, "constraints": constraints}}),
        )
    };
    let key = |column: &str| json!({"t_pkey": {"kind": "primary key", "definition": format!("PRIMARY KEY ({column})"), "columns": [column]}});
    let found = kinds(&table("id", key("id")), &table("uid", key("uid")));
    assert!(
        found.contains(&("unique_dropped", Level::Breaking)),
        "{found:?}"
    );
    let found = kinds(&table("id", key("id")), &table("uid", json!({})));
    assert!(
        !found.iter().any(|(kind, _)| *kind == "unique_dropped"),
        "{found:?}"
    );
}

fn guarded(body: Option<&str>, trigger: &str) -> Value {
    let function = body.map(|body| {
        json!({"guard()": {"name": "guard", "owner": "shop", "language": "plpgsql", "result": "trigger", "body": body}})
    });
    let triggers = body
        .map(|_| json!({"guard": {"definition": format!("{trigger} EXECUTE FUNCTION guard()")}}));
    json!({
        "functions": function.unwrap_or(json!({})),
        "relations": {"t": {"columns": {"n": {"type": "integer"}}, "triggers": triggers.unwrap_or(json!({}))}}
    })
}

const ROWS: &str = "BEFORE INSERT ON t FOR EACH ROW";

#[test]
fn a_trigger_whose_function_always_raises_refuses_writes() {
    let (quiet, always) = ("BEGIN RETURN NEW; END", "BEGIN RAISE EXCEPTION 'no'; END");
    let perhaps = "BEGIN IF NEW.n < 0 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END";
    let none = guarded(None, ROWS);
    let refuses = ("writes_rejected_by_trigger", Level::Breaking);
    let added = ("trigger_added", Level::Dangerous);
    assert_eq!(kinds(&none, &guarded(Some(always), ROWS)), [added, refuses]);
    assert_eq!(kinds(&none, &guarded(Some(perhaps), ROWS)), [added]);
    assert_eq!(
        kinds(&guarded(Some(quiet), ROWS), &guarded(Some(always), ROWS)),
        [refuses]
    );
    assert_eq!(
        kinds(&guarded(Some(quiet), ROWS), &guarded(Some(perhaps), ROWS)),
        [("trigger_changed", Level::Dangerous)]
    );
    assert_eq!(
        kinds(&guarded(Some(always), ROWS), &guarded(Some(quiet), ROWS)),
        []
    );
    let other = "BEGIN IF NEW.n < 1 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END";
    assert_eq!(
        kinds(&guarded(Some(perhaps), ROWS), &guarded(Some(other), ROWS)),
        []
    );
    let some = "BEFORE INSERT ON t FOR EACH ROW WHEN (new.n > 5)";
    assert_eq!(kinds(&none, &guarded(Some(always), some)), [added]);
}

#[test]
fn a_body_that_names_what_has_gone_may_be_broken() {
    let schema = |relations: Value, body: &str| {
        json!({"relations": relations, "functions": {"f()": {
            "name": "f", "owner": "shop", "language": "plpgsql", "body": body}}})
    };
    let text = json!({"type": "text"});
    let with =
        json!({"t": {"columns": {"fax": text, "id": text}}, "s": {"columns": {"fax": text}}});
    let without = json!({"t": {"columns": {"id": text}}, "s": {"columns": {"fax": text}}});
    let told = |body: &str| {
        let found = kinds(&schema(with.clone(), body), &schema(without.clone(), body));
        found.contains(&("function_body_broken", Level::Dangerous))
    };
    assert!(told("BEGIN RETURN (SELECT fax FROM t); END"));
    for body in [
        "BEGIN RETURN (SELECT fax FROM s); END",
        "BEGIN RETURN (SELECT s.fax FROM t JOIN s ON true); END",
        "DECLARE fax text; BEGIN SELECT id INTO fax FROM t; END",
        "BEGIN RETURN (SELECT id FROM t /* fax */ WHERE id <> 'fax'); END",
    ] {
        assert!(!told(body), "{body}");
    }
}
