//! OCI repositories.

use crate::{
    http_server::{Manner, Request, Response, forward},
    registries::Demands,
    stage::{Stage, says},
    world::{World, ready},
};
use anyhow::{Result, ensure};
use api::labels;
use kit::eventually;
use kube::ResourceExt as _;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn tags_become_versions_and_what_is_known_is_not_fetched_again() -> Result<()> {
    let world = World::shared("tagged").await?;
    let demands = Demands {
        basic: true,
        ..Demands::default()
    };
    let stage = Stage::new(world.directory.path(), &demands);
    let first = stage.push("team/redis", "tagged", "1.0.0", "a");
    let second = stage.push("team/redis", "tagged", "1.10.0", "a");
    stage.push("team/redis", "tagged", "2.0.0", "a");
    let oci = json!({
        "url": stage.url("team/redis"), "insecure": true,
        "ref": {"semver": "1.x"}, "secretRef": {"name": "tagged"},
    });
    let spec = json!({"interval": "1h", "oci": oci});
    world.create("tagged", spec).await?;
    let missing = "Secret `tagged` of oci.secretRef";
    world
        .seen_of("tagged", |s| says(s, "FetchFailed", missing))
        .await?;
    world.secret("tagged", json!({"username": "ann"})).await?;
    let half = "`password` is missing; want it beside `username`";
    world
        .look_at("tagged", |s| says(s, "FetchFailed", half))
        .await?;
    let wrong = json!({"username": "ann", "password": "wrong"});
    world.secret("tagged", wrong).await?;
    world
        .look_at("tagged", |s| says(s, "FetchFailed", "401"))
        .await?;
    let config = r#"{"auths": {"127.0.0.1:PORT": {"username": "ann", "password": "secret"}}}"#;
    let config = config.replace("PORT", &stage.server.port.to_string());
    world
        .secret("tagged", json!({".dockerconfigjson": config}))
        .await?;
    world.ask_for("tagged").await?;

    let addon = world.addon("tagged-1.0.0").await?;
    let provenance: serde_json::Value =
        serde_json::from_str(&addon.annotations()[labels::PROVENANCE])?;
    assert_eq!(provenance["directory"], "1.0.0");
    assert_eq!(provenance["revision"], format!("1.0.0@{first}"));
    world.publish("tagged-1.0.0").await?;
    world.publish("tagged-1.10.0").await?;
    let source = world.seen_of("tagged", ready).await?;
    let newest = format!("1.10.0@{second}");
    assert_eq!(source.status.unwrap().revision, Some(newest));

    // Nothing new: the list, and a HEAD of each tag.
    stage.server.lines();
    world.look_at("tagged", ready).await?;
    let mut lines = stage.server.lines();
    lines.retain(|line| !line.contains("/v2/team/redis/tags/list"));
    lines.sort();
    let heads = ["1.0.0", "1.10.0"].map(|tag| format!("HEAD /v2/team/redis/manifests/{tag}"));
    assert_eq!(lines, heads);

    // One more: its manifest and its layer, by digest, and nothing of the others.
    let third = stage.push("team/redis", "tagged", "1.11.0", "a");
    world.ask_for("tagged").await?;
    world.publish("tagged-1.11.0").await?;
    world.seen_of("tagged", ready).await?;
    let lines = stage.server.lines();
    let gets = lines
        .iter()
        .filter(|l| l.starts_with("GET") && !l.contains("tags/list"));
    let gets: Vec<&String> = gets.collect();
    assert_eq!(gets.len(), 2, "{lines:?}");
    assert!(gets[0].ends_with(&format!("manifests/{third}")), "{gets:?}");
    assert!(gets[1].contains("/blobs/sha256:"), "{gets:?}");

    // A tag that is moved to other bytes of a published version.
    let other = stage.push("elsewhere", "tagged", "1.0.0", "b");
    let from = stage
        .registry
        .storage
        .join("docker/registry/v2/repositories/elsewhere");
    let to = stage
        .registry
        .storage
        .join("docker/registry/v2/repositories/team/redis");
    for below in ["_layers/sha256", "_manifests/revisions/sha256"] {
        copy(&from.join(below), &to.join(below))?;
    }
    stage.tag("team/redis", "1.0.0", &other);
    let source = world
        .look_at("tagged", |s| says(s, "VersionChanged", "scripts/start.sh"))
        .await?;
    let changed = source.status.unwrap().changed;
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].directory, "1.0.0");
    Ok(())
}

fn copy(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let below = to.join(entry.file_name());
        std::fs::create_dir_all(&below)?;
        std::fs::copy(entry.path().join("link"), below.join("link"))?;
    }
    Ok(())
}

/// What a registry answers that is sick in the way of its repository's name.
fn sick(port: u16, request: &Request) -> Option<Response> {
    let is = |part: &str| request.target.contains(part);
    let (is_blob, is_head) = (is("/blobs/"), request.method == "HEAD");
    if is("/v2/busy/") {
        return Some(Response::new(429, "").header("Retry-After", "1"));
    }
    if is("/v2/broken/") {
        return Some(Response::new(500, "out of order"));
    }
    if is("/v2/hanging/") {
        return Some(Response::new(200, "").manner(Manner::Never));
    }
    if is("/v2/dripping/manifests/") && !is_head {
        return Some(forward(port, request).manner(Manner::Drip));
    }
    if is("/v2/tampered/") && is_blob {
        let mut answer = forward(port, request);
        let last = answer.body.len().checked_sub(9)?;
        answer.body[last] ^= 1;
        return Some(answer);
    }
    if is("/v2/endless/") && is_blob {
        return Some(forward(port, request).manner(Manner::Endless));
    }
    is("/v2/web/").then(|| Response::new(200, "<html>Hello</html>"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_registry_is_said_and_mends_itself() -> Result<()> {
    let world = World::shared("sick").await?;
    let stage = Stage::new(world.directory.path(), &Demands::default());
    let port = stage.registry.port;
    stage.fault(move |request| sick(port, request));
    let cases = [
        ("busy", "FetchFailed", "asks for patience (429)"),
        ("broken", "FetchFailed", "answered 500"),
        ("hanging", "FetchFailed", "timed out"),
        ("dripping", "Progressing", "timed out"),
        ("tampered", "Progressing", "sent other bytes for blob"),
        ("endless", "Progressing", "has more than"),
        ("web", "FetchFailed", "no OCI registry answers there"),
    ];
    for (name, ..) in cases {
        stage.push(name, name, "1.0.0", "a");
        let oci = json!({"url": stage.url(name), "insecure": true});
        let spec = json!({"interval": "1h", "timeout": "2s", "oci": oci});
        world.create(name, spec).await?;
    }
    for (name, reason, text) in cases {
        world.seen_of(name, |s| says(s, reason, text)).await?;
        let addon = world.addons().get_opt(&format!("{name}-1.0.0")).await?;
        assert_eq!(addon, None, "nothing wrong is published");
    }
    stage.heal();
    for (name, ..) in cases {
        world.publish(&format!("{name}-1.0.0")).await?;
        world.seen_of(name, ready).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_may_hold_more_than_one_look_has_time_for() -> Result<()> {
    const VERSIONS: usize = 32;
    let world = World::shared("slow").await?;
    let stage = Stage::new(world.directory.path(), &Demands::default());
    for patch in 0..VERSIONS {
        stage.push("slow", "slow", &format!("1.0.{patch}"), "a");
    }
    let port = stage.registry.port;
    stage.fault(move |request| {
        let slow = request.target.contains("/blobs/");
        if slow {
            std::thread::sleep(Duration::from_millis(200));
        }
        slow.then(|| forward(port, request))
    });
    let oci = json!({"url": stage.url("slow"), "insecure": true});
    let spec = json!({"interval": "1h", "timeout": "1s", "oci": oci});
    world.create("slow", spec).await?;
    eventually(Duration::from_secs(60), "all of them", async || {
        let there = world.versions_of("slow").await?.len();
        ensure!(there == VERSIONS, "{there}");
        Ok(())
    })
    .await?;
    for patch in 0..VERSIONS {
        world.publish(&format!("slow-1.0.{patch}")).await?;
    }
    world.seen_of("slow", ready).await?;
    let lines = stage.server.lines();
    let looks = lines.iter().filter(|line| line.contains("/tags/list"));
    assert!(looks.count() > 1, "one look had time for all");
    let blobs = lines.iter().filter(|line| line.contains("/blobs/")).count();
    // One may be read again for its projection; what was judged is not judged again.
    assert!((VERSIONS..2 * VERSIONS).contains(&blobs), "{blobs}");
    Ok(())
}
