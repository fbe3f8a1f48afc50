//! What the registry takes for many sources and versions, beside a bare client that does the same
//! pulls and writes in the same run.
//!
//! In: release builds, a control plane of one's own, a local OCI registry. Out: tables for
//! `docs/benchmarks.md`. Nothing here asserts: a figure is shown, and tests assert at most five times it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // the test servers that are shared with tests

mod addon;
mod bare;
mod catalog;
mod git;
#[path = "../../../registry/transport/tests/support/git_server.rs"]
#[allow(dead_code)]
mod git_server;
#[path = "../../../registry/transport/tests/support/http_server.rs"]
#[allow(dead_code)]
mod http_server;
mod processes;
#[path = "../../../registry/transport/tests/support/registries.rs"]
#[allow(dead_code)]
mod registries;
mod sources;
mod table;
mod world;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Parser)]
#[command(
    name = "registry-bench",
    about = "What the registry takes for many sources and versions"
)]
struct Arguments {
    /// The program that is measured.
    #[arg(long, default_value = "target/release/paamesh")]
    paamesh: PathBuf,
    /// What is measured.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// OCI sources of one artifact each until all are Ready, and then at rest.
    Sources {
        /// How many.
        #[arg(long, default_value_t = 1000)]
        number: usize,
        /// How many seconds of rest are watched.
        #[arg(long, default_value_t = 60)]
        rest: u64,
    },
    /// One change of a Git repository, and a look at a large one that did not change.
    Git {
        /// How many versions the large one has.
        #[arg(long, default_value_t = 1000)]
        number: usize,
    },
    /// Versions in the catalog: memory of operator and registry.
    Catalog {
        /// How many.
        #[arg(long, default_value_t = 5000)]
        number: usize,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match arguments.what {
            What::Sources { number, rest } => {
                sources::measure(&arguments.paamesh, number, rest).await
            }
            What::Git { number } => git::measure(&arguments.paamesh, number).await,
            What::Catalog { number } => catalog::measure(&arguments.paamesh, number).await,
        }
    })
}
