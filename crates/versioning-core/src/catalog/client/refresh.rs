//! Materialized views: whether they can be refreshed beside readers.

use super::super::change::{Collection, Level, ObjectRef, quoted};
use super::super::diff::{Report, Side};
use super::super::model::{Index, Relation};

/// REFRESH … CONCURRENTLY needs a unique index on columns alone and for all rows.
pub(super) fn judge(report: &mut Report<'_>, view: &str, old: &Relation, new: &Relation) {
    if new.indexes.values().any(|index| will_do(index, new)) {
        return;
    }
    for (name, _) in old.indexes.iter().filter(|(_, index)| will_do(index, old)) {
        let object = ObjectRef::part(Collection::Indexes, view, name);
        report.add(Side::Before, &object, "unique_dropped", Level::Breaking);
    }
}

fn will_do(index: &Index, view: &Relation) -> bool {
    let is_column = |key: &String| {
        let mut names = view.columns.keys();
        names.any(|name| name == key || quoted(name) == *key)
    };
    index.unique
        && !index.invalid
        && index.predicate.is_none()
        && index.columns.iter().all(is_column)
}
