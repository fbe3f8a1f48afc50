//! Where addons come from: Git over HTTP and SSH here, OCI registries in [`oci`], and who signed them:
//! artifacts in [`cosign`], commits and tags in [`signed`]. No Kubernetes.
//!
//! In: a [`Remote`]. Out: a revision such as `main@sha1:…` ([`resolve`], [`Mirrors::fetch`]) and the
//! files of the addons that stand in it ([`Mirrors::offered`]), or that ever stood before it
//! ([`Mirrors::history`]). Every call blocks and ends by the remote's own timeout: call it where
//! blocking is allowed.
//!
//! libgit2 speaks Git; what carries it is ours (the modules `call`, `exchange` and `http`, and `ssh`),
//! because libgit2's own transports have no limits on time or size that hold, and no settings per
//! source. libgit2 knows transports per scheme and process, so ours are registered once
//! (`registration`), and the settings of one call reach it through a thread-local that is set around
//! that call: libgit2 calls its transport on the thread that called it.

mod call;
pub mod collector;
mod consequence;
pub mod cosign;
mod credentials;
mod deadline;
mod error;
mod exchange;
mod history;
mod http;
mod known_hosts;
mod mirror;
pub mod oci;
mod reference;
mod registration;
mod remote;
mod session;
pub mod signed;
mod signers;
mod ssh;
mod trees;

pub use consequence::{Consequence, LONGEST};
pub use credentials::{Credentials, InvalidCredential, Proxy};
pub use error::Error;
pub use history::Candidate;
pub use mirror::Mirrors;
pub use reference::{Reference, Revision};
pub use remote::Remote;
pub use signers::{InvalidSigners, Signers};
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
