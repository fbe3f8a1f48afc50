//! A version becomes Active, Failed or waits, by its content and the ledger.

use crate::world::{AGENT, SOON, Scene, condition, digest};
use anyhow::{Result, ensure};
use api::{
    AddonLedger,
    crd::addon::AddonPhase::{Active, Failed, Pending},
    labels::ADDON_FINALIZER,
};
use kit::eventually;
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::json;

#[tokio::test]
async fn made_by_hand_it_has_the_digest_of_the_directory() -> Result<()> {
    let scene = Scene::new("byhand").await?;
    let mark = scene.plane.audit().mark()?;
    let files = scene.redis("1.0.0");
    let addon = scene.active("1.0.0").await?;
    let status = addon.status.clone().unwrap_or_default();
    assert_eq!(status.digest, Some(digest(&files)));
    assert_eq!(status.runtimes.as_deref(), Some("7.0.15"));
    assert_eq!(
        status.topology_names.as_deref(),
        Some("standalone,replication")
    );
    assert_eq!(
        status.short_digest.as_deref(),
        Some(digest(&files).short(12))
    );
    assert!(addon.finalizers().contains(&ADDON_FINALIZER.to_owned()));
    let ledger = Api::<AddonLedger>::all(scene.client.clone())
        .get("byhand")
        .await?;
    assert_eq!(ledger.spec.entries.get("1.0.0"), Some(&digest(&files)));
    // No digest says which content is meant, so it is read as it is now, and from no cache.
    let reads = scene.plane.audit().since(mark)?.by(AGENT).verb("get");
    let reads = reads.filter(|read| read.name().starts_with("byhand-1.0.0-"));
    let cached = reads.filter(|read| read.uri.contains("resourceVersion"));
    assert!(!reads.is_empty() && cached.is_empty(), "{reads:?}");
    Ok(())
}

#[tokio::test]
async fn content_may_come_later_and_what_was_seen_to_come_is_not_read() -> Result<()> {
    let scene = Scene::new("later").await?;
    let mark = scene.plane.audit().mark()?;
    let files = scene.redis("1.0.0");
    scene.put_content("1.0.0", &files, "scripts").await?;
    scene.put_registered("1.0.0", &files).await?;
    let waiting = scene.addon_is("1.0.0", Pending).await?;
    let ready = condition(&waiting.status.unwrap_or_default().conditions, "Ready").clone();
    assert_eq!(ready.reason, "ContentMissing");
    assert!(
        ready.message.contains("`later-1.0.0-scripts`"),
        "{}",
        ready.message
    );
    let name = scene.content_name("1.0.0", "scripts");
    let asked = || anyhow::Ok(scene.plane.audit().since(mark)?.by(AGENT));
    let is = |event: &kit::Event, code: u16| {
        let status = event.response_status.as_ref();
        event.name() == name && status.is_some_and(|status| status.code == code)
    };
    // What it said wakes it once more, and it asks the API server's cache and then itself; then it waits
    // for content alone.
    eventually(SOON, "it looked once more", async || {
        let mut looked = 0;
        for event in asked()?.iter() {
            let said = event.resource() == "middlewareaddons/status";
            match said && event.name() == "later-1.0.0" {
                true => looked = 0,
                false if is(event, 404) => looked += 1,
                false => {}
            }
        }
        ensure!(looked >= 2, "asked {looked} times after the last status");
        Ok(())
    })
    .await?;
    let missing = crate::world::sections(&files)["scripts"].clone();
    scene.put_section("1.0.0", "scripts", &missing).await?;
    scene.addon_is("1.0.0", Active).await?;
    let found = asked()?.filter(|event| is(event, 200));
    ensure!(found.is_empty(), "{found:?}");
    Ok(())
}

#[tokio::test]
async fn broken_is_failed_with_file_and_line_and_holds_no_version() -> Result<()> {
    let scene = Scene::new("broken").await?;
    let mut files = scene.redis("1.0.0");
    files
        .entry("addon.yaml".to_owned())
        .and_modify(|text| text.push_str("colour: red\n"));
    scene.publish("1.0.0", &files).await?;
    let failed = scene.addon_is("1.0.0", Failed).await?;
    let ready = condition(&failed.status.unwrap_or_default().conditions, "Ready").clone();
    assert_eq!(ready.reason, "Invalid");
    let line = files["addon.yaml"].lines().count();
    assert!(
        ready.message.starts_with(&format!("addon.yaml:{line}:")),
        "{}",
        ready.message
    );
    assert!(ready.message.contains("colour"), "{}", ready.message);
    let ledger = Api::<AddonLedger>::all(scene.client.clone())
        .get_opt("broken")
        .await?;
    assert!(ledger.is_none(), "{ledger:?}");
    Ok(())
}

#[tokio::test]
async fn a_version_that_comes_back_must_be_what_it_was() -> Result<()> {
    let scene = Scene::new("comesback").await?;
    scene.active("1.0.0").await?;
    scene
        .addons()
        .delete("comesback-1.0.0", &DeleteParams::default())
        .await?;
    eventually(SOON, "the version is gone", async || {
        let addon = scene.addons().get_opt("comesback-1.0.0").await?;
        ensure!(addon.is_none(), "{addon:?}");
        Ok(())
    })
    .await?;
    for section in ["manifest", "scripts", "templates"] {
        let name = scene.content_name("1.0.0", section);
        scene
            .content()
            .delete(&name, &DeleteParams::default())
            .await?;
    }
    let mut files = scene.redis("1.0.0");
    let published = digest(&files);
    files.insert("README.md".to_owned(), "other".to_owned());
    scene.publish("1.0.0", &files).await?;
    let failed = scene.addon_is("1.0.0", Failed).await?;
    let ready = condition(&failed.status.unwrap_or_default().conditions, "Ready").clone();
    assert_eq!(ready.reason, "VersionChanged");
    for digest in [published, digest(&files)] {
        assert!(ready.message.contains(digest.as_str()), "{}", ready.message);
    }
    Ok(())
}

#[tokio::test]
async fn a_lost_status_is_written_again() -> Result<()> {
    let scene = Scene::new("statuslost").await?;
    let before = scene.active("1.0.0").await?;
    let lost = Patch::Merge(json!({"status": null}));
    scene
        .addons()
        .patch_status(&before.name_any(), &PatchParams::default(), &lost)
        .await?;
    let after = scene.addon_is("1.0.0", Active).await?;
    let digest = |addon: &api::MiddlewareAddon| addon.status.clone().unwrap_or_default().digest;
    assert_eq!(digest(&before), digest(&after));
    Ok(())
}
