//! The cluster, asked with the person's own rights.
//!
//! In: a kubeconfig as kubectl reads it, or the service account of the pod this runs in. Out: a
//! client, lists in pages, and errors that say what to do. What one may not see is [`Hidden`], and
//! never a failure of what one may see.

mod config;
mod error;
mod hidden;
mod proxy;

pub(crate) use error::ClusterError;
pub(crate) use hidden::{Hidden, Seen};

use crate::args::ClusterArgs;
use kube::{Api, Client, api::ListParams};
use proxy::Proxy;
use serde::de::DeserializeOwned;
use std::{fmt::Debug, future::Future, sync::Once};

/// How many objects one request lists.
const PAGE: u32 = 500;

/// A cluster, and where in it.
#[derive(Clone)]
pub(crate) struct Cluster {
    /// The client, with the person's rights.
    pub(crate) client: Client,
    /// The API server's address, for messages.
    pub(crate) server: String,
    /// The proxy through which it is asked.
    proxy: Option<Proxy>,
    /// The namespace of the context.
    pub(crate) namespace: String,
    /// The one namespace that was asked for, where one was.
    pub(crate) only: Option<String>,
    /// The platform's namespace, where content lies.
    pub(crate) platform: String,
}

impl Cluster {
    /// The cluster that `args` mean. Nothing is asked of it yet.
    ///
    /// # Errors
    /// There is no kubeconfig, or it is none that can be used.
    pub(crate) async fn connect(args: &ClusterArgs) -> Result<Self, ClusterError> {
        install_crypto();
        let (config, proxy) = config::find(args).await?;
        let (server, namespace) = (
            config.cluster_url.to_string(),
            config.default_namespace.clone(),
        );
        let client = Client::try_from(config);
        let client = client.map_err(|error| ClusterError::of(error, &server, proxy.as_ref()))?;
        Ok(Self {
            client,
            server: server.trim_end_matches('/').to_owned(),
            proxy,
            namespace,
            only: args.namespace.clone(),
            platform: args.platform_namespace.clone(),
        })
    }

    /// The contexts of the kubeconfig that `args` mean.
    ///
    /// # Errors
    /// It is none that can be read.
    pub(crate) fn contexts(args: &ClusterArgs) -> Result<Vec<String>, ClusterError> {
        config::contexts(args)
    }

    /// What the error means in this cluster.
    pub(crate) fn error(&self, error: kube::Error) -> ClusterError {
        ClusterError::of(error, &self.server, self.proxy.as_ref())
    }

    /// All objects that `params` select, page by page.
    ///
    /// # Errors
    /// The API server did not list them.
    pub(crate) async fn list<K>(
        &self,
        api: &Api<K>,
        params: ListParams,
    ) -> Result<Vec<K>, ClusterError>
    where
        K: Clone + Debug + DeserializeOwned,
    {
        let mut params = params.limit(PAGE);
        let mut all = Vec::new();
        loop {
            let page = api.list(&params).await.map_err(|e| self.error(e))?;
            all.extend(page.items);
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(all),
            }
        }
    }
}

/// Runs `work` to its end in this thread.
///
/// # Errors
/// Those of `work`, or that the system gives no runtime.
pub(crate) fn wait<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}

/// rustls asks for one provider for the whole process; the first call decides.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
