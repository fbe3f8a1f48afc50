//! Evaluation of untrusted templates, behind the trait of the crate `package`.
//!
//! In: a render request. Out: text of bounded size, or file, line and column of the fault. No
//! network, no files.

pub mod filters;
mod in_process;

pub use in_process::InProcess;
