//! AddonPolicy: what it demands is demanded at publication and at each new pin, and of nothing that
//! runs (R-8).

use crate::{
    vouched::{Registry, provenance},
    world::{AGENT, Operator, SOON, Scene, digest},
};
use anyhow::{Result, ensure};
use api::{
    AddonLedger, AddonPolicy,
    crd::addon::AddonPhase::{Active, Pending},
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kit::{ControlPlane, eventually};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::json;

#[tokio::test]
async fn what_is_made_by_hand_waits_until_the_policy_excepts_it() -> Result<()> {
    let scene = Scene::new("excepted").await?;
    scene.put_policy(json!({"signature": {}})).await?;
    let files = scene.redis("1.0.0");
    scene.publish("1.0.0", &files).await?;
    scene.addon_is("1.0.0", Pending).await?;
    let said = scene.addon_says("1.0.0", "Unverified").await?;
    for part in [
        "AddonPolicy `excepted` demands a verified signature",
        "excepted 1.0.0 was made by hand",
        "publish it from an AddonSource that verifies signatures",
        &format!("{{plugin: excepted, digest: \"{}\"}}", digest(&files)),
    ] {
        assert!(said.message.contains(part), "{part}: {}", said.message);
    }
    let ledgers = Api::<AddonLedger>::all(scene.client.clone());
    assert_eq!(ledgers.get_opt("excepted").await?, None);
    let exception = json!({"plugin": "excepted", "digest": digest(&files)});
    edit(&scene, json!({"exceptions": [exception]})).await?;
    scene.addon_is("1.0.0", Active).await?;
    Ok(())
}

#[tokio::test]
async fn allowed_sources_and_signers_are_those_of_the_provenance() -> Result<()> {
    let scene = Scene::new("signers").await?;
    let registry = Registry::shared(&scene.client).await?;
    scene
        .put_policy(json!({
            "sources": ["https://git.example.com/"],
            "allowedSources": ["https://git.example.com/platform/"],
            "signature": {"signers": [{"key": "SHA256:a-key-of-ours"}]},
        }))
        .await?;
    let files = scene.redis("1.0.0");
    let foreign = provenance(&scene, "1.0.0", &files, Some("SHA256:a-key-of-others"))?;
    scene
        .put_vouched("1.0.0", &files, &registry.sign(foreign)?)
        .await?;
    let said = scene.addon_says("1.0.0", "Unverified").await?;
    assert!(
        said.message.contains("is signed by SHA256:a-key-of-others"),
        "{}",
        said.message
    );
    let files = scene.redis("1.1.0");
    let ours = provenance(&scene, "1.1.0", &files, Some("SHA256:a-key-of-ours"))?;
    scene
        .put_vouched("1.1.0", &files, &registry.sign(ours)?)
        .await?;
    scene.addon_is("1.1.0", Active).await?;
    Ok(())
}

#[tokio::test]
async fn a_new_pin_is_judged_and_what_runs_is_left_alone() -> Result<()> {
    let scene = Scene::new("pins").await?;
    scene.active("1.0.0").await?;
    scene.active("1.1.0").await?;
    let spec = json!({"topology": "standalone"});
    scene.put_app("cache", "1.0.0", spec.clone()).await?;
    scene.run_pods_until("cache", "Running").await?;
    scene.is_quiet().await?;
    let (before, mark) = (scene.versions().await?, scene.plane.audit().mark()?);
    scene
        .put_policy(json!({"images": {"requireDigest": true}}))
        .await?;

    scene.put_app("late", "1.0.0", spec).await?;
    let said = scene.app_says("late", "PinAccepted", "Unverified").await?;
    assert_eq!(said.status, "False");
    assert!(
        said.message
            .contains("AddonPolicy `pins` demands every image with its digest"),
        "{}",
        said.message
    );
    let of_running = scene.plane.audit().since(mark)?.by(AGENT).writes();
    let of_running = of_running.filter(|e| {
        let named = e.name().starts_with("cache") || e.name().starts_with("pins");
        named && e.uri.contains("pins")
    });
    let writes: Vec<String> = of_running.iter().map(ToString::to_string).collect();
    assert_eq!(writes, Vec::<String>::new(), "neither App nor version");

    scene
        .edit_app("cache", json!({"pluginVersion": "1.1.0"}))
        .await?;
    let said = scene.app_says("cache", "PinAccepted", "Unverified").await?;
    assert!(
        said.message.contains("The App stays on 1.0.0"),
        "{}",
        said.message
    );
    let ready = scene.app_says("cache", "Ready", "Running").await?;
    assert_eq!(ready.status, "True");
    assert_eq!(scene.versions().await?, before);
    let settings = json!({"redis": {"resources": {"limits": {"memory": "300Mi"}}}});
    scene
        .edit_app(
            "cache",
            json!({"pluginVersion": "1.0.0", "components": settings}),
        )
        .await?;
    scene.app_says("cache", "PinAccepted", "Accepted").await?;
    scene.run_pods_until("cache", "Running").await?;

    Api::<AddonPolicy>::all(scene.client.clone())
        .delete("pins", &DeleteParams::default())
        .await?;
    scene.app_says("late", "PinAccepted", "Accepted").await?;
    scene
        .edit_app("cache", json!({"pluginVersion": "1.1.0"}))
        .await?;
    scene.app_says("cache", "PinAccepted", "Accepted").await?;
    Ok(())
}

/// The definition may be newer than the operator: what it does not know, it cannot grant.
#[tokio::test]
async fn a_field_of_a_later_release_refuses_what_the_policy_is_about() -> Result<()> {
    let plane = Box::leak(Box::new(ControlPlane::start_with_controllers().await?));
    plane.install_crds().await?;
    let scene = Scene::on(plane, "newer").await?;
    let definitions = Api::<CustomResourceDefinition>::all(scene.client.clone());
    let field =
        "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/transparencyLog";
    let patch = json!([{"op": "add", "path": field, "value": {"type": "string"}}]);
    let patch = Patch::<()>::Json(serde_json::from_value(patch)?);
    definitions
        .patch(
            "addonpolicies.middleware.io",
            &PatchParams::default(),
            &patch,
        )
        .await?;
    scene.put_policy(json!({})).await?;
    eventually(SOON, "the field is served", async || {
        edit(&scene, json!({"transparencyLog": "required"})).await?;
        let policies = Api::<kube::api::DynamicObject>::all_with(
            scene.client.clone(),
            &kube::api::ApiResource::erase::<AddonPolicy>(&()),
        );
        let policy = policies.get("newer").await?;
        ensure!(
            policy.data["spec"]["transparencyLog"] == "required",
            "{policy:?}"
        );
        Ok(())
    })
    .await?;
    let operator = Operator::start_with_definitions_as_they_are(plane).await?;
    scene.publish("1.0.0", &scene.redis("1.0.0")).await?;
    let said = scene.addon_says("1.0.0", "Unverified").await?;
    assert!(
        said.message
            .contains("this release does not know the field `spec.transparencyLog`"),
        "{}",
        said.message
    );
    edit(&scene, json!({"transparencyLog": null})).await?;
    scene.addon_is("1.0.0", Active).await?;
    operator.stop();
    Ok(())
}

async fn edit(scene: &Scene, spec: serde_json::Value) -> Result<()> {
    Api::<AddonPolicy>::all(scene.client.clone())
        .patch(
            &scene.plugin,
            &PatchParams::default(),
            &Patch::Merge(json!({"spec": spec})),
        )
        .await?;
    Ok(())
}

/// Every AddonPolicy of the guide is taken by the API server as it stands, and read whole.
#[tokio::test]
async fn the_examples_of_the_guide_are_policies() -> Result<()> {
    let scene = Scene::new("guide").await?;
    let guide = std::fs::read_to_string(kit::root().join("docs/policy.md"))?;
    let blocks = guide.split("```yaml\n").skip(1);
    let examples = blocks.filter_map(|block| block.split("```").next());
    let policies = Api::<AddonPolicy>::all(scene.client.clone());
    let mut names = Vec::new();
    for example in examples {
        let policy: serde_json::Value = serde_saphyr::from_str(example)?;
        let raw: operator::policy::RawPolicy = serde_json::from_value(policy.clone())?;
        let read = operator::policy::Policy::read(&raw);
        ensure!(
            matches!(read, operator::policy::Policy::Read { .. }),
            "{read:?}"
        );
        let dry = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let taken = policies
            .create(&dry, &serde_json::from_value(policy)?)
            .await?;
        names.push(taken.metadata.name.unwrap_or_default());
    }
    assert_eq!(names, ["platform", "floor", "team-a"]);
    Ok(())
}
