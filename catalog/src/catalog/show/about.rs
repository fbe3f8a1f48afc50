//! What the files of a version say of it.

use crate::catalog::content;
use package::{
    Package,
    manifest::{Topology, TopologyComponent},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What the files of a version say of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct About {
    pub(super) description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) keywords: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) maintainers: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) licence: String,
    /// The versions of Kubernetes that it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kubernetes: Option<String>,
    /// The image of each runtime version.
    pub(super) images: BTreeMap<String, String>,
    pub(super) topologies: Vec<Topology>,
    pub(super) profiles: Vec<Profile>,
    /// The components that take parameters.
    pub(super) tunable: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) readme: Option<String>,
}

/// Defaults under one name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) description: String,
}

impl About {
    /// What the files of `package` say.
    pub(super) fn of(package: &Package) -> Self {
        let manifest = &package.manifest;
        let profiles = manifest.profiles.iter().map(|profile| Profile {
            name: profile.name.to_string(),
            description: profile.description.clone(),
        });
        let images = manifest.runtimes.iter();
        let tunable = manifest.components.iter();
        let tunable = tunable.filter(|(_, component)| !component.schema.is_empty());
        Self {
            description: manifest.description.clone(),
            keywords: manifest.keywords.clone(),
            maintainers: manifest.maintainers.clone(),
            licence: manifest.licence.clone(),
            kubernetes: manifest
                .kubernetes
                .as_ref()
                .map(|range| range.as_str().to_owned()),
            images: images
                .map(|runtime| (runtime.version.to_string(), runtime.image.clone()))
                .collect(),
            topologies: manifest.topologies(),
            profiles: profiles.collect(),
            tunable: tunable.map(|(name, _)| name.to_string()).collect(),
            readme: content::readme(package).map(str::to_owned),
        }
    }
}

/// `3 members (2 to 7, odd)`, `1 member`, `1 member, optional`.
pub(super) fn members(declared: &TopologyComponent) -> String {
    let (least, most) = (declared.min(), declared.max());
    let mut text = crate::output::count(declared.replicas() as usize, "member");
    let odd = if declared.odd { ", odd" } else { "" };
    if least != most {
        text.push_str(&format!(" ({least} to {most}{odd})"));
    }
    if declared.optional {
        text.push_str(", optional");
    }
    text
}
