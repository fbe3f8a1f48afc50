//! AddonPolicy: what a version must show to be published and to be pinned anew.
//!
//! In: the policies as they stand in the cluster, and what is known of a version. Out: nothing, or a
//! [`Refusal`] that names each policy, what it demands, what was found, and what to do. It fails closed:
//! a policy that this release cannot read refuses all that it may be about, and where the policies cannot
//! be listed there is no verdict. What runs is never judged.

mod demands;
mod read;
mod url;

pub use read::{Policy, RawPolicy, Reach};

use crate::{
    asked::Asked,
    error::{self, Consequence},
    provenance::Origin,
};
use api::{Digest, Version, names::PluginName};
use kube::{Api, Client, api::ListParams};
use package::Manifest;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, sync::Arc};

/// What is known of a version that is to be published or pinned.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The plugin.
    pub plugin: PluginName,
    /// The version.
    pub version: Version,
    /// The digest of its content.
    pub digest: Digest,
    /// Where it comes from.
    pub origin: Origin,
    /// The images that its manifest names.
    #[serde(default)]
    pub images: Vec<String>,
}

impl Subject {
    /// The version that `manifest` declares.
    pub fn new(manifest: &Manifest, digest: &Digest, origin: Origin) -> Self {
        Self {
            plugin: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: digest.clone(),
            origin,
            images: images(manifest),
        }
    }
}

/// One thing that a policy demands and a version does not show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Objection {
    /// The policy.
    pub policy: String,
    /// What it demands.
    pub demands: String,
    /// What was found instead.
    pub found: String,
    /// What to do about it.
    pub remedy: String,
    /// Whether an exception in the policy would count.
    pub takes_exceptions: bool,
}

/// A version does not keep to the policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Refusal {
    /// The plugin.
    pub plugin: PluginName,
    /// The version.
    pub version: Version,
    /// The digest, as an exception names it.
    pub digest: Digest,
    /// All that is missing, by policy.
    pub objections: Vec<Objection>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Objection {
            policy,
            demands,
            found,
            remedy,
            takes_exceptions: _,
        } in &self.objections
        {
            let (plugin, version) = (&self.plugin, &self.version);
            writeln!(
                f,
                "AddonPolicy `{policy}` demands {demands}; {plugin} {version} {found}: {remedy}"
            )?;
        }
        let policies = self.objections.iter().filter(|o| o.takes_exceptions);
        let policies: BTreeSet<String> = policies.map(|o| format!("`{}`", o.policy)).collect();
        if policies.is_empty() {
            return write!(f, "What runs by this version is left alone");
        }
        write!(
            f,
            "To let just this version through all the same, add {{plugin: {}, digest: \"{}\"}} to \
             spec.exceptions of {}",
            self.plugin,
            self.digest,
            policies.into_iter().collect::<Vec<_>>().join(", ")
        )
    }
}

/// Whether `subject` keeps to all of `policies`.
///
/// # Errors
/// Everything that it does not keep to.
pub fn judge(policies: &[Policy], subject: &Subject) -> Result<(), Refusal> {
    let objections: Vec<Objection> = policies
        .iter()
        .flat_map(|policy| demands::objections(policy, subject))
        .collect();
    if objections.is_empty() {
        return Ok(());
    }
    Err(Refusal {
        plugin: subject.plugin.clone(),
        version: subject.version.clone(),
        digest: subject.digest.clone(),
        objections,
    })
}

/// The policies could not be listed.
#[derive(Debug, thiserror::Error)]
#[error("listing the AddonPolicies failed: {0}")]
pub struct ListError(#[source] Box<kube::Error>);

impl ListError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        error::of_kube(&self.0)
    }
}

/// The policies of the cluster. They are asked of the API server, not of a cache: a policy that was made
/// before a version holds for that version, and who is woken by a policy sees it. With several API servers
/// the cache of one may come after the watch of another, so that theirs would not do either.
pub struct Policies {
    api: Api<RawPolicy>,
    listed: Asked<Arc<[Policy]>>,
}

impl Policies {
    /// Nothing was asked yet.
    pub fn new(client: Client) -> Self {
        Self {
            api: Api::all(client),
            listed: Asked::default(),
        }
    }

    /// The policies as they are now, by name.
    ///
    /// # Errors
    /// They could not be listed: there is no verdict.
    pub async fn now(&self) -> Result<Arc<[Policy]>, ListError> {
        let list = async || {
            let listed = self.api.list(&ListParams::default()).await;
            let mut raw = listed.map_err(|error| ListError(Box::new(error)))?.items;
            raw.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
            Ok(raw.iter().map(Policy::read).collect())
        };
        self.listed.now(list).await
    }
}

/// Every image that a manifest names, each once.
fn images(manifest: &Manifest) -> Vec<String> {
    let of_runtimes = manifest
        .runtimes
        .iter()
        .flat_map(|runtime| std::iter::once(&runtime.image).chain(runtime.images.values()));
    let images: BTreeSet<&String> = of_runtimes.collect();
    images.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests;
