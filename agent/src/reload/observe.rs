//! Reads what the pod is to run, and what of it the kubelet has brought.

use crate::content::{self, ContentError, Files, Revision};
use crate::root::Root;
use api::agent::{CONFIG_REVISION_FILE, CONTENT_REVISION_FILE};
use tokio::sync::watch;

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The configuration revision that the pod is to run; `None` while it has no such annotation.
    pub wanted: Option<Revision>,
    /// The files of that revision; none while the kubelet has not brought them.
    pub files: Files,
    /// Whether the scripts and actions in place are those that the pod is to run.
    pub content_in_place: bool,
}

/// Looks once, or says what cannot be read.
///
/// # Errors
/// [`ContentError::Read`], [`ContentError::Revision`].
pub fn observe(
    root: &Root,
    followed: &watch::Receiver<Option<Revision>>,
) -> Result<Seen, ContentError> {
    let wanted = content::revision(root, CONFIG_REVISION_FILE)?;
    let files = match &wanted {
        Some(revision) if !revision.is_empty() => content::configuration(root, revision)?,
        _ => Files::new(),
    };
    let content = content::revision(root, CONTENT_REVISION_FILE)?;
    Ok(Seen {
        wanted,
        files,
        content_in_place: content.is_some() && *followed.borrow() == content,
    })
}
