//! What an entry of a log is about: the kinds `hashedrekord`, `dsse` and `intoto` of Rekor, in its first
//! and second version (rekor's pkg/types, rekor-tiles' rekor/v2).

use super::super::certificate::Signed;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Whether the entry is about this signature, by this certificate, of this content.
pub(super) fn is_about(body: &[u8], signed: &Signed<'_>) -> bool {
    serde_json::from_slice(body).is_ok_and(|body| says(&body, signed).unwrap_or(false))
}

fn says(body: &Value, signed: &Signed<'_>) -> Option<bool> {
    let spec = &body["spec"];
    let (hash, signature, certificate) = match (text(&body["kind"])?, text(&body["apiVersion"])?) {
        ("hashedrekord", "0.0.1") => {
            let signature = &spec["signature"];
            (
                unhexed(&spec["data"]["hash"])? == Sha256::digest(signed.message).to_vec(),
                bytes(&signature["content"])?,
                pem(&signature["publicKey"]["content"])?,
            )
        }
        ("dsse", "0.0.1") => {
            let [signature] = spec["signatures"].as_array()?.as_slice() else {
                return None;
            };
            (
                unhexed(&spec["payloadHash"])? == Sha256::digest(signed.payload).to_vec(),
                bytes(&signature["signature"])?,
                pem(&signature["verifier"])?,
            )
        }
        // As cosign 2 and npm log attestations: the signature is base64 of base64.
        ("intoto", "0.0.2") => {
            let content = &spec["content"];
            let [signature] = content["envelope"]["signatures"].as_array()?.as_slice() else {
                return None;
            };
            (
                unhexed(&content["payloadHash"])? == Sha256::digest(signed.payload).to_vec(),
                STANDARD.decode(bytes(&signature["sig"])?).ok()?,
                pem(&signature["publicKey"])?,
            )
        }
        ("hashedrekord", "0.0.2") => {
            let spec = &spec["hashedRekordV002"];
            let (data, signature) = (&spec["data"], &spec["signature"]);
            (
                hashed(data, signed.message)?,
                bytes(&signature["content"])?,
                raw(&signature["verifier"])?,
            )
        }
        ("dsse", "0.0.2") => {
            let spec = &spec["dsseV002"];
            let [signature] = spec["signatures"].as_array()?.as_slice() else {
                return None;
            };
            (
                hashed(&spec["payloadHash"], signed.payload)?,
                bytes(&signature["content"])?,
                raw(&signature["verifier"])?,
            )
        }
        _ => return None,
    };
    Some(hash && signature == signed.signature && certificate == signed.certificate)
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(value.as_str()?).ok()
}

/// `{"algorithm": "sha256", "value": "<hex>"}`.
fn unhexed(value: &Value) -> Option<Vec<u8>> {
    (text(&value["algorithm"])? == "sha256").then_some(())?;
    super::unhex(text(&value["value"])?)
}

/// Whether `{"algorithm": "SHA2_256", "digest": "<base64>"}` is that of `content`.
fn hashed(value: &Value, content: &[u8]) -> Option<bool> {
    use sha2::{Sha384, Sha512};
    let digest = match text(&value["algorithm"])? {
        "SHA2_256" => Sha256::digest(content).to_vec(),
        "SHA2_384" => Sha384::digest(content).to_vec(),
        "SHA2_512" => Sha512::digest(content).to_vec(),
        _ => return None,
    };
    Some(bytes(&value["digest"])? == digest)
}

/// A certificate in PEM under base64.
fn pem(value: &Value) -> Option<Vec<u8>> {
    let certificate = CertificateDer::from_pem_slice(&bytes(value)?).ok()?;
    Some(certificate.to_vec())
}

fn raw(verifier: &Value) -> Option<Vec<u8>> {
    bytes(&verifier["x509Certificate"]["rawBytes"])
}
