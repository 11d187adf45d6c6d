//! What the solver knows of the registry: fetched when it is needed, many things at a time, and kept.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::rc::Rc;

use npm_semver::{Range, Version};
use serde_json::Value;

use super::choice::ChoiceSet;
use super::module::{Bond, Declared, Edge, Module};
use super::{Failure, Installed, Request, Source};
use crate::dependency::{ModuleKey, Requirement};
use crate::model::Id;

/// What has choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Package {
    /// The site itself, whose only choice demands what it demands.
    Site,
    /// The platform, of which nothing but the one version is to be had.
    Platform,
    /// A module, by its place in the catalogue.
    Module(usize),
}

impl fmt::Display for Package {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// The modules met so far.
pub(super) struct Catalogue<'a, S> {
    pub source: &'a S,
    installed: &'a [Installed],
    pub modules: Vec<Module>,
    by_key: HashMap<ModuleKey, usize>,
    /// The ranges met so far, by their texts; none for what can't be read.
    requirements: HashMap<String, Option<Rc<Requirement>>>,
    /// The module asked for.
    pub asked: usize,
}

impl<'a, S: Source> Catalogue<'a, S> {
    /// With the module asked for and the installed ones.
    pub(super) fn open(source: &'a S, request: &Request<'a>) -> Result<Self, Failure<S::Error>> {
        let mut catalogue = Self {
            source,
            installed: request.installed,
            modules: Vec::new(),
            by_key: HashMap::new(),
            requirements: HashMap::new(),
            asked: 0,
        };
        let keys = std::iter::once(request.module)
            .chain(request.installed.iter().map(|one| one.module))
            .map(ModuleKey::Id)
            .collect();
        catalogue.fetch_modules(keys)?;
        catalogue.asked = catalogue.place(&ModuleKey::Id(request.module));
        Ok(catalogue)
    }

    /// Fetches the modules of the keys that aren't known yet.
    fn fetch_modules(&mut self, keys: Vec<ModuleKey>) -> Result<(), S::Error> {
        let mut seen = HashSet::new();
        let unknown: Vec<ModuleKey> = keys
            .into_iter()
            .filter(|key| !self.by_key.contains_key(key) && seen.insert(key.clone()))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        for facts in self.source.modules(&unknown)? {
            let by_id = ModuleKey::Id(facts.id);
            if self.by_key.contains_key(&by_id) {
                continue;
            }
            let installed = self
                .installed
                .iter()
                .find(|one| one.module == facts.id)
                .map(|one| &one.version);
            let place = self.modules.len();
            self.by_key
                .insert(ModuleKey::Slug(facts.slug.clone()), place);
            self.by_key.insert(by_id, place);
            self.modules.push(Module::new(facts, installed));
        }
        Ok(())
    }

    /// The place of a fetched module; one that doesn't exist gets a place too.
    fn place(&mut self, key: &ModuleKey) -> usize {
        if let Some(place) = self.by_key.get(key) {
            return *place;
        }
        let name = match key {
            ModuleKey::Slug(slug) => slug.clone(),
            ModuleKey::Id(id) => crate::slug::format_id(id),
        };
        let place = self.modules.len();
        self.modules.push(Module::unknown(name));
        self.by_key.insert(key.clone(), place);
        place
    }

    /// The module at a place.
    pub(super) fn module(&self, place: usize) -> Option<&Module> {
        self.modules.get(place)
    }

    /// Whether a version needs a higher platform than the site has. What is installed already runs on it.
    pub(super) fn lacks_platform(
        &self,
        place: usize,
        index: u32,
        platform: Option<&Version>,
    ) -> bool {
        let Some(module) = self
            .module(place)
            .filter(|one| one.installed != Some(index))
        else {
            return false;
        };
        module
            .candidate(index)
            .and_then(|candidate| candidate.min_platform.as_ref())
            .is_some_and(|needed| platform.is_none_or(|platform| platform < needed))
    }

    /// The bonds of a choice that were fetched.
    pub(super) fn declared(&self, place: usize, index: u32) -> Option<Rc<Declared>> {
        self.module(place)?.candidate(index)?.declared.clone()
    }

    /// Fetches the bonds of choices, and the modules that they name.
    pub(super) fn declare(&mut self, choices: &[(usize, u32)]) -> Result<(), S::Error> {
        let missing: Vec<(usize, u32, Id)> = choices
            .iter()
            .filter_map(|(place, index)| {
                let candidate = self.module(*place)?.candidate(*index)?;
                candidate
                    .declared
                    .is_none()
                    .then_some((*place, *index, candidate.id))
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let ids: Vec<Id> = missing.iter().map(|(.., id)| *id).collect();
        let declarations = self.source.declarations(&ids)?;
        let entries: Vec<Entries> = declarations
            .iter()
            .map(|declaration| {
                let mut entries = Entries::default();
                let known = &mut self.requirements;
                entries.read(Bond::Needs, &declaration.dependencies, known);
                entries.read(Bond::Conflicts, &declaration.conflicts, known);
                entries
            })
            .collect();
        let keys = entries
            .iter()
            .flat_map(|one| one.bonds.iter().map(|(_, key, _)| key.clone()))
            .collect();
        self.fetch_modules(keys)?;
        for ((place, index, _), entries) in missing.into_iter().zip(entries) {
            let declared = self.resolved(place, index, entries);
            let candidate = usize::try_from(index)
                .ok()
                .and_then(|index| index.checked_sub(1))
                .zip(self.modules.get_mut(place))
                .and_then(|(index, module)| module.candidates.get_mut(index));
            if let Some(candidate) = candidate {
                candidate.declared = Some(Rc::new(declared));
            }
        }
        Ok(())
    }

    /// The bonds with what they leave to choose. A bond with the module itself is decided here.
    fn resolved(&mut self, place: usize, index: u32, entries: Entries) -> Declared {
        let mut declared = Declared {
            edges: Vec::with_capacity(entries.bonds.len()),
            fault: entries.fault,
        };
        for (bond, key, requirement) in entries.bonds {
            let needed = self.place(&key);
            let Some(module) = self.modules.get_mut(needed) else {
                continue;
            };
            let allowed = module.allowed(bond, &requirement);
            if needed == place {
                let verb = match bond {
                    Bond::Needs => "needs",
                    Bond::Conflicts => "conflicts with",
                };
                if !allowed.has(index) {
                    let fault = format!("{verb} itself in range {}", requirement.text);
                    declared.fault.get_or_insert(fault);
                }
            } else if allowed != ChoiceSet::Full {
                declared.edges.push(Edge {
                    bond,
                    module: needed,
                    requirement,
                    allowed,
                });
            }
        }
        declared
    }
}

/// The entries of a declaration before the modules they name are known.
#[derive(Default)]
struct Entries {
    bonds: Vec<(Bond, ModuleKey, Rc<Requirement>)>,
    fault: Option<String>,
}

impl Entries {
    /// Reads a declaration in the order of its keys; a range that was met before is not parsed again.
    fn read(
        &mut self,
        bond: Bond,
        declaration: &Value,
        known: &mut HashMap<String, Option<Rc<Requirement>>>,
    ) {
        let Value::Object(declared) = declaration else {
            let fault = "has a declaration of dependencies or conflicts that can't be read";
            self.fault.get_or_insert(fault.to_owned());
            return;
        };
        let mut declared: Vec<(&String, &Value)> = declared.iter().collect();
        declared.sort_unstable_by_key(|(key, _)| *key);
        for (key, value) in declared {
            let text = value.as_str().unwrap_or("no range");
            let requirement = match known.get(text) {
                Some(requirement) => requirement.clone(),
                None => {
                    let requirement = Range::parse(text).ok().map(|range| {
                        Rc::new(Requirement {
                            text: text.to_owned(),
                            range,
                        })
                    });
                    known.insert(text.to_owned(), requirement.clone());
                    requirement
                }
            };
            match requirement {
                Some(requirement) => {
                    self.bonds.push((bond, ModuleKey::new(key), requirement));
                }
                None => {
                    let fault = format!("has a range for \"{key}\" that can't be read");
                    self.fault.get_or_insert(fault);
                }
            }
        }
    }
}
