//! Signatures written as cosign writes them, without a transparency log: under the tag, which cosign 2
//! and 3 verify, or as a bundle that points at the artifact, which cosign 3 alone does: where cosign 2
//! finds one, it wants a trust root and looks at nothing else.

use super::{Format, PrivateKey, bundle, find, simple};
use crate::oci::{
    Action, Artifacts, Descriptor, EMPTY, EMPTY_TYPE, Error, MANIFEST_TYPE, Manifest, Remote,
    Session,
};
use api::Digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// The type of the configuration beside signatures under a tag.
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";

/// What signing did in one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Where the signature is.
    pub format: Format,
    /// Whether it is new; else the same key had signed.
    pub new: bool,
}

impl Artifacts {
    /// Signs the artifact `digest` with `key` in each of `formats`. What others signed stays.
    ///
    /// # Errors
    /// There is no such artifact, or the registry fails.
    pub fn sign(
        &self,
        remote: &Remote,
        digest: &Digest,
        key: &PrivateKey,
        formats: &[Format],
    ) -> Result<Vec<Signed>, Error> {
        let session = self.session(remote, Action::Push)?;
        let subject = session.manifest_of_digest(digest)?.descriptor();
        let sign = |format: &Format| {
            let new = match format {
                Format::Bundle => as_bundle(&session, &subject, key)?,
                Format::Tag => under_tag(&session, &subject.digest, key)?,
            };
            Ok(Signed {
                format: *format,
                new,
            })
        };
        formats.iter().map(sign).collect()
    }
}

fn signature(session: &Session<'_>, key: &PrivateKey, message: &[u8]) -> Result<String, Error> {
    let signature = key.sign(message).ok_or_else(|| Error::InvalidReference {
        url: session.url(),
        reason: "the key did not sign: the machine gives no randomness".to_owned(),
    })?;
    Ok(STANDARD.encode(signature))
}

/// Writes a bundle; whether it is new.
fn as_bundle(session: &Session<'_>, subject: &Descriptor, key: &PrivateKey) -> Result<bool, Error> {
    const CONTENT: (&str, &str) = ("dev.sigstore.bundle.content", "dsse-envelope");
    const PREDICATE: (&str, &str) = ("dev.sigstore.bundle.predicateType", bundle::PREDICATE_TYPE);
    let statement = json!({
        "_type": bundle::STATEMENT_TYPE,
        "subject": [{"digest": {"sha256": subject.digest.hex()}}],
        "predicateType": bundle::PREDICATE_TYPE,
        "predicate": {},
    });
    let payload = session.written(&statement)?;
    let message = bundle::pre_authentication_encoding(bundle::PAYLOAD_TYPE, &payload);
    let bundle = json!({
        "mediaType": bundle::TYPE,
        "verificationMaterial": {
            "publicKey": {"hint": STANDARD.encode(Sha256::digest(key.public_der()))},
        },
        "dsseEnvelope": {
            "payload": STANDARD.encode(&payload),
            "payloadType": bundle::PAYLOAD_TYPE,
            "signatures": [{"sig": signature(session, key, &message)?}],
        },
    });
    let bundle = session.written(&bundle)?;
    let mut manifest =
        Manifest::artifact(bundle::TYPE, vec![Descriptor::of(bundle::TYPE, &bundle)]);
    manifest.subject = Some(subject.clone());
    manifest.annotations = [CONTENT, PREDICATE]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let bytes = session.written(&manifest)?;
    let ours = Descriptor::of(MANIFEST_TYPE, &bytes).digest;
    let there = session.referrers(&subject.digest, Some(bundle::TYPE))?;
    if there.iter().any(|there| there.digest == ours) {
        return Ok(false);
    }
    session.put_blob(EMPTY_TYPE, EMPTY)?;
    session.put_blob(bundle::TYPE, &bundle)?;
    session.put_referrer(&subject.digest, MANIFEST_TYPE, &bytes)?;
    Ok(true)
}

/// Adds a signature to those under the tag; whether it is new.
fn under_tag(session: &Session<'_>, digest: &Digest, key: &PrivateKey) -> Result<bool, Error> {
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": session.image_name()},
            "image": {"docker-manifest-digest": digest},
            "type": simple::TYPE,
        },
        "optional": null,
    });
    let payload = session.written(&payload)?;
    let mut layer = Descriptor::of(simple::LAYER_TYPE, &payload);
    let signature = signature(session, key, &payload)?;
    layer
        .annotations
        .insert(simple::ANNOTATION.to_owned(), signature);

    let tag = find::tag(digest);
    let mut manifest = match session.manifest_of_tag(&tag) {
        Ok(fetched) => session.as_manifest(&fetched)?,
        Err(error) if error.is_absence() => {
            let mut manifest = Manifest::artifact("", Vec::new());
            manifest.artifact_type = None;
            manifest
        }
        Err(error) => return Err(error),
    };
    if manifest.layers.contains(&layer) {
        return Ok(false);
    }
    manifest.layers.push(layer);
    session.put_blob(simple::LAYER_TYPE, &payload)?;
    let config = session.written(&configuration(&manifest.layers))?;
    manifest.config = session.put_blob(CONFIG_TYPE, &config)?;
    let bytes = session.written(&manifest)?;
    session.put_manifest(&tag, MANIFEST_TYPE, &bytes)?;
    Ok(true)
}

/// The configuration of an image with these layers, as cosign writes it.
fn configuration(layers: &[Descriptor]) -> serde_json::Value {
    const LONG_AGO: &str = "0001-01-01T00:00:00Z";
    let created = json!({"created": LONG_AGO});
    let digests: Vec<&Digest> = layers.iter().map(|layer| &layer.digest).collect();
    json!({
        "architecture": "",
        "created": LONG_AGO,
        "history": vec![created; layers.len()],
        "os": "",
        "rootfs": {"type": "layers", "diff_ids": digests},
        "config": {},
    })
}
