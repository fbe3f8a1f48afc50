//! Which cluster: the kubeconfig as kubectl finds it, else the pod's service account.

use super::{
    ClusterError, error,
    proxy::{self, Proxy},
};
use crate::args::ClusterArgs;
use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use std::{path::PathBuf, time::Duration};

/// How long a cluster may take to be reached: somebody waits for it.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take. No command watches: a list of many pages is many answers.
const READ: Duration = Duration::from_secs(60);

/// What the client is made of, and through which proxy it asks.
///
/// # Errors
/// There is no kubeconfig, or it is none that can be used.
pub(super) async fn find(args: &ClusterArgs) -> Result<(Config, Option<Proxy>), ClusterError> {
    let (mut config, proxy) = match kubeconfig(args)? {
        Some(kubeconfig) => {
            let named = proxy::named(&kubeconfig, args.context.as_deref());
            let config = of_kubeconfig(kubeconfig, args, named.clone()).await?;
            let proxy = proxy::to(&config.cluster_url, named)?;
            (config, proxy)
        }
        None => (
            Config::incluster().map_err(|_| ClusterError::NoConfig)?,
            None,
        ),
    };
    // Not what kube chose: it holds NO_PROXY against the proxy's own host.
    config.proxy_url = proxy.as_ref().map(|proxy| proxy.url.clone());
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(READ);
    if args.as_user.is_some() {
        config.auth_info.impersonate.clone_from(&args.as_user);
    }
    Ok((config, proxy))
}

/// The contexts of the kubeconfig; none in a pod.
///
/// # Errors
/// It is none that can be read.
pub(super) fn contexts(args: &ClusterArgs) -> Result<Vec<String>, ClusterError> {
    let contexts = kubeconfig(args)?.map(|kubeconfig| kubeconfig.contexts);
    let contexts = contexts.unwrap_or_default().into_iter();
    Ok(contexts.map(|context| context.name).collect())
}

/// The kubeconfig, where there is one: the one that was named, else KUBECONFIG, else the usual place.
fn kubeconfig(args: &ClusterArgs) -> Result<Option<Kubeconfig>, ClusterError> {
    if let Some(path) = &args.kubeconfig {
        return Kubeconfig::read_from(path)
            .map(Some)
            .map_err(|e| unusable(&e));
    }
    match Kubeconfig::from_env().map_err(|e| unusable(&e))? {
        Some(found) => Ok(Some(found)),
        None => match usual_place().filter(|path| path.exists()) {
            Some(path) => Kubeconfig::read_from(path)
                .map(Some)
                .map_err(|e| unusable(&e)),
            None => Ok(None),
        },
    }
}

fn unusable(error: &KubeconfigError) -> ClusterError {
    match error {
        KubeconfigError::ReadConfig(cause, path) => ClusterError::Unreadable {
            path: path.display().to_string(),
            reason: cause.to_string(),
        },
        error => ClusterError::Unusable {
            reason: error::chain(error),
        },
    }
}

fn usual_place() -> Option<PathBuf> {
    let home = std::env::home_dir()?;
    Some(home.join(".kube").join("config"))
}

async fn of_kubeconfig(
    kubeconfig: Kubeconfig,
    args: &ClusterArgs,
    proxy: Option<String>,
) -> Result<Config, ClusterError> {
    let contexts: Vec<String> = kubeconfig.contexts.iter().map(|c| c.name.clone()).collect();
    let options = KubeConfigOptions {
        context: args.context.clone(),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    config.map_err(|error| match error {
        KubeconfigError::LoadContext(wanted) => ClusterError::NoContext { wanted, contexts },
        KubeconfigError::CurrentContextNotSet => ClusterError::NoCurrentContext { contexts },
        KubeconfigError::ParseProxyUrl(_) => proxy::refused(proxy),
        KubeconfigError::ParseNoProxy(error) => ClusterError::NoProxy {
            reason: error.to_string(),
        },
        error => unusable(&error),
    })
}
