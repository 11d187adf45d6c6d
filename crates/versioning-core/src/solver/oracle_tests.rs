//! The solver beside a search through everything, on small random registries.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::tests::{Registry, requirement, version};
use super::*;

const NUMBERS: [&str; 4] = ["1.0.0", "1.1.0", "2.0.0-rc.1", "2.0.0"];
const RANGES: [&str; 7] = ["*", "^1", "~1.0", ">=1.1", "^2", "^2.0.0-rc", "<2"];
const MODULES: usize = 4;

/// Of each version: its status, whether it needs a newer platform, and its bonds by module.
#[derive(Debug, Clone)]
struct Plan {
    versions: Vec<Vec<(u8, bool, Vec<Option<(bool, usize)>>)>>,
    installed: Vec<Option<usize>>,
    asked: usize,
    demand: Option<usize>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let bond = prop::option::weighted(0.45, (prop::bool::weighted(0.2), 0..RANGES.len()));
    let bonds = prop::collection::vec(bond, MODULES);
    let one = (0u8..10, prop::bool::weighted(0.1), bonds);
    let versions = prop::collection::vec(prop::collection::vec(one, 0..=NUMBERS.len()), MODULES);
    let installed = prop::collection::vec(prop::option::weighted(0.3, 0..NUMBERS.len()), MODULES);
    (
        versions,
        installed,
        0..MODULES,
        prop::option::of(0..RANGES.len()),
    )
        .prop_map(|(versions, installed, asked, demand)| Plan {
            versions,
            installed,
            asked,
            demand,
        })
}

fn status(die: u8) -> Status {
    match die {
        0 => Status::Draft,
        1 => Status::Yanked,
        2 => Status::Deprecated,
        _ => Status::Published,
    }
}

impl Plan {
    /// What is installed, where there is such a version and it is no draft.
    fn runs(&self, module: usize) -> Option<usize> {
        self.installed[module].filter(|at| {
            self.versions[module]
                .get(*at)
                .is_some_and(|one| status(one.0) != Status::Draft)
        })
    }

    fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        for module in 0..MODULES {
            registry.module(&format!("m{module}"));
        }
        for (module, versions) in self.versions.iter().enumerate() {
            for (at, (die, new_platform, bonds)) in versions.iter().enumerate() {
                let declared = |conflict: bool| {
                    let entries = bonds.iter().enumerate().filter_map(|(other, bond)| {
                        let (kind, range) = (*bond)?;
                        (kind == conflict && other != module)
                            .then(|| (format!("m{other}"), json!(RANGES[range])))
                    });
                    Value::Object(entries.collect::<Map<_, _>>())
                };
                registry.add_with(
                    &format!("m{module}"),
                    NUMBERS[at],
                    status(*die),
                    declared(false),
                    declared(true),
                    new_platform.then_some("9.0.0"),
                );
            }
        }
        registry
    }

    /// Whether the site can be in that state, by the rules and nothing else.
    fn allows(&self, state: &[Option<usize>]) -> bool {
        (0..MODULES).all(|module| {
            let Some(at) = state[module] else {
                return self.runs(module).is_none() && module != self.asked;
            };
            let (die, new_platform, bonds) = &self.versions[module][at];
            let stays = self.runs(module) == Some(at);
            let status = status(*die);
            let can_be = status != Status::Draft
                && (stays || (status != Status::Yanked && !new_platform))
                && self.runs(module).is_none_or(|runs| at >= runs);
            can_be
                && bonds.iter().enumerate().all(|(other, bond)| {
                    let Some((conflict, range)) = bond.filter(|_| other != module) else {
                        return true;
                    };
                    let mode = npm_semver::Prerelease::from(conflict);
                    let within = state[other].is_some_and(|at| {
                        requirement(RANGES[range])
                            .range
                            .satisfies_with(&version(NUMBERS[at]), mode)
                    });
                    within != conflict
                })
        }) && self.is_asked_for(state[self.asked])
    }

    fn is_asked_for(&self, at: Option<usize>) -> bool {
        let Some(at) = at else { return false };
        let number = version(NUMBERS[at]);
        if let Some(range) = self.demand {
            return requirement(RANGES[range]).range.satisfies(&number);
        }
        let has_release = self.versions[self.asked]
            .iter()
            .enumerate()
            .any(|(at, one)| {
                status(one.0) == Status::Published && !version(NUMBERS[at]).is_prerelease()
            });
        !has_release || !number.is_prerelease() || self.runs(self.asked) == Some(at)
    }

    fn any_state(&self) -> bool {
        let choices: Vec<usize> = self.versions.iter().map(|one| one.len() + 1).collect();
        let all: usize = choices.iter().product();
        (0..all).any(|mut number| {
            let state: Vec<Option<usize>> = choices
                .iter()
                .map(|choices| {
                    let choice = number % choices;
                    number /= choices;
                    choice.checked_sub(1)
                })
                .collect();
            self.allows(&state)
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn finds_a_solution_iff_there_is_one(plan in plan()) {
        let registry = plan.registry();
        let installed: Vec<Installed> = (0..MODULES)
            .filter_map(|module| {
                let at = plan.runs(module)?;
                Some(Installed { module: registry.modules[module].id, version: version(NUMBERS[at]) })
            })
            .collect();
        let platform = version("4.0.0");
        let request = Request {
            site: "acme",
            platform: Some(&platform),
            installed: &installed,
            module: registry.modules[plan.asked].id,
            demand: plan.demand.map_or(Demand::Any, |range| Demand::Range(requirement(RANGES[range]))),
            step_limit: 10_000,
        };
        match solve(&registry, &request) {
            Ok(members) => {
                let mut state: Vec<Option<usize>> = (0..MODULES).map(|module| plan.runs(module)).collect();
                for member in &members {
                    let module = usize::from(member.module[0]);
                    let before = plan.runs(module);
                    let at = usize::from(member.version_id[1]);
                    state[module] = Some(at);
                    let action = match before {
                        None => Action::Install,
                        Some(runs) if runs == at => Action::Keep,
                        Some(_) => Action::Upgrade,
                    };
                    prop_assert_eq!(member.action, action);
                }
                prop_assert!(plan.allows(&state), "{:?}", members);
                let again = solve(&registry, &request);
                prop_assert!(again.is_ok_and(|again| again == members));
            }
            Err(Failure::NoSolution(why)) => {
                prop_assert!(!plan.any_state(), "{}", why.text);
                prop_assert!(!why.text.is_empty());
                let again = solve(&registry, &request);
                prop_assert!(matches!(again, Err(Failure::NoSolution(again)) if again == why));
            }
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }
}
