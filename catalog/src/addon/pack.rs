//! `addon package`: a valid addon in one file.

use super::{checked, lint};
use crate::{
    args::PackageArgs,
    output::{self, Paint, Verdict},
};
use anyhow::{Context as _, bail};
use api::Digest;
use package::{Package, archive};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What was written, or why nothing was.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Report {
    /// The archive is there.
    Written(Written),
    /// The addon is refused, and there is no archive of such.
    Refused(lint::Addon),
}

/// An archive.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    path: String,
    size: usize,
    plugin: String,
    version: String,
    /// Of the addon, as the registry computes it.
    digest: Digest,
    /// Of the archive's bytes.
    archive_digest: Digest,
}

/// Writes the archive, in one step: there is never half of one.
///
/// # Errors
/// The work could not be done.
pub(super) fn pack(args: &PackageArgs) -> anyhow::Result<Report> {
    let checked = checked::one(&args.dir)?;
    let Ok(package) = &checked.verdict else {
        return Ok(Report::Refused(lint::Addon::of(&checked)));
    };
    let bytes = archive::pack(&package.tree, Vec::new())?;
    let path = args.archive.clone().unwrap_or_else(|| file_name(package));
    write(&path, &bytes)?;
    Ok(Report::Written(Written {
        path: path.display().to_string(),
        size: bytes.len(),
        plugin: package.manifest.name.to_string(),
        version: package.manifest.version.to_string(),
        digest: package.digest.clone(),
        archive_digest: Digest::sha256(Sha256::digest(&bytes).into()),
    }))
}

fn file_name(package: &Package) -> PathBuf {
    let manifest = &package.manifest;
    format!("{}-{}.tar.gz", manifest.name, manifest.version).into()
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let name = path.file_name();
    let name = name.with_context(|| format!("`{}` is no file name", path.display()))?;
    let beside = path.with_file_name(format!(".{}.part", name.to_string_lossy()));
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let (Err(_), Some(folder)) = (&written, folder)
        && !folder.exists()
    {
        bail!("there is no folder `{}` to write to", folder.display());
    }
    written.with_context(|| format!("cannot write `{}`", path.display()))
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        match self {
            Self::Refused(addon) => addon.text(paint),
            Self::Written(written) => format!(
                "{}\n  {} {}, {} bytes\n  addon    {}\n  archive  {}\n",
                paint.bold(&written.path),
                written.plugin,
                written.version,
                written.size,
                written.digest,
                written.archive_digest
            ),
        }
    }

    fn verdict(&self) -> Verdict {
        match self {
            Self::Written(_) => Verdict::Clean,
            Self::Refused(_) => Verdict::Findings,
        }
    }
}
