//! JSON in the form in which `jsonb` prints it, but with every member of an object that was there: a key
//! that stands twice loses one of its values on the way to `jsonb`.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use super::number::decimal;

/// Deeper than this is compared as it is written.
const MOST_LEVELS: usize = 200;

/// The canonical form; text that is no JSON as it is.
pub(super) fn canonical(text: &str) -> Cow<'_, str> {
    let mut reader = Reader {
        rest: text.chars().peekable(),
    };
    let value = reader.value(MOST_LEVELS);
    reader.blanks();
    match value {
        Some(value) if reader.rest.peek().is_none() => {
            let mut out = String::with_capacity(text.len());
            value.print(&mut out);
            Cow::Owned(out)
        }
        _ => Cow::Borrowed(text),
    }
}

/// The members and items inside of a value, with their paths: texts without quotes, numbers in one form.
pub fn parts(text: &str) -> Vec<(String, String)> {
    let mut reader = Reader {
        rest: text.chars().peekable(),
    };
    let mut parts = Vec::new();
    if let Some(value) = reader.value(MOST_LEVELS) {
        value.collect(String::new(), &mut parts);
    }
    parts
}

/// How many parts of one value are looked at.
const MOST_PARTS: usize = 64;

enum Node {
    /// A number or a bare word.
    Plain(String),
    Text(String),
    List(Vec<Node>),
    Members(Vec<(String, Node)>),
}

impl Node {
    fn collect(&self, path: String, parts: &mut Vec<(String, String)>) {
        if parts.len() >= MOST_PARTS {
            return;
        }
        match self {
            Self::Plain(word) if word == "null" => {}
            Self::Plain(text) | Self::Text(text) => parts.push((path, text.clone())),
            Self::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    item.collect(format!("{path}[{place}]"), parts);
                }
            }
            Self::Members(members) => {
                for (key, value) in members {
                    value.collect(format!("{path}.{key}"), parts);
                }
            }
        }
    }

    fn print(&self, out: &mut String) {
        match self {
            Self::Plain(word) => out.push_str(word),
            Self::Text(text) => print_text(text, out),
            Self::List(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    separate(place, out);
                    item.print(out);
                }
                out.push(']');
            }
            Self::Members(members) => {
                out.push('{');
                for (place, (key, value)) in members.iter().enumerate() {
                    separate(place, out);
                    print_text(key, out);
                    out.push_str(": ");
                    value.print(out);
                }
                out.push('}');
            }
        }
    }
}

fn separate(place: usize, out: &mut String) {
    if place > 0 {
        out.push_str(", ");
    }
}

fn print_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            other if other < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => out.push(other),
        }
    }
    out.push('"');
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        while self
            .rest
            .next_if(|letter| matches!(letter, ' ' | '\t' | '\n' | '\r'))
            .is_some()
        {}
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        self.blanks();
        self.rest.next_if_eq(&wanted).map(|_| ())
    }

    fn value(&mut self, levels: usize) -> Option<Node> {
        let deeper = levels.checked_sub(1)?;
        self.blanks();
        match self.rest.peek()? {
            '"' => self.text().map(Node::Text),
            '[' => self.list(deeper),
            '{' => self.members(deeper),
            _ => self.plain(),
        }
    }

    fn plain(&mut self) -> Option<Node> {
        let mut word = String::new();
        while let Some(letter) = self
            .rest
            .next_if(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '+' | '.'))
        {
            word.push(letter);
        }
        match word.as_str() {
            "" => None,
            "true" | "false" | "null" => Some(Node::Plain(word)),
            number => Some(Node::Plain(decimal(number).into_owned())),
        }
    }

    fn list(&mut self, levels: usize) -> Option<Node> {
        self.take('[')?;
        let mut items = Vec::new();
        if self.take(']').is_some() {
            return Some(Node::List(items));
        }
        loop {
            items.push(self.value(levels)?);
            if self.take(',').is_none() {
                self.take(']')?;
                return Some(Node::List(items));
            }
        }
    }

    fn members(&mut self, levels: usize) -> Option<Node> {
        self.take('{')?;
        let mut members = Vec::new();
        if self.take('}').is_none() {
            loop {
                self.blanks();
                let key = self.text()?;
                self.take(':')?;
                members.push((key, self.value(levels)?));
                if self.take(',').is_none() {
                    self.take('}')?;
                    break;
                }
            }
        }
        members.sort_by(|(one, _), (other, _)| (one.len(), one).cmp(&(other.len(), other)));
        Some(Node::Members(members))
    }

    fn text(&mut self) -> Option<String> {
        self.rest.next_if_eq(&'"')?;
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escaped()?),
                letter => text.push(letter),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        Some(match self.rest.next()? {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let high = self.four_digits()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high);
                }
                self.rest.next_if_eq(&'\\')?;
                self.rest.next_if_eq(&'u')?;
                let low = self.four_digits()?.checked_sub(0xdc00)?;
                return char::from_u32(0x10000 + ((high - 0xd800) << 10) + low);
            }
            letter @ ('"' | '\\' | '/') => letter,
            _ => return None,
        })
    }

    fn four_digits(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |number, _| {
            Some(number * 16 + self.rest.next()?.to_digit(16)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_jsonb_does() {
        for (written, printed) in [
            ("{\"b\":1,\"a\":[1,2,{}]}", "{\"a\": [1, 2, {}], \"b\": 1}"),
            ("{\"bb\":1,\"c\":2}", "{\"c\": 2, \"bb\": 1}"),
            (" \"\\u00e9\\n\\/\" ", "\"é\\n/\""),
            ("\"\\ud83d\\ude00\"", "\"😀\""),
            ("[1.0e2,true,null]", "[100, true, null]"),
            ("{\"a\":1,\"a\":2}", "{\"a\": 1, \"a\": 2}"),
            ("[]", "[]"),
        ] {
            assert_eq!(canonical(written), printed);
        }
    }

    #[test]
    fn finds_the_parts_of_a_value() {
        let part = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        assert_eq!(
            parts("{\"b\": {\"c\": \"x\"}, \"a\": [1.50, null, true]}"),
            [
                part(".a[0]", "1.5"),
                part(".a[2]", "true"),
                part(".b.c", "x")
            ]
        );
        assert!(parts("{").is_empty());
    }

    #[test]
    fn leaves_what_is_no_json_as_it_is() {
        let deep = "[".repeat(10_000);
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "\"open",
            "1 2",
            "\"\\ud83d\"",
            deep.as_str(),
        ] {
            assert_eq!(canonical(text), text);
        }
    }
}
