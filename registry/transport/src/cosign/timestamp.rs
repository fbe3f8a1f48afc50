//! Timestamps (RFC 3161): when an authority of the trust root saw a signature. Pure.

use super::{certificate, root::Authority};
use cms::{
    cert::CertificateChoices,
    content_info::ContentInfo,
    signed_data::{SignedData, SignerIdentifier, SignerInfo},
};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use webpki::EndEntityCert;
use x509_cert::{
    Certificate,
    der::{
        AnyRef, Decode as _, Encode as _, Reader as _, Tag, Tagged as _,
        asn1::{ObjectIdentifier, OctetString, OctetStringRef},
    },
    ext::pkix::SubjectKeyIdentifier,
};

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const SIGNED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = oid("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = oid("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = oid("1.2.840.113549.1.9.4");
const KEY_IDENTIFIER: ObjectIdentifier = oid("2.5.29.14");
const SHA256: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.3");
/// `id-kp-timeStamping` of RFC 5280, as DER without its header.
const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];
/// The largest answer; real ones have 1 to 6 KiB.
const MAX_BYTES: usize = 64 << 10;

/// When one of `authorities` saw `signature`, by its answer `response`.
///
/// # Errors
/// Why it says nothing, to go on after «a timestamp».
pub(super) fn time(
    response: &[u8],
    signature: &[u8],
    authorities: &[Authority],
) -> Result<Timestamp, String> {
    let unreadable = || "cannot be read".to_owned();
    if response.len() > MAX_BYTES {
        return Err(format!("has more than {MAX_BYTES} bytes"));
    }
    let data = token(response).ok_or_else(unreadable)?;
    let content = data.encap_content_info.econtent.as_ref();
    let content = content.and_then(|any| any.decode_as::<OctetString>().ok());
    let content = content.ok_or_else(unreadable)?;
    let info = Info::read(content.as_bytes()).ok_or_else(unreadable)?;
    if hash(info.algorithm, signature).as_deref() != Some(info.imprint.as_slice()) {
        return Err("is of another signature".to_owned());
    }
    let [signer] = data.signer_infos.0.as_slice() else {
        return Err("has not one signer".to_owned());
    };
    let message = attributes(signer, content.as_bytes()).ok_or_else(unreadable)?;
    let inside = certificates(&data);
    let known = |authority: &Authority| {
        let theirs = authority.chain.iter().map(|der| der.to_vec());
        let mut all = inside.iter().cloned().chain(theirs);
        all.any(|der| made(&der, signer, &message, authority, info.time))
    };
    match authorities.iter().any(known) {
        true => Ok(info.time),
        false => Err("is of no timestamp authority of the trust root".to_owned()),
    }
}

/// `TimeStampResp ::= SEQUENCE { PKIStatusInfo, ContentInfo OPTIONAL }`.
fn token(response: &[u8]) -> Option<SignedData> {
    let outer = AnyRef::from_der(response).ok()?;
    let content = outer.sequence(|reader| {
        let status = AnyRef::decode(reader)?;
        let granted = status.sequence(|reader| {
            let status = u8::decode(reader)?;
            while !reader.is_finished() {
                AnyRef::decode(reader)?;
            }
            Ok(status <= 1)
        })?;
        let content = ContentInfo::decode(reader)?;
        Ok(granted.then_some(content))
    });
    let content = content.ok()??;
    if content.content_type != SIGNED_DATA {
        return None;
    }
    let data: SignedData = content.content.decode_as().ok()?;
    (data.encap_content_info.econtent_type == TST_INFO).then_some(data)
}

/// `TSTInfo`, as far as it matters here.
struct Info {
    algorithm: ObjectIdentifier,
    imprint: Vec<u8>,
    time: Timestamp,
}

impl Info {
    fn read(der: &[u8]) -> Option<Self> {
        let outer = AnyRef::from_der(der).ok()?;
        let read = outer.sequence(|reader| {
            let _version = AnyRef::decode(reader)?;
            let _policy = AnyRef::decode(reader)?;
            let imprint = AnyRef::decode(reader)?;
            let (algorithm, imprint) = imprint.sequence(|reader| {
                let algorithm = AnyRef::decode(reader)?.sequence(|reader| {
                    let id = ObjectIdentifier::decode(reader)?;
                    while !reader.is_finished() {
                        AnyRef::decode(reader)?;
                    }
                    Ok(id)
                })?;
                let imprint = OctetStringRef::decode(reader)?;
                Ok((algorithm, imprint.as_bytes().to_vec()))
            })?;
            let _serial = AnyRef::decode(reader)?;
            let time = AnyRef::decode(reader)?;
            time.tag().assert_eq(Tag::GeneralizedTime)?;
            // Accuracy, ordering, nonce, the authority's name: not asked for.
            while !reader.is_finished() {
                AnyRef::decode(reader)?;
            }
            Ok((algorithm, imprint, time.value().to_vec()))
        });
        let (algorithm, imprint, time) = read.ok()?;
        Some(Self {
            algorithm,
            imprint,
            time: generalized(&time)?,
        })
    }
}

/// `20261121180000Z`, and perhaps a fraction of a second, which is dropped.
fn generalized(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (seconds, _) = text.split_once('.').unwrap_or((text, ""));
    let time = DateTime::strptime("%Y%m%d%H%M%S", seconds).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn hash(algorithm: ObjectIdentifier, bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm {
        SHA256 => Sha256::digest(bytes).to_vec(),
        SHA384 => Sha384::digest(bytes).to_vec(),
        SHA512 => Sha512::digest(bytes).to_vec(),
        _ => return None,
    })
}

/// The attributes that are signed, as they are signed, where they say the digest of `content`.
fn attributes(signer: &SignerInfo, content: &[u8]) -> Option<Vec<u8>> {
    let attributes = signer.signed_attrs.as_ref()?;
    let value = |id: ObjectIdentifier| {
        let attribute = attributes.iter().find(|attribute| attribute.oid == id)?;
        match attribute.values.as_slice() {
            [value] => Some(value),
            _ => None,
        }
    };
    let kind = value(CONTENT_TYPE)?.decode_as::<ObjectIdentifier>().ok()?;
    let digest = value(MESSAGE_DIGEST)?.decode_as::<OctetString>().ok()?;
    let ours = hash(signer.digest_alg.oid, content)?;
    (kind == TST_INFO && digest.as_bytes() == ours).then_some(())?;
    // With the tag of a SET and not its own (RFC 5652, section 5.4).
    attributes.to_der().ok()
}

fn certificates(data: &SignedData) -> Vec<Vec<u8>> {
    let certificates = data.certificates.iter().flat_map(|set| set.0.iter());
    certificates
        .filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => certificate.to_der().ok(),
            CertificateChoices::Other(_) => None,
        })
        .collect()
}

/// Whether the certificate is the signer's, made by `authority` for timestamps, and signed `message`.
fn made(
    der: &[u8],
    signer: &SignerInfo,
    message: &[u8],
    authority: &Authority,
    time: Timestamp,
) -> bool {
    let certificate = CertificateDer::from(der);
    let (Ok(leaf), Ok(parsed)) = (
        EndEntityCert::try_from(&certificate),
        Certificate::from_der(der),
    ) else {
        return false;
    };
    is_of(&parsed, &signer.sid)
        && certificate::verified(&leaf, message, signer.signature.as_bytes())
        && certificate::chains(&leaf, authority, time, TIME_STAMPING)
}

fn is_of(certificate: &Certificate, id: &SignerIdentifier) -> bool {
    let tbs = &certificate.tbs_certificate;
    match id {
        SignerIdentifier::IssuerAndSerialNumber(id) => {
            id.issuer == tbs.issuer && id.serial_number == tbs.serial_number
        }
        SignerIdentifier::SubjectKeyIdentifier(id) => {
            let mut extensions = tbs.extensions.iter().flatten();
            let own = extensions.find(|extension| extension.extn_id == KEY_IDENTIFIER);
            let own = own.map(|own| SubjectKeyIdentifier::from_der(own.extn_value.as_bytes()));
            matches!(own, Some(Ok(own)) if own == *id)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_fractions() {
        let check = |text: &[u8], want: Option<&str>| {
            let got = generalized(text).map(|time| time.to_string());
            assert_eq!(got.as_deref(), want);
        };
        check(b"20261121180000Z", Some("2026-11-21T18:00:00Z"));
        check(b"20261121180000.25Z", Some("2026-11-21T18:00:00Z"));
        check(b"20261121180000", None);
        check(b"20261321180000Z", None);
    }

    #[test]
    fn foreign_bytes_are_refused() {
        for bytes in [&b""[..], b"\x30\x00", b"\x30\x03\x02\x01\x00", &[0x30; 100]] {
            let refused = time(bytes, b"s", &[]).unwrap_err();
            assert_eq!(refused, "cannot be read");
        }
    }
}
