//! What a change of type means: whether every old value still fits, whether values may change on the
//! way, and whether rows are written anew. Types are read as the server prints them.

/// A type and its modifiers: `numeric(10,2)[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TypeName {
    base: String,
    modifiers: Vec<i64>,
    array: bool,
}

/// What a change of type means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TypeChange {
    /// How clients see it.
    pub fit: Fit,
    /// Values may be cut, rounded or refused.
    pub lossy: bool,
    /// Rows are written anew.
    pub rewrite: bool,
}

/// How the new type relates to the old one, as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It takes every old value and reads the same.
    Widened,
    /// Values of the old type may not fit.
    Narrowed,
    /// It is another type.
    Other,
}

const fn change(fit: Fit, lossy: bool, rewrite: bool) -> TypeChange {
    TypeChange {
        fit,
        lossy,
        rewrite,
    }
}

fn parse(text: &str) -> TypeName {
    let (text, array) = match text.strip_suffix("[]") {
        Some(element) => (element, true),
        None => (text, false),
    };
    // `timestamp(3) with time zone`: the modifiers may stand in the middle.
    let (base, modifiers) = match (text.find('('), text.find(')')) {
        (Some(open), Some(close)) if open < close => {
            let numbers = text.get(open + 1..close).unwrap_or_default();
            let parsed: Result<Vec<i64>, _> = numbers
                .split(',')
                .map(|number| number.trim().parse())
                .collect();
            match parsed {
                Ok(modifiers) => {
                    let rest = text.get(close + 1..).unwrap_or_default();
                    (
                        format!("{}{rest}", text.get(..open).unwrap_or_default()),
                        modifiers,
                    )
                }
                Err(_) => (text.to_owned(), Vec::new()),
            }
        }
        _ => (text.to_owned(), Vec::new()),
    };
    TypeName {
        base,
        modifiers,
        array,
    }
}

/// What changing a column from one type to another means; the types differ.
pub(super) fn compare(old: &str, new: &str) -> TypeChange {
    let (old, new) = (parse(old), parse(new));
    if old.array != new.array {
        return change(Fit::Other, true, true);
    }
    let found = scalar(&old, &new);
    TypeChange {
        // The elements of an array are converted one by one, whatever they are.
        rewrite: found.rewrite || (old.array && old.base != new.base),
        ..found
    }
}

fn scalar(old: &TypeName, new: &TypeName) -> TypeChange {
    if old.base == new.base {
        return same_base(old, new);
    }
    match (old.base.as_str(), new.base.as_str()) {
        (from, to) if is_string(from) && is_string(to) => string(old, new),
        (from, to) if integer_digits(from).is_some() && integer_digits(to).is_some() => {
            let wider = integer_digits(from) < integer_digits(to);
            if wider {
                change(Fit::Widened, false, true)
            } else {
                change(Fit::Narrowed, true, true)
            }
        }
        (from, "numeric") if integer_digits(from).is_some() => {
            let room = whole_digits(new);
            let lossy = room.is_some_and(|room| room < integer_digits(from).unwrap_or(0));
            change(Fit::Other, lossy, true)
        }
        ("real", "double precision") => change(Fit::Widened, false, true),
        ("double precision", "real") => change(Fit::Narrowed, true, true),
        ("cidr", "inet") => change(Fit::Widened, false, false),
        (_, to) if is_string(to) => change(Fit::Other, !is_unbounded_string(new), true),
        (from, to) => change(Fit::Other, !is_lossless(from, to), true),
    }
}

/// Conversions between families that keep every value.
fn is_lossless(from: &str, to: &str) -> bool {
    matches!(
        (from, to),
        ("smallint", "real")
            | ("smallint" | "integer", "double precision")
            | ("real" | "double precision", "text")
            | (
                "date",
                "timestamp without time zone" | "timestamp with time zone"
            )
            | ("timestamp without time zone", "timestamp with time zone")
            | ("time without time zone", "time with time zone" | "interval")
            | ("jsonb", "json")
            | ("boolean", "integer" | "smallint" | "bigint")
    )
}

fn is_string(base: &str) -> bool {
    matches!(
        base,
        "text" | "character varying" | "character" | "\"char\"" | "name" | "citext"
    )
}

fn is_unbounded_string(kind: &TypeName) -> bool {
    matches!(kind.base.as_str(), "text" | "citext" | "character varying")
        && kind.modifiers.is_empty()
}

fn string(old: &TypeName, new: &TypeName) -> TypeChange {
    let (from, to) = (old.modifiers.first(), new.modifiers.first());
    let fits = match (new.base.as_str(), from, to) {
        ("text" | "citext", ..) => true,
        ("character varying", _, None) => true,
        ("character varying", Some(from), Some(to)) => from <= to,
        _ => false,
    };
    let coercible = matches!(
        (old.base.as_str(), new.base.as_str()),
        ("text", "character varying")
            | ("character varying", "text" | "citext")
            | ("citext", "text")
    ) && fits;
    if new.base == "citext" || old.base == "citext" {
        return change(Fit::Other, !fits, !coercible);
    }
    if fits {
        change(Fit::Widened, false, !coercible)
    } else {
        change(Fit::Narrowed, true, true)
    }
}

/// How many digits the integers of that type may have.
fn integer_digits(base: &str) -> Option<i64> {
    match base {
        "smallint" => Some(5),
        "integer" => Some(10),
        "bigint" => Some(19),
        _ => None,
    }
}

/// The digits before the point that a numeric has room for; `None` for any number.
fn whole_digits(kind: &TypeName) -> Option<i64> {
    let precision = kind.modifiers.first()?;
    Some(precision - kind.modifiers.get(1).unwrap_or(&0))
}

fn same_base(old: &TypeName, new: &TypeName) -> TypeChange {
    let widened = |rewrite| change(Fit::Widened, false, rewrite);
    let narrowed = change(Fit::Narrowed, true, true);
    let (from, to) = (old.modifiers.first(), new.modifiers.first());
    match old.base.as_str() {
        "numeric" => {
            let scale = |kind: &TypeName| kind.modifiers.get(1).copied().unwrap_or(0);
            match (whole_digits(old), whole_digits(new)) {
                (_, None) => widened(false),
                (None, Some(_)) => narrowed,
                (Some(before), Some(after)) if before <= after && scale(old) <= scale(new) => {
                    widened(scale(old) != scale(new))
                }
                _ => narrowed,
            }
        }
        // A fixed length is filled up with blanks, so every row is written.
        "character" | "bit" => match (from.unwrap_or(&1), to.unwrap_or(&1)) {
            (from, to) if from <= to && old.base == "character" => widened(true),
            _ => narrowed,
        },
        // Without a modifier there is no limit.
        _ => match (from, to) {
            (_, None) => widened(false),
            (Some(from), Some(to)) if from <= to => widened(false),
            _ => narrowed,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(old: &str, new: &str) -> (Fit, bool, bool) {
        let found = compare(old, new);
        (found.fit, found.lossy, found.rewrite)
    }

    #[test]
    fn a_wider_type_of_the_same_family_keeps_every_value() {
        for (old, new, rewrite) in [
            ("character varying(10)", "character varying(20)", false),
            ("character varying(10)", "text", false),
            ("character varying(10)", "character varying", false),
            ("character(3)", "text", true),
            ("smallint", "integer", true),
            ("integer", "bigint", true),
            ("real", "double precision", true),
            ("numeric(10,2)", "numeric(12,2)", false),
            ("numeric(10,2)", "numeric(12,4)", true),
            ("numeric(10,2)", "numeric", false),
            (
                "timestamp(0) without time zone",
                "timestamp without time zone",
                false,
            ),
            (
                "timestamp(0) with time zone",
                "timestamp(3) with time zone",
                false,
            ),
            ("integer[]", "bigint[]", true),
        ] {
            assert_eq!(
                fit(old, new),
                (Fit::Widened, false, rewrite),
                "{old} → {new}"
            );
        }
    }

    #[test]
    fn a_narrower_type_may_cut_values() {
        for (old, new) in [
            ("character varying(20)", "character varying(10)"),
            ("text", "character varying(10)"),
            ("bigint", "integer"),
            ("numeric(10,2)", "numeric(10,1)"),
            ("numeric(10,2)", "numeric(11,4)"),
            ("numeric", "numeric(10,2)"),
            ("double precision", "real"),
            (
                "timestamp without time zone",
                "timestamp(0) without time zone",
            ),
            ("bigint[]", "integer[]"),
        ] {
            assert_eq!(fit(old, new), (Fit::Narrowed, true, true), "{old} → {new}");
        }
    }

    #[test]
    fn another_family_is_another_type_even_where_no_value_is_lost() {
        for (old, new, lossy) in [
            ("integer", "text", false),
            ("text", "integer", true),
            ("integer", "numeric", false),
            ("integer", "numeric(4,2)", true),
            ("date", "timestamp without time zone", false),
            ("timestamp with time zone", "date", true),
            ("json", "jsonb", true),
            ("jsonb", "json", false),
            ("bigint", "double precision", true),
            ("text", "text[]", true),
            ("uuid", "character varying(10)", true),
        ] {
            assert_eq!(fit(old, new), (Fit::Other, lossy, true), "{old} → {new}");
        }
    }
}
