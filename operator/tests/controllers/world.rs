//! One API server, one operator, and what tests say to them.

use anyhow::{Context as _, Result, bail, ensure};
use api::{App, Component, Group, MiddlewareAddon, conditions::Condition, crd::addon::AddonPhase};
use futures::FutureExt as _;
use k8s_openapi::api::{
    core::v1::{ConfigMap, Namespace, Pod},
    rbac::v1::{ClusterRole, ClusterRoleBinding},
};
use kit::{ControlPlane, eventually};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{ListParams, Patch, PatchParams, PostParams},
    core::NamespaceResourceScope,
};
use package::Tree;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};
use tokio::sync::{OnceCell, oneshot, watch};

/// How long a test waits for what takes milliseconds.
pub const SOON: Duration = Duration::from_secs(30);
/// The platform's namespace.
pub const PLATFORM: &str = "paamesh-system";
/// The operator, in the audit log.
pub const AGENT: &str = "paamesh-operator-under-test";

/// The API server that most tests share, with the operator at work.
pub async fn plane() -> Result<&'static ControlPlane> {
    static PLANE: OnceCell<(ControlPlane, Operator)> = OnceCell::const_new();
    let make = async || {
        let plane = ControlPlane::start_with_controllers().await?;
        let operator = Operator::start(&plane).await?;
        anyhow::Ok((plane, operator))
    };
    PLANE.get_or_try_init(make).await.map(|(plane, _)| plane)
}

/// An operator at work. It has a runtime of its own: it outlives the test that was first.
pub struct Operator {
    stop: oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Operator {
    /// Installs what is missing, and starts an operator; returns when its caches are filled.
    pub async fn start(plane: &ControlPlane) -> Result<Self> {
        plane.install_crds().await?;
        Self::start_with_definitions_as_they_are(plane).await
    }

    /// As [`Operator::start`], where the definitions are there.
    pub async fn start_with_definitions_as_they_are(plane: &ControlPlane) -> Result<Self> {
        let namespaces = Api::<Namespace>::all(plane.client().await?);
        if namespaces.get_opt(PLATFORM).await?.is_none() {
            make_namespace(&plane.client().await?, PLATFORM).await?;
            grant(&plane.client().await?).await?;
        }
        let (started, filled) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let kubeconfig = plane.kubeconfig();
        let thread = std::thread::spawn(move || operate(&kubeconfig, started, stopped));
        filled.await.context("the operator did not start")?;
        Ok(Self { stop, thread })
    }

    /// Ends it as SIGTERM does, and waits for that.
    pub fn stop(self) {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

/// Runs an operator until `stopped`.
fn operate(kubeconfig: &Path, started: oneshot::Sender<()>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async move {
        let client = client(kubeconfig).await.unwrap();
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
        let shutdown = async move { stopped.await.unwrap_or_default() };
        let mut registry = prometheus_client::registry::Registry::default();
        let metrics = operator::register(&mut registry);
        let evaluate = Arc::new(evaluate::Host);
        let shutdown = shutdown.boxed().shared();
        operator::run(client, settings, evaluate, metrics, ready, shutdown)
            .await
            .unwrap();
    });
}

async fn client(kubeconfig: &Path) -> Result<Client> {
    let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig)?;
    let options = kube::config::KubeConfigOptions::default();
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await?;
    config.auth_info.impersonate = Some(ACCOUNT.to_owned());
    config.headers.push(("user-agent".parse()?, AGENT.parse()?));
    Ok(Client::try_from(config)?)
}

/// Who the operator is, and may be no more than the chart says.
const ACCOUNT: &str = "system:serviceaccount:paamesh-system:paamesh-operator";

/// Gives the operator's account the rights that the chart gives it, and nothing else.
async fn grant(client: &Client) -> Result<()> {
    let chart = kit::root().join("charts/paamesh/templates/rbac-operator.yaml");
    let chart = std::fs::read_to_string(chart)?;
    let role = chart
        .split("\n---\n")
        .find(|document| document.contains("kind: ClusterRole\n"));
    let (_, rules) = role
        .and_then(|role| role.split_once("\nrules:"))
        .context("the rules")?;
    let rules: Value = serde_saphyr::from_str(&format!("rules:{rules}"))?;
    let name = "paamesh-operator";
    let role: ClusterRole =
        serde_json::from_value(json!({"metadata": {"name": name}, "rules": rules["rules"]}))?;
    let binding: ClusterRoleBinding = serde_json::from_value(json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": ACCOUNT}],
    }))?;
    Api::all(client.clone())
        .create(&PostParams::default(), &role)
        .await?;
    Api::all(client.clone())
        .create(&PostParams::default(), &binding)
        .await?;
    Ok(())
}

async fn make_namespace(client: &Client, name: &str) -> Result<()> {
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
    Api::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await?;
    Ok(())
}

/// One namespace, and one plugin that no other test has.
pub struct Scene {
    pub plane: &'static ControlPlane,
    pub client: Client,
    pub namespace: String,
    pub plugin: String,
}

impl Scene {
    /// A scene of the name, which is namespace and plugin, on the shared API server.
    pub async fn new(name: &str) -> Result<Self> {
        Self::on(plane().await?, name).await
    }

    /// The same on an API server of its own.
    pub async fn on(plane: &'static ControlPlane, name: &str) -> Result<Self> {
        let client = plane.client().await?;
        make_namespace(&client, name).await?;
        Ok(Self {
            plane,
            client,
            namespace: name.to_owned(),
            plugin: name.to_owned(),
        })
    }

    /// Waits until the operator has written nothing here for a second.
    pub async fn is_quiet(&self) -> Result<()> {
        eventually(SOON, "a second without a write", async || {
            let mark = self.plane.audit().mark()?;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let writes = self.writes(mark)?;
            ensure!(writes.is_empty(), "{writes:?}");
            Ok(())
        })
        .await
    }

    /// What the operator wrote here since `mark`.
    pub fn writes(&self, mark: kit::Mark) -> Result<Vec<String>> {
        let writes = self.plane.audit().since(mark)?.by(AGENT).writes();
        let here = |event: &&kit::Event| {
            let name = event.name().starts_with(&self.plugin);
            name || event
                .object_ref
                .as_ref()
                .is_some_and(|o| o.namespace == self.namespace)
        };
        Ok(writes
            .iter()
            .filter(here)
            .map(ToString::to_string)
            .collect())
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub fn addons(&self) -> Api<MiddlewareAddon> {
        Api::all(self.client.clone())
    }

    pub fn content(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), PLATFORM)
    }

    /// The Redis addon of the repository as another plugin.
    pub fn redis(&self, version: &str) -> BTreeMap<String, String> {
        let root = kit::root().join("addons/redis").join(version);
        let mut files = BTreeMap::new();
        for folder in ["", "scripts", "templates"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    let name = path
                        .strip_prefix(&root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned();
                    files.insert(name, std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        let manifest = files.get_mut("addon.yaml").unwrap();
        *manifest = manifest.replace(
            "name: redis\nversion",
            &format!("name: {}\nversion", self.plugin),
        );
        files
    }

    /// Creates the content objects and the MiddlewareAddon of `files`, as a person would.
    pub async fn publish(&self, version: &str, files: &BTreeMap<String, String>) -> Result<()> {
        self.put_content(version, files, "").await?;
        self.put_addon(version, files).await
    }

    /// Creates the content objects; those of the section `but` are left out.
    pub async fn put_content(
        &self,
        version: &str,
        files: &BTreeMap<String, String>,
        but: &str,
    ) -> Result<()> {
        for (section, files) in sections(files) {
            if section != but {
                self.put_section(version, &section, &files).await?;
            }
        }
        Ok(())
    }

    pub async fn put_section(
        &self,
        version: &str,
        section: &str,
        files: &BTreeMap<String, String>,
    ) -> Result<()> {
        let object: ConfigMap = serde_json::from_value(json!({
            "metadata": {
                "name": self.content_name(version, section),
                "labels": {"middleware.io/plugin": self.plugin, "middleware.io/section": section},
            },
            "immutable": true,
            "data": files,
        }))?;
        self.content()
            .create(&PostParams::default(), &object)
            .await?;
        Ok(())
    }

    pub fn content_name(&self, version: &str, section: &str) -> String {
        format!("{}-{version}-{section}", self.plugin)
    }

    pub fn addon_name(&self, version: &str) -> String {
        format!("{}-{version}", self.plugin)
    }

    /// Creates the MiddlewareAddon as a person does.
    pub async fn put_addon(&self, version: &str, files: &BTreeMap<String, String>) -> Result<()> {
        self.put(version, files, json!({})).await
    }

    /// Creates the content and the MiddlewareAddon as the registry does, with an annotation that says
    /// where it comes from.
    pub async fn put_vouched(
        &self,
        version: &str,
        files: &BTreeMap<String, String>,
        annotation: &str,
    ) -> Result<()> {
        self.put_content(version, files, "").await?;
        let metadata = json!({
            "finalizers": [api::labels::ADDON_FINALIZER],
            "annotations": {api::labels::PROVENANCE: annotation},
        });
        self.put(version, files, metadata).await
    }

    /// Creates the MiddlewareAddon as the registry does, with the operator's finalizer in it.
    pub async fn put_registered(
        &self,
        version: &str,
        files: &BTreeMap<String, String>,
    ) -> Result<()> {
        let metadata = json!({"finalizers": [api::labels::ADDON_FINALIZER]});
        self.put(version, files, metadata).await
    }

    async fn put(
        &self,
        version: &str,
        files: &BTreeMap<String, String>,
        mut metadata: Value,
    ) -> Result<()> {
        // Who writes by hand names no digests; the registry names them, and its finalizer tells it.
        let is_by_hand = metadata == json!({});
        let content: Vec<Value> = sections(files)
            .into_iter()
            .map(|(section, files)| {
                let name = self.content_name(version, &section);
                let bytes = files
                    .iter()
                    .map(|(name, text)| (name.as_str(), text.as_bytes()));
                let digest = package::section_digest(&bytes.collect(), &section);
                let digest = (!is_by_hand).then_some(digest);
                json!({"section": section, "kind": "ConfigMap", "name": name, "digest": digest})
            })
            .collect();
        metadata["name"] = json!(self.addon_name(version));
        let addon: MiddlewareAddon = serde_json::from_value(json!({
            "metadata": metadata,
            "spec": {"plugin": self.plugin, "version": version, "content": content},
        }))?;
        self.addons().create(&PostParams::default(), &addon).await?;
        Ok(())
    }

    /// Waits until the version is in `phase`.
    pub async fn addon_is(&self, version: &str, phase: AddonPhase) -> Result<MiddlewareAddon> {
        eventually(SOON, &format!("{version} is {phase:?}"), async || {
            let addon = self.addons().get(&self.addon_name(version)).await?;
            let is = addon.status.as_ref().and_then(|status| status.phase);
            ensure!(is == Some(phase), "{:?}", addon.status);
            Ok(addon)
        })
        .await
    }

    /// Publishes a version of Redis and waits until it is Active.
    pub async fn active(&self, version: &str) -> Result<MiddlewareAddon> {
        self.publish(version, &self.redis(version)).await?;
        self.addon_is(version, AddonPhase::Active).await
    }

    /// Creates an App with `spec` over plugin and `version`.
    pub async fn put_app(&self, name: &str, version: &str, spec: Value) -> Result<()> {
        let mut all = json!({"plugin": self.plugin, "pluginVersion": version});
        let more = spec.as_object().cloned().unwrap_or_default();
        all.as_object_mut().context("an object")?.extend(more);
        let app: App = serde_json::from_value(json!({"metadata": {"name": name}, "spec": all}))?;
        self.api().create(&PostParams::default(), &app).await?;
        Ok(())
    }

    pub async fn edit_app(&self, name: &str, spec: Value) -> Result<()> {
        let patch = Patch::Merge(json!({"spec": spec}));
        self.api::<App>()
            .patch(name, &PatchParams::default(), &patch)
            .await?;
        Ok(())
    }

    /// Waits until the version says why it is not published.
    pub async fn addon_says(&self, version: &str, reason: &str) -> Result<Condition> {
        eventually(SOON, &format!("{version} is {reason}"), async || {
            let addon = self.addons().get(&self.addon_name(version)).await?;
            let conditions = addon.status.clone().unwrap_or_default().conditions;
            let found = conditions.into_iter().find(|c| c.reason == reason);
            found.with_context(|| format!("{:?}", addon.status))
        })
        .await
    }

    /// Says of the version what is not its content.
    pub async fn say(&self, version: &str, lifecycle: Value) -> Result<()> {
        let patch = Patch::Merge(json!({"spec": {"lifecycle": lifecycle}}));
        self.addons()
            .patch(&self.addon_name(version), &PatchParams::default(), &patch)
            .await?;
        Ok(())
    }

    /// Creates an AddonPolicy for the plugin alone, and named after it.
    pub async fn put_policy(&self, spec: Value) -> Result<()> {
        let mut all = json!({"plugins": [self.plugin]});
        let more = spec.as_object().cloned().unwrap_or_default();
        all.as_object_mut().context("an object")?.extend(more);
        let policy = json!({
            "apiVersion": api::API_VERSION,
            "kind": "AddonPolicy",
            "metadata": {"name": self.plugin},
            "spec": all,
        });
        let policies = Api::<kube::api::DynamicObject>::all_with(
            self.client.clone(),
            &kube::api::ApiResource::erase::<api::AddonPolicy>(&()),
        );
        let policy = serde_json::from_value(policy)?;
        policies.create(&PostParams::default(), &policy).await?;
        Ok(())
    }

    /// The notes of the Events with the reason about objects whose names begin with the plugin's, or
    /// that lie in the namespace.
    pub async fn events(&self, reason: &str) -> Result<Vec<String>> {
        let events = Api::<k8s_openapi::api::events::v1::Event>::all(self.client.clone());
        let events = events.list(&ListParams::default()).await?;
        let here = events.items.into_iter().filter(|event| {
            let regarding = event.regarding.clone().unwrap_or_default();
            let named = regarding.name.unwrap_or_default().starts_with(&self.plugin);
            let inside = event.metadata.namespace.as_deref() == Some(&self.namespace);
            (named || inside) && event.reason.as_deref() == Some(reason)
        });
        Ok(here.filter_map(|event| event.note).collect())
    }

    /// Waits until the condition of the App is as said.
    pub async fn app_says(&self, name: &str, type_: &str, reason: &str) -> Result<Condition> {
        eventually(
            SOON,
            &format!("{type_} of {name} is {reason}"),
            async || {
                let app = self.api::<App>().get(name).await?;
                let conditions = app.status.clone().unwrap_or_default().conditions;
                let found = conditions
                    .into_iter()
                    .find(|c| c.type_ == type_ && c.reason == reason);
                let generation = app.metadata.generation;
                match found.filter(|c| c.observed_generation == generation) {
                    Some(condition) => Ok(condition),
                    None => bail!("{:?}", app.status),
                }
            },
        )
        .await
    }

    /// Says of every pod that is not ready what kubelet and agent would: ready, ordinal 0 leads;
    /// until the App is as `reason` says.
    pub async fn run_pods_until(&self, name: &str, reason: &str) -> Result<()> {
        eventually(SOON, &format!("{name} is {reason}"), async || {
            self.run_pods().await?;
            let app = self.api::<App>().get(name).await?;
            let status = app.status.clone().unwrap_or_default();
            let ready = status.conditions.iter().find(|c| c.type_ == "Ready");
            let current = status.observed_generation == app.metadata.generation;
            ensure!(
                current && ready.is_some_and(|c| c.reason == reason),
                "{status:?}"
            );
            Ok(())
        })
        .await
    }

    async fn run_pods(&self) -> Result<()> {
        let pods = self.api::<Pod>();
        for pod in pods.list(&ListParams::default()).await? {
            let conditions = pod
                .status
                .iter()
                .flat_map(|s| s.conditions.iter().flatten());
            let ready = conditions
                .into_iter()
                .any(|c| c.type_ == "Ready" && c.status == "True");
            if pod.metadata.deletion_timestamp.is_some() {
                let now = kube::api::DeleteParams::default().grace_period(0);
                let _ = pods.delete(&pod.name_any(), &now).await;
            } else if !ready {
                self.run_pod(&pod).await?;
            }
        }
        Ok(())
    }

    async fn run_pod(&self, pod: &Pod) -> Result<()> {
        let (pods, name, params) = (self.api::<Pod>(), pod.name_any(), PatchParams::default());
        let role = if name.ends_with("-0") {
            "primary"
        } else {
            "replica"
        };
        let label = json!({"metadata": {"labels": {"middleware.io/role": role}}});
        pods.patch(&name, &params, &Patch::Merge(label)).await?;
        let status = json!({"status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        }});
        pods.patch_status(&name, &params, &Patch::Strategic(status))
            .await?;
        Ok(())
    }

    /// The resourceVersion of everything that belongs to Apps here, by kind and name.
    pub async fn versions(&self) -> Result<BTreeMap<String, String>> {
        let mut versions = BTreeMap::new();
        self.add_versions::<Component>(&mut versions).await?;
        self.add_versions::<Group>(&mut versions).await?;
        self.add_versions::<Pod>(&mut versions).await?;
        self.add_versions::<ConfigMap>(&mut versions).await?;
        self.add_versions::<k8s_openapi::api::core::v1::Service>(&mut versions)
            .await?;
        Ok(versions)
    }

    async fn add_versions<K>(&self, versions: &mut BTreeMap<String, String>) -> Result<()>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + serde::de::DeserializeOwned,
    {
        let ours = ListParams::default().labels("app.kubernetes.io/managed-by=paamesh");
        for object in self.api::<K>().list(&ours).await? {
            let key = format!("{}/{}", K::kind(&()), object.name_any());
            versions.insert(key, object.resource_version().unwrap_or_default());
        }
        Ok(())
    }
}

/// The files by section, by name in it.
pub fn sections(files: &BTreeMap<String, String>) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut sections = BTreeMap::<String, BTreeMap<_, _>>::new();
    for (path, text) in files {
        let (section, name) = path.split_once('/').unwrap_or(("manifest", path));
        sections
            .entry(section.to_owned())
            .or_default()
            .insert(name.to_owned(), text.clone());
    }
    sections
}

/// The digest of the files, as the registry computes it.
pub fn digest(files: &BTreeMap<String, String>) -> api::Digest {
    let files = files
        .iter()
        .map(|(path, text)| (path.clone(), text.clone().into_bytes()));
    Tree::from_files(files).unwrap().digest()
}

/// What the condition says.
pub fn condition<'a>(conditions: &'a [Condition], type_: &str) -> &'a Condition {
    conditions
        .iter()
        .find(|c| c.type_ == type_)
        .unwrap_or_else(|| panic!("no {type_}"))
}
