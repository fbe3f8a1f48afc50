//! Many versions of one plugin at once: none waits for the others' conflicts, and none is lost.

use crate::world::{AGENT, Scene};
use anyhow::Result;
use api::{AddonLedger, crd::addon::AddonPhase};
use futures::future::try_join_all;
use kube::Api;
use std::collections::BTreeMap;

const VERSIONS: usize = 60;

#[tokio::test]
async fn versions_that_come_at_once_are_entered_without_conflicts() -> Result<()> {
    let scene = Scene::new("atonce").await?;
    let versions: Vec<String> = (0..VERSIONS).map(|n| format!("1.{n}.0")).collect();
    let mark = scene.plane.audit().mark()?;
    try_join_all(versions.iter().map(|version| async {
        let files = smallest(&scene.plugin, version);
        scene.put_content(version, &files, "").await?;
        scene.put_registered(version, &files).await
    }))
    .await?;
    for version in &versions {
        scene.addon_is(version, AddonPhase::Active).await?;
    }
    let ledger = Api::<AddonLedger>::all(scene.client.clone())
        .get("atonce")
        .await?;
    for version in &versions {
        let digest = crate::world::digest(&smallest(&scene.plugin, version));
        assert_eq!(ledger.spec.entries.get(version), Some(&digest));
    }
    let about = |e: &kit::Event| e.name().starts_with("atonce") || e.uri.contains("addonledgers");
    let writes = scene
        .plane
        .audit()
        .since(mark)?
        .by(AGENT)
        .writes()
        .filter(about);
    let statuses = writes.resource("middlewareaddons/status").len();
    let entries = writes
        .resource("addonledgers")
        .filter(|e| e.name() == "atonce" || e.verb == "create");
    let conflicts = entries.filter(|e| e.response_status.as_ref().is_some_and(|s| s.code == 409));
    assert_eq!(statuses, VERSIONS);
    assert!(
        entries.len() <= VERSIONS,
        "{} writes to the ledger",
        entries.len()
    );
    // The first versions may meet no ledger, and make it at the same time as others of other plugins.
    assert!(conflicts.len() <= 1, "{} conflicts", conflicts.len());
    Ok(())
}

/// An addon of a manifest and nothing else.
fn smallest(plugin: &str, version: &str) -> BTreeMap<String, String> {
    let manifest = format!(
        "apiVersion: middleware.io/v1alpha1\nkind: Addon\nname: {plugin}\nversion: {version}\n\
         runtimes:\n  - version: 1.0.0\n    image: busybox:1.36\n\
         components:\n  main:\n    command: [sleep, infinity]\n"
    );
    [("addon.yaml".to_owned(), manifest)].into()
}
