//! The agent in each pod of an App: one static binary with six jobs.
//!
//! | job | where | what |
//! | --- | --- | --- |
//! | `install` | init container | brings the binary, the scripts and the configuration ([`install`]) |
//! | `supervisor` | PID 1 of the main container | prepares and keeps the middleware's process ([`supervisor`]) |
//! | `sidecar` | its own container | probes the member ([`member`]), tells the pod's object ([`pod`]), follows the configuration ([`reload`]) |
//! | `ready`, `live` | exec probes of the kubelet | read what those two know ([`ready`], [`live`]) |
//! | `run` | whoever works in the pod | has one of the addon's actions run ([`action`]) |
//!
//! In: the pod's mounted volumes and environment. Out: processes, the files that `api::agent`
//! names, and one label and one annotation of the pod itself. The agent knows no Kubernetes type
//! and holds no cache: it must stay under 10 MiB.

pub mod action;
pub mod args;
pub mod atomic;
pub mod configuration;
pub mod content;
pub mod install;
pub mod live;
pub mod log;
pub mod member;
pub mod pod;
pub mod probe;
pub mod ready;
pub mod reaper;
pub mod reload;
pub mod root;
pub mod sidecar;
pub mod signal;
pub mod socket;
pub mod supervisor;
pub mod table;

/// The stubs of the services of `middleware.agent.v1`.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod rpc {
    tonic::include_proto!("middleware.agent.v1");
}
