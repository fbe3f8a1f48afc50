//! Where the files of an offer lie, whatever kind of source it is of.

use crate::source::directory;
use package::{Package, Tree};
use std::{sync::Arc, time::Duration};
use transport::{
    Consequence, Content, Mirrors, Remote,
    oci::{self, Artifacts},
};

/// What is kept of repositories, and how registries are reached; shared by all sources.
#[derive(Clone)]
pub struct Stores {
    /// Mirrors of Git repositories.
    pub mirrors: Arc<Mirrors>,
    /// OCI registries.
    pub artifacts: Arc<Artifacts>,
}

impl Stores {
    /// Stores with `mirrors`.
    pub fn new(mirrors: Mirrors) -> Self {
        Self {
            mirrors: Arc::new(mirrors),
            artifacts: Arc::default(),
        }
    }
}

/// Where the files of an offer lie.
#[derive(Clone)]
pub(crate) enum Place {
    /// A mirror of a Git repository; a tree is the hash of a Git tree.
    Git(Remote),
    /// An OCI repository; a tree is the digest of a manifest.
    Oci(oci::Remote),
    /// A directory; a tree is the digest of a state.
    Directory(directory::States),
}

impl Place {
    /// The files of `tree`. It blocks.
    pub fn content(&self, stores: &Stores, tree: &str) -> Result<Content, Failure> {
        match self {
            Self::Git(remote) => Ok(stores.mirrors.content(remote, tree)?),
            Self::Oci(remote) => {
                let digest = tree.parse().map_err(|_| Failure::passing("no digest"))?;
                Ok(stores.artifacts.content(remote, &digest)?)
            }
            Self::Directory(states) => states.content(tree),
        }
    }

    /// The package that `tree` is, which the checks passed before. It blocks.
    pub fn package(&self, stores: &Stores, tree: &str) -> Result<Package, String> {
        let content = self.content(stores, tree);
        let Content::Files(files) = content.map_err(|failure| failure.message)? else {
            return Err("its files are refused now".to_owned());
        };
        let tree = Tree::from_files(files).map_err(|findings| format!("{findings:?}"))?;
        package::load(tree).map_err(|refusal| refusal.to_string())
    }
}

/// Something could not be read: why, and what follows.
#[derive(Debug)]
pub(crate) struct Failure {
    pub message: String,
    consequence: Consequence,
}

impl Failure {
    /// It may mend itself.
    pub fn passing(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            consequence: Consequence::Retry,
        }
    }

    /// There was no time for it, and it is to be read at once in the next look.
    pub fn late() -> Self {
        Self {
            message: "there was no time for it in this look; the next one goes on".to_owned(),
            consequence: Consequence::RetryAfter(Duration::ZERO),
        }
    }

    /// Whether only an edit of the source mends it.
    pub fn is_terminal(&self) -> bool {
        self.consequence == Consequence::Terminal
    }

    /// When the server wants to be asked again, where it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.consequence {
            Consequence::RetryAfter(after) => Some(after),
            Consequence::Terminal | Consequence::Retry => None,
        }
    }
}

impl From<transport::Error> for Failure {
    fn from(error: transport::Error) -> Self {
        Self {
            message: error.to_string(),
            consequence: error.consequence(),
        }
    }
}

impl From<oci::Error> for Failure {
    fn from(error: oci::Error) -> Self {
        Self {
            message: error.to_string(),
            consequence: error.consequence(),
        }
    }
}
