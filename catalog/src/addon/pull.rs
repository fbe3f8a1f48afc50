//! `addon pull`: a version out of a registry into a directory or an archive, verified where asked.

use super::{
    registry::{self, Progress, Registries, told},
    verify::{self, Verified},
};
use crate::{
    args::registry::PullArgs,
    output::{self, Paint, Verdict, count},
};
use anyhow::{Context as _, bail, ensure};
use api::{Digest, Version, names::PluginName, provenance::Signer};
use package::{Package, archive};
use serde::Serialize;
use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};
use transport::oci::{Artifacts, Remote, Revision};

/// What was pulled, or why nothing was.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Report {
    /// It is there.
    Pulled(Box<Pulled>),
    /// It is not signed by whom one trusts, and nothing was written.
    Unverified(Box<Verified>),
}

/// A version on disk.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pulled {
    path: String,
    plugin: PluginName,
    version: Version,
    files: usize,
    /// Of the artifact.
    digest: Digest,
    /// Of the addon, as the registry computes it.
    addon_digest: Digest,
    /// Who signed it, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    signer: Option<Signer>,
}

/// Pulls the version of the arguments.
///
/// # Errors
/// The work could not be done.
pub(super) fn pull(args: &PullArgs) -> anyhow::Result<Report> {
    if let Some(to) = &args.to {
        free(to)?;
    }
    let trust = registry::trust(&args.trust)?;
    let registries = Registries::new(&args.registry)?;
    let remote = registries.remote(&args.from)?;
    let artifacts = Artifacts::new();
    let looking = Progress::doing(&format!("looking for {}", args.from));
    let revision = registry::one(&artifacts, &remote, &args.from)?;
    let signer = match &trust {
        None => None,
        Some(trust) => {
            let verdict = verify::one(&artifacts, &remote, &revision, trust)?;
            if !verdict.is_good() {
                return Ok(Report::Unverified(Box::new(verdict)));
            }
            verdict.signer().cloned()
        }
    };
    drop(looking);
    let (bytes, package) = fetched(&artifacts, &remote, &revision)?;
    let manifest = &package.manifest;
    ensure!(
        revision
            .version
            .as_ref()
            .is_none_or(|version| *version == manifest.version),
        "{}: its manifest says version {}; push it under that tag, or pull it by its digest",
        args.from,
        manifest.version
    );
    let own = || PathBuf::from(format!("{}-{}", manifest.name, manifest.version));
    let to = args.to.clone().unwrap_or_else(own);
    free(&to)?;
    match is_archive(&to) {
        true => whole(&to, |beside| fs::write(beside, &bytes))?,
        false => whole(&to, |beside| unpacked(beside, &package))?,
    }
    Ok(Report::Pulled(Box::new(Pulled {
        path: to.display().to_string(),
        plugin: manifest.name.clone(),
        version: manifest.version.clone(),
        files: package.tree.files().count(),
        digest: revision.digest,
        addon_digest: package.digest.clone(),
        signer,
    })))
}

/// The archive of a version, verified, and what it holds.
///
/// # Errors
/// The registry fails, or what it has is no addon.
pub(super) fn fetched(
    artifacts: &Artifacts,
    remote: &Remote,
    revision: &Revision,
) -> anyhow::Result<(Vec<u8>, Package)> {
    let manifest = artifacts.manifest(remote, &revision.digest).map_err(told)?;
    let total = manifest.layers.first().map_or(0, |layer| layer.size);
    let progress = Progress::bytes(&format!("pulling {}", short(revision)), total);
    let bytes = artifacts.pull(remote, &revision.digest, |reader| {
        let mut bytes = Vec::new();
        let mut limited = progress.of_reader(reader).take(archive::MAX_ARCHIVE_BYTES);
        limited.read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = bytes.map_err(told)?;
    let bytes = bytes.with_context(|| format!("{}: the answer broke off", remote.url))?;
    drop(progress);
    let named = || format!("{}@{}", remote.url, revision.digest);
    let tree = archive::unpack(bytes.as_slice());
    let tree = tree.with_context(|| format!("{} is no addon", named()))?;
    let package = package::load(tree);
    let package = package.with_context(|| format!("{} is refused", named()))?;
    Ok((bytes, package))
}

fn short(revision: &Revision) -> String {
    let digest = || format!("sha256:{}…", revision.digest.short(12));
    revision.tag.clone().unwrap_or_else(digest)
}

fn is_archive(path: &Path) -> bool {
    let name = path.to_string_lossy();
    name.ends_with(".tar.gz") || name.ends_with(".tgz")
}

/// Nothing is overwritten.
fn free(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    if fs::symlink_metadata(path).is_ok() {
        bail!("`{shown}` is there already, and nothing is overwritten: give another place with -o");
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        ensure!(
            folder.is_dir(),
            "there is no folder `{}` to write to",
            folder.display()
        );
    }
    Ok(())
}

/// What `write` writes, in one step: there is never half of it at `path`.
fn whole(path: &Path, write: impl FnOnce(&Path) -> std::io::Result<()>) -> anyhow::Result<()> {
    let shown = path.display();
    let name = path.file_name();
    let name = name.with_context(|| format!("`{shown}` is no name"))?;
    let beside = path.with_file_name(format!(".{}.part", name.to_string_lossy()));
    let clear = || {
        let _ = fs::remove_file(&beside);
        let _ = fs::remove_dir_all(&beside);
    };
    clear();
    let written = write(&beside).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        clear();
    }
    written.with_context(|| format!("cannot write `{shown}`"))
}

fn unpacked(directory: &Path, package: &Package) -> std::io::Result<()> {
    for (file, bytes) in package.tree.files() {
        let path = directory.join(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, bytes)?;
    }
    Ok(())
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        match self {
            Self::Unverified(verdict) => verdict.text(paint),
            Self::Pulled(pulled) => {
                let signer = match &pulled.signer {
                    Some(signer) => {
                        format!("  signer {}\n", output::one_line(&signer.to_string()))
                    }
                    None => String::new(),
                };
                format!(
                    "{}\n  {} {}, {}\n  digest {}\n  addon  {}\n{signer}",
                    paint.bold(&pulled.path),
                    pulled.plugin,
                    pulled.version,
                    count(pulled.files, "file"),
                    pulled.digest,
                    pulled.addon_digest
                )
            }
        }
    }

    fn verdict(&self) -> Verdict {
        match self {
            Self::Pulled(_) => Verdict::Clean,
            Self::Unverified(_) => Verdict::Findings,
        }
    }
}
