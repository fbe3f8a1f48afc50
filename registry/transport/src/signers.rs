//! Whose signatures on commits and tags are believed, by OpenPGP (RFC 9580) and SSH (OpenSSH's
//! PROTOCOL.sshsig). Pure but for the time that is handed in.

use pgp::{
    composed::{Deserializable as _, DetachedSignature, SignedPublicKey, SignedPublicSubKey},
    crypto::hash::HashAlgorithm,
    packet::{Signature, SignatureType},
    types::{Duration, KeyDetails as _, Tag, Timestamp},
};
use russh::keys::{HashAlg, PublicKey, ssh_key::SshSig};
use std::time::SystemTime;

const PGP_KEY: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
pub(crate) const PGP_SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
pub(crate) const SSH_SIGNATURE: &str = "-----BEGIN SSH SIGNATURE-----";
/// What git signs is for git: a signature for another use does not count.
const NAMESPACE: &str = "git";
/// More keys than these, or larger ones, are a mistake.
const MAX_KEYS: usize = 256;
const MAX_KEYS_BYTES: usize = 1 << 20;

/// The text holds no keys that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; want armored OpenPGP public keys, or public keys of SSH, one a line")]
pub struct InvalidSigners(String);

/// Keys, any of which may sign.
#[derive(Clone, Debug, Default)]
pub struct Signers {
    gpg: Vec<SignedPublicKey>,
    ssh: Vec<PublicKey>,
}

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It is by another key, which it names.
    WrongKey(String),
    /// It names a key that is trusted, which did not make it.
    Tampered(String),
    /// It, or its key, was good once.
    Expired(String),
    /// It is no signature that we know.
    Unreadable(String),
}

impl Signers {
    /// The keys in `text`: armored OpenPGP keys, or lines as in `authorized_keys`, without options.
    ///
    /// # Errors
    /// There is none, or something that is no key.
    pub fn parse(text: &str) -> Result<Self, InvalidSigners> {
        if text.len() > MAX_KEYS_BYTES {
            return Err(InvalidSigners(format!("more than {MAX_KEYS_BYTES} bytes")));
        }
        let signers = if text.contains(PGP_KEY) {
            let blocks = text.split(PGP_KEY).skip(1);
            let gpg = blocks.map(gpg_key).collect::<Result<_, _>>()?;
            let ssh = Vec::new();
            Self { gpg, ssh }
        } else {
            let lines = text.lines().map(str::trim);
            let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            let ssh = lines.map(ssh_key).collect::<Result<_, _>>()?;
            let gpg = Vec::new();
            Self { gpg, ssh }
        };
        signers.counted()
    }

    /// These keys and those of `other`.
    ///
    /// # Errors
    /// There would be too many.
    pub fn and(mut self, other: Self) -> Result<Self, InvalidSigners> {
        self.gpg.extend(other.gpg);
        self.ssh.extend(other.ssh);
        self.counted()
    }

    fn counted(self) -> Result<Self, InvalidSigners> {
        match self.gpg.len() + self.ssh.len() {
            0 => Err(InvalidSigners("there is no public key".to_owned())),
            n if n > MAX_KEYS => Err(InvalidSigners(format!("{n} keys; at most {MAX_KEYS}"))),
            _ => Ok(self),
        }
    }

    /// The key that made `signature` over `data`: its fingerprint.
    pub(crate) fn signer(
        &self,
        data: &[u8],
        signature: &str,
        now: SystemTime,
    ) -> Result<String, Reason> {
        if signature.starts_with(SSH_SIGNATURE) {
            return self.by_ssh(data, signature);
        }
        if signature.starts_with(PGP_SIGNATURE) {
            return self.by_gpg(data, signature, now);
        }
        Err(unreadable("it is neither OpenPGP's nor that of SSH"))
    }

    fn by_ssh(&self, data: &[u8], signature: &str) -> Result<String, Reason> {
        let signature = SshSig::from_pem(signature.trim_end())
            .map_err(|error| unreadable(error.to_string()))?;
        if signature.namespace() != NAMESPACE {
            return Err(unreadable("it was not made for git"));
        }
        let print = signature
            .public_key()
            .fingerprint(HashAlg::Sha256)
            .to_string();
        let mut keys = self.ssh.iter();
        let Some(key) = keys.find(|key| key.key_data() == signature.public_key()) else {
            return Err(Reason::WrongKey(print));
        };
        match key.verify(NAMESPACE, data, &signature) {
            Ok(()) => Ok(print),
            Err(_) => Err(Reason::Tampered(print)),
        }
    }

    fn by_gpg(&self, data: &[u8], signature: &str, now: SystemTime) -> Result<String, Reason> {
        let armored = DetachedSignature::from_string(signature);
        let (signature, _) = armored.map_err(|error| unreadable(error.to_string()))?;
        let signature = signature.signature;
        let issuer = issuer(&signature);
        let mut keys = self.gpg.iter().flat_map(Signing::of);
        let Some(key) = keys.find(|key| key.is_issuer(&signature)) else {
            return Err(Reason::WrongKey(issuer));
        };
        key.signed(&signature, data, now)?;
        Ok(key.fingerprint())
    }
}

fn unreadable(reason: impl Into<String>) -> Reason {
    Reason::Unreadable(reason.into())
}

fn gpg_key(block: &str) -> Result<SignedPublicKey, InvalidSigners> {
    let text = format!("{PGP_KEY}{block}");
    let parsed = SignedPublicKey::from_string(&text);
    let (key, _) = parsed.map_err(|error| InvalidSigners(format!("an OpenPGP key: {error}")))?;
    Ok(key)
}

fn ssh_key(line: &str) -> Result<PublicKey, InvalidSigners> {
    PublicKey::from_openssh(line).map_err(|error| InvalidSigners(format!("a key of SSH: {error}")))
}

/// Which key a signature says made it.
fn issuer(signature: &Signature) -> String {
    let prints = signature.issuer_fingerprint();
    let ids = signature.issuer_key_id();
    let print = prints.first().map(|print| format!("{print:X}"));
    let id = || ids.first().map(|id| format!("{id}").to_uppercase());
    print
        .or_else(id)
        .unwrap_or_else(|| "an unnamed key".to_owned())
}

/// A key that may sign: a primary key or one of its subkeys.
struct Signing<'a> {
    whole: &'a SignedPublicKey,
    subkey: Option<&'a SignedPublicSubKey>,
}

impl<'a> Signing<'a> {
    fn of(whole: &'a SignedPublicKey) -> Vec<Self> {
        let subkeys = whole.public_subkeys.iter().map(Some);
        let all = std::iter::once(None).chain(subkeys);
        all.map(|subkey| Self { whole, subkey }).collect()
    }

    fn fingerprint(&self) -> String {
        match self.subkey {
            None => format!("{:X}", self.whole.primary_key.fingerprint()),
            Some(subkey) => format!("{:X}", subkey.key.fingerprint()),
        }
    }

    /// By fingerprint where the signature has one, else by the shorter id.
    fn is_issuer(&self, signature: &Signature) -> bool {
        let (print, id) = match self.subkey {
            None => {
                let key = &self.whole.primary_key;
                (key.fingerprint(), key.legacy_key_id())
            }
            Some(subkey) => (subkey.key.fingerprint(), subkey.key.legacy_key_id()),
        };
        let prints = signature.issuer_fingerprint();
        if prints.is_empty() {
            return signature.issuer_key_id().contains(&&id);
        }
        prints.contains(&&print)
    }

    /// Whether it made `signature` over `data`, and may still sign.
    fn signed(&self, signature: &Signature, data: &[u8], now: SystemTime) -> Result<(), Reason> {
        let kind = signature.typ();
        if !matches!(kind, Some(SignatureType::Binary | SignatureType::Text)) {
            return Err(unreadable("it is no signature of a document"));
        }
        let weak = [
            HashAlgorithm::Md5,
            HashAlgorithm::Sha1,
            HashAlgorithm::Ripemd160,
        ];
        if signature.hash_alg().is_none_or(|hash| weak.contains(&hash)) {
            return Err(unreadable("its hash is too weak"));
        }
        let verified = match self.subkey {
            None => signature.verify(&self.whole.primary_key, data),
            Some(subkey) => signature.verify(&subkey.key, data),
        };
        if verified.is_err() {
            return Err(Reason::Tampered(self.fingerprint()));
        }
        self.may_sign(now)?;
        let made = signature
            .created()
            .ok_or_else(|| unreadable("it says no time"))?;
        let began = self.created();
        if made < began {
            return Err(unreadable("it is older than its key"));
        }
        let ends = signature.signature_expiration_time();
        not_over(made, ends, now, "the signature")
    }

    fn created(&self) -> Timestamp {
        match self.subkey {
            None => self.whole.primary_key.created_at(),
            Some(subkey) => subkey.key.created_at(),
        }
    }

    /// Whether the key says of itself that it signs, is not revoked and has not expired.
    fn may_sign(&self, now: SystemTime) -> Result<(), Reason> {
        let primary = &self.whole.primary_key;
        let revocations = &self.whole.details.revocation_signatures;
        if revocations
            .iter()
            .any(|revocation| revocation.verify_key(primary).is_ok())
        {
            return Err(Reason::Expired("the key was revoked".to_owned()));
        }
        let own = newest(self.certifications());
        let own = own.ok_or_else(|| unreadable("its key does not vouch for itself"))?;
        not_over(
            primary.created_at(),
            own.key_expiration_time(),
            now,
            "the key",
        )?;
        let signs = match self.subkey {
            None => own.key_flags().sign(),
            Some(subkey) => self.bound(subkey, now)?,
        };
        if signs {
            return Ok(());
        }
        Err(unreadable("its key is not for signing"))
    }

    /// What the primary key says of itself, verified.
    fn certifications(&self) -> Vec<&'a Signature> {
        let (primary, details) = (&self.whole.primary_key, &self.whole.details);
        let direct = details.direct_signatures.iter();
        let direct = direct.filter(|signature| signature.verify_key(primary).is_ok());
        let users = details.users.iter().flat_map(|user| {
            let own = move |signature: &&Signature| {
                signature.typ() != Some(SignatureType::CertRevocation)
                    && signature
                        .verify_certification(primary, Tag::UserId, &user.id)
                        .is_ok()
            };
            user.signatures.iter().filter(own)
        });
        direct.chain(users).collect()
    }

    /// Whether the primary key says of `subkey` that it signs, and the subkey that it belongs to it.
    fn bound(&self, subkey: &SignedPublicSubKey, now: SystemTime) -> Result<bool, Reason> {
        let primary = &self.whole.primary_key;
        let good = |signature: &&Signature| {
            signature
                .verify_subkey_binding(primary, &subkey.key)
                .is_ok()
        };
        let good: Vec<&Signature> = subkey.signatures.iter().filter(good).collect();
        let revoked =
            |signature: &&Signature| signature.typ() == Some(SignatureType::SubkeyRevocation);
        if good.iter().any(revoked) {
            return Err(Reason::Expired("the subkey was revoked".to_owned()));
        }
        let Some(binding) = newest(good) else {
            return Ok(false);
        };
        let ends = binding.key_expiration_time();
        not_over(subkey.key.created_at(), ends, now, "the subkey")?;
        let back = binding.embedded_signature();
        let back = back.is_some_and(|back| {
            back.verify_primary_key_binding(&subkey.key, primary)
                .is_ok()
        });
        Ok(binding.key_flags().sign() && back)
    }
}

fn newest(signatures: Vec<&Signature>) -> Option<&Signature> {
    signatures
        .into_iter()
        .max_by_key(|signature| signature.created())
}

/// Whether what began at `from` and lasts for `lasts`, or for ever, is not over.
fn not_over(
    from: Timestamp,
    lasts: Option<Duration>,
    now: SystemTime,
    what: &str,
) -> Result<(), Reason> {
    let lasts = lasts.map(std::time::Duration::from);
    let Some(lasts) = lasts.filter(|lasts| !lasts.is_zero()) else {
        return Ok(());
    };
    if SystemTime::from(from) + lasts > now {
        return Ok(());
    }
    Err(Reason::Expired(format!("{what} has expired")))
}
