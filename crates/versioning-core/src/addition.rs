//! What a script adds that clients may use, told from its text alone.

use crate::detail::{Described, Detail, Mark, Trace};
use crate::effect::{Effect, ObjectName};

/// Something new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The kind, as it is reported.
    pub kind: &'static str,
    /// The object, as the script named it: `table` or `table.column`.
    pub object: String,
    /// The statement that adds it, from 1.
    pub statement_number: i32,
}

/// What the statements add and leave. `CREATE OR REPLACE` adds nothing: it may have been there.
pub fn additions(script: &[Described]) -> Vec<Addition> {
    let mut found: Vec<Addition> = Vec::new();
    for one in script {
        let effects = one
            .statement
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::CreateTable { temporary, table } if !temporary => {
                    (!drops(script, table)).then(|| ("relation_added", table.to_string()))
                }
                Effect::AddColumn { table, column, .. } => {
                    Some(("column_added", format!("{table}.{column}")))
                }
                _ => None,
            });
        let traces = one.details.iter().filter_map(|detail| match detail {
            Detail::Trace(trace) if trace.mark == Mark::Made && !takes_away(script, trace) => {
                Some((kind(trace.kind)?, trace.object.to_string()))
            }
            _ => None,
        });
        for (kind, object) in effects.chain(traces) {
            let is_part = object
                .rsplit_once('.')
                .is_some_and(|(table, _)| found.iter().any(|known| known.object == table));
            if !is_part && !found.iter().any(|known| known.object == object) {
                found.push(Addition {
                    kind,
                    object,
                    statement_number: one.statement.number,
                });
            }
        }
    }
    found
}

/// What becomes of a new object of that kind, in the words of a comparison of schemas.
fn kind(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "view" | "materialized view" => "relation_added",
        "function" => "function_added",
        "sequence" => "sequence_added",
        "type" => "type_added",
        "schema" => "schema_added",
        "rights" => "privilege_granted",
        "operator" | "cast" => "object_added",
        _ => return None,
    })
}

fn drops(script: &[Described], wanted: &ObjectName) -> bool {
    let mut effects = script.iter().flat_map(|one| &one.statement.effects);
    effects.any(|effect| matches!(effect, Effect::DropTable { table, .. } if table == wanted))
}

fn takes_away(script: &[Described], made: &Trace) -> bool {
    let mut details = script.iter().flat_map(|one| &one.details);
    details.any(|detail| {
        matches!(detail, Detail::Trace(trace) if trace.mark == Mark::Gone
            && trace.kind == made.kind && trace.object == made.object)
    })
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

    fn script(statements: Vec<(Vec<Effect>, Vec<Detail>)>) -> Vec<Described> {
        let described = statements.into_iter().zip(1..);
        described
            .map(|((effects, details), number)| Described {
                statement: Statement {
                    number,
                    line: number,
                    text: String::new(),
                    command: String::new(),
                    refusal: None,
                    effects,
                    post_step: None,
                },
                details,
            })
            .collect()
    }

    #[test]
    fn tells_what_is_new_when_the_script_has_ended() {
        let create = |table: &str, temporary| Effect::CreateTable {
            table: name(table),
            temporary,
        };
        let column = |table: &str| Effect::AddColumn {
            table: name(table),
            column: "c".to_owned(),
            type_name: "integer".to_owned(),
            required: false,
        };
        let drop = Effect::DropTable {
            table: name("helper"),
            cascade: false,
        };
        let view = |mark| Detail::Trace(Trace::of("view", name("v"), mark));
        let function = Detail::Trace(Trace::of("function", name("f"), Mark::Made));
        let comment = Detail::Trace(Trace::of("comment", name("t"), Mark::Made));
        let script = script(vec![
            (vec![create("t", false), column("t")], vec![comment]),
            (vec![create("helper", false), create("own", true)], vec![]),
            (vec![column("old")], vec![function, view(Mark::Made)]),
            (vec![drop], vec![view(Mark::Gone)]),
        ]);
        let told: Vec<String> = additions(&script)
            .iter()
            .map(|one| format!("{} {} {}", one.statement_number, one.kind, one.object))
            .collect();
        assert_eq!(
            told,
            [
                "1 relation_added t",
                "3 column_added old.c",
                "3 function_added f"
            ]
        );
    }
}
