//! Simple signing, as cosign 2 writes it: a layer holds the payload, its annotation the signature
//! (cosign's specs/SIGNATURE_SPEC.md). Pure.

use super::{Keys, Reason};
use api::Digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

/// The type of the layers.
pub(crate) const LAYER_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The annotation with the signature.
pub(crate) const ANNOTATION: &str = "dev.cosignproject.cosign/signature";
/// The largest payload; cosign's has 250 bytes, and annotations of people come on top.
pub(crate) const MAX_BYTES: u64 = 64 << 10;
/// What the payload says it is.
const TYPE: &str = "cosign container image signature";

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

/// The key that signed `payload`, where it says `digest`. The signature is checked before anything is
/// read.
pub(crate) fn verify(
    payload: &[u8],
    signature: &str,
    digest: &Digest,
    keys: &Keys,
) -> Result<Digest, Reason> {
    let unreadable = |reason: &str| Reason::Unreadable(reason.to_owned());
    let signature = STANDARD.decode(signature.trim());
    let signature = signature.map_err(|_| unreadable("its annotation is no base64"))?;
    let key = keys.signer(payload, &signature).ok_or(Reason::WrongKey)?;
    let payload: Payload = serde_json::from_slice(payload)
        .map_err(|_| unreadable("the payload is no simple signing payload"))?;
    let Critical { image, kind } = payload.critical;
    if kind != TYPE {
        return Err(unreadable("the payload is of another type"));
    }
    if &image.digest != digest {
        return Err(Reason::OtherDigest(image.digest));
    }
    Ok(key.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosign::keys::tests::Pair;

    fn check(pair: &Pair, payload: &str, want: &Result<(), Reason>) {
        let digest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        let signature = STANDARD.encode(pair.sign(payload.as_bytes()));
        let got = verify(payload.as_bytes(), &signature, &digest, &pair.keys());
        assert_eq!(&got.map(|_| ()), want, "{payload}");
        let changed = payload.replace('{', "{ ");
        let got = verify(changed.as_bytes(), &signature, &digest, &pair.keys());
        assert_eq!(got, Err(Reason::WrongKey));
        let got = verify(payload.as_bytes(), "?", &digest, &pair.keys());
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
