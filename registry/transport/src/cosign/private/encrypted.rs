//! How cosign encrypts its private keys (sigstore's `encrypted` package): PKCS #8 in NaCl's secretbox
//! under a key of scrypt, as JSON in PEM.

use super::{InvalidPrivateKey, unusable};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use poly1305::{Poly1305, universal_hash::KeyInit as _};
use salsa20::{
    XSalsa20,
    cipher::{KeyIvInit as _, StreamCipher as _},
};
use serde::Deserialize;

/// The label, and the one from before version 2.
const LABELS: [&str; 2] = [
    "ENCRYPTED SIGSTORE PRIVATE KEY",
    "ENCRYPTED COSIGN PRIVATE KEY",
];
/// The most that scrypt may cost: cosign's is 2^16 blocks of 1 KiB.
const MAX_COST: u32 = 1 << 20;
const MAX_BLOCK: u32 = 16;
/// Poly1305's.
const TAG: usize = 16;

#[derive(Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "N")]
    cost: u32,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// What stands between the marks of an encrypted key, where there is one.
pub(super) fn block(pem: &str) -> Option<&str> {
    LABELS.iter().find_map(|label| {
        let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
        let (block, _) = rest.split_once(&format!("-----END {label}-----"))?;
        Some(block)
    })
}

/// The PKCS #8 in `block`.
///
/// # Errors
/// It is encrypted otherwise, or with another password.
pub(super) fn open(block: &str, password: &str) -> Result<Vec<u8>, InvalidPrivateKey> {
    let odd = || unusable("it does not look as cosign encrypts");
    let decoded = |text: &str| STANDARD.decode(text).map_err(|_| odd());
    let text: String = block.split_whitespace().collect();
    let sealed: Sealed = serde_json::from_slice(&decoded(&text)?).map_err(|_| odd())?;
    let Kdf { name, params, salt } = &sealed.kdf;
    let Params { cost, r, p } = *params;
    if (name.as_str(), sealed.cipher.name.as_str()) != ("scrypt", "nacl/secretbox")
        || !cost.is_power_of_two()
        || cost > MAX_COST
        || r > MAX_BLOCK
        || p > MAX_BLOCK
    {
        return Err(odd());
    }
    let log = u8::try_from(cost.trailing_zeros()).map_err(|_| odd())?;
    let params = scrypt::Params::new(log, r, p).map_err(|_| odd())?;
    let mut key = [0; 32];
    scrypt::scrypt(password.as_bytes(), &decoded(salt)?, &params, &mut key).map_err(|_| odd())?;
    let nonce: [u8; 24] = decoded(&sealed.cipher.nonce)?
        .try_into()
        .map_err(|_| odd())?;
    let sealed = decoded(&sealed.ciphertext)?;
    unboxed(key, nonce, &sealed).ok_or(InvalidPrivateKey::WrongPassword)
}

/// `crypto_secretbox_open`: the first 32 bytes of the stream are Poly1305's key, its tag stands first.
fn unboxed(key: [u8; 32], nonce: [u8; 24], sealed: &[u8]) -> Option<Vec<u8>> {
    let (tag, text) = sealed.split_at_checked(TAG)?;
    let mut stream = XSalsa20::new(&key.into(), &nonce.into());
    let mut one_time = [0; 32];
    stream.apply_keystream(&mut one_time);
    let ours = Poly1305::new(&one_time.into()).compute_unpadded(text);
    (ours.as_slice() == tag).then(|| {
        let mut text = text.to_vec();
        stream.apply_keystream(&mut text);
        text
    })
}
