//! `addon dev` as an author meets it: the real binary, a real API server, and the operator's
//! controllers in this process. There is no kubelet: the tests say of pods what it would.

// Not every function here is a test, and each may fail as one does.
#![allow(clippy::unwrap_used, clippy::panic)]

mod author;
mod world;

use anyhow::Result;
use author::Author;
use kube::ResourceExt as _;
use serde_json::json;
use world::World;

#[tokio::test(flavor = "multi_thread")]
async fn each_saved_state_comes_to_the_app_and_refused_ones_do_not() -> Result<()> {
    let world = World::of("devflow").await?;
    let mut author = Author::new(&world, "1.0.0");
    author.begin("--create")?;
    author.hears("created devflow 1.0.0-dev.1")?;
    author.hears("created the App cache on 1.0.0-dev.1")?;
    world.pods_run_until("cache", "1.0.0-dev.1").await?;
    author.hears("cache is Ready on 1.0.0-dev.1")?;
    author.hears("cache-redis-0-0 is ready")?;

    // What the checks refuse is told as `lint` tells it, and changes nothing.
    let manifest = author.read("addon.yaml");
    author.save("addon.yaml", &manifest.replace("runtimes:", "runtimse:"));
    author.hears("addon.yaml:9:1: ")?;
    author.hears("nothing is published")?;
    let app = world.app("cache").await?;
    assert_eq!(app.spec.plugin_version.to_string(), "1.0.0-dev.1");

    // Put right again it is what it was: no new version.
    author.save("addon.yaml", &manifest);
    author.hears("unchanged: it is devflow 1.0.0-dev.1")?;

    let probe = author.read("scripts/probe.sh");
    author.save("scripts/probe.sh", &format!("{probe}# another\n"));
    author.hears("created devflow 1.0.0-dev.2")?;
    author.hears("moved cache from 1.0.0-dev.1 to 1.0.0-dev.2")?;
    world.pods_run_until("cache", "1.0.0-dev.2").await?;
    author.hears("cache is Ready on 1.0.0-dev.2; no pod restarted, 1 left as they were")?;

    let template = author.read("templates/redis.conf");
    author.save("templates/redis.conf", &format!("{template}\nhz 20\n"));
    author.hears("moved cache from 1.0.0-dev.2 to 1.0.0-dev.3")?;
    world.pods_run_until("cache", "1.0.0-dev.3").await?;
    author.hears("cache is Ready on 1.0.0-dev.3; 1 pod created")?;

    let said = author.ends()?;
    assert!(
        said.contains("The App cache in devflow stays on 1.0.0-dev.3."),
        "{said}"
    );
    assert!(
        said.contains("To go on:       kubectl middleware addon dev"),
        "{said}"
    );
    let app = world.app("cache").await?;
    let managers = app
        .managed_fields()
        .iter()
        .filter_map(|m| m.manager.as_deref());
    assert!(
        managers
            .collect::<Vec<_>>()
            .contains(&"kubectl-middleware-dev")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_on_a_release_is_moved_where_the_manifest_allows_it() -> Result<()> {
    let world = World::of("devgate").await?;
    let author = Author::new(&world, "1.0.0");
    author.publish("1.0.0").await?;
    world
        .make_app(
            "cache",
            json!({"plugin": "devgate", "pluginVersion": "1.0.0", "topology": "standalone"}),
        )
        .await?;
    world.pods_run_until("cache", "1.0.0").await?;
    // The same version again: its states may not follow it, and the App says so.
    author.save("README.md", "# Changed\n");
    let said = author.once("")?;
    assert_eq!(said.code, 1, "{}", said.text);
    assert!(said.text.contains("NotInUpgradeFrom"), "{}", said.text);
    assert!(
        said.text.contains("upgradeFrom of addon.yaml"),
        "{}",
        said.text
    );
    let app = world.app("cache").await?;
    assert_eq!(
        app.status.unwrap().pin.unwrap().plugin_version.to_string(),
        "1.0.0"
    );
    let manifest = author.read("addon.yaml");
    let next = manifest.replace(
        "version: 1.0.0\n",
        "version: 1.0.1\nupgradeFrom: [\"1.0.0\"]\n",
    );
    author.save("addon.yaml", &next);
    let (said, run) = tokio::join!(
        author.once_beside(""),
        world.pods_run_until("cache", "1.0.1-dev.1")
    );
    run?;
    let said = said?;
    assert_eq!(said.code, 0, "{}", said.text);
    assert!(
        said.text.contains("cache is Ready on 1.0.1-dev.1"),
        "{}",
        said.text
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn old_states_that_nobody_uses_go_and_the_newest_ten_stay() -> Result<()> {
    let world = World::of("devprune").await?;
    let author = Author::new(&world, "1.0.0");
    let suspended = json!({"plugin": "devprune", "pluginVersion": "1.0.0-dev.1", "topology": "standalone", "suspend": true});
    world.make_app("cache", suspended).await?;
    for n in 1..=13 {
        author.save("README.md", &format!("# State {n}\n"));
        let said = author.once("")?;
        assert!(
            said.text.contains(&format!("1.0.0-dev.{n} is Active")),
            "{}",
            said.text
        );
    }
    let states = world.states_settle("devprune", 10).await?;
    assert!(states.contains(&13) && !states.contains(&1), "{states:?}");
    // A number is never given twice, whatever went.
    author.save("README.md", "# State 14\n");
    assert!(author.once("")?.text.contains("1.0.0-dev.14 is Active"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_begun_says_what_to_do() -> Result<()> {
    let world = World::of("devrefused").await?;
    let author = Author::new(&world, "1.0.0");
    let said = author.once("")?;
    assert_eq!(said.code, 2);
    assert!(
        said.text
            .contains("there is no App `cache` in devrefused; --create makes one"),
        "{}",
        said.text
    );
    let flux = json!({"kustomize.toolkit.fluxcd.io/name": "apps"});
    world
        .make_labelled(
            "cache",
            flux,
            json!({"plugin": "devrefused", "pluginVersion": "1.0.0"}),
        )
        .await?;
    let said = author.once("")?;
    assert_eq!(said.code, 2);
    assert!(
        said.text.contains("is written by a GitOps tool"),
        "{}",
        said.text
    );
    let said = author.once("--app other --create --as nobody")?;
    assert_eq!(said.code, 2);
    assert!(
        said.text.contains("you may not get apps.middleware.io"),
        "{}",
        said.text
    );
    world
        .make_app(
            "foreign",
            json!({"plugin": "elsewhere", "pluginVersion": "1.0.0"}),
        )
        .await?;
    let said = author.once("--app foreign")?;
    assert_eq!(said.code, 2);
    assert!(said.text.contains("is one of elsewhere"), "{}", said.text);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_charts_roles_are_all_that_an_author_needs() -> Result<()> {
    let world = World::of("devrights").await?;
    world.let_author().await?;
    let author = Author::new(&world, "1.0.0");
    let (said, run) = tokio::join!(
        author.once_beside("--create --as author"),
        world.pods_run_until("cache", "1.0.0-dev.1")
    );
    run?;
    let said = said?;
    assert_eq!(said.code, 0, "{}", said.text);
    assert!(
        said.text.contains("cache-redis-0-0 is ready"),
        "{}",
        said.text
    );
    Ok(())
}
