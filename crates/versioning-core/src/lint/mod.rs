//! Looking at the scripts of a migration without running them: what breaks clients of the old version,
//! what loses data, what locks, rewrites or reads a table for long, what is refused, what can't be told.
//!
//! Everything comes from parse trees. Words in comments, strings, quoted names and function bodies mean
//! nothing, and what a script has made itself is its own to change. Down scripts are read as strictly as
//! up scripts.

mod client;
mod constraint;
mod data;
mod left;
mod lock;
mod object;
mod own;
mod pair;
mod refused;
mod rule;
mod scene;
mod security;
#[cfg(test)]
mod tests;
mod undo;
mod width;
mod work;

use crate::consequence::Breaking;
use crate::detail::Described;
use crate::effect::ObjectName;
use crate::model::Direction;

pub use rule::{RULES, Rule, Severity};
pub use width::{Width, width};

use scene::Scene;

/// A script that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Script {
    /// It parses.
    Parsed(Vec<Described>),
    /// It doesn't.
    Faulty(Fault),
}

impl Script {
    fn statements(&self) -> &[Described] {
        match self {
            Self::Parsed(statements) => statements,
            Self::Faulty(_) => &[],
        }
    }
}

/// Why a script doesn't parse, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What the parser said.
    pub message: String,
    /// The statement it stopped in, from 1.
    pub statement_number: i32,
    /// The line where it stopped, from 1.
    pub line: i32,
    /// The text from there to the end of the line.
    pub found: String,
}

/// Something that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How grave it is here.
    pub severity: Severity,
    /// In which script.
    pub direction: Direction,
    /// The statement, from 1; `None` when it is about the whole script.
    pub statement_number: Option<i32>,
    /// The line of its first token, from 1.
    pub line: Option<i32>,
    /// The object, as the script names it: `table`, `table.column`, `schema.view` …
    pub object: Option<String>,
    /// The table that is rewritten, read or indexed, where that is what it is about.
    pub table: Option<ObjectName>,
    /// What it is about, with the names that other tools use.
    pub message: String,
}

/// Where findings are gathered.
struct Report {
    direction: Direction,
    at: Option<(i32, i32)>,
    about: Option<ObjectName>,
    found: Vec<Finding>,
}

impl Report {
    fn push(&mut self, rule: &'static Rule, object: impl ToString, text: impl AsRef<str>) {
        self.push_as(rule.severity, rule, object, text);
    }

    fn push_as(
        &mut self,
        severity: Severity,
        rule: &'static Rule,
        object: impl ToString,
        text: impl AsRef<str>,
    ) {
        self.push_known(severity, rule, object, text, rule.known_as);
    }

    /// With the names that others have for this case of the rule.
    fn push_known(
        &mut self,
        severity: Severity,
        rule: &'static Rule,
        object: impl ToString,
        text: impl AsRef<str>,
        known_as: &str,
    ) {
        let object = object.to_string();
        let text = text.as_ref();
        let finding = Finding {
            rule,
            severity,
            direction: self.direction,
            statement_number: self.at.map(|(number, _)| number),
            line: self.at.map(|(_, line)| line),
            object: (!object.is_empty()).then_some(object),
            table: self.about.clone(),
            message: match known_as {
                "" => text.to_owned(),
                known_as => format!("{text} ({known_as})"),
            },
        };
        // The same twice comes from one statement only.
        let is_known = self
            .found
            .iter()
            .rev()
            .take_while(|known| known.statement_number == finding.statement_number)
            .any(|known| *known == finding);
        if !is_known {
            self.found.push(finding);
        }
    }
}

/// What the rules find in the scripts of a migration: up first, each script in its order. `pause` is called
/// between statements, and may end it all.
pub fn lint(up: &Script, down: Option<&Script>, pause: fn()) -> Vec<Finding> {
    let no_statements: &[Described] = &[];
    let up_statements = up.statements();
    let down_statements = down.map_or(no_statements, Script::statements);
    let mut found = look(Direction::Up, up, down_statements, pause);
    if let Script::Parsed(_) = up {
        found.extend(pair::look(up_statements, down, pause));
    }
    found.sort_by_key(|finding| finding.statement_number.unwrap_or(i32::MAX));
    if let Some(down) = down {
        found.extend(look(Direction::Down, down, up_statements, pause));
    }
    found
}

/// What an up script would break for clients of the old version.
pub fn breaking(up: &[Finding]) -> Vec<Breaking> {
    let mut found: Vec<Breaking> = Vec::new();
    for finding in up.iter().filter(|finding| finding.rule.breaks()) {
        let breaking = Breaking {
            kind: finding.rule.name,
            object: finding.object.clone().unwrap_or_default(),
        };
        if finding.severity == Severity::Error && !found.contains(&breaking) {
            found.push(breaking);
        }
    }
    found
}

/// What the rules find in an up script alone.
pub fn lint_up(statements: Vec<Described>, pause: fn()) -> Vec<Finding> {
    look(Direction::Up, &Script::Parsed(statements), &[], pause)
}

fn look(direction: Direction, script: &Script, other: &[Described], pause: fn()) -> Vec<Finding> {
    let mut report = Report {
        direction,
        at: None,
        about: None,
        found: Vec::new(),
    };
    match script {
        Script::Faulty(fault) => refused::fault(fault, &mut report),
        Script::Parsed(statements) => {
            let mut scene = Scene::new(direction, statements, other);
            for described in statements {
                pause();
                let statement = &described.statement;
                report.at = Some((statement.number, statement.line));
                scene.note(described);
                if refused::look(described, &mut report) {
                    continue;
                }
                client::look(&scene, described, &mut report);
                object::look(&scene, described, &mut report);
                data::look(&scene, described, &mut report);
                lock::look(&mut scene, described, &mut report);
                security::look(&scene, described, &mut report);
            }
            refused::enum_values(statements, &mut report);
        }
    }
    report.found
}
