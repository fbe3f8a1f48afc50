//! What a reconcile of a source knows: a plain value, which golden tests write as YAML.

mod shared;

use api::{
    AddonSourceStatus, Digest, Range, Version,
    crd::{
        addon::AddonPhase,
        source::{Finding, SourceReason},
    },
    names::PluginName,
    provenance::{Provenance, Signer, VerifiedImage},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A source, what it offers, and what is published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Observed {
    /// The source's name.
    pub source: String,
    /// What it looks at, without a password.
    #[serde(default)]
    pub url: String,
    /// Its generation.
    #[serde(default)]
    pub generation: Option<i64>,
    /// The value of the reconcile-now annotation.
    #[serde(default)]
    pub requested: Option<String>,
    /// Whether it is to be left alone.
    #[serde(default)]
    pub suspended: bool,
    /// Whether it demands signatures.
    #[serde(default)]
    pub verifies: bool,
    /// How many of the newest versions of each addon are kept; all where absent.
    #[serde(default)]
    pub retention: Option<u32>,
    /// What was said of it last.
    #[serde(default)]
    pub status: AddonSourceStatus,
    /// What the last look found; none was taken where absent.
    #[serde(default, with = "shared::option")]
    pub look: Option<Arc<Look>>,
    /// By name, the MiddlewareAddons of the versions that it offers, and those that it made; where old
    /// versions may go, all of their plugins.
    #[serde(default)]
    pub addons: BTreeMap<String, Existing>,
    /// The MiddlewareAddons that it made and does not offer, and whose bytes another source offers.
    #[serde(default)]
    pub elsewhere: BTreeSet<String>,
    /// What was ever published of the plugins that it offers: plugin → version → digest.
    #[serde(default)]
    pub ledger: BTreeMap<PluginName, BTreeMap<String, Digest>>,
    /// For how many milliseconds its versions have been on their way.
    #[serde(default)]
    pub waiting_ms: u64,
    /// For how many milliseconds the operator has settled no version of any source.
    #[serde(default)]
    pub idle_ms: Option<u64>,
}

/// What a look at a source found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Look {
    /// A revision and the addons in it, by directory.
    Found {
        /// For example `main@sha1:…`.
        revision: String,
        /// What it offers.
        offers: Vec<Offer>,
    },
    /// The revision was found, and is not signed by whom it should be; nothing of it was read.
    Unverified {
        /// For example `main@sha1:…`.
        revision: String,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// The source could not be read.
    Failed {
        /// Whether only an edit of the source mends it.
        terminal: bool,
        /// What happened, where, and what to do.
        message: String,
    },
}

impl Look {
    /// The digest with which it offers the version whose object is `name`.
    pub(crate) fn offers(&self, name: &str) -> Option<&Digest> {
        let offers = match self {
            Self::Found { offers, .. } => offers.as_slice(),
            _ => &[],
        };
        offers.iter().find_map(|offer| match &offer.verdict {
            Verdict::Good {
                plugin,
                version,
                digest,
            } => (format!("{plugin}-{version}") == name).then_some(digest),
            _ => None,
        })
    }

    /// The reason that conditions give for a look that failed.
    pub(crate) fn failure(terminal: bool) -> SourceReason {
        if terminal {
            SourceReason::InvalidSpec
        } else {
            SourceReason::FetchFailed
        }
    }
}

/// An addon that a source offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Offer {
    /// Its directory; of an OCI repository the tag. A version that is not offered any more, and whose
    /// directory is not either, was removed; where another version stands in it, it was superseded.
    pub directory: String,
    /// By which its files are read again: the hash of its Git tree, the digest of its OCI manifest, the
    /// tree digest of a directory's state.
    #[serde(default)]
    pub tree: String,
    /// The revision in which it stands, where that is not the look's: an older commit, an OCI tag.
    #[serde(default)]
    pub revision: Option<String>,
    /// Who signed it, where that was demanded and verified.
    #[serde(default)]
    pub signer: Option<Signer>,
    /// The images that it names and whose signatures were verified.
    #[serde(default)]
    pub images: Vec<VerifiedImage>,
    /// What the checks said.
    pub verdict: Verdict,
}

/// What the checks said of an addon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// It may be published.
    #[serde(rename_all = "camelCase")]
    Good {
        /// The plugin.
        plugin: PluginName,
        /// The version.
        version: Version,
        /// The digest of its files.
        digest: Digest,
    },
    /// It may not.
    #[serde(rename_all = "camelCase")]
    Refused {
        /// The plugin, where the manifest says it.
        #[serde(default)]
        plugin: Option<PluginName>,
        /// The version, where the manifest says it.
        #[serde(default)]
        version: Option<Version>,
        /// What is wrong.
        findings: Vec<Finding>,
    },
    /// It, or an image that it names, is not signed by whom it should be, or not pinned.
    Unverified {
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// There is no verdict yet.
    NotJudged {
        /// Why.
        reason: String,
    },
}

/// A MiddlewareAddon that is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Existing {
    /// The plugin.
    pub plugin: PluginName,
    /// The version.
    pub version: Version,
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion.
    #[serde(default)]
    pub resource_version: Option<String>,
    /// The digest that it names or was found to have.
    #[serde(default)]
    pub digest: Option<Digest>,
    /// Where it stands; the operator has not seen it where absent.
    #[serde(default)]
    pub phase: Option<AddonPhase>,
    /// Who made it.
    pub owner: Owner,
    /// Whether it is being deleted.
    #[serde(default)]
    pub deleting: bool,
    /// What the operator says of it.
    #[serde(default)]
    pub message: String,
    /// Where it comes from, as the registry's key vouches for it.
    #[serde(default, with = "shared::option")]
    pub provenance: Option<Arc<Provenance>>,
    /// Why nothing new may pin it.
    #[serde(default)]
    pub withdrawn: Option<String>,
    /// How many Apps use it, where the operator said so.
    #[serde(default)]
    pub users: Option<u32>,
    /// The objects of its content that are not there.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Where an App may come from and go to, where that decides what is kept.
    #[serde(default)]
    pub ways: Option<Ways>,
}

/// Where an App may come from and go to, as the operator read it from the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ways {
    /// The versions of the middleware that it runs.
    pub runtimes: Vec<Version>,
    /// The addon versions that may move to it.
    #[serde(default)]
    pub upgrade_from: Vec<Range>,
    /// For a runtime version, the runtime versions that may move to it.
    #[serde(default)]
    pub migrate_from: BTreeMap<Version, Vec<Range>>,
}

/// Who made a MiddlewareAddon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Owner {
    /// This source.
    ThisSource,
    /// Another source that is there.
    Source(String),
    /// A source that is gone.
    SourceThatIsGone,
    /// A person.
    Hand,
}
