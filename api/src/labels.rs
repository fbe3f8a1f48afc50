//! Wire names: labels, annotations, finalizers, field managers. Each stands here once.

/// On content and MiddlewareAddon: the addon's name.
pub const PLUGIN: &str = "middleware.io/plugin";
/// On MiddlewareAddon, manifest content and pods: the addon's version. On pods it is patched in
/// place and stands outside the revision hash.
pub const VERSION: &str = "middleware.io/version";
/// On content: which section of the package it holds.
pub const SECTION: &str = "middleware.io/section";
/// On everything that belongs to an App: its name.
pub const APP: &str = "middleware.io/app";
/// The component's short name.
pub const COMPONENT: &str = "middleware.io/component";
/// The group's short name (`0` where the user names none).
pub const GROUP: &str = "middleware.io/group";
/// The pod's ordinal in its Group, decimal.
pub const ORDINAL: &str = "middleware.io/ordinal";
/// On the Secret of a Component's credentials: the Component's name. It is data, owned by nothing.
pub const CREDENTIALS: &str = "middleware.io/credentials";
/// The pod's role now, as the middleware itself says it; written by the pod's own agent alone.
pub const ROLE: &str = "middleware.io/role";
/// On a volume claim: the volume's name in the addon.
pub const VOLUME: &str = "middleware.io/volume";

/// Recommended label: the tool that manages an object.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY`] on every object of ours.
pub const MANAGED_BY_PAAMESH: &str = "paamesh";
/// Recommended label: the application's name, here the plugin.
pub const K8S_NAME: &str = "app.kubernetes.io/name";
/// Recommended label: the instance, here the App.
pub const K8S_INSTANCE: &str = "app.kubernetes.io/instance";
/// Recommended label: the component.
pub const K8S_COMPONENT: &str = "app.kubernetes.io/component";
/// Recommended label: the version of the middleware itself.
pub const K8S_VERSION: &str = "app.kubernetes.io/version";

/// On a pod: the revision of the pod template that it was made from.
pub const REVISION: &str = "middleware.io/revision";
/// On a pod: the revision of scripts and actions that it is to run; patched in place.
pub const CONTENT_REVISION: &str = "middleware.io/content-revision";
/// On a pod: the revision of configuration files that it is to run; patched in place where the
/// middleware reads them again without a restart.
pub const CONFIG_REVISION: &str = "middleware.io/config-revision";
/// On a pod: JSON of [`crate::probe::Observed`], written by its own agent on change only.
pub const OBSERVED: &str = "middleware.io/observed";

/// On children of an App: the hash of what was last applied, so that the unchanged is not written.
pub const APPLIED: &str = "middleware.io/applied";

/// On Groups: the hash of all that the Group was rendered and composed from.
pub const INPUTS: &str = "middleware.io/inputs";
/// On Groups: the hash of what the pod template was composed from; it is composed again only when
/// this changes.
pub const TEMPLATE_INPUTS: &str = "middleware.io/template-inputs";
/// On Groups: the hash of what the configuration was rendered from but for parameters that take
/// effect without a restart. While it is the same, another configuration restarts nothing.
pub const RESTART_INPUTS: &str = "middleware.io/restart-inputs";
/// On Groups: the configuration revision at the last change that restarts, where pods run a later
/// one by now.
pub const RESTART_REVISION: &str = "middleware.io/restart-revision";
/// On Groups: the profile whose defaults the Group has; none where absent.
pub const PROFILE: &str = "middleware.io/profile";
/// On content and configuration ConfigMaps of a Component: the revisions in it, comma-separated.
pub const REVISIONS: &str = "middleware.io/revisions";

/// On MiddlewareAddon: JSON of where the version came from: source, revision, directory.
pub const PROVENANCE: &str = "middleware.io/provenance";
/// On MiddlewareAddon and content made by the registry: the AddonSource's name.
pub const SOURCE: &str = "middleware.io/source";

/// On states of an addon that its author publishes while working on it, and on their content: the name
/// of the author's App.
pub const DEV_APP: &str = "middleware.io/dev-app";
/// On the same: the App's namespace.
pub const DEV_NAMESPACE: &str = "middleware.io/dev-namespace";

/// On the record (a Lease): the voters, comma-separated ordinals (leadership.md, rule 1).
pub const RECORD_VOTERS: &str = "middleware.io/voters";
/// On the record: the in-sync members, a subset of the voters.
pub const RECORD_IN_SYNC: &str = "middleware.io/in-sync";
/// On the record: the synchronous quorum `q`.
pub const RECORD_QUORUM: &str = "middleware.io/quorum";
/// On the record: the ordinal that may initialise the data, until the first initialisation.
pub const RECORD_BOOTSTRAP: &str = "middleware.io/bootstrap";

/// On an AddonSource: reconcile now when the value changes (ours).
pub const RECONCILE_REQUESTED_AT: &str = "middleware.io/requestedAt";
/// On an AddonSource: reconcile now when the value changes (as Flux users know it).
pub const FLUX_RECONCILE_REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";

/// On MiddlewareAddon: holds a version while it is in use.
pub const ADDON_FINALIZER: &str = "middleware.io/addon-in-use";
/// On App: applies the deletion policy.
pub const APP_FINALIZER: &str = "middleware.io/deletion-policy";

/// Field managers, one for each writer.
pub mod manager {
    /// The operator's addon controller.
    pub const ADDON: &str = "paamesh-addon";
    /// The operator's App controller.
    pub const APP: &str = "paamesh-app";
    /// The operator's Component controller.
    pub const COMPONENT: &str = "paamesh-component";
    /// The operator's Group controller.
    pub const GROUP: &str = "paamesh-group";
    /// The registry's source controller.
    pub const REGISTRY: &str = "paamesh-registry";
    /// An author who works on an addon: `kubectl middleware addon dev`.
    pub const DEV: &str = "kubectl-middleware-dev";
    /// The agent of a pod.
    pub const AGENT: &str = "paamesh-agent";
}
