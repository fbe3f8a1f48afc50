//! What a member says of itself: the output of an addon's probe, and what the sidecar makes of it.

use serde::{Deserialize, Serialize};

/// The JSON that a probe prints on standard output when it succeeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probe {
    /// One of the roles that the addon declares.
    pub role: String,
    /// Whether the member accepts writes now.
    #[serde(default)]
    pub writable: bool,
    /// How far the member is in its history: a number that orders members of one lineage (Redis:
    /// replication offset in bytes; PostgreSQL: LSN as an integer).
    #[serde(default)]
    pub position: u64,
    /// Which history the position counts in (Redis: replication id; PostgreSQL: timeline).
    #[serde(default)]
    pub lineage: String,
}

/// What the sidecar last observed. In the annotation [`crate::labels::OBSERVED`] of the pod it stands
/// without `position`, which changes all the time (design.md, invariant 8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// Whether the last probe succeeded and every process runs.
    pub healthy: bool,
    /// The last role that a probe reported; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether the member accepted writes when last asked.
    #[serde(default)]
    pub writable: bool,
    /// Which history it follows.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lineage: String,
    /// Why it is not healthy, for people; empty while it is. At most 512 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}
