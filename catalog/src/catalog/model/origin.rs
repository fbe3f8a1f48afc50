//! Where a version came from, as its annotation tells it. The registry's signature in it is the
//! operator's to check, and what the operator believes stands in the status.

use api::{MiddlewareAddon, labels};
use kube::ResourceExt as _;
use serde::{Deserialize, Serialize};

/// Where a version came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Origin {
    /// The AddonSource.
    pub(crate) source: String,
    /// Its URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) url: String,
    /// The revision in which it was found.
    pub(crate) revision: String,
    /// The addon's directory in it.
    pub(crate) directory: String,
    /// The images whose signatures were verified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) images: Vec<Image>,
}

/// An image whose signature was verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Image {
    /// As the manifest names it.
    pub(crate) image: String,
    /// The digest that was verified.
    pub(crate) digest: String,
}

impl Origin {
    /// Where `addon` came from; `None` where it was made by hand.
    pub(super) fn of(addon: &MiddlewareAddon) -> Option<Self> {
        let said = addon.annotations().get(labels::PROVENANCE);
        let said = said.and_then(|json| serde_json::from_str::<Self>(json).ok());
        let source = addon.labels().get(labels::SOURCE).cloned();
        said.or_else(|| {
            source.map(|source| Self {
                source,
                ..Self::default()
            })
        })
    }
}
