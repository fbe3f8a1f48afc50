//! The addon format: read a tree, check it, digest it, render it, compare two, the upgrade graph.
//!
//! In: bytes that somebody else fetched. Out: a [`Package`] or every fault in it. No IO; untrusted
//! templates are evaluated behind the trait [`Evaluate`].

pub mod archive;
pub mod check;
pub mod content;
pub mod defaults;
pub mod digest;
pub mod duration;
pub mod evaluate;
pub mod graph;
pub mod image;
pub mod manifest;
mod parameters;
pub mod quantity;
pub mod render;
pub mod tree;

pub use api::crd::source::Finding;
pub use check::{Package, Refusal, check, load};
pub use digest::section_digest;
pub use evaluate::{
    Evaluate, EvaluateError, Parameters, RenderRequest, SchemaRequest, ValidateError, Violation,
};
pub use manifest::Manifest;
pub use parameters::parameters;
pub use tree::Tree;
