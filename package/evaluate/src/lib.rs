//! Evaluation of untrusted templates and schemas, behind the trait of the crate `package`.
//!
//! In: a request. Out: text or parameters of bounded size, or the faults with file, line and column.
//! Tera and CUE are WebAssembly programs ([`program`]) that run in a sandbox ([`host`]): no files, no
//! network, no clock, no chance, bounded memory and computing, a fresh instance for each request. So the
//! verdict depends on the bytes of a request alone. [`Host`] is the sandbox in this process, [`Process`]
//! the same in a child process that it starts on demand.

mod answers;
pub mod cache;
pub mod child;
mod frame;
pub mod host;
mod process;
pub mod program;

pub use host::Host;
pub use process::{Process, Settings};
