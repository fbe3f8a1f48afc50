//! Artifacts and images that must be signed.

use crate::{
    http_server::Response,
    registries::Demands,
    stage::{Stage, says},
    world::{World, condition, manifest, ready},
};
use anyhow::Result;
use api::{AddonSource, conditions::RECONCILING, labels};
use kube::ResourceExt as _;
use serde_json::{Value, json};

fn provenance(addon: &api::MiddlewareAddon) -> Result<Value> {
    Ok(serde_json::from_str(
        &addon.annotations()[labels::PROVENANCE],
    )?)
}

/// Whether something is said of the directory.
fn refused(source: &AddonSource, directory: &str, text: &str) -> bool {
    let failed = source.status.iter().flat_map(|status| &status.failed);
    let mut failed = failed.filter(|failed| failed.directory == directory);
    failed.any(|failed| failed.findings[0].message.contains(text))
}

#[tokio::test(flavor = "multi_thread")]
async fn only_artifacts_that_a_trusted_key_signed_are_pulled() -> Result<()> {
    let world = World::new().await?;
    let stage = Stage::new(world.directory.path(), &Demands::default());
    let (ann, eve) = (stage.key("ann"), stage.key("eve"));
    let signed = stage.push("redis", "redis", "1.0.0", "a");
    stage.sign("redis", &signed, "ann");
    let unsigned = stage.push("redis", "redis", "1.1.0", "a");
    let other = stage.push("redis", "redis", "1.2.0", "a");
    stage.sign("redis", &other, "eve");
    world.secret("keys", json!({"ann.pub": ann})).await?;
    let oci = json!({
        "url": stage.url("redis"), "insecure": true,
        "verify": {"secretRef": {"name": "keys"}},
    });
    world
        .create("redis", json!({"interval": "1h", "oci": oci}))
        .await?;
    let first = world.addon("redis-1.0.0").await?;
    let signer = provenance(&first)?["signer"]["key"].clone();
    assert!(signer.as_str().unwrap().starts_with("sha256:"), "{signer}");
    world.publish("redis-1.0.0").await?;
    let wrong = "is signed, but not with a key that is trusted";
    world
        .seen_of("redis", |s| {
            refused(s, "1.1.0", "is not signed") && refused(s, "1.2.0", wrong)
        })
        .await?;
    let pulled = |lines: &[String], digest: &api::Digest| {
        let get = format!("GET /v2/redis/manifests/{digest}");
        lines.contains(&get)
    };
    let lines = stage.server.lines();
    assert!(pulled(&lines, &signed));
    assert!(
        !pulled(&lines, &unsigned) && !pulled(&lines, &other),
        "{lines:?}"
    );

    // What was found to be signed is not asked again; what was not is.
    world
        .look_at("redis", |s| refused(s, "1.1.0", "is not signed"))
        .await?;
    let lines = stage.server.lines();
    let asked = |digest: &api::Digest| {
        let sig = format!("manifests/sha256-{}.sig", digest.hex());
        lines.iter().any(|line| line.ends_with(&sig))
    };
    assert!(!asked(&signed) && asked(&unsigned), "{lines:?}");
    stage.sign("redis", &unsigned, "ann");
    world.ask_for("redis").await?;
    world.publish("redis-1.1.0").await?;

    // A registry that cannot be asked is never «not signed».
    let late = stage.push("redis", "redis", "1.3.0", "a");
    stage.sign("redis", &late, "ann");
    let tag = format!("sha256-{}.sig", late.hex());
    stage.fault(move |request| {
        let sick = request.target.ends_with(&tag);
        sick.then(|| Response::new(500, ""))
    });
    let source = world
        .look_at("redis", |s| {
            let said = condition(s, RECONCILING);
            said.is_some_and(|(_, _, text)| {
                text.contains("1.3.0: whether it is signed cannot be told")
            })
        })
        .await?;
    assert!(!refused(&source, "1.3.0", ""));
    stage.heal();
    world.publish("redis-1.3.0").await?;

    // Other keys are another question, of everything.
    world.secret("keys", json!({"eve.pub": eve})).await?;
    world
        .look_at("redis", |s| {
            refused(s, "1.0.0", wrong) && refused(s, "1.3.0", wrong)
        })
        .await?;
    world.addon("redis-1.2.0").await?;
    assert!(
        world.addon("redis-1.0.0").await.is_ok(),
        "what is published stays"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_pinned_and_signed_where_the_source_demands_it() -> Result<()> {
    let world = World::new().await?;
    let stage = Stage::new(world.directory.path(), &Demands::default());
    let ann = stage.key("ann");
    // To a signature an image is an artifact like any other.
    let image = stage.push("images/good", "image", "7.0.15", "a");
    stage.sign("images/good", &image, "ann");
    let bad = stage.push("images/bad", "image", "7.0.15", "b");
    let host = format!("127.0.0.1:{}", stage.server.port);
    let good = format!("{host}/images/good:7.0.15@{image}");
    let pinned = format!("{host}/images/bad@{bad}");
    let tagged = format!("{host}/images/good:7.0.15");
    for (name, image) in [("good", &good), ("bad", &pinned), ("unpinned", &tagged)] {
        let text = manifest(name, "1.0.0").replace("redis:7.0.15", image);
        world.repository.write(&format!("{name}/addon.yaml"), &text);
        let script = "#!/bin/sh\nexec sleep 1\n";
        world
            .repository
            .write(&format!("{name}/scripts/start.sh"), script);
    }
    world.repository.push();
    world.secret("keys", json!({"cosign.pub": ann})).await?;
    let verify = json!({"secretRef": {"name": "keys"}});
    let images = json!({"requireDigest": true, "insecure": true, "verify": verify});
    world.source(json!({"images": images})).await?;
    let verified = world.addon("good-1.0.0").await?;
    let provenance = provenance(&verified)?;
    let first = &provenance["images"][0];
    assert_eq!(first["image"], good);
    assert_eq!(first["digest"], image.to_string());
    world.publish("good-1.0.0").await?;
    let source = world
        .seen(|s| refused(s, "bad", "is not signed") && refused(s, "unpinned", "is not pinned"))
        .await?;
    assert_eq!(source.status.unwrap().failed.len(), 2);

    // Nothing new: what was verified is not asked again.
    stage.server.lines();
    world.look(|s| refused(s, "bad", "is not signed")).await?;
    let lines = stage.server.lines();
    assert!(
        !lines.iter().any(|line| line.contains("images/good")),
        "{lines:?}"
    );

    // Without a demand they are as good as any, and a tag may be verified as what it names now.
    let demand = json!({"spec": {"images": {"requireDigest": false}}});
    let patch = kube::api::Patch::Merge(demand);
    let params = kube::api::PatchParams::default();
    world.sources().patch("platform", &params, &patch).await?;
    world.publish("unpinned-1.0.0").await?;
    stage.sign("images/bad", &bad, "ann");
    world.ask().await?;
    world.publish("bad-1.0.0").await?;
    world.seen(ready).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demand_that_cannot_be_met_yet_is_refused_and_said() -> Result<()> {
    let world = World::new().await?;
    let stage = Stage::new(world.directory.path(), &Demands::default());
    stage.push("redis", "redis", "1.0.0", "a");
    let oci = json!({
        "url": stage.url("redis"), "insecure": true,
        "verify": {"secretRef": {"name": "keys"}},
    });
    world
        .create("redis", json!({"interval": "1h", "oci": oci}))
        .await?;
    let missing = "Secret `keys` of oci.verify.secretRef";
    world
        .seen_of("redis", |s| says(s, "FetchFailed", missing))
        .await?;
    world.secret("keys", json!({"cosign.key": "x"})).await?;
    let none = "under keys that end in `.pub`, such as `cosign.pub`; it has cosign.key";
    world
        .look_at("redis", |s| says(s, "FetchFailed", none))
        .await?;
    assert!(world.addons().get_opt("redis-1.0.0").await?.is_none());
    Ok(())
}
