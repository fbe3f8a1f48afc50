//! `kubectl middleware source add`, `sync`, `suspend`, `resume`, `remove`, while the registry answers.

use crate::{
    hands::{Hands, at_work, condition, ready, stalled},
    world::{CATALOG, SOON, World, said, steady, world},
};
use anyhow::{Result, ensure};
use api::{AddonSource, labels};
use kit::{Kubectl, eventually};
use serde_json::{Value, json};
use std::{
    io::Write as _,
    process::{Child, Stdio},
};

/// Every flag of a Git source, and every flag of an OCI source.
const GIT: &str = "source add all-git https://git.example.com/platform/addons.git \
    --semver 1.x --tag-prefix redis/ --dir addons --dir more/addons --history full --secret login \
    --proxy-secret proxy --verify-secret keys --verify-mode tag-and-head --interval 10m --timeout 2m \
    --keep 5 --webhook github --webhook-secret hook --suspend --images-require-digest \
    --images-verify-secret image-keys --images-secret pull --images-insecure --export";
const OCI: &str = "source add all-oci oci://registry.example.com/addons/redis \
    --semver '>=1.0.0 <3.0.0' --semver-filter ^v --secret login --cert-secret ca --proxy-secret proxy \
    --insecure --verify-identity https://issuer[.]example[.]com,.*@example[.]com \
    --verify-secret keys --trusted-root-secret root \
    --images-verify-identity https://issuer[.]example[.]com,ci --images-trusted-root-secret root --export";

#[tokio::test]
async fn flags_become_a_source_that_the_api_server_takes() -> Result<()> {
    let world = world().await?;
    let lines = [
        GIT,
        OCI,
        "source add least ssh://git@git.example.com/addons.git --export",
        "source add commit https://git.example.com/a.git --commit 0123456789012345678901234567890123456789 --export",
        "source add mine redis/1.0.0 --export",
        "source add plain http://git.example.com/a.git --insecure --branch main --export",
        "source add one oci://registry.example.com/redis --tag 1.0.0 --export",
    ];
    insta::assert_snapshot!(lines.map(|line| world.say(line)).concat());
    let kubectl: Kubectl = world.plane.kubectl()?;
    for line in lines {
        let yaml = String::from_utf8(world.command(line).output()?.stdout)?;
        let apply = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
        kubectl.run_with(&apply, &yaml)?;
        let asked: Value = serde_saphyr::from_str(&yaml)?;
        let read: AddonSource = serde_json::from_value(asked.clone())?;
        let again = serde_json::to_value(&read)?;
        ensure!(
            again["spec"]["interval"] == asked["spec"]["interval"],
            "{line}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn flags_that_do_not_fit_are_refused_before_a_cluster_is_asked() -> Result<()> {
    let world = world().await?;
    let lines = [
        "source add x git@git.example.com:platform/addons.git",
        "source add x http://git.example.com/a.git",
        "source add x ftp://example.com/a",
        "source add x https://ann:secret@git.example.com/a.git",
        "source add x https://git.example.com",
        "source add x https://git.example.com/a.git --commit 0123abc",
        "source add x oci://registry.example.com",
        "source add x oci://registry.example.com/redis:1.0.0",
        "source add x ../redis",
        "source add x /srv/addons/redis",
        "source add x oci://registry.example.com/redis --branch main --history full",
        "source add x https://git.example.com/a.git --digest sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "source add x redis --secret login --semver 1.x",
        "source add X https://git.example.com/a.git",
        "source add x https://git.example.com/a.git --branch a --tag b",
        "source add x https://git.example.com/a.git --interval often",
        "source add x oci://registry.example.com/redis --verify-identity a,b",
        "source add x https://git.example.com/a.git --webhook github",
    ];
    let said = lines.map(|line| world.say(&format!("{line} --kubeconfig /nowhere")));
    insta::assert_snapshot!(said.concat());
    Ok(())
}

/// A command under way, with what it says so far in files.
struct Running {
    child: Child,
    line: String,
}

impl Running {
    fn start(world: &World, line: &str) -> Result<Self> {
        let mut command = world.command(line);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(Self {
            child: command.spawn()?,
            line: line.to_owned(),
        })
    }

    fn said(self) -> Result<String> {
        Ok(said(&self.line, &self.child.wait_with_output()?))
    }
}

/// Waits until the source is there, and was asked for a look where `asked`.
async fn there(hands: &Hands, name: &str, asked: bool) -> Result<AddonSource> {
    eventually(SOON, "the source is there", async || {
        let source = hands.sources().get(name).await?;
        let annotations = source.metadata.annotations.clone().unwrap_or_default();
        let request = annotations.contains_key(labels::RECONCILE_REQUESTED_AT);
        ensure!(request == asked, "{annotations:?}");
        Ok(source)
    })
    .await
}

/// Lets what was written be seen: the command tells each state that it is sent.
async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
}

#[tokio::test]
async fn the_first_look_is_shown_while_it_happens() -> Result<()> {
    let world = world().await?;
    let hands = Hands::new(world).await?;
    let _added = CATALOG.write().await;
    let line = "source add first https://git.example.com/first.git --branch main --dir addons";
    let running = Running::start(world, line)?;
    let source = there(&hands, "first", false).await?;
    let git = source.spec.git.unwrap();
    assert_eq!(git.reference.branch.as_deref(), Some("main"));
    let looking = json!({"conditions": at_work("Progressing", "looking at main")});
    hands.source_says("first", looking).await?;
    pause().await;
    let projected = "main@sha1:0123: kv 1.0.0: projected";
    hands
        .source_says(
            "first",
            json!({"conditions": at_work("Progressing", projected)}),
        )
        .await?;
    pause().await;
    let manifest = include_str!("../addons/graph/1.0.0/addon.yaml");
    let brought = crate::hands::Said {
        source: Some("first"),
        ..Default::default()
    };
    hands
        .publish(
            &[(
                "addon.yaml",
                &manifest.replace("name: graph", "name: first-graph"),
            )],
            brought,
        )
        .await?;
    let done = json!({
        "conditions": ready("main@sha1:0123: 1 version published"), "versions": 1,
        "revision": "main@sha1:0123",
    });
    hands.source_says("first", done).await?;
    insta::assert_snapshot!(running.said()?);
    let again = world.say(line);
    let wanted =
        "there is a source `first` already: Git https://git.example.com/first.git; take another";
    assert!(
        again.contains(wanted) && again.ends_with("[exit 2]\n"),
        "{again}"
    );
    world
        .plane
        .kubectl()?
        .run(&["delete", "mwa", "first-graph-1.0.0"])?;
    Ok(())
}

#[tokio::test]
async fn a_first_look_that_needs_a_person_ends_with_what_to_do() -> Result<()> {
    let world = world().await?;
    let hands = Hands::new(world).await?;
    let line = "source add needy https://git.example.com/needy.git";
    let running = Running::start(world, line)?;
    there(&hands, "needy", false).await?;
    let message = "addons/kv/addon.yaml:7:3: unknown field `prots`";
    hands
        .source_says(
            "needy",
            json!({
                "conditions": stalled("AddonsFailed", message), "revision": "main@sha1:0123",
                "failed": [{
                    "directory": "addons/kv", "plugin": "kv", "version": "1.0.0",
                    "findings": [{
                        "file": "addon.yaml", "line": 7, "column": 3,
                        "message": "unknown field `prots`; did you mean `ports`?",
                    }],
                }],
            }),
        )
        .await?;
    insta::assert_snapshot!(running.said()?);
    Ok(())
}

#[tokio::test]
async fn who_has_seen_enough_ends_the_watching_alone() -> Result<()> {
    let world = world().await?;
    let hands = Hands::new(world).await?;
    let line = "source add enough https://git.example.com/enough.git";
    let running = Running::start(world, line)?;
    there(&hands, "enough", false).await?;
    pause().await;
    let pid = running.child.id().to_string();
    let mut kill = std::process::Command::new("kill");
    ensure!(kill.args(["-INT", &pid]).status()?.success(), "kill {pid}");
    insta::assert_snapshot!(running.said()?);
    Ok(())
}

#[tokio::test]
async fn a_look_can_be_asked_for_and_is_answered() -> Result<()> {
    let world = world().await?;
    let hands = Hands::new(world).await?;
    hands
        .source(
            "asked",
            json!({"git": {"url": "https://git.example.com/asked.git"}}),
        )
        .await?;
    let old = json!({"conditions": ready("main@sha1:0123: 1 version published")});
    hands.source_says("asked", old).await?;
    let mut running = Running::start(world, "source sync asked")?;
    there(&hands, "asked", true).await?;
    pause().await;
    ensure!(
        running.child.try_wait()?.is_none(),
        "it took the old answer for the new one"
    );
    let failing = at_work("FetchFailed", "git.example.com: no such host");
    hands
        .source_says("asked", json!({"conditions": failing}))
        .await?;
    let failed = running.said()?;
    let running = Running::start(world, "source sync asked")?;
    eventually(SOON, "another request", async || {
        let source = hands.sources().get("asked").await?;
        let asked = source.metadata.annotations.unwrap_or_default();
        let asked = asked.get(labels::RECONCILE_REQUESTED_AT).cloned();
        let handled = source.status.unwrap_or_default().last_handled_reconcile_at;
        ensure!(asked != handled, "{asked:?}");
        Ok(())
    })
    .await?;
    let done = json!({"conditions": ready("main@sha1:4567: 2 versions published")});
    hands.source_says("asked", done).await?;
    insta::assert_snapshot!(failed + &running.said()?);
    Ok(())
}

#[tokio::test]
async fn who_has_no_patience_is_told_what_is_known() -> Result<()> {
    let world = world().await?;
    let hands = Hands::new(world).await?;
    hands
        .source(
            "slow",
            json!({"git": {"url": "https://git.example.com/slow.git"}}),
        )
        .await?;
    let running = Running::start(world, "source sync slow --wait 2s")?;
    there(&hands, "slow", true).await?;
    let waiting = at_work("Progressing", "store 3.0.0: Pending: no signature");
    hands
        .source_says("slow", json!({"conditions": waiting}))
        .await?;
    let overdue = running.said()?;
    // It was Ready, and that says nothing of the look that was asked for.
    let stale = json!({"git": {"url": "https://git.example.com/stale.git"}});
    hands.source("stale", stale).await?;
    let done = json!({"conditions": ready("main@sha1:0123: 1 version published")});
    hands.source_says("stale", done).await?;
    let at_once = [
        world.say("source sync stale --wait 1s"),
        world.say("source sync slow --no-wait"),
        world.say("source add nobody https://git.example.com/nobody.git --no-wait"),
        world.say("source add silent https://git.example.com/silent.git --wait 1s"),
    ];
    insta::assert_snapshot!(overdue + &at_once.concat());
    Ok(())
}

#[tokio::test]
async fn a_source_is_suspended_resumed_and_removed() -> Result<()> {
    let world = world().await?;
    let hands = Hands::new(world).await?;
    hands
        .source(
            "paused",
            json!({"oci": {"url": "oci://registry.example.com/paused"}}),
        )
        .await?;
    let lines = [
        "source suspend paused",
        "source suspend paused",
        "source sync paused",
        "source resume paused",
        "source resume paused",
        "source remove paused",
    ];
    insta::assert_snapshot!(lines.map(|line| world.say(line)).concat());
    let gone = world.say("source remove paused");
    assert!(gone.contains("there is no source `paused`"), "{gone}");
    assert!(hands.sources().get_opt("paused").await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_removal_says_what_stays_and_asks_whoever_can_answer() -> Result<()> {
    let world = world().await?;
    let hands = Hands::new(world).await?;
    let _added = CATALOG.write().await;
    hands
        .source("asks", json!({"directory": {"path": "asks"}}))
        .await?;
    let manifest = include_str!("../addons/graph/1.0.0/addon.yaml");
    let brought = crate::hands::Said {
        source: Some("asks"),
        users: 3,
        ..Default::default()
    };
    let manifest = manifest.replace("name: graph", "name: asks-graph");
    hands.publish(&[("addon.yaml", &manifest)], brought).await?;
    let remove = |answer: &str| -> Result<String> {
        let script = format!(
            "exec script -qec '{} source remove asks' /dev/null",
            crate::world::PLUGIN
        );
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-c", &script])
            .env("KUBECONFIG", world.plane.kubeconfig());
        shell.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = shell.spawn()?;
        child.stdin.take().unwrap().write_all(answer.as_bytes())?;
        Ok(steady(
            &String::from_utf8(child.wait_with_output()?.stdout)?.replace('\r', ""),
        ))
    };
    let asked = "remove `asks`? 1 version of 1 plugin that it brought, 1 in use, stay";
    let no = remove("n\n")?;
    assert!(
        no.contains(asked) && no.contains("`asks` was not removed"),
        "{no}"
    );
    assert!(hands.sources().get_opt("asks").await?.is_some());
    let yes = remove("y\n")?;
    assert!(
        yes.contains("asks was removed; 1 version of 1 plugin"),
        "{yes}"
    );
    assert!(hands.sources().get_opt("asks").await?.is_none());
    world
        .plane
        .kubectl()?
        .run(&["delete", "mwa", "asks-graph-1.0.0"])?;
    Ok(())
}

#[tokio::test]
async fn signatures_are_told_of() -> Result<()> {
    let world = world().await?;
    let hands = Hands::new(world).await?;
    let git = json!({"url": "https://git.example.com/signed.git", "verify": {"secretRef": {"name": "keys"}}});
    hands.source("signed", json!({"git": git})).await?;
    let before = world.say("source show signed");
    assert!(
        before.contains("demanded; nothing was looked at yet"),
        "{before}"
    );
    let mut conditions = ready("main@sha1:0123: 1 version published");
    let verified = condition(
        "SourceVerified",
        "True",
        "Verified",
        "signed by SHA256:abcd",
    );
    conditions.as_array_mut().unwrap().push(verified);
    hands
        .source_says("signed", json!({"conditions": conditions}))
        .await?;
    let after = world.say("source show signed");
    assert!(
        after.contains("signatures   signed by SHA256:abcd"),
        "{after}"
    );
    Ok(())
}
