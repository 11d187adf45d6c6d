//! Why there is no solution, in words: modules by their slugs, ranges as they were written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pubgrub::{Derived, External, Term, VersionSet};

use super::catalogue::{Catalogue, Package};
use super::choice::ChoiceSet;
use super::module::{Bond, Edge, Module};
use super::provider::Tree;
use super::{Demand, Explanation, Request, Source};

/// Up to so many facts speak for themselves; more are told as a derivation.
const PLAIN_FACTS: usize = 5;
/// A derivation is cut after so many steps.
const MOST_STEPS: usize = 100;
/// A list of versions is cut after so many runs.
const MOST_RUNS: usize = 4;

/// Puts `pubgrub`'s derivation into words.
pub(super) fn explain<S: Source>(
    catalogue: &Catalogue<'_, S>,
    request: &Request<'_>,
    tree: &Tree,
) -> Explanation {
    let mut teller = Teller {
        catalogue,
        request,
        facts: Vec::new(),
        steps: Vec::new(),
        told: HashMap::new(),
        in_the_way: BTreeSet::new(),
    };
    teller.tell(tree);
    let text = match teller.facts.as_slice() {
        [fact] => sentence(&fact.text),
        facts if facts.len() <= PLAIN_FACTS => {
            let lines: Vec<String> = in_reading_order(facts, catalogue.asked)
                .iter()
                .map(|fact| format!("- {fact}"))
                .collect();
            format!("These can't hold together:\n{}", lines.join("\n"))
        }
        _ => teller.numbered(),
    };
    Explanation {
        text,
        in_the_way: teller.in_the_way.into_iter().collect(),
    }
}

/// Something that is so, whatever is chosen.
struct Fact {
    /// Of whom it speaks.
    subject: Package,
    /// Whom else it names.
    object: Option<Package>,
    text: String,
}

impl Fact {
    fn new(external: &External<Package, ChoiceSet, String>, text: String) -> Self {
        let (subject, object) = match external {
            External::FromDependencyOf(subject, _, object, _) => (*subject, Some(*object)),
            External::NotRoot(subject, _)
            | External::NoVersions(subject, _)
            | External::Custom(subject, ..) => (*subject, None),
        };
        Self {
            subject,
            object,
            text,
        }
    }
}

/// From the module asked for along what it needs, then the same from each installed one.
fn in_reading_order(facts: &[Fact], asked: usize) -> Vec<&str> {
    let mut left: Vec<&Fact> = facts.iter().collect();
    left.sort_by_key(|fact| {
        let of_site = fact.subject == Package::Site;
        (of_site, fact.object != Some(Package::Module(asked)))
    });
    let mut reached = BTreeSet::new();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let next = left
            .iter()
            .position(|fact| reached.contains(&fact.subject))
            .or_else(|| left.iter().position(|fact| fact.subject == Package::Site))
            .unwrap_or_default();
        let fact = left.remove(next);
        reached.extend(fact.object);
        ordered.push(fact.text.as_str());
    }
    ordered
}

/// What one cause says: a fact, or the conclusion of a step.
enum Said {
    Fact(String),
    Step(usize),
}

struct Teller<'a, S> {
    catalogue: &'a Catalogue<'a, S>,
    request: &'a Request<'a>,
    /// Each once, in the order in which they come up.
    facts: Vec<Fact>,
    steps: Vec<String>,
    /// Steps told already, by the address of their place in the tree.
    told: HashMap<*const Tree, usize>,
    in_the_way: BTreeSet<String>,
}

impl<S: Source> Teller<'_, S> {
    /// Causes first. Without recursion: derivations may be long.
    fn tell(&mut self, tree: &Tree) {
        let mut open: Vec<&Tree> = vec![tree];
        while let Some(&top) = open.last() {
            let Tree::Derived(derived) = top else {
                if let Tree::External(external) = top {
                    self.note(external);
                }
                open.pop();
                continue;
            };
            if self.told.contains_key(&std::ptr::from_ref(top)) {
                open.pop();
                continue;
            }
            let causes = [&*derived.cause1, &*derived.cause2];
            let missing = causes.into_iter().rev().filter(|cause| {
                matches!(cause, Tree::Derived(_))
                    && !self.told.contains_key(&std::ptr::from_ref(*cause))
            });
            let before = open.len();
            open.extend(missing);
            if open.len() == before {
                open.pop();
                self.conclude(top, derived);
            }
        }
    }

    fn conclude(&mut self, tree: &Tree, derived: &Derived<Package, ChoiceSet, String>) {
        let said = [self.said(&derived.cause1), self.said(&derived.cause2)];
        let mut by = Vec::new();
        let mut because = Vec::new();
        for one in said {
            match one {
                Said::Fact(fact) => because.push(fact),
                Said::Step(number) => by.push(number.to_string()),
            }
        }
        let conclusion = self.conclusion(&derived.terms);
        let step = match (by.is_empty(), because.is_empty()) {
            (true, _) => format!("Because {}, {conclusion}.", because.join(" and ")),
            (false, true) => format!("By {}, {conclusion}.", by.join(" and ")),
            (false, false) => format!(
                "By {} and because {}, {conclusion}.",
                by.join(" and "),
                because.join(" and ")
            ),
        };
        self.steps.push(step);
        self.told.insert(std::ptr::from_ref(tree), self.steps.len());
    }

    fn said(&mut self, cause: &Tree) -> Said {
        match cause {
            Tree::External(external) => Said::Fact(self.note(external)),
            Tree::Derived(_) => Said::Step(
                self.told
                    .get(&std::ptr::from_ref(cause))
                    .copied()
                    .unwrap_or_default(),
            ),
        }
    }

    /// Keeps a fact for the short form.
    fn note(&mut self, external: &External<Package, ChoiceSet, String>) -> String {
        let fact = self.fact(external);
        let is_new = self.facts.iter().all(|known| known.text != fact);
        if is_new && !matches!(external, External::NotRoot(..)) {
            self.facts.push(Fact::new(external, fact.clone()));
        }
        fact
    }

    fn fact(&mut self, external: &External<Package, ChoiceSet, String>) -> String {
        match external {
            External::NotRoot(..) => format!("site \"{}\" is what it is", self.request.site),
            External::NoVersions(package, set) => {
                format!("there is no {}", self.versions(*package, set))
            }
            External::Custom(package, set, fault) => {
                format!("{} {fault}", self.versions(*package, set))
            }
            External::FromDependencyOf(Package::Site, _, Package::Module(place), allowed) => {
                self.demand(*place, allowed)
            }
            External::FromDependencyOf(package, set, Package::Platform, _) => {
                self.platform(*package, set)
            }
            External::FromDependencyOf(package, set, needed, allowed) => {
                self.bond(*package, set, *needed, allowed)
            }
        }
    }

    /// What the site demands of a module.
    fn demand(&mut self, place: usize, allowed: &ChoiceSet) -> String {
        let Some(module) = self.catalogue.module(place) else {
            return String::new();
        };
        let slug = &module.slug;
        if place == self.catalogue.asked && *allowed == module.demanded(&self.request.demand) {
            let (what, range) = match &self.request.demand {
                Demand::Any => (format!("\"{slug}\""), None),
                Demand::Range(range) => (
                    format!("\"{slug}\" {}", range.text.trim()),
                    Some(&range.range),
                ),
                Demand::Exactly(version) => (format!("\"{slug}\" {version}"), None),
            };
            return match module.why_none(range, allowed) {
                Some(why) => format!("{what} is asked for, {why}"),
                None => format!("{what} is asked for"),
            };
        }
        if place != self.catalogue.asked {
            self.in_the_way.insert(slug.clone());
        }
        let installed = module
            .installed
            .and_then(|installed| module.candidate(installed))
            .map_or_else(String::new, |candidate| candidate.version.to_string());
        format!(
            "site \"{}\" keeps \"{slug}\" at {installed} or newer",
            self.request.site
        )
    }

    fn platform(&self, package: Package, set: &ChoiceSet) -> String {
        let lowest = self.module(package).and_then(|module| {
            indices(module, set)
                .filter_map(|index| module.candidate(index)?.min_platform.as_ref())
                .min()
        });
        let needed = lowest.map_or_else(String::new, ToString::to_string);
        let site = self.request.site;
        let has = match self.request.platform {
            Some(platform) => format!("but site \"{site}\" runs platform {platform}"),
            None => format!("but the platform version of site \"{site}\" is not known"),
        };
        format!(
            "{} needs platform {needed} or newer, {has}",
            self.versions(package, set)
        )
    }

    fn bond(
        &self,
        package: Package,
        set: &ChoiceSet,
        needed: Package,
        allowed: &ChoiceSet,
    ) -> String {
        let subject = self.versions(package, set);
        let found = self.edge(package, set, needed, allowed);
        let (Some(edge), Some(other)) = (found, self.module(needed)) else {
            return format!("{subject} needs {}", self.versions(needed, allowed));
        };
        let range = match edge.requirement.text.trim() {
            "" => "*",
            range => range,
        };
        match edge.bond {
            Bond::Conflicts => format!("{subject} conflicts with \"{}\" {range}", other.slug),
            Bond::Needs => match other.why_none(Some(&edge.requirement.range), allowed) {
                Some(why) => format!("{subject} needs \"{}\" {range}, {why}", other.slug),
                None => format!("{subject} needs \"{}\" {range}", other.slug),
            },
        }
    }

    /// What was declared, by the highest of the versions that leaves just this to choose.
    fn edge(
        &self,
        package: Package,
        set: &ChoiceSet,
        needed: Package,
        allowed: &ChoiceSet,
    ) -> Option<Edge> {
        let (Package::Module(place), Package::Module(needed)) = (package, needed) else {
            return None;
        };
        let mut highest: Vec<u32> = indices(self.catalogue.module(place)?, set).collect();
        highest.reverse();
        highest.into_iter().find_map(|index| {
            let declared = self.catalogue.declared(place, index)?;
            declared
                .edges
                .iter()
                .find(|edge| edge.module == needed && edge.allowed == *allowed)
                .cloned()
        })
    }

    fn module(&self, package: Package) -> Option<&Module> {
        match package {
            Package::Module(place) => self.catalogue.module(place),
            Package::Site | Package::Platform => None,
        }
    }

    /// The versions of a set, with the module's slug.
    fn versions(&self, package: Package, set: &ChoiceSet) -> String {
        let Some(module) = self.module(package) else {
            return "the platform".to_owned();
        };
        let (slug, last) = (&module.slug, module.last());
        let (mut absent, mut runs) = (false, Vec::new());
        for (start, end) in set.runs(last) {
            absent |= start == 0;
            if end > 0 {
                runs.push((start.max(1), end));
            }
        }
        let version = |index: u32| {
            module
                .candidate(index)
                .map_or_else(String::new, |candidate| candidate.version.to_string())
        };
        let hidden = runs.len().saturating_sub(MOST_RUNS);
        let mut parts: Vec<String> = runs
            .iter()
            .take(MOST_RUNS)
            .map(|(start, end)| match (*start, *end) {
                (1, end) if end == last && last > 1 => String::new(),
                (start, end) if start == end => version(start),
                (start, end) if end == last => format!("{} or newer", version(start)),
                (1, end) => format!("{} or older", version(end)),
                (start, end) => format!("{} to {}", version(start), version(end)),
            })
            .collect();
        if hidden > 0 {
            parts.push("one of some others".to_owned());
        }
        let named = match parts.as_slice() {
            [] => return format!("no \"{slug}\""),
            [all] if all.is_empty() => format!("any version of \"{slug}\""),
            parts => format!("\"{slug}\" {}", parts.join(" or ")),
        };
        if absent {
            format!("no \"{slug}\", or {named}")
        } else {
            named
        }
    }

    /// What follows from a step. The site's own term is always true and left out.
    fn conclusion(&self, terms: &pubgrub::Map<Package, Term<ChoiceSet>>) -> String {
        let sorted: BTreeMap<&Package, &Term<ChoiceSet>> = terms.iter().collect();
        let (mut have, mut lack) = (Vec::new(), Vec::new());
        for (package, term) in sorted {
            match (package, term) {
                (Package::Site, _) => {}
                (package, Term::Positive(set)) if set.has(0) => {
                    lack.push((*package, set.complement()));
                }
                (package, Term::Positive(set)) => have.push(self.versions(*package, set)),
                (package, Term::Negative(set)) => lack.push((*package, set.clone())),
            }
        }
        let lack: Vec<String> = lack
            .into_iter()
            .map(|(package, set)| self.versions(package, &set))
            .collect();
        match (have.as_slice(), lack.as_slice()) {
            ([], []) => "there is no solution".to_owned(),
            ([], _) => format!("there must be {}", lack.join(" or ")),
            ([one], []) => format!("{one} can't be there"),
            (many, []) => format!("{} can't be there together", many.join(" and ")),
            ([one], _) => format!("{one} needs {}", lack.join(" or ")),
            (many, _) => format!("{} together need {}", many.join(" and "), lack.join(" or ")),
        }
    }

    fn numbered(&self) -> String {
        let hidden = self.steps.len().saturating_sub(MOST_STEPS);
        let mut lines: Vec<String> = self
            .steps
            .iter()
            .enumerate()
            .skip(hidden)
            .map(|(at, step)| format!("{}. {step}", at + 1))
            .collect();
        if hidden > 0 {
            lines.insert(0, format!("(The first {hidden} steps are left out.)"));
        }
        lines.join("\n")
    }
}

fn indices<'a>(module: &'a Module, set: &ChoiceSet) -> impl Iterator<Item = u32> + use<'a> {
    set.runs(module.last())
        .into_iter()
        .flat_map(|(start, end)| start.max(1)..=end)
}

/// A fact as a sentence by itself.
fn sentence(fact: &str) -> String {
    let mut letters = fact.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}
