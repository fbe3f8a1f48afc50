//! Public keys, and what they signed: ECDSA on P-256 and P-384, Ed25519, RSA. Pure.

use crate::oci::digest_of;
use api::Digest;
use ed25519_dalek::{Signature, VerifyingKey};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject as _};
use sha2::{Digest as _, Sha512};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef, der::Decode as _};
use std::fmt;

/// RFC 5480: an elliptic curve's key, and the curves.
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// RFC 8410.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// RFC 8017.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// More keys than these are a mistake.
const MAX_KEYS: usize = 64;
/// A PEM of RSA with 8192 bits has 1.5 KiB.
const MAX_PEM_BYTES: usize = 256 << 10;

/// The text holds no keys that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; want PEM `PUBLIC KEY` with ECDSA P-256 or P-384, Ed25519, or RSA of 2048 to 8192 bits"
)]
pub struct InvalidKey(String);

/// Public keys, any of which may have signed.
#[derive(Clone, Debug)]
pub struct Keys(Vec<Key>);

/// A public key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// The hash of the SubjectPublicKeyInfo.
    id: Digest,
    kind: Kind,
    /// The key as its algorithm takes it.
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    P256,
    P384,
    Ed25519,
    Rsa,
}

impl Kind {
    /// The algorithms that cosign signs with: on P-384 it hashes as the curve says, and older releases
    /// with SHA-256.
    fn algorithms(self) -> Vec<&'static dyn VerificationAlgorithm> {
        match self {
            Self::P256 => vec![&signature::ECDSA_P256_SHA256_ASN1],
            Self::P384 => vec![
                &signature::ECDSA_P384_SHA384_ASN1,
                &signature::ECDSA_P384_SHA256_ASN1,
            ],
            Self::Ed25519 => vec![&signature::ED25519],
            Self::Rsa => vec![&signature::RSA_PKCS1_2048_8192_SHA256],
        }
    }
}

impl Keys {
    /// The keys in `pem`, one after the other; other text between them is passed over.
    ///
    /// # Errors
    /// There is none, or one that cannot be used.
    pub fn parse(pem: &str) -> Result<Self, InvalidKey> {
        if pem.len() > MAX_PEM_BYTES {
            return Err(InvalidKey(format!("more than {MAX_PEM_BYTES} bytes")));
        }
        let keys = SubjectPublicKeyInfoDer::pem_slice_iter(pem.as_bytes())
            .map(|der| match der {
                Ok(der) => Key::parse(&der),
                Err(error) => Err(InvalidKey(format!("no PEM: {error}"))),
            })
            .collect::<Result<Vec<_>, _>>()?;
        Self::of(keys)
    }

    fn of(keys: Vec<Key>) -> Result<Self, InvalidKey> {
        match keys.len() {
            0 => Err(InvalidKey("there is no public key".to_owned())),
            n if n > MAX_KEYS => Err(InvalidKey(format!("{n} keys; at most {MAX_KEYS}"))),
            _ => Ok(Self(keys)),
        }
    }

    /// These keys and those of `other`.
    ///
    /// # Errors
    /// There would be too many.
    pub fn and(mut self, other: Self) -> Result<Self, InvalidKey> {
        self.0.extend(other.0);
        Self::of(self.0)
    }

    /// What tells these keys from others, in whatever order they were given.
    pub fn fingerprint(&self) -> Digest {
        let mut ids: Vec<&str> = self.0.iter().map(|key| key.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        digest_of(ids.join(" ").as_bytes())
    }

    /// The key that made `signature` over `message`.
    pub(crate) fn signer(&self, message: &[u8], signature: &[u8]) -> Option<&Digest> {
        let mut keys = self.0.iter();
        keys.find(|key| key.signed(message, signature))
            .map(|key| &key.id)
    }

    /// Whether one of the keys has this hint: base64 of the hash of its SubjectPublicKeyInfo.
    pub(crate) fn has_hint(&self, hint: &str) -> bool {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let hash = STANDARD.decode(hint).unwrap_or_default();
        let id = <[u8; 32]>::try_from(hash).map(Digest::sha256);
        id.is_ok_and(|id| self.0.iter().any(|key| key.id == id))
    }
}

impl fmt::Display for Keys {
    /// Their ids, shortened.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, key) in self.0.iter().enumerate() {
            let comma = if n > 0 { ", " } else { "" };
            write!(f, "{comma}sha256:{}…", key.id.short(12))?;
        }
        Ok(())
    }
}

impl Key {
    /// The key that this SubjectPublicKeyInfo is.
    pub(super) fn parse(der: &[u8]) -> Result<Self, InvalidKey> {
        let refuse = |reason: &str| InvalidKey(reason.to_owned());
        let info = SubjectPublicKeyInfoRef::from_der(der)
            .map_err(|_| refuse("a key is no SubjectPublicKeyInfo"))?;
        let curve = || info.algorithm.parameters_oid().ok();
        let kind = match info.algorithm.oid {
            EC if curve() == Some(P256) => Kind::P256,
            EC if curve() == Some(P384) => Kind::P384,
            EC => return Err(refuse("a key's curve is neither P-256 nor P-384")),
            ED25519 => Kind::Ed25519,
            RSA => Kind::Rsa,
            _ => return Err(refuse("a key's algorithm is not known")),
        };
        let bytes = info.subject_public_key.as_bytes();
        let bytes = bytes.ok_or_else(|| refuse("a key is cut off"))?.to_vec();
        Ok(Self {
            id: digest_of(der),
            kind,
            bytes,
        })
    }

    /// Whether `id` is the hash of its SubjectPublicKeyInfo.
    pub(super) fn is_id(&self, id: &[u8]) -> bool {
        <[u8; 32]>::try_from(id).is_ok_and(|id| Digest::sha256(id) == self.id)
    }

    /// Whether it made `signature` over `message`.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let by = |algorithm: &&'static dyn VerificationAlgorithm| {
            UnparsedPublicKey::new(*algorithm, &self.bytes)
                .verify(message, signature)
                .is_ok()
        };
        self.kind.algorithms().iter().any(by)
            || self.kind == Kind::Ed25519 && self.signed_hash(message, signature)
    }

    /// Ed25519ph (RFC 8032, section 5.1), which cosign makes with keys of Ed25519 by default.
    fn signed_hash(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = <&[u8; 32]>::try_from(self.bytes.as_slice());
        let key = key.ok().and_then(|key| VerifyingKey::from_bytes(key).ok());
        let (Some(key), Ok(signature)) = (key, Signature::from_slice(signature)) else {
            return false;
        };
        let hash = Sha512::new_with_prefix(message);
        key.verify_prehashed_strict(hash, None, &signature).is_ok()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
    };

    /// A key pair on P-256, made for one test.
    pub(crate) struct Pair {
        pair: EcdsaKeyPair,
        random: SystemRandom,
    }

    impl Pair {
        pub(crate) fn new() -> Self {
            let random = SystemRandom::new();
            let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
            let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap();
            Self { pair, random }
        }

        pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
            let signature = self.pair.sign(&self.random, message).unwrap();
            signature.as_ref().to_vec()
        }

        fn der(&self) -> Vec<u8> {
            // SEQUENCE { SEQUENCE { ecPublicKey, prime256v1 }, BIT STRING }
            let mut der = vec![
                0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1,
            ];
            der.extend([6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 3, 0x42, 0]);
            der.extend(self.pair.public_key().as_ref());
            der
        }

        pub(crate) fn keys(&self) -> Keys {
            Keys::parse(&pem(&self.der())).unwrap()
        }

        pub(crate) fn hint(&self) -> String {
            let hex = digest_of(&self.der());
            let bytes: Vec<u8> = (0..64)
                .step_by(2)
                .map(|n| u8::from_str_radix(&hex.hex()[n..n + 2], 16).unwrap())
                .collect();
            STANDARD.encode(bytes)
        }
    }

    fn pem(der: &[u8]) -> String {
        let text = STANDARD.encode(der);
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let refused = |text: &str| Keys::parse(text).unwrap_err().to_string();
        assert!(refused("").starts_with("there is no public key; want PEM"));
        assert!(refused(&pem(b"x")).contains("no SubjectPublicKeyInfo"));
        assert!(refused("-----BEGIN PUBLIC KEY-----\n?\n").contains("PEM"));
        let private = pem(&Pair::new().der()).replace("PUBLIC", "PRIVATE");
        assert!(refused(&private).contains("there is no public key"));
        // secp256k1, and X25519, which signs nothing.
        let mut der = Pair::new().der();
        der[22] = 9;
        assert!(refused(&pem(&der)).contains("neither P-256 nor P-384"));
        let mut x25519 = vec![0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 3, 0x21, 0];
        x25519.extend([1; 32]);
        assert!(refused(&pem(&x25519)).contains("algorithm is not known"));
    }

    #[test]
    fn any_of_several_keys_may_have_signed_and_the_one_that_did_is_found() {
        let (one, two, three) = (Pair::new(), Pair::new(), Pair::new());
        let keys = one.keys().and(two.keys()).unwrap();
        let found = keys.signer(b"m", &two.sign(b"m")).unwrap();
        assert_eq!(found, &digest_of(&two.der()));
        assert_eq!(keys.signer(b"m", &three.sign(b"m")), None);
        assert_eq!(keys.signer(b"n", &two.sign(b"m")), None);
        assert!(keys.has_hint(&one.hint()) && !keys.has_hint(&three.hint()) && !keys.has_hint("?"));
        let many = (0..MAX_KEYS).try_fold(one.keys(), |keys, _| keys.and(two.keys()));
        assert!(many.unwrap_err().to_string().contains("at most 64"));
    }
}
