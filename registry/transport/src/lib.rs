//! Git over HTTP: a reference resolved, a mirror kept, addons read from its trees. No Kubernetes.
//!
//! In: a [`Remote`]. Out: a revision such as `main@sha1:…` ([`resolve`], [`Mirrors::fetch`]) and the
//! files of the addons that stand in it ([`Mirrors::offered`]). Every call blocks and ends by the
//! remote's own timeout: call it where blocking is allowed.
//!
//! libgit2 speaks Git; HTTP is ours (the modules `call`, `exchange` and `http`), because libgit2's own has
//! no limits on time or size that hold, and no certificate authority per source. libgit2 knows
//! transports per scheme and process, so ours is registered once for `http` and `https`
//! (`registration`), and the settings of one call reach it through a thread-local that is set around
//! that call: libgit2 calls its transport on the thread that called it.

mod call;
mod consequence;
pub mod cosign;
mod credentials;
mod deadline;
mod error;
mod exchange;
mod http;
mod mirror;
pub mod oci;
mod reference;
mod registration;
mod remote;
mod session;
mod trees;

pub use consequence::{Consequence, LONGEST};
pub use credentials::{Credentials, Proxy};
pub use error::Error;
pub use mirror::Mirrors;
pub use reference::{Reference, Revision};
pub use remote::Remote;
pub use trees::{Content, Offered};

/// What `remote` refers to now, by one look at its references; nothing is downloaded.
///
/// # Errors
/// The repository cannot be reached or read, is empty, or does not have what is asked for; the
/// message lists what is there.
pub fn resolve(remote: &Remote) -> Result<Revision, Error> {
    if let Some(commit) = &remote.reference.commit {
        return Ok(Revision::of_commit(commit));
    }
    session::list(remote)
}
