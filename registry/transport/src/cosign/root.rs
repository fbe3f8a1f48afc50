//! The trust root of sigstore (protobuf-specs, `sigstore_trustroot.proto`): authorities of certificates
//! and of timestamps, and logs, with the time in which each counts. It is read from a file and never
//! fetched. Pure.

use super::{InvalidRoot, keys::Key};
use crate::oci::digest_of;
use api::Digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use serde::Deserialize;

/// That of sigstore itself has 7 KiB.
const MAX_BYTES: usize = 1 << 20;
const MEDIA_TYPES: [&str; 3] = [
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    media_type: String,
    #[serde(default)]
    tlogs: Vec<LogEntry>,
    #[serde(default)]
    certificate_authorities: Vec<AuthorityEntry>,
    #[serde(default)]
    ctlogs: Vec<LogEntry>,
    #[serde(default)]
    timestamp_authorities: Vec<AuthorityEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorityEntry {
    cert_chain: Chain,
    #[serde(default)]
    valid_for: Window,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    raw_bytes: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEntry {
    public_key: LogKey,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogKey {
    raw_bytes: String,
    #[serde(default)]
    valid_for: Window,
}

/// From when to when something counts; without end where none is given.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Window {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Window {
    pub(super) fn has(&self, time: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= time) && self.end.is_none_or(|end| time <= end)
    }
}

/// The authorities and logs that are trusted. What it names is demanded: where it has logs of
/// certificates, a certificate must be in one; where it has transparency logs, so must a signature.
#[derive(Clone, Debug)]
pub struct TrustRoot {
    digest: Digest,
    pub(super) authorities: Vec<Authority>,
    pub(super) timestampers: Vec<Authority>,
    pub(super) logs: Vec<Log>,
    pub(super) certificate_logs: Vec<Log>,
}

/// An authority: its certificates, the issuing one first and the root last.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) valid: Window,
}

/// A log.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) key: Key,
    pub(super) valid: Window,
}

impl TrustRoot {
    /// Reads a `trusted_root.json`.
    ///
    /// # Errors
    /// It is none, or names nobody who could vouch for an identity.
    pub fn parse(json: &str) -> Result<Self, InvalidRoot> {
        let refuse = |reason: &str| InvalidRoot(reason.to_owned());
        if json.len() > MAX_BYTES {
            return Err(InvalidRoot(format!("it has more than {MAX_BYTES} bytes")));
        }
        let file: File = serde_json::from_str(json)
            .map_err(|error| InvalidRoot(format!("it cannot be read: {error}")))?;
        if !MEDIA_TYPES.contains(&file.media_type.as_str()) {
            return Err(refuse("its mediaType is not that of a trust root"));
        }
        let root = Self {
            digest: digest_of(json.as_bytes()),
            authorities: authorities(file.certificate_authorities)?,
            timestampers: authorities(file.timestamp_authorities)?,
            logs: logs(file.tlogs)?,
            certificate_logs: logs(file.ctlogs)?,
        };
        if root.authorities.is_empty() {
            return Err(refuse("it names no certificate authority"));
        }
        if root.timestampers.is_empty() && root.logs.is_empty() {
            return Err(refuse(
                "it names neither a timestamp authority nor a transparency log, so nobody can say when \
                 something was signed",
            ));
        }
        Ok(root)
    }

    /// The digest of the file.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

fn authorities(entries: Vec<AuthorityEntry>) -> Result<Vec<Authority>, InvalidRoot> {
    let authority = |entry: AuthorityEntry| {
        let certificates = entry.cert_chain.certificates.into_iter();
        let chain: Result<Vec<_>, _> = certificates.map(|raw| decoded(&raw.raw_bytes)).collect();
        let chain: Vec<CertificateDer<'static>> =
            chain?.into_iter().map(CertificateDer::from).collect();
        let Some(last) = chain.last() else {
            return Err(InvalidRoot("an authority has no certificate".to_owned()));
        };
        webpki::anchor_from_trusted_cert(last)
            .map_err(|error| InvalidRoot(format!("a certificate cannot be read: {error}")))?;
        Ok(Authority {
            valid: entry.valid_for,
            chain,
        })
    };
    entries.into_iter().map(authority).collect()
}

fn logs(entries: Vec<LogEntry>) -> Result<Vec<Log>, InvalidRoot> {
    let log = |entry: LogEntry| {
        Ok(Log {
            key: Key::parse(&decoded(&entry.public_key.raw_bytes)?)?,
            valid: entry.public_key.valid_for,
        })
    };
    entries.into_iter().map(log).collect()
}

fn decoded(text: &str) -> Result<Vec<u8>, InvalidRoot> {
    let decoded = STANDARD.decode(text);
    decoded.map_err(|_| InvalidRoot("what should be base64 is none".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_trust_root_is_refused() {
        let refused = |text: &str| TrustRoot::parse(text).unwrap_err().to_string();
        assert!(refused("{").contains("line 1 column 1; want the `trusted_root.json`"));
        assert!(refused(r#"{"mediaType": "x"}"#).contains("mediaType"));
        let empty = format!(r#"{{"mediaType": "{}"}}"#, MEDIA_TYPES[0]);
        assert!(refused(&empty).contains("names no certificate authority"));
        let odd = r#""certificateAuthorities": [{"certChain": {"certificates": [{"rawBytes": "AA=="}]}}]"#;
        let odd = empty.replace('}', &format!(", {odd}}}"));
        assert!(refused(&odd).contains("a certificate cannot be read"));
    }
}
