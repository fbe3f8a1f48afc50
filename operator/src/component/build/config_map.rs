//! The ConfigMaps that pods mount: files by revision, so that a pod finds those of its own.

use crate::{
    children::{Labels, metadata},
    component::render::Files,
};
use api::{Component, labels, names::revision_key};
use k8s_openapi::{ByteString, api::core::v1::ConfigMap};
use std::collections::{BTreeMap, BTreeSet};

/// The ConfigMap `name` of `owner` with `files` as `revision`, and with what `live` has of the other
/// revisions in `in_use`.
pub fn config_map(
    owner: &Component,
    name: String,
    labels: Labels,
    (revision, files): (&str, &Files),
    live: Option<&ConfigMap>,
    in_use: &BTreeSet<String>,
) -> ConfigMap {
    let mut all = kept(live, revision, in_use);
    let mut revisions: BTreeSet<&str> = all
        .keys()
        .filter_map(|key| key.split_once('.'))
        .map(|(revision, _)| revision)
        .collect();
    revisions.insert(revision);
    let mut meta = metadata(owner, name, labels);
    let held = revisions.into_iter().collect::<Vec<_>>().join(",");
    meta.annotations = Some([(labels::REVISIONS.to_owned(), held)].into());
    let new = files
        .iter()
        .map(|(file, bytes)| (revision_key(revision, file), bytes.clone()));
    all.extend(new);
    let (data, binary_data) = parted(all);
    ConfigMap {
        metadata: meta,
        data: Some(data),
        binary_data: Some(binary_data),
        immutable: None,
    }
}

/// The files of the revisions that are in use besides `revision`.
fn kept(live: Option<&ConfigMap>, revision: &str, in_use: &BTreeSet<String>) -> Files {
    let Some(live) = live else {
        return Files::new();
    };
    let text = live.data.iter().flatten();
    let text = text.map(|(key, text)| (key.clone(), ByteString(text.clone().into_bytes())));
    let binary = live
        .binary_data
        .iter()
        .flatten()
        .map(|(key, bytes)| (key.clone(), bytes.clone()));
    let is_kept = |key: &str| {
        key.split_once('.')
            .is_some_and(|(of, _)| of != revision && in_use.contains(of))
    };
    text.chain(binary).filter(|(key, _)| is_kept(key)).collect()
}

/// Text is readable with kubectl; what is no text stands in `binaryData`.
fn parted(files: Files) -> (BTreeMap<String, String>, Files) {
    let (mut text, mut binary) = (BTreeMap::new(), Files::new());
    for (key, bytes) in files {
        match String::from_utf8(bytes.0) {
            Ok(content) => {
                text.insert(key, content);
            }
            Err(error) => {
                binary.insert(key, ByteString(error.into_bytes()));
            }
        }
    }
    (text, binary)
}
