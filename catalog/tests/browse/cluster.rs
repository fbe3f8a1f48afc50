//! One API server with a small catalog: what the operator would have written stands there, written by
//! this test, as nothing else is at work.

use anyhow::{Context as _, Result};
use api::{App, MiddlewareAddon};
use k8s_openapi::api::{
    core::v1::{ConfigMap, Namespace},
    rbac::v1::{ClusterRole, ClusterRoleBinding},
};
use kit::ControlPlane;
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use package::Tree;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::Path;
use tokio::sync::OnceCell;

const PLATFORM: &str = "paamesh-system";

/// The API server that all tests share.
pub struct Cluster {
    plane: ControlPlane,
}

impl Cluster {
    pub async fn shared() -> Result<&'static Self> {
        static SHARED: OnceCell<Cluster> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    async fn start() -> Result<Self> {
        let plane = ControlPlane::start().await?;
        plane.install_crds().await?;
        let cluster = Self { plane };
        cluster.fill().await?;
        Ok(cluster)
    }

    async fn fill(&self) -> Result<()> {
        let client = self.plane.client().await?;
        for name in [PLATFORM, "team-a"] {
            create::<Namespace>(
                Api::all(client.clone()),
                json!({"metadata": {"name": name}}),
            )
            .await?;
        }
        let addons = kit::root().join("addons");
        publish(&client, &addons.join("redis/1.0.0"), json!([])).await?;
        publish(&client, &addons.join("redis/1.1.0"), json!(["1.0.x"])).await?;
        publish(&client, &addons.join("postgresql/1.0.0"), json!([])).await?;
        app(&client).await?;
        lister(&client).await
    }

    /// The command line of the browser with `arguments`.
    pub fn browse(&self, arguments: &str) -> String {
        let kubeconfig = self.plane.kubeconfig();
        let binary = env!("CARGO_BIN_EXE_kubectl-middleware");
        format!(
            "{binary} catalog browse --kubeconfig {} {arguments}",
            kubeconfig.display()
        )
    }

    /// The same with the API server said to be at `address`.
    pub fn browse_at(&self, address: &str) -> String {
        let elsewhere = self.plane.directory().join("elsewhere");
        let text = std::fs::read_to_string(self.plane.kubeconfig()).unwrap();
        let server = regex::Regex::new("server: .*").unwrap();
        let text = server.replace(&text, format!("server: https://{address}"));
        std::fs::write(&elsewhere, text.as_ref()).unwrap();
        let binary = env!("CARGO_BIN_EXE_kubectl-middleware");
        format!(
            "{binary} catalog browse --kubeconfig {}",
            elsewhere.display()
        )
    }

    /// Says of a version that it is withdrawn; that it is not, where `why` is empty.
    pub async fn withdraw(&self, name: &str, why: &str) -> Result<()> {
        let why = if why.is_empty() {
            Value::Null
        } else {
            json!(why)
        };
        let patch = Patch::Merge(json!({"spec": {"lifecycle": {"withdrawn": why}}}));
        let addons = Api::<MiddlewareAddon>::all(self.plane.client().await?);
        addons.patch(name, &PatchParams::default(), &patch).await?;
        Ok(())
    }
}

/// A shipped addon as the registry and the operator would have left it.
async fn publish(client: &Client, directory: &Path, upgrade_from: Value) -> Result<()> {
    let tree = tree(directory)?;
    let manifest = package::load(tree.clone())
        .context("a shipped addon")?
        .manifest;
    let mut content = Vec::new();
    for (section, files) in tree.sections() {
        let digest = package::section_digest(&files, section);
        let name = format!("{}-{section}-{}", manifest.name, digest.short(12));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let data: Value = files
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), json!(text(bytes))))
            .collect();
        let object = json!({"metadata": {"name": name}, "immutable": true, "data": data});
        let objects = Api::<ConfigMap>::namespaced(client.clone(), PLATFORM);
        // Versions share what does not differ.
        if objects.get_opt(&name).await?.is_none() {
            create(objects, object).await?;
        }
        content
            .push(json!({"section": section, "kind": "ConfigMap", "name": name, "digest": digest}));
    }
    let (plugin, version) = (manifest.name.to_string(), manifest.version.to_string());
    let name = format!("{plugin}-{version}");
    let addons = Api::<MiddlewareAddon>::all(client.clone());
    let spec = json!({"plugin": plugin, "version": version, "content": content});
    create(
        addons.clone(),
        json!({"metadata": {"name": name}, "spec": spec}),
    )
    .await?;
    let users = i32::from(name == "redis-1.0.0");
    let status = json!({"status": {
        "phase": "Active", "digest": tree.digest(), "users": users, "upgradeFrom": upgrade_from,
        "runtimeVersions": manifest.runtime_versions(), "topologies": manifest.topology_names(),
    }});
    addons
        .patch_status(&name, &PatchParams::default(), &Patch::Merge(status))
        .await?;
    Ok(())
}

fn tree(directory: &Path) -> Result<Tree> {
    let mut files = Vec::new();
    for folder in ["", "scripts", "templates", "schema"] {
        let Ok(entries) = std::fs::read_dir(directory.join(folder)) else {
            continue;
        };
        for path in entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
        {
            let name = path
                .strip_prefix(directory)?
                .to_str()
                .context("a name")?
                .to_owned();
            files.push((name, std::fs::read(&path)?));
        }
    }
    Tree::from_files(files).map_err(|findings| anyhow::anyhow!("{findings:?}"))
}

/// An App that uses the older version of redis.
async fn app(client: &Client) -> Result<()> {
    let apps = Api::<App>::namespaced(client.clone(), "team-a");
    let spec = json!({"plugin": "redis", "pluginVersion": "1.0.0"});
    create(
        apps.clone(),
        json!({"metadata": {"name": "cache"}, "spec": spec}),
    )
    .await?;
    let pin = json!({
        "pluginVersion": "1.0.0", "digest": format!("sha256:{}", "0".repeat(64)),
        "runtimeVersion": "7.0.15", "topology": "standalone",
    });
    let status = json!({"status": {"phase": "Running", "pin": pin}});
    apps.patch_status("cache", &PatchParams::default(), &Patch::Merge(status))
        .await?;
    Ok(())
}

/// Somebody who may list versions, and nothing else.
async fn lister(client: &Client) -> Result<()> {
    let rules = json!([{"apiGroups": ["middleware.io"], "resources": ["middlewareaddons"], "verbs": ["list"]}]);
    let role = json!({"metadata": {"name": "lister"}, "rules": rules});
    create::<ClusterRole>(Api::all(client.clone()), role).await?;
    let group = "rbac.authorization.k8s.io";
    let binding = json!({
        "metadata": {"name": "lister"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "lister"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "lister"}],
    });
    create::<ClusterRoleBinding>(Api::all(client.clone()), binding).await
}

async fn create<K>(api: Api<K>, object: Value) -> Result<()>
where
    K: Clone + std::fmt::Debug + serde::Serialize + DeserializeOwned,
{
    let object: K = serde_json::from_value(object)?;
    api.create(&PostParams::default(), &object).await?;
    Ok(())
}
