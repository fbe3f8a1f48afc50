//! The agent in each pod of an App: one static binary with five jobs.
//!
//! | job | where | what |
//! | --- | --- | --- |
//! | `install` | init container | brings the binary, the scripts and the configuration ([`install`]) |
//! | `supervisor` | PID 1 of the main container | keeps the middleware's process ([`supervisor`]) |
//! | `sidecar` | its own container | probes the member and tells the pod's object ([`sidecar`]) |
//! | `ready`, `live` | exec probes of the kubelet | read what those two know ([`ready`], [`live`]) |
//!
//! In: the pod's mounted volumes and environment. Out: processes, the files that `api::agent`
//! names, and one label and one annotation of the pod itself. The agent knows no Kubernetes type
//! and holds no cache: it must stay under 10 MiB.

pub mod args;
pub mod atomic;
pub mod content;
pub mod install;
pub mod live;
pub mod log;
pub mod member;
pub mod pod;
pub mod probe;
pub mod ready;
pub mod reaper;
pub mod root;
pub mod sidecar;
pub mod signal;
pub mod supervisor;

/// The stubs of the service `middleware.agent.v1.Supervisor`.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod rpc {
    tonic::include_proto!("middleware.agent.v1");
}
