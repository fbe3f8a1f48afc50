//! Every kind of source on a real API server: real OCI registries, the real git over HTTP and SSH, real
//! signatures, a directory that is written to. What one source meets is its own alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "../../transport/tests/support/authority.rs"]
mod authority;
#[path = "../../transport/tests/support/cosign_fixtures.rs"]
#[allow(dead_code)]
mod cosign_fixtures;
#[path = "../../transport/tests/support/git_server.rs"]
#[allow(dead_code)]
mod git_server;
#[path = "../../transport/tests/support/gpg.rs"]
#[allow(dead_code)]
mod gpg;
#[path = "../../transport/tests/support/http_server.rs"]
#[allow(dead_code)]
mod http_server;
#[path = "../../transport/tests/support/registries.rs"]
#[allow(dead_code)]
mod registries;
#[path = "../../transport/tests/support/ssh_server.rs"]
#[allow(dead_code)]
mod ssh_server;
#[path = "../support/world.rs"]
#[allow(dead_code)]
mod world;

mod artifacts;
mod connections;
mod crowd;
mod directories;
mod identities;
mod notifications;
mod repositories;
mod revisions;
mod signatures;
mod stage;
