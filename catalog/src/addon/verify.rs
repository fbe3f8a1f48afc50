//! `addon verify`: whether versions in a registry are signed by whom one trusts.

use super::{
    registry::{self, Progress, Registries, told},
    sign,
};
use crate::{
    args::registry::VerifyArgs,
    output::{self, Paint, Verdict, WIDTH, one_line, wrapped},
};
use anyhow::{Context as _, bail};
use api::{Digest, provenance::Signer};
use serde::Serialize;
use transport::{
    cosign::{Refusal, Trust},
    oci::{Artifacts, Remote, Revision},
};

/// The verdict on each version.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    versions: Vec<Verified>,
}

/// The verdict on one version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verified {
    /// `oci://host/path:1.2.0`, or with its digest.
    reference: String,
    digest: Digest,
    verified: bool,
    /// Who signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    signer: Option<Signer>,
    /// How it is written: `tag` or `bundle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    /// Why it does not count as signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Verifies what the arguments name.
///
/// # Errors
/// The work could not be done: it is not known whether they are signed.
pub(super) fn verify(args: &VerifyArgs) -> anyhow::Result<Report> {
    let trust = registry::trust(&args.trust)?.context("nobody is trusted")?;
    let registries = Registries::new(&args.registry)?;
    let remote = registries.remote(&args.version)?;
    let artifacts = Artifacts::new();
    let looking = Progress::doing(&format!("verifying {}", args.version));
    let found = match args.version.is_repository() {
        true => artifacts.resolve(&remote).map_err(told)?,
        false => vec![registry::one(&artifacts, &remote, &args.version)?],
    };
    if found.is_empty() {
        bail!("{}: there is no release to verify", args.version);
    }
    drop(looking);
    let progress = Progress::steps("", found.len());
    let mut versions = Vec::new();
    for revision in &found {
        progress.now(revision.text.clone());
        versions.push(one(&artifacts, &remote, revision, &trust)?);
        progress.step();
    }
    Ok(Report { versions })
}

/// The verdict on one version.
///
/// # Errors
/// It is not known whether it is signed.
pub(super) fn one(
    artifacts: &Artifacts,
    remote: &Remote,
    revision: &Revision,
    trust: &Trust,
) -> anyhow::Result<Verified> {
    let reference = match &revision.tag {
        Some(tag) => format!("{}:{tag}", remote.url),
        None => format!("{}@{}", remote.url, revision.digest),
    };
    let mut verdict = Verified {
        reference,
        digest: revision.digest.clone(),
        verified: false,
        signer: None,
        format: None,
        reason: None,
        message: None,
    };
    match artifacts.verify(remote, &revision.digest, trust) {
        Ok(verified) => {
            verdict.verified = true;
            verdict.signer = Some(verified.signer);
            verdict.format = Some(sign::name(verified.format));
        }
        Err(Refusal::Registry(error)) => {
            let error = told(error);
            return Err(error.context("whether it is signed cannot be told"));
        }
        Err(refusal) => {
            verdict.reason = Some(reason(&refusal));
            verdict.message = Some(refusal.to_string());
        }
    }
    Ok(verdict)
}

/// The refusal in one word, for programs.
fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Missing { .. } => "Missing",
        Refusal::WrongKey { .. } => "WrongKey",
        Refusal::WrongIdentity { .. } => "WrongIdentity",
        Refusal::Untrusted { .. } => "Untrusted",
        Refusal::Expired { .. } => "Expired",
        Refusal::Tampered { .. } => "Tampered",
        Refusal::OtherDigest { .. } => "OtherDigest",
        Refusal::Unreadable { .. } => "Unreadable",
        Refusal::Registry(_) => "Registry",
    }
}

impl Verified {
    /// Whether it is signed by somebody who is trusted.
    pub(super) fn is_good(&self) -> bool {
        self.verified
    }

    /// Who signed it.
    pub(super) fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    /// Everything about it, in lines of a terminal's width.
    pub(super) fn text(&self, paint: Paint) -> String {
        let mark = match self.verified {
            true => paint.green("verified"),
            false => paint.red("refused "),
        };
        let mut text = format!("{mark}  {}\n", self.reference);
        if let (Some(signer), Some(format)) = (&self.signer, self.format) {
            let signer = one_line(&signer.to_string());
            text.push_str(&format!("  digest {}\n  signer {signer}\n", self.digest));
            text.push_str(&format!("  format {format}\n"));
        }
        if let Some(message) = &self.message {
            text.push_str(&format!(
                "  {}",
                wrapped(&one_line(message), WIDTH - 2, "  ")
            ));
        }
        text
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        self.versions
            .iter()
            .map(|version| version.text(paint))
            .collect()
    }

    fn verdict(&self) -> Verdict {
        match self.versions.iter().all(Verified::is_good) {
            true => Verdict::Clean,
            false => Verdict::Findings,
        }
    }
}
