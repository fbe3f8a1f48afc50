//! The source controller on a real API server and the real git. The operator is not here: the tests
//! write what it would, the ledger and the status of versions.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "../transport/tests/support/git_server.rs"]
#[allow(dead_code)]
mod git_server;
#[path = "support/world.rs"]
#[allow(dead_code)]
mod world;

use anyhow::{Result, ensure};
use api::{
    AddonSource, MiddlewareAddon,
    conditions::{READY, RECONCILING, STALLED, VERSIONS_UNCHANGED},
    labels,
};
use git_server::{Fault, GitServer};
use k8s_openapi::api::core::v1::Secret;
use kit::eventually;
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use std::time::Duration;
use world::{SILENCE, SOON, World, addon, condition, is, manifest, ready};

#[tokio::test(flavor = "multi_thread")]
async fn from_push_to_projection_in_few_requests_and_then_silence() -> Result<()> {
    let world = World::new().await?;
    addon(&world, "redis/1.0.0", "redis", "1.0.0");
    let commit = world.repository.push();
    world.source(json!({})).await?;

    let first = world.addon("redis-1.0.0").await?;
    assert_eq!(first.finalizers(), [labels::ADDON_FINALIZER]);
    assert_eq!(first.labels()[labels::SOURCE], "platform");
    let provenance: api::provenance::SignedProvenance =
        serde_json::from_str(&first.annotations()[labels::PROVENANCE])?;
    let revision = format!("main@sha1:{commit}");
    assert_eq!(provenance.provenance.revision, revision);
    assert_eq!(provenance.provenance.directory, "redis/1.0.0");
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
    world.end().await
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
    world.end().await
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
    // On a busy machine what is refused is said before the good one is published.
    let published = |source: &AddonSource| source.status.as_ref().unwrap().versions == Some(1);
    let source = world.seen(|s| failed(s) && published(s)).await?;
    assert!(is(&source, STALLED, "True", "AddonsFailed"));
    let status = source.status.unwrap();
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
    world.end().await
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
    world.end().await
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
    world.end().await
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
    world.end().await
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
    world.end().await
}
