//! What people do with `kubectl middleware`, against the platform as it is: what the documents say, and
//! the way of an addon from its author to a catalog that others read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "people/documents.rs"]
mod documents;
#[path = "../../registry/transport/tests/support/http_server.rs"]
#[allow(dead_code)]
mod http_server;
#[path = "people/place.rs"]
mod place;
#[path = "../../registry/transport/tests/support/registries.rs"]
#[allow(dead_code)]
mod registries;
#[path = "people/way.rs"]
mod way;
#[path = "support/world.rs"]
#[allow(dead_code)]
mod world;
