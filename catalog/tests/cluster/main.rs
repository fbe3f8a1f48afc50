//! What a person sees of `kubectl middleware catalog` and `source`: the real binary against a real API
//! server. No registry and no operator run here: the tests write what they would.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

mod catalog;
mod completion;
mod errors;
mod hands;
mod proxy;
mod rights;
mod source_add;
mod source_show;
mod store;
mod terminal;
mod world;
