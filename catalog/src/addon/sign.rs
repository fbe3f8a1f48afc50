//! `addon sign`: a version in a registry signed by a key, as cosign does.

use super::registry::{self, Progress, Registries, told};
use crate::{
    args::registry::{SignArgs, SignatureFormat},
    output::{self, Paint},
};
use api::Digest;
use serde::Serialize;
use transport::{
    cosign::{Format, PrivateKey},
    oci::{Artifacts, Remote},
};

/// What cosign 2 and cosign 3 verify. Where there is a bundle too, cosign 2 wants a trust root.
pub(super) const USUAL: &[Format] = &[Format::Tag];

/// What was signed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// `oci://host/path@sha256:…`.
    reference: String,
    digest: Digest,
    /// The tag by which it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    #[serde(flatten)]
    signed: Signed,
}

/// By whom, and how it is written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Signed {
    /// The key: the hash of its public key, as `verify` and AddonPolicy name it.
    signer: Digest,
    signatures: Vec<Signature>,
}

#[derive(Debug, Serialize)]
struct Signature {
    /// `tag` or `bundle`.
    format: &'static str,
    /// Whether it is new; else the same key had signed.
    new: bool,
}

/// Signs the version of the arguments.
///
/// # Errors
/// The work could not be done.
pub(super) fn sign(args: &SignArgs) -> anyhow::Result<Report> {
    let key = registry::private_key(&args.key)?;
    let registries = Registries::new(&args.registry)?;
    let remote = registries.remote(&args.version)?;
    let artifacts = Artifacts::new();
    let looking = Progress::doing(&format!("signing {}", args.version));
    let revision = registry::one(&artifacts, &remote, &args.version)?;
    let formats: &[Format] = match args.format {
        SignatureFormat::Tag => USUAL,
        SignatureFormat::Bundle => &[Format::Bundle],
        SignatureFormat::Both => &[Format::Tag, Format::Bundle],
    };
    let signed = write(&artifacts, &remote, &revision.digest, &key, formats)?;
    drop(looking);
    Ok(Report {
        reference: format!("{}@{}", args.version.url, revision.digest),
        digest: revision.digest,
        tag: revision.tag,
        signed,
    })
}

/// Writes the signatures.
///
/// # Errors
/// The registry fails.
pub(super) fn write(
    artifacts: &Artifacts,
    remote: &Remote,
    digest: &Digest,
    key: &PrivateKey,
    formats: &[Format],
) -> anyhow::Result<Signed> {
    let signed = artifacts.sign(remote, digest, key, formats).map_err(told)?;
    let signatures = signed.into_iter().map(|signed| Signature {
        format: name(signed.format),
        new: signed.new,
    });
    Ok(Signed {
        signer: key.id(),
        signatures: signatures.collect(),
    })
}

/// How a format is called.
pub(super) fn name(format: Format) -> &'static str {
    match format {
        Format::Tag => "tag",
        Format::Bundle => "bundle",
    }
}

impl Signed {
    /// The lines below what was signed.
    pub(super) fn text(&self) -> String {
        let how = |signature: &Signature| {
            let was = if signature.new { "" } else { ", as before" };
            format!("{}{was}", signature.format)
        };
        let how: Vec<String> = self.signatures.iter().map(how).collect();
        format!(
            "  signed {}\n         by {}\n",
            self.signer,
            how.join(" and ")
        )
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        let by = match &self.tag {
            Some(tag) => format!("  which the tag {tag} names now\n"),
            None => String::new(),
        };
        format!(
            "{}\n{by}{}",
            paint.bold(&self.reference),
            self.signed.text()
        )
    }
}
