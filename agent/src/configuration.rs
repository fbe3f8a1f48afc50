//! Which configuration the process has read, and what is in the way of the one it is to read: a
//! small file in the volume that the pod's containers share.
//!
//! The init container writes it for the files that the process starts with, the sidecar after each
//! attempt to reload. It outlives both, so a sidecar that starts again knows where it was; and the
//! supervisor shows it in `Status`.

use crate::atomic;
use crate::content::Revision;
use crate::root::Root;
use api::agent::{self, CONFIGURATION_FILE};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;

const MODE: u32 = 0o644;

/// What is known of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Configuration {
    /// The revision that the process has read; empty where that is not known.
    pub revision: String,
    /// The revision that it is to read, where it is another one; empty otherwise.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub wanted: String,
    /// How often that was tried in vain.
    pub attempts: u32,
    /// Why the last attempt failed, for people; empty while none did.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub trouble: String,
}

impl Configuration {
    /// One that the process has read, and nothing in the way.
    pub fn in_force(revision: impl Into<String>) -> Self {
        Self {
            revision: revision.into(),
            ..Self::default()
        }
    }

    /// Whether the process has read this revision, and nothing else was tried since.
    pub fn has_read(&self, revision: &Revision) -> bool {
        self.revision == revision.as_str() && self.wanted.is_empty()
    }
}

impl From<Configuration> for agent::Configuration {
    fn from(configuration: Configuration) -> Self {
        let Configuration {
            revision,
            wanted,
            attempts,
            trouble,
        } = configuration;
        Self {
            revision,
            wanted,
            attempts,
            trouble,
        }
    }
}

/// What was last written; `None` where there is nothing, or nothing that can be read: then nothing is
/// known, and the files are put in place and read once more.
pub fn known(root: &Root) -> Option<Configuration> {
    let bytes = fs::read(root.at(CONFIGURATION_FILE)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Writes it, if it is not there already.
///
/// # Errors
/// Whatever the file system says.
pub fn note(root: &Root, configuration: &Configuration) -> io::Result<()> {
    let bytes = serde_json::to_vec(configuration).map_err(io::Error::from)?;
    atomic::settle(&root.at(CONFIGURATION_FILE), &bytes, MODE).map(drop)
}
