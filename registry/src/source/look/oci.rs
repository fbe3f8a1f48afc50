//! What an OCI repository offers: its tags and their digests, by HEAD where nothing is new. The manifest
//! and the layer of a digest are fetched once.

use super::{Item, Listing, Looking, Place, Stopped, blocking, secrets, trust::Trust};
use api::crd::source::OciSource;
use transport::oci::{Reference, Remote, Revision};

/// What the repository `oci` offers, and who must have signed it.
pub(super) async fn list(
    looking: &Looking<'_>,
    oci: &OciSource,
) -> Result<(Place, Listing, Option<Trust>), Stopped> {
    let context = looking.context;
    let trust = match &oci.verify {
        None => None,
        Some(verify) => Some(Trust::of(looking, verify, "oci.verify").await?),
    };
    let remote = Remote {
        url: oci.url.clone(),
        insecure: oci.insecure,
        reference: Reference {
            digest: oci.reference.digest.clone(),
            semver: oci.reference.semver.clone(),
            filter: oci.reference.semver_filter.clone(),
            tag: oci.reference.tag.clone(),
        },
        credentials: secrets::oci(context, oci).await?,
        timeout: looking.timeout,
    };
    let (stores, asked) = (context.stores.clone(), remote.clone());
    let resolve = move || stores.artifacts.resolve(&asked);
    let found = blocking(context, resolve).await?;
    let found = found.map_err(super::Failure::from)?;
    let listing = Listing {
        revision: newest(&found),
        signer: None,
        items: found.into_iter().map(item).collect(),
        history: false,
    };
    Ok((Place::Oci(remote), listing, trust))
}

/// The revision of the newest version; of several tags that are none, the last.
fn newest(found: &[Revision]) -> String {
    let newest = found
        .iter()
        .max_by_key(|revision| revision.version.as_ref());
    newest
        .map(|revision| revision.text.clone())
        .unwrap_or_default()
}

fn item(revision: Revision) -> Item {
    Item {
        directory: revision.tag.unwrap_or_else(|| revision.text.clone()),
        tree: revision.digest.to_string(),
        revision: Some(revision.text),
        ..Item::default()
    }
}
