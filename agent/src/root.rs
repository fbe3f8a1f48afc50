//! Where the pod's places are: under `/` in a pod, under a directory of its own in a test.

use std::path::{Path, PathBuf};

/// The directory that stands for `/`.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// The places of `api::agent` as they lie below `root`.
    pub fn under(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    /// The path of one of the absolute places of `api::agent`.
    pub fn at(&self, place: &str) -> PathBuf {
        self.0.join(
            Path::new(place)
                .strip_prefix("/")
                .unwrap_or(Path::new(place)),
        )
    }
}
