//! The programs of the sandbox: what they are, what they may use, and how one that was stopped is told.
//!
//! A program reads a request on standard input and writes an answer to standard output, both JSON.

use std::fmt;

/// One program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Program {
    /// CUE: parameters against a schema; `cue/main.go`.
    Cue = 1,
    /// Tera: templates; `templates/src/main.rs`.
    Templates = 2,
}

/// What one run of a program may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Units of computing, about one for each instruction of WebAssembly.
    pub fuel: u64,
    /// Bytes of memory.
    pub memory: usize,
    /// Bytes of its answer.
    pub output: usize,
}

impl Program {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Cue, Self::Templates];

    /// The name, in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cue => "cue",
            Self::Templates => "templates",
        }
    }

    /// The function that answers. CUE's program is there as it was after its start.
    pub(crate) fn entry(self) -> &'static str {
        match self {
            Self::Cue => "evaluate",
            Self::Templates => "_start",
        }
    }

    /// The SHA-256 of its WebAssembly, as hexadecimal digits.
    pub fn digest(self) -> &'static str {
        match self {
            Self::Cue => env!("EVALUATE_CUE_DIGEST"),
            Self::Templates => env!("EVALUATE_TEMPLATES_DIGEST"),
        }
    }

    /// Its WebAssembly, packed, and how many bytes it has unpacked.
    pub(crate) fn packed(self) -> (&'static [u8], usize) {
        match self {
            Self::Cue => (
                include_bytes!(concat!(env!("OUT_DIR"), "/cue.wasm.zst")),
                number(env!("EVALUATE_CUE_BYTES")),
            ),
            Self::Templates => (
                include_bytes!(concat!(env!("OUT_DIR"), "/templates.wasm.zst")),
                number(env!("EVALUATE_TEMPLATES_BYTES")),
            ),
        }
    }

    /// What one run may use. A schema of 100 parameters takes a fortieth of the computing where each is
    /// described, else less; all of it is about a second of a processor.
    pub fn limits(self) -> Limits {
        match self {
            Self::Cue => Limits {
                fuel: 5_000_000_000,
                memory: 256 << 20,
                output: 8 << 20,
            },
            Self::Templates => Limits {
                fuel: 5_000_000_000,
                memory: 64 << 20,
                output: 8 << 20,
            },
        }
    }
}

const fn number(digits: &str) -> usize {
    let (bytes, mut at, mut number) = (digits.as_bytes(), 0, 0);
    while at < bytes.len() {
        number = number * 10 + (bytes[at] - b'0') as usize;
        at += 1;
    }
    number
}

/// A run that gave no answer. All but [`Stopped::Unavailable`] follow from the request alone: they are
/// the fault of what was evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// [`Limits::fuel`] was used up.
    Fuel,
    /// [`Limits::memory`] was not enough.
    Memory,
    /// Calls were nested too deeply.
    Stack,
    /// The answer had more than [`Limits::output`].
    Output,
    /// The program failed.
    Failed(String),
    /// There was no such run, for a reason that lies outside; ask again later.
    Unavailable(String),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fuel => {
                f.write_str("it needs more than the allowed amount of computing; what loops in it?")
            }
            Self::Memory => {
                f.write_str("it needs more than the allowed memory; what grows without end in it?")
            }
            Self::Stack => f.write_str("it is nested too deeply"),
            Self::Output => f.write_str("it makes too long an answer"),
            Self::Failed(reason) => write!(f, "the evaluator fails on it: {reason}"),
            Self::Unavailable(reason) => f.write_str(reason),
        }
    }
}

/// Whatever runs a program: here, or in another process.
pub trait Run {
    /// The answer of `program` to `request`.
    ///
    /// # Errors
    /// The run was stopped, or there was none.
    fn run(&self, program: Program, request: &[u8]) -> Result<Vec<u8>, Stopped>;
}
