//! What holds of every plan, whatever was registered and applied in whatever order.

#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use std::collections::{HashMap, HashSet};

use npm_semver::Version;
use proptest::prelude::*;

use super::*;
use crate::model::Scope;

/// The versions that occur, ascending.
const NUMBERS: &[&str] = &[
    "1.0.0",
    "1.1.0-rc.1",
    "1.1.0",
    "1.2.0",
    "2.0.0",
    "2.0.1",
    "2.1.0",
    "3.0.0",
];

#[derive(Debug, Clone)]
struct World {
    migrations: Vec<Migration>,
    releases: Vec<Release>,
    neighbours: Vec<Neighbour>,
    allow_out_of_order: bool,
    state: State,
}

/// What changes when a plan is carried out.
#[derive(Debug, Clone, Default)]
struct State {
    current: Option<Version>,
    applied: HashSet<Id>,
    covered: HashSet<Id>,
    undone: HashSet<Id>,
    left: Vec<Version>,
}

fn number(place: usize) -> Version {
    Version::parse(NUMBERS[place]).unwrap()
}

fn migration(
    place: usize,
    (to, shared, equivalent, reversible): (usize, bool, Option<usize>, bool),
) -> Migration {
    Migration {
        id: id(place),
        from_version: None,
        to_version: number(to),
        sequence: i32::try_from(place).unwrap(),
        scope: if shared { Scope::Shared } else { Scope::Site },
        equivalent_of: equivalent.filter(|other| *other < place).map(id),
        up_sql: String::new(),
        down_sql: Some(String::new()),
        is_reversible: reversible,
        requires_maintenance: false,
        estimated_duration_seconds: None,
        description: None,
        checksum: String::new(),
    }
}

fn id(place: usize) -> Id {
    [u8::try_from(place).unwrap(); 16]
}

prop_compose! {
    fn worlds()(
        shapes in prop::collection::vec(
            (0..NUMBERS.len(), any::<bool>(), prop::option::weighted(0.4, 0..10_usize), prop::bool::weighted(0.9)),
            0..10),
        statuses in prop::collection::vec(0..8_u8, NUMBERS.len()),
        neighbours in prop::collection::vec(0..NUMBERS.len(), 0..3),
        allow_out_of_order in any::<bool>(),
    ) -> World {
        let mut migrations: Vec<Migration> = shapes.into_iter().enumerate()
            .map(|(place, shape)| migration(place, shape)).collect();
        // As registration demands: one scope, different versions.
        for place in 0..migrations.len() {
            let other = migrations[place].equivalent_of
                .and_then(|id| migrations.iter().find(|one| one.id == id)).cloned();
            if other.is_some_and(|other| other.scope != migrations[place].scope || other.to_version == migrations[place].to_version) {
                migrations[place].equivalent_of = None;
            }
        }
        World {
            migrations,
            releases: statuses.into_iter().enumerate().map(|(place, status)| Release {
                version: number(place),
                status: match status { 0 => Status::Draft, 1 => Status::Yanked, 2 => Status::Deprecated, _ => Status::Published },
            }).collect(),
            neighbours: neighbours.into_iter().map(|place| Neighbour { site: "south".into(), version: number(place) }).collect(),
            allow_out_of_order,
            state: State::default(),
        }
    }
}

impl World {
    fn facts(&self) -> Facts<'_> {
        Facts {
            current: self.state.current.as_ref(),
            migrations: &self.migrations,
            applied: &self.state.applied,
            covered: &self.state.covered,
            undone: &self.state.undone,
            releases: &self.releases,
            left: &self.state.left,
            neighbours: &self.neighbours,
            allow_out_of_order: self.allow_out_of_order,
        }
    }

    /// Carries out an upgrade, blocked or not. Returns what ran.
    fn upgrade(&mut self, target: &Version) -> Vec<Id> {
        let (ran, covered) = {
            let plan = upgrade(self.facts(), target);
            (with(&plan, Action::Run), with(&plan, Action::Equivalent))
        };
        for id in &ran {
            assert!(self.state.applied.insert(*id), "ran twice");
            self.state.undone.remove(id);
        }
        for id in covered {
            assert!(self.state.applied.insert(id), "covered what is in force");
            self.state.covered.insert(id);
        }
        let before = self.state.current.replace(target.clone());
        self.state
            .left
            .extend(before.filter(|before| before != target));
        ran
    }

    /// Carries out a rollback. Returns what was undone.
    fn rollback(&mut self, target: &Version) -> Vec<Id> {
        let (ran, uncovered, kept) = {
            let plan = rollback(self.facts(), target);
            let kept: Vec<Id> = plan
                .steps
                .iter()
                .filter(|step| step.action == Action::KeptForEquivalent)
                .filter_map(|step| step.equivalent.map(|one| one.id))
                .collect();
            (
                with(&plan, Action::Run),
                with(&plan, Action::Equivalent),
                kept,
            )
        };
        for id in ran.iter().chain(&uncovered) {
            assert!(self.state.applied.remove(id), "undid what is not in force");
            self.state.covered.remove(id);
        }
        for id in kept {
            if self.state.applied.insert(id) {
                self.state.covered.insert(id);
            }
        }
        self.state.undone.extend(&ran);
        self.state.current = Some(target.clone());
        ran
    }

    /// Goes from version to version, up and down, drafts left out.
    fn travel(&mut self, stops: &[usize]) {
        for stop in stops {
            let target = number(*stop);
            if self.is_draft(&target) {
                continue;
            }
            match self.state.current.clone() {
                Some(current) if target < current => drop(self.rollback(&target)),
                Some(current) if target == current => {}
                _ => drop(self.upgrade(&target)),
            }
        }
    }

    /// What was a draft comes out, and the journey goes on.
    fn travel_on(&mut self, stops: &[usize]) {
        for release in &mut self.releases {
            if release.status == Status::Draft {
                release.status = Status::Published;
            }
        }
        self.travel(stops);
    }

    /// The class of each migration, told in another way than the planner does.
    fn classes(&self) -> HashMap<Id, usize> {
        let mut class: HashMap<Id, usize> = self
            .migrations
            .iter()
            .enumerate()
            .map(|(place, one)| (one.id, place))
            .collect();
        for _ in &self.migrations {
            for one in &self.migrations {
                if let Some(other) = one.equivalent_of {
                    let least = class[&one.id].min(class[&other]);
                    class.insert(one.id, least);
                    class.insert(other, least);
                }
            }
        }
        class
    }

    fn get(&self, id: Id) -> &Migration {
        self.migrations.iter().find(|one| one.id == id).unwrap()
    }

    fn classes_in_force(&self) -> HashSet<usize> {
        let classes = self.classes();
        self.state.applied.iter().map(|id| classes[id]).collect()
    }

    fn is_draft(&self, version: &Version) -> bool {
        self.releases
            .iter()
            .any(|one| one.version == *version && one.status == Status::Draft)
    }
}

fn with(plan: &Plan<'_>, action: Action) -> Vec<Id> {
    plan.steps
        .iter()
        .filter(|step| step.action == action)
        .map(|step| step.migration.id)
        .collect()
}

fn stops() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..NUMBERS.len(), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn steps_are_in_run_order(mut world in worlds(), stops in stops(), later in stops(), target in 0..NUMBERS.len()) {
        world.travel(&stops);
        world.travel_on(&later);
        let plan = upgrade(world.facts(), &number(target));
        prop_assert!(plan.steps.is_sorted_by(|a, b| a.place() < b.place()));
        let plan = rollback(world.facts(), &number(target));
        prop_assert!(plan.steps.is_sorted_by(|a, b| a.place() > b.place()));
    }

    #[test]
    fn the_order_of_what_is_given_is_irrelevant(
        mut world in worlds(), stops in stops(), target in 0..NUMBERS.len(), turn in 0..10_usize,
    ) {
        world.travel(&stops);
        let mut turned = world.clone();
        turned.migrations.reverse();
        let length = turned.migrations.len().max(1);
        turned.migrations.rotate_left(turn % length);
        turned.releases.reverse();
        turned.state.left.reverse();
        let target = number(target);
        prop_assert_eq!(upgrade(world.facts(), &target), upgrade(turned.facts(), &target));
        prop_assert_eq!(rollback(world.facts(), &target), rollback(turned.facts(), &target));
    }

    #[test]
    fn an_upgrade_done_leaves_nothing_to_do(mut world in worlds(), stops in stops(), later in stops()) {
        world.travel(&stops);
        world.travel_on(&later);
        if let Some(current) = world.state.current.clone() {
            world.upgrade(&current);
            let plan = upgrade(world.facts(), &current);
            prop_assert_eq!(plan.steps, vec![]);
        }
    }

    #[test]
    fn no_class_of_equivalents_runs_twice(mut world in worlds(), stops in stops(), later in stops(), target in 0..NUMBERS.len()) {
        let classes = world.classes();
        world.travel(&stops);
        world.travel_on(&later);
        let before = world.classes_in_force();
        let ran = world.upgrade(&number(target));
        let mut seen = before;
        for id in ran {
            prop_assert!(seen.insert(classes[&id]), "class of {:?} ran again", world.get(id));
        }
    }

    #[test]
    fn an_upgrade_leaves_every_published_migration_in_force(mut world in worlds(), stops in stops()) {
        world.travel(&stops);
        let Some(current) = world.state.current.clone() else { return Ok(()) };
        let (classes, in_force) = (world.classes(), world.classes_in_force());
        for one in world.migrations.iter().filter(|one| one.to_version <= current) {
            prop_assert!(
                world.is_draft(&one.to_version) || in_force.contains(&classes[&one.id]),
                "{one:?} is missing"
            );
        }
    }

    #[test]
    fn a_draft_on_the_way_never_runs(mut world in worlds(), stops in stops(), target in 0..NUMBERS.len()) {
        world.travel(&stops);
        let target = number(target);
        let plan = upgrade(world.facts(), &target);
        for step in &plan.steps {
            prop_assert!(step.migration.to_version == target || !world.is_draft(&step.migration.to_version));
            prop_assert!(step.migration.to_version <= target);
        }
    }

    #[test]
    fn up_and_back_leads_to_where_it_began(
        mut world in worlds(), stops in stops(), later in stops(), target in 0..NUMBERS.len(),
    ) {
        world.migrations.iter_mut().for_each(|one| one.is_reversible = true);
        world.neighbours.clear();
        world.travel(&stops);
        world.travel_on(&later);
        let Some(start) = world.state.current.clone() else { return Ok(()) };
        let target = number(target);
        if target <= start || world.is_draft(&target) {
            return Ok(());
        }
        // What came out late for the site stays, once it has run.
        world.upgrade(&start);
        let before = (world.state.applied.clone(), world.state.covered.clone());
        world.upgrade(&target);
        world.rollback(&start);
        prop_assert_eq!(before, (world.state.applied.clone(), world.state.covered.clone()));
    }

    #[test]
    fn a_rollback_keeps_all_that_its_target_and_the_other_sites_need(
        mut world in worlds(), stops in stops(), later in stops(), target in 0..NUMBERS.len(),
    ) {
        world.travel(&stops);
        world.travel_on(&later);
        let Some(current) = world.state.current.clone() else { return Ok(()) };
        let target = number(target);
        if target >= current {
            return Ok(());
        }
        let classes = world.classes();
        let kept_by = |world: &World, version: &Version, id: &Id| {
            world.get(*id).to_version <= *version && world.state.applied.contains(id)
        };
        let needed: HashSet<usize> = world.state.applied.iter().filter(|id| {
            kept_by(&world, &target, id)
                || world.get(**id).scope == Scope::Shared
                    && world.neighbours.iter().any(|site| kept_by(&world, &site.version, id))
        }).map(|id| classes[id]).collect();
        world.rollback(&target);
        let in_force = world.classes_in_force();
        prop_assert!(needed.is_subset(&in_force), "{needed:?} of {in_force:?}");
        // What stands for another one is in force only while that one is.
        for id in &world.state.covered {
            prop_assert!(world.state.applied.iter().any(|other|
                classes[other] == classes[id] && !world.state.covered.contains(other)));
        }
    }

    #[test]
    fn a_rollback_undoes_a_class_once(mut world in worlds(), stops in stops(), later in stops(), target in 0..NUMBERS.len()) {
        // As though each had run by itself, as it is after a module was adopted.
        world.travel(&stops);
        world.travel_on(&later);
        world.state.covered.clear();
        let classes = world.classes();
        let mut seen = HashSet::new();
        for id in with(&rollback(world.facts(), &number(target)), Action::Run) {
            prop_assert!(seen.insert(classes[&id]));
        }
    }

    #[test]
    fn what_is_out_of_order_blocks_or_warns(
        mut world in worlds(), stops in stops(), late in 0..NUMBERS.len(), target in 0..NUMBERS.len(),
    ) {
        world.travel(&stops);
        let Some(current) = world.state.current.clone() else { return Ok(()) };
        // A backport comes out after the site got where it is.
        let place = world.migrations.len();
        world.migrations.push(migration(place, (late, false, None, true)));
        world.releases[late].status = Status::Published;
        let target = number(target).max(current.clone());
        let plan = upgrade(world.facts(), &target);
        let step = plan.steps.iter().find(|step| step.migration.id == id(place));
        prop_assert_eq!(step.is_some(), number(late) <= target);
        if let Some(step) = step {
            prop_assert_eq!(step.is_late, number(late) <= current);
            let texts = |texts: Vec<&str>| texts.iter().any(|text| text.contains("out of order"));
            let blocked = texts(plan.blockers.iter().map(|one| one.text.as_str()).collect());
            let warned = texts(plan.warnings.iter().map(String::as_str).collect());
            if step.is_late {
                prop_assert_eq!((blocked, warned), (!world.allow_out_of_order, world.allow_out_of_order));
            }
        }
    }
}
