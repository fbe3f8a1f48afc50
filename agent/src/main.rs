//! `paamesh-agent`: reads the command line, starts one of the agent's jobs, ends with its code.

use agent::args::{Args, Job};
use agent::log::with_causes;
use agent::root::Root;
use agent::{action, install, live, log, ready, sidecar, supervisor};
use clap::Parser as _;
use std::error::Error;
use std::process::ExitCode;
use std::time::SystemTime;
use tokio::signal::unix::{SignalKind, signal};
use tracing::level_filters::LevelFilter;

/// As a shell gives the end by SIGTERM.
const TERMINATED: u8 = 128 + 15;

type Outcome = Result<u8, Box<dyn Error>>;

fn main() -> ExitCode {
    let Args {
        job,
        log_level,
        root,
    } = Args::parse();
    let root = Root::under(root);
    let outcome = match job {
        Job::Install(args) => logged(log_level, until_terminated(args.meant(root))),
        Job::Supervisor(args) => logged(log_level, async {
            Ok(supervisor::run(&args.meant(root)).await?)
        }),
        Job::Sidecar(args) => logged(log_level, async {
            sidecar::run(&args.meant(root)).await?;
            Ok(0)
        }),
        Job::Ready => told(ready::check(&root, SystemTime::now()).map_err(Into::into)),
        Job::Live => told(run(async { Ok(live::check(&root).await?) })),
        Job::Run(args) => run(async { Ok(action::command::run(&args.meant(root)).await) }),
    };
    outcome.map_or(ExitCode::FAILURE, ExitCode::from)
}

/// As PID 1 a process that takes no SIGTERM is killed only after the pod's grace period.
async fn until_terminated(install: install::Install) -> Outcome {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        installed = install::run(&install) => { installed?; Ok(0) }
        _ = terminate.recv() => Ok(TERMINATED),
    }
}

/// A job that goes on: what it has to say goes to the log.
fn logged(level: LevelFilter, job: impl Future<Output = Outcome>) -> Outcome {
    let log = log::start(level)?;
    let outcome = run(job);
    if let Err(error) = &outcome {
        tracing::error!(error = with_causes(error.as_ref()), "cannot go on");
    }
    log.flush();
    outcome
}

/// A question of the kubelet's: why not, goes to standard output, which it shows to people.
fn told(answer: Result<(), Box<dyn Error>>) -> Outcome {
    if let Err(error) = &answer {
        println!("{}", with_causes(error.as_ref()));
    }
    answer.map(|()| 0)
}

/// One thread is enough, and keeps the agent small.
fn run<T>(job: impl Future<Output = Result<T, Box<dyn Error>>>) -> Result<T, Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(job)
}
