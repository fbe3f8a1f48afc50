//! The program `paamesh`: arguments, wiring, health. No logic of its own.

mod args;
mod client;
mod health;
mod lead;
mod logs;
mod services;

use anyhow::Context as _;
use args::{Arguments, Command, Output};
use clap::{CommandFactory as _, Parser as _};
use std::io::Write as _;

// What many short-lived threads gave back goes to the system, which glibc's allocator keeps.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Crds => print(&crds()?),
        Command::Evaluate { precompile } => Ok(evaluate::child::main(precompile.as_deref())?),
        Command::Version { output } => print(&version(output)),
        Command::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "paamesh", &mut script);
            print(&String::from_utf8(script)?)
        }
        Command::Operator { service, operator } => services::run(service, Some(operator), None),
        Command::Registry { service, registry } => services::run(service, None, Some(registry)),
        Command::All {
            service,
            operator,
            registry,
        } => services::run(service, Some(operator), Some(registry)),
    }
}

/// Every CustomResourceDefinition as a stream of YAML documents.
fn crds() -> anyhow::Result<String> {
    let mut text = String::new();
    for crd in api::crd::all() {
        text.push_str("---\n");
        text.push_str(&serde_saphyr::to_string(&crd).context("printing a definition")?);
    }
    Ok(text)
}

fn version(output: Output) -> String {
    let version = api::PLATFORM_VERSION;
    match output {
        Output::Text => format!("paamesh {version}\n"),
        Output::Json => format!(
            "{{\"version\":\"{version}\",\"api\":\"{}\"}}\n",
            api::API_VERSION
        ),
    }
}

/// Writes to standard output; a reader that went away (`| head`) is no error.
fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
