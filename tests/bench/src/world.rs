//! A control plane of one's own, the platform's programs on it, and what is awaited there.

use crate::processes::Service;
use anyhow::{Context as _, Result, bail};
use api::{
    AddonSource, MiddlewareAddon,
    conditions::{READY, is_true},
    crd::addon::AddonPhase,
    labels,
};
use futures::TryStreamExt as _;
use kit::ControlPlane;
use kube::{
    Api, Client, ResourceExt as _,
    api::{Patch, PatchParams},
    client::Body,
    runtime::{WatchStreamExt as _, watcher},
};
use serde_json::json;
use std::{
    collections::HashSet,
    path::Path,
    time::{Duration, Instant},
};

/// The longest that anything is waited for.
const PATIENCE: Duration = Duration::from_mins(15);

pub struct World<'a> {
    pub cp: ControlPlane,
    pub client: Client,
    pub namespace: String,
    paamesh: &'a Path,
}

impl<'a> World<'a> {
    pub async fn new(paamesh: &'a Path) -> Result<Self> {
        let cp = ControlPlane::start().await?;
        cp.install_crds().await?;
        Ok(Self {
            client: cp.client_as("bench").await?,
            namespace: cp.namespace("platform").await?,
            paamesh,
            cp,
        })
    }

    /// Operator and registry.
    pub async fn platform(&self) -> Result<(Service, Service)> {
        let operator = &["--agent-image", "agent:none"];
        let operator = self.start("operator", operator).await?;
        let data = self.cp.directory().join("data");
        let data = data.to_str().context("the path is UTF-8")?;
        let registry = &["--data-dir", data, "--webhook-listen", ""];
        Ok((operator, self.start("registry", registry).await?))
    }

    async fn start(&self, name: &str, flags: &[&str]) -> Result<Service> {
        Service::start(self.paamesh, name, &self.cp, &self.namespace, flags).await
    }

    pub fn sources(&self) -> Api<AddonSource> {
        Api::all(self.client.clone())
    }

    /// Until `number` sources are Ready; a watch, because it costs the API server little.
    pub async fn all_ready(&self, number: usize) -> Result<()> {
        let mut ready = HashSet::new();
        let waiting = self.watched(|source| {
            let status = source.status.as_ref();
            if status.is_some_and(|status| is_true(&status.conditions, READY)) {
                ready.insert(source.name_any());
            }
            ready.len() >= number
        });
        waiting.await.context("waiting for sources to be Ready")
    }

    /// Asks the source to look now; the word by which it says that it did.
    pub async fn reconcile_now(&self, source: &str) -> Result<String> {
        let now = format!("{:?}", std::time::SystemTime::now());
        let patch = json!({"metadata": {"annotations": {labels::RECONCILE_REQUESTED_AT: now}}});
        let patch = Patch::Merge(patch);
        let params = PatchParams::default();
        self.sources().patch(source, &params, &patch).await?;
        Ok(now)
    }

    /// Asks the source to look now, and waits until it did.
    pub async fn looked(&self, source: &str) -> Result<()> {
        let now = self.reconcile_now(source).await?;
        let done = self.watched(|seen| {
            let status = seen.status.as_ref();
            let handled = status.and_then(|status| status.last_handled_reconcile_at.as_deref());
            seen.name_any() == source && handled == Some(&*now)
        });
        done.await.context("waiting for a look")
    }

    /// Until `enough` says so of a source.
    async fn watched(&self, mut enough: impl FnMut(&AddonSource) -> bool) -> Result<()> {
        let changes = watcher(self.sources(), watcher::Config::default()).touched_objects();
        let mut changes = std::pin::pin!(changes);
        let mut last = None;
        let waiting = async {
            while let Some(source) = changes.try_next().await? {
                if enough(&source) {
                    return anyhow::Ok(());
                }
                last = Some((source.name_any(), source.status));
            }
            bail!("the watch ended")
        };
        let ended = tokio::time::timeout(PATIENCE, waiting).await;
        ended.unwrap_or_else(|_| bail!("not within {PATIENCE:?}; last seen: {last:?}"))
    }

    /// What of etcd `versions` versions take each, by kind: all objects as they are stored there, our
    /// kinds as JSON, ConfigMaps as protobuf.
    pub async fn stored(&self, versions: usize) -> Result<String> {
        const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
        let ours = |kind: &str| {
            (
                format!("/apis/{}/{kind}", api::API_VERSION),
                "application/json",
            )
        };
        let content = format!(
            "/api/v1/namespaces/{}/configmaps?labelSelector={}",
            self.namespace,
            labels::SECTION
        );
        let kinds = [
            ("content", (content, PROTOBUF)),
            ("MiddlewareAddon", ours("middlewareaddons")),
            ("ledger", ours("addonledgers")),
        ];
        let (mut all, mut parts) = (0.0, Vec::new());
        for (name, (path, accept)) in kinds {
            let request = http::Request::get(path).header("accept", accept);
            let answer = self.client.send(request.body(Body::empty())?).await?;
            let bytes = answer.into_body().collect_bytes().await?.len();
            let kibibytes = bytes as f64 / 1024.0 / versions as f64;
            all += kibibytes;
            parts.push(format!("{name} {kibibytes:.1}"));
        }
        Ok(format!("{all:.1} KiB ({})", parts.join(", ")))
    }

    /// Until the version is Active.
    pub async fn active(&self, name: &str) -> Result<()> {
        let addons = Api::<MiddlewareAddon>::all(self.client.clone());
        let begun = Instant::now();
        loop {
            let addon = addons.get_opt(name).await?;
            let phase = addon.and_then(|addon| addon.status?.phase);
            if phase == Some(AddonPhase::Active) {
                return Ok(());
            }
            anyhow::ensure!(begun.elapsed() < PATIENCE, "{name} is {phase:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
