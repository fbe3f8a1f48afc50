//! One API server and one operator for all tests, which keep apart by namespace and plugin.

use anyhow::{Context as _, Result, ensure};
use api::{App, MiddlewareAddon, crd::addon::AddonPhase};
use futures::FutureExt as _;
use k8s_openapi::api::{
    core::v1::{ConfigMap, Namespace, Pod},
    rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
};
use kit::{ControlPlane, eventually};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use package::graph::Dev;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{OnceCell, oneshot, watch};

const SOON: Duration = Duration::from_secs(60);
const PLATFORM: &str = "paamesh-system";

/// A namespace, and a plugin of the same name.
pub struct World {
    plane: &'static ControlPlane,
    client: Client,
    pub name: String,
}

async fn plane() -> Result<&'static ControlPlane> {
    static PLANE: OnceCell<ControlPlane> = OnceCell::const_new();
    let make = async || {
        let plane = ControlPlane::start_with_controllers().await?;
        plane.install_crds().await?;
        namespace(&plane.client().await?, PLATFORM).await?;
        let (started, filled) = oneshot::channel();
        let kubeconfig = plane.kubeconfig();
        // A runtime of its own: it outlives the test that was first.
        std::thread::spawn(move || operate(&kubeconfig, started));
        filled.await.context("the operator did not start")?;
        anyhow::Ok(plane)
    };
    PLANE.get_or_try_init(make).await
}

fn operate(kubeconfig: &Path, started: oneshot::Sender<()>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async move {
        let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
        let options = kube::config::KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options);
        let client = Client::try_from(config.await.unwrap()).unwrap();
        let settings = operator::Settings {
            namespace: PLATFORM.to_owned(),
            agent_image: "agent:test".to_owned(),
            workers: 4,
            reconcile_timeout: Duration::from_secs(60),
        };
        let (ready, mut filled) = watch::channel(false);
        tokio::spawn(async move {
            filled.wait_for(|filled| *filled).await.unwrap();
            started.send(()).unwrap();
        });
        let metrics = operator::register(&mut prometheus_client::registry::Registry::default());
        let shutdown = std::future::pending().boxed().shared();
        operator::run(
            client,
            settings,
            Arc::new(evaluate::Host),
            metrics,
            ready,
            shutdown,
        )
        .await
        .unwrap();
    });
}

async fn namespace(client: &Client, name: &str) -> Result<()> {
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
    Api::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await?;
    Ok(())
}

/// All rules of the chart's roles of a kind.
fn rules(chart: &str, kind: &str) -> Result<Value> {
    let mut all = Vec::new();
    let marked = format!("kind: {kind}\n");
    for document in chart.split("\n---\n").filter(|text| text.contains(&marked)) {
        let (_, rules) = document.split_once("\nrules:").context("rules")?;
        let rules: Value = serde_saphyr::from_str(&format!("rules:{rules}"))?;
        all.extend(rules["rules"].as_array().context("a list")?.clone());
    }
    ensure!(!all.is_empty(), "no {kind} in the chart");
    Ok(all.into())
}

fn binding(kind: &str) -> Value {
    let group = "rbac.authorization.k8s.io";
    json!({
        "metadata": {"name": "author"},
        "roleRef": {"apiGroup": group, "kind": kind, "name": "author"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "author"}],
    })
}

async fn create<K>(api: Api<K>, object: Value) -> Result<()>
where
    K: Clone + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    let object: K = serde_json::from_value(object)?;
    api.create(&PostParams::default(), &object).await?;
    Ok(())
}

impl World {
    pub async fn of(name: &str) -> Result<Self> {
        let plane = plane().await?;
        let client = plane.client().await?;
        namespace(&client, name).await?;
        Ok(Self {
            plane,
            client,
            name: name.to_owned(),
        })
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.plane.kubeconfig()
    }

    fn apps(&self) -> Api<App> {
        Api::namespaced(self.client.clone(), &self.name)
    }

    pub async fn app(&self, name: &str) -> Result<App> {
        Ok(self.apps().get(name).await?)
    }

    pub async fn make_app(&self, name: &str, spec: Value) -> Result<()> {
        self.make_labelled(name, json!({}), spec).await
    }

    pub async fn make_labelled(&self, name: &str, labels: Value, spec: Value) -> Result<()> {
        let app = json!({"metadata": {"name": name, "labels": labels}, "spec": spec});
        let app: App = serde_json::from_value(app)?;
        self.apps().create(&PostParams::default(), &app).await?;
        Ok(())
    }

    /// Lets `author` do what the chart's roles for catalog, addons and Apps allow, and nothing else.
    pub async fn let_author(&self) -> Result<()> {
        let chart = kit::root().join("charts/paamesh/templates/rbac-people.yaml");
        let chart = std::fs::read_to_string(chart)?;
        let (everywhere, platform) = (rules(&chart, "ClusterRole")?, rules(&chart, "Role")?);
        let edit = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]);
        let client = &self.client;
        let cluster = json!({"metadata": {"name": "author"}, "rules": everywhere});
        create::<ClusterRole>(Api::all(client.clone()), cluster).await?;
        create::<ClusterRoleBinding>(Api::all(client.clone()), binding("ClusterRole")).await?;
        for (namespace, rules) in [(PLATFORM, platform), (&self.name, edit)] {
            let role = json!({"metadata": {"name": "author"}, "rules": rules});
            create::<Role>(Api::namespaced(client.clone(), namespace), role).await?;
            let bindings = Api::<RoleBinding>::namespaced(client.clone(), namespace);
            create(bindings, binding("Role")).await?;
        }
        Ok(())
    }

    /// Publishes an addon's directory by hand, under the version that its manifest names.
    pub async fn publish(&self, directory: &Path, version: &str) -> Result<()> {
        let mut content = Vec::new();
        for (section, folder) in [
            ("manifest", ""),
            ("scripts", "scripts"),
            ("templates", "templates"),
        ] {
            let mut files = serde_json::Map::new();
            for entry in std::fs::read_dir(directory.join(folder))? {
                let path = entry?.path();
                if path.is_file() {
                    let name = path
                        .file_name()
                        .context("a name")?
                        .to_string_lossy()
                        .into_owned();
                    files.insert(name, json!(std::fs::read_to_string(&path)?));
                }
            }
            let name = format!("{}-{version}-{section}", self.name);
            let object = json!({"metadata": {"name": name}, "immutable": true, "data": files});
            let object: ConfigMap = serde_json::from_value(object)?;
            let objects = Api::namespaced(self.client.clone(), PLATFORM);
            objects.create(&PostParams::default(), &object).await?;
            content.push(json!({"section": section, "kind": "ConfigMap", "name": name}));
        }
        let name = format!("{}-{version}", self.name);
        let spec = json!({"plugin": self.name, "version": version, "content": content});
        let addon = json!({"metadata": {"name": name}, "spec": spec});
        let addon: MiddlewareAddon = serde_json::from_value(addon)?;
        let addons = Api::<MiddlewareAddon>::all(self.client.clone());
        addons.create(&PostParams::default(), &addon).await?;
        eventually(SOON, "it is Active", async || {
            let status = addons.get(&name).await?.status.unwrap_or_default();
            ensure!(status.phase == Some(AddonPhase::Active), "{status:?}");
            Ok(())
        })
        .await
    }

    /// Does what kubelet and agent would until the App is Ready on the version.
    pub async fn pods_run_until(&self, name: &str, version: &str) -> Result<()> {
        eventually(SOON, &format!("{name} is Ready on {version}"), async || {
            self.run_pods().await?;
            let app = self.app(name).await?;
            let status = app.status.clone().unwrap_or_default();
            let on = status
                .pin
                .as_ref()
                .map(|pin| pin.plugin_version.to_string());
            let ready = status.conditions.iter().find(|c| c.type_ == "Ready");
            let is_ready = ready.is_some_and(|c| {
                c.status == "True" && c.observed_generation == app.metadata.generation
            });
            ensure!(is_ready && on.as_deref() == Some(version), "{status:?}");
            Ok(())
        })
        .await
    }

    async fn run_pods(&self) -> Result<()> {
        let pods = Api::<Pod>::namespaced(self.client.clone(), &self.name);
        for pod in pods.list(&ListParams::default()).await? {
            let (name, params) = (pod.name_any(), PatchParams::default());
            if pod.metadata.deletion_timestamp.is_some() {
                let _ = pods
                    .delete(&name, &DeleteParams::default().grace_period(0))
                    .await;
                continue;
            }
            let status = pod.status.clone().unwrap_or_default();
            if status
                .conditions
                .iter()
                .flatten()
                .any(|c| c.type_ == "Ready" && c.status == "True")
            {
                continue;
            }
            let label = json!({"metadata": {"labels": {"middleware.io/role": "primary"}}});
            pods.patch(&name, &params, &Patch::Merge(label)).await?;
            let ready = json!({"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"});
            let status = json!({"status": {"phase": "Running", "conditions": [ready]}});
            pods.patch_status(&name, &params, &Patch::Strategic(status))
                .await?;
        }
        Ok(())
    }

    /// The numbers of the states that are there, when there are no more than `most`.
    pub async fn states_settle(&self, plugin: &str, most: usize) -> Result<Vec<u64>> {
        let addons = Api::<MiddlewareAddon>::all(self.client.clone());
        let of_plugin = ListParams::default().labels(&format!("middleware.io/plugin={plugin}"));
        eventually(SOON, "old states are gone", async || {
            let states = addons.list(&of_plugin).await?;
            let numbers = states
                .iter()
                .filter_map(|addon| Some(Dev::of(&addon.spec.version)?.n));
            let numbers: Vec<u64> = numbers.collect();
            ensure!(numbers.len() <= most, "{numbers:?}");
            Ok(numbers)
        })
        .await
    }
}
