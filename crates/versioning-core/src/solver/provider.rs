//! The catalogue as `pubgrub` asks for it.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::HashSet;

use pubgrub::{
    Dependencies, DependencyProvider, DerivationTree, PackageResolutionStatistics, PubGrubError,
};

use super::catalogue::{Catalogue, Package};
use super::choice::{Choice, ChoiceSet};
use super::module::{Bond, Module};
use super::{Request, Source, Stop};

/// Why there is no solution, as `pubgrub` tells it.
pub(super) type Tree = DerivationTree<Package, ChoiceSet, String>;

/// How the search ended without a solution.
pub(super) enum Refusal<E> {
    /// There is none.
    NoSolution(Tree),
    /// It was stopped.
    Stopped(Stop<E>),
}

/// What `pubgrub` asks.
pub(super) struct Provider<'a, S> {
    catalogue: RefCell<Catalogue<'a, S>>,
    source: &'a S,
    request: &'a Request<'a>,
    asked: usize,
    steps: Cell<u64>,
}

const SITE: Choice = Choice { index: 0, last: 0 };

impl<'a, S: Source> Provider<'a, S> {
    pub(super) fn new(catalogue: Catalogue<'a, S>, request: &'a Request<'a>) -> Self {
        Self {
            asked: catalogue.asked,
            source: catalogue.source,
            catalogue: RefCell::new(catalogue),
            request,
            steps: Cell::new(0),
        }
    }

    pub(super) fn into_catalogue(self) -> Catalogue<'a, S> {
        self.catalogue.into_inner()
    }

    /// Fetches what the search will ask for if all goes well, level by level, so that few queries do.
    pub(super) fn fetch_likely(&self) -> Result<(), Stop<S::Error>> {
        let mut catalogue = self.catalogue.borrow_mut();
        let mut seen = HashSet::new();
        let mut level: Vec<(usize, u32)> = Vec::new();
        for (package, set) in demands(&catalogue, self.request) {
            let Package::Module(place) = package else {
                continue;
            };
            let choice = catalogue
                .module(place)
                .and_then(|module| module.preferred(&set));
            if let Some(choice) = choice.filter(|_| seen.insert(place)) {
                level.push((place, choice.index));
            }
        }
        while !level.is_empty() {
            self.step()?;
            catalogue.declare(&level)?;
            let mut next = Vec::new();
            for (place, index) in level {
                let Some(declared) = catalogue.declared(place, index) else {
                    continue;
                };
                for edge in declared
                    .edges
                    .iter()
                    .filter(|edge| edge.bond == Bond::Needs)
                {
                    if !seen.insert(edge.module) {
                        continue;
                    }
                    let choice = catalogue
                        .module(edge.module)
                        .and_then(|module| module.preferred(&edge.allowed));
                    next.extend(choice.map(|choice| (edge.module, choice.index)));
                }
            }
            level = next;
        }
        Ok(())
    }

    fn step(&self) -> Result<(), Stop<S::Error>> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if self.request.step_limit != 0 && steps > self.request.step_limit {
            return Err(Stop::TooManySteps);
        }
        Ok(self.source.step()?)
    }

    /// The choice of each module on the site, those not chosen left out.
    pub(super) fn search(&self) -> Result<Vec<(usize, u32)>, Refusal<S::Error>> {
        match pubgrub::resolve(self, Package::Site, SITE) {
            Ok(selected) => {
                let mut chosen: Vec<(usize, u32)> = selected
                    .into_iter()
                    .filter_map(|(package, choice)| match package {
                        Package::Module(place) if choice.index > 0 => Some((place, choice.index)),
                        _ => None,
                    })
                    .collect();
                chosen.sort_unstable();
                Ok(chosen)
            }
            Err(PubGrubError::NoSolution(tree)) => Err(Refusal::NoSolution(tree)),
            Err(
                PubGrubError::ErrorRetrievingDependencies { source, .. }
                | PubGrubError::ErrorChoosingVersion { source, .. }
                | PubGrubError::ErrorInShouldCancel(source),
            ) => Err(Refusal::Stopped(source)),
        }
    }
}

/// What the site demands: the module asked for, and that nothing installed goes down or away.
pub(super) fn demands<S: Source>(
    catalogue: &Catalogue<'_, S>,
    request: &Request<'_>,
) -> Vec<(Package, ChoiceSet)> {
    let asked = catalogue.module(catalogue.asked).map(|module| {
        (
            Package::Module(catalogue.asked),
            module.demanded(&request.demand),
        )
    });
    let installed = catalogue
        .modules
        .iter()
        .enumerate()
        .filter_map(|(place, module)| {
            Some((Package::Module(place), module.not_below_installed()?))
        });
    asked.into_iter().chain(installed).collect()
}

impl<S: Source> DependencyProvider for Provider<'_, S> {
    type P = Package;
    type V = Choice;
    type VS = ChoiceSet;
    /// The module asked for is decided first, then the installed ones, so that they stay if they can; last
    /// those that may be absent, when everything that could need them has been decided.
    type Priority = (u8, u32, Reverse<u32>, Reverse<Package>);
    type M = String;
    type Err = Stop<S::Error>;

    fn prioritize(
        &self,
        package: &Package,
        set: &ChoiceSet,
        statistics: &PackageResolutionStatistics,
    ) -> Self::Priority {
        let catalogue = self.catalogue.borrow();
        let (class, last) = match package {
            Package::Site | Package::Platform => (4, 0),
            Package::Module(place) => {
                let module = catalogue.module(*place);
                let class = if *place == self.asked {
                    3
                } else if module.is_some_and(|module| module.installed.is_some()) {
                    2
                } else {
                    u8::from(!set.has(0))
                };
                (class, module.map_or(0, Module::last))
            }
        };
        let choices = set.count(last);
        (
            class,
            statistics.conflict_count(),
            Reverse(choices),
            Reverse(*package),
        )
    }

    fn choose_version(
        &self,
        package: &Package,
        set: &ChoiceSet,
    ) -> Result<Option<Choice>, Self::Err> {
        Ok(match package {
            Package::Site => Some(SITE),
            Package::Platform => None,
            Package::Module(place) => self
                .catalogue
                .borrow()
                .module(*place)
                .and_then(|module| module.preferred(set)),
        })
    }

    fn get_dependencies(
        &self,
        package: &Package,
        choice: &Choice,
    ) -> Result<Dependencies<Package, ChoiceSet, String>, Self::Err> {
        let mut catalogue = self.catalogue.borrow_mut();
        let place = match package {
            Package::Site => {
                let demands = demands(&catalogue, self.request);
                return Ok(Dependencies::Available(demands.into_iter().collect()));
            }
            Package::Module(place) if choice.index > 0 => *place,
            Package::Platform | Package::Module(_) => {
                return Ok(Dependencies::Available(std::iter::empty().collect()));
            }
        };
        catalogue.declare(&[(place, choice.index)])?;
        let declared = catalogue.declared(place, choice.index).unwrap_or_default();
        if let Some(fault) = &declared.fault {
            return Ok(Dependencies::Unavailable(fault.clone()));
        }
        let platform = catalogue
            .lacks_platform(place, choice.index, self.request.platform)
            .then_some((Package::Platform, ChoiceSet::Empty));
        let edges = declared
            .edges
            .iter()
            .map(|edge| (Package::Module(edge.module), edge.allowed.clone()));
        Ok(Dependencies::Available(
            platform.into_iter().chain(edges).collect(),
        ))
    }

    fn should_cancel(&self) -> Result<(), Self::Err> {
        self.step()
    }
}
