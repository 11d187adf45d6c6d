//! The clauses of a statement that the server's parser has accepted, as text: which rows a DELETE or
//! UPDATE is about, and what it writes. So the same rows can be counted before it runs.
//!
//! What is not plain (a list of columns on the left of `=`, a part of a column) is not told.

mod condition;
mod home;

pub use condition::fixed_columns;
pub use home::{CarriedRows, carried_column, carried_rows, leaves_clashes_out};

use crate::script;

/// The rows that a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// `WITH …`, when it begins so.
    pub with: Option<String>,
    /// The table as it is written, with ONLY and its alias.
    pub target: String,
    /// The other tables, of USING or FROM.
    pub others: Option<String>,
    /// The condition.
    pub condition: Option<String>,
}

/// A column that is written, and what with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The column.
    pub column: String,
    /// The expression; `None` for DEFAULT.
    pub expression: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// A keyword or plain name, in lower case.
    Word(String),
    /// A quoted name.
    Name(String),
    /// A string.
    Text,
    /// Anything else.
    Sign(u8),
}

/// A token that stands in no parentheses.
#[derive(Debug, Clone)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(found) if found == word)
    }
}

/// The tokens outside parentheses and brackets.
fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut found) = (0, 0_usize, Vec::new());
    loop {
        at = script::skip_blanks(text, at);
        let rest = bytes.get(at..).unwrap_or_default();
        let (kind, length) = match rest {
            [] => return found,
            [b'e' | b'E', b'\'', ..] => (
                Kind::Text,
                1 + script::quoted(rest.get(1..).unwrap_or_default(), true),
            ),
            [b'\'', ..] => (Kind::Text, script::quoted(rest, false)),
            [b'"', ..] => {
                let length = script::quoted(rest, false);
                let inner = text.get(at + 1..at + length - 1).unwrap_or_default();
                (Kind::Name(inner.replace("\"\"", "\"")), length)
            }
            [b'$', ..] if script::dollar_quoted(rest) > 1 => {
                (Kind::Text, script::dollar_quoted(rest))
            }
            [first, ..] if script::is_word(*first) => {
                let length = rest
                    .iter()
                    .take_while(|byte| script::is_word(**byte) || **byte == b'$')
                    .count();
                let word = text.get(at..at + length).unwrap_or_default();
                (Kind::Word(word.to_lowercase()), length)
            }
            [sign, ..] => (Kind::Sign(*sign), 1),
        };
        if matches!(kind, Kind::Sign(b')' | b']')) {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            found.push(Token {
                kind: kind.clone(),
                start: at,
                end: at + length,
            });
        }
        if matches!(kind, Kind::Sign(b'(' | b'[')) {
            depth += 1;
        }
        at += length;
    }
}

/// Where the clause that begins with `word` stands, at or after token `from`.
fn clause(tokens: &[Token], word: &str, from: usize) -> Option<usize> {
    (from..tokens.len()).find(|index| {
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        let is_name = before.is_some_and(|token| token.kind == Kind::Sign(b'.'));
        // a IS DISTINCT FROM b
        let is_operator = word == "from" && before.is_some_and(|token| token.is("distinct"));
        tokens.get(*index).is_some_and(|token| token.is(word)) && !is_name && !is_operator
    })
}

/// The text between the end of one token and the start of another.
fn between(text: &str, tokens: &[Token], after: usize, before: Option<usize>) -> Option<String> {
    let start = tokens.get(after)?.end;
    let end = match before {
        Some(before) => tokens.get(before)?.start,
        None => text.len(),
    };
    Some(text.get(start..end)?.trim().to_owned())
}

/// Everything behind the target: tables and condition.
fn rows(
    text: &str,
    tokens: &[Token],
    verb: usize,
    target: String,
    others: Option<usize>,
    from: usize,
) -> Option<Rows> {
    let condition = clause(tokens, "where", from);
    let end = clause(tokens, "returning", from);
    let start = tokens.get(verb)?.start;
    let with = text.get(..start)?.trim();
    Some(Rows {
        with: (!with.is_empty()).then(|| with.to_owned()),
        target,
        others: match others {
            Some(at) => Some(between(text, tokens, at, condition.or(end))?),
            None => None,
        },
        condition: match condition {
            Some(at) => Some(between(text, tokens, at, end)?),
            None => None,
        },
    })
}

/// The rows that a DELETE is about.
pub fn deleted(text: &str) -> Option<Rows> {
    let tokens = tokens(text);
    let verb = clause(&tokens, "delete", 0)?;
    let from = clause(&tokens, "from", verb)?;
    let using = clause(&tokens, "using", from);
    let ends = [
        using,
        clause(&tokens, "where", from),
        clause(&tokens, "returning", from),
    ];
    let using = using.filter(|at| ends.iter().flatten().all(|end| at <= end));
    let first = ends.into_iter().flatten().min();
    let target = between(text, &tokens, from, first)?;
    rows(text, &tokens, verb, target, using, from)
}

/// The rows that an UPDATE is about, and what it writes.
pub fn updated(text: &str) -> Option<(Rows, Vec<Assignment>)> {
    let tokens = tokens(text);
    let verb = clause(&tokens, "update", 0)?;
    let set = clause(&tokens, "set", verb)?;
    let target = between(text, &tokens, verb, Some(set))?;
    let condition = clause(&tokens, "where", set);
    let ending = clause(&tokens, "returning", set);
    let from = clause(&tokens, "from", set)
        .filter(|at| condition.is_none_or(|end| *at < end) && ending.is_none_or(|end| *at < end));
    let end = [from, condition, ending].into_iter().flatten().min();
    let last = end.unwrap_or(tokens.len());
    let written = assignments(text, tokens.get(set + 1..last)?)?;
    Some((rows(text, &tokens, verb, target, from, set)?, written))
}

fn assignments(text: &str, tokens: &[Token]) -> Option<Vec<Assignment>> {
    tokens
        .split(|token| token.kind == Kind::Sign(b','))
        .map(|part| {
            let [column, equals, value @ ..] = part else {
                return None;
            };
            let column = match &column.kind {
                Kind::Word(name) | Kind::Name(name) => name.clone(),
                Kind::Text | Kind::Sign(_) => return None,
            };
            if equals.kind != Kind::Sign(b'=') {
                return None;
            }
            let expression = match value {
                [] => return None,
                [only] if only.is("default") => None,
                [first, ..] => Some(text.get(first.start..value.last()?.end)?.to_owned()),
            };
            Some(Assignment { column, expression })
        })
        .collect()
}

/// How an ALTER TABLE with one command, ALTER COLUMN … TYPE … USING, converts the values.
pub fn conversion(text: &str) -> Option<String> {
    let tokens = tokens(text);
    let has_more = tokens.iter().any(|token| token.kind == Kind::Sign(b','));
    let using = clause(&tokens, "using", 0).filter(|_| !has_more)?;
    between(text, &tokens, using, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delete_is_taken_apart() {
        let found = deleted(
            "WITH w AS (SELECT 1 FROM x WHERE a) DELETE /* FROM y */ FROM ONLY t AS d USING u \
             JOIN v USING (id) WHERE d.id = u.id AND note <> 'WHERE; RETURNING' RETURNING d.*",
        );
        assert_eq!(
            found,
            Some(Rows {
                with: Some("WITH w AS (SELECT 1 FROM x WHERE a)".into()),
                target: "ONLY t AS d".into(),
                others: Some(
                    "u \
             JOIN v USING (id)"
                        .into()
                ),
                condition: Some("d.id = u.id AND note <> 'WHERE; RETURNING'".into()),
            })
        );
        let plain = deleted("delete from \"where\"").map(|rows| (rows.target, rows.condition));
        assert_eq!(plain, Some(("\"where\"".into(), None)));
        assert_eq!(deleted("SELECT 1"), None);
    }

    #[test]
    fn an_update_is_taken_apart() {
        let (rows, written) = updated(
            "UPDATE t x SET a = coalesce(b, 'x, y'), \"B c\" = a IS DISTINCT FROM $q$ from $q$, d = DEFAULT \
             FROM u WHERE x.id = u.id",
        )
        .unwrap_or_else(|| panic!("an update"));
        assert_eq!(rows.target, "t x");
        assert_eq!(rows.others.as_deref(), Some("u"));
        assert_eq!(rows.condition.as_deref(), Some("x.id = u.id"));
        let written: Vec<(&str, Option<&str>)> = written
            .iter()
            .map(|one| (one.column.as_str(), one.expression.as_deref()))
            .collect();
        assert_eq!(
            written,
            [
                ("a", Some("coalesce(b, 'x, y')")),
                ("B c", Some("a IS DISTINCT FROM $q$ from $q$")),
                ("d", None)
            ]
        );
    }

    #[test]
    fn what_is_not_plain_is_not_told() {
        for text in [
            "UPDATE t SET (a, b) = (1, 2)",
            "UPDATE t SET a[1] = 2",
            "UPDATE t SET a.b = 2",
            "SELECT 1",
        ] {
            assert_eq!(updated(text), None, "{text}");
        }
        assert_eq!(
            conversion("ALTER TABLE t ALTER a TYPE int USING a::int, ADD b int"),
            None
        );
        assert_eq!(
            conversion("ALTER TABLE t ALTER a TYPE int USING coalesce(a, '0')::int").as_deref(),
            Some("coalesce(a, '0')::int")
        );
    }
}
