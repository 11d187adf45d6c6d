//! One branch of a range as text, tidied: no build metadata, single blanks, and no blank between
//! an operator and its version.
//!
//! Most branches are tidy already and are used as they stand.

use std::borrow::Cow;

use crate::scan::{Scanner, is_blank, is_identifier_byte};

/// The tidied text of one branch, and where it came from.
#[derive(Debug)]
pub(super) struct Segment<'a> {
    text: Cow<'a, str>,
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    /// The text is a piece of the input that starts there.
    Start(usize),
    /// The text was rewritten: the input position of each byte, and that of the end.
    Bytes(Vec<usize>, usize),
}

impl<'a> Segment<'a> {
    /// Tidies a branch that starts at byte `start` of the input.
    pub(super) fn new(branch: &'a str, start: usize) -> Self {
        let kept = branch.trim_end_matches(is_blank);
        let trimmed = kept.trim_start_matches(is_blank);
        let start = start + kept.len() - trimmed.len();
        if is_tidy(trimmed) {
            return Self {
                text: Cow::Borrowed(trimmed),
                origin: Origin::Start(start),
            };
        }
        let mut draft = Draft::with_single_blanks(trimmed, start);
        draft.strip_build_metadata();
        let end = start + trimmed.len();
        Self {
            origin: Origin::Bytes(draft.positions, end),
            text: Cow::Owned(draft.text),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Removes the blanks behind operators; not to be done before hyphens were looked for.
    pub(super) fn glue_operators(&mut self) {
        if let Origin::Bytes(positions, _) = &mut self.origin {
            let mut draft = Draft {
                text: std::mem::take(self.text.to_mut()),
                positions: std::mem::take(positions),
            };
            draft.glue_comparators();
            draft.glue_shorthand();
            *positions = draft.positions;
            self.text = Cow::Owned(draft.text);
        }
    }

    /// The input position of a byte of the text.
    pub(super) fn position(&self, offset: usize) -> usize {
        match &self.origin {
            Origin::Start(start) => start + offset,
            Origin::Bytes(positions, end) => positions.get(offset).copied().unwrap_or(*end),
        }
    }
}

/// Whether nothing would be rewritten: single spaces only, none behind an operator, no `+`.
fn is_tidy(text: &str) -> bool {
    let mut previous = b'.';
    text.bytes().all(|byte| {
        let ok = match byte {
            b' ' => !matches!(previous, b' ' | b'<' | b'>' | b'=' | b'~' | b'^'),
            b'+' | b'\t'..=b'\r' => false,
            _ => byte.is_ascii(),
        };
        previous = byte;
        ok
    })
}

/// Text being rewritten, with the input position of each of its bytes.
struct Draft {
    text: String,
    positions: Vec<usize>,
}

impl Draft {
    fn with_single_blanks(text: &str, start: usize) -> Self {
        let mut draft = Self {
            text: String::with_capacity(text.len()),
            positions: Vec::with_capacity(text.len()),
        };
        let mut after_blank = false;
        for (offset, character) in text.char_indices() {
            let blank = is_blank(character);
            if !(blank && after_blank) {
                draft.text.push(if blank { ' ' } else { character });
                draft.positions.resize(draft.text.len(), start + offset);
            }
            after_blank = blank;
        }
        draft
    }

    /// Drops the bytes of the given ranges, which must ascend, not overlap, and be ASCII.
    fn remove(&mut self, ranges: &[(usize, usize)]) {
        if ranges.is_empty() {
            return;
        }
        let mut text = String::with_capacity(self.text.len());
        let mut positions = Vec::with_capacity(self.positions.len());
        let mut from = 0;
        let end = (self.text.len(), self.text.len());
        for &(start, next) in ranges.iter().chain([&end]) {
            text.push_str(self.text.get(from..start).unwrap_or_default());
            positions.extend_from_slice(self.positions.get(from..start).unwrap_or_default());
            from = next;
        }
        self.text = text;
        self.positions = positions;
    }

    /// Drops every `+` with the dotted identifiers behind it, wherever it stands.
    fn strip_build_metadata(&mut self) {
        let mut removed = Vec::new();
        let mut scanner = Scanner::new(&self.text, 0);
        while !scanner.is_at_end() {
            scanner.skip_to(|byte| byte == b'+');
            let start = scanner.position();
            if scanner.eat(b'+') && skip_identifiers(&mut scanner) {
                removed.push((start, scanner.position()));
            }
        }
        self.remove(&removed);
    }

    /// Drops one blank between `<`, `<=`, `>`, `>=` or `=` and the version behind it.
    fn glue_comparators(&mut self) {
        let mut removed = Vec::new();
        let mut scanner = Scanner::new(&self.text, 0);
        while !scanner.is_at_end() {
            scanner.skip_to(|byte| {
                matches!(byte, b'<' | b'>') || is_prefix(byte) || is_version_start(byte)
            });
            let start = scanner.clone();
            if !scanner.eat(b'<') {
                scanner.eat(b'>');
            }
            scanner.run(is_prefix);
            if scanner.peek().is_some_and(is_version_start) {
                removed.extend(blank_behind_operator(start));
                skip_version(&mut scanner);
            }
        }
        self.remove(&removed);
    }

    /// Drops one blank behind `~` and `^`, and turns `~>` with a blank behind it into `~`.
    fn glue_shorthand(&mut self) {
        let mut removed = Vec::new();
        let mut scanner = Scanner::new(&self.text, 0);
        while !scanner.is_at_end() {
            scanner.skip_to(|byte| matches!(byte, b'~' | b'^'));
            let tilde = scanner.eat(b'~');
            if !tilde {
                scanner.eat(b'^');
            }
            let start = scanner.position();
            if tilde {
                scanner.eat(b'>');
            }
            if scanner.eat(b' ') {
                removed.push((start, scanner.position()));
            }
        }
        self.remove(&removed);
    }
}

/// Whether npm skips the byte in front of a version: `[v=\s]`.
pub(super) fn is_prefix(byte: u8) -> bool {
    matches!(byte, b'v' | b'=' | b' ')
}

fn is_version_start(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*')
}

/// The first blank that stands directly behind a blank, an operator, or both.
fn blank_behind_operator(mut scanner: Scanner<'_>) -> Option<(usize, usize)> {
    scanner.eat(b' ');
    if !scanner.eat(b'<') {
        scanner.eat(b'>');
    }
    scanner.eat(b'=');
    let position = scanner.position();
    scanner.eat(b' ').then_some((position, position + 1))
}

/// Steps over a version, so that no letter in it is taken for a prefix of the next: three
/// numbers with whatever follows them, or else up to three numbers or wildcards.
fn skip_version(scanner: &mut Scanner<'_>) {
    let start = scanner.clone();
    if skip_numbers(scanner) {
        scanner.eat(b'-');
        skip_identifiers(scanner);
        return;
    }
    *scanner = start;
    for index in 0..3 {
        if !(index == 0 || scanner.eat(b'.')) || !skip_part(scanner) {
            return;
        }
    }
    if scanner.eat(b'-') {
        skip_identifiers(scanner);
    }
}

fn skip_part(scanner: &mut Scanner<'_>) -> bool {
    !scanner.run(|byte| byte.is_ascii_digit()).is_empty()
        || scanner.eat(b'x')
        || scanner.eat(b'X')
        || scanner.eat(b'*')
}

fn skip_numbers(scanner: &mut Scanner<'_>) -> bool {
    (0..3).all(|index| {
        (index == 0 || scanner.eat(b'.')) && !scanner.run(|byte| byte.is_ascii_digit()).is_empty()
    })
}

/// Steps over dotted identifiers; a dot with none behind it stays. Tells whether there were any.
fn skip_identifiers(scanner: &mut Scanner<'_>) -> bool {
    if scanner.run(is_identifier_byte).is_empty() {
        return false;
    }
    loop {
        let behind = scanner.clone();
        if !scanner.eat(b'.') || scanner.run(is_identifier_byte).is_empty() {
            *scanner = behind;
            return true;
        }
    }
}
