//! What the up script leaves of views, functions, triggers, rights, comments and the like, and whether the down
//! script puts it back.
//!
//! First what the up script itself makes and drops again is taken off; then each thing that is left is looked
//! for in the other script.

use super::Report;
use super::rule;
use super::scene::details;
use super::undo::Down;
use crate::detail::{Described, Detail, Mark, Trace};
use crate::effect::ObjectName;

/// One thing that is left, and the statement that left it first.
struct Left<'a> {
    trace: &'a Trace,
    /// What became of it by the whole script.
    mark: Mark,
    at: (i32, i32),
}

pub(super) fn look(up: &[Described], down: &Down<'_>, report: &mut Report, pause: fn()) {
    let own = Down::of(up);
    for left in left(up, &own, pause) {
        pause();
        let trace = Trace {
            mark: left.mark,
            ..left.trace.clone()
        };
        if !is_of_new(&trace, &own) && !is_undone(&trace, &own, down) {
            report.at = Some(left.at);
            report.push(&rule::DOWN_INCOMPLETE, trace.shown(), text(&trace));
        }
    }
}

fn is_one(one: &Trace, other: &Trace, own: &Down<'_>) -> bool {
    one.kind == other.kind && own.same(&one.object, &other.object) && one.part == other.part
}

/// What the script leaves, each thing once.
fn left<'a>(up: &'a [Described], own: &Down<'_>, pause: fn()) -> Vec<Left<'a>> {
    let mut found: Vec<Left<'a>> = Vec::new();
    for (described, detail) in details(up) {
        let Detail::Trace(trace) = detail else {
            continue;
        };
        pause();
        if described.statement.refusal.is_some() || ends_renamed(trace, own, &mut found) {
            continue;
        }
        let at = (described.statement.number, described.statement.line);
        let known = found.iter().position(|left| {
            is_one(left.trace, trace, own)
                && !matches!(left.mark, Mark::Renamed(_) | Mark::Moved(_))
        });
        match known.and_then(|known| Some((known, &found.get(known)?.mark))) {
            Some((known, before)) => match both(before, &trace.mark) {
                Some(mark) => {
                    if let Some(left) = found.get_mut(known) {
                        left.mark = mark;
                    }
                }
                None => {
                    found.remove(known);
                }
            },
            None => found.push(Left {
                trace,
                mark: trace.mark.clone(),
                at,
            }),
        }
    }
    found
}

/// Two marks of one thing, one after the other; nothing when it is as before.
fn both(before: &Mark, next: &Mark) -> Option<Mark> {
    match (before, next) {
        (Mark::Made, Mark::Gone) | (Mark::On, Mark::Off) | (Mark::Off, Mark::On) => None,
        (Mark::Gone, Mark::Made) => Some(Mark::Set),
        (Mark::Set, Mark::Gone) => Some(Mark::Gone),
        (Mark::Set, Mark::On | Mark::Off) => Some(next.clone()),
        (before, _) => Some(before.clone()),
    }
}

/// What is dropped under a name that the script gave it is dropped under its old one; what gets its old name
/// back was never renamed.
fn ends_renamed(trace: &Trace, own: &Down<'_>, found: &mut Vec<Left<'_>>) -> bool {
    let known = found.iter().position(|left| {
        matches!(&left.mark, Mark::Renamed(new) if left.trace.kind == trace.kind
            && left.trace.part.is_none() && trace.part.is_none() && *new == trace.object.name)
    });
    let Some(left) = known.and_then(|known| found.get_mut(known)) else {
        return takes_place(trace, own, found);
    };
    match &trace.mark {
        Mark::Gone => left.mark = Mark::Gone,
        Mark::Renamed(back) if *back == left.trace.object.name => {
            found.retain(
                |left| !matches!(&left.mark, Mark::Renamed(new) if *new == trace.object.name),
            );
        }
        Mark::Renamed(newer) => left.mark = Mark::Renamed(newer.clone()),
        _ => return false,
    }
    true
}

/// Whether something that the script has made gets the name of something that it has dropped: then that one is
/// replaced.
fn takes_place(trace: &Trace, own: &Down<'_>, found: &mut Vec<Left<'_>>) -> bool {
    let Mark::Renamed(new) = &trace.mark else {
        return false;
    };
    let made = found
        .iter()
        .position(|left| left.mark == Mark::Made && is_one(left.trace, trace, own));
    let gone = found.iter().position(|left| {
        left.trace.kind == trace.kind && left.mark == Mark::Gone && left.trace.object.name == *new
    });
    if let (Some(made), Some(gone)) = (made, gone) {
        if let Some(gone) = found.get_mut(gone) {
            gone.mark = Mark::Set;
        }
        found.remove(made);
        return true;
    }
    false
}

/// Whether it belongs to something that the up script makes: then it goes with that.
fn is_of_new(trace: &Trace, own: &Down<'_>) -> bool {
    let is_itself = |other: &Trace| is_one(other, trace, own) && other.mark == trace.mark;
    let parent = |other: &Trace| {
        other.mark == Mark::Made
            && other.kind != "rights"
            && (other.part.is_none() || other.kind == "function" || other.part == trace.part)
            && own.same(&other.object, &trace.object)
            && !is_itself(other)
            && other.kind != trace.kind
    };
    let column = trace.part.as_deref().unwrap_or_default();
    own.creates_table(&trace.object)
        || own.any_trace(parent)
        || (is_note(trace) && is_note_of_new(trace, column, own))
}

/// A comment on a new column, constraint or index.
fn is_note_of_new(trace: &Trace, part: &str, own: &Down<'_>) -> bool {
    own.any_detail(|detail| match detail {
        Detail::NewColumn { table, column } => {
            own.same(table, &trace.object) && column.name == part
        }
        Detail::NewConstraint { table, constraint } => {
            own.same(table, &trace.object) && constraint.name.as_deref() == Some(part)
        }
        Detail::NewIndex {
            name: Some(name), ..
        } => part.is_empty() && *name == trace.object.name,
        _ => false,
    })
}

fn is_note(trace: &Trace) -> bool {
    matches!(trace.kind, "comment" | "security label")
}

fn is_undone(trace: &Trace, own: &Down<'_>, down: &Down<'_>) -> bool {
    let puts_back = |wanted: &[Mark]| {
        down.any_trace(|other| is_counterpart(trace, other, down) && wanted.contains(&other.mark))
    };
    match &trace.mark {
        Mark::Made => puts_back(&[Mark::Gone]) || goes_along(trace, own, down),
        Mark::Gone => puts_back(&[Mark::Made, Mark::Set]) || drops_whole(trace, down),
        Mark::Set => {
            down.any_trace(|other| is_counterpart(trace, other, down))
                || goes_along(trace, own, down)
        }
        Mark::On => puts_back(&[Mark::Off, Mark::Set]) || goes_along(trace, own, down),
        Mark::Off => puts_back(&[Mark::On, Mark::Set]) || goes_along(trace, own, down),
        Mark::Renamed(new) => renames_back(trace, new, down) || goes_under(trace, new, down),
        Mark::Moved(_) => {
            down.any_trace(|other| {
                matches!(other.mark, Mark::Moved(_)) && other.object.name == trace.object.name
            }) || goes_under(trace, &trace.object.name, down)
        }
    }
}

/// Whether a trace of the down script is about the same thing.
fn is_counterpart(trace: &Trace, other: &Trace, down: &Down<'_>) -> bool {
    let parts = match (&trace.part, &other.part) {
        (Some(one), Some(two)) => one == two,
        _ => true,
    };
    let is_everything = other.object.name == "*" || trace.object.name == "*";
    trace.kind == other.kind && parts && (down.same(&other.object, &trace.object) || is_everything)
}

/// Whether the table that it is a part of goes and comes with everything.
fn drops_whole(trace: &Trace, down: &Down<'_>) -> bool {
    trace.part.is_some() && trace.kind != "function" && down.drops_table(&trace.object)
}

/// Whether it goes along with something that the down script drops.
fn goes_along(trace: &Trace, own: &Down<'_>, down: &Down<'_>) -> bool {
    let by_object = match trace.kind {
        // Another one of the same name is another function.
        "function" if trace.mark == Mark::Made => false,
        _ => down.drops_object(&trace.object),
    };
    let by_part = is_note(trace)
        && trace
            .part
            .as_deref()
            .is_some_and(|part| down.drops_any_part(part, &trace.object));
    let by_holder = |trace: &Trace| {
        trace.holders.iter().any(|holder| {
            down.drops_table(&holder.table)
                || (holder.columns.iter()).any(|column| down.drops_column(&holder.table, column))
        })
    };
    // ALTER SEQUENCE … OWNED BY comes later than the sequence.
    let by_later_holder = || own.any_trace(|other| is_one(other, trace, own) && by_holder(other));
    let by_cascade = match trace.kind {
        "view" | "trigger" | "rule" | "statistics object" => down.cascades,
        "function" | "operator" | "cast" | "operator class" | "operator family" | "transform" => {
            down.cascades_to_functions()
        }
        _ => false,
    };
    by_object
        || by_part
        || by_later_holder()
        || by_holder(trace)
        || (trace.mark == Mark::Made && by_cascade)
        || down.drops_table(&trace.object)
        || (trace.kind == "view" && down.makes_table(&trace.object))
}

fn renames_back(trace: &Trace, new: &str, down: &Down<'_>) -> bool {
    down.any_trace(|other| match (&other.mark, &trace.part, &other.part) {
        (Mark::Renamed(back), Some(old), Some(now)) => {
            now == new && back == old && down.same(&other.object, &trace.object)
        }
        (Mark::Renamed(back), None, None) => other.object.name == new && *back == trace.object.name,
        _ => false,
    })
}

/// Whether it goes under the name that it has by then.
fn goes_under(trace: &Trace, new: &str, down: &Down<'_>) -> bool {
    if trace.part.is_some() {
        return down.drops_any_part(new, &trace.object);
    }
    let name = ObjectName {
        schema: None,
        name: new.to_owned(),
    };
    down.any_effect(|effect| {
        matches!(effect, crate::effect::Effect::Drop { name: dropped, .. } if dropped.name == name.name)
    }) || down.any_detail(
        |detail| matches!(detail, Detail::DropFunction { name: dropped, .. } if dropped.name == new),
    )
}

fn text(trace: &Trace) -> String {
    let Trace { kind, object, .. } = trace;
    let part = trace.part.as_deref().unwrap_or_default();
    let what = match (*kind, part) {
        ("rights", role) if object.name != "*" => format!("rights of {role} on {object}"),
        ("rights" | "default rights", role) => format!("{kind} of {role}"),
        ("function", _) => format!("function {object}"),
        ("comment" | "security label" | "owner", _) => format!("{kind} of {}", trace.shown()),
        (kind, "") if is_of_table(kind) => format!("{kind} of {object}"),
        (kind, "") => format!("{kind} {object}"),
        (kind, part) => format!("{kind} {part} of {object}"),
    };
    let wants = match &trace.mark {
        Mark::Made if kind.ends_with("rights") => {
            return format!(
                "the down script doesn't take away the {what} that this statement gives"
            );
        }
        Mark::Gone if kind.ends_with("rights") => {
            return format!(
                "the down script doesn't give back the {what} that this statement takes away"
            );
        }
        Mark::Made => ("drop", "creates"),
        Mark::Gone => ("create", "drops"),
        Mark::On => ("take back", "switches on"),
        Mark::Off => ("bring back", "switches off"),
        Mark::Set => {
            return format!("the down script leaves the {what} as this statement makes it");
        }
        Mark::Renamed(_) => return format!("the down script doesn't give {what} its name back"),
        Mark::Moved(_) => return format!("the down script doesn't move {what} back to its schema"),
    };
    format!(
        "the down script doesn't {} {what}, which this statement {}",
        wants.0, wants.1
    )
}

/// What a table has as a whole.
fn is_of_table(kind: &str) -> bool {
    matches!(
        kind,
        "row level security"
            | "forced row level security"
            | "logging"
            | "firing of triggers"
            | "firing of rules"
            | "access method"
            | "tablespace"
            | "replica identity"
            | "options"
            | "clustering"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Statement;

    fn name(text: &str) -> ObjectName {
        ObjectName {
            schema: None,
            name: text.to_owned(),
        }
    }

    /// A statement for each trace.
    fn script(traces: &[(&'static str, &str, Mark)]) -> Vec<Described> {
        let statement = |(place, (kind, object, mark)): (usize, &(&'static str, &str, Mark))| {
            let number = i32::try_from(place).unwrap_or_default() + 1;
            Described {
                statement: Statement {
                    number,
                    line: number,
                    text: String::new(),
                    command: String::new(),
                    refusal: None,
                    effects: Vec::new(),
                    post_step: None,
                },
                details: vec![Detail::Trace(Trace::of(kind, name(object), mark.clone()))],
            }
        };
        traces.iter().enumerate().map(statement).collect()
    }

    /// What is left of them in the end, and by which statement.
    fn marks(traces: &[(&'static str, &str, Mark)]) -> Vec<(String, Mark, i32)> {
        let script = script(traces);
        left(&script, &Down::of(&script), || ())
            .into_iter()
            .map(|left| (left.trace.object.to_string(), left.mark, left.at.0))
            .collect()
    }

    #[test]
    fn what_comes_and_goes_leaves_nothing() {
        use Mark::{Gone, Made, Off, On, Renamed, Set};
        let view = |mark| ("view", "v", mark);
        assert_eq!(marks(&[view(Made), view(Set), view(Gone)]), []);
        assert_eq!(marks(&[view(Off), view(On)]), []);
        let back = [
            ("type", "a", Renamed("b".into())),
            ("type", "b", Renamed("a".into())),
        ];
        assert_eq!(marks(&back), []);
        // Of another kind it is another thing.
        assert_eq!(marks(&[view(Made), ("type", "v", Gone)]).len(), 2);
    }

    #[test]
    fn what_goes_and_comes_again_is_another_one() {
        use Mark::{Gone, Made, Renamed, Set};
        let dropped_first = [("view", "v", Gone), ("view", "v", Made)];
        assert_eq!(marks(&dropped_first), [("v".to_owned(), Set, 1)]);
        let put_in_its_place = [
            ("type", "n", Made),
            ("type", "t", Gone),
            ("type", "n", Renamed("t".into())),
        ];
        assert_eq!(marks(&put_in_its_place), [("t".to_owned(), Set, 2)]);
        let put_aside = [
            ("type", "t", Renamed("o".into())),
            ("type", "t", Made),
            ("type", "o", Gone),
        ];
        assert_eq!(
            marks(&put_aside),
            [("t".to_owned(), Gone, 1), ("t".to_owned(), Made, 2)]
        );
    }

    #[test]
    fn a_name_with_a_schema_is_no_counterpart_of_one_without() {
        let up = script(&[("view", "v", Mark::Made)]);
        let mut down = script(&[("view", "v", Mark::Gone)]);
        let found = |down: &[Described]| {
            let mut report = Report {
                direction: crate::model::Direction::Up,
                at: None,
                about: None,
                found: Vec::new(),
            };
            look(&up, &Down::back(down, &up), &mut report, || ());
            report.found.len()
        };
        assert_eq!(found(&down), 0);
        if let Some(Detail::Trace(trace)) = down[0].details.first_mut() {
            trace.object.schema = Some("other".to_owned());
        }
        assert_eq!(found(&down), 1);
        assert_eq!(found(&[]), 1);
    }
}
