//! What kind of value an expression has, as far as casts matter.

/// What kind of value an expression has, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    TextArray,
    Number(String),
    Null,
    Other,
}

/// The kind of a type, as the server prints that.
pub(super) fn kind_of(printed: &str) -> Kind {
    let is_varying = |name: &str| {
        name == "text"
            || name == "character varying"
            || name
                .strip_prefix("character varying(")
                .is_some_and(|rest| rest.ends_with(')') && !rest.contains("]"))
    };
    match printed.strip_suffix("[]") {
        Some(element) if is_varying(element) => Kind::TextArray,
        Some(_) => Kind::Other,
        None if is_varying(printed) => Kind::Text,
        None => match printed.split('(').next() {
            Some("numeric") => Kind::Number("numeric".to_owned()),
            Some("smallint" | "integer" | "bigint" | "real" | "double precision") => {
                Kind::Number(printed.to_owned())
            }
            _ => Kind::Other,
        },
    }
}

/// Words that name nothing: what follows them in parentheses isn't an argument.
pub(super) const KEYWORDS: [&str; 30] = [
    "AND",
    "AS",
    "BY",
    "CASE",
    "CHECK",
    "DISTINCT",
    "DO",
    "ELSE",
    "END",
    "FROM",
    "HAVING",
    "IN",
    "INSTEAD",
    "IS",
    "LIMIT",
    "NOT",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "RETURN",
    "RETURNING",
    "SELECT",
    "SET",
    "THEN",
    "USING",
    "WHEN",
    "WHERE",
    "WITH",
    "GROUP",
];

/// Functions of the server's that do with any kind of number or text what they do with another.
pub(super) const INDIFFERENT: [&str; 33] = [
    "ALL",
    "ANY",
    "ARRAY",
    "COALESCE",
    "EXISTS",
    "GREATEST",
    "LEAST",
    "NULLIF",
    "VALUES",
    "abs",
    "btrim",
    "char_length",
    "character_length",
    "concat",
    "count",
    "\"left\"",
    "\"right\"",
    "initcap",
    "length",
    "lower",
    "ltrim",
    "max",
    "min",
    "now",
    "octet_length",
    "replace",
    "reverse",
    "rtrim",
    "split_part",
    "strpos",
    "substr",
    "upper",
    "md5",
];

/// Functions of the server's that make text of text.
const OF_TEXT: [&str; 16] = [
    "btrim",
    "initcap",
    "\"left\"",
    "lower",
    "ltrim",
    "lpad",
    "md5",
    "regexp_replace",
    "replace",
    "reverse",
    "\"right\"",
    "rpad",
    "rtrim",
    "split_part",
    "substr",
    "upper",
];

/// What a call of the server's own functions gives.
pub(super) fn kind_of_call(name: &str, arguments: &[Kind]) -> Kind {
    let all_text = || {
        let mut known = arguments
            .iter()
            .filter(|kind| **kind != Kind::Null)
            .peekable();
        known.peek().is_some() && known.all(|kind| *kind == Kind::Text)
    };
    match name {
        "ARRAY" if all_text() => Kind::TextArray,
        "COALESCE" | "NULLIF" | "GREATEST" | "LEAST" if all_text() => Kind::Text,
        name if OF_TEXT.contains(&name) && arguments.first() == Some(&Kind::Text) => Kind::Text,
        _ => Kind::Other,
    }
}

/// Whether the text is a number that a value of the type can be.
pub(super) fn is_number(text: &str, name: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let decimal = digits.split_once('.').is_some_and(|(whole, part)| {
        [whole, part]
            .iter()
            .all(|side| !side.is_empty() && side.bytes().all(|digit| digit.is_ascii_digit()))
    });
    match name {
        "smallint" => whole && text.parse::<i16>().is_ok(),
        "integer" => whole && text.parse::<i32>().is_ok(),
        "bigint" => whole && text.parse::<i64>().is_ok(),
        "numeric" => whole || decimal,
        "double precision" => (whole || decimal) && digits.len() <= 16,
        "real" => whole && digits.len() <= 6,
        _ => false,
    }
}

/// Whether every number of the type is the same number in the other one.
pub(super) fn is_wider(from: &str, to: &str) -> bool {
    matches!(
        (from, to),
        (
            "smallint",
            "integer" | "bigint" | "numeric" | "real" | "double precision"
        ) | ("integer", "bigint" | "numeric" | "double precision")
            | ("bigint", "numeric")
            | ("real", "double precision")
    )
}
