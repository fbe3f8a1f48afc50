//! Which cluster is asked, and where in it: the flags of every command that needs one.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// Where these flags stand in the help.
const HEADING: &str = "Cluster";

/// Which cluster is asked, and where in it.
#[derive(Clone, Debug, Args)]
pub(crate) struct ClusterArgs {
    /// The kubeconfig; KUBECONFIG or ~/.kube/config where absent, and in a pod its service account.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = HEADING)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context in it; the current one where absent.
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    pub(crate) context: Option<String>,
    /// The namespace whose Apps count as users; every one that you may see where absent.
    #[arg(short, long, value_name = "NAME", help_heading = HEADING)]
    pub(crate) namespace: Option<String>,
    /// The platform's own namespace, where the addons' files lie.
    #[arg(long, value_name = "NAME", env = "PAAMESH_NAMESPACE",
          default_value = api::PLATFORM_NAMESPACE, help_heading = HEADING)]
    pub(crate) platform_namespace: String,
    /// Act as somebody else, where you may: `jane`, or `system:serviceaccount:<namespace>:<name>`.
    #[arg(long = "as", value_name = "USER", help_heading = HEADING)]
    pub(crate) as_user: Option<String>,
}

/// The proxy that the environment names for URLs of `scheme`, and the variable that names it.
pub(crate) fn proxy(scheme: &str) -> Option<(&'static str, String)> {
    let names = match scheme {
        "http" => ["HTTP_PROXY", "http_proxy"],
        _ => ["HTTPS_PROXY", "https_proxy"],
    };
    first(names)
}

/// The hosts for which the environment's proxy is not meant.
pub(crate) fn no_proxy() -> String {
    first(["NO_PROXY", "no_proxy"]).map_or_else(String::new, |(_, hosts)| hosts)
}

/// The first variable that says something.
fn first(names: [&'static str; 2]) -> Option<(&'static str, String)> {
    let said = |name| Some((name, std::env::var(name).ok()?));
    let mut said = names.into_iter().filter_map(said);
    said.find(|(_, value)| !value.is_empty())
}

impl Default for ClusterArgs {
    fn default() -> Self {
        Self {
            kubeconfig: None,
            context: None,
            namespace: None,
            platform_namespace: api::PLATFORM_NAMESPACE.to_owned(),
            as_user: None,
        }
    }
}
