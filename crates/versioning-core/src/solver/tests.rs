use std::cell::RefCell;
use std::convert::Infallible;

use npm_semver::Range;
use serde_json::{Value, json};

use super::*;

/// A registry in memory. Ids are numbers: module in byte 0, version in byte 1.
#[derive(Default)]
pub(super) struct Registry {
    pub modules: Vec<ModuleFacts>,
    pub declarations: Vec<Vec<Declaration>>,
    pub queries: RefCell<usize>,
}

impl Source for Registry {
    type Error = Infallible;

    fn modules(&self, keys: &[ModuleKey]) -> Result<Vec<ModuleFacts>, Infallible> {
        *self.queries.borrow_mut() += 1;
        let wanted = |module: &&ModuleFacts| {
            keys.contains(&ModuleKey::Id(module.id))
                || keys.contains(&ModuleKey::Slug(module.slug.clone()))
        };
        Ok(self.modules.iter().filter(wanted).cloned().collect())
    }

    fn declarations(&self, versions: &[Id]) -> Result<Vec<Declaration>, Infallible> {
        *self.queries.borrow_mut() += 1;
        Ok(versions
            .iter()
            .map(|id| self.declarations[usize::from(id[0])][usize::from(id[1])].clone())
            .collect())
    }

    fn step(&self) -> Result<(), Infallible> {
        Ok(())
    }
}

pub(super) fn version(text: &str) -> Version {
    text.parse().expect("a version")
}

pub(super) fn requirement(text: &str) -> Requirement {
    Requirement {
        text: text.to_owned(),
        range: Range::parse(text).expect("a range"),
    }
}

impl Registry {
    /// Adds a version; versions of a module come in ascending order.
    pub(super) fn add(&mut self, slug: &str, number: &str, needs: Value) -> &mut Self {
        self.add_with(slug, number, Status::Published, needs, json!({}), None)
    }

    pub(super) fn add_with(
        &mut self,
        slug: &str,
        number: &str,
        status: Status,
        dependencies: Value,
        conflicts: Value,
        min_platform: Option<&str>,
    ) -> &mut Self {
        let place = self.module(slug);
        let facts = &mut self.modules[place];
        let mut id = facts.id;
        id[1] = u8::try_from(facts.versions.len()).expect("few versions");
        facts.versions.push(VersionFacts {
            id,
            version: version(number),
            status,
            min_platform: min_platform.map(version),
        });
        self.declarations[place].push(Declaration {
            dependencies,
            conflicts,
        });
        self
    }

    pub(super) fn module(&mut self, slug: &str) -> usize {
        if let Some(place) = self.modules.iter().position(|one| one.slug == slug) {
            return place;
        }
        let mut id = Id::default();
        id[0] = u8::try_from(self.modules.len()).expect("few modules");
        self.modules.push(ModuleFacts {
            id,
            slug: slug.to_owned(),
            versions: Vec::new(),
        });
        self.declarations.push(Vec::new());
        self.modules.len() - 1
    }

    fn solve(
        &self,
        slug: &str,
        demand: Demand,
        installed: &[(&str, &str)],
    ) -> Result<Vec<Member>, Failure<Infallible>> {
        let id = |slug: &str| {
            let found = self.modules.iter().find(|one| one.slug == slug);
            found.expect("a module").id
        };
        let installed: Vec<Installed> = installed
            .iter()
            .map(|(slug, number)| Installed {
                module: id(slug),
                version: version(number),
            })
            .collect();
        solve(
            self,
            &Request {
                site: "acme",
                platform: Some(&version("4.2.0")),
                installed: &installed,
                module: id(slug),
                demand,
                step_limit: 100_000,
            },
        )
    }

    fn found(&self, slug: &str, range: &str, installed: &[(&str, &str)]) -> String {
        let demand = if range.is_empty() {
            Demand::Any
        } else {
            Demand::Range(requirement(range))
        };
        match self.solve(slug, demand, installed) {
            Ok(members) => members
                .iter()
                .map(|member| {
                    format!(
                        "{} {} {}",
                        member.action.as_str(),
                        member.slug,
                        member.version
                    )
                })
                .collect::<Vec<_>>()
                .join(", "),
            Err(Failure::NoSolution(why)) => why.text,
            Err(Failure::TooManySteps) => "too many steps".to_owned(),
            Err(Failure::Source(never)) => match never {},
        }
    }
}

fn registry() -> Registry {
    Registry::default()
}

#[test]
fn takes_the_newest_release() {
    let mut registry = registry();
    registry
        .add("shop", "1.0.0", json!({}))
        .add("shop", "1.1.0", json!({}))
        .add("shop", "2.0.0-rc.1", json!({}));
    assert_eq!(registry.found("shop", "", &[]), "install shop 1.1.0");
    assert_eq!(
        registry.found("shop", "^2.0.0-0", &[]),
        "install shop 2.0.0-rc.1"
    );
}

#[test]
fn takes_a_prerelease_where_nothing_else_is_published() {
    let mut registry = registry();
    registry
        .add("shop", "1.0.0-alpha", json!({}))
        .add("shop", "1.0.0-beta", json!({}));
    assert_eq!(registry.found("shop", "", &[]), "install shop 1.0.0-beta");
    assert_eq!(
        registry.found("shop", "*", &[]),
        "\"shop\" * is asked for, in which only prereleases lie (1.0.0-alpha, 1.0.0-beta), and it names none of them."
    );
}

#[test]
fn what_is_needed_comes_first() {
    let mut registry = registry();
    registry
        .add("shop", "1.0.0", json!({"billing": "^1", "mail": "*"}))
        .add("billing", "1.0.0", json!({"mail": ">=1 <3"}))
        .add("mail", "2.0.0", json!({}))
        .add("mail", "3.0.0", json!({}));
    let members = registry
        .solve("shop", Demand::Any, &[])
        .expect("a solution");
    let shown: Vec<_> = members
        .iter()
        .map(|one| {
            (
                one.slug.as_str(),
                one.version.to_string(),
                one.required_by.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("mail", "2.0.0".to_owned(), Some("billing >=1 <3, shop *")),
            ("billing", "1.0.0".to_owned(), Some("shop ^1")),
            ("shop", "1.0.0".to_owned(), None),
        ]
    );
}

#[test]
fn installed_modules_stay_if_they_can() {
    let mut registry = registry();
    registry
        .add("shop", "1.0.0", json!({"mail": ">=1"}))
        .add("mail", "1.0.0", json!({}))
        .add("mail", "2.0.0", json!({}));
    assert_eq!(
        registry.found("shop", "", &[("mail", "1.0.0")]),
        "keep mail 1.0.0, install shop 1.0.0"
    );
    assert_eq!(
        registry.found("shop", "", &[]),
        "install mail 2.0.0, install shop 1.0.0"
    );
    assert_eq!(
        registry.found("mail", "", &[("mail", "1.0.0")]),
        "keep mail 1.0.0"
    );
}

#[test]
fn an_installed_dependent_goes_up_with_it() {
    let mut registry = registry();
    registry
        .add("shop", "2.0.0", json!({"billing": "^2"}))
        .add("billing", "1.0.0", json!({}))
        .add("billing", "2.0.0", json!({}))
        .add("reports", "1.4.0", json!({"billing": "^1"}))
        .add("reports", "2.0.0", json!({"billing": "^2"}));
    assert_eq!(
        registry.found("shop", "", &[("billing", "1.0.0"), ("reports", "1.4.0")]),
        "upgrade billing 2.0.0, upgrade reports 2.0.0, install shop 2.0.0"
    );
    // A dependent of the module asked for comes after it.
    assert_eq!(
        registry.found(
            "billing",
            "^2",
            &[("billing", "1.0.0"), ("reports", "1.4.0")]
        ),
        "upgrade billing 2.0.0, upgrade reports 2.0.0"
    );
}

#[test]
fn says_who_is_against_whom() {
    let mut registry = registry();
    registry
        .add("shop", "2.0.0", json!({"billing": "^2"}))
        .add("billing", "1.0.0", json!({}))
        .add("billing", "2.0.0", json!({}))
        .add("reports", "1.4.0", json!({"billing": "^1"}));
    let failure = registry.solve(
        "shop",
        Demand::Any,
        &[("billing", "1.0.0"), ("reports", "1.4.0")],
    );
    let Err(Failure::NoSolution(why)) = failure else {
        panic!("a solution that isn't one: {failure:?}");
    };
    assert_eq!(
        why.text,
        "These can't hold together:\n\
         - \"shop\" is asked for\n\
         - \"shop\" 2.0.0 needs \"billing\" ^2\n\
         - site \"acme\" keeps \"reports\" at 1.4.0 or newer\n\
         - \"reports\" 1.4.0 needs \"billing\" ^1"
    );
    assert_eq!(why.in_the_way, ["reports"]);
}

#[test]
fn never_goes_down() {
    let mut registry = registry();
    registry
        .add("shop", "1.0.0", json!({}))
        .add("shop", "2.0.0", json!({}));
    assert_eq!(
        registry.found("shop", "^1", &[("shop", "2.0.0")]),
        "These can't hold together:\n\
         - \"shop\" ^1 is asked for\n\
         - site \"acme\" keeps \"shop\" at 2.0.0 or newer"
    );
}

#[test]
fn cycles_end() {
    let mut registry = registry();
    registry
        .add("shop", "1.0.0", json!({"billing": "^1"}))
        .add("billing", "1.0.0", json!({"shop": "^1"}))
        .add("odd", "1.0.0", json!({"even": "^2"}))
        .add("even", "2.0.0", json!({"odd": "^2"}));
    assert_eq!(
        registry.found("shop", "", &[]),
        "install billing 1.0.0, install shop 1.0.0"
    );
    assert_eq!(
        registry.found("billing", "", &[]),
        "install shop 1.0.0, install billing 1.0.0"
    );
    assert_eq!(
        registry.found("odd", "", &[]),
        "These can't hold together:\n\
         - \"odd\" is asked for\n\
         - \"odd\" 1.0.0 needs \"even\" ^2\n\
         - \"even\" 2.0.0 needs \"odd\" ^2, which no version satisfies: the highest is 1.0.0"
    );
}

#[test]
fn a_need_of_itself_is_met_or_not() {
    let mut registry = registry();
    registry.add("shop", "1.0.0", json!({"shop": "^1"})).add(
        "shop",
        "2.0.0",
        json!({"shop": "^1"}),
    );
    assert_eq!(registry.found("shop", "", &[]), "install shop 1.0.0");
    assert_eq!(
        registry.found("shop", "2.x", &[]),
        "These can't hold together:\n\
         - \"shop\" 2.x is asked for\n\
         - \"shop\" 2.0.0 needs itself in range ^1"
    );
}

#[test]
fn diamonds_meet() {
    let mut registry = registry();
    registry
        .add("top", "1.0.0", json!({"left": "^1", "right": "^1"}))
        .add("left", "1.0.0", json!({"base": ">=1 <3"}))
        .add("right", "1.0.0", json!({"base": "^1"}))
        .add("right", "1.1.0", json!({"base": "^2"}))
        .add("base", "1.0.0", json!({}))
        .add("base", "2.0.0", json!({}))
        .add("base", "3.0.0", json!({}));
    assert_eq!(
        registry.found("top", "", &[]),
        "install base 2.0.0, install left 1.0.0, install right 1.1.0, install top 1.0.0"
    );
}

#[test]
fn yanked_never_deprecated_last() {
    let mut registry = registry();
    let (none, yanked) = (json!({}), Status::Yanked);
    registry
        .add("shop", "1.0.0", json!({"mail": "^1"}))
        .add("shop", "2.0.0", json!({"mail": "^2"}))
        .add("blog", "1.0.0", json!({"mail": "*"}))
        .add_with(
            "mail",
            "1.0.0",
            Status::Published,
            none.clone(),
            none.clone(),
            None,
        )
        .add_with(
            "mail",
            "1.1.0",
            Status::Deprecated,
            none.clone(),
            none.clone(),
            None,
        )
        .add_with("mail", "2.0.0", yanked, none.clone(), none.clone(), None)
        .add_with("mail", "2.1.0", yanked, none.clone(), none.clone(), None)
        .add_with("old", "1.0.0", Status::Deprecated, none.clone(), none, None);
    assert_eq!(
        registry.found("shop", "", &[]),
        "install mail 1.0.0, install shop 1.0.0"
    );
    assert_eq!(
        registry.found("shop", "^2", &[]),
        "These can't hold together:\n\
         - \"shop\" ^2 is asked for\n\
         - \"shop\" 2.0.0 needs \"mail\" ^2, of which every version is yanked (2.0.0, 2.1.0)"
    );
    assert_eq!(registry.found("mail", "~1.1", &[]), "install mail 1.1.0");
    assert_eq!(registry.found("old", "", &[]), "install old 1.0.0");
    // What a site runs stays, yanked or not.
    assert_eq!(
        registry.found("blog", "", &[("mail", "2.0.0")]),
        "keep mail 2.0.0, install blog 1.0.0"
    );
}

#[test]
fn a_module_that_is_gone_is_named() {
    let mut registry = registry();
    registry.add("shop", "1.0.0", json!({"gone": "^1"}));
    assert_eq!(
        registry.found("shop", "", &[]),
        "These can't hold together:\n\
         - \"shop\" is asked for\n\
         - \"shop\" 1.0.0 needs \"gone\" ^1, which is not in the registry"
    );
}

#[test]
fn the_platform_counts() {
    let mut registry = registry();
    let none = json!({});
    registry
        .add_with(
            "shop",
            "1.0.0",
            Status::Published,
            none.clone(),
            none.clone(),
            Some("4.0.0"),
        )
        .add_with(
            "shop",
            "2.0.0",
            Status::Published,
            none.clone(),
            none.clone(),
            Some("5.0.0"),
        )
        .add_with(
            "shop",
            "2.1.0",
            Status::Published,
            none.clone(),
            none,
            Some("5.1.0"),
        );
    assert_eq!(registry.found("shop", "", &[]), "install shop 1.0.0");
    assert_eq!(
        registry.found("shop", "^2", &[]),
        "These can't hold together:\n\
         - \"shop\" ^2 is asked for\n\
         - \"shop\" 2.0.0 or newer needs platform 5.0.0 or newer, but site \"acme\" runs platform 4.2.0"
    );
    // What runs already runs.
    assert_eq!(
        registry.found("shop", "", &[("shop", "2.0.0")]),
        "keep shop 2.0.0"
    );
}

#[test]
fn conflicts_keep_apart() {
    let mut registry = registry();
    let none = json!({});
    registry
        .add_with(
            "shop",
            "1.0.0",
            Status::Published,
            none.clone(),
            json!({"legacy": "<2"}),
            None,
        )
        .add("legacy", "1.0.0", none.clone())
        .add("legacy", "2.0.0", none.clone())
        .add_with(
            "solo",
            "1.0.0",
            Status::Published,
            none.clone(),
            json!({"legacy": "*"}),
            None,
        )
        .add("both", "1.0.0", json!({"solo": "*", "legacy": "*"}));
    assert_eq!(registry.found("shop", "", &[]), "install shop 1.0.0");
    assert_eq!(
        registry.found("shop", "", &[("legacy", "1.0.0")]),
        "upgrade legacy 2.0.0, install shop 1.0.0"
    );
    assert_eq!(
        registry.found("solo", "", &[("legacy", "2.0.0")]),
        "These can't hold together:\n\
         - \"solo\" is asked for\n\
         - \"solo\" 1.0.0 conflicts with \"legacy\" *\n\
         - site \"acme\" keeps \"legacy\" at 2.0.0 or newer"
    );
    assert_eq!(
        registry.found("both", "", &[]),
        "These can't hold together:\n\
         - \"both\" is asked for\n\
         - \"both\" 1.0.0 needs \"legacy\" *\n\
         - \"both\" 1.0.0 needs \"solo\" *\n\
         - \"solo\" 1.0.0 conflicts with \"legacy\" *"
    );
}

#[test]
fn long_derivations_are_numbered() {
    let mut registry = registry();
    registry
        .add("top", "1.0.0", json!({"a": "^1", "b": "^1", "c": "^1"}))
        .add("a", "1.0.0", json!({"base": "^1"}))
        .add("a", "1.1.0", json!({"base": "^2"}))
        .add("b", "1.0.0", json!({"base": "^2"}))
        .add("b", "1.1.0", json!({"base": "^3"}))
        .add("c", "1.0.0", json!({"base": "^3"}))
        .add("c", "1.1.0", json!({"base": "^1"}))
        .add("base", "1.0.0", json!({}))
        .add("base", "2.0.0", json!({}))
        .add("base", "3.0.0", json!({}));
    let text = registry.found("top", "", &[]);
    assert!(text.starts_with("1. Because "), "{text}");
    assert!(text.ends_with("there is no solution."), "{text}");
    assert_eq!(text, registry.found("top", "", &[]));
}

#[test]
fn asks_level_by_level() {
    let mut registry = registry();
    for place in 0..30 {
        let needs = json!({format!("m{}", place + 1): "^1", format!("n{place}"): "*"});
        registry.add(&format!("m{place}"), "1.0.0", needs);
        registry.add(&format!("n{place}"), "1.0.0", json!({}));
    }
    registry.add("m30", "1.0.0", json!({}));
    assert!(registry.found("m0", "", &[]).ends_with("install m0 1.0.0"));
    assert!(
        *registry.queries.borrow() <= 2 * 32,
        "{}",
        registry.queries.borrow()
    );
}

#[test]
fn stops_at_the_limit() {
    let mut registry = registry();
    registry
        .add("shop", "1.0.0", json!({"mail": "^1"}))
        .add("mail", "1.0.0", json!({}));
    let outcome = solve(
        &registry,
        &Request {
            site: "acme",
            platform: None,
            installed: &[],
            module: registry.modules[0].id,
            demand: Demand::Any,
            step_limit: 2,
        },
    );
    assert!(matches!(outcome, Err(Failure::TooManySteps)), "{outcome:?}");
}
