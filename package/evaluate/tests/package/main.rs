//! The addon format with the real evaluator: what the checks say, and what the shipped addons are.
#![allow(
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "helpers of tests stand beside them here"
)]

mod addons;
mod check;
mod files;

/// The evaluator that the platform uses.
fn evaluator() -> evaluate::Host {
    evaluate::Host
}
