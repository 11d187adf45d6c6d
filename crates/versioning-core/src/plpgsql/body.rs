//! What the body of a function says, as far as its words tell: whether it refuses, and what it names.
//! Strings, quoted names and comments are no words of it.

use super::{Token, tokens};

/// Whether a block raises an error by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Raising {
    /// Nothing in it says so.
    Never,
    /// Somewhere, under some condition.
    Perhaps,
    /// Whatever it is called for.
    Always,
}

/// Whether a block of PL/pgSQL raises an error.
pub fn raising(body: &str) -> Raising {
    let tokens = tokens(body);
    let mut statements = statements(&tokens);
    if !statements.any(is_error) {
        return Raising::Never;
    }
    let mut handled = tokens.windows(2);
    let is_handled = handled
        .any(|pair| matches!(pair, [first, second] if first.is("exception") && second.is("when")));
    if !is_handled && begins_with_error(&tokens) {
        Raising::Always
    } else {
        Raising::Perhaps
    }
}

/// What stands where a statement begins, each with all that follows.
fn statements(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    (0..tokens.len()).filter_map(move |at| {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        before
            .is_none_or(Token::ends_something)
            .then(|| tokens.get(at..).unwrap_or_default())
    })
}

fn is_error(statement: &[Token]) -> bool {
    let mut words = statement.iter();
    if !words.next().is_some_and(|token| token.is("raise")) {
        return false;
    }
    let quiet = ["debug", "log", "info", "notice", "warning"];
    !words
        .next()
        .is_some_and(|level| quiet.iter().any(|word| level.is(word)))
}

/// Whether an error comes before anything that may go another way.
fn begins_with_error(tokens: &[Token]) -> bool {
    const BRANCHES: [&str; 12] = [
        "if", "case", "loop", "while", "for", "foreach", "return", "exit", "continue", "begin",
        "declare", "end",
    ];
    let Some(begin) = tokens.iter().position(|token| token.is("begin")) else {
        return false;
    };
    let inner = tokens.get(begin + 1..).unwrap_or_default();
    for statement in statements(inner) {
        if is_error(statement) {
            return true;
        }
        let first = statement.first();
        let branches = first.is_some_and(|token| {
            BRANCHES.iter().any(|word| token.is(word)) || *token == Token::Sign(b'<')
        });
        if branches {
            return false;
        }
    }
    false
}

/// The words of a function's body.
pub struct Words {
    tokens: Vec<Token>,
}

impl Words {
    /// Those of that body.
    pub fn of(body: &str) -> Self {
        Self {
            tokens: tokens(body),
        }
    }

    fn is_name(token: &Token, name: &str) -> bool {
        match token {
            Token::Word(word) | Token::Name(word) => word == name,
            _ => false,
        }
    }

    /// Whether the name occurs at all.
    pub fn has(&self, name: &str) -> bool {
        self.tokens.iter().any(|token| Self::is_name(token, name))
    }

    /// Whether the name occurs where a table stands.
    pub fn has_table(&self, name: &str) -> bool {
        const BEFORE: [&str; 6] = ["from", "join", "into", "update", "only", "table"];
        let at = |place: usize| self.tokens.get(place);
        self.tokens.iter().enumerate().any(|(place, token)| {
            if !Self::is_name(token, name) {
                return false;
            }
            // Behind its schema, if that is named.
            let dotted = place >= 2 && at(place - 1) == Some(&Token::Sign(b'.'));
            let before = if dotted { place - 2 } else { place };
            let before = before.checked_sub(1).and_then(at);
            let is_listed = before.is_some_and(|it| BEFORE.iter().any(|word| it.is(word)));
            is_listed || matches!(at(place + 1), Some(Token::Sign(b'%' | b'.')))
        })
    }

    /// Whether a function of that name is called.
    pub fn calls(&self, name: &str) -> bool {
        self.tokens
            .windows(2)
            .any(|pair| matches!(pair, [called, Token::Sign(b'(')] if Self::is_name(called, name)))
    }

    /// Whether a trigger's row is asked for a column of that name.
    pub fn has_field(&self, column: &str) -> bool {
        self.tokens.windows(3).any(|three| {
            matches!(three, [row, Token::Sign(b'.'), field]
                if (row.is("new") || row.is("old")) && Self::is_name(field, column))
        })
    }

    /// Whether a variable of that name is declared.
    pub fn declares(&self, name: &str) -> bool {
        let declared = self.tokens.iter().take_while(|token| !token.is("begin"));
        let is_block = self.tokens.iter().any(|token| token.is("begin"));
        is_block && declared.into_iter().any(|token| Self::is_name(token, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_refuses_is_told_from_one_that_may() {
        for (body, expected) in [
            ("BEGIN RAISE EXCEPTION 'no'; END", Raising::Always),
            ("BEGIN RAISE 'no'; END", Raising::Always),
            (
                "DECLARE n int := 1; BEGIN n := 2; RAISE SQLSTATE '22023'; END",
                Raising::Always,
            ),
            (
                "BEGIN RAISE NOTICE 'x'; RAISE EXCEPTION 'no'; END",
                Raising::Always,
            ),
            (
                "BEGIN IF NEW.n < 0 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END",
                Raising::Perhaps,
            ),
            (
                "BEGIN RETURN NEW; RAISE EXCEPTION 'no'; END",
                Raising::Perhaps,
            ),
            (
                "BEGIN RAISE EXCEPTION 'no'; EXCEPTION WHEN OTHERS THEN RETURN NULL; END",
                Raising::Perhaps,
            ),
            (
                "BEGIN RAISE NOTICE 'exception'; RETURN NEW; END",
                Raising::Never,
            ),
            (
                "BEGIN -- RAISE EXCEPTION 'no';\n RETURN NEW; END",
                Raising::Never,
            ),
            (
                "BEGIN PERFORM 'x; RAISE EXCEPTION'; RETURN NEW; END",
                Raising::Never,
            ),
            ("SELECT 1", Raising::Never),
        ] {
            assert_eq!(raising(body), expected, "{body}");
        }
    }

    #[test]
    fn names_are_found_where_they_stand_for_things() {
        let words = Words::of(
            "DECLARE total int; row app.\"Order\"%ROWTYPE; BEGIN\n\
             SELECT sum(price) INTO total FROM app.item i JOIN ONLY stock ON true; -- FROM attic\n\
             PERFORM 'FROM cellar', touch(NEW.fax); RETURN NEW; END",
        );
        for table in ["item", "stock", "Order"] {
            assert!(words.has_table(table), "{table}");
        }
        for other in ["attic", "cellar", "price", "order"] {
            assert!(!words.has_table(other), "{other}");
        }
        assert!(words.calls("touch") && !words.calls("item"));
        assert!(words.has_field("fax") && !words.has_field("price"));
        assert!(words.declares("total") && !words.declares("price"));
        assert!(words.has("price") && !words.has("cellar"));
    }
}
