//! People who may see a part: they see that part, and which right would show the rest.

use crate::world::{CATALOG, World, world};
use anyhow::Result;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, RoleBinding};
use kube::{Api, api::PostParams};
use serde_json::{Value, json};

/// Gives `user` the rules, in the whole cluster or in `namespace` alone.
async fn grant(world: &World, user: &str, namespace: Option<&str>, rules: Value) -> Result<()> {
    let client = world.plane.client().await?;
    let name = format!("{user}-{}", namespace.unwrap_or("all"));
    let role: ClusterRole =
        serde_json::from_value(json!({"metadata": {"name": name}, "rules": rules}))?;
    let roles = Api::all(client.clone());
    roles.create(&PostParams::default(), &role).await?;
    let binding = json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    });
    match namespace {
        Some(namespace) => {
            let binding: RoleBinding = serde_json::from_value(binding)?;
            let bindings = Api::namespaced(client, namespace);
            bindings.create(&PostParams::default(), &binding).await?;
        }
        None => {
            let binding: ClusterRoleBinding = serde_json::from_value(binding)?;
            Api::all(client)
                .create(&PostParams::default(), &binding)
                .await?;
        }
    }
    Ok(())
}

fn rule(resource: &str, verbs: &[&str]) -> Value {
    let group = if resource == "configmaps" {
        ""
    } else {
        "middleware.io"
    };
    json!({"apiGroups": [group], "resources": [resource], "verbs": verbs})
}

#[tokio::test]
async fn versions_alone_are_enough_for_a_catalog() -> Result<()> {
    let world = world().await?;
    grant(
        world,
        "jane",
        None,
        json!([rule("middlewareaddons", &["get", "list"])]),
    )
    .await?;
    let _same = CATALOG.read().await;
    let lines = [
        "catalog list --as jane",
        "catalog search store --as jane",
        "catalog show store --as jane",
        "catalog graph store --as jane",
    ];
    let said: String = lines.iter().map(|line| world.say(line)).collect();
    insta::assert_snapshot!(said);
    let json = world.json("catalog list --as jane");
    assert_eq!(json["hidden"]["needs"], "get configmaps in paamesh-system");
    Ok(())
}

#[tokio::test]
async fn users_of_the_namespaces_that_one_sees_are_shown() -> Result<()> {
    let world = world().await?;
    grant(
        world,
        "carol",
        None,
        json!([rule("middlewareaddons", &["get", "list"])]),
    )
    .await?;
    grant(
        world,
        "carol",
        Some("team-a"),
        json!([rule("apps", &["list"])]),
    )
    .await?;
    let said = world.say("catalog show store@1.1.0 --as carol -n team-a");
    assert!(
        said.contains("team-a/orders") && !said.contains("team-b"),
        "{said}"
    );
    // The namespace of the context is the only one that can be tried without being told.
    let client = world.plane.kubectl()?;
    let config = client.run(&["config", "view", "--raw", "--minify"])?;
    let mut config: Value = serde_saphyr::from_str(&config)?;
    config["contexts"][0]["context"]["namespace"] = json!("team-a");
    let own = world.plane.directory().join("carol");
    std::fs::write(&own, config.to_string())?;
    let line = format!(
        "catalog show store@1.1.0 --as carol --kubeconfig {}",
        own.display()
    );
    let said = world.say(&line);
    let only = "here those of the namespace team-a alone; others are not visible to you (needs list \
                apps.middleware.io in the whole cluster)";
    let one_line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(one_line.contains(only), "{said}");
    Ok(())
}

#[tokio::test]
async fn content_and_sources_are_shown_to_whom_they_may_be() -> Result<()> {
    let world = world().await?;
    let rules = json!([
        rule("middlewareaddons", &["list"]),
        rule("configmaps", &["get"])
    ]);
    grant(world, "dora", None, rules).await?;
    let said = world.say("catalog list --as dora");
    assert!(said.contains("Keeps keys and values"), "{said}");
    let said = world.say("source list --as dora");
    let wanted = "you may not list addonsources.middleware.io in the whole cluster";
    assert!(
        said.contains(wanted) && said.ends_with("[exit 2]\n"),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn who_sees_nothing_is_told_what_to_ask_for() -> Result<()> {
    let world = world().await?;
    let lines = [
        "catalog list --as nobody",
        "source add mine https://git.example.com/a.git --as nobody",
        "source sync platform --as nobody",
    ];
    let said: String = lines.iter().map(|line| world.say(line)).collect();
    insta::assert_snapshot!(said);
    Ok(())
}
