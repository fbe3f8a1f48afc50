//! Private keys that sign as cosign does: ECDSA on P-256 and P-384, Ed25519, RSA; in the clear, or as
//! cosign encrypts its own. Pure.
//!
//! ECDSA takes its nonce from key and message (RFC 6979): who signs the same thing twice makes the
//! same signature.

mod encrypted;

use crate::oci::digest_of;
use api::Digest;
use ed25519_dalek::Signer as _;
use p256::{
    ecdsa::signature::hazmat::PrehashSigner as _,
    pkcs8::{DecodePrivateKey as _, EncodePublicKey as _},
};
use ring::{
    rand::SystemRandom,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use spki::{
    AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef,
    der::{AnyRef, Encode as _, asn1::BitStringRef},
};
use std::fmt;

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// A PEM of RSA with 4096 bits has 3.2 KiB.
const MAX_BYTES: usize = 64 << 10;

/// A private key. Never printed.
pub struct PrivateKey {
    pair: Pair,
    /// Its public key: SubjectPublicKeyInfo.
    public: Vec<u8>,
}

enum Pair {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    Rsa(RsaKeyPair),
}

/// The text is no private key that can sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPrivateKey {
    /// It is something else.
    #[error(
        "{0}; want PEM with a private key of ECDSA P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits \
         (`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes one), or one that \
         `cosign generate-key-pair` made"
    )]
    Unusable(String),
    /// It is encrypted, and not by cosign.
    #[error(
        "it is encrypted, and only keys that cosign encrypted can be opened; decrypt it with `openssl pkey \
         -in FILE`, or make it cosign's with `cosign import-key-pair --key FILE`"
    )]
    Encrypted,
    /// It is encrypted by cosign, and the password is another.
    #[error("the password does not open it; cosign asked for one when it made the key")]
    WrongPassword,
}

impl PrivateKey {
    /// Whether a key of cosign's needs a password to be read.
    pub fn wants_password(pem: &str) -> bool {
        encrypted::block(pem).is_some()
    }

    /// The private key in `pem`; `password` opens one that cosign encrypted.
    ///
    /// # Errors
    /// It is none, or cannot be opened.
    pub fn parse(pem: &str, password: &str) -> Result<Self, InvalidPrivateKey> {
        if pem.len() > MAX_BYTES {
            let reason = format!("it has more than {MAX_BYTES} bytes");
            return Err(InvalidPrivateKey::Unusable(reason));
        }
        if let Some(block) = encrypted::block(pem) {
            return Self::of_pkcs8(&encrypted::open(block, password)?);
        }
        if pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY")
            || pem.contains("Proc-Type: 4,ENCRYPTED")
        {
            return Err(InvalidPrivateKey::Encrypted);
        }
        if !pem.contains("PRIVATE KEY") && pem.contains("-----BEGIN PUBLIC KEY") {
            let reason = "it is a public key, which verifies and does not sign";
            return Err(InvalidPrivateKey::Unusable(reason.to_owned()));
        }
        match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs8(der)) => Self::of_pkcs8(der.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Sec1(der)) => Self::of_sec1(der.secret_sec1_der()),
            Ok(PrivateKeyDer::Pkcs1(der)) => RsaKeyPair::from_der(der.secret_pkcs1_der())
                .map_err(|error| unusable(&error.to_string()))
                .and_then(Self::of_rsa),
            _ => Err(unusable("there is no private key in it")),
        }
    }

    fn of_pkcs8(der: &[u8]) -> Result<Self, InvalidPrivateKey> {
        if let Ok(key) = p256::SecretKey::from_pkcs8_der(der) {
            return Self::of_p256(&key);
        }
        if let Ok(key) = p384::SecretKey::from_pkcs8_der(der) {
            return Self::of_p384(&key);
        }
        if let Ok(key) = ed25519_dalek::SigningKey::from_pkcs8_der(der) {
            let public = spki(ED25519, None, key.verifying_key().as_bytes())?;
            let pair = Pair::Ed25519(key);
            return Ok(Self { pair, public });
        }
        match RsaKeyPair::from_pkcs8(der) {
            Ok(pair) => Self::of_rsa(pair),
            // What ring says of a key of another algorithm.
            Err(error) if error.to_string() == "WrongAlgorithm" => {
                Err(unusable("its algorithm or curve is not known"))
            }
            Err(error) => Err(unusable(&error.to_string())),
        }
    }

    fn of_sec1(der: &[u8]) -> Result<Self, InvalidPrivateKey> {
        if let Ok(key) = p256::SecretKey::from_sec1_der(der) {
            return Self::of_p256(&key);
        }
        match p384::SecretKey::from_sec1_der(der) {
            Ok(key) => Self::of_p384(&key),
            Err(_) => Err(unusable("its curve is neither P-256 nor P-384")),
        }
    }

    fn of_p256(key: &p256::SecretKey) -> Result<Self, InvalidPrivateKey> {
        let public = key.public_key().to_public_key_der();
        Ok(Self {
            public: public
                .map_err(|error| unusable(&error.to_string()))?
                .into_vec(),
            pair: Pair::P256(key.into()),
        })
    }

    fn of_p384(key: &p384::SecretKey) -> Result<Self, InvalidPrivateKey> {
        let public = key.public_key().to_public_key_der();
        Ok(Self {
            public: public
                .map_err(|error| unusable(&error.to_string()))?
                .into_vec(),
            pair: Pair::P384(key.into()),
        })
    }

    fn of_rsa(pair: RsaKeyPair) -> Result<Self, InvalidPrivateKey> {
        let public = spki(RSA, Some(AnyRef::NULL), pair.public_key().as_ref())?;
        let pair = Pair::Rsa(pair);
        Ok(Self { pair, public })
    }

    /// Which key it is: the hash of its public key's SubjectPublicKeyInfo.
    pub fn id(&self) -> Digest {
        digest_of(&self.public)
    }

    /// The public key, PEM.
    pub fn public_pem(&self) -> String {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let text = STANDARD.encode(&self.public);
        let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let lines: Vec<_> = lines.collect();
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            lines.join("\n")
        )
    }

    /// SubjectPublicKeyInfo of its public key.
    pub(super) fn public_der(&self) -> &[u8] {
        &self.public
    }

    /// The signature over `message`, hashed by SHA-256 on P-384 too, because that is what `cosign verify
    /// --key` takes where nothing else is said; none where there is no randomness for RSA's blinding.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match &self.pair {
            Pair::P256(key) => {
                let hash = Sha256::digest(message);
                let signature: p256::ecdsa::Signature = key.sign_prehash(&hash).ok()?;
                Some(signature.to_der().as_bytes().to_vec())
            }
            Pair::P384(key) => {
                let hash = Sha256::digest(message);
                let signature: p384::ecdsa::Signature = key.sign_prehash(&hash).ok()?;
                Some(signature.to_der().as_bytes().to_vec())
            }
            Pair::Ed25519(key) => Some(key.sign(message).to_bytes().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let random = SystemRandom::new();
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .ok()?;
                Some(signature)
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    /// Which it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PrivateKey").field(&self.id()).finish()
    }
}

fn unusable(reason: &str) -> InvalidPrivateKey {
    InvalidPrivateKey::Unusable(format!("it cannot be used: {reason}"))
}

fn spki(
    oid: ObjectIdentifier,
    parameters: Option<AnyRef<'_>>,
    key: &[u8],
) -> Result<Vec<u8>, InvalidPrivateKey> {
    let made = BitStringRef::from_bytes(key).and_then(|subject_public_key| {
        let algorithm = AlgorithmIdentifierRef { oid, parameters };
        let info = SubjectPublicKeyInfoRef {
            algorithm,
            subject_public_key,
        };
        info.to_der()
    });
    made.map_err(|error| unusable(&error.to_string()))
}

#[cfg(test)]
mod tests;
