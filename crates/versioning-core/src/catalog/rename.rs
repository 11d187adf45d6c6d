//! Whether a definition changed, or only what the things are called that it names.
//!
//! The server prints a definition with the names of the moment: after a rename every view, policy,
//! default and trigger that uses the thing reads otherwise and means the same.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::model::{DataType, Function, Identity, Relation, Schema, Sequence};

/// Which names have become which others, by identity.
#[derive(Debug, Default)]
pub(super) struct Renames {
    names: HashMap<String, HashSet<String>>,
}

impl Renames {
    /// Those of one schema.
    pub fn of(before: &Schema, after: &Schema) -> Self {
        let mut found = Self::default();
        found.add_schema(before, &Names::of([after]));
        found
    }

    /// Those within several schemas and between them.
    pub fn of_several(before: &BTreeMap<String, Schema>, after: &BTreeMap<String, Schema>) -> Self {
        let mut found = Self::default();
        let names = Names::of(after.values());
        let homes: HashMap<Identity, &str> = after
            .iter()
            .flat_map(|(name, schema)| {
                identities(schema).map(move |identity| (identity, name.as_str()))
            })
            .collect();
        for (name, old) in before {
            for home in identities(old).filter_map(|identity| homes.get(&identity)) {
                found.add(name, home);
            }
            found.add_schema(old, &names);
        }
        found
    }

    fn add(&mut self, old: &str, new: &str) {
        if old != new {
            self.names
                .entry(old.to_owned())
                .or_default()
                .insert(new.to_owned());
        }
    }

    fn add_schema(&mut self, before: &Schema, now: &Names<'_>) {
        for (name, old) in &before.relations {
            let Some((new_name, new)) = old
                .identity
                .and_then(|identity| now.relations.get(&identity))
            else {
                continue;
            };
            self.add(name, new_name);
            let columns: HashMap<Identity, &String> = new
                .columns
                .iter()
                .filter_map(|(name, column)| Some((column.identity?, name)))
                .collect();
            for (name, column) in &old.columns {
                if let Some(new) = column.identity.and_then(|identity| columns.get(&identity)) {
                    self.add(name, new);
                }
            }
        }
        let mut add_all =
            |names: &HashMap<Identity, &str>, name: &str, identity: Option<Identity>| {
                if let Some(new) = identity.and_then(|identity| names.get(&identity)) {
                    self.add(name, new);
                }
            };
        before
            .types
            .iter()
            .for_each(|(name, is)| add_all(&now.types, name, is.identity));
        before
            .sequences
            .iter()
            .for_each(|(name, is)| add_all(&now.sequences, name, is.identity));
        let functions = before.functions.values();
        functions.for_each(|is| add_all(&now.functions, &is.name, is.identity));
    }

    /// Whether two definitions say the same, names that became others apart.
    pub fn same(&self, old: &str, new: &str) -> bool {
        old == new || (!self.names.is_empty() && self.same_tokens(&tokens(old), &tokens(new)))
    }

    fn same_tokens(&self, old: &[Token<'_>], new: &[Token<'_>]) -> bool {
        let mut rest = new.iter().peekable();
        for was in old {
            let Some(is) = rest.next() else {
                return false;
            };
            if !self.same_token(was, is) {
                return false;
            }
            // `note` is printed as `remark AS note` where the name mattered.
            let mut ahead = rest.clone();
            let alias = ahead
                .next()
                .is_some_and(|token| *token == Token::Name("AS".to_owned()))
                && ahead.next() == Some(was);
            if was != is && alias {
                rest = ahead;
            }
        }
        rest.next().is_none()
    }

    fn same_token(&self, old: &Token<'_>, new: &Token<'_>) -> bool {
        match (old, new) {
            (Token::Name(old), Token::Name(new)) => {
                old == new || self.names.get(old).is_some_and(|names| names.contains(new))
            }
            // 'orders_id_seq'::regclass
            (Token::Literal(old), Token::Literal(new)) => {
                old == new || self.same_tokens(&tokens(old), &tokens(new))
            }
            (old, new) => old == new,
        }
    }
}

/// What the new schemas' objects are called, by what they are.
struct Names<'a> {
    relations: HashMap<Identity, (&'a str, &'a Relation)>,
    types: HashMap<Identity, &'a str>,
    sequences: HashMap<Identity, &'a str>,
    functions: HashMap<Identity, &'a str>,
}

impl<'a> Names<'a> {
    fn of(schemas: impl IntoIterator<Item = &'a Schema> + Clone) -> Self {
        let all = || schemas.clone().into_iter();
        let relation =
            |(name, is): (&'a String, &'a Relation)| Some((is.identity?, (name.as_str(), is)));
        let kind = |(name, is): (&'a String, &'a DataType)| Some((is.identity?, name.as_str()));
        let sequence = |(name, is): (&'a String, &'a Sequence)| Some((is.identity?, name.as_str()));
        let function = |is: &'a Function| Some((is.identity?, is.name.as_str()));
        Self {
            relations: all()
                .flat_map(|schema| &schema.relations)
                .filter_map(relation)
                .collect(),
            types: all()
                .flat_map(|schema| &schema.types)
                .filter_map(kind)
                .collect(),
            sequences: all()
                .flat_map(|schema| &schema.sequences)
                .filter_map(sequence)
                .collect(),
            functions: all()
                .flat_map(|schema| schema.functions.values())
                .filter_map(function)
                .collect(),
        }
    }
}

/// The identities of what can move between schemas.
fn identities(schema: &Schema) -> impl Iterator<Item = Identity> + '_ {
    let relations = schema.relations.values().map(|relation| relation.identity);
    let types = schema.types.values().map(|kind| kind.identity);
    let functions = schema.functions.values().map(|function| function.identity);
    let sequences = schema.sequences.values().map(|sequence| sequence.identity);
    relations
        .chain(types)
        .chain(functions)
        .chain(sequences)
        .flatten()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token<'a> {
    /// A word, quoted or not, as the catalog has it.
    Name(String),
    /// What stands between single quotes.
    Literal(&'a str),
    Other(char),
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '\'' => quoted_length(rest, first),
            letter if letter.is_alphabetic() || letter == '_' => {
                let is_end =
                    |letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '$');
                rest.find(is_end).unwrap_or(rest.len())
            }
            other => other.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        let inner = token
            .get(1..token.len().saturating_sub(1))
            .unwrap_or_default();
        match first {
            '"' => found.push(Token::Name(inner.replace("\"\"", "\""))),
            '\'' => found.push(Token::Literal(inner)),
            letter if letter.is_alphabetic() || letter == '_' => {
                found.push(Token::Name(token.to_owned()))
            }
            blank if blank.is_whitespace() => {}
            other => found.push(Token::Other(other)),
        }
        rest = after;
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    fn renames(pairs: &[(&str, &str)]) -> Renames {
        let mut found = Renames::default();
        pairs.iter().for_each(|(old, new)| found.add(old, new));
        found
    }

    #[test]
    fn a_definition_that_names_things_otherwise_says_the_same() {
        let renames = renames(&[("email", "mail"), ("orders", "Sales Book"), ("app", "shop")]);
        for (old, new) in [
            ("email = CURRENT_USER", "mail = CURRENT_USER"),
            (
                " SELECT c.id,\n    c.email\n   FROM app.orders c",
                " SELECT c.id, c.mail AS email FROM shop.\"Sales Book\" c",
            ),
            (
                "nextval('app.orders'::regclass)",
                "nextval('shop.\"Sales Book\"'::regclass)",
            ),
            ("f('it''s', email)", "f('it''s', mail)"),
        ] {
            assert!(renames.same(old, new), "{old} → {new}");
        }
    }

    #[test]
    fn anything_else_is_another_definition() {
        let renames = renames(&[("email", "mail")]);
        for (old, new) in [
            ("email = 'a'", "mail = 'b'"),
            ("mail = 'a'", "email = 'a'"),
            ("SELECT email", "SELECT mail, id"),
            ("SELECT email, id", "SELECT mail"),
            ("SELECT email", "SELECT mail AS id"),
            ("SELECT 'email", "SELECT 'post"),
            ("", "x"),
        ] {
            assert!(!renames.same(old, new), "{old} → {new}");
        }
        assert!(Renames::default().same("a", "a"));
        assert!(!Renames::default().same("a", "b"));
    }
}
