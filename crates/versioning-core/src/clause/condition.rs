//! Conditions: which columns they hold to constants.

use std::collections::BTreeSet;

use super::{Kind, Token, tokens};

/// How deep parentheses are looked into.
const MOST_LEVELS: usize = 8;

/// The columns that a row must have certain constants in to meet the condition: `id = 7 AND tag IN ('a', 'b')`.
/// Of a condition that is more than that, fewer or none are told.
pub fn fixed_columns(condition: &str) -> BTreeSet<String> {
    fixed(condition, MOST_LEVELS)
}

fn fixed(condition: &str, levels: usize) -> BTreeSet<String> {
    let tokens = tokens(condition);
    let is_or = |token: &Token| token.is("or");
    if levels == 0 || tokens.iter().any(is_or) {
        return BTreeSet::new();
    }
    tokens
        .split(|token| token.is("and"))
        .flat_map(|part| match part {
            [open, close] if is_pair(open, close) => {
                fixed(inside(condition, open, close), levels - 1)
            }
            _ => column_of(condition, part, levels).into_iter().collect(),
        })
        .collect()
}

fn is_pair(open: &Token, close: &Token) -> bool {
    open.kind == Kind::Sign(b'(') && close.kind == Kind::Sign(b')')
}

fn inside<'t>(text: &'t str, open: &Token, close: &Token) -> &'t str {
    text.get(open.end..close.start).unwrap_or_default()
}

/// The column of `column = constant`, `column = ANY (constants)` or `column IN (constants)`.
fn column_of(text: &str, part: &[Token], levels: usize) -> Option<String> {
    let (name, value) = match part {
        [_, dot, name, value @ ..] if dot.kind == Kind::Sign(b'.') => (name, value),
        [name, value @ ..] => (name, value),
        [] => return None,
    };
    let (Kind::Word(name) | Kind::Name(name)) = &name.kind else {
        return None;
    };
    let value = match value {
        [equals, any, value @ ..] if equals.kind == Kind::Sign(b'=') && any.is("any") => value,
        [equals, value @ ..] if equals.kind == Kind::Sign(b'=') => value,
        [within, value @ ..] if within.is("in") => value,
        _ => return None,
    };
    (!value.is_empty() && are_constants(text, value, levels)).then(|| name.clone())
}

fn are_constants(text: &str, tokens: &[Token], levels: usize) -> bool {
    let is_plain = |place: usize, token: &Token| match &token.kind {
        Kind::Text => true,
        Kind::Sign(sign) => b"(),:.-[]".contains(sign),
        // A name is one of a type: behind a cast's colons, or before a text.
        Kind::Word(word) => {
            word.starts_with(|first: char| first.is_ascii_digit())
                || matches!(word.as_str(), "true" | "false" | "array")
                || place
                    .checked_sub(1)
                    .and_then(|before| tokens.get(before))
                    .is_some_and(|before| before.kind == Kind::Sign(b':'))
                || tokens
                    .get(place + 1)
                    .is_some_and(|next| next.kind == Kind::Text)
        }
        Kind::Name(_) => false,
    };
    let are_plain = (tokens.iter().enumerate()).all(|(place, token)| is_plain(place, token));
    are_plain
        && tokens.windows(2).all(|pair| match pair {
            [open, close] if is_bracket(open, close) => {
                let inner = inside(text, open, close);
                levels > 0 && are_constants(inner, &super::tokens(inner), levels - 1)
            }
            _ => true,
        })
}

fn is_bracket(open: &Token, close: &Token) -> bool {
    is_pair(open, close) || open.kind == Kind::Sign(b'[') && close.kind == Kind::Sign(b']')
}

#[cfg(test)]
mod tests {
    use super::fixed_columns;

    #[test]
    fn tells_the_columns_that_are_held_to_constants() {
        for (condition, columns) in [
            ("id = 1", "id"),
            ("t.id IN (1, 2) AND kind = 'draft'", "id kind"),
            ("(code = 'hotel')", "code"),
            ("((id = 1) AND (\"Key\" = 'x'::text))", "Key id"),
            ("tag = ANY ('{later,never}')", "tag"),
            ("tag = ANY (ARRAY['a', 'b']::text[])", "tag"),
            ("day = DATE '2024-12-25'", "day"),
            ("id = -1", "id"),
            ("id = 1 OR id = 2", ""),
            ("id > 100", ""),
            ("id <> 1", ""),
            ("id = other", ""),
            ("id = lowest()", ""),
            ("id IN (SELECT id FROM t)", ""),
            ("id IN (VALUES (1), (2))", ""),
            ("NOT id = 1", ""),
            ("id IS NULL", ""),
            ("name = 'a' || suffix", ""),
            ("", ""),
        ] {
            let found: Vec<String> = fixed_columns(condition).into_iter().collect();
            assert_eq!(found.join(" "), columns, "{condition}");
        }
    }

    #[test]
    fn deep_parentheses_are_left_alone() {
        let condition = format!("{}id = 1{}", "(".repeat(20_000), ")".repeat(20_000));
        assert!(fixed_columns(&condition).is_empty());
    }
}
