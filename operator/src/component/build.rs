//! The children of a Component, as they are to be. One file for each Kubernetes kind; no IO.

pub mod config_map;
pub mod group;
pub mod object;
pub mod pod;
pub mod secret;
pub mod service;

/// A child could not be put into words.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A value has no JSON form.
    #[error("{what} has no JSON form: {source}")]
    Form {
        /// Which.
        what: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
}
