//! A definition as the server prints it, in words, literals and bracketed groups.

/// A piece of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lexeme {
    /// A name or keyword as printed, quotes included.
    Word(String),
    /// What stands between single quotes, with them and what stands before them.
    Literal(String),
    /// A number without a sign.
    Number(String),
    /// `::`.
    Cast,
    /// An operator, a comma, a point.
    Symbol(String),
    /// What stands between brackets, each piece with whether blank stands before it.
    Group(char, Vec<Piece>),
}

/// A lexeme and whether blank stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub lexeme: Lexeme,
    pub spaced: bool,
}

const OPERATOR: &str = "+-*/<>=~!@#%^&|?`";

/// The pieces of a definition; brackets that aren't closed end with the text.
pub(super) fn read(text: &str) -> Vec<Piece> {
    let mut rest = text;
    group(&mut rest)
}

fn group(rest: &mut &str) -> Vec<Piece> {
    let mut found = Vec::new();
    loop {
        let trimmed = rest.trim_start();
        let spaced = trimmed.len() < rest.len();
        *rest = trimmed;
        let Some(first) = rest.chars().next() else {
            return found;
        };
        if matches!(first, ')' | ']') {
            *rest = rest.get(1..).unwrap_or_default();
            return found;
        }
        let lexeme = match first {
            '(' | '[' => {
                *rest = rest.get(1..).unwrap_or_default();
                Lexeme::Group(first, group(rest))
            }
            _ => atom(rest, first),
        };
        found.push(Piece { lexeme, spaced });
    }
}

fn atom(rest: &mut &str, first: char) -> Lexeme {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
    let run = |is: &dyn Fn(char) -> bool| rest.find(|letter| !is(letter)).unwrap_or(rest.len());
    let (length, make): (usize, fn(String) -> Lexeme) = match first {
        '"' => (quoted_length(rest, '"'), Lexeme::Word),
        '\'' => (quoted_length(rest, '\''), Lexeme::Literal),
        // E'…' and its like.
        'E' | 'B' | 'X' if rest.get(1..2) == Some("'") => {
            let inner = rest.get(1..).unwrap_or_default();
            (1 + quoted_length(inner, '\''), Lexeme::Literal)
        }
        letter if letter.is_ascii_digit() => (
            run(&|letter| letter.is_ascii_alphanumeric() || letter == '.'),
            Lexeme::Number,
        ),
        letter if is_word(letter) => (run(&is_word), Lexeme::Word),
        ':' if rest.starts_with("::") => (2, |_| Lexeme::Cast),
        letter if OPERATOR.contains(letter) => {
            (run(&|letter| OPERATOR.contains(letter)), Lexeme::Symbol)
        }
        other => (other.len_utf8(), Lexeme::Symbol),
    };
    let (token, after) = rest.split_at(length);
    let lexeme = make(token.to_owned());
    *rest = after;
    lexeme
}

/// How long the quoted text at the start is, its quotes included; a doubled quote is no end.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((place, letter)) = letters.next() {
        if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return place + 1;
        }
    }
    text.len()
}

/// The text again, with one blank where there was any.
pub(super) fn written(pieces: &[Piece]) -> String {
    let mut text = String::new();
    write(pieces, &mut text);
    text
}

fn write(pieces: &[Piece], text: &mut String) {
    for (place, piece) in pieces.iter().enumerate() {
        if piece.spaced && place > 0 {
            text.push(' ');
        }
        match &piece.lexeme {
            Lexeme::Word(token)
            | Lexeme::Literal(token)
            | Lexeme::Number(token)
            | Lexeme::Symbol(token) => text.push_str(token),
            Lexeme::Cast => text.push_str("::"),
            Lexeme::Group(open, inner) => {
                text.push(*open);
                write(inner, text);
                text.push(if *open == '(' { ')' } else { ']' });
            }
        }
    }
}

/// Whether it is that symbol.
pub(super) fn is_symbol(piece: &Piece, wanted: &str) -> bool {
    matches!(&piece.lexeme, Lexeme::Symbol(symbol) if symbol == wanted)
}

/// Whether it is that word, as printed.
pub(super) fn is_word(piece: &Piece, wanted: &str) -> bool {
    matches!(&piece.lexeme, Lexeme::Word(word) if word == wanted)
}

/// Every name in the pieces, as the catalog has it.
pub(super) fn names(pieces: &[Piece], found: &mut std::collections::HashSet<String>) {
    for piece in pieces {
        match &piece.lexeme {
            Lexeme::Word(word) => {
                found.insert(unquoted(word));
            }
            Lexeme::Group(_, inner) => names(inner, found),
            _ => {}
        }
    }
}

/// A printed name as the catalog has it.
pub(super) fn unquoted(name: &str) -> String {
    match name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(inner) => inner.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}

/// The type that is named from there on, and where its name ends.
pub(super) fn type_name(pieces: &[Piece], start: usize) -> (String, usize) {
    let word = |place: usize| match pieces.get(place).map(|piece| &piece.lexeme) {
        Some(Lexeme::Word(word)) => Some(word.as_str()),
        _ => None,
    };
    let follows = |place: usize, words: &[&str]| {
        (0..)
            .zip(words)
            .all(|(offset, wanted)| word(place + offset) == Some(*wanted))
    };
    let is_group = |place: usize, wanted: char| {
        matches!(pieces.get(place).map(|piece| &piece.lexeme), Some(Lexeme::Group(open, inner))
            if *open == wanted && (wanted == '(' || inner.is_empty()))
    };
    let mut end = start + 1;
    match word(start) {
        Some("character" | "bit") if follows(end, &["varying"]) => end += 1,
        Some("double") if follows(end, &["precision"]) => end += 1,
        Some("timestamp" | "time") => {
            let zone = if is_group(end, '(') { end + 1 } else { end };
            if follows(zone, &["with", "time", "zone"])
                || follows(zone, &["without", "time", "zone"])
            {
                end = zone + 3;
            }
        }
        _ => {}
    }
    while matches!(pieces.get(end).map(|piece| &piece.lexeme), Some(Lexeme::Symbol(symbol)) if symbol == ".")
        && word(end + 1).is_some()
    {
        end += 2;
    }
    if is_group(end, '(') {
        end += 1;
    }
    while is_group(end, '[') {
        end += 1;
    }
    let name = pieces.get(start..end.min(pieces.len())).unwrap_or_default();
    (written(name), end.min(pieces.len()))
}
