//! A real API server, the real git, and a registry between them, for tests of the source controller. The
//! operator is not here: the tests write what it would, the ledger and the status of versions.

use crate::git_server::{GitServer, Repository};
use anyhow::{Context as _, Result, ensure};
use api::{
    AddonLedger, AddonLedgerSpec, AddonSource, Digest, MiddlewareAddon, conditions::READY, labels,
};
use futures::FutureExt as _;
use k8s_openapi::api::{
    core::v1::{ConfigMap, Secret},
    events::v1::Event,
};
use kit::{ControlPlane, Events, Mark, eventually};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{OnceCell, oneshot, watch},
};

/// Every wait of these tests: what is measured elsewhere takes milliseconds.
pub const SOON: Duration = Duration::from_secs(60);
/// How long nothing must happen to be believed.
pub const SILENCE: Duration = Duration::from_secs(4);

/// An API server.
pub enum Plane {
    /// One that ends with the test.
    Own(ControlPlane),
    /// One that ends with the process.
    Shared(&'static ControlPlane),
}

impl Deref for Plane {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        match self {
            Self::Own(plane) => plane,
            Self::Shared(plane) => plane,
        }
    }
}

/// The API servers of tests that came to their end.
static SPARE: Mutex<Vec<ControlPlane>> = Mutex::new(Vec::new());

/// Deletes what lies in no namespace of one test alone. The operator is not there to let versions go.
async fn empty(client: &Client) -> Result<()> {
    let (all, now) = (ListParams::default(), DeleteParams::default());
    let addons: Api<MiddlewareAddon> = Api::all(client.clone());
    let held = json!({"metadata": {"finalizers": null}});
    for addon in addons.list(&all).await? {
        let (name, params) = (addon.name_any(), PatchParams::default());
        addons.patch(&name, &params, &Patch::Merge(&held)).await?;
    }
    addons.delete_collection(&now, &all).await?;
    let sources: Api<AddonSource> = Api::all(client.clone());
    sources.delete_collection(&now, &all).await?;
    let ledgers: Api<AddonLedger> = Api::all(client.clone());
    ledgers.delete_collection(&now, &all).await?;
    let events: Api<Event> = Api::namespaced(client.clone(), "default");
    events.delete_collection(&now, &all).await?;
    Ok(())
}

/// The registry that tests share, with its webhooks.
struct Shared {
    cp: &'static ControlPlane,
    settings: registry::Settings,
    place: PathBuf,
    hooks: SocketAddr,
}

async fn shared() -> Result<&'static Shared> {
    static SHARED: OnceCell<Shared> = OnceCell::const_new();
    SHARED.get_or_try_init(start_shared).await
}

/// It has a runtime of its own: it outlives the test that was first.
async fn start_shared() -> Result<Shared> {
    let cp = ControlPlane::shared().await?;
    let place = cp.directory().join("registry");
    std::fs::create_dir(&place)?;
    let settings = settings(&cp.namespace("platform").await?, &place)?;
    let (started, filled) = oneshot::channel();
    let mine = settings.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(serve(cp, mine, started)).unwrap();
    });
    let hooks = filled.await.context("the registry did not start")?;
    Ok(Shared {
        cp,
        settings,
        place,
        hooks,
    })
}

/// Runs a registry until the process ends; says where its webhooks are once its caches are filled.
async fn serve(
    cp: &ControlPlane,
    settings: registry::Settings,
    started: oneshot::Sender<SocketAddr>,
) -> Result<()> {
    let client = cp.client_as("paamesh-registry").await?;
    let mut metrics = prometheus_client::registry::Registry::default();
    let metrics = registry::register(&mut metrics);
    let webhooks = registry::Webhooks::new(&metrics);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let hooks = listener.local_addr()?;
    let shutdown: registry::Shutdown = futures::future::pending().boxed().shared();
    tokio::spawn(webhooks.clone().serve(listener, shutdown.clone()));
    let (ready, mut filled) = watch::channel(false);
    tokio::spawn(async move {
        filled.wait_for(|filled| *filled).await.unwrap();
        started.send(hooks).unwrap();
    });
    let evaluate = Arc::new(evaluate::Host);
    registry::run_with_webhooks(
        client, settings, evaluate, metrics, webhooks, ready, shutdown,
    )
    .await?;
    Ok(())
}

fn settings(namespace: &str, place: &Path) -> Result<registry::Settings> {
    let directories = place.join("authors");
    std::fs::create_dir_all(&directories)?;
    Ok(registry::Settings {
        namespace: namespace.to_owned(),
        data_dir: place.join("data"),
        directories: Some(directories),
        workers: 4,
        reconcile_timeout: Duration::from_secs(60),
    })
}

/// A world of its own for a test that stops the registry, floods it, or counts what it does: its API
/// server is the next such test's, once it has come to its [`World::end`]. A shared one for every other. In a shared one the test takes names that no other test takes, for sources,
/// plugins, Secrets and directories: such that begin with the world's own.
pub struct World {
    pub cp: Plane,
    pub client: Client,
    pub namespace: String,
    /// What the source is called that is meant where none is named.
    pub name: String,
    pub directory: tempfile::TempDir,
    pub repository: Repository,
    pub server: GitServer,
    /// Where webhooks are received.
    pub hooks: SocketAddr,
    /// What the registry keeps, and its root of directory sources.
    place: PathBuf,
    metrics: prometheus_client::registry::Registry,
    stop: Vec<futures::channel::oneshot::Sender<()>>,
    running: Option<tokio::task::JoinHandle<Result<(), registry::RunError>>>,
}

impl World {
    /// A world of its own.
    pub async fn new() -> Result<Self> {
        let mut world = Self::idle().await?;
        world.start().await?;
        Ok(world)
    }

    /// A world of its own whose registry does not run yet.
    pub async fn idle() -> Result<Self> {
        let spare = SPARE.lock().unwrap().pop();
        let cp = match spare {
            Some(cp) => cp,
            None => {
                let cp = ControlPlane::start().await?;
                cp.install_crds().await?;
                cp
            }
        };
        let namespace = cp.namespace("platform").await?;
        let place = tempfile::tempdir()?;
        Self::on(Plane::Own(cp), namespace, "platform", place).await
    }

    /// The world of the test `name` on the API server, and with the registry, that the tests of this
    /// process share.
    pub async fn shared(name: &str) -> Result<Self> {
        let shared = shared().await?;
        let (plane, namespace) = (Plane::Shared(shared.cp), shared.settings.namespace.clone());
        let mut world = Self::on(plane, namespace, name, tempfile::tempdir()?).await?;
        world.place = shared.place.clone();
        world.hooks = shared.hooks;
        Ok(world)
    }

    async fn on(
        cp: Plane,
        namespace: String,
        name: &str,
        directory: tempfile::TempDir,
    ) -> Result<Self> {
        Ok(Self {
            client: cp.client().await?,
            namespace,
            name: name.to_owned(),
            repository: Repository::create(directory.path(), "addons.git"),
            server: GitServer::start(directory.path()),
            hooks: SocketAddr::from(([127, 0, 0, 1], 0)),
            place: directory.path().to_owned(),
            directory,
            cp,
            metrics: prometheus_client::registry::Registry::with_prefix("paamesh"),
            stop: Vec::new(),
            running: None,
        })
    }

    /// Starts the registry.
    pub async fn start(&mut self) -> Result<()> {
        let (metrics, webhooks) = self.hook().await?;
        self.run(metrics, webhooks).await
    }

    /// Serves webhooks, which nobody answers until [`World::run`].
    pub async fn hook(&mut self) -> Result<(registry::Metrics, registry::Webhooks)> {
        let metrics = registry::register(&mut self.metrics);
        let webhooks = registry::Webhooks::new(&metrics);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        self.hooks = listener.local_addr()?;
        let shutdown = self.shutdown();
        tokio::spawn(webhooks.clone().serve(listener, shutdown));
        Ok((metrics, webhooks))
    }

    /// Runs the registry; returns when its caches are filled.
    pub async fn run(
        &mut self,
        metrics: registry::Metrics,
        webhooks: registry::Webhooks,
    ) -> Result<()> {
        let settings = settings(&self.namespace, &self.place)?;
        let client = self.cp.client_as("paamesh-registry").await?;
        let (ready, mut is_ready) = watch::channel(false);
        let (evaluate, shutdown) = (Arc::new(evaluate::Host), self.shutdown());
        self.running = Some(tokio::spawn(registry::run_with_webhooks(
            client, settings, evaluate, metrics, webhooks, ready, shutdown,
        )));
        is_ready.wait_for(|ready| *ready).await?;
        Ok(())
    }

    fn shutdown(&mut self) -> registry::Shutdown {
        let (stop, stopped) = futures::channel::oneshot::channel::<()>();
        self.stop.push(stop);
        stopped.map(drop).boxed().shared()
    }

    /// The root of directory sources.
    pub fn authors(&self) -> PathBuf {
        self.place.join("authors")
    }

    /// The mirrors of Git repositories.
    pub fn mirrors(&self) -> PathBuf {
        self.place.join("data/mirrors")
    }

    /// Stops the registry as SIGTERM would.
    pub async fn stop(&mut self) -> Result<()> {
        self.stop.clear();
        let running = self.running.take().context("it runs")?;
        tokio::time::timeout(SOON, running).await???;
        Ok(())
    }

    /// Ends the registry, and leaves the API server, empty, to the next test that wants one of its own.
    pub async fn end(mut self) -> Result<()> {
        if self.running.is_some() {
            self.stop().await?;
        }
        let Plane::Own(cp) = self.cp else {
            return Ok(());
        };
        empty(&self.client).await?;
        SPARE.lock().unwrap().push(cp);
        Ok(())
    }

    pub async fn source(&self, spec: serde_json::Value) -> Result<AddonSource> {
        let mut git = json!({"url": self.server.url("addons.git"), "insecure": true});
        merge(&mut git, &spec["git"]);
        let mut whole = json!({"interval": "1h"});
        merge(&mut whole, &spec);
        whole["git"] = git;
        self.create(&self.name, whole).await
    }

    /// The source `name`, of any kind.
    pub async fn create(&self, name: &str, spec: serde_json::Value) -> Result<AddonSource> {
        let source = json!({
            "apiVersion": api::API_VERSION, "kind": "AddonSource",
            "metadata": {"name": name}, "spec": spec,
        });
        let source: AddonSource = serde_json::from_value(source)?;
        Ok(self
            .sources()
            .create(&PostParams::default(), &source)
            .await?)
    }

    /// Makes the Secret `name` in the platform's namespace, or replaces it.
    pub async fn secret(&self, name: &str, data: serde_json::Value) -> Result<()> {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data,
        });
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let secret: Secret = serde_json::from_value(secret)?;
        match secrets.delete(name, &DeleteParams::default()).await {
            Ok(_) => {}
            Err(kube::Error::Api(answer)) if answer.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
        secrets.create(&PostParams::default(), &secret).await?;
        Ok(())
    }

    pub fn sources(&self) -> Api<AddonSource> {
        Api::all(self.client.clone())
    }

    pub fn addons(&self) -> Api<MiddlewareAddon> {
        Api::all(self.client.clone())
    }

    /// Every version of `plugin` that is there.
    pub async fn versions_of(&self, plugin: &str) -> Result<Vec<MiddlewareAddon>> {
        let addons = self.addons().list(&ListParams::default()).await?.items;
        let of_it = |addon: &MiddlewareAddon| addon.spec.plugin.to_string() == plugin;
        Ok(addons.into_iter().filter(of_it).collect())
    }

    pub fn content(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub async fn addon(&self, name: &str) -> Result<MiddlewareAddon> {
        eventually(SOON, name, async || {
            let addon = self.addons().get(name).await?;
            ensure!(
                addon.metadata.deletion_timestamp.is_none(),
                "it is being deleted"
            );
            Ok(addon)
        })
        .await
    }

    /// Asks for a look now, and waits until it was answered and `holds`.
    pub async fn look(&self, holds: impl Fn(&AddonSource) -> bool) -> Result<AddonSource> {
        self.look_at(&self.name, holds).await
    }

    /// The same of the source `name`.
    pub async fn look_at(
        &self,
        name: &str,
        holds: impl Fn(&AddonSource) -> bool,
    ) -> Result<AddonSource> {
        self.ask_for(name).await?;
        self.seen_of(name, holds).await
    }

    pub async fn ask(&self) -> Result<()> {
        self.ask_for(&self.name).await
    }

    /// Asks for a look at the source `name` now.
    pub async fn ask_for(&self, name: &str) -> Result<()> {
        let now = format!("{:?}", std::time::SystemTime::now());
        let annotation =
            json!({"metadata": {"annotations": {labels::RECONCILE_REQUESTED_AT: now}}});
        let params = PatchParams::default();
        self.sources()
            .patch(name, &params, &Patch::Merge(annotation))
            .await?;
        Ok(())
    }

    pub async fn seen(&self, holds: impl Fn(&AddonSource) -> bool) -> Result<AddonSource> {
        self.seen_of(&self.name, holds).await
    }

    /// The source `name`, once it was looked at since somebody asked and `holds`.
    pub async fn seen_of(
        &self,
        name: &str,
        holds: impl Fn(&AddonSource) -> bool,
    ) -> Result<AddonSource> {
        eventually(SOON, "the source's status", async || {
            let source = self.sources().get(name).await?;
            let status = source.status.clone().unwrap_or_default();
            let asked = source.annotations().get(labels::RECONCILE_REQUESTED_AT);
            ensure!(
                status.last_handled_reconcile_at.as_ref() == asked,
                "not looked: {status:?}"
            );
            ensure!(holds(&source), "{status:?}");
            Ok(source)
        })
        .await
    }

    /// What the operator does with a version that passes: the ledger first, then Active.
    pub async fn publish(&self, name: &str) -> Result<Digest> {
        let addon = self.addon(name).await?;
        let digest = addon.spec.digest.clone().context("it names its digest")?;
        let ledgers: Api<AddonLedger> = Api::all(self.client.clone());
        let plugin = addon.spec.plugin.to_string();
        let mut entries = match ledgers.get_opt(&plugin).await? {
            Some(ledger) => ledger.spec.entries,
            None => BTreeMap::new(),
        };
        entries.insert(addon.spec.version.to_string(), digest.clone());
        let ledger = AddonLedger::new(&plugin, AddonLedgerSpec { entries });
        let params = PatchParams::apply("test-operator").force();
        ledgers
            .patch(&plugin, &params, &Patch::Apply(&ledger))
            .await?;
        self.phase(name, json!({"phase": "Active", "digest": digest}))
            .await?;
        Ok(digest)
    }

    pub async fn phase(&self, name: &str, status: serde_json::Value) -> Result<()> {
        let status = json!({"status": status});
        let params = PatchParams::default();
        self.addons()
            .patch_status(name, &params, &Patch::Merge(status))
            .await?;
        Ok(())
    }

    /// Takes the operator's finalizer off, as it does with a version that nobody uses.
    pub async fn release(&self, name: &str) -> Result<()> {
        let none = json!({"metadata": {"finalizers": null}});
        self.addons()
            .patch(name, &PatchParams::default(), &Patch::Merge(none))
            .await?;
        Ok(())
    }

    pub fn mark(&self) -> Result<Mark> {
        self.cp.audit().mark()
    }

    pub fn writes_since(&self, mark: Mark) -> Result<Events> {
        Ok(self.cp.audit().since(mark)?.by("paamesh-registry").writes())
    }

    pub async fn events(&self, reason: &str) -> Result<Vec<String>> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), "default");
        let events = events.list(&ListParams::default()).await?;
        let notes = events.items.into_iter();
        let notes = notes.filter(|event| event.reason.as_deref() == Some(reason));
        Ok(notes.filter_map(|event| event.note).collect())
    }

    /// Every metric of a registry that is not shared.
    pub fn metrics(&self) -> Result<String> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.metrics)?;
        Ok(text)
    }

    pub fn metric(&self, line: &str) -> Result<String> {
        let text = self.metrics()?;
        let found = text
            .lines()
            .find(|l| l.starts_with(line) && !l.starts_with('#'));
        Ok(found
            .with_context(|| format!("no {line} in {text}"))?
            .to_owned())
    }
}

fn merge(into: &mut serde_json::Value, from: &serde_json::Value) {
    for (key, value) in from.as_object().into_iter().flatten() {
        into[key] = value.clone();
    }
}

pub fn manifest(name: &str, version: &str) -> String {
    format!(
        "apiVersion: middleware.io/v1alpha1\nkind: Addon\nname: {name}\nversion: {version}\n\
         runtimes:\n  - version: 7.0.15\n    image: redis:7.0.15\n\
         components:\n  server:\n    command: [/scripts/start.sh]\n"
    )
}

pub fn addon(world: &World, directory: &str, name: &str, version: &str) {
    world
        .repository
        .write(&format!("{directory}/addon.yaml"), &manifest(name, version));
    world.repository.write(
        &format!("{directory}/scripts/start.sh"),
        "#!/bin/sh\nexec sleep 1000\n",
    );
}

pub fn condition(source: &AddonSource, type_: &str) -> Option<(String, String, String)> {
    let status = source.status.as_ref()?;
    let found = status.conditions.iter().find(|c| c.type_ == type_)?;
    Some((
        found.status.clone(),
        found.reason.clone(),
        found.message.clone(),
    ))
}

pub fn is(source: &AddonSource, type_: &str, status: &str, reason: &str) -> bool {
    condition(source, type_).is_some_and(|(s, r, _)| s == status && r == reason)
}

pub fn ready(source: &AddonSource) -> bool {
    is(source, READY, "True", "Synced")
}
