//! What happens to a version that is there, on a real API server and the real git: who vouches for it,
//! and that it is withdrawn, pruned, or comes back. The operator is not here: the tests write what it
//! would.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "../transport/tests/support/git_server.rs"]
#[allow(dead_code)]
mod git_server;
#[path = "support/world.rs"]
#[allow(dead_code)]
mod world;

use anyhow::{Context as _, Result, ensure};
use api::{
    MiddlewareAddon,
    conditions::{READY, VERSIONS_UNCHANGED},
    labels,
    provenance::{PRIVATE_KEY, PUBLIC_KEY, SECRET, SignedProvenance},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use git_server::{Fault, Repository};
use k8s_openapi::api::core::v1::Secret;
use kit::eventually;
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use world::{SOON, World, addon, condition, is, manifest, ready};

/// The version, once `holds` of it.
async fn seen(
    world: &World,
    name: &str,
    holds: impl Fn(&MiddlewareAddon) -> bool,
) -> Result<MiddlewareAddon> {
    eventually(SOON, name, async || {
        let addon = world.addons().get(name).await?;
        ensure!(holds(&addon), "{:?} {:?}", addon.spec, addon.metadata);
        Ok(addon)
    })
    .await
}

fn withdrawn(addon: &MiddlewareAddon) -> Option<&str> {
    addon.spec.lifecycle.as_ref()?.withdrawn.as_deref()
}

async fn patch(world: &World, spec: Value) -> Result<()> {
    let patch = Patch::Merge(json!({"spec": spec}));
    let params = PatchParams::default();
    world.sources().patch("platform", &params, &patch).await?;
    Ok(())
}

/// What the operator says of a version that `users` Apps use and that may follow `from`.
async fn used(world: &World, name: &str, users: u32, from: &[&str]) -> Result<()> {
    let status = json!({
        "phase": "Active", "users": users, "upgradeFrom": from, "runtimeVersions": ["7.0.15"],
    });
    world.phase(name, status).await
}

async fn secret(world: &World) -> Result<Secret> {
    let secrets: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
    Ok(secrets.get(SECRET).await?)
}

/// What the key in the Secret vouches for, checked as the operator would: with the public key alone.
fn vouched(secret: &Secret, addon: &MiddlewareAddon) -> Result<SignedProvenance> {
    let data = secret.data.as_ref().context("it has data")?;
    let pem = std::str::from_utf8(&data[PUBLIC_KEY].0)?;
    let body = pem.lines().filter(|line| !line.starts_with('-'));
    let spki = STANDARD.decode(body.collect::<String>())?;
    let key = &spki[spki.len() - 32..];
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key);
    let signed: SignedProvenance = serde_json::from_str(&addon.annotations()[labels::PROVENANCE])?;
    let signature = STANDARD.decode(&signed.signature)?;
    let bytes = signed.provenance.signed_bytes()?;
    let verified = key.verify(&bytes, &signature);
    ensure!(verified.is_ok(), "another key signed {signed:?}");
    Ok(signed)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_vouches_for_what_it_projects_and_again_when_its_key_was_lost() -> Result<()> {
    let mut world = World::new().await?;
    addon(&world, "redis", "redis", "1.0.0");
    let commit = world.repository.push();
    world.source(json!({})).await?;
    let first = world.addon("redis-1.0.0").await?;
    let key = secret(&world).await?;
    let pem = key.data.as_ref().unwrap();
    assert!(
        pem[PRIVATE_KEY]
            .0
            .starts_with(b"-----BEGIN PRIVATE KEY-----\n")
    );
    let signed = vouched(&key, &first)?.provenance;
    assert_eq!(Some(&signed.digest), first.spec.digest.as_ref());
    assert_eq!(signed.source, "platform");
    assert_eq!(signed.url, world.server.url("addons.git"));
    assert_eq!(signed.revision, format!("main@sha1:{commit}"));
    assert_eq!(signed.directory, "redis");
    world.publish("redis-1.0.0").await?;
    world.seen(ready).await?;

    // The same key after a restart, and so nothing is signed anew.
    world.stop().await?;
    world.start().await?;
    let mark = world.mark()?;
    world.look(ready).await?;
    let writes = world.writes_since(mark)?;
    assert_eq!(writes.len(), 1, "that it was asked: {writes}");

    // The key is lost: another one signs what the source still offers, and says what it said.
    world.stop().await?;
    let secrets: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
    secrets.delete(SECRET, &DeleteParams::default()).await?;
    world.start().await?;
    let other = secret(&world).await?;
    assert_ne!(key.data, other.data);
    let again = seen(&world, "redis-1.0.0", |addon| {
        vouched(&other, addon).is_ok()
    })
    .await?;
    assert_eq!(vouched(&other, &again)?.provenance, signed);
    assert_eq!(again.spec, first.spec);
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_is_withdrawn_until_it_is_back_and_a_server_that_fails_removes_nothing()
-> Result<()> {
    let world = World::new().await?;
    addon(&world, "redis/1.0.0", "redis", "1.0.0");
    addon(&world, "redis/1.1.0", "redis", "1.1.0");
    addon(&world, "valkey", "valkey", "1.0.0");
    addon(&world, "late", "late", "1.0.0");
    world.repository.push();
    world.source(json!({})).await?;
    for name in ["redis-1.0.0", "redis-1.1.0", "valkey-1.0.0"] {
        world.publish(name).await?;
    }
    world.addon("late-1.0.0").await?;
    world
        .phase("late-1.0.0", json!({"phase": "Failed"}))
        .await?;
    world
        .seen(|source| is(source, READY, "False", "AddonsFailed"))
        .await?;

    // One version goes, one is superseded, one that was never published goes.
    world.repository.git(&["rm", "-rq", "redis/1.0.0", "late"]);
    addon(&world, "valkey", "valkey", "1.1.0");
    let commit = world.repository.push();
    world.server.fault(Fault::Status(500));
    world
        .look(|source| is(source, READY, "False", "FetchFailed"))
        .await?;
    let before = world.addon("redis-1.0.0").await?;
    assert_eq!(
        withdrawn(&before),
        None,
        "a server that is down says nothing"
    );
    world.server.fault(Fault::None);
    world.publish("valkey-1.1.0").await?;
    let source = world.seen(ready).await?;
    let status = source.status.clone().unwrap();
    assert_eq!(status.withdrawn, ["redis 1.0.0"]);
    assert_eq!(status.url, Some(world.server.url("addons.git")));
    assert_eq!(status.versions, Some(2));
    let gone = world.addon("redis-1.0.0").await?;
    let why = format!(
        "removed from AddonSource platform: redis/1.0.0 is not in main@sha1:{commit} any more"
    );
    assert_eq!(withdrawn(&gone), Some(why.as_str()));
    assert_eq!(withdrawn(&world.addon("valkey-1.0.0").await?), None);
    eventually(SOON, "what was never published goes", async || {
        let late = world.addons().get("late-1.0.0").await?;
        ensure!(late.metadata.deletion_timestamp.is_some());
        Ok(())
    })
    .await?;
    world.release("late-1.0.0").await?;
    let told = world.events("Withdrawn").await?;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&why), "{told:?}");
    assert_eq!(
        world.metric("paamesh_source_versions_withdrawn_total")?,
        "paamesh_source_versions_withdrawn_total 1"
    );

    // A second look says it no second time.
    let mark = world.mark()?;
    world.look(ready).await?;
    let writes = world.writes_since(mark)?;
    assert_eq!(writes.len(), 1, "that it was asked: {writes}");

    // The directory is there again, and what a person said meanwhile of another version stays.
    let theirs = json!({"spec": {"lifecycle": {"withdrawn": "CVE-2026-1"}}});
    let params = PatchParams::default();
    let addons = world.addons();
    addons
        .patch("redis-1.1.0", &params, &Patch::Merge(theirs))
        .await?;
    addon(&world, "redis/1.0.0", "redis", "1.0.0");
    world.repository.push();
    world.look(ready).await?;
    let back = seen(&world, "redis-1.0.0", |addon| withdrawn(addon).is_none()).await?;
    assert_eq!(back.spec.digest, gone.spec.digest);
    let theirs = world.addon("redis-1.1.0").await?;
    assert_eq!(withdrawn(&theirs), Some("CVE-2026-1"));
    world
        .seen(|source| source.status.as_ref().unwrap().withdrawn.is_empty())
        .await?;
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_go_and_come_back_but_not_those_in_use_and_on_their_way() -> Result<()> {
    let world = World::new().await?;
    for minor in 0..5 {
        let version = format!("1.{minor}.0");
        addon(&world, &format!("redis/{version}"), "redis", &version);
    }
    world.repository.push();
    world.source(json!({"retention": {"versions": 2}})).await?;
    let mut digests = BTreeMap::new();
    for name in ["redis-1.3.0", "redis-1.4.0"] {
        digests.insert(name, world.publish(name).await?);
    }
    world.seen(ready).await?;
    assert_eq!(
        world.addons().list(&Default::default()).await?.items.len(),
        2
    );

    // Three more are wanted.
    patch(&world, json!({"retention": {"versions": 5}})).await?;
    for name in ["redis-1.0.0", "redis-1.1.0", "redis-1.2.0"] {
        digests.insert(name, world.publish(name).await?);
    }
    let published =
        |n| move |s: &api::AddonSource| ready(s) && s.status.as_ref().unwrap().versions == Some(n);
    world.seen(published(5)).await?;

    // One App runs 1.0.0, and comes to 1.4.0 over 1.2.0.
    used(&world, "redis-1.0.0", 1, &[]).await?;
    used(&world, "redis-1.1.0", 0, &["1.0.0"]).await?;
    used(&world, "redis-1.2.0", 0, &["1.0.0", "1.1.0"]).await?;
    used(&world, "redis-1.3.0", 0, &["1.1.0"]).await?;
    used(&world, "redis-1.4.0", 0, &["1.2.0", "1.3.0"]).await?;
    patch(&world, json!({"retention": {"versions": 1}})).await?;
    let is_going = |addon: &MiddlewareAddon| addon.metadata.deletion_timestamp.is_some();
    for name in ["redis-1.1.0", "redis-1.3.0"] {
        seen(&world, name, is_going).await?;
        world.release(name).await?;
    }
    world.look(published(3)).await?;
    for name in ["redis-1.0.0", "redis-1.2.0", "redis-1.4.0"] {
        world.addon(name).await?;
    }
    assert_eq!(
        world.addons().list(&Default::default()).await?.items.len(),
        3
    );
    let told = world.events("Pruned").await?;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].ends_with("pruned redis-1.1.0; redis-1.3.0"),
        "{told:?}"
    );

    assert_eq!(
        world.metric("paamesh_source_versions_pruned_total")?,
        "paamesh_source_versions_pruned_total 2"
    );

    // The App moves on, and what nobody uses any more goes.
    used(&world, "redis-1.0.0", 0, &[]).await?;
    for name in ["redis-1.0.0", "redis-1.2.0"] {
        seen(&world, name, is_going).await?;
        world.release(name).await?;
    }

    // What was pruned comes back with the bytes that it had.
    patch(&world, json!({"retention": {"versions": 2}})).await?;
    let back = world.addon("redis-1.3.0").await?;
    assert_eq!(back.spec.digest.as_ref(), Some(&digests["redis-1.3.0"]));
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_sources_the_first_digest_wins_and_what_is_deleted_comes_back() -> Result<()> {
    let world = World::new().await?;
    addon(&world, "redis", "redis", "1.0.0");
    world.repository.push();
    let others = Repository::create(world.directory.path(), "others.git");
    others.write("redis/addon.yaml", &manifest("redis", "1.0.0"));
    others.write("redis/scripts/start.sh", "#!/bin/sh\nexec sleep 2000\n");
    others.push();
    world.source(json!({})).await?;
    world.addon("redis-1.0.0").await?;

    // Before anything is published the object's name is the lock.
    let git = json!({"url": world.server.url("others.git"), "insecure": true});
    world
        .create("other", json!({"interval": "1h", "git": git}))
        .await?;
    let lost = |source: &api::AddonSource| is(source, READY, "False", "Conflict");
    let source = world.seen_of("other", lost).await?;
    let (_, _, message) = condition(&source, READY).unwrap();
    assert!(message.contains("made by source platform"), "{message}");

    let published = world.publish("redis-1.0.0").await?;
    world.seen(ready).await?;
    let changed = |source: &api::AddonSource| is(source, READY, "False", "VersionChanged");
    let source = world.seen_of("other", changed).await?;
    assert!(is(&source, VERSIONS_UNCHANGED, "False", "VersionChanged"));
    let (_, _, message) = condition(&source, READY).unwrap();
    let by = format!("published by source platform as {published}");
    assert!(message.contains(&by), "{message}");
    let first = world.addon("redis-1.0.0").await?;
    assert_eq!(first.spec.digest.as_ref(), Some(&published));

    // Content that somebody deletes is made again, and nothing else is written but the Event.
    let mark = world.mark()?;
    let name = &first.spec.content[1].name;
    let before = world.content().get(name).await?;
    world
        .content()
        .delete(name, &DeleteParams::default())
        .await?;
    let after = eventually(SOON, name, async || Ok(world.content().get(name).await?)).await?;
    assert_eq!(after.data, before.data);
    assert_ne!(after.uid(), before.uid());
    eventually(SOON, "it is told", async || {
        ensure!(world.events("Projected").await?.len() == 2);
        Ok(())
    })
    .await?;
    let writes = world.writes_since(mark)?;
    assert_eq!(writes.len(), 2, "{writes}");

    // A version that somebody deletes comes back with its digest, whoever offers which bytes.
    world
        .addons()
        .delete("redis-1.0.0", &DeleteParams::default())
        .await?;
    world.release("redis-1.0.0").await?;
    let back = seen(&world, "redis-1.0.0", |a| a.uid() != first.uid()).await?;
    assert_eq!(back.spec, first.spec);
    assert_eq!(back.labels()[labels::SOURCE], "platform");
    world.end().await
}

/// The registry's part of the at most nine writes of a source: four content objects, the version, the
/// status, one Event. (The operator's are the ledger and the status of the version.)
#[tokio::test(flavor = "multi_thread")]
async fn a_source_with_four_sections_costs_seven_writes() -> Result<()> {
    let world = World::new().await?;
    let memcached = [
        "addon.yaml",
        "README.md",
        "schema/memcached.cue",
        "scripts/start.sh",
        "templates/options",
    ];
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../addons/memcached/1.0.0");
    for path in memcached {
        let text = std::fs::read_to_string(format!("{shipped}/{path}"))?;
        world.repository.write(&format!("memcached/{path}"), &text);
    }
    world.repository.push();
    let mark = world.mark()?;
    world.source(json!({})).await?;
    world.publish("memcached-1.0.0").await?;
    world.seen(ready).await?;
    let writes = world.writes_since(mark)?;
    let mut counted = BTreeMap::new();
    for write in writes.iter() {
        let kind = format!("{} {}", write.verb, write.resource());
        *counted.entry(kind).or_insert(0) += 1;
    }
    // Once when settled; on a busy machine once more, because it takes long.
    let statuses = counted.remove("patch addonsources/status");
    assert!(matches!(statuses, Some(1 | 2)), "{writes}");
    let want = [
        ("create configmaps", 4),
        ("create events", 1),
        ("create middlewareaddons", 1),
    ];
    let want = want.map(|(kind, n)| (kind.to_owned(), n));
    assert_eq!(counted, BTreeMap::from(want), "{writes}");
    assert_eq!(world.events("Projected").await?.len(), 1);
    let counted = world.metric("paamesh_source_ready{reason=\"Synced\"}")?;
    assert_eq!(counted, "paamesh_source_ready{reason=\"Synced\"} 1");
    world.end().await
}
