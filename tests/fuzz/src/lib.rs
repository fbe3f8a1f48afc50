//! Fuzz targets for everything in the addon format that parses foreign bytes (conventions 22).
//!
//! In: bytes. Out: nothing, or the promise that they break. A target knows how to make inputs with
//! structure ([`Target::make`]) and what must hold of any input ([`Target::check`]); who feeds it is
//! none of its business: the seeded run of `make test` ([`seeded`]), or libFuzzer (`hack/fuzz`).

pub mod seeded;

mod amounts;
mod archive;
#[path = "../../../package/tests/archive/forge.rs"]
#[allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    reason = "a helper of tests"
)]
mod forge;
#[path = "../../../package/tests/archive/hostile.rs"]
mod hostile;
mod input;
mod manifest;
mod schema;
mod shape;
mod template;
mod versions;

pub use arbitrary::Unstructured;
pub use forge::gzip as compressed;
pub use input::Corpus;

/// Something that parses foreign bytes, and what must hold of it.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in `corpus/`.
    pub name: &'static str,
    /// A new input with structure, or another one out of a corpus.
    pub make: fn(&mut Unstructured<'_>, &Corpus) -> arbitrary::Result<Vec<u8>>,
    /// Whether every promise holds of this input.
    ///
    /// # Errors
    /// The promise that it breaks.
    pub check: fn(&[u8]) -> Result<(), String>,
    /// Words of its language.
    pub words: fn() -> Vec<String>,
    /// Inputs that are as good as committed, and made by code.
    pub more: fn() -> Vec<(String, Vec<u8>)>,
}

/// Every target.
pub const TARGETS: [Target; 8] = [
    manifest::TARGET,
    archive::TARGET,
    template::TARGET,
    schema::TARGET,
    versions::VERSION,
    versions::RANGE,
    amounts::QUANTITY,
    amounts::DURATION,
];

/// The target of that name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

/// Ends a check where a promise does not hold.
macro_rules! ensure {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err(format!($($what)+));
        }
    };
}
pub(crate) use ensure;
