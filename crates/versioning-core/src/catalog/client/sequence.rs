//! Sequences that clients name themselves; one that belongs to a column goes with it.

use super::super::change::{Collection, Level, ObjectRef};
use super::super::diff::{Report, SchemaPair, Side};
use super::super::model::Sequence;
use super::access;

pub(super) fn judge(pair: &SchemaPair<'_>, report: &mut Report<'_>) {
    for (name, old) in &pair.before.sequences {
        let object = ObjectRef::top(Collection::Sequences, name);
        match pair.after.sequences.get(name) {
            None if old.owned_by.is_none() => {
                report.add(Side::Before, &object, "sequence_dropped", Level::Breaking);
            }
            None if !is_there(old, pair) => {
                report.add(Side::Before, &object, "sequence_dropped", Level::Info);
            }
            None => {}
            Some(new) => {
                // A sequence that a column owns goes with it.
                let tied = old.owned_by.is_none() != new.owned_by.is_none();
                if counts_otherwise(old, new) || tied {
                    report.add(Side::Before, &object, "sequence_changed", Level::Dangerous);
                }
                access::grants(report, &object, &old.grants, &new.grants, &new.owner);
                access::owner(report, &object, &old.owner, &new.owner);
            }
        }
    }
}

/// Whether it is still there under another name.
fn is_there(old: &Sequence, pair: &SchemaPair<'_>) -> bool {
    let mut now = pair.after.sequences.values();
    old.identity.is_some() && now.any(|new| new.identity == old.identity)
}

fn counts_otherwise(old: &Sequence, new: &Sequence) -> bool {
    let counting = |sequence: &Sequence| {
        let Sequence {
            r#type,
            start,
            increment,
            minimum,
            maximum,
            cache,
            cycle,
            ..
        } = sequence.clone();
        (r#type, start, increment, minimum, maximum, cache, cycle)
    };
    counting(old) != counting(new)
}
