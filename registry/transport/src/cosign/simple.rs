//! Simple signing, as cosign 2 writes it: a layer holds the payload, its annotation the signature
//! (cosign's specs/SIGNATURE_SPEC.md). Where no key but an identity signed, further annotations hold
//! the certificate and who saw it. Pure.

use super::{
    Reason, Trusted,
    certificate::{self, Signed},
    log::Entry,
};
use api::{Digest, provenance::Signer};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The type of the layers.
pub(crate) const LAYER_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The annotation with the signature.
pub(crate) const ANNOTATION: &str = "dev.cosignproject.cosign/signature";
/// Those with the certificate (PEM), an entry of a transparency log, and a timestamp (JSON).
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const ENTRY: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";
/// The largest payload; cosign's has 250 bytes, and annotations of people come on top.
pub(crate) const MAX_BYTES: u64 = 64 << 10;
/// What the payload says it is.
pub(super) const TYPE: &str = "cosign container image signature";

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: Digest,
}

/// A signature, as it was found.
#[derive(Debug)]
pub(crate) struct Simple {
    /// The layer's bytes.
    pub(crate) payload: Vec<u8>,
    /// The layer's annotations.
    pub(crate) annotations: BTreeMap<String, String>,
}

/// An answer of a timestamp authority, as cosign keeps it.
#[derive(Deserialize)]
struct Timestamp {
    #[serde(rename = "SignedRFC3161Timestamp")]
    response: String,
}

impl Simple {
    /// Who signed the payload, where it says `digest`. The signature is checked before anything is
    /// read.
    pub(crate) fn verify(&self, digest: &Digest, trusted: Trusted<'_>) -> Result<Signer, Reason> {
        let signature = self.annotations.get(ANNOTATION);
        let signature = signature
            .ok_or_else(|| unreadable(&format!("a layer has no annotation {ANNOTATION}")))?;
        let signature = STANDARD.decode(signature.trim());
        let signature = signature.map_err(|_| unreadable("its annotation is no base64"))?;
        let signer = match self.annotations.get(CERTIFICATE) {
            Some(pem) => self.by_certificate(pem, &signature, trusted)?,
            None => trusted
                .signer(&self.payload, &signature)
                .ok_or(Reason::WrongKey)?,
        };
        about(&self.payload, digest)?;
        Ok(signer)
    }

    fn by_certificate(
        &self,
        pem: &str,
        signature: &[u8],
        trusted: Trusted<'_>,
    ) -> Result<Signer, Reason> {
        // With a certificate beside it, it may still be that of a key that is trusted.
        if let Some(signer) = trusted.signer(&self.payload, signature) {
            return Ok(signer);
        }
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| unreadable("its certificate is no PEM"))?;
        let timestamp = self.annotations.get(TIMESTAMP).and_then(|json| {
            let timestamp: Timestamp = serde_json::from_str(json).ok()?;
            STANDARD.decode(timestamp.response).ok()
        });
        let entry = self.annotations.get(ENTRY);
        let signed = Signed {
            signature,
            message: &self.payload,
            payload: &self.payload,
            certificate: &certificate,
            timestamps: timestamp.into_iter().collect(),
            entries: entry
                .and_then(|json| Entry::of_annotation(json))
                .into_iter()
                .collect(),
        };
        certificate::signer(&signed, trusted)
    }
}

fn unreadable(reason: &str) -> Reason {
    Reason::Unreadable(reason.to_owned())
}

/// Whether the payload is about `digest`.
fn about(payload: &[u8], digest: &Digest) -> Result<(), Reason> {
    let payload: Payload = serde_json::from_slice(payload)
        .map_err(|_| unreadable("the payload is no simple signing payload"))?;
    let Critical { image, kind } = payload.critical;
    if kind != TYPE {
        return Err(unreadable("the payload is of another type"));
    }
    if &image.digest != digest {
        return Err(Reason::OtherDigest(image.digest));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosign::{Keys, keys::tests::Pair};

    fn verify(payload: &str, signature: &str, keys: &Keys) -> Result<(), Reason> {
        let digest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        let simple = Simple {
            payload: payload.as_bytes().to_vec(),
            annotations: [(ANNOTATION.to_owned(), signature.to_owned())].into(),
        };
        simple.verify(&digest, keys.into()).map(|_| ())
    }

    fn check(pair: &Pair, payload: &str, want: &Result<(), Reason>) {
        let signature = STANDARD.encode(pair.sign(payload.as_bytes()));
        let got = verify(payload, &signature, &pair.keys());
        assert_eq!(&got, want, "{payload}");
        let changed = payload.replace('{', "{ ");
        let got = verify(&changed, &signature, &pair.keys());
        assert_eq!(got, Err(Reason::WrongKey));
        let got = verify(payload, "?", &pair.keys());
        assert!(matches!(got, Err(Reason::Unreadable(_))));
    }

    fn payload(digest: &str, kind: &str) -> String {
        format!(
            r#"{{"critical":{{"identity":{{"docker-reference":""}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"{kind}"}},"optional":null}}"#
        )
    }

    #[test]
    fn everything_that_a_signed_payload_says_is_checked() {
        let pair = Pair::new();
        let (ours, other) = ("a".repeat(64), "b".repeat(64));
        let unreadable = |reason: &str| Err(Reason::Unreadable(reason.to_owned()));
        check(&pair, &payload(&format!("sha256:{ours}"), TYPE), &Ok(()));
        let signed: Digest = format!("sha256:{other}").parse().unwrap();
        check(
            &pair,
            &payload(signed.as_str(), TYPE),
            &Err(Reason::OtherDigest(signed.clone())),
        );
        check(
            &pair,
            &payload(&format!("sha256:{ours}"), "x"),
            &unreadable("the payload is of another type"),
        );
        let odd = "the payload is no simple signing payload";
        check(&pair, &payload("sha256:", TYPE), &unreadable(odd));
        check(&pair, "{}", &unreadable(odd));
        // Of two digests none is believed.
        let twice = payload(&format!("sha256:{ours}"), TYPE).replace(
            r#""image":{"#,
            &format!(r#""image":{{"docker-manifest-digest":"sha256:{other}","#),
        );
        check(&pair, &twice, &unreadable(odd));
    }
}
