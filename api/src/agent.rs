//! What is said to and by the agent: the messages of `proto/agent.proto`, the places in a pod that
//! operator and agent agree on, and the action table that the operator writes and the agent reads.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[allow(missing_docs, clippy::all, clippy::pedantic)]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/middleware.agent.v1.rs"));
}
pub use proto::*;

/// Where the agent's own emptyDir is mounted in every container of a pod: binary, sockets, state.
pub const AGENT_DIR: &str = "/paamesh";
/// The agent's binary, put there by the init container (`paamesh-agent install`).
pub const AGENT_BINARY: &str = "/paamesh/paamesh-agent";
/// The supervisor's unix socket.
pub const SUPERVISOR_SOCKET: &str = "/paamesh/supervisor.sock";
/// The sidecar's unix socket.
pub const SIDECAR_SOCKET: &str = "/paamesh/sidecar.sock";
/// The action table in use: written by `install`, and by the sidecar whenever the pod's content
/// revision changes. It is the table that the containers without [`CONTENT_DIR`] know.
pub const TABLE_FILE: &str = "/paamesh/actions.json";
/// There once [`PREPARE`] has succeeded in this pod.
pub const PREPARED_FILE: &str = "/paamesh/prepared";
/// Which configuration revision the process has read, and what is in the way of the wanted one.
pub const CONFIGURATION_FILE: &str = "/paamesh/configuration.json";
/// What the sidecar's last probe said, as JSON of [`crate::probe::Observed`]; `ready` reads it.
pub const OBSERVED_FILE: &str = "/paamesh/observed.json";
/// The Component's content ConfigMap, as the kubelet syncs it: `<8 hex of revision>.<file>`.
pub const CONTENT_DIR: &str = "/paamesh-content";
/// The Component's configuration ConfigMap, as the kubelet syncs it: `<8 hex of revision>.<file>`.
pub const CONFIG_DIR: &str = "/paamesh-config";
/// The pod's own annotations by downward API, one file each: [`CONTENT_REVISION_FILE`].
pub const POD_DIR: &str = "/paamesh-pod";
/// In [`POD_DIR`]: the content revision that the pod is to run, 8 hex digits.
pub const CONTENT_REVISION_FILE: &str = "content-revision";
/// In [`POD_DIR`]: the configuration revision that the pod is to run, 8 hex digits.
pub const CONFIG_REVISION_FILE: &str = "config-revision";
/// The revision of no files at all, the beginning of the SHA-256 of nothing: a pod of this
/// configuration revision waits for no file.
pub const EMPTY_REVISION: &str = "e3b0c442";
/// The scripts of the pod's revision, executable, as the middleware and the actions see them.
pub const SCRIPTS_DIR: &str = "/scripts";
/// What platform and middleware share; the rendered configuration lies in `config/` below it.
pub const MIDDLEWARE_DIR: &str = "/middleware";
/// The rendered configuration files of the pod's revision, as the middleware sees them.
pub const MIDDLEWARE_CONFIG_DIR: &str = "/middleware/config";
/// The credentials of the Component, as its Secret holds them: a file for each key.
pub const CREDENTIALS_DIR: &str = "/credentials";
/// The action that runs in the main container before its process starts for the first time in a
/// pod's life. Always a command, and always in the main container.
///
/// **How often.** Once it has ended with 0, never again in this pod, also if the container restarts
/// ([`PREPARED_FILE`], in a volume of the pod's own). As long as it has not, at each start of the
/// container, from the beginning. A pod that takes another's place runs it again *on the volumes as
/// they are*, so it must look at them first and leave alone what is already done; and since a node
/// can lose its power in the middle of it, what it makes must appear in one step: make it beside
/// its place, then rename it (`initdb -D /data/new && mv /data/new /data/pgdata`).
///
/// **What it meets.** The volumes, [`SCRIPTS_DIR`], [`MIDDLEWARE_CONFIG_DIR`],
/// [`CREDENTIALS_DIR`], the environment and the user of the process. The process does not run, and
/// no other action does. Standard output and standard error are the container's log; standard input
/// is empty.
///
/// **How it ends.** With 0: what it left running in its process group is killed, and the process
/// starts. Otherwise, or after its time: its process group is killed whole and the container ends,
/// with its exit code (124 after its time, 127 if it cannot be started) and with «prepare failed
/// with exit code 3: » and the last line of its standard error as the termination message, which
/// `kubectl describe pod` shows. The kubelet starts the container again, with growing waits. While
/// it runs the pod is alive and not ready, however long it takes. A pod that is deleted meanwhile
/// sends it SIGTERM, and SIGKILL after the component's stop time-out.
pub const PREPARE: &str = "prepare";
/// The action that makes the process read its configuration again: a signal to the process, or a
/// command in the main container or in the sidecar.
///
/// **When.** The pod's annotation `middleware.io/config-revision` changed: the sidecar puts the files
/// of that revision into [`MIDDLEWARE_CONFIG_DIR`] (each in one step; files that the new revision has
/// not are removed), and then runs this. A signal has succeeded when it was sent to a running
/// process, a command when it ended with 0.
///
/// **When it fails.** The process goes on as it is and the pod stays as ready as it was. It is tried
/// again after 1 s, then after growing waits up to a minute, until it succeeds or another revision is
/// wanted; `Status` and the sidecar's log say why. It may run again after it succeeded (a sidecar
/// that was killed in between knows no better), also while nothing has changed.
///
/// **Without it** the files are put in place and the process finds them at its next start.
pub const RELOAD: &str = "reload";
/// The key of the action table in the content ConfigMap, without its revision.
pub const ACTIONS_FILE: &str = "actions.json";
/// Where the sidecar finds its API token (projected, audience of the API server), and `ca.crt`.
pub const TOKEN_DIR: &str = "/var/run/secrets/middleware.io/serviceaccount";

/// The volume of a pod that is mounted at [`AGENT_DIR`].
pub const AGENT_VOLUME: &str = "paamesh";
/// The name of the init container that brings the agent.
pub const INSTALL_CONTAINER: &str = "paamesh-install";
/// The name of the container in which the middleware runs.
pub const MAIN_CONTAINER: &str = "main";
/// The name of the sidecar container.
pub const SIDECAR_CONTAINER: &str = "paamesh-sidecar";

/// Environment of every container of a pod, set by the operator from the pod's own fields.
pub mod env {
    /// The pod's name.
    pub const POD: &str = "PAAMESH_POD";
    /// The pod's UID: an agent that outlived its pod must not take the next one for its own.
    pub const POD_UID: &str = "PAAMESH_POD_UID";
    /// The pod's namespace.
    pub const NAMESPACE: &str = "PAAMESH_NAMESPACE";
    /// The pod's ordinal in its Group, decimal.
    pub const ORDINAL: &str = "PAAMESH_ORDINAL";
    /// The App's name.
    pub const APP: &str = "PAAMESH_APP";
    /// The component's short name.
    pub const COMPONENT: &str = "PAAMESH_COMPONENT";
    /// The Group's full name; its headless Service is `<Group>-h`.
    pub const GROUP: &str = "PAAMESH_GROUP";
    /// The DNS name of the ordinal that leads: `<Group>-0.<Group>-h`.
    pub const LEADER: &str = "PAAMESH_LEADER";
}

/// What the agent may be asked to run, by name; written into the content ConfigMap as
/// [`ACTIONS_FILE`], so that a pod always runs the table of its own revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionTable {
    /// How the role is probed; absent for a middleware without roles, which is ready while its
    /// process runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeAction>,
    /// The addon's actions by name, [`PREPARE`] and [`RELOAD`] among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub actions: BTreeMap<String, Action>,
}

/// An action that the agent runs: a command, or a signal to the process.
///
/// A command is run without a shell, with empty standard input and the environment of its container,
/// as the leader of a process group that is killed whole when the command has ended, when its time is
/// over, and when whoever asked for it goes away. One run of an action at a time. No action runs in
/// the main container while [`PREPARE`] does or while the process is being stopped.
///
/// The addon's own actions are run by `/paamesh/paamesh-agent run NAME`, from any container of the
/// pod: output and exit code come through; 124 after its time, 125 where it was not run at all (the
/// message says why), 127 where its command cannot be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// The command and its arguments, never a shell line; empty where `signal` is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The signal that the middleware's process gets instead, for example `SIGHUP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// The container in which the command runs.
    #[serde(default, rename = "in")]
    pub place: ActionPlace,
    /// Milliseconds after which the command is killed and has failed.
    pub timeout_millis: u64,
}

/// Where an action runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
pub enum ActionPlace {
    /// In the middleware's container, beside its process.
    #[default]
    Main,
    /// In the sidecar, which has the middleware's image and its client tools.
    Sidecar,
}

/// A probe of role and health, run by the sidecar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbeAction {
    /// The command and its arguments; never a shell line.
    pub command: Vec<String>,
    /// Milliseconds between the end of one run and the start of the next.
    pub interval_millis: u64,
    /// Milliseconds after which a run is killed and counts as failed.
    pub timeout_millis: u64,
    /// How the command's standard output is read.
    pub output: ProbeOutput,
}

/// How a probe's standard output becomes a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProbeOutput {
    /// JSON of [`crate::probe::Probe`].
    Json,
    /// A regular expression whose first group is looked up in `roles`.
    Pattern {
        /// The expression, in the syntax of the `regex` crate, matched anywhere in the output.
        pattern: String,
        /// What the command says → the addon's role.
        roles: BTreeMap<String, String>,
    },
}
