//! `kubectl middleware`: the reading side for people, and the tools of addon authors.
//!
//! In: a command line. Out: text for people or a document for programs, and an exit code. No cluster
//! is asked by anything here yet.

mod addon;
mod args;
mod output;
mod version;

use args::{Arguments, Command};
use clap::{CommandFactory as _, Parser as _};
use output::{Outcome, Verdict};
use std::{io::Write as _, process::ExitCode};

/// Runs what the command line of this process asks for. Exits with 0 where everything is right, 1
/// where something was found, 2 where the work could not be done.
pub fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Addon { command } => addon::run(command),
        Command::Version { output } => output::show(&version::Report::new(), output),
        Command::Completion { shell } => Ok(completion(shell)),
    };
    let told = outcome.and_then(|outcome| {
        tell(&outcome.text)?;
        Ok(outcome.verdict)
    });
    match told {
        Ok(Verdict::Clean) => ExitCode::SUCCESS,
        Ok(Verdict::Findings) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Writes to stdout. A reader that has seen enough, such as `head`, is no error.
fn tell(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn completion(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    let name = "kubectl-middleware";
    clap_complete::generate(shell, &mut Arguments::command(), name, &mut script);
    Outcome {
        text: String::from_utf8_lossy(&script).into_owned(),
        verdict: Verdict::Clean,
    }
}
