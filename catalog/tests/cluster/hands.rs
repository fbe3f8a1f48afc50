//! What registry, operator and people write, written by a test.

use crate::world::{PLATFORM, World};
use anyhow::Result;
use api::{AddonSource, App, MiddlewareAddon};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use package::{Manifest, Package, Tree};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Debug};

/// A client with all rights.
pub struct Hands {
    pub client: Client,
}

/// What is said of a version beside its files.
#[derive(Default)]
pub struct Said {
    pub lifecycle: Value,
    /// The AddonSource that brought it; none made it by hand.
    pub source: Option<&'static str>,
    pub signer: Option<&'static str>,
    pub users: usize,
    /// Phase, reason and message, where it is not Active.
    pub phase: Option<(&'static str, &'static str, &'static str)>,
}

impl Hands {
    pub async fn new(world: &World) -> Result<Self> {
        let client = world.plane.client().await?;
        Ok(Self { client })
    }

    pub async fn namespace(&self, name: &str) -> Result<()> {
        let namespace = json!({"metadata": {"name": name}});
        self.create(Api::<Namespace>::all(self.client.clone()), namespace)
            .await
    }

    /// Content, MiddlewareAddon and status of the version that the files are.
    pub async fn publish(&self, files: &[(&str, &str)], said: Said) -> Result<()> {
        let files = files.iter();
        let files = files.map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        let tree = Tree::from_files(files).unwrap();
        let package = package::load(tree).unwrap();
        let name = format!("{}-{}", package.manifest.name, package.manifest.version);
        let content = self.content(&package, &name).await?;
        self.addon(&package, &name, content, &said).await?;
        self.addon_status(&package, &name, &said).await
    }

    async fn content(&self, package: &Package, name: &str) -> Result<Vec<Value>> {
        let mut content = Vec::new();
        for (section, files) in package.tree.sections() {
            let digest = package::section_digest(&files, section);
            let object = format!("{name}-{section}");
            let data: BTreeMap<&str, &str> = files
                .iter()
                .map(|(file, bytes)| (*file, std::str::from_utf8(bytes).unwrap()))
                .collect();
            let map = json!({"metadata": {"name": object}, "immutable": true, "data": data});
            let maps = Api::<ConfigMap>::namespaced(self.client.clone(), PLATFORM);
            self.create(maps, map).await?;
            content.push(json!({
                "section": section, "kind": "ConfigMap", "name": object, "digest": digest,
            }));
        }
        Ok(content)
    }

    async fn addon(
        &self,
        package: &Package,
        name: &str,
        content: Vec<Value>,
        said: &Said,
    ) -> Result<()> {
        let Manifest {
            name: plugin,
            version,
            ..
        } = &package.manifest;
        let mut metadata = json!({"name": name});
        if let Some(source) = said.source {
            let provenance = json!({
                "plugin": plugin, "version": version, "digest": package.digest, "source": source,
                "url": "https://git.example.com/platform.git",
                "revision": "main@sha1:0123456789012345678901234567890123456789",
                "directory": format!("addons/{plugin}/{version}"),
            });
            metadata["labels"] = json!({"middleware.io/source": source});
            metadata["annotations"] = json!({"middleware.io/provenance": provenance.to_string()});
        }
        let mut spec = json!({
            "plugin": plugin, "version": version, "digest": package.digest, "content": content,
        });
        if said.lifecycle != Value::Null {
            spec["lifecycle"] = said.lifecycle.clone();
        }
        let addon = json!({"metadata": metadata, "spec": spec});
        self.create(Api::<MiddlewareAddon>::all(self.client.clone()), addon)
            .await
    }

    async fn addon_status(&self, package: &Package, name: &str, said: &Said) -> Result<()> {
        let (phase, reason, message) = said.phase.unwrap_or(("Active", "Published", "published"));
        let ready = if phase == "Active" { "True" } else { "False" };
        let manifest = &package.manifest;
        let migrations = manifest.migrate_from.iter();
        let migrations =
            migrations.map(|(runtime, from)| json!({"runtime": runtime, "from": from}));
        let mut status = json!({
            "phase": phase, "signer": said.signer,
            "conditions": [condition("Ready", ready, reason, message)],
        });
        if phase == "Active" {
            let all = json!({
                "digest": package.digest,
                "runtimeVersions": manifest.runtime_versions(),
                "topologies": manifest.topology_names(),
                "upgradeFrom": manifest.upgrade_from,
                "migrateFrom": migrations.collect::<Vec<_>>(),
                "users": said.users,
            });
            let fields = status.as_object_mut().unwrap();
            fields.extend(all.as_object().unwrap().clone());
        }
        let patch = Patch::Merge(json!({"status": status}));
        let addons = Api::<MiddlewareAddon>::all(self.client.clone());
        addons
            .patch_status(name, &PatchParams::default(), &patch)
            .await?;
        Ok(())
    }

    /// An App that is pinned and runs.
    pub async fn app(&self, at: &str, plugin: &str, version: &str, topology: &str) -> Result<()> {
        let (namespace, name) = at.split_once('/').unwrap();
        let apps = Api::<App>::namespaced(self.client.clone(), namespace);
        let spec = json!({"plugin": plugin, "pluginVersion": version});
        self.create(
            apps.clone(),
            json!({"metadata": {"name": name}, "spec": spec}),
        )
        .await?;
        let digest = format!("sha256:{}", "0".repeat(64));
        let pin = json!({
            "pluginVersion": version, "digest": digest, "runtimeVersion": "7.2.4",
            "topology": topology,
        });
        let patch = Patch::Merge(json!({"status": {"phase": "Running", "pin": pin}}));
        apps.patch_status(name, &PatchParams::default(), &patch)
            .await?;
        Ok(())
    }

    pub fn sources(&self) -> Api<AddonSource> {
        Api::all(self.client.clone())
    }

    pub async fn source(&self, name: &str, spec: Value) -> Result<()> {
        self.create(
            self.sources(),
            json!({"metadata": {"name": name}, "spec": spec}),
        )
        .await
    }

    /// What the registry says of a source, for its present generation and request.
    pub async fn source_says(&self, name: &str, mut status: Value) -> Result<()> {
        let source = self.sources().get(name).await?;
        let asked = source.metadata.annotations.unwrap_or_default();
        let asked = asked.get(api::labels::RECONCILE_REQUESTED_AT);
        status["observedGeneration"] = json!(source.metadata.generation);
        status["lastHandledReconcileAt"] = json!(asked);
        let patch = Patch::Merge(json!({"status": status}));
        self.sources()
            .patch_status(name, &PatchParams::default(), &patch)
            .await?;
        Ok(())
    }

    async fn create<K>(&self, api: Api<K>, object: Value) -> Result<()>
    where
        K: kube::Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize,
    {
        let object: K = serde_json::from_value(object)?;
        api.create(&PostParams::default(), &object).await?;
        Ok(())
    }
}

/// A condition, as controllers write it.
pub fn condition(type_: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({
        "type": type_, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    })
}

/// The conditions of a source that is Ready.
pub fn ready(message: &str) -> Value {
    json!([condition("Ready", "True", "Synced", message)])
}

/// The conditions of a source that cannot go on.
pub fn stalled(reason: &str, message: &str) -> Value {
    json!([
        condition("Ready", "False", reason, message),
        condition("Stalled", "True", reason, message),
    ])
}

/// The conditions of a source at work, for `reason`.
pub fn at_work(reason: &str, message: &str) -> Value {
    json!([
        condition("Ready", "False", reason, message),
        condition("Reconciling", "True", "Progressing", message),
    ])
}
