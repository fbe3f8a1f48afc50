//! `kubectl middleware source list` and `show`: how each way of not being Ready is told.

use crate::{
    hands::{Hands, at_work, ready, stalled},
    world::world,
};
use anyhow::Result;
use serde_json::{Value, json};

fn digest(c: char) -> String {
    format!("sha256:{}", c.to_string().repeat(64))
}

fn git(name: &str) -> Value {
    json!({"git": {
        "url": format!("https://git.example.com/{name}.git"), "ref": {"branch": "main"},
        "secretRef": {"name": "login"},
    }})
}

/// A source of that name about which the registry says `status`; what `source show` says then.
async fn shown(name: &str, spec: Value, status: Value) -> Result<String> {
    let world = world().await?;
    let hands = Hands::new(world).await?;
    hands.source(name, spec).await?;
    if status != Value::Null {
        hands.source_says(name, status).await?;
    }
    Ok(world.say(&format!("source show {name}")))
}

#[tokio::test]
async fn a_source_that_is_ready_tells_what_it_is() -> Result<()> {
    let spec = json!({
        "git": {
            "url": "https://git.example.com/platform.git", "ref": {"semver": "1.x", "tagPrefix": "store/"},
            "directories": ["addons"], "history": "full",
        },
        "interval": "5m",
        "webhook": {"type": "gitlab", "secretRef": {"name": "hook"}},
        "retention": {"versions": 10},
    });
    let status = json!({
        "conditions": ready("main@sha1:0123: 5 versions published"), "versions": 5,
        "revision": "store/1.2.0@sha1:0123456789012345678901234567890123456789",
        "withdrawn": ["store 1.0.0"],
    });
    insta::assert_snapshot!(shown("platform", spec, status).await?);
    Ok(())
}

#[tokio::test]
async fn refused_addons_are_told_with_file_and_line() -> Result<()> {
    let status = json!({
        "conditions": stalled("AddonsFailed", "2 addons were refused"), "versions": 1,
        "revision": "main@sha1:0123",
        "failed": [
            {
                "directory": "addons/kv/1.0.0", "plugin": "kv", "version": "1.0.0",
                "findings": [
                    {"file": "addon.yaml", "line": 7, "column": 3, "message": "unknown field `prots`; did you mean `ports`?"},
                    {"file": "templates/kv.conf", "line": 2, "message": "there is no `values.max`\u{1b}[2J"},
                ],
            },
            {"directory": "addons/odd", "findings": [{"file": "", "message": "addon.yaml is missing"}]},
        ],
    });
    insta::assert_snapshot!(shown("refused", git("refused"), status).await?);
    Ok(())
}

#[tokio::test]
async fn changed_versions_are_told_with_their_files() -> Result<()> {
    let status = json!({
        "conditions": stalled("VersionChanged", "store 1.0.0 is published and stays so"),
        "versions": 1, "revision": "main@sha1:0123",
        "changed": [
            {
                "plugin": "store", "version": "1.0.0", "directory": "addons/store/1.0.0",
                "published": digest('a'), "offered": digest('b'),
                "files": ["addon.yaml", "scripts/start.sh"],
            },
            {
                "plugin": "store", "version": "1.1.0", "directory": "addons/store/1.1.0",
                "published": digest('c'), "offered": digest('d'), "files": [],
            },
        ],
    });
    insta::assert_snapshot!(shown("changed", git("changed"), status).await?);
    Ok(())
}

#[tokio::test]
async fn every_standing_has_its_advice() -> Result<()> {
    let failing = at_work("FetchFailed", "git.example.com: authentication required");
    let invalid = stalled(
        "InvalidSpec",
        "`spec.git.ref.branch`: no such branch `mian`",
    );
    let unsigned = stalled(
        "VerificationFailed",
        "main@sha1:0123: the commit is not signed",
    );
    let conflict = stalled("Conflict", "store 2.0.0 was made by hand");
    let signed = json!({"oci": {
        "url": "oci://registry.example.com/signed", "verify": {"secretRef": {"name": "cosign-keys"}},
    }});
    let paused = json!({"directory": {"path": "paused"}, "suspend": true});
    let said = [
        shown(
            "advice-failing",
            git("failing"),
            json!({"conditions": failing}),
        )
        .await?,
        shown(
            "advice-invalid",
            git("invalid"),
            json!({"conditions": invalid}),
        )
        .await?,
        shown("advice-unsigned", signed, json!({"conditions": unsigned})).await?,
        shown(
            "advice-conflict",
            git("conflict"),
            json!({"conditions": conflict}),
        )
        .await?,
        shown("advice-suspended", paused, Value::Null).await?,
        shown(
            "advice-new",
            json!({"directory": {"path": "new"}}),
            Value::Null,
        )
        .await?,
        shown(
            "advice-working",
            git("w"),
            json!({"conditions": at_work("Progressing", "looking")}),
        )
        .await?,
    ];
    insta::assert_snapshot!(said.concat());
    Ok(())
}

#[tokio::test]
async fn sources_are_listed_with_their_state() -> Result<()> {
    let world = world().await?;
    let hands = Hands::new(world).await?;
    hands.source("list-good", git("good")).await?;
    let good = json!({
        "conditions": ready("main@sha1:0123: 5 versions published"), "versions": 5,
        "revision": "main@sha1:0123",
    });
    hands.source_says("list-good", good).await?;
    hands
        .source(
            "list-odd",
            json!({"oci": {"url": "oci://registry.example.com/a/b/odd"}}),
        )
        .await?;
    let odd = json!({"conditions": stalled("AddonsFailed", "addons/kv is refused")});
    hands.source_says("list-odd", odd).await?;
    // Other tests write sources of their own meanwhile.
    let mine = |text: String| -> String {
        let lines = text
            .lines()
            .filter(|l| l.contains("list-") || l.starts_with("NAME"));
        let squeezed = lines.map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ") + "\n");
        squeezed.collect()
    };
    let said = ["source list", "source list -o wide", "source ls -o name"];
    let said = said.map(|line| format!("$ {line}\n{}", mine(world.say(line))));
    insta::assert_snapshot!(said.concat());
    let json = world.json("source list");
    let odd = json["sources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["name"] == "list-odd");
    assert_eq!(odd.unwrap()["state"], "Stalled");
    Ok(())
}

#[tokio::test]
async fn who_errs_in_a_source_is_told_what_may_have_been_meant() -> Result<()> {
    let world = world().await?;
    let hands = Hands::new(world).await?;
    hands
        .source("zoological", json!({"directory": {"path": "a"}}))
        .await?;
    for line in ["show", "sync", "suspend", "resume", "remove"] {
        let said = world.say(&format!("source {line} zoologicl"));
        let wanted = "there is no source `zoologicl`; did you mean `zoological`? `kubectl middleware \
                      source list` shows them";
        assert!(
            said.contains(wanted) && said.ends_with("[exit 2]\n"),
            "{said}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn programs_are_told_why_a_source_is_not_ready() -> Result<()> {
    let world = world().await?;
    let hands = Hands::new(world).await?;
    hands.source("for-programs", git("p")).await?;
    let failing = at_work("FetchFailed", "no such host");
    hands
        .source_says("for-programs", json!({"conditions": failing}))
        .await?;
    let said = world.json("source show for-programs");
    assert_eq!(
        (&said["state"], &said["reason"]),
        (&json!("failing"), &json!("FetchFailed"))
    );
    assert_eq!(said["spec"]["git"]["ref"]["branch"], "main");
    assert_eq!(said["advice"].as_array().unwrap().len(), 3);
    Ok(())
}
