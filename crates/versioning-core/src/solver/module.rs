//! A module, the choices there are of it, and what each of them says of others.

use std::collections::HashMap;
use std::rc::Rc;

use npm_semver::{Prerelease, Range, Version};
use pubgrub::VersionSet;

use super::choice::{Choice, ChoiceSet};
use super::{Demand, ModuleFacts};
use crate::dependency::Requirement;
use crate::model::Id;
use crate::status::Status;

/// What a version says of another module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Bond {
    /// It needs it.
    Needs,
    /// It can't be beside it.
    Conflicts,
}

/// A bond, with what it leaves to choose.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub bond: Bond,
    pub module: usize,
    pub requirement: Rc<Requirement>,
    pub allowed: ChoiceSet,
}

/// The bonds of a version.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub edges: Vec<Edge>,
    /// Why it can't run anywhere.
    pub fault: Option<String>,
}

/// A version that can be chosen.
#[derive(Debug)]
pub(super) struct Candidate {
    pub id: Id,
    pub version: Version,
    pub deprecated: bool,
    pub min_platform: Option<Version>,
    /// Its bonds, once they were fetched.
    pub declared: Option<Rc<Declared>>,
}

/// A module, or the name of one that doesn't exist.
#[derive(Debug)]
pub(super) struct Module {
    pub id: Option<Id>,
    pub slug: String,
    /// Choice 1 is the first of them.
    pub candidates: Vec<Candidate>,
    /// What was yanked, ascending.
    pub withdrawn: Vec<Version>,
    /// The choice that is installed.
    pub installed: Option<u32>,
    /// What the ranges met so far leave to choose, by their texts.
    needs: HashMap<String, ChoiceSet>,
    conflicts: HashMap<String, ChoiceSet>,
}

impl Module {
    pub(super) fn unknown(slug: String) -> Self {
        Self {
            id: None,
            slug,
            candidates: Vec::new(),
            withdrawn: Vec::new(),
            installed: None,
            needs: HashMap::new(),
            conflicts: HashMap::new(),
        }
    }

    pub(super) fn new(facts: ModuleFacts, installed: Option<&Version>) -> Self {
        let mut module = Self::unknown(facts.slug);
        module.id = Some(facts.id);
        for one in facts.versions {
            let is_installed = installed == Some(&one.version);
            match one.status {
                Status::Draft => continue,
                Status::Yanked if !is_installed => {
                    module.withdrawn.push(one.version);
                    continue;
                }
                Status::Published | Status::Deprecated | Status::Yanked => {}
            }
            module.candidates.push(Candidate {
                id: one.id,
                version: one.version,
                deprecated: one.status != Status::Published,
                min_platform: one.min_platform,
                declared: None,
            });
            if is_installed {
                module.installed = Some(module.last());
            }
        }
        module
    }

    /// The highest choice.
    pub(super) fn last(&self) -> u32 {
        u32::try_from(self.candidates.len()).unwrap_or(u32::MAX)
    }

    /// The version of a choice; none for the choice not to have it.
    pub(super) fn candidate(&self, index: u32) -> Option<&Candidate> {
        self.candidates
            .get(usize::try_from(index).ok()?.checked_sub(1)?)
    }

    /// The choices whose versions pass the test.
    pub(super) fn choices(&self, test: impl Fn(&Candidate) -> bool) -> ChoiceSet {
        ChoiceSet::filtered(self.last(), |index| {
            self.candidate(index).is_some_and(&test)
        })
    }

    /// What a bond leaves to choose. A conflict forbids prereleases whether its range names them or not.
    pub(super) fn allowed(&mut self, bond: Bond, requirement: &Requirement) -> ChoiceSet {
        let known = match bond {
            Bond::Needs => self.needs.get(&requirement.text),
            Bond::Conflicts => self.conflicts.get(&requirement.text),
        };
        if let Some(known) = known {
            return known.clone();
        }
        let range = &requirement.range;
        let set = match bond {
            Bond::Needs => self.choices(|one| range.satisfies(&one.version)),
            Bond::Conflicts => self
                .choices(|one| range.satisfies_with(&one.version, Prerelease::Include))
                .complement(),
        };
        let known = match bond {
            Bond::Needs => &mut self.needs,
            Bond::Conflicts => &mut self.conflicts,
        };
        known.insert(requirement.text.clone(), set.clone());
        set
    }

    /// What the demand leaves to choose.
    pub(super) fn demanded(&self, demand: &Demand) -> ChoiceSet {
        match demand {
            Demand::Exactly(version) => self.choices(|candidate| candidate.version == *version),
            Demand::Range(requirement) => {
                self.choices(|candidate| requirement.range.satisfies(&candidate.version))
            }
            Demand::Any => {
                let is_release = |one: &Candidate| !one.version.is_prerelease();
                let has_release = self
                    .candidates
                    .iter()
                    .any(|one| !one.deprecated && is_release(one));
                let installed = self.installed;
                ChoiceSet::filtered(self.last(), |index| {
                    self.candidate(index).is_some_and(|one| {
                        !has_release || is_release(one) || installed == Some(index)
                    })
                })
            }
        }
    }

    /// What an installed module may become: what it is, or higher.
    pub(super) fn not_below_installed(&self) -> Option<ChoiceSet> {
        let installed = self.installed?;
        Some(ChoiceSet::from_runs(
            self.last(),
            vec![(installed, self.last())],
        ))
    }

    /// The choice to try first: what is installed, nothing, the newest, the newest deprecated one.
    pub(super) fn preferred(&self, set: &ChoiceSet) -> Option<Choice> {
        let last = self.last();
        let highest = |deprecated: bool| {
            set.runs(last)
                .into_iter()
                .rev()
                .flat_map(|(start, end)| (start..=end).rev())
                .find(|index| {
                    self.candidate(*index)
                        .is_some_and(|one| one.deprecated == deprecated)
                })
        };
        self.installed
            .filter(|installed| set.has(*installed))
            .or_else(|| set.has(0).then_some(0))
            .or_else(|| highest(false))
            .or_else(|| highest(true))
            .map(|index| Choice { index, last })
    }

    /// Why nothing is left to choose of a range; nothing when something is.
    pub(super) fn why_none(&self, range: Option<&Range>, set: &ChoiceSet) -> Option<String> {
        if *set != ChoiceSet::Empty {
            return None;
        }
        if self.id.is_none() {
            return Some("which is not in the registry".to_owned());
        }
        let within = |version: &&Version| range.is_none_or(|range| range.satisfies(version));
        let yanked: Vec<String> = self.withdrawn.iter().filter(within).map(quote).collect();
        if !yanked.is_empty() {
            return Some(format!(
                "of which every version is yanked ({})",
                newest_of(yanked)
            ));
        }
        let near: Vec<String> = self
            .candidates
            .iter()
            .map(|candidate| &candidate.version)
            .filter(|version| {
                range.is_some_and(|range| range.satisfies_with(version, Prerelease::Include))
            })
            .map(quote)
            .collect();
        if !near.is_empty() {
            return Some(format!(
                "in which only prereleases lie ({}), and it names none of them",
                newest_of(near)
            ));
        }
        Some(match self.candidates.last() {
            Some(highest) => format!(
                "which no version satisfies: the highest is {}",
                highest.version
            ),
            None => "of which no version is published".to_owned(),
        })
    }
}

fn quote(version: &Version) -> String {
    version.to_string()
}

/// The last five of an ascending list.
fn newest_of(versions: Vec<String>) -> String {
    const MOST: usize = 5;
    let shown: Vec<&str> = versions
        .iter()
        .rev()
        .take(MOST)
        .rev()
        .map(String::as_str)
        .collect();
    let hidden = versions.len() - shown.len();
    if hidden > 0 {
        format!("{} and {hidden} older", shown.join(", "))
    } else {
        shown.join(", ")
    }
}
