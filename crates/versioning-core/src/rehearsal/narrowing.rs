//! What a column's type on the way back does to values that people write in the meantime.

use crate::catalog::may_lose_values;

/// What happens to values that don't fit the type on the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrowing {
    /// They are rounded or cut without a word.
    Silent,
    /// The server refuses them, and the way back fails.
    Refused,
}

/// What a change of type does to values that don't fit; none when all fit. `is_computed`: whether USING
/// says more than to cast them, and so has a place for whatever comes.
pub fn narrowing(old: &str, new: &str, is_computed: bool) -> Option<Narrowing> {
    // Types of one name that are two have other values: an enum made anew.
    if old != new && !may_lose_values(old, new) {
        return None;
    }
    // Text has room for every value, and whoever computes it knows how.
    if is_computed && matches!(new, "text" | "character varying") {
        return None;
    }
    if is_computed {
        return Some(Narrowing::Silent);
    }
    if old == new {
        return None;
    }
    let (from, to) = (family(old), family(new));
    Some(match (from, to) {
        (Family::Text, _) | (Family::Integer, Family::Integer) | (_, Family::Other) => {
            Narrowing::Refused
        }
        // As many digits behind the point, only less room before it.
        (Family::Number, Family::Number) if keeps_fraction(old, new) => Narrowing::Refused,
        _ => Narrowing::Silent,
    })
}

fn keeps_fraction(old: &str, new: &str) -> bool {
    match (scale(old), scale(new)) {
        (Some(old), Some(new)) => old <= new,
        _ => false,
    }
}

/// The digits behind the point that a limited numeric has room for.
fn scale(type_name: &str) -> Option<u32> {
    let limits = type_name.strip_prefix("numeric(")?.strip_suffix(')')?;
    limits.split_once(',')?.1.trim().parse().ok()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Text,
    Integer,
    Number,
    Time,
    Json,
    Other,
}

fn family(type_name: &str) -> Family {
    let base = type_name.split(['(', '[']).next().unwrap_or_default();
    match base {
        "text" | "character varying" | "character" => Family::Text,
        "smallint" | "integer" | "bigint" => Family::Integer,
        "numeric" | "real" | "double precision" => Family::Number,
        "jsonb" | "json" => Family::Json,
        _ if ["date", "time", "timestamp", "interval"]
            .iter()
            .any(|word| base.starts_with(word)) =>
        {
            Family::Time
        }
        _ => Family::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_meanwhile_is_cut_or_refused() {
        for (old, new, expected) in [
            ("numeric(10,4)", "numeric(10,2)", Some(Narrowing::Silent)),
            ("numeric(10,2)", "numeric(12,4)", None),
            ("numeric(10,2)", "numeric(10,4)", Some(Narrowing::Refused)),
            ("numeric(8,2)", "numeric(6,0)", Some(Narrowing::Silent)),
            ("numeric", "integer", Some(Narrowing::Silent)),
            ("double precision", "real", Some(Narrowing::Silent)),
            ("timestamp with time zone", "date", Some(Narrowing::Silent)),
            ("bigint", "integer", Some(Narrowing::Refused)),
            ("text", "character varying(5)", Some(Narrowing::Refused)),
            ("text", "integer", Some(Narrowing::Refused)),
            ("integer", "bigint", None),
            ("app.mood", "app.mood", None),
        ] {
            assert_eq!(narrowing(old, new, false), expected, "{old} to {new}");
        }
    }

    #[test]
    fn an_expression_finds_a_place_for_everything() {
        let cut = |old, new| narrowing(old, new, true);
        assert_eq!(cut("text", "character varying(5)"), Some(Narrowing::Silent));
        assert_eq!(cut("app.mood", "app.mood"), Some(Narrowing::Silent));
        assert_eq!(cut("integer", "bigint"), None);
        assert_eq!(cut("text[]", "text"), None);
    }
}
