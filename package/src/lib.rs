//! The addon format: read a tree, check it, digest it, render it, compare two, the upgrade graph.
//!
//! In: bytes that somebody else fetched. Out: a [`Package`] or every fault in it. No IO; untrusted
//! templates are evaluated behind the trait [`Evaluate`].

pub mod manifest;
