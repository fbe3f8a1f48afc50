//! `addon copy`: versions with their signatures and all that points at them from one registry to
//! another, as into a network of its own.

use super::registry::{Progress, Registries, told};
use crate::{
    args::registry::CopyArgs,
    output::{self, Paint, Verdict, WIDTH, count, wrapped},
    table::hanging,
};
use anyhow::{Context as _, bail, ensure};
use api::Digest;
use indicatif::HumanBytes;
use serde::Serialize;
use transport::oci::{Artifacts, Error, Meter, Reference, Remote, Revision};

/// What was copied.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    from: String,
    to: String,
    versions: Vec<Version>,
}

/// What became of one version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    /// The tag, or the digest where one was asked for.
    version: String,
    digest: Digest,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Outcome {
    /// It is there.
    #[serde(rename_all = "camelCase")]
    Copied {
        /// Manifests, with signatures and what else points at it.
        manifests: usize,
        /// Blobs that were written, and that were there.
        blobs: usize,
        present: usize,
        bytes: u64,
    },
    /// Other content stands there under the tag.
    Refused {
        /// What is there.
        there: Digest,
        message: String,
    },
}

/// Copies what the arguments name.
///
/// # Errors
/// The work could not be done; what was copied before stays.
pub(super) fn copy(args: &CopyArgs) -> anyhow::Result<Report> {
    ensure!(
        args.to.is_repository(),
        "{}: every version keeps its tag and digest, so copy to {}",
        args.to,
        args.to.url
    );
    ensure!(
        args.versions.is_none() || args.from.is_repository(),
        "{} is one version already: leave out --versions",
        args.from
    );
    let registries = Registries::new(&args.registry)?;
    let insecure = args.registry.insecure;
    let mut from = registries.other(&args.from, insecure || args.from_insecure)?;
    let mut to = registries.remote(&args.to)?;
    to.insecure = insecure || args.to_insecure;
    from.reference = Reference {
        semver: args.versions.clone(),
        ..from.reference
    };
    let artifacts = Artifacts::new();
    let looking = Progress::doing(&format!("looking for versions of {}", args.from));
    let found = artifacts.resolve(&from).map_err(told)?;
    drop(looking);
    if found.is_empty() {
        bail!(
            "{}: there is no release; a pre-release is copied where --versions or a tag names it",
            args.from
        );
    }
    let mut versions = Vec::new();
    for (n, revision) in found.iter().enumerate() {
        let what = format!("copying {}/{} {}", n + 1, found.len(), name(revision));
        let progress = Progress::doing(&what);
        let outcome = one(&artifacts, &from, &to, revision, &progress.meter());
        versions.push(Version {
            version: name(revision),
            digest: revision.digest.clone(),
            outcome: outcome.with_context(|| {
                let (done, all) = (n, found.len());
                format!("{done} of {all} versions are there; run it again to go on")
            })?,
        });
    }
    Ok(Report {
        from: args.from.to_string(),
        to: args.to.url.clone(),
        versions,
    })
}

fn name(revision: &Revision) -> String {
    let tag = revision.tag.clone();
    tag.unwrap_or_else(|| revision.digest.to_string())
}

fn one(
    artifacts: &Artifacts,
    from: &Remote,
    to: &Remote,
    revision: &Revision,
    meter: &Meter,
) -> anyhow::Result<Outcome> {
    match artifacts.copy(from, to, revision, meter) {
        Ok(copied) => Ok(Outcome::Copied {
            manifests: copied.manifests,
            blobs: copied.blobs,
            present: copied.present,
            bytes: copied.bytes,
        }),
        Err(Error::Taken { tag, there, .. }) => Ok(Outcome::Refused {
            message: format!(
                "`{tag}` is there already with other content, and nothing of it was replaced"
            ),
            there,
        }),
        Err(error) => Err(told(error)),
    }
}

/// A line; on a terminal in lines of its width.
fn shown(line: &str, paint: Paint) -> String {
    let words = line.trim_start();
    let indent = &line[..line.len() - words.len()];
    match paint.on_terminal() {
        true => format!("{indent}{}", hanging(words, &format!("{indent}  "))),
        false => format!("{line}\n"),
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        let head = shown(&format!("{} to {}", self.from, self.to), paint);
        let mut text = head.replacen(&self.to, &paint.bold(&self.to), 1);
        for version in &self.versions {
            let name = &version.version;
            match &version.outcome {
                Outcome::Copied {
                    blobs: 0,
                    manifests,
                    ..
                } => {
                    let manifests = count(*manifests, "manifest");
                    let line = format!("  {name} there: {manifests}, no bytes");
                    text.push_str(&shown(&line, paint));
                }
                Outcome::Copied {
                    manifests,
                    blobs,
                    bytes,
                    ..
                } => {
                    let (manifests, blobs) = (count(*manifests, "manifest"), count(*blobs, "blob"));
                    let bytes = HumanBytes(*bytes);
                    let line = format!("  {name} copied: {manifests}, {blobs}, {bytes}");
                    let line = shown(&line, paint);
                    text.push_str(&line.replacen("copied:", &paint.green("copied:"), 1));
                }
                Outcome::Refused { there, message } => {
                    let refused = paint.red("refused");
                    text.push_str(&format!("  {name} {refused}\n  there  {there}\n"));
                    text.push_str(&format!("  here   {}\n", version.digest));
                    text.push_str(&format!("  {}", wrapped(message, WIDTH - 2, "  ")));
                }
            }
        }
        text
    }

    fn verdict(&self) -> Verdict {
        let refused = |version: &Version| matches!(version.outcome, Outcome::Refused { .. });
        match self.versions.iter().any(refused) {
            true => Verdict::Findings,
            false => Verdict::Clean,
        }
    }
}
