//! The addon, App and Component controllers on a real API server with garbage collection. There is
//! no kubelet: where pods matter the tests say what a kubelet and an agent would, through the status
//! subresource and the role label.
//!
//! One control plane and one operator serve all tests; they keep apart by namespace and by plugin.

// Not every function here is a test, and each may fail as one does.
#![allow(clippy::unwrap_used, clippy::panic)]

mod addon;
mod app;
mod credentials;
mod deletion;
mod ledger;
mod lifecycle;
mod objects;
mod orders;
mod parameters;
mod people;
mod policy;
mod quiet;
mod restart;
mod store;
mod suspend;
mod upgrade;
mod vouched;
mod world;
