//! What registry and operator take: memory at rest, CPU for a push. Release builds alone say
//! anything about what people will see.

use crate::{Options, extra::cost, platform, stage::Stage, steps::STORY, voice};
use anyhow::{Context, Result};
use std::{process::ExitCode, time::Duration};

/// After the last change, before memory is read.
const REST: Duration = Duration::from_secs(20);

/// Plays the story as far as two Apps run, then measures and prints a table.
pub fn run(options: Options) -> Result<ExitCode> {
    let mut stage = Stage::new(options)?;
    for name in [
        "cluster",
        "install",
        "publish",
        "standalone",
        "replication",
        "more",
    ] {
        let step = STORY
            .iter()
            .find(|step| step.name == name)
            .context("no such step")?;
        stage.voice.title(step.title);
        (step.play)(&mut stage)?;
    }
    std::thread::sleep(REST);
    let mut rows = Vec::new();
    for service in platform::SERVICES {
        let memory = platform::memory(platform::process(&stage, service)?)?;
        rows.push((
            format!("RSS of the {service}, 2 Apps, at rest"),
            mebibytes(memory),
        ));
    }
    let cost = cost::measure(&stage, 40)?;
    for service in platform::SERVICES {
        let memory = platform::memory(platform::process(&stage, service)?)?;
        rows.push((
            format!("RSS of the {service} after {} pushes", cost::PUSHES),
            mebibytes(memory),
        ));
    }
    rows.push((
        "CPU of both for one push".into(),
        format!("{} ms", cost.cpu.as_millis()),
    ));
    rows.push((
        "requests one after another for one push".into(),
        cost.round_trips.to_string(),
    ));
    rows.push((
        "git push → Active, reconcile-now".into(),
        format!("{} ms", cost.took.as_millis()),
    ));
    for (what, took) in &stage.measured {
        rows.push((what.clone(), voice::seconds(*took)));
    }
    println!("\n| what | measured |\n| --- | ---: |");
    for (what, value) in rows {
        println!("| {what} | {value} |");
    }
    Ok(ExitCode::SUCCESS)
}

fn mebibytes(kibibytes: u64) -> String {
    format!("{:.1} MiB", kibibytes as f64 / 1024.0)
}
