//! Content objects: created once, read back to compare with what a source offers now.

mod names;

pub use names::{Names, selector};

use api::crd::addon::{ContentKind, ContentRef};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, ResourceExt as _, api::PostParams};
use package::{Tree, content::files};
use std::collections::BTreeMap;

/// How many objects of one version are written or read at once.
const AT_ONCE: usize = 16;

/// Content could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// Somebody else's object has the name.
    #[error("ConfigMap `{name}` exists with other content; delete it, then this goes on by itself")]
    Taken {
        /// The object.
        name: String,
    },
    /// The API server did not take it.
    #[error("creating ConfigMap `{name}` failed: {source}")]
    Create {
        /// The object.
        name: String,
        /// What it said.
        source: Box<kube::Error>,
    },
    /// The API server could not be asked.
    #[error("reading ConfigMap `{name}` failed: {source}")]
    Read {
        /// The object.
        name: String,
        /// What it said.
        source: Box<kube::Error>,
    },
}

/// Creates those of `objects` that are not there, all at once; those that are must be equal. Those
/// that `known` has, because versions share them, are likely there: they are read first, which saves a
/// round trip, and where they are not, costs one.
///
/// # Errors
/// The first that failed; others may have been created, which does no harm.
pub async fn ensure(
    api: &Api<ConfigMap>,
    objects: &[ConfigMap],
    known: &Names,
) -> Result<(), ContentError> {
    let work = objects.iter().map(|object| async {
        let is_known = known.has(&object.name_any());
        if is_known && is_there(api, object).await? {
            return Ok(());
        }
        create(api, object).await
    });
    let work: Vec<_> = work.collect();
    stream::iter(work)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// Whether the object is there.
async fn is_there(api: &Api<ConfigMap>, object: &ConfigMap) -> Result<bool, ContentError> {
    let name = object.name_any();
    match api.get_opt(&name).await {
        Ok(Some(there)) if same(&there, object) => Ok(true),
        Ok(Some(_)) => Err(ContentError::Taken { name }),
        Ok(None) => Ok(false),
        Err(source) => Err(ContentError::Read {
            name,
            source: Box::new(source),
        }),
    }
}

async fn create(api: &Api<ConfigMap>, object: &ConfigMap) -> Result<(), ContentError> {
    let name = object.name_any();
    let params = PostParams {
        field_manager: Some(api::labels::manager::REGISTRY.to_owned()),
        ..PostParams::default()
    };
    match api.create(&params, object).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            match is_there(api, object).await? {
                true => Ok(()),
                // It went in between: tried again.
                false => Err(ContentError::Taken { name }),
            }
        }
        Err(source) => Err(ContentError::Create {
            name,
            source: Box::new(source),
        }),
    }
}

fn same(there: &ConfigMap, wanted: &ConfigMap) -> bool {
    let terminating = there.metadata.deletion_timestamp.is_some();
    !terminating && files(there.clone()) == files(wanted.clone())
}

/// The published tree that `content` names; `None` where an object of it is gone or it is no tree.
///
/// # Errors
/// The API server could not be asked.
pub async fn read(
    api: &Api<ConfigMap>,
    content: &[ContentRef],
) -> Result<Option<Tree>, ContentError> {
    let reads: Vec<_> = content
        .iter()
        .map(|reference| section(api, reference))
        .collect();
    let sections: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    let sections: Option<Vec<_>> = sections.into_iter().collect();
    Ok(sections.and_then(|sections| Tree::from_sections(sections).ok()))
}

type Section = (String, BTreeMap<String, Vec<u8>>);

async fn section(
    api: &Api<ConfigMap>,
    reference: &ContentRef,
) -> Result<Option<Section>, ContentError> {
    let ContentRef {
        section,
        kind,
        name,
        ..
    } = reference;
    let ContentKind::ConfigMap = kind;
    let object = api
        .get_opt(name)
        .await
        .map_err(|source| ContentError::Read {
            name: name.clone(),
            source: Box::new(source),
        })?;
    Ok(object.map(|object| (section.clone(), files(object))))
}
