//! The sandbox with its real programs: what they say, what stops them, that nothing else decides.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests stand beside them here"
)]

mod hostile;
mod hundred;
mod process;
mod schema;
