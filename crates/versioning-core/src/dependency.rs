//! What a version needs of other modules: reading the declaration, and saying in words what is missing.

use npm_semver::{ParseError, Range, Version};
use serde_json::Value;

use crate::model::Id;
use crate::slug;

/// How a declaration names a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModuleKey {
    /// By its id.
    Id(Id),
    /// By its slug.
    Slug(String),
}

/// A range, as it was written and as it is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The text of the declaration.
    pub text: String,
    /// What it means.
    pub range: Range,
}

/// Why the value of one entry is no range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The value is JSON of another kind.
    NotText(&'static str),
    /// The text is no npm range.
    Malformed {
        /// The text of the declaration.
        text: String,
        /// What is wrong with it.
        problem: ParseError,
    },
}

/// One entry of a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The key as it was written.
    pub key: String,
    /// Which module it names.
    pub module: ModuleKey,
    /// Which versions of it will do.
    pub requirement: Result<Requirement, Fault>,
}

/// The declaration is not a JSON object but of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnObject(pub &'static str);

/// What a kind of JSON value is called.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The entries of a declaration (an object of slug or id → npm range), in the order of their keys.
///
/// # Errors
/// When it isn't an object. What is wrong with a single entry stands in that entry.
pub fn read(declaration: &Value) -> Result<Vec<Dependency>, NotAnObject> {
    let Value::Object(entries) = declaration else {
        return Err(NotAnObject(kind_of(declaration)));
    };
    let mut dependencies: Vec<Dependency> = entries
        .iter()
        .map(|(key, value)| Dependency {
            key: key.clone(),
            module: slug::parse_id(key).map_or_else(|| ModuleKey::Slug(key.clone()), ModuleKey::Id),
            requirement: read_requirement(value),
        })
        .collect();
    dependencies.sort_by(|left, right| left.key.cmp(&right.key));
    Ok(dependencies)
}

fn read_requirement(value: &Value) -> Result<Requirement, Fault> {
    let Value::String(text) = value else {
        return Err(Fault::NotText(kind_of(value)));
    };
    match Range::parse(text) {
        Ok(range) => Ok(Requirement {
            text: text.clone(),
            range,
        }),
        Err(problem) => Err(Fault::Malformed {
            text: text.clone(),
            problem,
        }),
    }
}

/// A dependency between two modules, for sentences about it.
#[derive(Debug, Clone, Copy)]
pub struct Need<'a> {
    /// The slug of the module that needs.
    pub dependent: &'a str,
    /// Its version.
    pub version: &'a Version,
    /// The slug of the module that is needed.
    pub required: &'a str,
    /// The range, as it was written.
    pub range: &'a str,
}

impl Need<'_> {
    fn statement(&self) -> String {
        format!(
            "module \"{}\" {} needs \"{}\" {}",
            self.dependent, self.version, self.required, self.range
        )
    }

    /// A site doesn't have what is needed, or has `found`.
    pub fn unmet_on(&self, site: &str, found: Option<&Version>) -> String {
        let statement = self.statement();
        match found {
            Some(found) => format!("{statement}, but site \"{site}\" runs {found}"),
            None => format!("{statement}, but site \"{site}\" does not have it"),
        }
    }

    /// A change would give the site `left` instead of what is needed, or take it away.
    pub fn broken_by(&self, left: Option<&Version>) -> String {
        let statement = self.statement();
        match left {
            Some(left) => format!("{statement}, which {left} is not"),
            None => format!("{statement}, which would be gone"),
        }
    }
}

/// No published version of a module is in the range; `highest` is the highest one there is.
pub fn unsatisfiable(required: &str, range: &str, highest: Option<&Version>) -> String {
    let statement = format!("no published version of module \"{required}\" satisfies {range}");
    match highest {
        Some(highest) => format!("{statement}; the highest is {highest}"),
        None => format!("{statement}; it has none"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn version(text: &str) -> Version {
        text.parse().expect("a version")
    }

    #[test]
    fn reads_slugs_and_ids_in_the_order_of_keys() {
        let id = "00010203-0405-0607-0809-0a0b0c0d0e0f";
        let read = read(&json!({ "shop": "^1.2", id: "*" })).expect("an object");
        let keys: Vec<&str> = read.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, [id, "shop"]);
        assert!(matches!(read[0].module, ModuleKey::Id([0, 1, 2, ..])));
        assert_eq!(read[1].module, ModuleKey::Slug("shop".to_owned()));
        let requirement = read[1].requirement.as_ref().expect("a range");
        assert_eq!(requirement.text, "^1.2");
        assert!(requirement.range.satisfies(&version("1.9.0")));
    }

    #[test]
    fn nothing_is_needed_by_an_empty_object() {
        assert_eq!(read(&json!({})), Ok(Vec::new()));
    }

    #[test]
    fn only_an_object_is_a_declaration() {
        for (value, kind) in [
            (json!(null), "null"),
            (json!([]), "an array"),
            (json!("x"), "a string"),
            (json!(1), "a number"),
            (json!(true), "a boolean"),
        ] {
            assert_eq!(read(&value), Err(NotAnObject(kind)));
        }
    }

    #[test]
    fn a_bad_entry_does_not_hide_the_others() {
        let read = read(&json!({ "a": 1, "b": "not a range", "c": "1.x" })).expect("an object");
        assert_eq!(read[0].requirement, Err(Fault::NotText("a number")));
        assert!(
            matches!(&read[1].requirement, Err(Fault::Malformed { text, .. }) if text == "not a range")
        );
        assert!(read[2].requirement.is_ok());
    }

    #[test]
    fn sentences_name_everybody() {
        let (blog, shop) = (version("1.0.0"), version("1.1.0"));
        let need = Need {
            dependent: "blog",
            version: &blog,
            required: "shop",
            range: "^2.0.0",
        };
        assert_eq!(
            need.unmet_on("north", Some(&shop)),
            "module \"blog\" 1.0.0 needs \"shop\" ^2.0.0, but site \"north\" runs 1.1.0"
        );
        assert_eq!(
            need.unmet_on("north", None),
            "module \"blog\" 1.0.0 needs \"shop\" ^2.0.0, but site \"north\" does not have it"
        );
        assert_eq!(
            need.broken_by(Some(&shop)),
            "module \"blog\" 1.0.0 needs \"shop\" ^2.0.0, which 1.1.0 is not"
        );
        assert_eq!(
            need.broken_by(None),
            "module \"blog\" 1.0.0 needs \"shop\" ^2.0.0, which would be gone"
        );
        assert_eq!(
            unsatisfiable("shop", "^2", Some(&shop)),
            "no published version of module \"shop\" satisfies ^2; the highest is 1.1.0"
        );
    }
}
