use super::super::rename::Renames;
use super::same;
use super::types::SchemaTypes;

const BEFORE: &[(&str, &str)] = &[
    ("status", "character varying(20)"),
    ("qty", "integer"),
    ("price", "double precision"),
    ("amount", "numeric(10,2)"),
    ("born", "date"),
    ("code", "character(3)"),
    ("tags", "text[]"),
    ("labels", "character varying(10)[]"),
    ("kept", "integer"),
    ("exact", "numeric"),
    ("name", "text"),
];

const AFTER: &[(&str, &str)] = &[
    ("status", "text"),
    ("qty", "numeric"),
    ("price", "numeric"),
    ("amount", "bigint"),
    ("born", "text"),
    ("code", "character(3)"),
    ("tags", "text[]"),
    ("labels", "text[]"),
    ("kept", "integer"),
    ("exact", "numeric"),
    ("name", "character varying(30)"),
];

fn says_the_same(old: &str, new: &str) -> bool {
    same(
        &Renames::default(),
        &SchemaTypes::table(BEFORE, AFTER),
        old,
        new,
    )
}

#[test]
fn casts_that_follow_from_the_types_of_columns_say_nothing() {
    for (old, new) in [
        (
            "CHECK (status::text <> ''::text)",
            "CHECK (status <> ''::text)",
        ),
        (
            "(lower((status)::text) = 'x'::text)",
            "(lower(status) = 'x'::text)",
        ),
        (
            "CHECK (status::text = ANY (ARRAY['a'::character varying, 'it''s'::character varying]::text[]))",
            "CHECK (status = ANY (ARRAY['a'::character varying::text, 'it''s'::character varying::text]))",
        ),
        (
            "CHECK (length(status::text) > 2 AND COALESCE(status, ''::character varying)::text <> ''::text)",
            "CHECK (length(status) > 2 AND COALESCE(status, ''::character varying::text) <> ''::text)",
        ),
        ("CHECK (qty > 0)", "CHECK (qty > 0::numeric)"),
        (
            "CHECK (qty > '-5'::integer)",
            "CHECK (qty > '-5'::integer::numeric)",
        ),
        ("((qty + 1))", "((qty + (1)::numeric))"),
        (
            "USING btree (status) WHERE kept > 5 AND status::text = 'open'::text",
            "USING btree (status) WHERE kept::numeric > 5::numeric AND status = 'open'::text",
        ),
        (
            "CHECK (price >= 0::double precision)",
            "CHECK (price::double precision >= 0::double precision)",
        ),
        ("CHECK (amount > 0.5)", "CHECK (amount::numeric > 0.5)"),
        ("CHECK (kept > 0)", "CHECK (kept::numeric > 0::numeric)"),
        ("CHECK (name <> ''::text)", "CHECK (name::text <> ''::text)"),
        (
            "CHECK (labels[1]::text <> 'x'::text AND ('y'::text = ANY (labels::text[])))",
            "CHECK (labels[1] <> 'x'::text AND ('y'::text = ANY (labels)))",
        ),
        ("('x'::character varying)::text", "'x'::text"),
        (
            " SELECT o.id\n   FROM orders o\n  WHERE o.status::text = 'open'::text",
            " SELECT o.id\n   FROM orders o\n  WHERE o.status = 'open'::text",
        ),
    ] {
        // A view's columns are known from the schema as a whole.
        let (old, new) = (
            old.replace("o.status", "status"),
            new.replace("o.status", "status"),
        );
        assert!(says_the_same(&old, &new), "{old} → {new}");
    }
}

#[test]
fn casts_that_change_values_say_something() {
    for (old, new) in [
        // Rounded, cut, or read as something else.
        ("CHECK (exact > 0)", "CHECK (exact::integer > 0)"),
        (
            "CHECK (exact > 0::numeric)",
            "CHECK (exact::double precision > 0::double precision)",
        ),
        ("CHECK (kept > 1)", "CHECK (kept > 1.5::integer)"),
        (
            "CHECK (name <> 'abc'::text)",
            "CHECK (name::character varying(2) <> 'abc'::text)",
        ),
        (
            "CHECK (born > '2024-01-01'::date)",
            "CHECK (born > '2024-01-01'::text)",
        ),
        (
            "CHECK (code = 'a'::bpchar)",
            "CHECK (code::text = 'a'::text)",
        ),
        // The kind of number decides.
        (
            "CHECK ((qty / 2) > 1)",
            "CHECK ((qty / 2::numeric) > 1::numeric)",
        ),
        (
            "CHECK ((kept / 2) > 1)",
            "CHECK ((kept::numeric / 2::numeric) > 1::numeric)",
        ),
        ("CHECK (f(kept) > 1)", "CHECK (f(kept::bigint) > 1)"),
        // An array that text is appended to.
        ("tags || 'a'::text", "tags::text || 'a'::text"),
        // Other conditions.
        ("CHECK (qty > 0)", "CHECK (qty > 1::numeric)"),
        ("CHECK (qty > 0)", "CHECK (qty >= 0::numeric)"),
        (
            "CHECK (status::text = 'a'::text)",
            "CHECK (status = 'A'::text)",
        ),
        (
            "CHECK (qty > 0 OR kept > 0 AND kept < 5)",
            "CHECK ((qty > 0::numeric OR kept > 0) AND kept < 5)",
        ),
        ("'5'::integer", "'5'::text"),
        ("NULL::integer", "NULL::date"),
    ] {
        assert!(!says_the_same(old, new), "{old} → {new}");
    }
}

#[test]
fn any_text_is_read() {
    for odd in [
        "",
        "(",
        "))(",
        "'",
        "a::",
        "::",
        "a.b.",
        "x::timestamp(3) with time zone",
        "ARRAY[",
        "\"",
        "E'\\''",
        "a::\"T y\"[]",
    ] {
        let text = format!("{odd}::text");
        assert!(says_the_same(&text, &text));
        let _ = says_the_same(&text, odd);
    }
}
