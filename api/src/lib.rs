//! Paamesh's types on the wire: custom resources, conditions, labels, names, versions, digests, and
//! the agent's messages.
//!
//! In: nothing. Out: types, and pure functions over them. This crate does no IO and knows no
//! controller. Without its feature `crd` it knows no Kubernetes type either: that is what the agent
//! is built with.

pub mod agent;
pub mod digest;
pub mod labels;
pub mod names;
pub mod probe;
pub mod range;
pub mod version;

#[cfg(feature = "crd")]
pub mod conditions;
#[cfg(feature = "crd")]
pub mod crd;
#[cfg(feature = "crd")]
pub mod events;
#[cfg(feature = "crd")]
pub mod guarded;
#[cfg(feature = "crd")]
pub mod provenance;
#[cfg(feature = "crd")]
mod schema;

#[cfg(feature = "crd")]
pub use crd::{
    addon::{MiddlewareAddon, MiddlewareAddonSpec, MiddlewareAddonStatus},
    app::{App, AppSpec, AppStatus},
    component::{Component, ComponentSpec, ComponentStatus},
    group::{Group, GroupSpec, GroupStatus},
    ledger::{AddonLedger, AddonLedgerSpec},
    policy::{AddonPolicy, AddonPolicySpec},
    source::{AddonSource, AddonSourceSpec, AddonSourceStatus},
};
pub use digest::Digest;
#[cfg(feature = "crd")]
pub use guarded::Guarded;
pub use range::Range;
pub use version::Version;

/// The API group of every resource of the platform.
pub const GROUP: &str = "middleware.io";
/// The one version of the API that is served.
pub const API_VERSION: &str = "middleware.io/v1alpha1";
/// This release of the platform, SemVer.
pub const PLATFORM_VERSION: &str = env!("CARGO_PKG_VERSION");
/// The namespace of the platform where the chart's values name no other.
pub const PLATFORM_NAMESPACE: &str = "paamesh-system";
