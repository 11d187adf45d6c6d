//! What a statement carries from one place to another, whatever there is at the time: all rows of a table, all
//! values of a column. So it is known where nothing stands there yet.

use super::{Assignment, Kind, Rows, Token, between, clause, deleted, tokens};

/// All rows of a table, put into another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedRows {
    /// The table as it is written.
    pub source: String,
    /// Which columns; none for all.
    pub columns: Option<Vec<String>>,
}

/// The rows that an INSERT carries: `INSERT INTO a SELECT * FROM b`, also out of the DELETE before it.
/// Conditions, joins and whatever else leaves rows out make it nothing.
pub fn carried_rows(text: &str) -> Option<CarriedRows> {
    let tokens = tokens(text);
    let verb = clause(&tokens, "insert", 0)?;
    let select = clause(&tokens, "select", verb)?;
    let from = clause(&tokens, "from", select)?;
    let columns = listed(tokens.get(select + 1..from)?)?;
    let source = match tokens.get(from + 1..)? {
        [name] | [name, _] if is_name(name) && !ends(&tokens, from + 2) => name_of(text, name)?,
        [schema, dot, name] | [schema, dot, name, _]
            if is_name(schema) && dot.kind == Kind::Sign(b'.') && !ends(&tokens, from + 4) =>
        {
            text.get(schema.start..name.end)?.to_owned()
        }
        _ => return None,
    };
    // The tables that inherit from it would be left out.
    if source.eq_ignore_ascii_case("only") {
        return None;
    }
    let Some(before) = verb.checked_sub(1).filter(|_| verb > 0) else {
        return Some(CarriedRows { source, columns });
    };
    match tokens.get(..=before)? {
        [with, name, word, open, close]
            if with.is("with") && word.is("as") && name_of(text, name)? == source =>
        {
            let inner = text.get(open.end..close.start)?;
            let rows = deleted(inner)?;
            let is_all = rows.condition.is_none() && rows.others.is_none() && rows.with.is_none();
            let returns_all = inner.trim_end().ends_with('*');
            (is_all && returns_all).then_some(CarriedRows {
                source: rows.target,
                columns,
            })
        }
        _ => None,
    }
}

/// Whether the token behind a name begins another clause.
fn ends(tokens: &[Token], at: usize) -> bool {
    let words = [
        "where", "on", "limit", "order", "group", "join", "union", "except", "for", "offset",
        "fetch", "having",
    ];
    let is_clause = |token: &Token| words.iter().any(|word| token.is(word));
    tokens.get(at).is_some_and(is_clause)
}

fn is_name(token: &Token) -> bool {
    matches!(token.kind, Kind::Word(_) | Kind::Name(_))
}

fn name_of(text: &str, token: &Token) -> Option<String> {
    is_name(token).then(|| text.get(token.start..token.end).map(ToOwned::to_owned))?
}

/// `*`, or plain columns.
fn listed(tokens: &[Token]) -> Option<Option<Vec<String>>> {
    if let [star] | [_, _, star] = tokens
        && star.kind == Kind::Sign(b'*')
    {
        return Some(None);
    }
    let columns = tokens.split(|token| token.kind == Kind::Sign(b','));
    let names: Option<Vec<String>> = columns.map(column_of).collect();
    names.map(Some)
}

fn column_of(part: &[Token]) -> Option<String> {
    match part {
        [name] => word_of(name),
        [_, dot, name] if dot.kind == Kind::Sign(b'.') => word_of(name),
        _ => None,
    }
}

fn word_of(token: &Token) -> Option<String> {
    match &token.kind {
        Kind::Word(name) if name.starts_with(|letter: char| letter.is_ascii_digit()) => None,
        Kind::Word(name) | Kind::Name(name) => Some(name.clone()),
        Kind::Text | Kind::Sign(_) => None,
    }
}

/// The column whose values an UPDATE puts into another one wherever there are any: `a = b`,
/// `a = coalesce(b, …)`, in all rows or those that have one.
pub fn carried_column(rows: &Rows, written: &Assignment) -> Option<String> {
    let is_part = tokens(&rows.target)
        .first()
        .is_some_and(|word| word.is("only"));
    if is_part || rows.with.is_some() || rows.others.is_some() {
        return None;
    }
    let expression = written.expression.as_deref()?;
    let parts = tokens(expression);
    let column = match parts.as_slice() {
        [word, open, close] if word.is("coalesce") => {
            let inner = expression.get(open.end..close.start)?;
            let parts = tokens(inner);
            let first = parts.split(|token| token.kind == Kind::Sign(b',')).next()?;
            column_of(first)?
        }
        parts => column_of(parts)?,
    };
    let Some(condition) = &rows.condition else {
        return Some(column);
    };
    let parts = tokens(condition);
    let is_set = match parts.as_slice() {
        [name @ .., is, not, null] if is.is("is") && not.is("not") && null.is("null") => {
            column_of(name).as_ref() == Some(&column)
        }
        [one @ .., is, distinct, from, other]
            if is.is("is") && distinct.is("distinct") && from.is("from") =>
        {
            let sides = [column_of(one), word_of(other)];
            sides.contains(&Some(column.clone())) && sides.contains(&Some(written.column.clone()))
        }
        _ => false,
    };
    is_set.then_some(column)
}

/// Whether an INSERT leaves rows out that clash with others, whatever these are: ON CONFLICT DO NOTHING, or an
/// `except`, `not exists` or `not in`. The second is whether it does so by ON CONFLICT.
pub fn leaves_clashes_out(text: &str) -> (bool, bool) {
    let words = words(text, MOST_LEVELS);
    let follow = |wanted: &[&str]| {
        let mut windows = words.windows(wanted.len());
        windows.any(|window| {
            window
                .iter()
                .zip(wanted)
                .all(|(word, wanted)| word == wanted)
        })
    };
    let on_conflict = follow(&["on", "conflict"]) && follow(&["do", "nothing"]);
    let by_query = follow(&["not", "exists"]) || follow(&["not", "in"]) || follow(&["except"]);
    (on_conflict || by_query, on_conflict)
}

/// How deep parentheses are looked into.
const MOST_LEVELS: usize = 8;

/// The words of a statement in order, those in parentheses with them.
fn words(text: &str, levels: usize) -> Vec<String> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        match &token.kind {
            Kind::Word(word) => found.push(word.clone()),
            Kind::Sign(b'(') if levels > 0 => {
                let inner = between(text, &tokens, place, Some(place + 1));
                found.extend(words(&inner.unwrap_or_default(), levels - 1));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::updated;
    use super::*;

    fn source(text: &str) -> Option<String> {
        carried_rows(text).map(|rows| rows.source)
    }

    #[test]
    fn all_rows_of_a_table_are_carried() {
        for (text, expected) in [
            ("INSERT INTO a SELECT * FROM b", "b"),
            ("INSERT INTO a SELECT x.* FROM app.b x", "app.b"),
            ("INSERT INTO a (id, n) SELECT b.id, n FROM b", "b"),
            (
                "WITH m AS (DELETE FROM b RETURNING *) INSERT INTO a SELECT * FROM m",
                "b",
            ),
        ] {
            assert_eq!(source(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "INSERT INTO a SELECT * FROM b WHERE n > 0",
            "INSERT INTO a SELECT * FROM b ON CONFLICT DO NOTHING",
            "INSERT INTO a SELECT * FROM b LIMIT 3",
            "INSERT INTO a SELECT * FROM ONLY b",
            "INSERT INTO a SELECT * FROM b, c",
            "INSERT INTO a SELECT DISTINCT n FROM b",
            "INSERT INTO a SELECT upper(n) FROM b",
            "WITH m AS (DELETE FROM b WHERE n RETURNING *) INSERT INTO a SELECT * FROM m",
            "WITH m AS (DELETE FROM b RETURNING id) INSERT INTO a SELECT * FROM m",
            "INSERT INTO a VALUES (1)",
        ] {
            assert_eq!(source(text), None, "{text}");
        }
    }

    #[test]
    fn values_of_a_column_are_carried_wherever_there_are_any() {
        let carried = |text: &str| {
            let (rows, written) = updated(text)?;
            carried_column(&rows, written.first()?)
        };
        for text in [
            "UPDATE t SET a = b",
            "UPDATE t SET a = t.b",
            "UPDATE t SET a = coalesce(b, a)",
            "UPDATE t SET a = b WHERE b IS NOT NULL",
            "UPDATE t SET a = b WHERE a IS DISTINCT FROM b",
        ] {
            assert_eq!(carried(text).as_deref(), Some("b"), "{text}");
        }
        for text in [
            "UPDATE t SET a = b WHERE n > 0",
            "UPDATE ONLY t SET a = b",
            "UPDATE t SET a = b + 1",
            "UPDATE t SET a = round(b)",
            "UPDATE t SET a = 1",
            "UPDATE t SET a = b WHERE a IS NULL",
        ] {
            assert_eq!(carried(text), None, "{text}");
        }
    }

    #[test]
    fn what_clashes_is_left_out() {
        for text in [
            "INSERT INTO a SELECT * FROM b ON CONFLICT (id) DO NOTHING",
            "INSERT INTO a SELECT * FROM b WHERE NOT EXISTS (SELECT FROM a WHERE a.id = b.id)",
            "WITH n AS (INSERT INTO a SELECT * FROM b ON CONFLICT DO NOTHING RETURNING 1) SELECT 1",
        ] {
            assert!(leaves_clashes_out(text).0, "{text}");
        }
        for text in [
            "INSERT INTO a SELECT * FROM b",
            "INSERT INTO a SELECT 'ON CONFLICT DO NOTHING' FROM b",
            "INSERT INTO a SELECT * FROM b ON CONFLICT (id) DO UPDATE SET n = 1",
        ] {
            assert!(!leaves_clashes_out(text).0, "{text}");
        }
    }
}
