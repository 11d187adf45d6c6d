use super::*;

fn ends(waves: &[&str], sites: usize) -> Vec<usize> {
    wave_ends(waves, sites).unwrap()
}

#[test]
fn waves_include_those_before_them() {
    assert_eq!(ends(&["1", "10%", "100%"], 50), [1, 5, 50]);
    assert_eq!(ends(&["2", "5", "100%"], 9), [2, 5, 9]);
    assert_eq!(ends(&["0.5%", "12.345%", "100%"], 2_000), [10, 247, 2_000]);
    assert_eq!(ends(&["3"], 3), [3]);
    assert_eq!(ends(&[" 1 ", "100.0%"], 2), [1, 2]);
}

#[test]
fn shares_are_rounded_up_and_small_fleets_have_empty_waves() {
    assert_eq!(ends(&["1", "10%", "100%"], 3), [1, 1, 3]);
    assert_eq!(ends(&["1", "10%", "100%"], 11), [1, 2, 11]);
    assert_eq!(ends(&["1", "10%", "100%"], 0), [0, 0, 0]);
    assert_eq!(ends(&["5", "10%", "100%"], 20), [5, 5, 20]);
}

#[test]
fn what_is_no_wave_is_refused() {
    for text in [
        "",
        "0",
        "-1",
        "+1",
        "1.5",
        "0%",
        "0.000%",
        "101%",
        "100.001%",
        "1.2345%",
        "%",
        "1%%",
        "ten",
        "1e3",
        ".5%",
        "5.%",
        "99999999999999999999",
        "99999999999%",
        "１",
    ] {
        let refused = wave_ends(&[text, "100%"], 10);
        assert_eq!(
            refused,
            Err(BadWaves::Unreadable {
                text: text.to_owned()
            }),
            "{text}"
        );
    }
}

#[test]
fn waves_that_shrink_or_leave_sites_out_are_refused() {
    let none: [&str; 0] = [];
    assert_eq!(wave_ends(&none, 3), Err(BadWaves::Empty));
    let decreasing = |text: &str| {
        Err(BadWaves::Decreasing {
            text: text.to_owned(),
        })
    };
    assert_eq!(wave_ends(&["50%", "10%", "100%"], 3), decreasing("10%"));
    assert_eq!(wave_ends(&["5", "1", "100%"], 3), decreasing("1"));
    assert_eq!(
        wave_ends(&["1", "10%"], 50),
        Err(BadWaves::Short {
            reached: 5,
            sites: 50
        })
    );
    assert_eq!(
        wave_ends(&["4"], 5),
        Err(BadWaves::Short {
            reached: 4,
            sites: 5
        })
    );
}

#[test]
fn every_site_has_one_wave_and_waves_never_shrink() {
    for sites in 0..300 {
        for waves in [
            vec!["1", "10%", "100%"],
            vec!["7%", "33.3%", "100%"],
            vec!["2", "3", "50%", "100%"],
        ] {
            let ends = ends(&waves, sites);
            assert!(ends.is_sorted());
            assert_eq!(ends.last(), Some(&sites));
            let members: Vec<usize> = (0..sites)
                .map(|position| wave_of(&ends, position))
                .collect();
            assert!(members.is_sorted());
            assert!(members.iter().all(|wave| (1..=ends.len()).contains(wave)));
            for (index, end) in ends.iter().enumerate() {
                assert_eq!(
                    members.iter().filter(|wave| **wave <= index + 1).count(),
                    *end
                );
            }
        }
    }
}

fn running() -> Progress {
    Progress {
        status: Status::Running,
        open_wave: Some(1),
        has_locked: false,
        failures: 0,
        max_failures: 0,
    }
}

#[test]
fn the_lowest_open_wave_comes_next() {
    assert_eq!(next_action(&running()), Action::Upgrade { wave: 1 });
    let first = Progress {
        status: Status::Pending,
        open_wave: Some(2),
        ..running()
    };
    assert_eq!(next_action(&first), Action::Upgrade { wave: 2 });
}

#[test]
fn one_failure_too_many_halts_whatever_is_open() {
    for max_failures in 0..5 {
        for failures in 0..8 {
            for open_wave in [None, Some(3)] {
                for has_locked in [false, true] {
                    let progress = Progress {
                        open_wave,
                        has_locked,
                        failures,
                        max_failures,
                        ..running()
                    };
                    assert_eq!(
                        next_action(&progress) == Action::Halt,
                        failures > max_failures
                    );
                }
            }
        }
    }
}

#[test]
fn a_locked_site_holds_up_no_wave_and_keeps_the_rollout_open() {
    let locked = Progress {
        has_locked: true,
        ..running()
    };
    assert_eq!(next_action(&locked), Action::Upgrade { wave: 1 });
    let last = Progress {
        open_wave: None,
        ..locked
    };
    assert_eq!(next_action(&last), Action::TryAgain);
    assert_eq!(
        next_action(&Progress {
            has_locked: false,
            ..last
        }),
        Action::Complete
    );
}

#[test]
fn what_is_over_stays_over() {
    for status in [Status::Halted, Status::Completed] {
        for failures in [0, 9] {
            assert_eq!(
                next_action(&Progress {
                    status,
                    failures,
                    ..running()
                }),
                Action::Nothing
            );
        }
    }
}

#[test]
fn only_a_shortage_of_the_server_stops_everything() {
    assert_eq!(verdict("55P03"), Verdict::Locked);
    assert_eq!(verdict("53200"), Verdict::Stop);
    for sqlstate in ["40P01", "40001", "55000", "23505", "XX000", "P0001", ""] {
        assert_eq!(verdict(sqlstate), Verdict::Failed);
    }
}

#[test]
fn words_and_statuses_agree() {
    for status in [
        Status::Pending,
        Status::Running,
        Status::Halted,
        Status::Completed,
    ] {
        assert_eq!(Status::from_word(status.as_str()), Some(status));
    }
    assert_eq!(Status::from_word("done"), None);
}

#[test]
fn the_lock_table_bounds_a_batch() {
    assert_eq!(sites_that_fit(4, 1_000, 8_000), 1_750);
    assert_eq!(sites_that_fit(4, 9_000, 8_000), 0);
    assert_eq!(sites_that_fit(0, 0, 8_000), i64::MAX);
}
