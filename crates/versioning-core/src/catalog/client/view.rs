//! What the columns of a simple view are made from: its query is read as the server prints it.

use std::collections::BTreeMap;

use super::super::model::{Column, Relation, RelationKind, Schema};

/// The query of a view over one table or view.
pub(super) struct Query<'a> {
    /// Each column's expression, by its name.
    columns: BTreeMap<String, &'a str>,
    /// What stands behind FROM, as the server prints it; none for more than a name.
    source: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// That of a view.
    pub fn of(view: &'a Relation) -> Option<Self> {
        let text = view.definition.as_deref()?.trim();
        let text = text.strip_suffix(';').unwrap_or(text);
        let (list, rest) = text
            .strip_prefix("SELECT ")
            .map(|text| split_at_word(text, "FROM"))?;
        let columns = parts(list).into_iter().map(|item| {
            let item = item.trim();
            let (expression, name) = split_at_word(item, "AS");
            let name = if name.is_empty() {
                last_name(item)
            } else {
                name
            };
            (unquoted(name), expression.trim())
        });
        let from = rest.strip_prefix("ONLY ").unwrap_or(rest);
        let (source, more) = first_name(from);
        let more = more.split_whitespace().next().unwrap_or_default();
        let is_single =
            !more.contains(',') && !["JOIN", "LEFT", "RIGHT", "FULL", "CROSS"].contains(&more);
        Some(Self {
            columns: columns.collect(),
            source: (is_single && !source.is_empty()).then_some(source),
        })
    }

    /// The column that is made from what made that column, if it has another name.
    fn renamed(&self, name: &str, now: &Self) -> Option<String> {
        let expression = self.columns.get(name)?;
        let mut same = now.columns.iter().filter(|(other, made)| {
            made == &expression && !self.columns.contains_key(other.as_str())
        });
        same.next().map(|(name, _)| name.clone())
    }
}

/// What a view's column is now, if only its name is another.
pub(super) fn column_now<'a>(
    name: &str,
    old: &Relation,
    new: &'a Relation,
) -> Option<(&'a str, &'a Column)> {
    let now = Query::of(old)?.renamed(name, &Query::of(new)?)?;
    let (name, column) = new.columns.get_key_value(&now)?;
    Some((name, column))
}

/// Whether a row can't be written through a view without a value for that column.
pub(super) fn is_required(schema: &Schema, view: &Relation, name: &str) -> bool {
    /// Views on views on views.
    const DEEPEST: usize = 32;
    let (mut relation, mut column) = (view, name.to_owned());
    for _ in 0..DEEPEST {
        let Some(is) = relation.columns.get(&column) else {
            return false;
        };
        if is.default.is_some() || is.identity_kind.is_some() || is.generated.is_some() {
            return false;
        }
        if relation.kind != RelationKind::View {
            return is.not_null;
        }
        let Some(query) = Query::of(relation) else {
            return false;
        };
        let below = query
            .source
            .and_then(|source| schema.relations.get(&schema.own_name(source)?));
        let (Some(below), Some(expression)) = (below, query.columns.get(&column)) else {
            return false;
        };
        column = unquoted(last_name(expression));
        relation = below;
    }
    false
}

/// Each letter's place with whether it stands in quotes or parentheses.
fn letters(text: &str) -> impl Iterator<Item = (usize, char, bool)> {
    let (mut quote, mut depth) = (None, 0);
    text.char_indices().map(move |(place, letter)| {
        let was_inside = quote.is_some() || depth > 0;
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            _ => {}
        }
        (place, letter, was_inside || quote.is_some() || depth > 0)
    })
}

fn parts(text: &str) -> Vec<&str> {
    let mut start = 0;
    let mut found = Vec::new();
    for (place, _, _) in letters(text).filter(|(_, letter, inside)| *letter == ',' && !inside) {
        found.extend(text.get(start..place));
        start = place + 1;
    }
    found.extend(text.get(start..));
    found
}

/// What stands before a word and behind it; all and nothing where it doesn't occur.
fn split_at_word<'a>(text: &'a str, word: &str) -> (&'a str, &'a str) {
    let at = letters(text).find(|(place, letter, inside)| {
        let rest = text.get(place + letter.len_utf8()..).unwrap_or_default();
        let ends = |rest: &str| rest.starts_with(char::is_whitespace);
        !inside && letter.is_whitespace() && rest.strip_prefix(word).is_some_and(ends)
    });
    match at {
        Some((place, letter, _)) => {
            let behind = place + letter.len_utf8() + word.len();
            let rest = text.get(behind..).unwrap_or_default().trim_start();
            (text.get(..place).unwrap_or_default(), rest)
        }
        None => (text, ""),
    }
}

/// `app.notes n` as `app.notes` and ` n`.
fn first_name(text: &str) -> (&str, &str) {
    let end = letters(text)
        .find(|(_, letter, inside)| !inside && (letter.is_whitespace() || *letter == ','))
        .map_or(text.len(), |(place, _, _)| place);
    text.split_at(end)
}

/// `notes.body` as `body`.
fn last_name(text: &str) -> &str {
    let dot = letters(text).filter(|(_, letter, inside)| *letter == '.' && !inside);
    let start = dot.last().map_or(0, |(place, _, _)| place + 1);
    text.get(start..).unwrap_or(text)
}

fn unquoted(name: &str) -> String {
    let name = name.trim();
    match name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(inner) => inner.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(definition: &str) -> Relation {
        Relation {
            kind: RelationKind::View,
            definition: Some(definition.to_owned()),
            ..Relation::default()
        }
    }

    #[test]
    fn a_query_is_read_as_the_server_prints_it() {
        let view = view(
            " SELECT n.id,\n    n.\"Body, long\" AS body,\n    concat(n.a, ' FROM x') AS c\n   FROM app.\"My notes\" n\n  WHERE n.id > 0;",
        );
        let query = Query::of(&view).expect("a query");
        assert_eq!(query.source, Some("app.\"My notes\""));
        assert_eq!(query.columns["id"], "n.id");
        assert_eq!(query.columns["body"], "n.\"Body, long\"");
        assert_eq!(query.columns["c"], "concat(n.a, ' FROM x')");
        assert_eq!(unquoted(last_name("n.\"Body, long\"")), "Body, long");
    }

    #[test]
    fn a_column_is_the_same_one_if_it_is_made_from_the_same() {
        let old = view("SELECT a.name, a.born FROM a");
        let new = view("SELECT a.name AS full_name FROM a");
        let renamed = |name| Query::of(&old)?.renamed(name, &Query::of(&new)?);
        assert_eq!(renamed("name").as_deref(), Some("full_name"));
        assert_eq!(renamed("born"), None);
    }

    #[test]
    fn joins_have_no_single_source() {
        for text in [
            "SELECT a.x FROM a JOIN b ON true",
            "SELECT a.x FROM a, b",
            "SELECT 1 AS x",
        ] {
            let view = view(text);
            assert!(
                Query::of(&view).is_none_or(|query| query.source.is_none()),
                "{text}"
            );
        }
    }
}
