//! A definition without the casts that change no value.

use super::kind::{INDIFFERENT, KEYWORDS, Kind, is_number, is_wider, kind_of, kind_of_call};
use super::lexeme::{Lexeme, Piece, is_symbol, read, type_name, written};
use super::types::Types;

/// A definition read twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Readings {
    /// Without casts within text, and to the type that the column has on the other side.
    pub close: String,
    /// Without casts to wider numbers too, where the kind of number makes no difference.
    pub wide: String,
    /// The kind of number makes a difference.
    pub counts: bool,
}

impl Readings {
    /// Reads a definition whose columns have these types.
    pub fn of(definition: &str, types: &Types<'_>) -> Self {
        let mut close = Reader::new(types, false);
        let close_text = close.definition(definition);
        let mut wide = Reader::new(types, true);
        let wide_text = wide.definition(definition);
        let counts = wide.passed_number && wide.kind_counts;
        Self {
            wide: if counts {
                close_text.clone()
            } else {
                wide_text
            },
            close: close_text,
            counts,
        }
    }
}

struct Reader<'a> {
    types: &'a Types<'a>,
    numbers: bool,
    passed_number: bool,
    kind_counts: bool,
}

impl<'a> Reader<'a> {
    fn new(types: &'a Types<'a>, numbers: bool) -> Self {
        Self {
            types,
            numbers,
            passed_number: false,
            kind_counts: false,
        }
    }

    fn definition(&mut self, text: &str) -> String {
        let (pieces, _) = self.sequence(&read(text));
        written(&pieces)
    }

    /// A run of operands and operators, and what kind of value it has.
    fn sequence(&mut self, pieces: &[Piece]) -> (Vec<Piece>, Kind) {
        let mut read = Vec::new();
        let mut kinds = Vec::new();
        let mut joins_text = true;
        let mut place = 0;
        while let Some(piece) = pieces.get(place) {
            if let Some((operand, kind, next)) = self.operand(pieces, place) {
                read.extend(operand);
                kinds.push(kind);
                place = next;
                continue;
            }
            if let Lexeme::Symbol(symbol) = &piece.lexeme {
                self.operator(symbol);
                joins_text &= symbol == "||";
            } else {
                joins_text = false;
            }
            read.push(piece.clone());
            place += 1;
        }
        let kind = match kinds.as_slice() {
            [only] if read_is_one(&read) => only.clone(),
            many if joins_text && many.iter().all(|kind| *kind == Kind::Text) => Kind::Text,
            _ => Kind::Other,
        };
        (read, kind)
    }

    /// Whether the kind of number decides what the operator does.
    fn operator(&mut self, symbol: &str) {
        let indifferent = [
            "=", "<>", "<", "<=", ">", ">=", "+", "-", "*", ",", ".", ";", ":", "~~", "!~~", "~~*",
            "!~~*",
        ];
        self.kind_counts |= !indifferent.contains(&symbol);
    }

    /// An operand with its casts: what is left of it, its kind, and where it ends.
    fn operand(&mut self, pieces: &[Piece], start: usize) -> Option<(Vec<Piece>, Kind, usize)> {
        let (mut read, mut kind, mut next) = self.primary(pieces, start)?;
        let spaced = pieces.get(start).is_some_and(|piece| piece.spaced);
        if let Some(first) = read.first_mut() {
            first.spaced = spaced;
        }
        let other = self.other_type(&read);
        while let Some(Piece {
            lexeme: Lexeme::Cast,
            ..
        }) = pieces.get(next)
        {
            let (printed, end) = type_name(pieces, next + 1);
            match self.after_cast(&mut read, &kind, &printed, other.as_deref()) {
                Some(left) => kind = left,
                None => {
                    read.extend(pieces.get(next..end).unwrap_or_default().iter().cloned());
                    kind = kind_of(&printed);
                }
            }
            next = end;
        }
        Some((read, kind, next))
    }

    /// The type that the column has on the other side, where the operand is a column.
    fn other_type(&self, read: &[Piece]) -> Option<String> {
        self.types.of(&chain(read)?)?.other.clone()
    }

    /// The kind of a value after a cast that changes nothing.
    fn after_cast(
        &mut self,
        read: &mut Vec<Piece>,
        kind: &Kind,
        to: &str,
        other: Option<&str>,
    ) -> Option<Kind> {
        let wanted = if to.contains('(') {
            return None;
        } else {
            kind_of(to)
        };
        let of_other = other.and_then(|other| other.split('(').next());
        if of_other == Some(to) {
            return Some(wanted);
        }
        if let [
            Piece {
                lexeme: Lexeme::Literal(literal),
                spaced,
            },
        ] = read.as_slice()
        {
            if *kind != Kind::Other {
                return (*kind == wanted).then_some(wanted);
            }
            return match &wanted {
                Kind::Text | Kind::TextArray => Some(wanted),
                Kind::Number(name) if self.numbers => {
                    let number = literal.trim_matches('\'').to_owned();
                    if !is_number(&number, name) {
                        return None;
                    }
                    let spaced = *spaced;
                    *read = vec![Piece {
                        lexeme: Lexeme::Number(number),
                        spaced,
                    }];
                    self.passed_number = true;
                    Some(wanted)
                }
                _ => None,
            };
        }
        match (kind, &wanted) {
            (Kind::Null, Kind::Text) => Some(wanted),
            (Kind::Text, Kind::Text) | (Kind::TextArray, Kind::TextArray) => Some(wanted),
            (Kind::Number(from), Kind::Number(to)) => {
                let keeps = match read.as_slice() {
                    [
                        Piece {
                            lexeme: Lexeme::Number(number),
                            ..
                        },
                    ] => is_number(number, to),
                    _ => is_wider(from, to),
                };
                let passes = from == to || (self.numbers && keeps);
                self.passed_number |= passes && from != to;
                passes.then_some(wanted)
            }
            _ => None,
        }
    }

    fn primary(&mut self, pieces: &[Piece], start: usize) -> Option<(Vec<Piece>, Kind, usize)> {
        let piece = pieces.get(start)?;
        match &piece.lexeme {
            Lexeme::Word(word) if KEYWORDS.contains(&word.as_str()) => None,
            Lexeme::Word(word) if word == "NULL" => {
                Some((vec![piece.clone()], Kind::Null, start + 1))
            }
            Lexeme::Word(_) => Some(self.named(pieces, start)),
            Lexeme::Literal(_) => Some((vec![piece.clone()], Kind::Other, start + 1)),
            Lexeme::Number(number) => {
                let whole = number.bytes().all(|digit| digit.is_ascii_digit());
                let name = match (whole, number.len()) {
                    (true, ..=9) => "integer",
                    (true, _) => "bigint",
                    (false, _) => "numeric",
                };
                let kind = Kind::Number(name.to_owned());
                Some((vec![piece.clone()], kind, start + 1))
            }
            Lexeme::Group('(', inner) => Some(self.parenthesised(pieces, start, inner)),
            _ => None,
        }
    }

    /// What stands in parentheses that aren't a call's: without them around a single operand.
    fn parenthesised(
        &mut self,
        pieces: &[Piece],
        start: usize,
        inner: &[Piece],
    ) -> (Vec<Piece>, Kind, usize) {
        let (mut read, kind) = self.sequence(inner);
        let goes_on = pieces.get(start + 1).is_some_and(|next| {
            matches!(&next.lexeme, Lexeme::Group(..))
                || matches!(&next.lexeme, Lexeme::Symbol(symbol) if symbol == ".")
        });
        let one = read_is_one(&read) && !inner.is_empty();
        if one && !goes_on {
            return (read, kind, start + 1);
        }
        read = vec![Piece {
            lexeme: Lexeme::Group('(', read),
            spaced: false,
        }];
        (read, kind, start + 1)
    }

    /// A column, or a call with its arguments.
    fn named(&mut self, pieces: &[Piece], start: usize) -> (Vec<Piece>, Kind, usize) {
        let mut end = start + 1;
        while let (Some(point), Some(word)) = (pieces.get(end), pieces.get(end + 1)) {
            let is_point = matches!(&point.lexeme, Lexeme::Symbol(symbol) if symbol == ".");
            if !is_point || !matches!(word.lexeme, Lexeme::Word(_)) {
                break;
            }
            end += 2;
        }
        let mut read: Vec<Piece> = pieces.get(start..end).unwrap_or_default().to_vec();
        let name = match read.last().map(|piece| &piece.lexeme) {
            Some(Lexeme::Word(name)) => name.clone(),
            _ => String::new(),
        };
        let Some(Piece {
            lexeme: Lexeme::Group(open, inner),
            spaced,
        }) = pieces.get(end)
        else {
            let known = chain(&read).and_then(|chain| self.types.of(&chain)?.own.as_deref());
            return (read, known.map_or(Kind::Other, kind_of), end);
        };
        if *open == '[' && name != "ARRAY" {
            // An element; of which kind of number isn't asked.
            self.kind_counts = true;
            let known = chain(&read).and_then(|chain| self.types.of(&chain)?.own.as_deref());
            let of_text = known.map(kind_of) == Some(Kind::TextArray) && is_one_subscript(inner);
            read.extend(pieces.get(end).cloned());
            let kind = if of_text { Kind::Text } else { Kind::Other };
            return (read, kind, end + 1);
        }
        let is_qualified = end > start + 1;
        let (arguments, kinds) = if self.types.is_overloaded(&name) {
            (inner.clone(), vec![Kind::Other])
        } else {
            self.list(inner)
        };
        // No call is printed with a blank there: `USING btree (qty)`.
        let is_call = !spaced;
        self.kind_counts |= is_call && (is_qualified || !INDIFFERENT.contains(&name.as_str()));
        read.push(Piece {
            lexeme: Lexeme::Group(*open, arguments),
            spaced: *spaced,
        });
        let kind = if is_qualified {
            Kind::Other
        } else {
            kind_of_call(&name, &kinds)
        };
        (read, kind, end + 1)
    }

    /// Arguments or elements, and the kind of each.
    fn list(&mut self, pieces: &[Piece]) -> (Vec<Piece>, Vec<Kind>) {
        let is_comma =
            |piece: &Piece| matches!(&piece.lexeme, Lexeme::Symbol(symbol) if symbol == ",");
        let (mut read, mut kinds) = (Vec::new(), Vec::new());
        for (place, part) in pieces.split(is_comma).enumerate() {
            if place > 0 {
                read.push(Piece {
                    lexeme: Lexeme::Symbol(",".to_owned()),
                    spaced: false,
                });
            }
            let (part, kind) = self.sequence(part);
            read.extend(part);
            kinds.push(kind);
        }
        (read, kinds)
    }
}

/// Whether it is an element's number and no slice.
fn is_one_subscript(pieces: &[Piece]) -> bool {
    !pieces.is_empty() && !pieces.iter().any(|piece| is_symbol(piece, ":"))
}

/// Whether nothing but one operand is left.
fn read_is_one(read: &[Piece]) -> bool {
    match read {
        [only] => !matches!(only.lexeme, Lexeme::Symbol(_) | Lexeme::Cast),
        [first, rest @ ..] => {
            let is_name =
                matches!(&first.lexeme, Lexeme::Word(word) if !KEYWORDS.contains(&word.as_str()));
            let goes_on = |piece: &Piece| match &piece.lexeme {
                Lexeme::Symbol(symbol) => symbol == ".",
                Lexeme::Word(_) | Lexeme::Group(..) => !piece.spaced,
                _ => false,
            };
            is_name && rest.iter().all(goes_on)
        }
        [] => false,
    }
}

/// The names of a column as printed: `o.status`.
fn chain(read: &[Piece]) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    for piece in read {
        match &piece.lexeme {
            Lexeme::Word(word) => names.push(word.as_str()),
            Lexeme::Symbol(symbol) if symbol == "." => {}
            _ => return None,
        }
    }
    Some(names)
}
