//! Entries of a transparency log (Rekor): whether a log of the trust root has a signature, and since
//! when. Its promise (`signedEntryTimestamp`) says both; the proof of inclusion says that the entry
//! stands under a checkpoint that the log signed, and nothing about time. Pure.

mod body;
mod checkpoint;

use super::{certificate::Signed, root::Log};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};

/// More hashes than these no tree of a log has.
const MAX_HASHES: usize = 64;

/// An entry, as a bundle brings it (protobuf-specs, `sigstore_rekor.proto`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    #[serde(default, deserialize_with = "number")]
    log_index: u64,
    log_id: Id,
    #[serde(default, deserialize_with = "number")]
    integrated_time: u64,
    #[serde(default)]
    inclusion_promise: Option<Promise>,
    #[serde(default)]
    inclusion_proof: Option<Proof>,
    canonicalized_body: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Id {
    key_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Promise {
    signed_entry_timestamp: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    #[serde(default, deserialize_with = "number")]
    log_index: u64,
    root_hash: String,
    #[serde(deserialize_with = "number")]
    tree_size: u64,
    #[serde(default)]
    hashes: Vec<String>,
    checkpoint: Checkpoint,
}

#[derive(Debug, Deserialize)]
struct Checkpoint {
    envelope: String,
}

/// JSON of protobuf writes numbers of 64 bits as text; older writers do not.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Bare(u64),
        Text(String),
    }
    match Number::deserialize(deserializer)? {
        Number::Bare(number) => Ok(number),
        Number::Text(text) => text.parse().map_err(de::Error::custom),
    }
}

/// The annotation `dev.sigstore.cosign/bundle`, in which cosign 2 keeps an entry.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Annotation {
    signed_entry_timestamp: String,
    payload: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    body: String,
    integrated_time: u64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

impl Entry {
    /// The entry in cosign 2's annotation.
    pub(super) fn of_annotation(json: &str) -> Option<Self> {
        let Annotation {
            signed_entry_timestamp,
            payload,
        } = serde_json::from_str(json).ok()?;
        Some(Self {
            log_index: payload.log_index,
            log_id: Id {
                key_id: STANDARD.encode(unhex(&payload.log_id)?),
            },
            integrated_time: payload.integrated_time,
            inclusion_promise: Some(Promise {
                signed_entry_timestamp,
            }),
            inclusion_proof: None,
            canonicalized_body: payload.body,
        })
    }

    /// When one of `logs` took the signature in, where it says so.
    ///
    /// # Errors
    /// Why the entry shows nothing, to go on after «an entry of a transparency log».
    pub(super) fn check(
        &self,
        signed: &Signed<'_>,
        logs: &[Log],
    ) -> Result<Option<Timestamp>, String> {
        let body = decoded(&self.canonicalized_body)?;
        if !body::is_about(&body, signed) {
            return Err("is about another signature".to_owned());
        }
        let id = decoded(&self.log_id.key_id)?;
        let promised = self.promised(&id, logs)?;
        let included = match &self.inclusion_proof {
            Some(proof) => proof.holds(&body, logs)?,
            None => false,
        };
        match (promised, included) {
            (None, false) => Err("is of no log of the trust root".to_owned()),
            (time, _) => Ok(time),
        }
    }

    /// The time that the log promised to have it since.
    fn promised(&self, id: &[u8], logs: &[Log]) -> Result<Option<Timestamp>, String> {
        let Some(promise) = &self.inclusion_promise else {
            return Ok(None);
        };
        let time = i64::try_from(self.integrated_time).unwrap_or(i64::MAX);
        let time = Timestamp::from_second(time).map_err(|_| "has no time".to_owned())?;
        let Some(log) = logs.iter().find(|log| log.key.is_id(id)) else {
            return Ok(None);
        };
        if !log.valid.has(time) {
            return Err("is of a log that did not count any more".to_owned());
        }
        // Keys sorted, no blanks: RFC 8785.
        let message = serde_json::json!({
            "body": self.canonicalized_body,
            "integratedTime": self.integrated_time,
            "logID": hex(id),
            "logIndex": self.log_index,
        });
        let signature = decoded(&promise.signed_entry_timestamp)?;
        match log.key.signed(message.to_string().as_bytes(), &signature) {
            true => Ok(Some(time)),
            false => Err("has a promise that the log did not make".to_owned()),
        }
    }
}

impl Proof {
    /// Whether the entry stands under a checkpoint of one of `logs`.
    fn holds(&self, body: &[u8], logs: &[Log]) -> Result<bool, String> {
        if self.hashes.len() > MAX_HASHES {
            return Err(format!("has more than {MAX_HASHES} hashes"));
        }
        let hashes: Result<Vec<Vec<u8>>, String> =
            self.hashes.iter().map(|hash| decoded(hash)).collect();
        let root = checkpoint::root(body, self.log_index, self.tree_size, &hashes?);
        if root.map(|root| root.to_vec()) != Some(decoded(&self.root_hash)?) {
            return Err("has a proof of inclusion that does not hold".to_owned());
        }
        let root = decoded(&self.root_hash)?;
        let of = |log: &Log| {
            checkpoint::is_signed(&self.checkpoint.envelope, self.tree_size, &root, &log.key)
        };
        Ok(logs.iter().any(of))
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, String> {
    let decoded = STANDARD.decode(text);
    decoded.map_err(|_| "cannot be read".to_owned())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.len()
        .is_multiple_of(2)
        .then(|| pairs.map(byte).collect())?
}
