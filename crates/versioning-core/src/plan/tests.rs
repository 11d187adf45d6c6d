//! The rules of `plan`, one test each.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::model::Scope;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn migration(number: u8, to: &str, scope: Scope, down: bool) -> Migration {
    Migration {
        id: [number; 16],
        from_version: None,
        to_version: version(to),
        sequence: i32::from(number),
        scope,
        equivalent_of: None,
        up_sql: "SELECT 1".into(),
        down_sql: down.then(|| "SELECT 2".into()),
        is_reversible: down,
        requires_maintenance: number == 3,
        estimated_duration_seconds: (number > 1).then(|| i32::from(number) * 10),
        description: None,
        checksum: String::new(),
    }
}

/// A database small enough to be made up. Its versions are published unless a test says otherwise.
#[derive(Default)]
struct World {
    current: Option<Version>,
    migrations: Vec<Migration>,
    applied: HashSet<Id>,
    covered: HashSet<Id>,
    undone: HashSet<Id>,
    releases: Vec<Release>,
    left: Vec<Version>,
    neighbours: Vec<Neighbour>,
    allow_out_of_order: bool,
}

impl World {
    /// Three migrations, of which the first `applied` are in force.
    fn new(scope: Scope, current: Option<&str>, applied: u8) -> Self {
        Self {
            current: current.map(version),
            migrations: vec![
                migration(3, "2.0.0", scope, true),
                migration(1, "1.0.0", scope, true),
                migration(2, "1.1.0", scope, true),
            ],
            applied: ids(1..=applied),
            ..Self::default()
        }
        .published(&["1.0.0", "1.1.0", "2.0.0"])
    }

    /// The module whose 1.4.3 brings step S of 2.1.0 (migration 3) to an older line as B (migration 4):
    /// 1 to 1.4.2, 2 to 2.0.0, 3 to 2.1.0, 4 to 1.4.3.
    fn with_backport(scope: Scope, current: Option<&str>, applied: &[u8]) -> Self {
        let mut backport = migration(4, "1.4.3", scope, true);
        backport.equivalent_of = Some([3; 16]);
        Self {
            current: current.map(version),
            migrations: vec![
                backport,
                migration(1, "1.4.2", scope, true),
                migration(3, "2.1.0", scope, true),
                migration(2, "2.0.0", scope, true),
            ],
            applied: ids(applied.iter().copied()),
            ..Self::default()
        }
        .published(&["1.4.2", "1.4.3", "2.0.0", "2.1.0", "2.2.0"])
    }

    fn published(mut self, versions: &[&str]) -> Self {
        for number in versions {
            self = self.with(number, Status::Published);
        }
        self
    }

    /// A version in another state than it had, or a further version.
    fn with(mut self, number: &str, status: Status) -> Self {
        let version = version(number);
        self.releases.retain(|release| release.version != version);
        self.releases.push(Release { version, status });
        self
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            current: self.current.as_ref(),
            migrations: &self.migrations,
            applied: &self.applied,
            covered: &self.covered,
            undone: &self.undone,
            releases: &self.releases,
            left: &self.left,
            neighbours: &self.neighbours,
            allow_out_of_order: self.allow_out_of_order,
        }
    }

    /// Carries out a plan up to `target`.
    fn upgrade(&mut self, target: &str) -> Vec<i32> {
        let target = version(target);
        let (ran, covered) = {
            let plan = upgrade(self.facts(), &target);
            assert_eq!(plan.blockers, []);
            (steps(&plan, Action::Run), steps(&plan, Action::Equivalent))
        };
        self.applied
            .extend(ran.iter().chain(&covered).map(|one| id(*one)));
        self.covered.extend(covered.iter().map(|one| id(*one)));
        self.undone.retain(|one| !self.applied.contains(one));
        self.left.extend(self.current.replace(target));
        ran
    }

    /// Carries out a plan down to `target`.
    fn rollback(&mut self, target: &str) -> Vec<i32> {
        let target = version(target);
        let (ran, uncovered, kept_for) = {
            let plan = rollback(self.facts(), &target);
            assert_eq!(plan.blockers, []);
            let kept_for: Vec<Id> = plan
                .steps
                .iter()
                .filter(|step| step.action == Action::KeptForEquivalent)
                .filter_map(|step| step.equivalent)
                .map(|one| one.id)
                .collect();
            (
                steps(&plan, Action::Run),
                steps(&plan, Action::Equivalent),
                kept_for,
            )
        };
        for gone in ran.iter().chain(&uncovered).map(|one| id(*one)) {
            self.applied.remove(&gone);
            self.covered.remove(&gone);
        }
        self.undone.extend(ran.iter().map(|one| id(*one)));
        for kept in kept_for {
            if self.applied.insert(kept) {
                self.covered.insert(kept);
            }
        }
        self.current = Some(target);
        ran
    }

    fn with_neighbour(mut self, site: &str, at: &str) -> Self {
        self.neighbours.push(Neighbour {
            site: site.into(),
            version: version(at),
        });
        self
    }
}

fn id(sequence: i32) -> Id {
    [u8::try_from(sequence).unwrap(); 16]
}

fn ids(numbers: impl Iterator<Item = u8>) -> HashSet<Id> {
    numbers.map(|number| [number; 16]).collect()
}

/// The sequences of the steps with that action, in the plan's order.
fn steps(plan: &Plan<'_>, action: Action) -> Vec<i32> {
    plan.steps
        .iter()
        .filter(|step| step.action == action)
        .map(|step| step.migration.sequence)
        .collect()
}

fn sequences(plan: &Plan<'_>) -> Vec<i32> {
    plan.running().map(|migration| migration.sequence).collect()
}

#[test]
fn upgrade_runs_pending_migrations_by_version_then_sequence() {
    let world = World::new(Scope::Site, Some("1.0.0"), 1);
    let plan = upgrade(world.facts(), &version("2.0.0"));
    assert_eq!(sequences(&plan), [2, 3]);
    assert!(plan.blockers.is_empty());
    assert_eq!(plan.estimated_duration_seconds(), Some(50));
    assert!(plan.requires_maintenance());
}

#[test]
fn upgrade_stops_at_its_target() {
    let world = World::new(Scope::Site, None, 0);
    assert_eq!(
        sequences(&upgrade(world.facts(), &version("1.1.0"))),
        [1, 2]
    );
}

#[test]
fn a_migration_registered_late_blocks_the_upgrade() {
    let mut world = World::new(Scope::Site, Some("1.1.0"), 2);
    world
        .migrations
        .push(migration(9, "1.1.0", Scope::Site, true));
    let plan = upgrade(world.facts(), &version("2.0.0"));
    assert_eq!(plan.blockers.len(), 1);
    assert_eq!(plan.blockers[0].kind, BlockerKind::Correctness);
    assert!(plan.blockers[0].text.contains("out of order"));
}

#[test]
fn a_step_from_an_unknown_version_blocks_the_upgrade() {
    let mut world = World::new(Scope::Site, Some("1.0.0"), 1);
    world.migrations[0].from_version = Some(version("1.5.0"));
    let plan = upgrade(world.facts(), &version("2.0.0"));
    assert_eq!(plan.blockers.len(), 1);
    assert!(plan.blockers[0].text.contains("no step leads to 1.5.0"));
}

#[test]
fn a_shared_upgrade_names_the_other_sites() {
    let world = World::new(Scope::Shared, Some("1.0.0"), 1).with_neighbour("south", "1.0.0");
    let plan = upgrade(world.facts(), &version("1.1.0"));
    assert_eq!(
        plan.warnings,
        ["1 shared migration changes the tables that these sites use too: south (1.0.0)"]
    );
}

#[test]
fn rollback_undoes_newest_first() {
    let world = World::new(Scope::Site, Some("2.0.0"), 3);
    assert_eq!(
        sequences(&rollback(world.facts(), &version("1.0.0"))),
        [3, 2]
    );
}

#[test]
fn rollback_leaves_what_was_never_applied() {
    let world = World::new(Scope::Site, Some("2.0.0"), 2);
    assert_eq!(sequences(&rollback(world.facts(), &version("1.0.0"))), [2]);
}

#[test]
fn rollback_keeps_a_shared_migration_that_another_site_needs() {
    let world = World::new(Scope::Shared, Some("2.0.0"), 3).with_neighbour("south", "1.1.0");
    let plan = rollback(world.facts(), &version("1.0.0"));
    let actions: Vec<_> = plan.steps.iter().map(|step| step.action).collect();
    assert_eq!(actions, [Action::Run, Action::KeptForOthers]);
    assert!(plan.warnings[0].contains("south (1.1.0) still needs it"));
    assert!(plan.blockers.is_empty());
}

#[test]
fn rollback_without_a_down_script_is_a_matter_of_judgement() {
    let mut world = World::new(Scope::Site, Some("2.0.0"), 3);
    world.migrations[0] = migration(3, "2.0.0", Scope::Site, false);
    let plan = rollback(world.facts(), &version("1.1.0"));
    assert_eq!(plan.blockers[0].kind, BlockerKind::Judgement);
    assert!(plan.blockers[0].text.contains("has no down script"));
    assert_eq!(sequences(&plan), Vec::<i32>::new());
}

#[test]
fn a_late_migration_may_run_where_that_is_allowed() {
    let mut world = World::new(Scope::Site, Some("1.1.0"), 2);
    world
        .migrations
        .push(migration(9, "1.0.0", Scope::Site, true));
    world.allow_out_of_order = true;
    let plan = upgrade(world.facts(), &version("2.0.0"));
    assert_eq!(plan.blockers, []);
    assert_eq!(sequences(&plan), [9, 3]);
    assert_eq!(
        plan.warnings,
        ["migration 9 to 1.0.0 is out of order: the site runs 1.1.0 and never ran it"]
    );
}

#[test]
fn a_migration_that_was_undone_is_not_late() {
    let mut world = World::new(Scope::Site, Some("1.1.0"), 1);
    world.undone = ids(2..=2);
    assert_eq!(world.upgrade("1.1.0"), [2]);
}

#[test]
fn a_shared_migration_is_late_when_the_shared_tables_have_gone_on_without_it() {
    let mut world = World::new(Scope::Shared, Some("1.0.0"), 3);
    world
        .migrations
        .push(migration(9, "1.0.5", Scope::Shared, true));
    let world = world.published(&["1.0.5"]).with_neighbour("south", "2.0.0");
    let plan = upgrade(world.facts(), &version("1.0.5"));
    assert_eq!(
        plan.blockers,
        [Blocker::correctness(
            "migration 9 to 1.0.5 is out of order: the shared tables are at 2.0.0 already and never had it"
        )]
    );
}

#[test]
fn drafts_on_the_way_do_not_run() {
    let world = World::new(Scope::Site, Some("1.0.0"), 1).with("1.1.0", Status::Draft);
    let plan = upgrade(world.facts(), &version("2.0.0"));
    assert_eq!(sequences(&plan), [3]);
    assert_eq!(plan.blockers, []);
    // A plan for the draft itself shows what it will do once it is published.
    let plan = upgrade(world.facts(), &version("1.1.0"));
    assert_eq!(sequences(&plan), [2]);
}

#[test]
fn a_step_from_a_draft_is_a_missing_step() {
    let mut world = World::new(Scope::Site, Some("1.0.0"), 1).with("1.1.0", Status::Draft);
    world.migrations[0].from_version = Some(version("1.1.0"));
    let plan = upgrade(world.facts(), &version("2.0.0"));
    assert_eq!(
        plan.blockers,
        [Blocker::correctness(
            "no step leads to 1.1.0, from which migration 3 goes to 2.0.0: version 1.1.0 is a draft and not published yet"
        )]
    );
}

#[test]
fn a_step_from_a_version_without_migrations_is_fine() {
    let mut world = World::new(Scope::Site, Some("1.0.0"), 1).published(&["1.5.0"]);
    world.migrations[0].from_version = Some(version("1.5.0"));
    assert_eq!(world.upgrade("2.0.0"), [2, 3]);
}

#[test]
fn migrations_of_a_yanked_version_run_on_the_way() {
    let world = World::new(Scope::Site, Some("1.0.0"), 1).with("1.1.0", Status::Yanked);
    let plan = upgrade(world.facts(), &version("2.0.0"));
    assert_eq!(sequences(&plan), [2, 3]);
    assert_eq!(
        plan.warnings,
        ["migrations of yanked versions run too, for later ones build on them: 1.1.0"]
    );
}

#[test]
fn the_script_of_a_yanked_version_gives_way_to_its_equivalent() {
    let mut world = World::new(Scope::Site, Some("1.0.0"), 1).with("1.1.0", Status::Yanked);
    let mut mended = migration(9, "1.1.1", Scope::Site, true);
    mended.equivalent_of = Some([2; 16]);
    world.migrations.push(mended);
    let mut world = world.published(&["1.1.1"]);
    let ahead = world.facts();
    assert_eq!(sequences(&upgrade(ahead, &version("1.1.0"))), [2]);
    let plan = upgrade(ahead, &version("1.1.1"));
    assert_eq!(sequences(&plan), [9]);
    assert_eq!(steps(&plan, Action::Equivalent), [2]);
    assert_eq!(plan.warnings, [""; 0]);
    assert_eq!(world.upgrade("1.1.1"), [9]);
    assert_eq!(world.rollback("1.0.0"), [9]);
    // Where the first one did run it stays, and its equivalent doesn't.
    world.applied = ids(1..=2);
    world.covered = ids(0..0);
    assert!(world.upgrade("1.1.1").is_empty());
}

#[test]
fn prereleases_come_before_their_release_and_build_metadata_does_not_count() {
    let mut world = World {
        migrations: vec![
            migration(1, "1.0.0", Scope::Site, true),
            migration(2, "1.0.0-rc.1", Scope::Site, true),
        ],
        ..World::default()
    }
    .published(&["1.0.0-rc.1", "1.0.0+build.7"]);
    assert_eq!(world.upgrade("1.0.0-rc.1"), [2]);
    assert_eq!(world.upgrade("1.0.0+build.9"), [1]);
    assert_eq!(world.rollback("1.0.0-rc.1"), [1]);
}

#[test]
fn an_installed_version_that_nobody_registered_is_not_taken_for_nothing() {
    let world = World::new(Scope::Site, Some("1.5.0"), 2);
    let plan = upgrade(world.facts(), &version("2.0.0"));
    assert_eq!(sequences(&plan), [3]);
    assert_eq!(
        plan.blockers,
        [Blocker::correctness(
            "version 1.5.0, which runs here, is not in the registry"
        )]
    );
}

#[test]
fn a_backported_step_runs_once_on_the_way_through_its_older_line() {
    let mut world = World::with_backport(Scope::Site, Some("1.4.2"), &[1]);
    assert_eq!(world.upgrade("1.4.3"), [4]);
    assert_eq!(world.upgrade("2.1.0"), [2]);
    assert_eq!(world.applied, ids(1..=4));
    assert_eq!(world.covered, ids(3..=3));
    // Back to the backport, which stays; then behind it.
    assert_eq!(world.rollback("1.4.3"), [2]);
    assert_eq!(world.applied, ids([1, 4].into_iter()));
    assert_eq!(world.rollback("1.4.2"), [4]);
    assert_eq!(world.applied, ids(1..=1));
    assert!(world.covered.is_empty());
}

#[test]
fn a_backported_step_runs_once_on_the_direct_way() {
    let mut world = World::with_backport(Scope::Site, Some("1.4.2"), &[1]);
    assert_eq!(world.upgrade("2.1.0"), [4, 2]);
    assert_eq!(world.rollback("1.4.2"), [2, 4]);
    assert_eq!(world.applied, ids(1..=1));

    let world = World::with_backport(Scope::Site, Some("1.4.2"), &[1]);
    let mut world = world.with("1.4.3", Status::Draft);
    assert_eq!(world.upgrade("2.1.0"), [2, 3]);
}

#[test]
fn a_backport_asks_nothing_of_a_site_that_has_the_original() {
    let mut world = World::with_backport(Scope::Site, Some("2.1.0"), &[1, 2, 3]);
    world.left = ["1.4.2", "2.0.0"].map(version).to_vec();
    let plan = upgrade(world.facts(), &version("2.2.0"));
    assert_eq!((plan.steps, plan.blockers), (vec![], vec![]));
    assert_eq!(world.rollback("2.0.0"), [3]);
}

#[test]
fn a_backport_waits_for_its_original_on_a_site_between_them() {
    let mut world = World::with_backport(Scope::Site, Some("2.0.0"), &[1, 2]).published(&["2.0.5"]);
    let plan = upgrade(world.facts(), &version("2.0.5"));
    assert_eq!((plan.steps, plan.blockers), (vec![], vec![]));
    assert_eq!(
        plan.warnings,
        [
            "migration 4 to 1.4.3 is not in force: its equivalent, migration 3 to 2.1.0, will do its work"
        ]
    );
    assert_eq!(world.upgrade("2.1.0"), [3]);
    // It comes back to what it was before, without the step.
    assert_eq!(world.rollback("2.0.0"), [3]);
    assert_eq!(world.applied, ids(1..=2));
}

#[test]
fn what_a_site_goes_back_to_for_the_first_time_keeps_its_backport() {
    let mut world = World::with_backport(Scope::Site, Some("2.1.0"), &[1, 2, 3]);
    world.left = ["1.4.2", "2.0.0"].map(version).to_vec();
    let plan = rollback(world.facts(), &version("1.4.3"));
    assert_eq!(steps(&plan, Action::KeptForEquivalent), [3]);
    assert_eq!(
        plan.warnings,
        [
            "migration 3 to 2.1.0 stays in force: its equivalent, migration 4 to 1.4.3, is part of version 1.4.3"
        ]
    );
    assert_eq!(world.rollback("1.4.3"), [2]);
    assert_eq!(world.applied, ids([1, 3, 4].into_iter()));
    assert_eq!(world.upgrade("2.1.0"), [2]);
    assert_eq!(world.rollback("1.4.2"), [3, 2]);
    assert_eq!(world.applied, ids(1..=1));
}

#[test]
fn equivalence_goes_both_ways_and_through_others() {
    let mut world = World::with_backport(Scope::Site, Some("1.4.2"), &[1]);
    let mut further = migration(5, "1.4.4", Scope::Site, true);
    further.equivalent_of = Some([4; 16]);
    world.migrations.push(further);
    let mut world = world.published(&["1.4.4"]);
    assert_eq!(world.upgrade("1.4.4"), [4]);
    assert_eq!(world.covered, ids(5..=5));
    assert_eq!(world.upgrade("2.1.0"), [2]);
    assert_eq!(world.covered, ids([3, 5].into_iter()));
    assert_eq!(world.rollback("1.4.2"), [2, 4]);
}

#[test]
fn equivalence_does_not_depend_on_who_names_whom() {
    // 4 to 1.4.3 names 3 to 2.1.0, which names 5 to 1.4.4.
    let mut world = World::with_backport(Scope::Site, Some("1.4.2"), &[1]).published(&["1.4.4"]);
    world
        .migrations
        .push(migration(5, "1.4.4", Scope::Site, true));
    for one in &mut world.migrations {
        if one.id == [3; 16] {
            one.equivalent_of = Some([5; 16]);
        }
    }
    assert_eq!(world.upgrade("2.1.0"), [4, 2]);
    assert_eq!(world.covered, ids([3, 5].into_iter()));
}

#[test]
fn two_equivalents_in_force_by_themselves_are_undone_once() {
    let world = World::with_backport(Scope::Site, Some("2.1.0"), &[1, 2, 3, 4]);
    let plan = rollback(world.facts(), &version("1.4.2"));
    assert_eq!(sequences(&plan), [2, 4]);
    assert_eq!(steps(&plan, Action::Equivalent), [3]);
}

#[test]
fn a_shared_backport_that_another_site_runs_on_stays() {
    let mut world = World::with_backport(Scope::Shared, Some("2.1.0"), &[1, 2, 3, 4])
        .with_neighbour("south", "1.4.3");
    world.covered = ids(4..=4);
    let plan = rollback(world.facts(), &version("1.4.2"));
    assert_eq!(steps(&plan, Action::KeptForOthers), [3, 4]);
    assert_eq!(sequences(&plan), [2]);
}

#[test]
fn long_lists_are_cut() {
    let names = (0..1000).map(|number| number.to_string());
    assert_eq!(list(names), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 990 more");
}
