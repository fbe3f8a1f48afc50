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
    let world = World::shared("signed").await?;
    let stage = Stage::new(world.directory.path(), &Demands::default());
    let (ann, eve) = (stage.key("ann"), stage.key("eve"));
    let signed = stage.push("signed", "signed", "1.0.0", "a");
    stage.sign("signed", &signed, "ann");
    let unsigned = stage.push("signed", "signed", "1.1.0", "a");
    let other = stage.push("signed", "signed", "1.2.0", "a");
    stage.sign("signed", &other, "eve");
    world.secret("signed", json!({"ann.pub": ann})).await?;
    let oci = json!({
        "url": stage.url("signed"), "insecure": true,
        "verify": {"secretRef": {"name": "signed"}},
    });
    world
        .create("signed", json!({"interval": "1h", "oci": oci}))
        .await?;
    let first = world.addon("signed-1.0.0").await?;
    let signer = provenance(&first)?["signer"]["key"].clone();
    assert!(signer.as_str().unwrap().starts_with("sha256:"), "{signer}");
    world.publish("signed-1.0.0").await?;
    let wrong = "is signed, but not with a key that is trusted";
    world
        .seen_of("signed", |s| {
            refused(s, "1.1.0", "is not signed") && refused(s, "1.2.0", wrong)
        })
        .await?;
    let pulled = |lines: &[String], digest: &api::Digest| {
        let get = format!("GET /v2/signed/manifests/{digest}");
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
        .look_at("signed", |s| refused(s, "1.1.0", "is not signed"))
        .await?;
    let lines = stage.server.lines();
    let asked = |digest: &api::Digest| {
        let sig = format!("manifests/sha256-{}.sig", digest.hex());
        lines.iter().any(|line| line.ends_with(&sig))
    };
    assert!(!asked(&signed) && asked(&unsigned), "{lines:?}");
    stage.sign("signed", &unsigned, "ann");
    world.ask_for("signed").await?;
    world.publish("signed-1.1.0").await?;

    // A registry that cannot be asked is never «not signed».
    let late = stage.push("signed", "signed", "1.3.0", "a");
    stage.sign("signed", &late, "ann");
    let tag = format!("sha256-{}.sig", late.hex());
    stage.fault(move |request| {
        let sick = request.target.ends_with(&tag);
        sick.then(|| Response::new(500, ""))
    });
    let source = world
        .look_at("signed", |s| {
            let said = condition(s, RECONCILING);
            said.is_some_and(|(_, _, text)| {
                text.contains("1.3.0: whether it is signed cannot be told")
            })
        })
        .await?;
    assert!(!refused(&source, "1.3.0", ""));
    stage.heal();
    world.publish("signed-1.3.0").await?;

    // Other keys are another question, of everything.
    world.secret("signed", json!({"eve.pub": eve})).await?;
    world
        .look_at("signed", |s| {
            refused(s, "1.0.0", wrong) && refused(s, "1.3.0", wrong)
        })
        .await?;
    world.addon("signed-1.2.0").await?;
    assert!(
        world.addon("signed-1.0.0").await.is_ok(),
        "what is published stays"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_pinned_and_signed_where_the_source_demands_it() -> Result<()> {
    let world = World::shared("images").await?;
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
    world.secret("images", json!({"cosign.pub": ann})).await?;
    let verify = json!({"secretRef": {"name": "images"}});
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
    world.sources().patch(&world.name, &params, &patch).await?;
    world.publish("unpinned-1.0.0").await?;
    stage.sign("images/bad", &bad, "ann");
    world.ask().await?;
    world.publish("bad-1.0.0").await?;
    world.seen(ready).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demand_that_cannot_be_met_yet_is_refused_and_said() -> Result<()> {
    let world = World::shared("demand").await?;
    let stage = Stage::new(world.directory.path(), &Demands::default());
    stage.push("demand", "demand", "1.0.0", "a");
    let oci = json!({
        "url": stage.url("demand"), "insecure": true,
        "verify": {"secretRef": {"name": "demand"}},
    });
    world
        .create("demand", json!({"interval": "1h", "oci": oci}))
        .await?;
    let missing = "Secret `demand` of oci.verify.secretRef";
    world
        .seen_of("demand", |s| says(s, "FetchFailed", missing))
        .await?;
    world.secret("demand", json!({"cosign.key": "x"})).await?;
    let none = "under keys that end in `.pub`, such as `cosign.pub`; it has cosign.key";
    world
        .look_at("demand", |s| says(s, "FetchFailed", none))
        .await?;
    assert!(world.addons().get_opt("demand-1.0.0").await?.is_none());
    Ok(())
}
