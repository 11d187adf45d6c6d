//! The rules of `plan`, one test each.

#![allow(clippy::unwrap_used)]

use super::*;

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
        up_sql: "SELECT 1".into(),
        down_sql: down.then(|| "SELECT 2".into()),
        is_reversible: down,
        requires_maintenance: number == 3,
        estimated_duration_seconds: (number > 1).then(|| i32::from(number) * 10),
        description: None,
        checksum: String::new(),
    }
}

struct World {
    current: Option<Version>,
    migrations: Vec<Migration>,
    applied: HashSet<Id>,
    versions: Vec<Version>,
    neighbours: Vec<Neighbour>,
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
            applied: (1..=applied).map(|number| [number; 16]).collect(),
            versions: ["1.0.0", "1.1.0", "2.0.0"].map(version).to_vec(),
            neighbours: Vec::new(),
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            current: self.current.as_ref(),
            migrations: &self.migrations,
            applied: &self.applied,
            versions: &self.versions,
            neighbours: &self.neighbours,
        }
    }

    fn with_neighbour(mut self, site: &str, at: &str) -> Self {
        self.neighbours.push(Neighbour {
            site: site.into(),
            version: version(at),
        });
        self
    }
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
fn long_lists_are_cut() {
    let names = (0..1000).map(|number| number.to_string());
    assert_eq!(list(names), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 990 more");
}
