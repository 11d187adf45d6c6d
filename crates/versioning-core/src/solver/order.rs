//! A solution in the order in which it is to be installed.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::Catalogue;
use super::module::{Bond, Module};
use super::{Action, Member, Source};

/// The chosen modules, and who needs whom.
struct Graph<'a> {
    modules: &'a [Module],
    chosen: BTreeMap<usize, u32>,
    /// Module → those it needs, by slug.
    needs: BTreeMap<usize, Vec<usize>>,
    /// Module → who needs it in which range.
    needed_by: BTreeMap<usize, Vec<(usize, String)>>,
}

/// The members of a solution.
pub(super) fn members<S: Source>(
    catalogue: &Catalogue<'_, S>,
    selected: &[(usize, u32)],
) -> Vec<Member> {
    let mut graph = Graph {
        modules: &catalogue.modules,
        chosen: selected.iter().copied().collect(),
        needs: BTreeMap::new(),
        needed_by: BTreeMap::new(),
    };
    for (place, index) in selected {
        let Some(declared) = catalogue.declared(*place, *index) else {
            continue;
        };
        for edge in declared
            .edges
            .iter()
            .filter(|edge| edge.bond == Bond::Needs)
        {
            graph.needs.entry(*place).or_default().push(edge.module);
            graph
                .needed_by
                .entry(edge.module)
                .or_default()
                .push((*place, edge.requirement.text.trim().to_owned()));
        }
    }
    for needed in graph.needs.values_mut() {
        needed.sort_by_key(|place| slug(&catalogue.modules, *place));
    }
    let wanted = graph.wanted(catalogue.asked);
    graph
        .install_order(catalogue.asked)
        .into_iter()
        .filter(|place| wanted.contains(place))
        .filter_map(|place| graph.member(place))
        .collect()
}

fn slug(modules: &[Module], place: usize) -> &str {
    modules.get(place).map_or("", |module| &module.slug)
}

impl Graph<'_> {
    /// The module asked for, what it needs, and every other that changes.
    fn wanted(&self, asked: usize) -> BTreeSet<usize> {
        let mut wanted = self.reached(asked, |place| {
            self.needs.get(&place).cloned().unwrap_or_default()
        });
        wanted.extend(self.chosen.keys().filter(|place| {
            self.action(**place)
                .is_some_and(|action| action != Action::Keep)
        }));
        wanted
    }

    /// Everything that can be reached from a module.
    fn reached(&self, start: usize, next: impl Fn(usize) -> Vec<usize>) -> BTreeSet<usize> {
        let mut reached = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(place) = open.pop() {
            open.extend(next(place).into_iter().filter(|one| reached.insert(*one)));
        }
        reached
    }

    /// Each after what it needs; the module asked for as late as those that need it allow.
    fn install_order(&self, asked: usize) -> Vec<usize> {
        let dependents = self.reached(asked, |place| {
            self.needed_by
                .get(&place)
                .map(|by| by.iter().map(|(place, _)| *place).collect())
                .unwrap_or_default()
        });
        let mut starts: Vec<usize> = self.chosen.keys().copied().collect();
        starts.sort_by_key(|place| {
            let turn = match (*place == asked, dependents.contains(place)) {
                (true, _) => 1,
                (false, true) => 2,
                (false, false) => 0,
            };
            (turn, slug(self.modules, *place))
        });
        let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
        for start in starts {
            self.visit(start, &mut seen, &mut order);
        }
        order
    }

    /// Depth first, without recursion: the chains may be long.
    fn visit(&self, start: usize, seen: &mut BTreeSet<usize>, order: &mut Vec<usize>) {
        if !seen.insert(start) {
            return;
        }
        let mut path = vec![(start, 0)];
        while let Some((place, tried)) = path.last_mut() {
            let next = self.needs.get(place).and_then(|needed| needed.get(*tried));
            *tried += 1;
            match next {
                Some(next) if seen.insert(*next) => path.push((*next, 0)),
                Some(_) => {}
                None => {
                    order.push(*place);
                    path.pop();
                }
            }
        }
    }

    fn action(&self, place: usize) -> Option<Action> {
        let index = self.chosen.get(&place)?;
        Some(match self.modules.get(place)?.installed {
            None => Action::Install,
            Some(installed) if installed == *index => Action::Keep,
            Some(_) => Action::Upgrade,
        })
    }

    fn member(&self, place: usize) -> Option<Member> {
        let module = self.modules.get(place)?;
        let chosen = module.candidate(*self.chosen.get(&place)?)?;
        let installed = module
            .installed
            .and_then(|installed| module.candidate(installed))
            .map(|candidate| candidate.version.clone());
        Some(Member {
            module: module.id?,
            slug: module.slug.clone(),
            installed,
            version: chosen.version.clone(),
            version_id: chosen.id,
            action: self.action(place)?,
            required_by: self.required_by(place),
        })
    }

    fn required_by(&self, place: usize) -> Option<String> {
        let mut by: Vec<(&str, &str)> = self
            .needed_by
            .get(&place)?
            .iter()
            .map(|(dependent, range)| (slug(self.modules, *dependent), range.as_str()))
            .collect();
        by.sort_unstable();
        let words: Vec<String> = by
            .into_iter()
            .map(|(dependent, range)| match range {
                "" => format!("{dependent} *"),
                range => format!("{dependent} {range}"),
            })
            .collect();
        Some(words.join(", "))
    }
}
