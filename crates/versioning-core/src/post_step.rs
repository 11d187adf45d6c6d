//! Statements that belong to a migration but need the top level: what they work on, and whether the
//! catalog shows that they were run.

use crate::effect::ObjectName;

/// A statement that can be a post-step, with what it works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostStep {
    /// CREATE INDEX CONCURRENTLY.
    CreateIndex {
        /// The index; nothing when the server was to choose a name.
        index: Option<String>,
        /// Its table.
        table: ObjectName,
        /// What it is to be, as [`IndexShape::describe`] says it.
        shape: String,
    },
    /// DROP INDEX CONCURRENTLY.
    DropIndex {
        /// The index.
        index: ObjectName,
    },
    /// REINDEX INDEX CONCURRENTLY.
    Reindex {
        /// The index.
        index: ObjectName,
    },
    /// ALTER TABLE … DETACH PARTITION … CONCURRENTLY.
    DetachPartition {
        /// The partitioned table.
        table: ObjectName,
        /// The partition.
        partition: ObjectName,
    },
    /// One that leaves no trace to be trusted: VACUUM, REINDEX of a table or schema.
    Untraceable,
}

/// What an index is, as far as names tell: of expressions and conditions only that there are some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexShape {
    /// Whether it is unique.
    pub is_unique: bool,
    /// Its access method.
    pub method: String,
    /// Its keys in order: the column, nothing for an expression; and whether it is descending.
    pub keys: Vec<(Option<String>, bool)>,
    /// The columns that are merely included.
    pub included: Vec<String>,
    /// Whether it has a condition.
    pub is_partial: bool,
}

impl IndexShape {
    /// In words that are equal for equal shapes, as the query for [`IndexFacts`] has them too:
    /// `unique btree (a, (expression) desc) include (b) where …`.
    pub fn describe(&self) -> String {
        let keys: Vec<String> = self
            .keys
            .iter()
            .map(|(column, is_descending)| {
                let column = column.as_deref().unwrap_or("(expression)");
                format!("{column}{}", if *is_descending { " desc" } else { "" })
            })
            .collect();
        let mut text = format!("{} ({})", self.method, keys.join(", "));
        if self.is_unique {
            text.insert_str(0, "unique ");
        }
        if !self.included.is_empty() {
            text.push_str(&format!(" include ({})", self.included.join(", ")));
        }
        if self.is_partial {
            text.push_str(" where …");
        }
        text
    }
}

/// What the catalog has of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFacts {
    /// The schema of its table.
    pub table_schema: String,
    /// Its table.
    pub table: String,
    /// Whether it can be used and is kept up to date.
    pub is_valid: bool,
    /// What it is, as [`IndexShape::describe`] would say it.
    pub shape: String,
}

/// Whether a statement was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was, or may have been: what that rests on.
    Done(String),
    /// It was not: why, and what to do.
    NotDone {
        /// A sentence.
        why: String,
        /// A sentence.
        hint: String,
    },
}

fn not_done(why: String, hint: &str) -> Verdict {
    Verdict::NotDone {
        why,
        hint: hint.to_owned(),
    }
}

/// The schema of a name that a script wrote, where names without one are in `home`.
pub fn schema_of<'a>(name: &'a ObjectName, home: &'a str) -> &'a str {
    name.schema.as_deref().unwrap_or(home)
}

/// Whether CREATE INDEX CONCURRENTLY on `table` has done its work.
pub fn created(
    index: &str,
    table: &ObjectName,
    shape: &str,
    home: &str,
    found: Option<&IndexFacts>,
) -> Verdict {
    match found {
        None => not_done(
            format!("Index \"{index}\" is not there."),
            "Run the statement first; get_post_steps shows it with the settings it needs.",
        ),
        Some(facts) if !facts.is_valid => not_done(
            format!("Index \"{index}\" is there but invalid: building it failed or goes on."),
            "Wait for it if it is being built; otherwise drop it with DROP INDEX CONCURRENTLY and run the statement again.",
        ),
        Some(facts)
            if facts.table != table.name || facts.table_schema != schema_of(table, home) =>
        {
            not_done(
                format!(
                    "Index \"{index}\" is on table \"{}.{}\", not on \"{}.{}\".",
                    facts.table_schema,
                    facts.table,
                    schema_of(table, home),
                    table.name
                ),
                "Rename that index, and run the statement.",
            )
        }
        Some(facts) if facts.shape != shape => not_done(
            format!("Index \"{index}\" is {}, and not {shape}.", facts.shape),
            "Drop it with DROP INDEX CONCURRENTLY and run the statement; IF NOT EXISTS leaves another index of that name alone.",
        ),
        Some(_) => Verdict::Done(format!("Index \"{index}\" is there and valid.")),
    }
}

/// Whether DROP INDEX CONCURRENTLY has done its work.
pub fn dropped(index: &str, found: Option<&IndexFacts>) -> Verdict {
    match found {
        None => Verdict::Done(format!("Index \"{index}\" is gone.")),
        Some(_) => not_done(
            format!("Index \"{index}\" is still there."),
            "Run the statement first; get_post_steps shows it with the settings it needs.",
        ),
    }
}

/// Whether REINDEX CONCURRENTLY may have done its work: `leftovers` are invalid indexes that one which
/// failed has left.
pub fn rebuilt(index: &str, found: Option<&IndexFacts>, leftovers: &[String]) -> Verdict {
    match found {
        None => not_done(
            format!("Index \"{index}\" is not there."),
            "Create it again, then confirm the step.",
        ),
        Some(facts) if !facts.is_valid => not_done(
            format!("Index \"{index}\" is invalid."),
            "Run the statement again.",
        ),
        Some(_) if !leftovers.is_empty() => not_done(
            format!(
                "Rebuilding left invalid indexes behind: {}.",
                leftovers.join(", ")
            ),
            "Drop them with DROP INDEX CONCURRENTLY and run the statement again.",
        ),
        Some(_) => Verdict::Done(format!(
            "Index \"{index}\" is valid; that it was rebuilt is taken on the caller's word."
        )),
    }
}

/// Whether DETACH PARTITION CONCURRENTLY has done its work: `pending` says whether the partition is still
/// attached, and if so, whether its end was begun.
pub fn detached(partition: &str, exists: bool, pending: Option<bool>) -> Verdict {
    match (exists, pending) {
        (_, Some(true)) => not_done(
            format!("Partition \"{partition}\" is half detached."),
            "Finish it with ALTER TABLE … DETACH PARTITION … FINALIZE.",
        ),
        (_, Some(false)) => not_done(
            format!("Partition \"{partition}\" is still attached."),
            "Run the statement first; get_post_steps shows it with the settings it needs.",
        ),
        (true, None) => Verdict::Done(format!("Table \"{partition}\" is a partition no longer.")),
        (false, None) => Verdict::Done(format!("Table \"{partition}\" is there no longer.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> ObjectName {
        ObjectName {
            schema: None,
            name: "t".to_owned(),
        }
    }

    const SHAPE: &str = "btree (a)";

    #[test]
    fn another_index_of_that_name_is_not_the_one() {
        let shape = IndexShape {
            is_unique: true,
            method: "btree".to_owned(),
            keys: vec![(Some("a".to_owned()), true), (None, false)],
            included: vec!["b".to_owned()],
            is_partial: true,
        };
        let wanted = "unique btree (a desc, (expression)) include (b) where …";
        assert_eq!(shape.describe(), wanted);
        let other = facts("home", "t", true);
        let verdict = created("i", &table(), wanted, "home", Some(&other));
        assert!(
            matches!(&verdict, Verdict::NotDone { why, .. } if why.contains(SHAPE) && why.contains(wanted))
        );
    }

    fn facts(schema: &str, table: &str, is_valid: bool) -> IndexFacts {
        IndexFacts {
            table_schema: schema.to_owned(),
            table: table.to_owned(),
            is_valid,
            shape: SHAPE.to_owned(),
        }
    }

    #[test]
    fn an_index_counts_when_it_is_valid_and_on_its_table() {
        let done = |found: Option<&IndexFacts>| {
            matches!(
                created("i", &table(), SHAPE, "home", found),
                Verdict::Done(_)
            )
        };
        assert!(done(Some(&facts("home", "t", true))));
        assert!(!done(Some(&facts("home", "t", false))));
        assert!(!done(Some(&facts("home", "u", true))));
        assert!(!done(Some(&facts("elsewhere", "t", true))));
        assert!(!done(None));
    }

    #[test]
    fn a_named_schema_counts_more_than_home() {
        let name = ObjectName {
            schema: Some("elsewhere".to_owned()),
            name: "t".to_owned(),
        };
        let found = facts("elsewhere", "t", true);
        assert!(matches!(
            created("i", &name, SHAPE, "home", Some(&found)),
            Verdict::Done(_)
        ));
    }

    #[test]
    fn what_is_dropped_or_detached_must_be_gone() {
        assert!(matches!(dropped("i", None), Verdict::Done(_)));
        assert!(matches!(
            dropped("i", Some(&facts("home", "t", false))),
            Verdict::NotDone { .. }
        ));
        assert!(matches!(detached("p", true, None), Verdict::Done(_)));
        assert!(matches!(
            detached("p", true, Some(false)),
            Verdict::NotDone { .. }
        ));
        assert!(matches!(
            detached("p", true, Some(true)),
            Verdict::NotDone { .. }
        ));
    }

    #[test]
    fn rebuilding_leaves_nothing_invalid() {
        let found = facts("home", "t", true);
        assert!(matches!(rebuilt("i", Some(&found), &[]), Verdict::Done(_)));
        assert!(matches!(
            rebuilt("i", Some(&found), &["i_ccnew".to_owned()]),
            Verdict::NotDone { .. }
        ));
    }
}
