//! The story of the README, told once and played twice: `story demo` prints it to a person,
//! `story test` runs each of its steps as a test, with further tests on the same cluster after it.
//!
//! In: the binaries under test and the name of a cluster. Out: what `kubectl`, `git`, `helm` and a
//! Redis client see; nothing is printed that was not read back. The steps drive those programs as a
//! person does, and know nothing of how the platform is made.

mod addon;
mod bench;
mod cluster;
mod demo;
mod extra;
mod look;
mod platform;
mod redis;
mod repository;
mod stage;
mod steps;
mod tests;
mod voice;

use clap::{Args, Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// The story of the README on a real cluster.
#[derive(Debug, Parser)]
#[command(name = "story", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell it to a person; ends at the first observation that differs.
    Demo(Options),
    /// Run its steps and further tests on its cluster as tests.
    Test {
        #[command(flatten)]
        options: Options,
        /// Watch the steady state for ten minutes instead of one.
        #[arg(long)]
        long: bool,
        /// Run only the tests whose name has this in it, and those that they need.
        filter: Option<String>,
    },
    /// Measure memory and CPU of the services.
    Bench(Options),
}

/// What is played with, and where.
#[derive(Args, Clone, Debug)]
struct Options {
    /// The cluster's name; it is made anew.
    #[arg(long, default_value = "demo")]
    cluster: String,
    /// The program `paamesh`.
    #[arg(long)]
    paamesh: PathBuf,
    /// The static program `paamesh-agent`.
    #[arg(long)]
    agent: PathBuf,
    /// Go on with the cluster as it is, where it runs.
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo(options) => demo::tell(options),
        Command::Test {
            options,
            long,
            filter,
        } => tests::run(options, long, filter),
        Command::Bench(options) => bench::run(options),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("story: {error:#}");
        ExitCode::FAILURE
    })
}
