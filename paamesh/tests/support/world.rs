//! Registry and operator as the processes that they are, each behind a proxy of its own that can kill
//! it, on a real API server and a real Git server; and what must be so of versions at any time.

#[path = "../../../registry/transport/tests/support/git_server.rs"]
#[allow(dead_code)]
mod git_server;

use anyhow::{Context as _, Result, bail, ensure};
use api::{
    AddonLedger, AddonSource, Digest, MiddlewareAddon, conditions::READY, crd::addon::AddonPhase,
    labels,
};
pub use git_server::{GitServer, Repository};
use k8s_openapi::api::core::v1::ConfigMap;
use kit::{ControlPlane, Kill, Mark, Process, Proxy};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, ListParams, PostParams},
};
use package::Tree;
use serde_json::json;
use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// How long one sync may take, with all its deaths, on a machine that has other things to do.
const SOON: Duration = Duration::from_mins(10);
/// Between two looks at what became of it.
const LOOK: Duration = Duration::from_millis(50);

/// One program, behind its proxy.
pub struct Service {
    name: &'static str,
    arguments: Vec<String>,
    log: PathBuf,
    pub proxy: Proxy,
    pub process: Process,
    kills: VecDeque<Kill>,
    /// At which writes it was killed since the sync began.
    pub hits: Vec<String>,
    /// Whether it may end by itself and is started again, as a container is: leadership that could not
    /// be renewed is lost.
    pub may_end: bool,
}

impl Service {
    pub async fn start(cp: &ControlPlane, name: &'static str, arguments: &[&str]) -> Result<Self> {
        let proxy = Proxy::start(cp).await?;
        let port = proxy.kubeconfig().file_name().context("a name")?;
        let log = format!("{name}-{}.log", port.to_string_lossy());
        let log = cp.directory().join(log);
        let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
        let process = spawn(name, &arguments, proxy.kubeconfig(), &log)?;
        proxy.watch(process.pid());
        Ok(Self {
            name,
            arguments,
            log,
            proxy,
            process,
            kills: VecDeque::new(),
            hits: Vec::new(),
            may_end: false,
        })
    }

    /// From now on it is killed at the first of `kills`, and after each restart at the next. Who was
    /// killed late begins again before that.
    fn arm(&mut self, kills: &[Kill]) -> Result<()> {
        self.disarm()?;
        self.kills = kills.iter().copied().collect();
        self.hits.clear();
        self.proxy.arm(self.kills.pop_front());
        Ok(())
    }

    /// It is killed no more. One that was killed when all was in sync already begins again.
    fn disarm(&mut self) -> Result<()> {
        self.kills.clear();
        let hit = self.proxy.arm(None);
        if hit.is_some() {
            self.hits.extend(hit);
            self.restart()?;
        }
        Ok(())
    }

    /// Whether it was killed; an error where it ended by itself and must not.
    fn is_dead(&mut self) -> Result<bool> {
        if self.proxy.hit().is_some() {
            self.process.kill()?;
            return Ok(true);
        }
        match self.process.alive().context(self.name) {
            Err(_) if self.may_end => Ok(true),
            alive => alive.map(|()| false),
        }
    }

    /// Starts it again, to be killed at its next kill.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill()?;
        self.hits.extend(self.proxy.hit());
        self.proxy.arm(self.kills.pop_front());
        self.process = spawn(
            self.name,
            &self.arguments,
            self.proxy.kubeconfig(),
            &self.log,
        )?;
        self.proxy.watch(self.process.pid());
        Ok(())
    }
}

/// The real program with the kubeconfig, and without the environment's own wishes.
pub fn spawn(
    name: &str,
    arguments: &Vec<String>,
    kubeconfig: &Path,
    log: &Path,
) -> Result<Process> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paamesh"));
    command.arg(name).args(arguments);
    for (variable, _) in std::env::vars() {
        if variable.starts_with("PAAMESH_") || variable.to_lowercase().ends_with("_proxy") {
            command.env_remove(variable);
        }
    }
    command.env("KUBECONFIG", kubeconfig);
    command.args(["--listen", "127.0.0.1:0", "--log", "info,registry=debug"]);
    Process::start(command, log)
}

/// What is there of a plugin.
pub struct Seen {
    pub addons: Vec<MiddlewareAddon>,
    pub content: BTreeMap<String, ConfigMap>,
    pub ledger: BTreeMap<String, Digest>,
}

pub struct World {
    pub cp: ControlPlane,
    pub client: Client,
    pub namespace: String,
    pub directory: tempfile::TempDir,
    pub repository: Repository,
    pub server: GitServer,
    pub registry: Service,
    pub operator: Service,
    /// What the ledger of each plugin had when it was last judged.
    pub published: BTreeMap<String, BTreeMap<String, Digest>>,
}

/// The versions of one plugin: the digests of all bytes that its source ever had, the newest last.
pub type Versions = BTreeMap<String, Vec<Digest>>;

impl World {
    pub async fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let data = directory.path().join("data");
        Self::with_data(directory, &data).await
    }

    /// With the mirrors below `data`.
    pub async fn with_data(directory: tempfile::TempDir, data: &Path) -> Result<Self> {
        let cp = ControlPlane::start().await?;
        cp.install_crds().await?;
        let namespace = cp.namespace("platform").await?;
        let common = ["--namespace", &namespace, "--identity", "one"];
        let data = data.to_str().context("the path is UTF-8")?;
        let own = ["--data-dir", data, "--webhook-listen", ""];
        let registry = Service::start(&cp, "registry", &[&common[..], &own].concat()).await?;
        let own = ["--agent-image", "paamesh/agent:test"];
        let operator = Service::start(&cp, "operator", &[&common[..], &own].concat()).await?;
        Ok(Self {
            client: cp.client().await?,
            namespace,
            repository: Repository::create(directory.path(), "addons.git"),
            server: GitServer::start(directory.path()),
            directory,
            registry,
            operator,
            cp,
            published: BTreeMap::new(),
        })
    }

    /// Pushes `count` versions of `plugin`, all of which differ, in its own directory of the repository.
    pub fn push(&self, plugin: &str, count: usize) -> Result<Versions> {
        self.push_as(plugin, plugin, count, "first")
    }

    /// The same in another directory and another edition, whose names stand in the files too.
    pub fn push_as(
        &self,
        directory: &str,
        plugin: &str,
        count: usize,
        edition: &str,
    ) -> Result<Versions> {
        let versions = (0..count).map(|n| {
            let version = format!("1.0.{n}");
            let manifest = format!(
                "apiVersion: middleware.io/v1alpha1\nkind: Addon\nname: {plugin}\n\
                 version: {version}\nruntimes:\n  - version: 7.0.15\n    image: redis:7.0.15\n\
                 components:\n  server:\n    command: [/scripts/start.sh]\n"
            );
            let script = format!("#!/bin/sh\n# {directory} {version} {edition}\nexec sleep 1000\n");
            let files = [("addon.yaml", manifest), ("scripts/start.sh", script)];
            for (path, text) in &files {
                let path = format!("{directory}/{version}/{path}");
                self.repository.write(&path, text);
            }
            let files = files.map(|(path, text)| (path.to_owned(), text.into_bytes()));
            let tree = Tree::from_files(files);
            let tree = tree.map_err(|findings| anyhow::anyhow!("{findings:?}"))?;
            Ok((version, vec![tree.digest()]))
        });
        let versions = versions.collect();
        self.repository.push();
        versions
    }

    pub fn sources(&self) -> Api<AddonSource> {
        Api::all(self.client.clone())
    }

    /// A source of the directory `name`.
    pub async fn create_source(&self, name: &str) -> Result<()> {
        let git = json!({
            "url": self.server.url("addons.git"), "insecure": true, "directories": [name],
        });
        let source = serde_json::from_value(json!({
            "apiVersion": api::API_VERSION, "kind": "AddonSource",
            "metadata": {"name": name}, "spec": {"interval": "1h", "git": git},
        }))?;
        self.sources()
            .create(&PostParams::default(), &source)
            .await?;
        Ok(())
    }

    /// A sync of `count` versions of `plugin`, in which registry and operator are killed and started
    /// again as said; then everything is as if nobody had been killed. Where `moves`, the source has
    /// other bytes under the same versions after the first death.
    pub async fn sync(
        &mut self,
        plugin: &str,
        count: usize,
        registry: &[Kill],
        operator: &[Kill],
        moves: bool,
    ) -> Result<()> {
        let mut versions = self.push(plugin, count)?;
        let mark = self.cp.audit().mark()?;
        self.registry.arm(registry)?;
        self.operator.arm(operator)?;
        self.create_source(plugin).await?;
        let outcome = match moves {
            false => self.finish(plugin, &versions, mark).await,
            true => self.finish_moved(plugin, &mut versions).await,
        };
        let killed = [&self.registry.hits[..], &self.operator.hits].concat();
        outcome.with_context(|| format!("{plugin}, killed {killed:?}"))?;
        self.registry.disarm()?;
        self.operator.disarm()?;
        self.sources()
            .delete(plugin, &DeleteParams::default())
            .await?;
        Ok(())
    }

    /// Starts again whoever is killed until the source is in sync, and judges what is there then and
    /// after each death.
    pub async fn finish(&mut self, plugin: &str, versions: &Versions, mark: Mark) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.revive(plugin, versions).await?;
            let unsettled = self.unsettled(plugin, versions.len()).await?;
            let Some(unsettled) = unsettled else {
                break;
            };
            if begun.elapsed() > SOON {
                bail!("not settled within {SOON:?}: {unsettled}");
            }
            tokio::time::sleep(LOOK).await;
        }
        let active = self.judge(plugin, versions).await?;
        ensure!(active == versions.len(), "{active} are Active");
        self.created_at_most_once(plugin, versions, mark)
    }

    /// The same where other bytes are pushed at the first death: in the end every version is Active, and
    /// those that were published before are reported as changed.
    async fn finish_moved(&mut self, plugin: &str, versions: &mut Versions) -> Result<()> {
        let (begun, mut moved) = (Instant::now(), false);
        loop {
            // Before whoever died begins again.
            if !moved && (self.registry.is_dead()? || self.operator.is_dead()?) {
                let again = self.push_as(plugin, plugin, versions.len(), "second")?;
                for (version, digests) in again {
                    versions.entry(version).or_default().extend(digests);
                }
                moved = true;
            }
            self.revive(plugin, versions).await?;
            let active = self.judge(plugin, versions).await?;
            let changed = |(v, d): &(&String, &Digest)| versions[*v].last() != Some(*d);
            let published = self.published.get(plugin).into_iter().flatten();
            let changed = published.filter(changed).count();
            let status = self.sources().get(plugin).await?.status.unwrap_or_default();
            let ready = status.conditions.iter().find(|c| c.type_ == READY);
            let wanted = if changed > 0 {
                "VersionChanged"
            } else {
                "Synced"
            };
            let settled = ready.is_some_and(|c| c.reason == wanted);
            // A source whose registry nobody killed is as it was looked at first.
            let told = status.changed.len() == changed || !moved;
            if active == versions.len() && settled && told {
                return Ok(());
            }
            if begun.elapsed() > SOON {
                bail!(
                    "not settled within {SOON:?}: {active} Active, {changed} changed: {status:?}"
                );
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Starts again whoever is dead; the other goes on meanwhile.
    async fn revive(&mut self, plugin: &str, versions: &Versions) -> Result<()> {
        if self.registry.is_dead()? {
            self.judge(plugin, versions).await?;
            self.registry.restart()?;
        }
        if self.operator.is_dead()? {
            self.judge(plugin, versions).await?;
            self.operator.restart()?;
        }
        Ok(())
    }

    /// What keeps the source from being in sync.
    pub async fn unsettled(&self, source: &str, versions: usize) -> Result<Option<String>> {
        let source = self.sources().get(source).await?;
        let status = source.status.unwrap_or_default();
        let ready = status.conditions.iter().find(|c| c.type_ == READY);
        let synced = ready.is_some_and(|c| c.status == "True" && c.reason == "Synced");
        let all = status.versions.and_then(|n| usize::try_from(n).ok()) == Some(versions);
        Ok((!synced || !all).then(|| format!("{status:?}")))
    }

    pub async fn see(&self, plugin: &str) -> Result<Seen> {
        // The other way round than it is written: what names something is read before it.
        let of_plugin = |addon: &MiddlewareAddon| addon.spec.plugin.as_str() == plugin;
        let addons: Api<MiddlewareAddon> = Api::all(self.client.clone());
        let addons = addons.list(&ListParams::default()).await?.items;
        let ledgers: Api<AddonLedger> = Api::all(self.client.clone());
        let ledger = ledgers.get_opt(plugin).await?;
        let content: Api<ConfigMap> = Api::namespaced(self.client.clone(), &self.namespace);
        let of = ListParams::default().labels(&format!("{}={plugin}", labels::PLUGIN));
        let content = content.list(&of).await?.items;
        Ok(Seen {
            addons: addons.into_iter().filter(of_plugin).collect(),
            content: content.into_iter().map(|c| (c.name_any(), c)).collect(),
            ledger: ledger.map(|l| l.spec.entries).unwrap_or_default(),
        })
    }

    /// What must be so at any time: every version that is there has bytes of its source, all of them;
    /// what is Active is in the ledger; the ledger has nothing else, and what it had it has for ever.
    /// Returns how many are Active.
    pub async fn judge(&mut self, plugin: &str, versions: &Versions) -> Result<usize> {
        let seen = self.see(plugin).await?;
        let mut active = 0;
        for addon in &seen.addons {
            let name = addon.name_any();
            let version = addon.spec.version.to_string();
            let digest = addon.spec.digest.as_ref();
            let mut offered = versions.get(&version).into_iter().flatten();
            let want = offered.find(|offered| digest == Some(offered));
            let want = want.with_context(|| format!("{name} has a digest of no source"))?;
            let tree = tree(addon, &seen.content).with_context(|| name.clone())?;
            ensure!(tree.digest() == *want, "{name} has other content");
            let status = addon.status.clone().unwrap_or_default();
            if status.phase == Some(AddonPhase::Active) {
                active += 1;
                ensure!(
                    status.digest.as_ref() == Some(want),
                    "{name} is Active with other bytes"
                );
                ensure!(
                    seen.ledger.get(&version) == Some(want),
                    "{name} is Active and not in the ledger"
                );
            }
        }
        for (version, digest) in &seen.ledger {
            let offered = versions.get(version).is_some_and(|o| o.contains(digest));
            ensure!(offered, "the ledger has {version} as {digest}");
        }
        let published = self.published.get(plugin).into_iter().flatten();
        for (version, digest) in published {
            let now = seen.ledger.get(version);
            ensure!(now == Some(digest), "{version} was {digest} and is {now:?}");
        }
        self.published.insert(plugin.to_owned(), seen.ledger);
        Ok(active)
    }

    /// No version was made twice. (That each is there is judged by what is there: an API server that is
    /// killed does not log its last answer.)
    pub fn created_at_most_once(
        &self,
        plugin: &str,
        versions: &Versions,
        mark: Mark,
    ) -> Result<()> {
        let audit = self.cp.audit().since(mark)?;
        let created = audit.verb("create").resource("middlewareaddons");
        let created = created.filter(|e| e.response_status.as_ref().is_some_and(|s| s.code == 201));
        for version in versions.keys() {
            let name = format!("{plugin}-{version}");
            let times = created.filter(|e| e.name() == name).len();
            ensure!(times <= 1, "{name} was created {times} times");
        }
        Ok(())
    }
}

/// The files that a version's content objects hold.
fn tree(addon: &MiddlewareAddon, content: &BTreeMap<String, ConfigMap>) -> Result<Tree> {
    let sections = addon.spec.content.iter().map(|reference| {
        let object = content.get(&reference.name);
        let object = object.with_context(|| format!("content `{}` is missing", reference.name))?;
        let files = package::content::files(object.clone());
        Ok((reference.section.clone(), files))
    });
    let sections: Vec<_> = sections.collect::<Result<_>>()?;
    Tree::from_sections(sections).map_err(|findings| anyhow::anyhow!("{findings:?}"))
}
