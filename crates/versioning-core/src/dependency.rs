//! What a version needs of other modules: reading the declaration, and saying in words what is missing.

use npm_semver::{ParseError, Prerelease, Range, Version};
use serde_json::Value;

use crate::model::Id;
use crate::slug;
use crate::status::Status;

/// What an object of slug or id and range declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declaration {
    /// What has to be on the same site.
    Dependencies,
    /// What must not be on the same site.
    Conflicts,
}

impl Declaration {
    /// The column and argument of that name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dependencies => "dependencies",
            Self::Conflicts => "conflicts",
        }
    }

    /// One entry.
    pub fn entry(self) -> &'static str {
        match self {
            Self::Dependencies => "dependency",
            Self::Conflicts => "conflict",
        }
    }

    /// What a module does to one that it names.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Dependencies => "depend on",
            Self::Conflicts => "conflict with",
        }
    }
}

/// How a declaration names a module.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ModuleKey {
    /// By its id.
    Id(Id),
    /// By its slug.
    Slug(String),
}

impl ModuleKey {
    /// What a key of a declaration names. (No slug looks like an id.)
    pub fn new(key: &str) -> Self {
        slug::parse_id(key).map_or_else(|| Self::Slug(key.to_owned()), Self::Id)
    }
}

/// A range, as it was written and as it is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The text of the declaration.
    pub text: String,
    /// What it means.
    pub range: Range,
}

impl Requirement {
    /// Whether a conflict with these versions is one with that version. Prereleases count, named or not:
    /// what doesn't go with 2.x doesn't go with 2.1.0-rc.1 either.
    pub fn forbids(&self, version: &Version) -> bool {
        self.range.satisfies_with(version, Prerelease::Include)
    }

    /// Whether a conflict with these versions leaves nothing of what is needed.
    pub fn forbids_all_of(&self, needed: &Self) -> bool {
        // What takes long to find out is left to the versions that will be there.
        let branches = |range: &Range| range.sets(Prerelease::Include).len();
        branches(&needed.range).saturating_mul(branches(&self.range)) <= 1_000_000
            && needed
                .range
                .is_subset_of_with(&self.range, Prerelease::Include)
    }
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
            module: ModuleKey::new(key),
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

/// A conflict between two modules, for sentences about it.
#[derive(Debug, Clone, Copy)]
pub struct Clash<'a> {
    /// The slug of the module that declares it.
    pub declarer: &'a str,
    /// Its version.
    pub version: &'a Version,
    /// The slug of the module that it doesn't go with.
    pub other: &'a str,
    /// The range, as it was written.
    pub range: &'a str,
}

impl Clash<'_> {
    fn statement(&self) -> String {
        format!(
            "module \"{}\" {} conflicts with \"{}\" {}",
            self.declarer, self.version, self.other, self.range
        )
    }

    /// A site runs `found` of the other module.
    pub fn met_on(&self, site: &str, found: &Version) -> String {
        format!("{}, and site \"{site}\" runs {found}", self.statement())
    }

    /// A change would bring `version` of the other module to a site that runs the declarer.
    pub fn caused_by(&self, version: &Version) -> String {
        format!("{}, which {version} is", self.statement())
    }
}

/// Why no published version of a module satisfies a range.
#[derive(Debug, Clone, Default)]
pub struct Shortage {
    /// Versions in the range that are deprecated or yanked.
    pub withdrawn: Vec<(Version, Status)>,
    /// Published prereleases between the bounds of the range, which names none of them.
    pub prereleases: Vec<Version>,
    /// The highest published version.
    pub highest: Option<Version>,
}

/// No published version of a module is in the range, and why.
pub fn unsatisfiable(required: &str, range: &str, shortage: &Shortage) -> String {
    let statement = format!("no published version of module \"{required}\" satisfies {range}");
    let list = |versions: &mut dyn Iterator<Item = String>| versions.collect::<Vec<_>>().join(", ");
    let withdrawn = &shortage.withdrawn;
    if let Some((_, first)) = withdrawn.first() {
        if withdrawn.iter().all(|(_, status)| status == first) {
            let versions = list(&mut withdrawn.iter().map(|(version, _)| version.to_string()));
            return format!("{statement}; every version that would is {first}: {versions}");
        }
        let versions = list(
            &mut withdrawn
                .iter()
                .map(|(version, status)| format!("{version} ({status})")),
        );
        return format!("{statement}; every version that would is withdrawn: {versions}");
    }
    if !shortage.prereleases.is_empty() {
        let versions = list(&mut shortage.prereleases.iter().map(ToString::to_string));
        return format!(
            "{statement}; only prereleases are within its bounds, and it names none: {versions}"
        );
    }
    match &shortage.highest {
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
    }

    #[test]
    fn a_shortage_says_what_there_is_instead() {
        let mut shortage = Shortage::default();
        let say = |shortage: &Shortage| unsatisfiable("shop", "^2", shortage);
        let statement = "no published version of module \"shop\" satisfies ^2";
        assert_eq!(say(&shortage), format!("{statement}; it has none"));
        shortage.highest = Some(version("1.1.0"));
        assert_eq!(say(&shortage), format!("{statement}; the highest is 1.1.0"));
        shortage.prereleases = vec![version("2.0.0-rc.2"), version("2.0.0-rc.1")];
        assert_eq!(
            say(&shortage),
            format!(
                "{statement}; only prereleases are within its bounds, and it names none: 2.0.0-rc.2, 2.0.0-rc.1"
            )
        );
        shortage.withdrawn = vec![(version("2.1.0"), Status::Yanked)];
        assert_eq!(
            say(&shortage),
            format!("{statement}; every version that would is yanked: 2.1.0")
        );
        shortage
            .withdrawn
            .push((version("2.0.0"), Status::Deprecated));
        assert_eq!(
            say(&shortage),
            format!(
                "{statement}; every version that would is withdrawn: 2.1.0 (yanked), 2.0.0 (deprecated)"
            )
        );
    }

    fn requirement(text: &str) -> Requirement {
        Requirement {
            text: text.to_owned(),
            range: text.parse().expect("a range"),
        }
    }

    #[test]
    fn a_conflict_counts_prereleases() {
        let conflict = requirement("^2.0.0");
        assert!(conflict.forbids(&version("2.1.0-rc.1")));
        assert!(conflict.forbids(&version("2.0.0")));
        assert!(!conflict.forbids(&version("3.0.0-rc.1")));
        assert!(!conflict.forbids(&version("2.0.0-rc.1")));
    }

    #[test]
    fn a_conflict_may_leave_nothing_of_a_need() {
        assert!(requirement("*").forbids_all_of(&requirement("^1.2")));
        assert!(requirement("1.x").forbids_all_of(&requirement("~1.2.0")));
        assert!(!requirement("1.4.x").forbids_all_of(&requirement("^1.2")));
        assert!(!requirement("<1").forbids_all_of(&requirement("^1.2")));
    }

    #[test]
    fn clashes_name_both_modules() {
        let (blog, shop) = (version("1.0.0"), version("2.1.0"));
        let clash = Clash {
            declarer: "blog",
            version: &blog,
            other: "shop",
            range: "^2",
        };
        assert_eq!(
            clash.met_on("north", &shop),
            "module \"blog\" 1.0.0 conflicts with \"shop\" ^2, and site \"north\" runs 2.1.0"
        );
        assert_eq!(
            clash.caused_by(&shop),
            "module \"blog\" 1.0.0 conflicts with \"shop\" ^2, which 2.1.0 is"
        );
    }
}
