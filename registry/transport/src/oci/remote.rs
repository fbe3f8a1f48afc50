//! Which repository is meant, what of it, and how it is reached: the settings of one call.

use super::Error;
use crate::Credentials;
use api::{Digest, Range, Version};
use std::time::Duration;

/// A repository of an OCI registry and how it is reached.
#[derive(Clone, Debug)]
pub struct Remote {
    /// `oci://HOST[:PORT]/PATH`, without tag, digest or credentials.
    pub url: String,
    /// Whether plain HTTP is spoken.
    pub insecure: bool,
    /// What of the repository is meant.
    pub reference: Reference,
    /// Who asks, and whom we trust.
    pub credentials: Credentials,
    /// How long one call may take in all.
    pub timeout: Duration,
}

/// What of a repository is meant. The first that is given wins: digest, semver, tag; every release
/// where none is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// An artifact by its digest.
    pub digest: Option<Digest>,
    /// Every tag that is a version in this range.
    pub semver: Option<Range>,
    /// A regular expression: with `semver`, only tags that it finds are looked at.
    pub filter: Option<String>,
    /// One tag.
    pub tag: Option<String>,
}

/// An artifact, and by which tag it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// `1.2.0@sha256:…`, or `sha256:…` where a digest was asked for.
    pub text: String,
    /// The tag; none where a digest was asked for.
    pub tag: Option<String>,
    /// The version that the tag says; none where it is no version.
    pub version: Option<Version>,
    /// The manifest's digest.
    pub digest: Digest,
}

impl Revision {
    pub(crate) fn of_digest(digest: &Digest) -> Self {
        Self {
            text: digest.to_string(),
            tag: None,
            version: None,
            digest: digest.clone(),
        }
    }

    pub(crate) fn of_tag(tag: &str, digest: Digest) -> Self {
        Self {
            text: format!("{tag}@{digest}"),
            tag: Some(tag.to_owned()),
            version: tag.parse().ok(),
            digest,
        }
    }
}

impl Remote {
    pub(crate) fn refuse(&self, reason: impl Into<String>) -> Error {
        Error::InvalidReference {
            url: self.url.clone(),
            reason: reason.into(),
        }
    }
}
