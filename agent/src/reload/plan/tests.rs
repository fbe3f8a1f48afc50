//! Rounds on a clock of their own: what was seen in, what is to be done out.

use super::*;
use crate::root::Root;
use api::agent::{CONFIG_REVISION_FILE, EMPTY_REVISION, POD_DIR};

const OLD: &str = "0000000a";
const NEW: &str = "0000000b";

/// As the downward API says it: there is no other way to a revision.
fn revision(text: &str) -> Revision {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::under(dir.path());
    std::fs::create_dir(root.at(POD_DIR)).unwrap();
    std::fs::write(root.at(POD_DIR).join(CONFIG_REVISION_FILE), text).unwrap();
    let read = crate::content::revision(&root, CONFIG_REVISION_FILE);
    read.unwrap().unwrap()
}

fn files() -> Files {
    Files::from([("redis.conf".to_owned(), b"port 6379\n".to_vec())])
}

fn seen(wanted: &str) -> Seen {
    Seen {
        wanted: Some(revision(wanted)),
        files: if wanted == EMPTY_REVISION {
            Files::new()
        } else {
            files()
        },
        content_in_place: true,
    }
}

fn in_force(revision: &str) -> State {
    State {
        configuration: Configuration::in_force(revision),
        until: None,
    }
}

fn applies(plan: &Plan) -> bool {
    matches!(plan, Plan::Apply { .. })
}

#[test]
fn what_the_process_has_read_is_left_alone() {
    let now = Instant::now();
    assert_eq!(plan(&Ok(seen(OLD)), &in_force(OLD), now), Plan::Nothing);
    let nothing_wanted = Seen {
        wanted: None,
        ..seen(OLD)
    };
    assert_eq!(
        plan(&Ok(nothing_wanted), &in_force(OLD), now),
        Plan::Nothing
    );
}

#[test]
fn another_revision_is_applied_with_all_its_files() {
    let apply = Plan::Apply {
        revision: revision(NEW),
        files: files(),
    };
    assert_eq!(plan(&Ok(seen(NEW)), &in_force(OLD), Instant::now()), apply);
}

#[test]
fn a_revision_without_files_waits_for_none() {
    let plan = plan(&Ok(seen(EMPTY_REVISION)), &in_force(OLD), Instant::now());
    assert!(applies(&plan), "{plan:?}");
}

#[test]
fn it_waits_for_the_files_and_for_the_scripts_that_reload_them() {
    let now = Instant::now();
    let without_files = Seen {
        files: Files::new(),
        ..seen(NEW)
    };
    let waits = plan(&Ok(without_files), &in_force(OLD), now);
    let for_files = format!("the files of configuration revision {NEW}");
    assert_eq!(waits, Plan::Wait(for_files));
    let without_scripts = Seen {
        content_in_place: false,
        ..seen(NEW)
    };
    let waits = plan(&Ok(without_scripts), &in_force(OLD), now);
    assert!(matches!(waits, Plan::Wait(what) if what.contains("scripts")));
}

#[test]
fn a_failed_attempt_is_made_again_after_growing_waits_and_a_success_ends_that() {
    let mut now = Instant::now();
    let mut state = in_force(OLD);
    let mut waits = Vec::new();
    for attempt in 1..=8 {
        assert!(applies(&plan(&Ok(seen(NEW)), &state, now)));
        let failed = Err("reload failed with exit code 1".to_owned());
        state = concluded(&state, &revision(NEW), failed, now);
        assert_eq!(state.configuration.revision, OLD, "it still runs with that");
        assert_eq!(state.configuration.attempts, attempt);
        let until = state.until.unwrap();
        let early = until - Duration::from_millis(1);
        assert_eq!(plan(&Ok(seen(NEW)), &state, early), Plan::Nothing);
        waits.push((until - now).as_secs());
        now = until;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    let done = concluded(&state, &revision(NEW), Ok(()), now);
    assert_eq!(done, in_force(NEW));
    assert_eq!(plan(&Ok(seen(NEW)), &done, now), Plan::Nothing);
}

#[test]
fn another_revision_does_not_wait_for_the_one_that_failed() {
    let now = Instant::now();
    let failed = concluded(&in_force(OLD), &revision(NEW), Err("no".to_owned()), now);
    let third = "0000000c";
    assert!(applies(&plan(&Ok(seen(third)), &failed, now)));
    let failed_too = concluded(&failed, &revision(third), Err("no".to_owned()), now);
    assert_eq!(failed_too.configuration.attempts, 1);
}

/// The files of the one that failed are in place, so going back is an attempt too.
#[test]
fn back_to_the_revision_in_force_after_a_failed_attempt_puts_its_files_back() {
    let now = Instant::now();
    let failed = concluded(&in_force(OLD), &revision(NEW), Err("no".to_owned()), now);
    assert!(applies(&plan(&Ok(seen(OLD)), &failed, now)));
}

/// All of a small world: whatever is seen after whatever was done, nothing is applied that the
/// process has read or that was tried too lately, and all else that is complete is.
#[test]
fn it_applies_exactly_what_is_wanted_complete_and_due() {
    let now = Instant::now();
    let later = Some(now + Duration::from_secs(1));
    for wanted in [OLD, NEW, EMPTY_REVISION] {
        for (content_in_place, brought) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            for tried in ["", OLD, NEW] {
                for until in [None, later] {
                    let mut seen = seen(wanted);
                    seen.content_in_place = content_in_place;
                    if !brought {
                        seen.files = Files::new();
                    }
                    let mut state = in_force(OLD);
                    state.configuration.wanted = tried.to_owned();
                    state.until = until;
                    let is_read = wanted == OLD && tried.is_empty();
                    let is_early = tried == wanted && until.is_some();
                    let is_complete = content_in_place && (brought || wanted == EMPTY_REVISION);
                    let expected = !is_read && !is_early && is_complete;
                    let plan = plan(&Ok(seen), &state, now);
                    assert_eq!(applies(&plan), expected, "{wanted} {state:?} {plan:?}");
                }
            }
        }
    }
}

#[test]
fn what_is_in_the_way_is_cut_between_characters() {
    let long = Err("ü".repeat(400));
    let state = concluded(&in_force(OLD), &revision(NEW), long, Instant::now());
    assert_eq!(state.configuration.trouble, "ü".repeat(256));
}
