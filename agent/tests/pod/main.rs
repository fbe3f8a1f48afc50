//! The agent's binary as a pod runs it, below a directory that stands for `/`.

// The helpers of tests are tests too; clippy looks for the attribute only.
#![allow(clippy::unwrap_used, clippy::panic)]

mod api_server;
mod install;
mod pid_one;
mod place;
mod prepare;
mod reload;
mod run;
mod sidecar;
mod supervisor;
