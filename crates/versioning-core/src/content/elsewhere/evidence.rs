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
        // A number in the form of another type is compared with columns of that type only.
        let is_of_another = target.parent.is_some() && target.family.is_number();
        if is_of_another && target.family != source.family {
            return false;
        }
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

/// Whether one of two tables is called a copy of the other, also with the version or day of it:
/// `menu_before_1_4`, `menu_20240131`.
pub fn is_table_copy(one: &str, other: &str) -> bool {
    let is_version = |word: &str| {
        let digits = word.strip_prefix('v').unwrap_or(word);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_called = |copy: &str, original: &str| {
        let (copy, original) = (copy.to_lowercase(), original.to_lowercase());
        let rest = copy.strip_prefix(&original);
        let rest = rest.and_then(|rest| rest.strip_prefix('_'));
        rest.is_some_and(|rest| {
            let mut words = rest.split('_');
            let said = words.next().unwrap_or_default();
            (COPY_WORDS.contains(&said) || TIME_WORDS.contains(&said)) && words.all(is_version)
        })
    };
    let is_copy = |copy, original| is_called_copy(copy, original) || is_called(copy, original);
    is_copy(one, other) || is_copy(other, one)
}

/// Words behind which a version or day stands.
const TIME_WORDS: [&str; 3] = ["before", "pre", "until"];

/// Whether two columns are called the same, in short or in another version: `addr` and `address`, `price_new`
/// and `price`. What another word qualifies is something else: `payment_status` is not `status`.
pub fn is_same_word(one: &str, other: &str) -> bool {
    let plain = |name: &str| {
        let name = name.to_lowercase();
        let words = name.split('_').filter(|word| !VERSION_WORDS.contains(word));
        let words: Vec<&str> = words.filter(|word| !COPY_WORDS.contains(word)).collect();
        let joined = words.join("_");
        joined
            .trim_end_matches(|letter: char| letter.is_ascii_digit())
            .to_owned()
    };
    let (one, other) = (plain(one), plain(other));
    let (short, long) = if one.len() <= other.len() {
        (one, other)
    } else {
        (other, one)
    };
    if short.len() < 2 {
        return false;
    }
    if short == long {
        return true;
    }
    let is_one_word = !short.contains('_') && !long.contains('_');
    let is_prefixed = long.len() == short.len() + 1 && long.ends_with(&short);
    is_one_word && (is_prefixed || is_abbreviation(&short, &long))
}

/// What new versions of columns add to the names of the old ones.
const VERSION_WORDS: [&str; 6] = ["new", "v1", "v2", "v3", "is", "next"];

/// `qty` of `quantity`: the same first letter, and the others in their order.
fn is_abbreviation(short: &str, long: &str) -> bool {
    let mut letters = long.chars();
    short.chars().next() == long.chars().next()
        && short.chars().all(|letter| letters.any(|one| one == letter))
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

    #[test]
    fn tells_copies_of_tables_and_words_in_short() {
        assert!(is_table_copy("menu_before_1_4", "menu"));
        assert!(is_table_copy("menu", "menu_bak_2024"));
        for other in ["menu_item", "menu_price_2024", "menus", "menu_2024_plan"] {
            assert!(!is_table_copy("menu", other), "{other}");
        }
        for (one, other) in [
            ("addr", "address"),
            ("qty", "quantity"),
            ("price_new", "price"),
            ("mail", "email"),
        ] {
            assert!(is_same_word(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("payment_status", "status"),
            ("first_name", "name"),
            ("a", "address"),
            ("surname", "name"),
            ("login", "email"),
        ] {
            assert!(!is_same_word(one, other), "{one} {other}");
        }
    }
}
