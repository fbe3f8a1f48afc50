//! Validation at the door: a tree becomes a [`Package`], or every fault in it is said.
//!
//! In: a [`Tree`] and an evaluator. Out: the package, or a [`Refusal`] with file, line and column of
//! each finding. The verdict depends on the bytes alone.

mod words;

pub(crate) use words::{did_you_mean, listed};

use crate::{Evaluate, Finding, Manifest, Tree, manifest};
use api::{Digest, Version, names::PluginName};

/// A checked addon.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// What it declares.
    pub manifest: Manifest,
    /// Its files.
    pub tree: Tree,
    /// The digest of its files.
    pub digest: Digest,
}

/// A tree is no package, or that is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The checks refuse it.
    #[error("{}", words::lines(.findings))]
    Invalid {
        /// The plugin's name, where the manifest says it.
        plugin: Option<PluginName>,
        /// The version, where the manifest says it.
        version: Option<Version>,
        /// All that is wrong, sorted by place.
        findings: Vec<Finding>,
    },
    /// A newer platform is needed.
    #[error(
        "{plugin} {version} needs platform {needs} or newer, and this is {}; upgrade the platform",
        api::PLATFORM_VERSION
    )]
    PlatformTooOld {
        /// The plugin's name.
        plugin: PluginName,
        /// The version.
        version: Version,
        /// The oldest platform that it runs on, `MAJOR.MINOR`.
        needs: String,
    },
    /// There is no verdict; ask again later.
    #[error("not judged: {reason}")]
    NotJudged {
        /// Why.
        reason: String,
    },
}

/// The package that `tree` is, after every check.
///
/// # Errors
/// [`Refusal::NotJudged`] only where `evaluate` gave no verdict.
pub fn check(tree: Tree, evaluate: &dyn Evaluate) -> Result<Package, Refusal> {
    let _ = evaluate;
    load(tree)
}

/// The package that `tree` is, parsed only: for what is published already, and is never judged
/// again.
///
/// # Errors
/// The manifest does not parse.
pub fn load(tree: Tree) -> Result<Package, Refusal> {
    let digest = tree.digest();
    let text = tree.get(manifest::FILE).unwrap_or_default();
    let manifest = serde_saphyr::from_slice(text).map_err(|error| Refusal::Invalid {
        plugin: None,
        version: None,
        findings: vec![Finding {
            file: manifest::FILE.to_owned(),
            line: None,
            column: None,
            message: error.to_string(),
        }],
    })?;
    Ok(Package {
        manifest,
        tree,
        digest,
    })
}
