//! Bundles, as cosign 3 writes them: an in-toto statement in a DSSE envelope (sigstore's
//! protobuf-specs, `sigstore_bundle.proto` 0.3; DSSE 1.0.2; in-toto attestation 1.0). Pure.

use super::{
    Reason, Trusted,
    certificate::{self, Signed},
};
use crate::oci::shown;
use api::{Digest, provenance::Signer};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The artifact type, and the type of the layer.
pub(crate) const TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The largest bundle; cosign's has 1 to 10 KiB.
pub(crate) const MAX_BYTES: u64 = 1 << 20;
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
pub(super) const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// What a statement is about that says «I signed this», and nothing more.
pub(super) const PREDICATE_TYPE: &str = "https://sigstore.dev/cosign/sign/v1";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    #[serde(default)]
    verification_material: Material,
    dsse_envelope: Option<Envelope>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Option<Hint>,
    certificate: Option<Raw>,
    x509_certificate_chain: Option<Chain>,
    /// Read where a certificate signed.
    #[serde(default)]
    tlog_entries: Vec<Value>,
    timestamp_verification_data: Option<Timestamps>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    raw_bytes: String,
}

#[derive(Deserialize)]
struct Chain {
    #[serde(default)]
    certificates: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timestamps {
    #[serde(default)]
    rfc3161_timestamps: Vec<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timestamp {
    signed_timestamp: String,
}

impl Material {
    /// The certificate that signed: of a chain the first.
    fn certificate(&self) -> Option<&str> {
        let chain = self.x509_certificate_chain.as_ref();
        let first = chain.and_then(|chain| chain.certificates.first());
        let raw = self.certificate.as_ref().or(first)?;
        Some(&raw.raw_bytes)
    }
}

#[derive(Deserialize)]
struct Hint {
    #[serde(default)]
    hint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

/// Who signed `bundle`, where its statement is about `digest`. The signature is checked before the
/// payload is read.
pub(crate) fn verify(
    bundle: &[u8],
    digest: &Digest,
    trusted: Trusted<'_>,
) -> Result<Signer, Reason> {
    let bundle: Bundle = serde_json::from_slice(bundle)
        .map_err(|_| Reason::Unreadable("it is no bundle".to_owned()))?;
    if bundle.media_type != TYPE {
        let kind = shown(&bundle.media_type);
        return Err(unreadable(format!("it is `{kind}`, not `{TYPE}`")));
    }
    let Some(envelope) = bundle.dsse_envelope else {
        return Err(unreadable("it has no DSSE envelope"));
    };
    let (signer, payload) = opened(&envelope, &bundle.verification_material, trusted)?;
    about(&payload, digest)?;
    Ok(signer)
}

/// Who signed a bundle, of whatever version and about whatever it is.
#[cfg(test)]
pub(super) fn signer(bundle: &[u8], trusted: Trusted<'_>) -> Result<Signer, Reason> {
    let bundle: Bundle = serde_json::from_slice(bundle).unwrap();
    let envelope = bundle.dsse_envelope.unwrap();
    opened(&envelope, &bundle.verification_material, trusted).map(|(signer, _)| signer)
}

fn unreadable(reason: impl Into<String>) -> Reason {
    Reason::Unreadable(reason.into())
}

/// The payload, and who signed it.
fn opened(
    envelope: &Envelope,
    material: &Material,
    trusted: Trusted<'_>,
) -> Result<(Signer, Vec<u8>), Reason> {
    if envelope.payload_type != PAYLOAD_TYPE {
        let kind = shown(&envelope.payload_type);
        return Err(unreadable(format!(
            "its payload is `{kind}`, not `{PAYLOAD_TYPE}`"
        )));
    }
    let [signature] = envelope.signatures.as_slice() else {
        let n = envelope.signatures.len();
        return Err(unreadable(format!("it has {n} signatures, not one")));
    };
    let decoded = |text: &str| STANDARD.decode(text).ok();
    let (Some(payload), Some(signature)) = (decoded(&envelope.payload), decoded(&signature.sig))
    else {
        return Err(unreadable("its payload or its signature is no base64"));
    };
    let message = pre_authentication_encoding(&envelope.payload_type, &payload);
    if let Some(signer) = trusted.signer(&message, &signature) {
        return Ok((signer, payload));
    }
    if let Some(certificate) = material.certificate() {
        let certificate = decoded(certificate);
        let certificate = certificate.ok_or_else(|| unreadable("its certificate is no base64"))?;
        let data = material.timestamp_verification_data.iter();
        let times = data.flat_map(|data| &data.rfc3161_timestamps);
        let entries = material.tlog_entries.iter();
        let signed = Signed {
            signature: &signature,
            message: &message,
            payload: &payload,
            certificate: &certificate,
            timestamps: times
                .filter_map(|time| decoded(&time.signed_timestamp))
                .collect(),
            entries: entries
                .filter_map(|entry| Deserialize::deserialize(entry).ok())
                .collect(),
        };
        return Ok((certificate::signer(&signed, trusted)?, payload));
    }
    let hint = material.public_key.as_ref();
    let named = hint.is_some_and(|hint| trusted.keys.is_some_and(|keys| keys.has_hint(&hint.hint)));
    Err(match named {
        true => Reason::Tampered("it names a trusted key, which did not make it".to_owned()),
        false => Reason::WrongKey,
    })
}

/// `PAE` of DSSE: what is signed.
pub(super) fn pre_authentication_encoding(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

/// Whether the statement is cosign's, and about `digest`.
fn about(payload: &[u8], digest: &Digest) -> Result<(), Reason> {
    let statement: Statement = serde_json::from_slice(payload)
        .map_err(|_| unreadable("its payload is no in-toto statement"))?;
    if statement.predicate_type != PREDICATE_TYPE {
        let kind = shown(&statement.predicate_type);
        return Err(unreadable(format!(
            "its predicate is `{kind}`, not `{PREDICATE_TYPE}`"
        )));
    }
    if statement.kind != STATEMENT_TYPE {
        return Err(unreadable(
            "its payload is no in-toto statement of version 1",
        ));
    }
    let [subject] = statement.subject.as_slice() else {
        let n = statement.subject.len();
        return Err(unreadable(format!("it is about {n} things, not one")));
    };
    let hex = subject.digest.get("sha256");
    let signed = hex.and_then(|hex| format!("sha256:{hex}").parse::<Digest>().ok());
    match signed {
        Some(signed) if &signed == digest => Ok(()),
        Some(signed) => Err(Reason::OtherDigest(signed)),
        None => Err(unreadable("it says no SHA-256 of what it is about")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosign::keys::tests::Pair;
    use serde_json::{Value, json};

    const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn statement() -> Value {
        json!({
            "_type": STATEMENT_TYPE,
            "subject": [{"digest": {"sha256": "a".repeat(64)}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {},
        })
    }

    /// A bundle with `statement`, signed by `pair`, of which `change` is made afterwards.
    fn check(
        pair: &Pair,
        statement: &Value,
        change: impl FnOnce(&mut Value),
        want: &Result<(), Reason>,
    ) {
        let payload = serde_json::to_vec(statement).unwrap();
        let message = pre_authentication_encoding(PAYLOAD_TYPE, &payload);
        let mut bundle = json!({
            "mediaType": TYPE,
            "verificationMaterial": {"publicKey": {"hint": pair.hint()}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": STANDARD.encode(&payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": STANDARD.encode(pair.sign(&message)), "keyid": ""}],
            },
        });
        change(&mut bundle);
        let bytes = serde_json::to_vec(&bundle).unwrap();
        let keys = pair.keys();
        let got = verify(&bytes, &DIGEST.parse().unwrap(), (&keys).into());
        assert_eq!(&got.map(|_| ()), want, "{bundle}");
    }

    fn unreadable(reason: &str) -> Result<(), Reason> {
        Err(Reason::Unreadable(reason.to_owned()))
    }

    #[test]
    fn the_pre_authentication_encoding_is_that_of_the_specification() {
        let encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(
            encoded,
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn everything_that_a_bundle_says_is_checked() {
        let pair = Pair::new();
        check(&pair, &statement(), |_| {}, &Ok(()));
        let change = |path: &'static str, value: Value| {
            move |bundle: &mut Value| *bundle.pointer_mut(path).unwrap() = value
        };
        check(
            &pair,
            &statement(),
            change("/mediaType", json!("x")),
            &unreadable(&format!("it is `x`, not `{TYPE}`")),
        );
        check(
            &pair,
            &statement(),
            change("/dsseEnvelope", Value::Null),
            &unreadable("it has no DSSE envelope"),
        );
        check(
            &pair,
            &statement(),
            change("/dsseEnvelope/payloadType", json!("x")),
            &unreadable(&format!("its payload is `x`, not `{PAYLOAD_TYPE}`")),
        );
        check(
            &pair,
            &statement(),
            change("/dsseEnvelope/signatures", json!([])),
            &unreadable("it has 0 signatures, not one"),
        );
        check(
            &pair,
            &statement(),
            change(
                "/dsseEnvelope/signatures",
                json!([{"sig": ""}, {"sig": ""}]),
            ),
            &unreadable("it has 2 signatures, not one"),
        );
        check(
            &pair,
            &statement(),
            change("/dsseEnvelope/payload", json!("?")),
            &unreadable("its payload or its signature is no base64"),
        );
        // Changed after it was signed: it still names our key.
        let tampered = Err(Reason::Tampered(
            "it names a trusted key, which did not make it".to_owned(),
        ));
        check(
            &pair,
            &statement(),
            change("/dsseEnvelope/payload", json!("e30=")),
            &tampered,
        );
        let other = Pair::new();
        let foreign = |bundle: &mut Value| {
            bundle["verificationMaterial"]["publicKey"]["hint"] = json!(other.hint());
            bundle["dsseEnvelope"]["payload"] = json!("e30=");
        };
        check(&pair, &statement(), foreign, &Err(Reason::WrongKey));
    }

    #[test]
    fn everything_that_a_signed_statement_says_is_checked() {
        let pair = Pair::new();
        for (path, value, want) in [
            (
                "/_type",
                json!("x"),
                unreadable("its payload is no in-toto statement of version 1"),
            ),
            (
                "/predicateType",
                json!("x"),
                unreadable(&format!("its predicate is `x`, not `{PREDICATE_TYPE}`")),
            ),
            (
                "/subject",
                json!([]),
                unreadable("it is about 0 things, not one"),
            ),
            (
                "/subject",
                json!([{}, {}]),
                unreadable("it is about 2 things, not one"),
            ),
            (
                "/subject/0/digest",
                json!({"sha512": "a"}),
                unreadable("it says no SHA-256 of what it is about"),
            ),
            (
                "/subject/0/digest/sha256",
                json!("b".repeat(64)),
                Err(Reason::OtherDigest(
                    format!("sha256:{}", "b".repeat(64)).parse().unwrap(),
                )),
            ),
            (
                "/subject",
                json!(1),
                unreadable("its payload is no in-toto statement"),
            ),
        ] {
            let mut statement = statement();
            *statement.pointer_mut(path).unwrap() = value;
            check(&pair, &statement, |_| {}, &want);
        }
    }
}
