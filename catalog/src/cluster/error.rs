//! What can go wrong between a person and a cluster, and what the person can do about it.

use super::{Hidden, proxy::Proxy};
use kube::core::Status;

/// How the platform comes into a cluster.
const INSTALL: &str = "install the platform first: helm install paamesh charts/paamesh \
                       --namespace paamesh-system --create-namespace";

/// The cluster did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterError {
    /// Nothing says which cluster.
    #[error(
        "there is no cluster to ask: no KUBECONFIG, no ~/.kube/config, and this is no pod; name a \
         kubeconfig with --kubeconfig FILE"
    )]
    NoConfig,
    /// The kubeconfig cannot be read.
    #[error(
        "the kubeconfig `{path}` cannot be read: {reason}; --kubeconfig or KUBECONFIG names another"
    )]
    Unreadable {
        /// Where it should be.
        path: String,
        /// What happened.
        reason: String,
    },
    /// The kubeconfig cannot be used.
    #[error("{reason}; does `kubectl config view` read it?")]
    Unusable {
        /// What is wrong with it.
        reason: String,
    },
    /// The kubeconfig has no such context.
    #[error("the kubeconfig has no context `{wanted}`{}", there_are(.contexts))]
    NoContext {
        /// What was asked for.
        wanted: String,
        /// What there is.
        contexts: Vec<String>,
    },
    /// The kubeconfig says no context, and neither did the person.
    #[error("the kubeconfig names no current context; choose one with --context{}", there_are(.contexts))]
    NoCurrentContext {
        /// What there is.
        contexts: Vec<String>,
    },
    /// The proxy cannot be used.
    #[error("{whence} is `{url}`, which is no proxy that can be used; want {spoken}")]
    Proxy {
        /// Where it is said to be.
        url: String,
        /// Who says so.
        whence: &'static str,
        /// What can be used.
        spoken: String,
    },
    /// The hosts to which no proxy leads cannot be read.
    #[error(
        "NO_PROXY: {reason}; want hosts, addresses and networks with commas between, such as \
         `localhost,10.0.0.0/8,.example.com`"
    )]
    NoProxy {
        /// What is wrong.
        reason: String,
    },
    /// Nobody answers.
    #[error(
        "the cluster at {server} does not answer{}: {reason}; {}", through(.proxy), is_it_up(.proxy)
    )]
    Unreachable {
        /// Its address.
        server: String,
        /// The proxy through which it was asked.
        proxy: Option<String>,
        /// What happened.
        reason: String,
    },
    /// The cluster does not know who asks.
    #[error("the cluster at {server} does not know you; log in again, as for kubectl")]
    Unauthorized {
        /// Its address.
        server: String,
    },
    /// The person may not do that.
    #[error("you may not {}; {}", .hidden.needs, whom_to_ask(&.hidden.needs))]
    Forbidden {
        /// The right that is missing.
        hidden: Hidden,
    },
    /// The platform's resources are unknown there.
    #[error(
        "the cluster at {server} has no middleware platform: it does not know its resources; {INSTALL}"
    )]
    NotInstalled {
        /// Its address.
        server: String,
    },
    /// An object is not there.
    #[error("{message}")]
    NotFound {
        /// What the cluster says.
        message: String,
    },
    /// The cluster refuses.
    #[error("the cluster refuses it: {}", .status.message)]
    Refused {
        /// What it says.
        status: Box<Status>,
    },
    /// Something else.
    #[error("asking the cluster at {server} failed: {reason}")]
    Other {
        /// Its address.
        server: String,
        /// What happened.
        reason: String,
    },
}

impl ClusterError {
    /// What `error` means, from the API server at `server`, asked through `proxy`.
    pub(super) fn of(error: kube::Error, server: &str, proxy: Option<&Proxy>) -> Self {
        let server = server.trim_end_matches('/').to_owned();
        match error {
            kube::Error::Api(status) => of_status(status, server),
            kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::ReadEvents(_) => {
                let reason = root_cause(&error);
                let proxy = proxy.map(|proxy| proxy.shown.clone());
                Self::Unreachable {
                    server,
                    proxy,
                    reason,
                }
            }
            error => Self::Other {
                server,
                reason: chain(&error),
            },
        }
    }

    /// Which right is missing, where that is all.
    pub(crate) fn hidden(&self) -> Option<&Hidden> {
        match self {
            Self::Forbidden { hidden, .. } => Some(hidden),
            _ => None,
        }
    }
}

fn of_status(status: Box<Status>, server: String) -> ClusterError {
    match status.code {
        401 => ClusterError::Unauthorized { server },
        403 => ClusterError::Forbidden {
            hidden: Hidden {
                needs: right(&status.message),
            },
        },
        // A resource that is there says what is not found; one that is not says a page.
        404 if status.details.is_none() => ClusterError::NotInstalled { server },
        404 => ClusterError::NotFound {
            message: status.message,
        },
        _ => ClusterError::Refused { status },
    }
}

/// The right that a refusal of RBAC names: `list apps.middleware.io in all namespaces` of `… cannot
/// list resource "apps" in API group "middleware.io" at the cluster scope`.
fn right(message: &str) -> String {
    let Some((_, said)) = message.split_once(" cannot ") else {
        return message.to_owned();
    };
    let verb = said.split_whitespace().next().unwrap_or_default();
    let quoted = |after: &str| {
        let (_, rest) = said.split_once(&format!("{after} \""))?;
        rest.split('"').next()
    };
    let Some(resource) = quoted("resource") else {
        return said.to_owned();
    };
    let resource = match quoted("API group") {
        None | Some("") => resource.to_owned(),
        Some(group) => format!("{resource}.{group}"),
    };
    match quoted("in the namespace") {
        Some(namespace) => format!("{verb} {resource} in {namespace}"),
        None => format!("{verb} {resource} in the whole cluster"),
    }
}

/// Who can give a right, and by which role where one has it.
fn whom_to_ask(needs: &str) -> String {
    let mut words = needs.split(' ');
    let reads = matches!(words.next(), Some("get" | "list" | "watch"));
    let of_catalog = ["addonsources", "configmaps", "middlewareaddons"];
    let resource = words.next().unwrap_or_default();
    let role = match reads && of_catalog.iter().any(|of| resource.starts_with(of)) {
        true => ", by the role paamesh-catalog-viewer for example",
        false => "",
    };
    format!("whoever administers the cluster can allow it{role}")
}

fn through(proxy: &Option<String>) -> String {
    match proxy {
        Some(proxy) => format!(" through the proxy {proxy}"),
        None => String::new(),
    }
}

fn is_it_up(proxy: &Option<String>) -> &'static str {
    match proxy {
        Some(_) => "are both up, and may the proxy lead there? `kubectl cluster-info` asks it too",
        None => {
            "is it up, and the right one? `kubectl cluster-info` asks it too, `--context` names \
             another"
        }
    }
}

fn there_are(contexts: &[String]) -> String {
    match contexts {
        [] => "; it has none".to_owned(),
        contexts => format!("; it has {}", contexts.join(", ")),
    }
}

/// The innermost error, which says most.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// All that the errors say, each once.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_which_right_is_missing() {
        let cases = [
            (
                "apps.middleware.io is forbidden: User \"jane\" cannot list resource \"apps\" in API \
                 group \"middleware.io\" at the cluster scope",
                "list apps.middleware.io in the whole cluster",
            ),
            (
                "configmaps \"x\" is forbidden: User \"jane\" cannot get resource \"configmaps\" in \
                 API group \"\" in the namespace \"paamesh-system\"",
                "get configmaps in paamesh-system",
            ),
            ("no", "no"),
        ];
        for (message, wanted) in cases {
            assert_eq!(right(message), wanted);
        }
    }
}
