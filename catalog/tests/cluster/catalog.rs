//! `kubectl middleware catalog`, with every right.

use crate::world::{CATALOG, said, world};
use anyhow::Result;
use serde_json::json;

/// What it says to all `lines`, one after the other.
async fn say(lines: &[&str]) -> Result<String> {
    let world = world().await?;
    let _same = CATALOG.read().await;
    Ok(lines.iter().map(|line| world.say(line)).collect())
}

#[tokio::test]
async fn what_there_is_is_listed() -> Result<()> {
    let lines = [
        "catalog list",
        "catalog list -o wide",
        "catalog ls -o name",
        "catalog list -o yaml",
    ];
    insta::assert_snapshot!(say(&lines).await?);
    Ok(())
}

#[tokio::test]
async fn words_are_found_where_they_stand() -> Result<()> {
    let lines = [
        "catalog search store",
        "catalog search kv",
        "catalog search MESSAGES from",
        "catalog search sessions",
        "catalog search a",
        "catalog search stroe",
        "catalog search kafka",
        "catalog search kafka -o json",
    ];
    insta::assert_snapshot!(say(&lines).await?);
    Ok(())
}

#[tokio::test]
async fn a_version_tells_all_about_itself() -> Result<()> {
    let lines = [
        "catalog show store",
        "catalog show store@v1.1.0",
        "catalog show queue",
    ];
    insta::assert_snapshot!(say(&lines).await?);
    Ok(())
}

#[tokio::test]
async fn parameters_and_readme_can_be_had_alone() -> Result<()> {
    let lines = [
        "catalog show store --parameters",
        "catalog show queue --parameters",
        "catalog show cache --readme",
        "catalog show queue --readme",
    ];
    insta::assert_snapshot!(say(&lines).await?);
    Ok(())
}

#[tokio::test]
async fn programs_are_told_everything() -> Result<()> {
    let world = world().await?;
    let said = world.json("catalog show store@1.1.0");
    assert_eq!(said["version"], "1.1.0");
    assert_eq!(said["state"], "Deprecated");
    assert_eq!(said["recommended"], "2.0.0");
    assert_eq!(said["from"], json!(["1.0.0"]));
    assert_eq!(said["to"], json!(["2.0.0"]));
    assert_eq!(said["users"]["count"], 2);
    assert_eq!(said["users"]["apps"][0]["name"], "orders");
    assert_eq!(
        said["about"]["topologies"][1]["components"]["store"]["max"],
        7
    );
    let clients = &said["parameters"]["store"]["declared"]["clients"];
    assert_eq!(
        (&clients["effect"], &clients["default"]),
        (&json!("reload"), &json!(100))
    );
    assert!(
        said["about"]["readme"]
            .as_str()
            .unwrap()
            .starts_with("# Store")
    );
    let out = world.command("catalog show store@1.1.0 -o yaml").output()?;
    let yaml: serde_json::Value = serde_saphyr::from_str(std::str::from_utf8(&out.stdout)?)?;
    assert_eq!(yaml, said);
    Ok(())
}

#[tokio::test]
async fn versions_say_where_they_stand() -> Result<()> {
    let lines = [
        "catalog versions store",
        "catalog versions store -o wide",
        "catalog versions store -o name",
    ];
    insta::assert_snapshot!(say(&lines).await?);
    Ok(())
}

#[tokio::test]
async fn names_of_versions_are_kubectls_own() -> Result<()> {
    let world = world().await?;
    let out = world.command("catalog versions store -o name").output()?;
    let names = String::from_utf8(out.stdout)?;
    let args: Vec<&str> = ["get", "-o", "name"]
        .into_iter()
        .chain(names.lines())
        .collect();
    assert_eq!(world.plane.kubectl()?.run(&args)?, names.trim_end());
    Ok(())
}

#[tokio::test]
async fn the_graph_is_drawn_and_walked() -> Result<()> {
    let lines = [
        "catalog graph store",
        "catalog graph store --from 1.1.0@7.2.4",
        "catalog graph store --from 1.0.0@7.0.15 --to 2.0.0@7.0.15",
        "catalog graph store --from 2.0.0@7.2.4 --to 1.1.0@7.2.4",
    ];
    insta::assert_snapshot!(say(&lines).await?);
    Ok(())
}

#[tokio::test]
async fn who_errs_in_a_name_is_told_what_there_is() -> Result<()> {
    let lines = [
        "catalog show stroe",
        "catalog show kafka",
        "catalog show store@2.0.1",
        "catalog show store@two",
        "catalog versions Store",
        "catalog graph store --from 4.0.0",
        "catalog graph store --from 3.0.0",
    ];
    insta::assert_snapshot!(say(&lines).await?);
    Ok(())
}

#[tokio::test]
async fn users_can_be_those_of_one_namespace() -> Result<()> {
    let world = world().await?;
    let said = world.json("catalog show store@1.1.0 -n team-b");
    assert_eq!(said["users"]["count"], 2);
    let apps = said["users"]["apps"].as_array().unwrap();
    assert_eq!(apps.len(), 1);
    assert_eq!(apps[0]["name"], "carts");
    assert_eq!(said["usersOf"]["namespace"]["namespace"], "team-b");
    let text = world.say("catalog show store@1.1.0 -n team-b");
    assert!(
        text.contains("2 Apps; here those of the namespace team-b alone"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn content_that_is_missing_hides_nothing_else() -> Result<()> {
    let world = world().await?;
    let line = "catalog show store --platform-namespace default";
    let text = world.say(line);
    assert!(text.contains("is not in the namespace default"), "{text}");
    assert!(
        text.contains("team-b/sessions") && text.ends_with("[exit 0]\n"),
        "{text}"
    );
    let readme = said(line, &world.command(&format!("{line} --readme")).output()?);
    assert!(
        readme.contains("--platform-namespace says where"),
        "{readme}"
    );
    assert!(readme.ends_with("[exit 2]\n"), "{readme}");
    Ok(())
}
