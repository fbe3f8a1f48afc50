//! What a person and a program see of `kubectl middleware`: the real binary, run on the shipped
//! addons, on broken ones, and in Git repositories.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod against;
mod authors_guide;
mod copy;
mod diff;
mod explain;
mod init;
mod lint;
mod package;
mod parameters;
mod plugin;
mod progress;
mod pull;
mod push;
mod registry;
mod render;
#[path = "../browse/terminal.rs"]
#[allow(dead_code, clippy::panic)]
mod screen;
mod sign;
mod terminal;
mod verify;
mod world;
