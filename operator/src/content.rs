//! Packages by digest: read on demand from the content objects that a MiddlewareAddon names, verified
//! at every read, and kept while there is room.

mod lru;
mod recent;

pub use recent::Recent;

use crate::error::{self, Consequence, is_not_found};
use api::{
    Digest, MiddlewareAddonSpec,
    crd::addon::{ContentKind, ContentRef},
};
use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client, api::GetParams};
use lru::Lru;
use package::{
    Finding, Package, Refusal, Tree,
    content::{Mismatch, files, verified},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The most bytes of files that are kept: some hundred usual addons.
const CAPACITY: usize = 8 << 20;
/// How many objects of one version are read at once.
const READS: usize = 16;

/// The files of one object, by name.
type Files = BTreeMap<String, Vec<u8>>;

/// Content could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// Objects are not there (yet).
    #[error("content is missing: {}", .objects.join(", "))]
    Missing {
        /// Their kinds and names.
        objects: Vec<String>,
    },
    /// The API server could not be asked.
    #[error("reading ConfigMap `{name}` failed: {source}")]
    Read {
        /// The object.
        name: String,
        /// What it said.
        source: Box<kube::Error>,
    },
    /// The content is not what was named.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// The files make no tree.
    #[error("{}", lines(.0))]
    NoTree(Vec<Finding>),
    /// The manifest does not parse.
    #[error(transparent)]
    Unreadable(Box<Refusal>),
}

impl ContentError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Read { source, .. } => error::of_kube(source),
            _ => Consequence::Retry,
        }
    }
}

/// One finding a line, as compilers print them; the first 20.
pub fn lines(findings: &[Finding]) -> String {
    const SHOWN: usize = 20;
    let mut lines: Vec<String> = findings
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    if findings.len() > SHOWN {
        lines.push(format!("and {} more", findings.len() - SHOWN));
    }
    lines.join("\n")
}

/// The packages that were read lately.
pub struct Cache {
    objects: Api<ConfigMap>,
    /// What the watch brought lately.
    recent: Recent,
    held: Mutex<Lru<Digest, Arc<Package>>>,
}

impl Cache {
    /// An empty cache over the content in `namespace`.
    pub fn new(client: Client, namespace: &str, recent: Recent) -> Self {
        Self {
            recent,
            objects: Api::namespaced(client, namespace),
            held: Mutex::new(Lru::new(CAPACITY)),
        }
    }

    /// The files that `content` names, each object checked against the digest that is named for it.
    ///
    /// # Errors
    /// [`ContentError::Missing`] names every object that is not there.
    pub async fn tree(&self, content: &[ContentRef]) -> Result<Tree, ContentError> {
        let reads: Vec<_> = content
            .iter()
            .map(|reference| self.read(reference))
            .collect();
        let reads: Vec<_> = stream::iter(reads).buffered(READS).collect().await;
        let (mut sections, mut missing) = (Vec::new(), Vec::new());
        for (reference, read) in content.iter().zip(reads) {
            match read? {
                Some(files) => sections.push((reference.section.clone(), files)),
                None => missing.push(format!("ConfigMap `{}`", reference.name)),
            }
        }
        if !missing.is_empty() {
            return Err(ContentError::Missing { objects: missing });
        }
        Tree::from_sections(sections).map_err(ContentError::NoTree)
    }

    /// The files of one object. Those whose digest is named are taken as the watch brought them lately, or
    /// as the API server's cache has them, which costs etcd nothing; others, and where that is not what is
    /// meant, as they are now.
    async fn read(&self, reference: &ContentRef) -> Result<Option<Files>, ContentError> {
        let now = GetParams::default();
        if reference.digest.is_none() {
            return self.read_at(reference, &now).await;
        }
        if let Some(files) = self.recent.get(&reference.name)
            && verified(reference, &files).is_ok()
        {
            return Ok(Some(Arc::unwrap_or_clone(files)));
        }
        match self.read_at(reference, &GetParams::any()).await {
            Ok(None) | Err(ContentError::Mismatch(_)) => self.read_at(reference, &now).await,
            read => read,
        }
    }

    async fn read_at(
        &self,
        reference: &ContentRef,
        at: &GetParams,
    ) -> Result<Option<Files>, ContentError> {
        let ContentRef { kind, name, .. } = reference;
        let ContentKind::ConfigMap = kind;
        let files = match self.objects.get_with(name, at).await {
            Ok(object) => files(object),
            Err(error) if is_not_found(&error) => return Ok(None),
            Err(error) => {
                return Err(ContentError::Read {
                    name: name.clone(),
                    source: Box::new(error),
                });
            }
        };
        verified(reference, &files)?;
        Ok(Some(files))
    }

    /// The package of the published version `addon`, whose digest is `digest`: from the cache, or
    /// read, verified and parsed, and not judged again.
    ///
    /// # Errors
    /// The content is missing, is other content, or does not parse.
    pub async fn package(
        &self,
        addon: &MiddlewareAddonSpec,
        digest: &Digest,
    ) -> Result<Arc<Package>, ContentError> {
        if let Some(package) = self.held(digest) {
            return Ok(package);
        }
        let tree = self.tree(&addon.content).await?;
        let what = || format!("the content of {} {}", addon.plugin, addon.version);
        Mismatch::check(what, tree.digest(), digest)?;
        let package = package::load(tree).map_err(|e| ContentError::Unreadable(Box::new(e)))?;
        Ok(self.keep(package))
    }

    /// The package of that digest, where it was read lately.
    pub fn held(&self, digest: &Digest) -> Option<Arc<Package>> {
        self.held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(digest)
    }

    /// Keeps a package that was just read.
    pub fn keep(&self, package: Package) -> Arc<Package> {
        let package = Arc::new(package);
        let bytes = package.tree.files();
        let bytes = bytes.map(|(path, bytes)| path.len() + bytes.len()).sum();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(package.digest.clone(), package.clone(), bytes);
        package
    }
}
