//! The files of one version, read from the objects that hold them and checked against the digest that
//! was published.
//!
//! In: a version of the catalog. Out: its [`Package`], README and parameters. Nothing is kept: whoever
//! asks twice keeps it.

use super::model::AddonVersion;
use crate::cluster::{Cluster, ClusterError};
use api::{
    Version,
    crd::addon::{ContentKind, ContentRef},
    names::ComponentName,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use package::{
    Evaluate, Finding, Manifest, Package, Parameters, Refusal, Tree, ValidateError,
    content::{Mismatch, files, verified},
    tree::MANIFEST_SECTION,
};
use std::collections::BTreeMap;

/// How many objects are read at once.
const READS: usize = 8;
/// The file that tells people what an addon is.
const README: &str = "README.md";

/// The files of one object, by name.
type Files = BTreeMap<String, Vec<u8>>;

/// Content cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    /// The cluster did not give it; it may be that this person may not see it.
    #[error("{}", of_cluster(.0))]
    Cluster(#[from] ClusterError),
    /// An object is not there.
    #[error(
        "ConfigMap `{name}` is not in the namespace {namespace}; if the platform is elsewhere, \
         --platform-namespace says where"
    )]
    Missing {
        /// The object.
        name: String,
        /// Where it should be.
        namespace: String,
    },
    /// The content is not what was published.
    #[error("{0}: do not use it, and tell whoever runs the platform")]
    Mismatch(#[from] Mismatch),
    /// The files make no tree.
    #[error("{}", lines(.0))]
    NoTree(Vec<Finding>),
    /// The manifest does not parse.
    #[error("{0}")]
    Unreadable(Box<Refusal>),
}

/// The whole package of `version`.
///
/// # Errors
/// It may not be seen, is not there, or is not what was published.
pub(crate) async fn package(
    cluster: &Cluster,
    version: &AddonVersion,
) -> Result<Package, ContentError> {
    let tree = tree(cluster, &version.content).await?;
    if let Some(named) = &version.digest {
        let what = || format!("the content of {} {}", version.plugin, version.version);
        Mismatch::check(what, tree.digest(), named)?;
    }
    parsed(tree)
}

/// The root of the package of `version` alone: manifest, README, icon. One object is read, and checked
/// where the version names its digest.
///
/// # Errors
/// As [`package`].
pub(crate) async fn root(
    cluster: &Cluster,
    version: &AddonVersion,
) -> Result<Package, ContentError> {
    let content = version.content.iter();
    let root: Vec<ContentRef> = content
        .filter(|reference| reference.section == MANIFEST_SECTION)
        .cloned()
        .collect();
    parsed(tree(cluster, &root).await?)
}

/// What the addon says of itself to people.
pub(crate) fn readme(package: &Package) -> Option<&str> {
    std::str::from_utf8(package.tree.get(README)?).ok()
}

/// The parameters of every component that has some, with what is in force where an App sets none. It
/// starts an evaluator, and takes a while: not for a thread that others wait for.
///
/// # Errors
/// The schema asks for values that have no default, or there is no verdict.
pub(crate) fn parameters(
    package: &Package,
    runtime: &Version,
    evaluator: &dyn Evaluate,
) -> Result<BTreeMap<ComponentName, Parameters>, ValidateError> {
    let Manifest { components, .. } = &package.manifest;
    let tuned = components.iter().filter(|(_, c)| !c.schema.is_empty());
    let none = serde_json::Map::new();
    tuned
        .map(|(name, _)| {
            let said = package::parameters(package, runtime, name, &none, evaluator)?;
            Ok((name.clone(), said))
        })
        .collect()
}

fn parsed(tree: Tree) -> Result<Package, ContentError> {
    package::load(tree).map_err(|refusal| ContentError::Unreadable(Box::new(refusal)))
}

async fn tree(cluster: &Cluster, content: &[ContentRef]) -> Result<Tree, ContentError> {
    let reads: Vec<_> = content.iter().map(|one| read(cluster, one)).collect();
    let sections: Vec<_> = stream::iter(reads).buffered(READS).try_collect().await?;
    Tree::from_sections(sections).map_err(ContentError::NoTree)
}

async fn read(cluster: &Cluster, reference: &ContentRef) -> Result<(String, Files), ContentError> {
    let ContentRef {
        section,
        kind: ContentKind::ConfigMap,
        name,
        ..
    } = reference;
    let api = Api::<ConfigMap>::namespaced(cluster.client.clone(), &cluster.platform);
    let object = api.get_opt(name).await.map_err(|e| cluster.error(e))?;
    let files = files(object.ok_or_else(|| ContentError::Missing {
        name: name.clone(),
        namespace: cluster.platform.clone(),
    })?);
    verified(reference, &files)?;
    Ok((section.clone(), files))
}

fn of_cluster(error: &ClusterError) -> String {
    match error.hidden() {
        Some(hidden) => hidden.to_string(),
        None => error.to_string(),
    }
}

fn lines(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    lines.join("; ")
}
