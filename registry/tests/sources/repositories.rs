//! Git repositories beyond plain HTTP and a branch.

use crate::{
    ssh_server::{SshServer, keygen},
    stage::says,
    world::{World, addon, is, manifest, ready},
};
use anyhow::Result;
use api::{
    conditions::{READY, VERSIONS_UNCHANGED},
    labels,
};
use kube::ResourceExt as _;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_over_ssh_is_believed_by_its_host_key_alone() -> Result<()> {
    let world = World::shared("ssh").await?;
    addon(&world, "redis", "ssh", "1.0.0");
    world.repository.push();
    let sshd = SshServer::start(world.directory.path());
    let identity = sshd.admit("ed25519", "sesame");
    let url = sshd.url(&world.repository.bare);
    let git = json!({"url": url, "secretRef": {"name": "ssh"}});
    world
        .create("ssh", json!({"interval": "1h", "git": git}))
        .await?;
    world
        .create("bare", json!({"interval": "1h", "git": {"url": url}}))
        .await?;
    let needs = "SSH needs git.secretRef";
    world
        .seen_of("bare", |s| says(s, "InvalidSpec", needs))
        .await?;

    let stranger = world.directory.path().join("stranger");
    keygen(&stranger, "ed25519", "");
    let strange = std::fs::read_to_string(stranger.with_extension("pub"))?;
    let strange = format!("[127.0.0.1]:{} {strange}", sshd.port);
    let known = sshd.known_host("ed25519");
    for (secret, want) in [
        (json!({"known_hosts": known}), "`identity` is missing"),
        (json!({"identity": identity}), "`known_hosts` is missing"),
        (
            json!({"identity": identity, "known_hosts": known}),
            "`identity` cannot be used",
        ),
        (
            json!({"identity": identity, "password": "sesame", "known_hosts": strange}),
            "known_hosts",
        ),
    ] {
        world.secret("ssh", secret).await?;
        world
            .look_at("ssh", |s| says(s, "FetchFailed", want))
            .await?;
    }
    let right = json!({"identity": identity, "password": "sesame", "known_hosts": known});
    world.secret("ssh", right).await?;
    world.ask_for("ssh").await?;
    world.publish("ssh-1.0.0").await?;
    world.seen_of("ssh", ready).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_with_a_prefix_are_the_versions_of_one_addon_among_several() -> Result<()> {
    let world = World::shared("prefixed").await?;
    for (name, version) in [
        ("prefixed", "1.0.0"),
        ("unwanted", "3.0.0"),
        ("prefixed", "1.1.0"),
    ] {
        addon(&world, name, name, version);
        world.repository.push();
        world
            .repository
            .git(&["tag", &format!("{name}/v{version}")]);
    }
    world.repository.git(&["push", "--quiet", "--tags"]);
    let git =
        json!({"ref": {"tagPrefix": "prefixed/", "semver": "1.x"}, "directories": ["prefixed"]});
    world.source(json!({"git": git})).await?;
    world.publish("prefixed-1.1.0").await?;
    let source = world.seen(ready).await?;
    let revision = source.status.unwrap().revision.unwrap();
    assert!(revision.starts_with("prefixed/v1.1.0@sha1:"), "{revision}");
    assert!(world.addons().get_opt("unwanted-3.0.0").await?.is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_history_is_published_and_the_oldest_bytes_of_a_version_are_its_own() -> Result<()>
{
    let world = World::shared("past").await?;
    let mut commits = Vec::new();
    for version in ["1.0.0", "1.1.0"] {
        addon(&world, "redis", "past", version);
        commits.push(world.repository.push());
    }
    // Broken in passing, other bytes under the same version, moved, and on.
    let broken = manifest("past", "1.1.5").replace("components", "komponents");
    world.repository.write("redis/addon.yaml", &broken);
    world.repository.push();
    addon(&world, "redis", "past", "1.1.0");
    world.repository.write("redis/README.md", "# Late\n");
    world.repository.push();
    world.repository.git(&["mv", "redis", "moved"]);
    world
        .repository
        .write("moved/addon.yaml", &manifest("past", "1.2.0"));
    let head = world.repository.push();
    world.source(json!({"git": {"history": "full"}})).await?;
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        world.publish(&format!("past-{version}")).await?;
    }
    let source = world
        .look(|s| says(s, "VersionChanged", "past 1.1.0"))
        .await?;
    assert!(is(&source, VERSIONS_UNCHANGED, "False", "VersionChanged"));
    let status = source.status.unwrap();
    assert_eq!(status.versions, Some(3));
    assert_eq!(status.failed, [], "what was broken in passing is past");
    assert_eq!(status.changed.len(), 1);
    assert_eq!(status.changed[0].files, ["README.md"]);
    assert_eq!(status.revision, Some(format!("main@sha1:{head}")));
    for (version, commit, directory) in [
        ("1.0.0", &commits[0], "redis"),
        ("1.1.0", &commits[1], "redis"),
        ("1.2.0", &head, "moved"),
    ] {
        let addon = world.addon(&format!("past-{version}")).await?;
        let provenance: Value = serde_json::from_str(&addon.annotations()[labels::PROVENANCE])?;
        assert_eq!(provenance["revision"], format!("main@sha1:{commit}"));
        assert_eq!(provenance["directory"], directory);
    }
    // What is broken now is said.
    world.repository.write("moved/addon.yaml", &broken);
    world.repository.push();
    let failed = world
        .look(|s| says(s, "VersionChanged", "moved/addon.yaml"))
        .await?;
    assert_eq!(failed.status.unwrap().failed[0].directory, "moved");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn submodules_and_large_files_elsewhere_are_refused_by_name() -> Result<()> {
    let world = World::shared("refused").await?;
    addon(&world, "lfs", "lfs", "1.0.0");
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    world.repository.write("lfs/icon.png", pointer);
    addon(&world, "sub", "sub", "1.0.0");
    addon(&world, "whole", "whole", "1.0.0");
    world.repository.push();
    let commit = world.repository.head();
    let link = format!("160000,{commit},sub/scripts/more");
    world
        .repository
        .git(&["update-index", "--add", "--cacheinfo", &link]);
    world
        .repository
        .git(&["commit", "--quiet", "--message", "a submodule"]);
    world
        .repository
        .git(&["push", "--quiet", "origin", "HEAD:main"]);
    world.source(json!({})).await?;
    world.publish("whole-1.0.0").await?;
    let source = world
        .seen(|s| is(s, READY, "False", "AddonsFailed"))
        .await?;
    let told: Vec<String> = source
        .status
        .unwrap()
        .failed
        .iter()
        .map(|failed| format!("{}/{}", failed.directory, failed.findings[0]))
        .collect();
    let wants = [
        "lfs/icon.png: a pointer to Git LFS; put the file itself here",
        "sub/scripts/more: a submodule; put the files themselves here",
    ];
    assert_eq!(told, wants);
    Ok(())
}
