//! A bare client: for each artifact it pulls what a source pulls and writes what the platform writes,
//! 16 at a time, and neither checks nor watches anything. What the API server takes for the writes is
//! the floor under every controller.

use crate::addon;
use anyhow::{Context, Result};
use api::{
    AddonLedger, AddonLedgerSpec, AddonSource, MiddlewareAddon,
    conditions::{READY, Said, Time, merge},
    events::Happened,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::{
    api::{core::v1::ConfigMap, events::v1::Event},
    jiff::Timestamp,
};
use kube::{
    Api, Client, Resource as _, ResourceExt as _,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use transport::{
    Content,
    oci::{Artifacts, Remote},
};

/// How many artifacts are under way.
const IN_FLIGHT: usize = 16;
/// How often it writes for one artifact whose version has four sections.
pub const WRITES: usize = 9;

/// Does for every one of `remotes` what the platform does; says how long it took.
pub async fn run(client: &Client, namespace: &str, remotes: Vec<Remote>) -> Result<Duration> {
    let artifacts = Arc::new(Artifacts::new());
    let begun = Instant::now();
    let work = remotes.into_iter().enumerate().map(|(n, remote)| {
        let (client, artifacts) = (client.clone(), artifacts.clone());
        async move {
            let tree = tokio::task::spawn_blocking(move || pulled(&artifacts, &remote)).await??;
            written(&client, namespace, n, tree).await
        }
    });
    let () = stream::iter(work)
        .buffer_unordered(IN_FLIGHT)
        .try_collect()
        .await?;
    Ok(begun.elapsed())
}

fn pulled(artifacts: &Artifacts, remote: &Remote) -> Result<package::Tree> {
    let revisions = artifacts.resolve(remote)?;
    let revision = revisions.last().context("no version")?;
    match artifacts.content(remote, &revision.digest)? {
        Content::Files(files) => {
            package::Tree::from_files(files).map_err(|findings| anyhow::anyhow!("{findings:?}"))
        }
        other => anyhow::bail!("{other:?}"),
    }
}

async fn written(client: &Client, namespace: &str, n: usize, tree: package::Tree) -> Result<()> {
    let package = addon::package(tree)?;
    let post = PostParams::default();
    let (name, version) = (
        package.manifest.name.clone(),
        package.manifest.version.clone(),
    );
    let objects = objects(&package, namespace);
    let content = Api::<ConfigMap>::namespaced(client.clone(), namespace);
    let create = |object: ConfigMap| {
        let (content, post) = (content.clone(), post.clone());
        async move { content.create(&post, &object).await }
    };
    let creating: Vec<_> = objects.0.into_iter().map(create).collect();
    let created = futures::future::try_join_all(creating).await?;
    anyhow::ensure!(created.len() == WRITES - 5, "{} sections", created.len());
    let addons = Api::<MiddlewareAddon>::all(client.clone());
    addons.create(&post, &objects.1).await?;
    let entries = BTreeMap::from([(version.to_string(), package.digest.clone())]);
    let ledger = AddonLedger::new(name.as_str(), AddonLedgerSpec { entries });
    Api::<AddonLedger>::all(client.clone())
        .create(&post, &ledger)
        .await?;
    let ready = conditions();
    status(
        &addons,
        &objects.1.name_any(),
        json!({"phase": "Active", "digest": package.digest, "conditions": ready}),
    )
    .await?;
    let sources = Api::<AddonSource>::all(client.clone());
    let source = AddonSource {
        metadata: kube::core::ObjectMeta {
            name: Some(addon::name("p", n)),
            ..Default::default()
        },
        ..serde_json::from_value(json!({"metadata": {}, "spec": {"oci": {"url": "oci://x"}}}))?
    };
    let name = source.name_any();
    status(
        &sources,
        &name,
        json!({"revision": "1.0.0", "versions": 1, "conditions": conditions()}),
    )
    .await?;
    let happened = Happened::normal("Synced", "Reconcile", "1.0.0: 1 version published");
    let event = api::events::event("bare", source.object_ref(&()), &happened, Timestamp::now());
    Api::<Event>::namespaced(client.clone(), "default")
        .create(&post, &event)
        .await?;
    Ok(())
}

fn objects(package: &package::Package, namespace: &str) -> (Vec<ConfigMap>, MiddlewareAddon) {
    let projection = registry::projection(package, &addon::origin(package), namespace);
    (projection.content, projection.addon)
}

fn conditions() -> serde_json::Value {
    let ready = Said::yes(READY, "Published", "published");
    json!(merge(&[], vec![ready], Some(1), &Time(Timestamp::now())))
}

async fn status<K>(api: &Api<K>, name: &str, status: serde_json::Value) -> Result<()>
where
    K: kube::Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let patch = json!({"apiVersion": api::API_VERSION, "kind": K::kind(&()), "status": status});
    let params = PatchParams::apply("bare").force();
    api.patch_status(name, &params, &Patch::Apply(patch))
        .await?;
    Ok(())
}
