//! Many versions in the catalog: what operator and registry hold of them.

use crate::{addon, table::Table, world::World};
use anyhow::Result;
use api::{AddonLedger, AddonLedgerSpec, MiddlewareAddon};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client, ResourceExt as _,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use std::{collections::BTreeMap, path::Path, time::Duration};

/// Versions of each plugin.
const EACH: usize = 50;
const MAKING: usize = 16;

/// Measures and prints a table.
pub async fn measure(paamesh: &Path, number: usize) -> Result<()> {
    let world = World::new(paamesh).await?;
    let plugins = (0..number.div_ceil(EACH)).map(|n| {
        let (client, namespace) = (world.client.clone(), world.namespace.clone());
        async move { plugin(&client, &namespace, &addon::name("p", n)).await }
    });
    let () = stream::iter(plugins)
        .buffer_unordered(MAKING)
        .try_collect()
        .await?;
    let mut table = Table::default();
    let (operator, registry) = world.platform().await?;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let versions = number.div_ceil(EACH) * EACH;
    for (name, service) in [("operator", &operator), ("registry", &registry)] {
        table.row(
            format!("resident memory of the {name}, {versions} versions (bound 100 MiB)"),
            format!("{:.1} MiB", service.memory()?),
        );
    }
    table.row(
        format!("etcd for each of {EACH} versions that share all but the manifest"),
        world.stored(versions).await?,
    );
    table.print();
    Ok(())
}

/// All versions of one plugin, published as the operator would have.
async fn plugin(client: &Client, namespace: &str, plugin: &str) -> Result<()> {
    let post = PostParams::default();
    let content = Api::<ConfigMap>::namespaced(client.clone(), namespace);
    let addons = Api::<MiddlewareAddon>::all(client.clone());
    let mut entries = BTreeMap::new();
    for minor in 0..EACH {
        let package = addon::package(addon::tree(plugin, minor)?)?;
        let objects = registry::projection(&package, &addon::origin(&package), namespace);
        for object in &objects.content {
            match content.create(&post, object).await {
                Err(kube::Error::Api(status)) if status.is_already_exists() => {}
                done => drop(done?),
            }
        }
        entries.insert(package.manifest.version.to_string(), package.digest.clone());
        addons.create(&post, &objects.addon).await?;
        let status = json!({
            "apiVersion": api::API_VERSION, "kind": "MiddlewareAddon",
            "status": {
                "phase": "Active", "digest": package.digest, "runtimeVersions": ["1.6.18"],
                "runtimes": "1.6.18", "topologies": ["default"], "topologyNames": "default", "users": 0,
            },
        });
        let params = PatchParams::apply("bench").force();
        addons
            .patch_status(&objects.addon.name_any(), &params, &Patch::Apply(status))
            .await?;
    }
    let ledger = AddonLedger::new(plugin, AddonLedgerSpec { entries });
    Api::<AddonLedger>::all(client.clone())
        .create(&post, &ledger)
        .await?;
    Ok(())
}
