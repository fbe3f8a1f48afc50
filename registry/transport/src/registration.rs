//! The registration of our transport with libgit2, the one place of this crate that needs `unsafe`.

use crate::exchange;
use git2::transport::{Transport, register};
use std::sync::Once;

/// Registers our transport for `http` and `https`, once in a process.
pub(crate) fn ensure() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for scheme in ["http", "https"] {
            register_scheme(scheme);
        }
    });
}

#[allow(unsafe_code)]
fn register_scheme(scheme: &str) {
    // SAFETY: `register` asks that no transport is created meanwhile. Each function of this crate
    // that creates one calls `ensure` first, and `Once` lets nobody pass before this has returned;
    // no other crate of the platform uses libgit2.
    let registered = unsafe {
        register(scheme, |remote| {
            // `true`: stateless, each round is a request of its own.
            Transport::smart(remote, true, exchange::Subtransport::of_this_call()?)
        })
    };
    if let Err(error) = registered {
        tracing::error!(scheme, %error, "the Git transport could not be registered");
    }
}
