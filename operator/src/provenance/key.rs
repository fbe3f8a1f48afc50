//! An Ed25519 public key, from the PEM that the registry writes (RFC 8410).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{ED25519, UnparsedPublicKey};

/// What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo: RFC 8410, section 4.
const PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// An Ed25519 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key in `pem`; `None` where it is no public key of Ed25519.
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(pem).ok()?;
        let (_, rest) = text.split_once(BEGIN)?;
        let (body, _) = rest.split_once(END)?;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(body).ok()?;
        let key = der.strip_prefix(&PREFIX)?;
        Some(Self(key.try_into().ok()?))
    }

    /// Whether the key made `signature` over `bytes`.
    pub fn made(&self, signature: &[u8], bytes: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(bytes, signature)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::{
        rand::SystemRandom,
        signature::{Ed25519KeyPair, KeyPair as _},
    };

    fn pem(key: &[u8]) -> String {
        let der = [PREFIX.as_slice(), key].concat();
        format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(der))
    }

    #[test]
    fn a_key_knows_its_own_signatures() {
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap();
        let key = PublicKey::from_pem(pem(pair.public_key().as_ref()).as_bytes()).unwrap();
        let signature = pair.sign(b"this");
        assert!(key.made(signature.as_ref(), b"this"));
        assert!(!key.made(signature.as_ref(), b"that"));
        assert!(!key.made(b"short", b"this"));
    }

    #[test]
    fn other_texts_are_no_keys() {
        // `openssl genpkey -algorithm ed25519 | openssl pkey -pubout`, and the same of P-256.
        let ours = format!(
            "{BEGIN}\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n{END}\n"
        );
        assert!(PublicKey::from_pem(ours.as_bytes()).is_some());
        let of_p256 = format!(
            "{BEGIN}\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\n\
             q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n{END}\n"
        );
        for text in ["", "key", &of_p256, &pem(&[7; 31]), &pem(&[7; 33])] {
            assert_eq!(PublicKey::from_pem(text.as_bytes()), None, "{text}");
        }
    }
}
