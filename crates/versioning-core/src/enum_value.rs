//! A value that a script adds to an enum type and uses in the same script, which PostgreSQL refuses
//! (55P04) until the transaction that added it has committed.
//!
//! Only uses that are certain count: a literal with a cast to the type, or as the default of a column
//! of the type. A bare literal may mean anything else; running it tells.

use crate::script::{self, Statement};

/// A use of a new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsafeUse {
    /// The value.
    pub value: String,
    /// The type, without its schema.
    pub type_name: String,
    /// The statement that adds it.
    pub added_by: i32,
    /// The statement that uses it.
    pub used_by: i32,
    /// The line of that one.
    pub line: i32,
}

/// A word or sign of a statement that the server's parser has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A name or keyword, as the server would fold it.
    Word(String),
    /// The value of a string literal.
    Text(String),
    /// Anything else, byte by byte.
    Sign(u8),
}

/// A value that one statement of the script adds.
struct Added {
    type_name: String,
    value: String,
    statement: i32,
}

/// The first use of a value that the same script adds, if there is a certain one.
pub fn unsafe_use(statements: &[Statement]) -> Option<UnsafeUse> {
    let mut added: Vec<Added> = Vec::new();
    for statement in statements {
        if statement.command != "ALTER TYPE" && added.is_empty() {
            continue;
        }
        let tokens = tokens(&statement.text);
        if let Some(found) = added.iter().find(|added| uses(&tokens, added)) {
            return Some(UnsafeUse {
                value: found.value.clone(),
                type_name: found.type_name.clone(),
                added_by: found.statement,
                used_by: statement.number,
                line: statement.line,
            });
        }
        added.extend(addition(&tokens).map(|(type_name, value)| Added {
            type_name,
            value,
            statement: statement.number,
        }));
    }
    None
}

/// Type and value of `ALTER TYPE … ADD VALUE …`.
fn addition(tokens: &[Token]) -> Option<(String, String)> {
    let rest = match tokens {
        [Token::Word(alter), Token::Word(kind), rest @ ..]
            if alter == "alter" && kind == "type" =>
        {
            rest
        }
        _ => return None,
    };
    let (type_name, rest) = name(rest)?;
    match rest {
        [Token::Word(add), Token::Word(value), rest @ ..] if add == "add" && value == "value" => {
            let new = rest.iter().find_map(|token| match token {
                Token::Text(text) => Some(text.clone()),
                _ => None,
            })?;
            Some((type_name, new))
        }
        _ => None,
    }
}

/// A dotted name at the front: its last part, and what follows it.
fn name(tokens: &[Token]) -> Option<(String, &[Token])> {
    match tokens {
        [Token::Word(_), Token::Sign(b'.'), rest @ ..] => name(rest),
        [Token::Word(last), rest @ ..] => Some((last.clone(), rest)),
        _ => None,
    }
}

fn uses(tokens: &[Token], added: &Added) -> bool {
    tokens.iter().enumerate().any(|(index, token)| {
        let is_value = matches!(token, Token::Text(text) if *text == added.value);
        let before = tokens.get(..index).unwrap_or_default();
        let after = tokens.get(index + 1..).unwrap_or_default();
        is_value && (is_cast(after, added) || is_typed(before, added) || is_default(before, added))
    })
}

/// `'x'::type`, and `CAST('x' AS type)`.
fn is_cast(after: &[Token], added: &Added) -> bool {
    let target = match after {
        [Token::Sign(b':'), Token::Sign(b':'), rest @ ..] => rest,
        [Token::Word(keyword), rest @ ..] if keyword == "as" => rest,
        _ => return false,
    };
    name(target).is_some_and(|(found, _)| found == added.type_name)
}

/// `type 'x'`.
fn is_typed(before: &[Token], added: &Added) -> bool {
    matches!(before.last(), Some(Token::Word(word)) if *word == added.type_name)
}

/// `type DEFAULT 'x'`, with or without NOT NULL in between.
fn is_default(before: &[Token], added: &Added) -> bool {
    let Some((Token::Word(keyword), before)) = before.split_last() else {
        return false;
    };
    let before = match before {
        [rest @ .., Token::Word(not), Token::Word(null)] if not == "not" && null == "null" => rest,
        other => other,
    };
    keyword == "default" && is_typed(before, added)
}

fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let (mut at, mut found) = (0, Vec::new());
    loop {
        at = script::skip_blanks(text, at);
        let Some(first) = bytes.get(at).copied() else {
            return found;
        };
        let rest = text.get(at..).unwrap_or_default();
        let (token, length) = match first {
            b'\'' | b'"' => quoted(rest, char::from(first)),
            _ if script::is_word(first) => {
                let length = rest
                    .bytes()
                    .take_while(|byte| script::is_word(*byte) || *byte == b'$')
                    .count();
                let word = rest.get(..length).unwrap_or_default();
                (Token::Word(word.to_lowercase()), length)
            }
            _ => (Token::Sign(first), 1),
        };
        found.push(token);
        at += length;
    }
}

/// A literal or a quoted name at the front; a doubled quote stands for one.
fn quoted(rest: &str, quote: char) -> (Token, usize) {
    let mut value = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    let mut end = rest.len();
    while let Some((index, character)) = characters.next() {
        if character != quote {
            value.push(character);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            value.push(quote);
        } else {
            end = index + 1;
            break;
        }
    }
    let token = if quote == '"' {
        Token::Word(value)
    } else {
        Token::Text(value)
    };
    (token, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(texts: &[&str]) -> Vec<Statement> {
        (1..)
            .zip(texts)
            .map(|(number, text)| Statement {
                number,
                line: number,
                text: (*text).to_owned(),
                command: if text.to_lowercase().starts_with("alter type") {
                    "ALTER TYPE".to_owned()
                } else {
                    "OTHER".to_owned()
                },
                refusal: None,
                post_step: None,
                effects: Vec::new(),
            })
            .collect()
    }

    fn found(texts: &[&str]) -> Option<(i32, i32)> {
        unsafe_use(&script(texts)).map(|found| (found.added_by, found.used_by))
    }

    const ADD: &str = "ALTER TYPE app.Mood ADD VALUE IF NOT EXISTS 'it''s ok' AFTER 'sad'";

    #[test]
    fn finds_casts_typed_literals_and_defaults() {
        for text in [
            "SELECT 'it''s ok'::mood",
            "SELECT 'it''s ok' :: app . mood",
            "SELECT CAST ('it''s ok' AS \"mood\")",
            "SELECT app.MOOD 'it''s ok'",
            "CREATE TABLE t (m mood NOT NULL /* ! */ DEFAULT 'it''s ok')",
            "ALTER TABLE t ADD m app.mood DEFAULT 'it''s ok'",
        ] {
            assert_eq!(found(&[ADD, "SELECT 1", text]), Some((1, 3)), "{text}");
        }
    }

    #[test]
    fn leaves_alone_what_may_mean_something_else() {
        for text in [
            "INSERT INTO log VALUES ('it''s ok')",
            "SELECT 'it''s ok'::text",
            "SELECT 'sad'::mood",
            "SELECT '''it''''s ok''::mood'",
            "-- 'it''s ok'::mood\nSELECT 1",
            "ALTER TYPE mood ADD VALUE 'other' AFTER 'it''s ok'",
        ] {
            assert_eq!(found(&[ADD, text]), None, "{text}");
        }
        assert_eq!(found(&["SELECT 'it''s ok'::mood", ADD]), None);
        assert_eq!(
            found(&[
                "ALTER TYPE mood RENAME VALUE 'a' TO 'b'",
                "SELECT 'b'::mood"
            ]),
            None
        );
        assert_eq!(found(&[]), None);
    }
}
