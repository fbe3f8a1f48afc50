//! `kubectl middleware`: the reading side for people, and the tools of addon authors.
//!
//! In: a command line. Out: text for people or a document for programs, and an exit code. A cluster is
//! asked with the person's own rights alone.

mod addon;
mod age;
mod args;
mod browse;
mod catalog;
mod cluster;
mod complete;
mod output;
mod source;
mod suggest;
mod table;
mod version;

use args::{Arguments, Command};
use clap::Parser as _;
use output::{Interrupted, Outcome, Paint, Verdict};
use std::{io::Write as _, process::ExitCode};

/// The exit code that shells give to what Ctrl-C ends: 128 and the signal's number.
const INTERRUPTED: u8 = 130;

/// Runs what the command line of this process asks for. Exits with 0 where everything is right, 1
/// where something was found, 2 where the work could not be done, 130 where Ctrl-C ended it.
pub fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Addon { command } => addon::run(command),
        Command::Catalog { command } => catalog::run(command),
        Command::Source { command } => source::run(command),
        Command::Version { output } => output::show(&version::Report::new(), output),
        Command::Completion { shell } => Ok(complete::script(shell)),
        Command::Evaluate { precompile } => evaluate(precompile.as_deref()),
        Command::Complete { words } => Ok(complete::answer(&words)),
    };
    let told = outcome.and_then(|outcome| {
        tell(&outcome.text)?;
        Ok(outcome.verdict)
    });
    match told {
        Ok(Verdict::Clean) => ExitCode::SUCCESS,
        Ok(Verdict::Findings) => ExitCode::from(1),
        Err(error) => {
            let mut stderr = std::io::stderr();
            let complaint = output::complaint(&error, Paint::of(&stderr));
            let _ = stderr.write_all(complaint.as_bytes());
            match error.is::<Interrupted>() {
                true => ExitCode::from(INTERRUPTED),
                false => ExitCode::from(2),
            }
        }
    }
}

/// Serves the process that started this one; what it says goes there.
fn evaluate(precompile: Option<&std::path::Path>) -> anyhow::Result<Outcome> {
    evaluate::child::main(precompile)?;
    Ok(Outcome::clean(String::new()))
}

/// The files of the addon in `directory`, as every command reads them, or what cannot be part of one.
///
/// # Errors
/// It is no addon's directory, or the disk does not give it.
pub fn tree(
    directory: &std::path::Path,
) -> anyhow::Result<Result<package::Tree, Vec<package::Finding>>> {
    addon::tree(directory)
}

/// Writes to stdout. A reader that has seen enough, such as `head`, is no error.
fn tell(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
