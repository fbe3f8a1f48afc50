//! AddonLedger: which versions of a plugin were ever published, and with which digest.

use crate::Digest;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The published versions of one plugin. An entry here is the publication: it never changes, and
/// survives the deletion of the version, so that what comes back must be what was there.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "middleware.io",
    version = "v1alpha1",
    kind = "AddonLedger",
    shortname = "mwl",
    category = "middleware",
    derive = "PartialEq",
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct AddonLedgerSpec {
    /// Version → digest. Entries are added, never changed; only unused `-dev` versions may go.
    #[schemars(extend("maxProperties" = 5000))]
    #[x_kube(validation = Rule::new(
        "oldSelf.all(k, (k in self && self[k] == oldSelf[k]) || (k.contains('-dev.') && !(k in self)))"
    ).message("the ledger is append-only: a published version keeps its digest for ever"))]
    #[serde(default)]
    pub entries: BTreeMap<String, Digest>,
}
