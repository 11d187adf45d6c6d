//! A script as data: its statements, why one of them is refused, and where in the text things are.
//!
//! Statements come from the server's own parser. What is read from the text here serves only to say
//! where something is: blanks and comments are skipped, ends of statements are guessed and then
//! checked by that parser.

use crate::effect::Effect;
use crate::post_step::PostStep;

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its place in the script, from 1.
    pub number: i32,
    /// The line of its first token, from 1.
    pub line: i32,
    /// Its text without the semicolon and without what stands before its first token.
    pub text: String,
    /// The command tag the server gives it, such as `CREATE TABLE`.
    pub command: String,
    /// Why a migration can't have it, if it can't.
    pub refusal: Option<Refusal>,
    /// What it does, as far as its text tells.
    pub effects: Vec<Effect>,
    /// What it works on, if it is one that can be a post-step of a migration.
    pub post_step: Option<PostStep>,
}

/// Why a statement can't be part of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The family, which decides the SQLSTATE.
    pub kind: RefusalKind,
    /// The statement by name, such as `CREATE INDEX CONCURRENTLY`.
    pub what: String,
}

/// The families of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// It begins, ends or divides a transaction: 2D000.
    TransactionControl,
    /// PostgreSQL runs it only outside a transaction block: 25001.
    NeedsTopLevel,
    /// It talks to a client that isn't there: 0A000.
    ClientCopy,
    /// SELECT INTO, which doesn't run where migrations run: 0A000.
    SelectInto,
    /// It changes what belongs to the session and outlives the transaction: 0A000.
    SessionState,
    /// It would become another role: 42501.
    RoleChange,
    /// It changes this extension: 42501.
    OwnExtension,
}

/// What `module_migrations.statements` says of a statement that a migration may have. The others never
/// get there: those that need the top level become post-steps, the rest is refused.
pub const TRANSACTIONAL: &str = "transactional";

/// The byte offset of the first token at or after `from`: blanks and comments are skipped.
pub fn skip_blanks(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        match rest {
            [b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, ..] => at += 1,
            [b'-', b'-', ..] => at += line_comment(rest),
            [b'/', b'*', ..] => at += block_comment(rest),
            _ => return at.min(bytes.len()),
        }
    }
}

/// Byte offsets just behind each semicolon that stands outside strings, quoted names and comments.
///
/// Some of them end no statement (those in a `BEGIN ATOMIC` body): the parser decides.
pub fn semicolons(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        at += match rest {
            [b';', ..] => {
                found.push(at + 1);
                1
            }
            [b'-', b'-', ..] => line_comment(rest),
            [b'/', b'*', ..] => block_comment(rest),
            [b'e' | b'E', b'\'', ..] => 1 + quoted(rest.get(1..).unwrap_or_default(), true),
            [b'\'' | b'"', ..] => quoted(rest, false),
            [b'$', ..] => dollar_quoted(rest),
            [first, ..] if is_word(*first) => rest
                .iter()
                .take_while(|byte| is_word(**byte) || **byte == b'$')
                .count(),
            _ => 1,
        };
    }
    found
}

pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn line_comment(rest: &[u8]) -> usize {
    rest.iter()
        .position(|byte| matches!(byte, b'\n' | b'\r'))
        .unwrap_or(rest.len())
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        match rest.get(at..).unwrap_or_default() {
            [] => return rest.len(),
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
}

/// A doubled quote ends one literal and starts the next: for finding the end that is the same.
pub(crate) fn quoted(rest: &[u8], backslash_escapes: bool) -> usize {
    let quote = rest.first().copied();
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        at += 1;
        if backslash_escapes && *byte == b'\\' {
            at += 1;
        } else if Some(*byte) == quote {
            // In an escape string a doubled quote must not end it, for what follows still escapes.
            if backslash_escapes && rest.get(at).copied() == quote {
                at += 1;
            } else {
                return at;
            }
        }
    }
    rest.len()
}

pub(crate) fn dollar_quoted(rest: &[u8]) -> usize {
    let tag = rest
        .iter()
        .skip(1)
        .take_while(|byte| is_word(**byte))
        .count();
    let opening = tag + 2;
    match rest.get(..opening) {
        // `$1` is a parameter, and a lone `$` is nothing.
        Some(delimiter) if delimiter.last() == Some(&b'$') && !first_is_digit(rest) => {
            let body = rest.get(opening..).unwrap_or_default();
            body.windows(opening)
                .position(|window| window == delimiter)
                .map_or(rest.len(), |length| opening + length + opening)
        }
        _ => 1,
    }
}

fn first_is_digit(rest: &[u8]) -> bool {
    rest.get(1).is_some_and(u8::is_ascii_digit)
}

/// Counts lines from the start of a text onwards. Offsets must not decrease.
pub struct LineCounter<'a> {
    text: &'a str,
    counted_to: usize,
    line: i32,
}

impl<'a> LineCounter<'a> {
    /// A counter at the first line.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            counted_to: 0,
            line: 1,
        }
    }

    /// The line of the byte at `offset`, from 1. LF, CRLF and a lone CR each end a line.
    pub fn line_of(&mut self, offset: usize) -> i32 {
        let bytes = self.text.as_bytes();
        let passed = bytes
            .get(self.counted_to..offset.min(bytes.len()))
            .unwrap_or_default();
        for (index, byte) in passed.iter().enumerate() {
            let next = bytes.get(self.counted_to + index + 1);
            if *byte == b'\n' || (*byte == b'\r' && next != Some(&b'\n')) {
                self.line = self.line.saturating_add(1);
            }
        }
        self.counted_to = self.counted_to.max(offset);
        self.line
    }
}

/// Line and column, both from 1, of the byte at `offset`. The column counts characters.
pub fn line_and_column(text: &str, offset: usize) -> (i32, i32) {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let column = before.get(start..).unwrap_or_default().chars().count();
    (
        LineCounter::new(text).line_of(offset),
        i32::try_from(column).unwrap_or(i32::MAX).saturating_add(1),
    )
}

/// The first `limit` characters, with an ellipsis when there were more.
pub fn excerpt(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The part of an error's CONTEXT that belongs to the script: everything above the frame of `runner`,
/// the function that ran it, is the script's; that frame and those below say nothing about it.
pub fn script_context(context: &str, runner: &str) -> Option<String> {
    let frame = format!("PL/pgSQL function {runner}");
    let end = if context.starts_with(&frame) {
        Some(0)
    } else {
        context.find(&format!("\n{frame}"))
    };
    let own = end.map_or(context, |end| context.get(..end).unwrap_or_default());
    (!own.is_empty()).then(|| own.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<&str> {
        let mut start = 0;
        let mut parts = Vec::new();
        for end in semicolons(text) {
            parts.push(&text[start..end]);
            start = end;
        }
        parts
    }

    #[test]
    fn semicolons_in_strings_names_and_comments_end_nothing() {
        for text in [
            "SELECT 'a;b', 'it''s;';",
            "SELECT E'\\';', E'a''b;\\\\';",
            "SELECT \";\", \"a\"\";\";",
            "SELECT $$;$$, $tag$ $$; $tag$;",
            "/* ; /* ; */ ; */ SELECT 1 -- ;\n;",
            "SELECT a$1;",
            "SELECT $1;",
        ] {
            assert_eq!(parts(text), [text], "{text}");
        }
        assert_eq!(parts("a;b;;c").len(), 3);
        assert_eq!(parts("name'';").len(), 1);
        assert!(parts("'unterminated;").is_empty());
        assert!(parts("$x$ unterminated;").is_empty());
        assert!(parts("/* unterminated;").is_empty());
    }

    #[test]
    fn first_token_lies_behind_blanks_and_comments() {
        let text = " \r\n-- one\n/* two /* nested */ */\tSELECT 1 -- end";
        assert_eq!(&text[skip_blanks(text, 0)..][..6], "SELECT");
        assert_eq!(skip_blanks("-- only", 0), 7);
        assert_eq!(skip_blanks("", 0), 0);
        assert_eq!(skip_blanks("a", 5), 1);
    }

    #[test]
    fn lines_end_by_lf_crlf_or_cr() {
        let text = "a\r\nb\rc\nd";
        let mut counter = LineCounter::new(text);
        assert_eq!(
            [0, 3, 5, 7].map(|offset| counter.line_of(offset)),
            [1, 2, 3, 4]
        );
        assert_eq!(line_and_column("a\näöü x", 9), (2, 5));
        assert_eq!(line_and_column("", 0), (1, 1));
        assert_eq!(line_and_column("ab", 99), (1, 3));
    }

    #[test]
    fn excerpts_count_characters() {
        assert_eq!(excerpt("äöü", 3), "äöü");
        assert_eq!(excerpt("äöü", 2), "äö...");
    }

    #[test]
    fn context_of_the_runner_is_cut_off() {
        let runner = "module_versioning._run_statements(text[])";
        let tail =
            format!("PL/pgSQL function {runner} line 7 at EXECUTE\nSQL statement \"SELECT …\"");
        assert_eq!(script_context(&tail, runner), None);
        assert_eq!(
            script_context(
                &format!("SQL function \"f\"\nSQL statement \"SELECT f()\"\n{tail}"),
                runner
            ),
            Some("SQL function \"f\"\nSQL statement \"SELECT f()\"".to_owned())
        );
        assert_eq!(
            script_context("COPY t, line 1", runner),
            Some("COPY t, line 1".to_owned())
        );
        assert_eq!(script_context("", runner), None);
    }
}
