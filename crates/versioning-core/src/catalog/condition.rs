//! Whether one check is stricter than another: only what can be told for certain from simple
//! conditions, `a > 0 AND a < 100`, `length(a) <= 10`, `a = ANY (ARRAY['x', 'y'])`.

use std::collections::BTreeSet;

/// How a new condition relates to the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// Whatever the old one took, the new one takes.
    Looser,
    /// The new one refuses more, or that can't be told.
    Stricter,
}

/// A condition as a whole: what AND and OR join.
#[derive(Debug, Clone, PartialEq)]
enum Formula {
    All(Vec<Self>),
    Any(Vec<Self>),
    One(Condition),
}

/// One of the conditions that are joined.
#[derive(Debug, Clone, PartialEq)]
enum Condition {
    AtLeast(String, f64, bool),
    AtMost(String, f64, bool),
    OneOf(String, BTreeSet<String>),
    Opaque(String),
}

/// Compares `CHECK (…)` definitions, or the conditions of policies. One that isn't understood is only equal to
/// itself.
pub(super) fn compare(old: &str, new: &str) -> Strictness {
    if follows(&formula(old), &formula(new)) {
        Strictness::Looser
    } else {
        Strictness::Stricter
    }
}

/// Whether the wanted holds wherever the given does. What is NULL is so on both sides, so this goes for checks,
/// which take it, and for policies, which don't.
fn follows(given: &Formula, wanted: &Formula) -> bool {
    use Formula::{All, Any, One};
    match (given, wanted) {
        (Any(parts), _) => parts.iter().all(|part| follows(part, wanted)),
        (_, All(parts)) => parts.iter().all(|part| follows(given, part)),
        (One(given), One(wanted)) => implies(given, wanted),
        _ => {
            let by_part = match given {
                All(parts) => parts.iter().any(|part| follows(part, wanted)),
                _ => false,
            };
            by_part
                || match wanted {
                    Any(parts) => parts.iter().any(|part| follows(given, part)),
                    _ => false,
                }
        }
    }
}

fn implies(given: &Condition, wanted: &Condition) -> bool {
    use Condition::{AtLeast, AtMost, OneOf, Opaque};
    match (given, wanted) {
        (Opaque(given), _) if given == "false" => true,
        (_, Opaque(wanted)) if wanted == "true" => true,
        (AtLeast(a, x, open), AtLeast(b, y, wanted_open)) => {
            a == b && (x > y || (x == y && (*open || !wanted_open)))
        }
        (AtMost(a, x, open), AtMost(b, y, wanted_open)) => {
            a == b && (x < y || (x == y && (*open || !wanted_open)))
        }
        (OneOf(a, given), OneOf(b, wanted)) => a == b && given.is_subset(wanted),
        (given, wanted) => given == wanted,
    }
}

fn formula(definition: &str) -> Formula {
    let text = bare(definition.strip_prefix("CHECK ").unwrap_or(definition));
    // The AND of a branch joins nothing outside of it.
    if has_word(text, "CASE ") {
        return Formula::One(Condition::Opaque(text.to_owned()));
    }
    // OR binds less, and the server leaves out the parentheses that it doesn't need.
    for (word, join) in [
        (" OR ", Formula::Any as fn(Vec<Formula>) -> Formula),
        (" AND ", Formula::All),
    ] {
        let parts = split_at(text, word);
        if parts.len() > 1 {
            return join(parts.into_iter().map(formula).collect());
        }
    }
    Formula::One(condition(text))
}

/// Whether a word stands in the text itself, outside of parentheses and quotes.
fn has_word(text: &str, word: &str) -> bool {
    text.starts_with(word) || split_at(text, &format!(" {word}")).len() > 1
}

/// Without the parentheses around the whole.
fn bare(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(inner) = text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        if !is_balanced(inner) {
            break;
        }
        text = inner.trim();
    }
    text
}

fn is_balanced(text: &str) -> bool {
    let mut depth = 0;
    for (letter, quoted) in letters(text) {
        match letter {
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

/// Each character and whether it stands inside quotes.
fn letters(text: &str) -> impl Iterator<Item = (char, bool)> + '_ {
    let mut open: Option<char> = None;
    text.chars().map(move |letter| match open {
        Some(quote) => {
            if letter == quote {
                open = None;
            }
            (letter, true)
        }
        None => {
            if letter == '\'' || letter == '"' {
                open = Some(letter);
            }
            (letter, open.is_some())
        }
    })
}

/// The text cut at a word that stands outside of parentheses and quotes and begins with a space.
fn split_at<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let (mut parts, mut start, mut depth, mut offset) = (Vec::new(), 0, 0, 0);
    for (letter, quoted) in letters(text) {
        match letter {
            _ if quoted => {}
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ' ' if depth == 0
                && text
                    .get(offset..)
                    .is_some_and(|rest| rest.starts_with(word)) =>
            {
                parts.extend(text.get(start..offset));
                start = offset + word.len();
            }
            _ => {}
        }
        offset += letter.len_utf8();
    }
    parts.extend(text.get(start..));
    parts
}

fn condition(text: &str) -> Condition {
    // What is denied is looser where the rest is stricter.
    if text.starts_with("NOT ") {
        return Condition::Opaque(text.to_owned());
    }
    one_of(text)
        .or_else(|| comparison(text))
        .unwrap_or_else(|| Condition::Opaque(text.to_owned()))
}

fn comparison(text: &str) -> Option<Condition> {
    for operator in [" >= ", " <= ", " > ", " < "] {
        let Some((left, right)) = text.split_once(operator) else {
            continue;
        };
        let joined = |side: &str| side.contains(" OR ") || side.contains(" AND ");
        if joined(left) || joined(right) {
            return None;
        }
        let open = !operator.contains('=');
        let greater = operator.contains('>');
        return match (number(left), number(right)) {
            (None, Some(limit)) if greater => {
                Some(Condition::AtLeast(left.to_owned(), limit, open))
            }
            (None, Some(limit)) => Some(Condition::AtMost(left.to_owned(), limit, open)),
            (Some(limit), None) if greater => {
                Some(Condition::AtMost(right.to_owned(), limit, open))
            }
            (Some(limit), None) => Some(Condition::AtLeast(right.to_owned(), limit, open)),
            _ => None,
        };
    }
    None
}

/// `5`, `(5)::numeric`, `'5'::numeric`, and not `'5'::text`, which comes after `'10'`.
fn number(text: &str) -> Option<f64> {
    const NUMBERS: [&str; 6] = [
        "integer",
        "bigint",
        "smallint",
        "numeric",
        "double precision",
        "real",
    ];
    let (literal, type_name) = text.split_once("::").unwrap_or((text, ""));
    let literal = bare(literal);
    let is_number = if literal.starts_with('\'') {
        NUMBERS.iter().any(|name| type_name.starts_with(name))
    } else {
        type_name.is_empty() || NUMBERS.iter().any(|name| type_name.starts_with(name))
    };
    is_number.then(|| literal.trim_matches('\'').parse().ok())?
}

fn one_of(text: &str) -> Option<Condition> {
    let (left, rest) = text.split_once(" = ANY (")?;
    let list = bare(rest.strip_suffix(')')?);
    let list = list.split("]::").next().unwrap_or(list);
    let items = bare(list).strip_prefix("ARRAY[")?.trim_end_matches(']');
    let mut values = BTreeSet::new();
    let (mut item, mut depth) = (String::new(), 0);
    for (letter, quoted) in letters(items) {
        match letter {
            ',' if !quoted && depth == 0 => {
                values.insert(item.trim().to_owned());
                item.clear();
                continue;
            }
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        item.push(letter);
    }
    values.insert(item.trim().to_owned());
    Some(Condition::OneOf(left.to_owned(), values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_looser_for_certain() {
        for (old, new) in [
            ("CHECK (a > 0)", "CHECK (a >= 0)"),
            ("CHECK (a > 0 AND a < 100)", "CHECK (a > 0)"),
            (
                "CHECK (a > 0 AND a < 100)",
                "CHECK (a > '-1'::integer AND a < 200)",
            ),
            ("CHECK (length(a) <= 10)", "CHECK (length(a) <= 20)"),
            (
                "CHECK (price > (10)::numeric)",
                "CHECK (price > 0::numeric)",
            ),
            (
                "CHECK (a = ANY (ARRAY['x'::text, 'y'::text]))",
                "CHECK (a = ANY (ARRAY['x'::text, 'y'::text, 'z, w'::text]))",
            ),
            ("CHECK (f(a) AND a > 0)", "CHECK (f(a))"),
            ("CHECK (a > 1)", "CHECK (b > 5 OR a > 0)"),
            ("CHECK (a > 1 OR b > 0)", "CHECK (a > 0 OR b > 0 OR f(c))"),
            ("a < 4 AND (b = 'x'::text OR b = 'z'::text)", "a < 4"),
            ("a < 100", "(a < 1000)"),
            ("a < 4 AND f(b) OR c", "a < 4 OR c"),
            ("a < 4", "true"),
            ("false", "a < 4"),
            (
                "CHECK (a::text = ANY (ARRAY['x'::character varying, 'y'::character varying]::text[]))",
                "CHECK (a::text = ANY (ARRAY['x'::character varying, 'y'::character varying, 'z'::character varying]::text[]))",
            ),
        ] {
            assert_eq!(compare(old, new), Strictness::Looser, "{old} → {new}");
            if old != new {
                assert_eq!(compare(new, old), Strictness::Stricter, "{new} → {old}");
            }
        }
    }

    #[test]
    fn what_it_does_not_understand_counts_as_stricter() {
        for (old, new) in [
            ("CHECK (f(a))", "CHECK (g(a))"),
            ("CHECK (a > 0 OR b > 0)", "CHECK (a > 1 OR b > 0)"),
            ("CHECK (a <> ' AND '::text)", "CHECK (a <> ' OR '::text)"),
            ("CHECK (a ~ '('::text)", "CHECK (a ~ ')'::text)"),
            ("a < 4", "a < 4 AND (b = 'x'::text OR b = 'z'::text)"),
            ("a < 4", "NOT a < 4 OR b = 'x'::text"),
            ("NOT a < 4", "NOT a < 10"),
            (
                "NOT (a = ANY (ARRAY[1, 2]))",
                "NOT (a = ANY (ARRAY[1, 2, 3]))",
            ),
            // Which AND binds more than the OR beside it.
            ("CHECK (a > 0 AND b > 0 OR c > 0)", "CHECK (a > 0)"),
            ("CHECK (name < '5'::text)", "CHECK (name < '10'::text)"),
            (
                "CASE WHEN a AND b THEN c ELSE d END",
                "CASE WHEN a THEN c ELSE d END",
            ),
            (
                "CASE WHEN a > 0 AND b THEN c ELSE a > 0 AND d END",
                "CASE WHEN a > 0",
            ),
        ] {
            assert_eq!(compare(old, new), Strictness::Stricter, "{old} → {new}");
        }
    }
}
