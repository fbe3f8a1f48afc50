//! Promises of certificate logs that stand in a certificate (RFC 6962, section 3.3): whether a log of
//! the trust root knows of it. Pure.

use super::{keys::Key, root::Authority, root::Log};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use x509_cert::{
    Certificate,
    der::{
        Decode as _, Encode as _,
        asn1::{ObjectIdentifier, OctetStringRef},
    },
};

/// The list of promises.
const LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");
/// `LogEntryType`: a certificate before the promises came into it.
const PRECERTIFICATE: u16 = 1;

/// A promise (`SignedCertificateTimestamp`).
struct Promise<'a> {
    log: &'a [u8],
    time: u64,
    extensions: &'a [u8],
    signature: &'a [u8],
}

/// Checks that one of `logs` promised to have the certificate, which `authority` made.
///
/// # Errors
/// Why not, to go on after «its certificate».
pub(super) fn check(
    certificate: &Certificate,
    authority: &Authority,
    logs: &[Log],
) -> Result<(), String> {
    let tbs = &certificate.tbs_certificate;
    let mut extensions = tbs.extensions.iter().flatten();
    let list = extensions
        .find(|extension| extension.extn_id == LIST)
        .ok_or("is in no log of certificates, and the trust root names some")?;
    let unreadable = || "has promises of logs that cannot be read".to_owned();
    let list = OctetStringRef::from_der(list.extn_value.as_bytes()).map_err(|_| unreadable())?;
    let promises = promises(list.as_bytes()).ok_or_else(unreadable)?;
    let mut before = tbs.clone();
    if let Some(extensions) = &mut before.extensions {
        extensions.retain(|extension| extension.extn_id != LIST);
    }
    let before = before.to_der().map_err(|_| unreadable())?;
    let issuers: Vec<[u8; 32]> = authority
        .chain
        .iter()
        .filter_map(|der| key_hash(der))
        .collect();
    let kept = |promise: &Promise<'_>| {
        issuers.iter().any(|issuer| {
            let message = message(promise, issuer, &before);
            let mut logs = logs.iter().filter(|log| counts(log, promise));
            message.is_some_and(|message| logs.any(|log| is_by(&log.key, &message, promise)))
        })
    };
    match promises.iter().any(kept) {
        true => Ok(()),
        false => Err("is in no log of certificates that the trust root names".to_owned()),
    }
}

fn is_by(key: &Key, message: &[u8], promise: &Promise<'_>) -> bool {
    key.signed(message, promise.signature)
}

fn counts(log: &Log, promise: &Promise<'_>) -> bool {
    let time = i64::try_from(promise.time).ok();
    let time = time.and_then(|time| Timestamp::from_millisecond(time).ok());
    log.key.is_id(promise.log) && time.is_some_and(|time| log.valid.has(time))
}

fn key_hash(der: &[u8]) -> Option<[u8; 32]> {
    let certificate = Certificate::from_der(der).ok()?;
    let key = certificate.tbs_certificate.subject_public_key_info.to_der();
    Some(Sha256::digest(key.ok()?).into())
}

/// What the log signs.
fn message(promise: &Promise<'_>, issuer: &[u8; 32], before: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(before.len()).ok()?.to_be_bytes();
    let extensions = u16::try_from(promise.extensions.len()).ok()?.to_be_bytes();
    let mut message = vec![0, 0];
    message.extend(promise.time.to_be_bytes());
    message.extend(PRECERTIFICATE.to_be_bytes());
    message.extend(issuer);
    message.extend(&length[1..]);
    message.extend(before);
    message.extend(extensions);
    message.extend(promise.extensions);
    Some(message)
}

fn promises(list: &[u8]) -> Option<Vec<Promise<'_>>> {
    let (mut list, rest) = vector(list)?;
    let mut promises = Vec::new();
    while !list.is_empty() {
        let (promise, after) = vector(list)?;
        // Another version than 0 may look otherwise, and counts for nothing.
        if promise.first() == Some(&0) {
            promises.push(read(promise)?);
        }
        list = after;
    }
    rest.is_empty().then_some(promises)
}

fn read(bytes: &[u8]) -> Option<Promise<'_>> {
    let (log, rest) = bytes.get(1..)?.split_at_checked(32)?;
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let (extensions, rest) = vector(rest)?;
    // The hash and the kind of key, which the log's own key says.
    let (signature, rest) = vector(rest.get(2..)?)?;
    rest.is_empty().then_some(Promise {
        log,
        time: u64::from_be_bytes(*time),
        extensions,
        signature,
    })
}

/// Bytes after their length in two bytes, and what follows.
fn vector(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
