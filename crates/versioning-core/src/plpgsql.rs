//! What the text of a `DO` block says that it sets: read as tokens, so that strings, quoted names and comments
//! mean nothing, but for the strings that it executes.

mod body;

pub use body::{Raising, Words, raising};

use crate::script;

/// A setting that a block changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, in lower case.
    pub name: String,
    /// Until the end of the transaction only.
    pub local: bool,
    /// `ALTER ROLE`, `ALTER DATABASE`: of the sessions that begin later.
    pub command: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A keyword or plain name, in lower case.
    Word(String),
    /// A quoted name.
    Name(String),
    /// A string, without its quotes.
    Text(String),
    /// Anything else.
    Sign(u8),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(found) if found == word)
    }

    fn name(&self) -> Option<String> {
        match self {
            Self::Word(name) => Some(name.clone()),
            Self::Name(name) => Some(name.to_lowercase()),
            _ => None,
        }
    }

    /// Whether a statement begins behind it.
    fn ends_something(&self) -> bool {
        match self {
            Self::Sign(sign) => matches!(sign, b';' | b'>'),
            Self::Word(word) => matches!(word.as_str(), "begin" | "then" | "else" | "loop"),
            _ => false,
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let (mut at, mut found) = (0, Vec::new());
    loop {
        at = script::skip_blanks(text, at);
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        let part = |from: usize, to: usize| text.get(at + from..at + to).unwrap_or_default();
        let (token, length) = match rest {
            [] => return found,
            [b'e' | b'E', b'\'', ..] => {
                let length = 1 + script::quoted(rest.get(1..).unwrap_or_default(), true);
                (Token::Text(unquoted(part(2, length - 1), '\'')), length)
            }
            [b'\'', ..] => {
                let length = script::quoted(rest, false);
                (Token::Text(unquoted(part(1, length - 1), '\'')), length)
            }
            [b'"', ..] => {
                let length = script::quoted(rest, false);
                (Token::Name(unquoted(part(1, length - 1), '"')), length)
            }
            [b'$', ..] if script::dollar_quoted(rest) > 1 => {
                let length = script::dollar_quoted(rest);
                let opening = 2 + part(1, length).find('$').unwrap_or_default();
                let inner = part(opening, length.saturating_sub(opening));
                (Token::Text(inner.to_owned()), length)
            }
            [first, ..] if script::is_word(*first) => {
                let is_part = |byte: &&u8| script::is_word(**byte) || **byte == b'$';
                let length = rest.iter().take_while(is_part).count();
                (Token::Word(part(0, length).to_lowercase()), length)
            }
            [first, ..] => (Token::Sign(*first), 1),
        };
        found.push(token);
        at += length;
    }
}

fn unquoted(inner: &str, quote: char) -> String {
    let doubled: String = [quote, quote].iter().collect();
    inner.replace(&doubled, quote.encode_utf8(&mut [0; 4]))
}

/// The settings that a block of PL/pgSQL changes, also by strings that it executes.
pub fn settings(body: &str) -> Vec<Setting> {
    let mut found = Vec::new();
    read(body, 0, &mut found);
    found
}

fn read(text: &str, depth: usize, found: &mut Vec<Setting>) {
    /// Strings in strings in strings.
    const DEEPEST: usize = 4;
    let tokens = tokens(text);
    let mut begins = true;
    for (at, token) in tokens.iter().enumerate() {
        let rest = tokens.get(at..).unwrap_or_default();
        if begins {
            found.extend(set(rest).or_else(|| altered(rest)));
            if token.is("execute") && depth < DEEPEST {
                for inner in executed(rest) {
                    read(inner, depth + 1, found);
                }
            }
        }
        found.extend(configured(rest));
        begins = token.ends_something();
    }
}

/// `SET x`, `SET LOCAL x`, `RESET x`.
fn set(tokens: &[Token]) -> Option<Setting> {
    let (verb, rest) = tokens.split_first()?;
    if !verb.is("set") && !verb.is("reset") {
        return None;
    }
    let local = rest.first().is_some_and(|token| token.is("local"));
    let has_scope = local || rest.first().is_some_and(|token| token.is("session"));
    let name = rest.get(usize::from(has_scope))?.name()?;
    let name = match name.as_str() {
        "schema" => "search_path".to_owned(),
        // SESSION AUTHORIZATION, CHARACTERISTICS, CONSTRAINTS, TRANSACTION: no settings of that name.
        "authorization" => "session_authorization".to_owned(),
        "characteristics" | "constraints" | "transaction" => return None,
        _ => name,
    };
    Some(Setting {
        name,
        local,
        command: None,
    })
}

/// `ALTER ROLE … SET x`, `ALTER DATABASE … SET x`.
fn altered(tokens: &[Token]) -> Option<Setting> {
    let [verb, kind, rest @ ..] = tokens else {
        return None;
    };
    let kind = match kind {
        Token::Word(kind) if kind == "database" => "DATABASE",
        Token::Word(kind) if kind == "role" || kind == "user" => "ROLE",
        _ => return None,
    };
    if !verb.is("alter") {
        return None;
    }
    let end = rest.iter().position(|token| *token == Token::Sign(b';'));
    let rest = rest.get(..end.unwrap_or(rest.len()))?;
    let at = rest
        .iter()
        .position(|token| token.is("set") || token.is("reset"))?;
    Some(Setting {
        name: rest.get(at + 1)?.name()?,
        local: false,
        command: Some(format!("ALTER {kind}")),
    })
}

/// `set_config('x', …`.
fn configured(tokens: &[Token]) -> Option<Setting> {
    let [name, Token::Sign(b'('), Token::Text(setting), ..] = tokens else {
        return None;
    };
    name.is("set_config").then(|| Setting {
        name: setting.to_lowercase(),
        local: true,
        command: None,
    })
}

/// The strings of an EXECUTE, up to its end.
fn executed(tokens: &[Token]) -> impl Iterator<Item = &str> {
    tokens
        .iter()
        .take_while(|token| **token != Token::Sign(b';') && !token.is("using"))
        .filter_map(|token| match token {
            Token::Text(text) => Some(text.as_str()),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str) -> Vec<String> {
        settings(body)
            .into_iter()
            .map(|one| match one.command {
                Some(command) => format!("{command} {}", one.name),
                None if one.local => format!("local {}", one.name),
                None => one.name,
            })
            .collect()
    }

    #[test]
    fn what_a_block_sets_is_seen() {
        for (body, expected) in [
            ("BEGIN SET search_path = a; END", "search_path"),
            ("begin set local Search_Path to a; end", "local search_path"),
            ("BEGIN SET SESSION \"search_path\" = a; END", "search_path"),
            (
                "BEGIN IF true THEN SET SCHEMA 'a'; END IF; END",
                "search_path",
            ),
            (
                "BEGIN PERFORM pg_catalog.set_config('search_path', 'a', true); END",
                "local search_path",
            ),
            (
                "BEGIN EXECUTE 'SET search_path TO ' || quote_ident(x); END",
                "search_path",
            ),
            (
                "BEGIN EXECUTE format($q$SET LOCAL search_path = %I$q$, x); END",
                "local search_path",
            ),
            (
                "BEGIN EXECUTE 'ALTER ROLE r SET search_path = a'; END",
                "ALTER ROLE search_path",
            ),
            ("<<here>> SET role = x; END", "role"),
            ("BEGIN RESET search_path; END", "search_path"),
        ] {
            assert_eq!(found(body), [expected], "{body}");
        }
    }

    #[test]
    fn words_that_set_nothing_are_passed_over() {
        for body in [
            "BEGIN RAISE NOTICE 'set search_path = a'; END",
            "BEGIN /* SET search_path = a; */ NULL; -- ; SET role = b\n END",
            "BEGIN UPDATE t SET search_path = 'a'; END",
            "DECLARE \"set search_path\" int; BEGIN NULL; END",
            "BEGIN SET CONSTRAINTS ALL DEFERRED; SET TRANSACTION READ ONLY; END",
            "BEGIN EXECUTE 'SELECT 1' USING 'SET search_path = a'; END",
            "'",
            "$a$",
            "\"",
            "E'",
            "/*",
            "",
        ] {
            assert_eq!(found(body), Vec::<String>::new(), "{body}");
        }
    }
}
