//! The registration of our transports with libgit2, the one place of this crate that needs `unsafe`.

use crate::{exchange, ssh};
use git2::transport::{Transport, register};
use std::sync::Once;

/// Registers our transports for `http`, `https` and `ssh`, once in a process.
pub(crate) fn ensure() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for scheme in ["http", "https", "ssh"] {
            register_scheme(scheme);
        }
    });
}

#[allow(unsafe_code)]
fn register_scheme(scheme: &'static str) {
    // SAFETY: `register` asks that no transport is created meanwhile. Each function of this crate
    // that creates one calls `ensure` first, and `Once` lets nobody pass before this has returned;
    // no other crate of the platform uses libgit2.
    let registered = unsafe {
        register(scheme, move |remote| match scheme {
            "ssh" => Transport::smart(remote, false, ssh::Subtransport::of_this_call()?),
            // `true`: stateless, each round is a request of its own.
            _ => Transport::smart(remote, true, exchange::Subtransport::of_this_call()?),
        })
    };
    if let Err(error) = registered {
        tracing::error!(scheme, %error, "the Git transport could not be registered");
    }
}
