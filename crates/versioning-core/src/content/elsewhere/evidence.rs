//! What speaks for one column holding the values of another.

use std::collections::HashSet;

use super::super::family::Family;
use super::super::image::{Column, NULL, Value};

/// How many different values are told apart.
const MOST_DISTINCT: usize = 1_000;

/// What was seen in rows that belong together.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Rows in which both are equal, and not only because of a default.
    pub equal: usize,
    /// Rows in which the target holds something else.
    pub different: usize,
    distinct: HashSet<Value>,
}

impl Evidence {
    /// A value, what the target holds in its place, and the target's default.
    pub fn note(&mut self, value: Value, found: Value, default: Option<Value>) {
        if found == NULL {
            return;
        }
        if found != value {
            self.different += 1;
        } else if Some(found) != default {
            self.equal += 1;
            if self.distinct.len() < MOST_DISTINCT {
                self.distinct.insert(value);
            }
        }
    }

    /// Whether the target is a copy of the source. Columns of few values are equal by chance in some rows;
    /// equal in all they are copies, unless that is one and the same truth value or number everywhere.
    /// Columns of many values aren't equal by chance anywhere.
    pub fn is_copy(&self, source: &Column, target: &Column) -> bool {
        let says_little = match source.family {
            Family::Boolean => self.distinct.len() < 2,
            Family::Integer => self.distinct.len() < 2 && self.equal > 1,
            _ => false,
        };
        if self.equal == 0 || says_little && !are_akin(&source.name, &target.name) {
            return false;
        }
        let has_many = self.distinct.len() >= 3;
        self.different == 0 || has_many && self.distinct.len() * 2 >= self.equal.min(MOST_DISTINCT)
    }
}

/// `active` and `is_active`.
fn are_akin(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    one.contains(&other) || other.contains(&one)
}

/// What copies add to the names of their originals.
const COPY_WORDS: [&str; 19] = [
    "archive",
    "archived",
    "backup",
    "bak",
    "cache",
    "cached",
    "copy",
    "dup",
    "duplicate",
    "history",
    "legacy",
    "old",
    "orig",
    "original",
    "prev",
    "previous",
    "save",
    "saved",
    "tmp",
];

/// Whether a column or table is called a copy of another: `email_backup` of `email`, `old_name` of `name`.
pub fn is_called_copy(copy: &str, original: &str) -> bool {
    let (copy, original) = (copy.to_lowercase(), original.to_lowercase());
    let rest = copy
        .strip_prefix(&original)
        .or_else(|| copy.strip_suffix(&original));
    rest.is_some_and(|rest| COPY_WORDS.contains(&rest.trim_matches('_')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_names_of_copies() {
        for (copy, original) in [
            ("email_backup", "email"),
            ("old_name", "name"),
            ("Email_Old", "email"),
        ] {
            assert!(is_called_copy(copy, original), "{copy}");
        }
        for (copy, original) in [
            ("sale_price", "price"),
            ("name", "name"),
            ("username", "name"),
            ("old", "name"),
        ] {
            assert!(!is_called_copy(copy, original), "{copy}");
        }
    }
}
