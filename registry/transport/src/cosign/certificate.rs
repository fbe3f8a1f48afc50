//! Signatures with a certificate of Fulcio instead of a key: whom it names, whether an authority of
//! the trust root made it, and whether a trusted clock says that it was valid when it signed
//! (sigstore's «Fulcio» and «bundle» documents; RFC 5280 by webpki). Pure.
//!
//! Certificates of Fulcio live for ten minutes, so the verifier's own clock says nothing; what counts
//! is the time of a timestamp authority or of a transparency log.

use super::{
    Reason, Trusted,
    log::Entry,
    root::{Authority, TrustRoot},
    sct, timestamp,
};
use crate::oci::shown;
use api::provenance::Signer;
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::time::Duration;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage};
use x509_cert::{
    Certificate,
    der::{
        Decode as _,
        asn1::{ObjectIdentifier, Utf8StringRef},
    },
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// `id-kp-codeSigning` of RFC 5280, as DER without its header.
const CODE_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
/// Fulcio's OIDs (docs/oid-info.md): the issuer as DER, and as it stood before.
const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
const ISSUER_BARE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
/// A name that is neither a mail address nor a URL.
const OTHER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// A signature, and what it brings along.
#[derive(Debug)]
pub(super) struct Signed<'a> {
    /// The signature.
    pub(super) signature: &'a [u8],
    /// What it is over.
    pub(super) message: &'a [u8],
    /// What a person means by it; of an envelope its payload.
    pub(super) payload: &'a [u8],
    /// The certificate, as DER.
    pub(super) certificate: &'a [u8],
    /// Answers of timestamp authorities.
    pub(super) timestamps: Vec<Vec<u8>>,
    /// Entries of transparency logs.
    pub(super) entries: Vec<Entry>,
}

/// Who made the signature, where it is somebody who is trusted.
pub(super) fn signer(signed: &Signed<'_>, trusted: Trusted<'_>) -> Result<Signer, Reason> {
    let Some(root) = trusted.root() else {
        return Err(Reason::WrongKey);
    };
    let der = CertificateDer::from(signed.certificate);
    let odd = || Reason::Unreadable("its certificate cannot be read".to_owned());
    let leaf = EndEntityCert::try_from(&der).map_err(|_| odd())?;
    let parsed = Certificate::from_der(signed.certificate).map_err(|_| odd())?;
    if !verified(&leaf, signed.message, signed.signature) {
        let reason = "the key of its certificate did not make it";
        return Err(Reason::Tampered(reason.to_owned()));
    }
    let authority = issued(&leaf, &parsed, signed, root)?;
    if !root.certificate_logs.is_empty() {
        sct::check(&parsed, authority, &root.certificate_logs)
            .map_err(|reason| Reason::Untrusted(format!("its certificate {reason}")))?;
    }
    named(&parsed, trusted)
}

/// Whether the certificate's key made `signature` over `message`.
pub(super) fn verified(leaf: &EndEntityCert<'_>, message: &[u8], signature: &[u8]) -> bool {
    ALL_VERIFICATION_ALGS.iter().any(|algorithm| {
        leaf.verify_signature(*algorithm, message, signature)
            .is_ok()
    })
}

/// The authority that made the certificate, which was valid at a time that a trusted clock says.
fn issued<'r>(
    leaf: &EndEntityCert<'_>,
    parsed: &Certificate,
    signed: &Signed<'_>,
    root: &'r TrustRoot,
) -> Result<&'r Authority, Reason> {
    let (times, why) = times(signed, root)?;
    let (from, to) = window(parsed).ok_or_else(|| {
        Reason::Unreadable("its certificate does not say when it is valid".to_owned())
    })?;
    let within = |time: &&Timestamp| from <= **time && **time <= to;
    if !times.iter().any(|time| within(&time)) {
        let clocks = match times.is_empty() {
            true => format!("no clock of the trust root says that it signed then{why}"),
            false => format!("trusted clocks say that it signed at {}", listed(&times)),
        };
        let reason = format!("its certificate was valid from {from} to {to}, and {clocks}");
        return Err(Reason::Expired(reason));
    }
    let maker = |time: &Timestamp| {
        let mut authorities = root.authorities.iter();
        authorities.find(|authority| chains(leaf, authority, *time, CODE_SIGNING))
    };
    times.iter().filter(within).find_map(maker).ok_or_else(|| {
        let reason = "no authority of the trust root made its certificate";
        Reason::Untrusted(reason.to_owned())
    })
}

/// Every time that a trusted clock says, and why others do not count.
fn times(signed: &Signed<'_>, root: &TrustRoot) -> Result<(Vec<Timestamp>, String), Reason> {
    let (mut times, mut reasons) = (Vec::new(), Vec::new());
    for token in &signed.timestamps {
        match timestamp::time(token, signed.signature, &root.timestampers) {
            Ok(time) => times.push(time),
            Err(reason) => reasons.push(format!("a timestamp {reason}")),
        }
    }
    let mut logged = false;
    for entry in &signed.entries {
        match entry.check(signed, &root.logs) {
            Ok(time) => {
                logged = true;
                times.extend(time);
            }
            Err(reason) => reasons.push(format!("an entry of a transparency log {reason}")),
        }
    }
    let why = match reasons.is_empty() {
        true => String::new(),
        false => format!(": {}", reasons.join("; ")),
    };
    if !root.logs.is_empty() && !logged {
        let text = "it is in no transparency log of the trust root";
        return Err(Reason::Untrusted(format!("{text}{why}")));
    }
    Ok((times, why))
}

fn listed(times: &[Timestamp]) -> String {
    let times: Vec<String> = times.iter().map(ToString::to_string).collect();
    times.join(", ")
}

fn window(certificate: &Certificate) -> Option<(Timestamp, Timestamp)> {
    let validity = &certificate.tbs_certificate.validity;
    let at = |time: &x509_cert::time::Time| {
        let seconds = time.to_unix_duration().as_secs();
        Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
    };
    Some((at(&validity.not_before)?, at(&validity.not_after)?))
}

/// Whether `authority` made the certificate for this use, and all of the chain was valid at `time`.
pub(super) fn chains(
    leaf: &EndEntityCert<'_>,
    authority: &Authority,
    time: Timestamp,
    usage: &'static [u8],
) -> bool {
    let Some((last, between)) = authority.chain.split_last() else {
        return false;
    };
    let (Ok(anchor), Ok(root)) = (
        webpki::anchor_from_trusted_cert(last),
        Certificate::from_der(last),
    ) else {
        return false;
    };
    let is_valid = window(&root).is_some_and(|(from, to)| from <= time && time <= to);
    let Ok(seconds) = u64::try_from(time.as_second()) else {
        return false;
    };
    let unix = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let anchors = [anchor];
    let path = leaf.verify_for_usage(
        ALL_VERIFICATION_ALGS,
        &anchors,
        between,
        unix,
        KeyUsage::required(usage),
        None,
        None,
    );
    is_valid && authority.valid.has(time) && path.is_ok()
}

/// The identity that the certificate names, where it is trusted.
fn named(certificate: &Certificate, trusted: Trusted<'_>) -> Result<Signer, Reason> {
    let unreadable = |reason: &str| Reason::Unreadable(reason.to_owned());
    let issuer = issuer(certificate)
        .ok_or_else(|| unreadable("its certificate does not say who vouches for the identity"))?;
    let subjects = subjects(certificate);
    let [subject] = subjects.as_slice() else {
        let n = subjects.len();
        let reason = format!("its certificate names {n} identities, not one");
        return Err(Reason::Unreadable(reason));
    };
    if !trusted.knows(&issuer, subject) {
        let found = format!("`{}` of `{}`", shown(subject), shown(&issuer));
        return Err(Reason::WrongIdentity(found));
    }
    Ok(Signer::Identity {
        issuer,
        subject: subject.clone(),
    })
}

fn extension(certificate: &Certificate, id: ObjectIdentifier) -> Option<&[u8]> {
    let extensions = certificate.tbs_certificate.extensions.as_ref()?;
    let found = extensions
        .iter()
        .find(|extension| extension.extn_id == id)?;
    Some(found.extn_value.as_bytes())
}

fn issuer(certificate: &Certificate) -> Option<String> {
    if let Some(der) = extension(certificate, ISSUER) {
        let text = Utf8StringRef::from_der(der).ok()?;
        return Some(text.as_str().to_owned());
    }
    let bare = extension(certificate, ISSUER_BARE)?;
    String::from_utf8(bare.to_vec()).ok()
}

fn subjects(certificate: &Certificate) -> Vec<String> {
    let names = extension(certificate, SUBJECT_ALT_NAME);
    let names = names.and_then(|der| SubjectAltName::from_der(der).ok());
    let text = |name: GeneralName| match name {
        GeneralName::Rfc822Name(text) => Some(text.to_string()),
        GeneralName::UniformResourceIdentifier(text) => Some(text.to_string()),
        GeneralName::OtherName(other) if other.type_id == OTHER_NAME => {
            let text = other.value.decode_as::<Utf8StringRef<'_>>().ok()?;
            Some(text.as_str().to_owned())
        }
        _ => None,
    };
    names.map_or_else(Vec::new, |names| {
        names.0.into_iter().filter_map(text).collect()
    })
}

#[cfg(test)]
mod tests;
