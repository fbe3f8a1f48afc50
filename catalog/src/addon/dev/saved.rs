//! A state of the addon as it was saved, and what it is as a pre-release.

use super::voice::{Tone, Voice};
use crate::addon::{checked, lint};
use anyhow::{Context as _, anyhow, bail};
use api::Version;
use package::{
    Package, Tree,
    graph::{Dev, with_version},
    manifest,
};
use std::path::Path;

/// A state that passes the checks, under the version that its manifest names.
pub(super) struct Saved {
    /// The package as it lies there.
    pub(super) package: Package,
}

/// A state as a pre-release.
pub(super) struct State {
    /// `<version>-dev.<n>`
    pub(super) version: Version,
    /// Its files: those that were saved, but for the version in the manifest.
    pub(super) tree: Tree,
}

impl Saved {
    /// What lies in `dir` now; nothing where the checks refuse it, and it says why.
    ///
    /// # Errors
    /// The disk does not give it, or there is no verdict.
    pub(super) async fn read(dir: &Path, voice: &Voice) -> anyhow::Result<Option<Self>> {
        let path = dir.to_owned();
        let checked = tokio::task::spawn_blocking(move || checked::one(&path)).await??;
        if checked.verdict.is_err() {
            voice.raw(&lint::Addon::of(&checked).text(voice.paint()));
            let number = crate::output::count(checked.located().len(), "finding");
            voice.say(
                Tone::Bad,
                &format!("refused with {number}; nothing is published"),
            );
            return Ok(None);
        }
        let package = checked
            .verdict
            .map_err(|_| anyhow!("a verdict that changed"))?;
        let version = &package.manifest.version;
        if Dev::of(version).is_some() {
            bail!(
                "{}: version `{version}` is what a saved state is called; write the version itself, \
                 without `-dev.<n>`",
                dir.join(manifest::FILE).display()
            );
        }
        voice.say(Tone::Plain, "the checks pass");
        Ok(Some(Self { package }))
    }

    /// The version that the manifest names.
    pub(super) fn base(&self) -> &Version {
        &self.package.manifest.version
    }

    /// The state under the number `n`.
    ///
    /// # Errors
    /// The version cannot be written so.
    pub(super) fn numbered(&self, n: u64) -> anyhow::Result<State> {
        let base = self.base().clone();
        let version = Dev { base, n }.version();
        let version = version.with_context(|| format!("{}-dev.{n} is too long", self.base()))?;
        let tree = &self.package.tree;
        let text = tree.get(manifest::FILE).unwrap_or_default();
        let text =
            with_version(std::str::from_utf8(text)?, &version).map_err(|f| anyhow!("{f}"))?;
        let files = tree.files().map(|(path, bytes)| match path {
            manifest::FILE => (path.to_owned(), text.clone().into_bytes()),
            path => (path.to_owned(), bytes.to_vec()),
        });
        let tree = Tree::from_files(files.collect::<Vec<_>>()).map_err(|findings| {
            anyhow!(
                "{}",
                findings
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("; ")
            )
        })?;
        Ok(State { version, tree })
    }
}
