//! The story as tests: each step by its name, in order, then what needs the story's end. A step whose
//! predecessor failed fails too; none is skipped.

use crate::{
    Options,
    extra::EXTRA,
    stage::Stage,
    steps::{STORY, Step},
};
use anyhow::{Result, anyhow, ensure};
use libtest_mimic::{Failed, Trial};
use std::{
    collections::BTreeSet,
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Instant,
};

struct Play {
    stage: Stage,
    passed: BTreeSet<&'static str>,
}

/// Runs the tests, or those that `filter` names with what they need.
pub fn run(options: Options, long: bool, filter: Option<String>) -> Result<ExitCode> {
    let mut stage = Stage::new(options)?;
    stage.long = long;
    let play = Arc::new(Mutex::new(Play {
        stage,
        passed: BTreeSet::new(),
    }));
    let steps: Vec<&'static Step> = STORY.iter().chain(&EXTRA).collect();
    let wanted = wanted(&steps, filter.as_deref());
    ensure!(
        !wanted.is_empty(),
        "no test has `{}` in its name",
        filter.unwrap_or_default()
    );
    let trials = steps
        .into_iter()
        .filter(|step| wanted.contains(step.name))
        .map(|step| {
            let play = Arc::clone(&play);
            Trial::test(format!("story::{}", step.name), move || {
                perform(&play, step)
            })
        });
    // One at a time, in this order: they share a cluster.
    let one_by_one = libtest_mimic::Arguments {
        test_threads: Some(1),
        ..Default::default()
    };
    Ok(libtest_mimic::run(&one_by_one, trials.collect()).exit_code())
}

fn wanted(steps: &[&'static Step], filter: Option<&str>) -> BTreeSet<&'static str> {
    let mut wanted = BTreeSet::new();
    // Needs stand before what needs them, so one walk from the end finds all.
    for step in steps.iter().rev() {
        let asked = filter.is_none_or(|part| step.name.contains(part));
        if asked || wanted.contains(step.name) {
            wanted.insert(step.name);
            wanted.extend(step.needs);
        }
    }
    wanted
}

fn perform(play: &Mutex<Play>, step: &Step) -> Result<(), Failed> {
    // A step that panicked left the stage as a step that failed does.
    let mut play = play
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(missing) = step.needs.iter().find(|need| !play.passed.contains(*need)) {
        return Err(Failed::from(format!("needs `{missing}`, which failed")));
    }
    println!();
    play.stage.voice.title(step.title);
    let start = Instant::now();
    let outcome = (step.play)(&mut play.stage).map_err(|error| anyhow!("{error:#}"));
    println!(
        "   {} after {:.1} s",
        step.name,
        start.elapsed().as_secs_f64()
    );
    match outcome {
        Ok(()) => {
            play.passed.insert(step.name);
            Ok(())
        }
        Err(error) => {
            println!("   {error:#}");
            Err(Failed::from(format!("{error:#}")))
        }
    }
}
