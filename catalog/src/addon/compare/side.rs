//! One side of a comparison: a directory, an archive, a version in a registry, or a directory at a
//! Git revision.

use super::super::{
    published, pull, read,
    registry::{self, OciReference, Registries},
};
use crate::args::registry::RegistryArgs;
use anyhow::{Context as _, anyhow, bail};
use package::{Package, archive};
use std::path::Path;
use transport::oci::{Artifacts, SCHEME};

/// The package that `text` names.
///
/// # Errors
/// It is not there, cannot be read, or is no addon.
pub(super) fn read(text: &str, args: &RegistryArgs) -> anyhow::Result<Package> {
    if text.starts_with(SCHEME) {
        return in_registry(text, args);
    }
    let path = Path::new(text);
    let tree = if path.is_dir() {
        read::tree(path)?.map_err(|findings| {
            let first = findings.first();
            let why = first.map(|finding| format!("{}: {}", finding.file, finding.message));
            anyhow!("`{text}` is refused: {}", why.unwrap_or_default())
        })?
    } else if path.is_file() {
        let tree = archive::unpack(read::archive(path)?);
        tree.with_context(|| format!("`{text}` is no archive of an addon"))?
    } else if let Some((revision, path)) = text.split_once(':') {
        published::tree(revision, path)?
    } else {
        bail!(
            "there is no `{text}`; want an addon's directory, an archive, `oci://HOST/PATH:TAG`, or \
             `REV:PATH` for a directory at a Git revision"
        );
    };
    let package = package::load(tree);
    package.with_context(|| format!("`{text}` is refused"))
}

fn in_registry(text: &str, args: &RegistryArgs) -> anyhow::Result<Package> {
    let reference = text.parse::<OciReference>();
    let reference = reference.map_err(|error| anyhow!("`{text}`: {error}"))?;
    let remote = Registries::new(args)?.remote(&reference)?;
    let artifacts = Artifacts::new();
    let revision = registry::one(&artifacts, &remote, &reference)?;
    let (_, package) = pull::fetched(&artifacts, &remote, &revision)?;
    Ok(package)
}
