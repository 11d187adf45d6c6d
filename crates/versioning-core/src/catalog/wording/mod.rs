//! Whether two definitions say the same although the server prints other casts in them.
//!
//! A check, index, default, policy or view is printed with the casts that its columns' types demand:
//! `status::text = 'open'::text` of a `varchar` column is `status = 'open'::text` of a `text` one. Only casts
//! that change no value are passed over: within `text` and `varchar`, to a wider number, and to the type that
//! the column itself had or has. Where the kind of number counts (a division, a function), numbers' casts
//! count too.

mod kind;
mod lexeme;
mod reading;
mod settle;
mod types;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use super::rename::Renames;
use reading::Readings;
pub use settle::settled;
pub(super) use types::{SchemaTypes, TypePair};

/// Whether the definitions say the same, names that became others and casts apart.
pub(super) fn same(renames: &Renames, types: &TypePair<'_>, old: &str, new: &str) -> bool {
    if renames.same(old, new) {
        return true;
    }
    // Without a cast there is none to pass over.
    if !old.contains("::") && !new.contains("::") {
        return false;
    }
    let (old, new) = (
        Readings::of(old, &types.before),
        Readings::of(new, &types.after),
    );
    renames.same(&old.close, &new.close) || renames.same(&old.wide, &new.wide)
}

/// As [`same`], for definitions that may be missing.
pub(super) fn same_or_none(
    renames: &Renames,
    types: &TypePair<'_>,
    old: Option<&String>,
    new: Option<&String>,
) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => same(renames, types, old, new),
        (old, new) => old == new,
    }
}

/// Both definitions without the casts that say nothing.
pub(super) fn plain(types: &TypePair<'_>, old: &str, new: &str) -> (String, String) {
    let old = Readings::of(old, &types.before);
    let new = Readings::of(new, &types.after);
    // One of them may have been left as it is, for there the kind of number counts.
    if old.counts || new.counts {
        (old.close, new.close)
    } else {
        (old.wide, new.wide)
    }
}

/// The defaults among a function's arguments as they are declared, in order.
pub(super) fn defaults(arguments: &str) -> Vec<String> {
    lexeme::read(arguments)
        .split(|piece| lexeme::is_symbol(piece, ","))
        .filter_map(|argument| {
            let place = argument
                .iter()
                .position(|piece| lexeme::is_word(piece, "DEFAULT"))?;
            Some(lexeme::written(argument.get(place + 1..)?))
        })
        .collect()
}

/// Every name in a definition, as the catalog has it.
pub(super) fn names(definition: &str) -> HashSet<String> {
    let mut found = HashSet::new();
    lexeme::names(&lexeme::read(definition), &mut found);
    found
}
