//! `addon push`: a checked version into an OCI registry, under its own tag, once and for all.

use super::{
    checked::{self, Checked, Invalid},
    lint, read,
    registry::{self, Progress, Registries, told},
    sign,
};
use crate::{
    args::registry::PushArgs,
    output::{self, Paint, Verdict, WIDTH, wrapped},
};
use anyhow::{bail, ensure};
use api::{Digest, Version, names::PluginName};
use package::archive::{self, UnpackError};
use serde::Serialize;
use std::path::Path;
use transport::oci::{Artifact, Artifacts, Error};

/// What is there now, or why nothing was sent.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Report {
    /// It is there.
    Pushed(Box<Pushed>),
    /// The addon is refused, and nothing was sent.
    Refused(lint::Addon),
    /// The version is there with other content, and nothing was sent.
    Taken(Taken),
}

/// A version in a registry.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pushed {
    /// `oci://host/path:1.2.0`.
    reference: String,
    plugin: PluginName,
    version: Version,
    /// Of the artifact: what to pull and to sign.
    digest: Digest,
    /// Of the addon, as the registry computes it.
    addon_digest: Digest,
    /// Whether it is new; else the same content was there already.
    new: bool,
    #[serde(flatten)]
    signed: Option<sign::Signed>,
}

/// A version that is there with other content.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Taken {
    reference: String,
    /// What is there.
    there: Digest,
    /// What was to be pushed.
    ours: Digest,
    message: String,
}

/// Pushes the addon of the arguments.
///
/// # Errors
/// The work could not be done.
pub(super) fn push(args: &PushArgs) -> anyhow::Result<Report> {
    let checking = Progress::doing("checking the addon");
    let checked = addon(&args.addon)?;
    drop(checking);
    let Ok(package) = &checked.verdict else {
        return Ok(Report::Refused(lint::Addon::of(&checked)));
    };
    let manifest = &package.manifest;
    let version = manifest.version.to_string();
    ensure!(
        args.to.digest.is_none() && args.to.tag.as_ref().is_none_or(|tag| *tag == version),
        "the tag is the addon's version, {version}: push to {}",
        args.to.url
    );
    let key = args
        .sign
        .as_deref()
        .map(registry::private_key)
        .transpose()?;
    let registries = Registries::new(&args.registry)?;
    let mut remote = registries.remote(&args.to)?;
    remote.reference = transport::oci::Reference::default();
    let artifacts = Artifacts::new();
    let artifact = Artifact {
        plugin: manifest.name.as_str(),
        version: &manifest.version,
        tree: &package.tree,
        referrers: !args.no_referrers,
    };
    let pushing = Progress::doing(&format!("pushing {} {version}", manifest.name));
    let pushed = match artifacts.push_metered(&remote, &artifact, &pushing.meter()) {
        Ok(pushed) => pushed,
        Err(Error::Taken {
            url,
            tag,
            there,
            ours,
        }) => return Ok(Report::Taken(Taken::new(&url, &tag, there, ours))),
        Err(error) => return Err(told(error)),
    };
    drop(pushing);
    let digest = pushed.revision.digest;
    let signed = match &key {
        Some(key) => Some(sign::write(&artifacts, &remote, &digest, key, sign::USUAL)?),
        None => None,
    };
    Ok(Report::Pushed(Box::new(Pushed {
        reference: format!("{}:{version}", args.to.url),
        plugin: manifest.name.clone(),
        version: manifest.version.clone(),
        digest,
        addon_digest: package.digest.clone(),
        new: pushed.new,
        signed,
    })))
}

/// The addon in a directory or an archive, with its verdict.
fn addon(path: &Path) -> anyhow::Result<Checked> {
    if path.is_dir() || !path.exists() {
        return checked::one(path);
    }
    let verdict = match archive::unpack(read::archive(path)?) {
        Ok(tree) => checked::judge(tree)?,
        Err(UnpackError::Refused(findings)) => Err(Invalid {
            plugin: None,
            version: None,
            findings,
        }),
        Err(UnpackError::Unreadable(error)) => {
            bail!("cannot read `{}`: {error}", path.display())
        }
    };
    Ok(Checked {
        directory: path.to_owned(),
        verdict,
    })
}

impl Taken {
    fn new(url: &str, tag: &str, there: Digest, ours: Digest) -> Self {
        Self {
            reference: format!("{url}:{tag}"),
            message: format!(
                "{tag} is published already with other content, and a version never changes: raise \
                 `version` in {}; `kubectl middleware addon diff {url}:{tag} DIR` shows what differs",
                package::manifest::FILE
            ),
            there,
            ours,
        }
    }

    fn text(&self, paint: Paint) -> String {
        let refused = paint.red("refused");
        format!(
            "{refused}  {}\n  there  {}\n  yours  {}\n{}",
            self.reference,
            self.there,
            self.ours,
            wrapped(&self.message, WIDTH, "")
        )
    }
}

impl Pushed {
    fn text(&self, paint: Paint) -> String {
        let state = match self.new {
            true => paint.green("pushed"),
            false => "already there, the same".to_owned(),
        };
        let mut text = format!(
            "{}\n  {} {}: {state}\n  digest {}\n  addon  {}\n",
            paint.bold(&self.reference),
            self.plugin,
            self.version,
            self.digest,
            self.addon_digest
        );
        if let Some(signed) = &self.signed {
            text.push_str(&signed.text());
        }
        text
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        match self {
            Self::Pushed(pushed) => pushed.text(paint),
            Self::Refused(addon) => addon.text(paint),
            Self::Taken(taken) => taken.text(paint),
        }
    }

    fn verdict(&self) -> Verdict {
        match self {
            Self::Pushed(_) => Verdict::Clean,
            Self::Refused(_) | Self::Taken(_) => Verdict::Findings,
        }
    }
}
