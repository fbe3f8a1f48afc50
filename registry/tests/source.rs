//! The source controller on a real API server and the real git. The operator is not here: the tests
//! write what it would, the ledger and the status of versions.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "../transport/tests/support/git_server.rs"]
#[allow(dead_code)]
mod git_server;

use anyhow::{Context as _, Result, ensure};
use api::{
    AddonLedger, AddonLedgerSpec, AddonSource, Digest, MiddlewareAddon,
    conditions::{READY, RECONCILING, STALLED, VERSIONS_UNCHANGED},
    labels,
};
use futures::FutureExt as _;
use git_server::{Fault, GitServer, Repository};
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
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Every wait of these tests: what is measured elsewhere takes milliseconds.
const SOON: Duration = Duration::from_secs(60);
/// How long nothing must happen to be believed.
const SILENCE: Duration = Duration::from_secs(4);

struct World {
    cp: ControlPlane,
    client: Client,
    namespace: String,
    directory: tempfile::TempDir,
    repository: Repository,
    server: GitServer,
    metrics: prometheus_client::registry::Registry,
    stop: Option<futures::channel::oneshot::Sender<()>>,
    running: Option<tokio::task::JoinHandle<Result<(), registry::RunError>>>,
}

impl World {
    async fn new() -> Result<Self> {
        let cp = ControlPlane::start().await?;
        cp.install_crds().await?;
        let directory = tempfile::tempdir()?;
        let mut world = Self {
            client: cp.client().await?,
            namespace: cp.namespace("platform").await?,
            repository: Repository::create(directory.path(), "addons.git"),
            server: GitServer::start(directory.path()),
            directory,
            cp,
            metrics: prometheus_client::registry::Registry::with_prefix("paamesh"),
            stop: None,
            running: None,
        };
        world.start().await?;
        Ok(world)
    }

    /// Starts the registry.
    async fn start(&mut self) -> Result<()> {
        let settings = registry::Settings {
            namespace: self.namespace.clone(),
            data_dir: self.directory.path().join("data"),
            directories: None,
            workers: 4,
            reconcile_timeout: Duration::from_secs(60),
        };
        let client = self.cp.client_as("paamesh-registry").await?;
        let metrics = registry::register(&mut self.metrics);
        let (ready, mut is_ready) = tokio::sync::watch::channel(false);
        let (stop, stopped) = futures::channel::oneshot::channel::<()>();
        let shutdown: registry::Shutdown = stopped.map(drop).boxed().shared();
        let evaluate = Arc::new(evaluate::Host);
        let run = registry::run(client, settings, evaluate, metrics, ready, shutdown);
        self.running = Some(tokio::spawn(run));
        self.stop = Some(stop);
        is_ready.wait_for(|ready| *ready).await?;
        Ok(())
    }

    /// Stops the registry as SIGTERM would.
    async fn stop(&mut self) -> Result<()> {
        drop(self.stop.take());
        let running = self.running.take().context("it runs")?;
        tokio::time::timeout(SOON, running).await???;
        Ok(())
    }

    async fn source(&self, spec: serde_json::Value) -> Result<AddonSource> {
        let mut git = json!({"url": self.server.url("addons.git"), "insecure": true});
        merge(&mut git, &spec["git"]);
        let mut whole = json!({"interval": "1h"});
        merge(&mut whole, &spec);
        whole["git"] = git;
        let source = json!({
            "apiVersion": api::API_VERSION, "kind": "AddonSource",
            "metadata": {"name": "platform"}, "spec": whole,
        });
        let source: AddonSource = serde_json::from_value(source)?;
        Ok(self
            .sources()
            .create(&PostParams::default(), &source)
            .await?)
    }

    fn sources(&self) -> Api<AddonSource> {
        Api::all(self.client.clone())
    }

    fn addons(&self) -> Api<MiddlewareAddon> {
        Api::all(self.client.clone())
    }

    fn content(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    async fn addon(&self, name: &str) -> Result<MiddlewareAddon> {
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
    async fn look(&self, holds: impl Fn(&AddonSource) -> bool) -> Result<AddonSource> {
        self.ask().await?;
        self.seen(holds).await
    }

    async fn ask(&self) -> Result<()> {
        let now = format!("{:?}", std::time::SystemTime::now());
        let annotation =
            json!({"metadata": {"annotations": {labels::RECONCILE_REQUESTED_AT: now}}});
        let params = PatchParams::default();
        self.sources()
            .patch("platform", &params, &Patch::Merge(annotation))
            .await?;
        Ok(())
    }

    async fn seen(&self, holds: impl Fn(&AddonSource) -> bool) -> Result<AddonSource> {
        eventually(SOON, "the source's status", async || {
            let source = self.sources().get("platform").await?;
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
    async fn publish(&self, name: &str) -> Result<Digest> {
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

    async fn phase(&self, name: &str, status: serde_json::Value) -> Result<()> {
        let status = json!({"status": status});
        let params = PatchParams::default();
        self.addons()
            .patch_status(name, &params, &Patch::Merge(status))
            .await?;
        Ok(())
    }

    /// Takes the operator's finalizer off, as it does with a version that nobody uses.
    async fn release(&self, name: &str) -> Result<()> {
        let none = json!({"metadata": {"finalizers": null}});
        self.addons()
            .patch(name, &PatchParams::default(), &Patch::Merge(none))
            .await?;
        Ok(())
    }

    fn mark(&self) -> Result<Mark> {
        self.cp.audit().mark()
    }

    fn writes_since(&self, mark: Mark) -> Result<Events> {
        Ok(self.cp.audit().since(mark)?.by("paamesh-registry").writes())
    }

    async fn events(&self, reason: &str) -> Result<Vec<String>> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), "default");
        let events = events.list(&ListParams::default()).await?;
        let notes = events.items.into_iter();
        let notes = notes.filter(|event| event.reason.as_deref() == Some(reason));
        Ok(notes.filter_map(|event| event.note).collect())
    }

    fn metric(&self, line: &str) -> Result<String> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.metrics)?;
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

fn manifest(name: &str, version: &str) -> String {
    format!(
        "apiVersion: middleware.io/v1alpha1\nkind: Addon\nname: {name}\nversion: {version}\n\
         runtimes:\n  - version: 7.0.15\n    image: redis:7.0.15\n\
         components:\n  server:\n    command: [/scripts/start.sh]\n"
    )
}

fn addon(world: &World, directory: &str, name: &str, version: &str) {
    world
        .repository
        .write(&format!("{directory}/addon.yaml"), &manifest(name, version));
    world.repository.write(
        &format!("{directory}/scripts/start.sh"),
        "#!/bin/sh\nexec sleep 1000\n",
    );
}

fn condition(source: &AddonSource, type_: &str) -> Option<(String, String, String)> {
    let status = source.status.as_ref()?;
    let found = status.conditions.iter().find(|c| c.type_ == type_)?;
    Some((
        found.status.clone(),
        found.reason.clone(),
        found.message.clone(),
    ))
}

fn is(source: &AddonSource, type_: &str, status: &str, reason: &str) -> bool {
    condition(source, type_).is_some_and(|(s, r, _)| s == status && r == reason)
}

fn ready(source: &AddonSource) -> bool {
    is(source, READY, "True", "Synced")
}

#[tokio::test(flavor = "multi_thread")]
async fn from_push_to_projection_in_few_requests_and_then_silence() -> Result<()> {
    let world = World::new().await?;
    addon(&world, "redis/1.0.0", "redis", "1.0.0");
    let commit = world.repository.push();
    world.source(json!({})).await?;

    let first = world.addon("redis-1.0.0").await?;
    assert_eq!(first.finalizers(), [labels::ADDON_FINALIZER]);
    assert_eq!(first.labels()[labels::SOURCE], "platform");
    let provenance: serde_json::Value =
        serde_json::from_str(&first.annotations()[labels::PROVENANCE])?;
    let revision = format!("main@sha1:{commit}");
    let want = json!({"source": "platform", "revision": revision, "directory": "redis/1.0.0"});
    assert_eq!(provenance, want);
    for reference in &first.spec.content {
        let object = world.content().get(&reference.name).await?;
        assert_eq!(object.immutable, Some(true));
        assert_eq!(object.labels()[labels::PLUGIN], "redis");
        assert_eq!(object.labels()[labels::SECTION], reference.section);
    }
    let sections: Vec<_> = first
        .spec
        .content
        .iter()
        .map(|c| c.section.as_str())
        .collect();
    assert_eq!(sections, ["manifest", "scripts"]);

    let digest = world.publish("redis-1.0.0").await?;
    let source = world.seen(ready).await?;
    let status = source.status.unwrap();
    assert_eq!(status.revision, Some(revision.clone()));
    assert_eq!(status.versions, Some(1));
    assert_eq!(
        world.events("Projected").await?,
        [format!("{revision}: projected redis 1.0.0 ({digest})")]
    );

    // A second version: content that did not change is shared.
    addon(&world, "redis/1.1.0", "redis", "1.1.0");
    world.repository.push();
    let mark = world.mark()?;
    world.ask().await?;
    let second = world.addon("redis-1.1.0").await?;
    let asked = world.cp.audit().since(mark)?.by("paamesh-registry");
    let asked = asked.filter(|e| e.verb != "watch" && e.resource() != "events");
    // Content at once, what is shared only read; then the object that names it. (Two requests that
    // leave together may still reach the server one after the other, on a new connection.)
    let asked: Vec<_> = asked
        .iter()
        .map(|e| format!("{} {}", e.verb, e.resource()))
        .collect();
    let (last, content) = asked.split_last().unwrap();
    assert_eq!(last, "create middlewareaddons");
    let mut content = content.to_vec();
    content.sort();
    assert_eq!(content, ["create configmaps", "get configmaps"]);
    assert_eq!(first.spec.content[1], second.spec.content[1]);
    world.publish("redis-1.1.0").await?;
    world
        .seen(|s| ready(s) && s.status.as_ref().unwrap().versions == Some(2))
        .await?;
    let writes = world.writes_since(mark)?;
    let own: Vec<_> = writes.iter().map(kit::Event::resource).collect();
    let statuses = own.iter().filter(|r| *r == "addonsources/status").count();
    // Once when settled; on a busy machine once more, because it takes long.
    assert!((1..=2).contains(&statuses), "{writes}");

    // Looks that find nothing new write nothing but that they were asked for.
    let mark = world.mark()?;
    world.look(ready).await?;
    let writes = world.writes_since(mark)?;
    assert_eq!(writes.len(), 1, "{writes}");
    let often = json!({"spec": {"interval": "1s"}});
    world
        .sources()
        .patch("platform", &PatchParams::default(), &Patch::Merge(often))
        .await?;
    let generation =
        async |source: &AddonSource| source.status.as_ref().unwrap().observed_generation;
    eventually(SOON, "the edit is seen", async || {
        let source = world.sources().get("platform").await?;
        ensure!(generation(&source).await == source.metadata.generation);
        Ok(())
    })
    .await?;
    let mark = world.mark()?;
    world.server.requests();
    tokio::time::sleep(SILENCE).await;
    assert!(world.server.requests().len() >= 2, "it looks");
    let writes = world.writes_since(mark)?;
    assert!(writes.is_empty(), "{writes}");

    // And a push is found without being asked.
    addon(&world, "redis/1.2.0", "redis", "1.2.0");
    world.repository.push();
    world.addon("redis-1.2.0").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_bytes_of_a_published_version_are_refused_for_ever() -> Result<()> {
    let mut world = World::new().await?;
    addon(&world, "redis", "redis", "1.0.0");
    world.repository.push();
    world.source(json!({})).await?;
    let published = world.publish("redis-1.0.0").await?;
    let before = world.addon("redis-1.0.0").await?;
    world.seen(ready).await?;

    world
        .repository
        .write("redis/scripts/start.sh", "#!/bin/sh\nexec sleep 2000\n");
    world.repository.write("redis/README.md", "# Changed\n");
    world.repository.push();
    let changed = |source: &AddonSource| is(source, READY, "False", "VersionChanged");
    let source = world.look(changed).await?;
    assert!(is(&source, VERSIONS_UNCHANGED, "False", "VersionChanged"));
    assert!(is(&source, STALLED, "True", "VersionChanged"));
    let status = source.status.clone().unwrap();
    assert_eq!(status.changed.len(), 1);
    assert_eq!(status.changed[0].published, published);
    assert_ne!(status.changed[0].offered, published);
    assert_eq!(status.changed[0].files, ["README.md", "scripts/start.sh"]);
    let (_, _, message) = condition(&source, READY).unwrap();
    for part in [
        published.as_str(),
        status.changed[0].offered.as_str(),
        "scripts/start.sh",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(world.events("VersionChanged").await?.len(), 1);
    assert_eq!(
        world.metric("paamesh_source_version_changed_total")?,
        "paamesh_source_version_changed_total 1"
    );
    assert_eq!(
        world.addon("redis-1.0.0").await?,
        before,
        "the published one stays"
    );

    // The object is deleted: the ledger remembers, and so does a registry that starts anew.
    world.stop().await?;
    world
        .addons()
        .delete("redis-1.0.0", &DeleteParams::default())
        .await?;
    world.release("redis-1.0.0").await?;
    world.start().await?;
    world.look(changed).await?;
    assert!(world.addons().get_opt("redis-1.0.0").await?.is_none());

    // The published bytes bring it back.
    world.repository.git(&["revert", "--no-edit", "HEAD"]);
    world.repository.push();
    world.ask().await?;
    let back = world.addon("redis-1.0.0").await?;
    assert_eq!(back.spec.digest, Some(published));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_addons_hold_no_version_and_do_not_hold_up_the_good() -> Result<()> {
    let world = World::new().await?;
    addon(&world, "good", "good", "1.0.0");
    addon(&world, "typo", "typo", "1.0.0");
    let typo = format!("{}imagez: x\n", manifest("typo", "1.0.0"));
    world.repository.write("typo/addon.yaml", &typo);
    world.repository.write("bad/addon.yaml", "apiVersion: [\n");
    world.repository.push();
    world.source(json!({})).await?;
    world.publish("good-1.0.0").await?;
    let failed = |source: &AddonSource| is(source, READY, "False", "AddonsFailed");
    let source = world.seen(failed).await?;
    assert!(is(&source, STALLED, "True", "AddonsFailed"));
    let status = source.status.unwrap();
    assert_eq!(status.versions, Some(1));
    let directories: Vec<_> = status.failed.iter().map(|f| f.directory.as_str()).collect();
    assert_eq!(directories, ["bad", "typo"]);
    for failed in &status.failed {
        let finding = &failed.findings[0];
        assert_eq!(finding.file, "addon.yaml");
        assert!(finding.line.is_some(), "{finding}");
    }
    assert_eq!(status.failed[1].findings[0].line, Some(11));
    assert_eq!(
        world.metric("paamesh_source_failed_addons")?,
        "paamesh_source_failed_addons 2"
    );
    assert!(world.addons().get_opt("typo-1.0.0").await?.is_none());

    // Corrected bytes under the same version are welcome: it was never projected.
    world
        .repository
        .write("typo/addon.yaml", &manifest("typo", "1.0.0"));
    world.repository.write("bad/addon.yaml", "");
    world.repository.push();
    world.ask().await?;
    world.publish("typo-1.0.0").await?;
    world.seen(ready).await?;

    // One that the operator refuses is replaced by corrected bytes as well.
    addon(&world, "late", "late", "1.0.0");
    world.repository.push();
    world.ask().await?;
    let refused = world.addon("late-1.0.0").await?;
    world
        .phase("late-1.0.0", json!({"phase": "Failed"}))
        .await?;
    world.seen(failed).await?;
    world.repository.write("late/README.md", "# Late\n");
    world.repository.push();
    world.ask().await?;
    eventually(SOON, "it is being deleted", async || {
        let addon = world.addons().get("late-1.0.0").await?;
        ensure!(addon.metadata.deletion_timestamp.is_some());
        Ok(())
    })
    .await?;
    world.release("late-1.0.0").await?;
    let replaced = world.addon("late-1.0.0").await?;
    assert_ne!(replaced.spec.digest, refused.spec.digest);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_made_version_in_the_way_is_named_and_left_alone() -> Result<()> {
    let world = World::new().await?;
    let by_hand = json!({
        "apiVersion": api::API_VERSION, "kind": "MiddlewareAddon",
        "metadata": {"name": "redis-1.0.0"},
        "spec": {"plugin": "redis", "version": "1.0.0",
            "content": [{"section": "manifest", "kind": "ConfigMap", "name": "mine"}]},
    });
    let by_hand: MiddlewareAddon = serde_json::from_value(by_hand)?;
    let by_hand = world
        .addons()
        .create(&PostParams::default(), &by_hand)
        .await?;
    addon(&world, "redis", "redis", "1.0.0");
    world.repository.push();
    world.source(json!({})).await?;
    world
        .seen(|source| is(source, READY, "False", "Conflict"))
        .await?;
    assert_eq!(world.addon("redis-1.0.0").await?, by_hand);
    world
        .addons()
        .delete("redis-1.0.0", &DeleteParams::default())
        .await?;
    world.publish("redis-1.0.0").await?;
    world.seen(ready).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_repository_is_said_once_and_tried_again() -> Result<()> {
    let world = World::new().await?;
    addon(&world, "redis", "redis", "1.0.0");
    world.repository.push();
    world.server.demand("ann:secret");
    let reference = json!({"secretRef": {"name": "git"}, "directories": ["redis"]});
    world.source(json!({"git": reference})).await?;
    let source = world
        .seen(|source| is(source, READY, "False", "FetchFailed"))
        .await?;
    assert!(is(&source, RECONCILING, "True", "Progressing"));
    let (_, _, message) = condition(&source, READY).unwrap();
    assert!(
        message.contains("Secret `git`") && message.contains("does not exist"),
        "{message}"
    );

    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "git"},
        "stringData": {"username": "ann", "password": "secret"},
    });
    let secret: Secret = serde_json::from_value(secret)?;
    let secrets: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
    secrets.create(&PostParams::default(), &secret).await?;
    world.publish("redis-1.0.0").await?;
    world.seen(ready).await?;

    world.server.fault(Fault::Status(500));
    world
        .look(|source| is(source, READY, "False", "FetchFailed"))
        .await?;
    let mark = world.mark()?;
    world.server.requests();
    tokio::time::sleep(SILENCE).await;
    assert!(world.server.requests().len() >= 2, "it is tried again");
    let writes = world.writes_since(mark)?;
    assert!(writes.is_empty(), "{writes}");
    assert_eq!(
        world.events("FetchFailed").await?.len(),
        2,
        "the Secret, the server"
    );
    world.server.fault(Fault::None);
    world.seen(ready).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_hang_delay_no_other_source_and_no_shutdown() -> Result<()> {
    let mut world = World::new().await?;
    let hanging = GitServer::start(world.directory.path());
    hanging.fault(Fault::Hang);
    for n in 0..20 {
        let source = json!({
            "apiVersion": api::API_VERSION, "kind": "AddonSource",
            "metadata": {"name": format!("hanging-{n}")},
            "spec": {"git": {"url": hanging.url(&format!("{n}.git")), "insecure": true}},
        });
        let source: AddonSource = serde_json::from_value(source)?;
        world
            .sources()
            .create(&PostParams::default(), &source)
            .await?;
    }
    eventually(SOON, "all of them hang", async || {
        ensure!(hanging.requests_so_far() == 20);
        Ok(())
    })
    .await?;
    addon(&world, "redis", "redis", "1.0.0");
    world.repository.push();
    world.source(json!({})).await?;
    let begun = std::time::Instant::now();
    world.addon("redis-1.0.0").await?;
    world.stop().await?;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    for n in 0..20 {
        let source = world.sources().get(&format!("hanging-{n}")).await?;
        assert_eq!(source.status, None, "a look that was given up says nothing");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_source_is_left_alone_until_it_is_not() -> Result<()> {
    let world = World::new().await?;
    addon(&world, "redis", "redis", "1.0.0");
    world.repository.push();
    world.source(json!({"suspend": true})).await?;
    world
        .seen(|source| condition(source, READY).is_some_and(|(_, reason, _)| reason == "Suspended"))
        .await?;
    assert!(world.server.requests().is_empty());
    let on = json!({"spec": {"suspend": false}});
    world
        .sources()
        .patch("platform", &PatchParams::default(), &Patch::Merge(on))
        .await?;
    world.publish("redis-1.0.0").await?;
    world.seen(ready).await?;
    Ok(())
}
