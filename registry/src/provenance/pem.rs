//! Ed25519 keys as OpenSSL writes them: PKCS #8 and SPKI are fixed bytes before the key itself
//! (RFC 8410, sections 4 and 7), in PEM (RFC 7468).

use base64::{Engine as _, engine::general_purpose::STANDARD};

const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The private key of `seed`.
pub(super) fn private(seed: &[u8; 32]) -> String {
    write("PRIVATE KEY", &PKCS8, seed)
}

/// The public key `key`, 32 bytes.
pub(super) fn public(key: &[u8]) -> String {
    write("PUBLIC KEY", &SPKI, key)
}

/// The seed of a private key.
pub(super) fn read_private(pem: &str) -> Option<[u8; 32]> {
    read(pem, "PRIVATE KEY", &PKCS8)
}

/// The bytes of a public key.
pub(super) fn read_public(pem: &str) -> Option<[u8; 32]> {
    read(pem, "PUBLIC KEY", &SPKI)
}

/// Both are short enough for one line.
fn write(label: &str, prefix: &[u8], key: &[u8]) -> String {
    let text = STANDARD.encode([prefix, key].concat());
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn read(pem: &str, label: &str, prefix: &[u8]) -> Option<[u8; 32]> {
    let body = pem
        .trim()
        .strip_prefix(&format!("-----BEGIN {label}-----"))?;
    let body = body.strip_suffix(&format!("-----END {label}-----"))?;
    let bytes = STANDARD.decode(body.split_whitespace().collect::<String>());
    bytes.ok()?.strip_prefix(prefix)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 8410, section 10.3, and its public key of section 10.1.
    #[test]
    fn the_keys_of_rfc_8410_are_read_and_written() {
        let text = "-----BEGIN PRIVATE KEY-----\n\
            MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
            -----END PRIVATE KEY-----\n";
        let seed = read_private(text).unwrap();
        assert_eq!(private(&seed), text);
        let text = "-----BEGIN PUBLIC KEY-----\n\
            MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
            -----END PUBLIC KEY-----\n";
        let key = read_public(text).unwrap();
        assert_eq!(public(&key), text);
        let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        assert_eq!(ring::signature::KeyPair::public_key(&pair).as_ref(), key);
        assert_eq!(read_public("-----BEGIN PUBLIC KEY-----"), None);
    }
}
