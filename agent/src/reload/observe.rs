//! Reads what the pod is to run, and what of it the kubelet has brought.

use crate::configuration::Configuration;
use crate::content::{self, ContentError, Files, Revision};
use crate::root::Root;
use api::agent::{CONFIG_REVISION_FILE, CONTENT_REVISION_FILE};
use tokio::sync::watch;

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The configuration revision that the pod is to run; `None` while it has no such annotation.
    pub wanted: Option<Revision>,
    /// The files of that revision; none while the kubelet has not brought them, and none where the
    /// process has read them.
    pub files: Files,
    /// Whether the scripts and actions in place are those that the pod is to run.
    pub content_in_place: bool,
}

/// Looks once, or says what cannot be read; `known` is what came of the attempts before.
///
/// # Errors
/// [`ContentError::Read`], [`ContentError::Revision`].
pub fn observe(
    root: &Root,
    known: &Configuration,
    followed: &watch::Receiver<Option<Revision>>,
) -> Result<Seen, ContentError> {
    let wanted = content::revision(root, CONFIG_REVISION_FILE)?;
    let unread = wanted.as_ref().filter(|wanted| !known.has_read(wanted));
    let files = match unread {
        Some(revision) => content::configuration(root, revision)?,
        None => Files::new(),
    };
    let content = content::revision(root, CONTENT_REVISION_FILE)?;
    Ok(Seen {
        wanted,
        files,
        content_in_place: content.is_some() && *followed.borrow() == content,
    })
}
