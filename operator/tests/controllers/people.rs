//! What the chart's roles let people do: a viewer of the catalog reads, a publisher makes versions and
//! changes none.

use crate::world::{PLATFORM, Scene};
use anyhow::{Context as _, Result, ensure};
use api::{AddonLedger, AddonPolicy, AddonSource, MiddlewareAddon, crd::addon::AddonPhase::Active};
use k8s_openapi::api::{
    core::v1::{ConfigMap, Secret},
    rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
};
use kit::eventually;
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[tokio::test]
async fn a_publisher_makes_versions_and_changes_none() -> Result<()> {
    let scene = Scene::new("publisher").await?;
    let person = person(&scene, "paamesh-addon-publisher").await?;
    let theirs = Scene {
        client: person.clone(),
        plane: scene.plane,
        namespace: scene.namespace.clone(),
        plugin: scene.plugin.clone(),
    };
    theirs.publish("1.0.0", &scene.redis("1.0.0")).await?;
    scene.addon_is("1.0.0", Active).await?;

    let name = scene.addon_name("1.0.0");
    let addons = Api::<MiddlewareAddon>::all(person.clone());
    let patch = PatchParams::default();
    let lifecycle = Patch::Merge(json!({"spec": {"lifecycle": {"withdrawn": "mine"}}}));
    forbidden(addons.patch(&name, &patch, &lifecycle).await)?;
    let status = Patch::Merge(json!({"status": {"phase": "Failed"}}));
    forbidden(addons.patch_status(&name, &patch, &status).await)?;
    let current = scene.addons().get(&name).await?;
    forbidden(
        addons
            .replace(&name, &PostParams::default(), &current)
            .await,
    )?;
    forbidden(addons.delete(&name, &DeleteParams::default()).await)?;
    let all = ListParams::default();
    forbidden(
        addons
            .delete_collection(&DeleteParams::default(), &all)
            .await,
    )?;

    let content = Api::<ConfigMap>::namespaced(person.clone(), PLATFORM);
    let name = scene.content_name("1.0.0", "manifest");
    let data = Patch::Merge(json!({"data": {"addon.yaml": "other"}}));
    forbidden(content.patch(&name, &patch, &data).await)?;
    forbidden(content.delete(&name, &DeleteParams::default()).await)?;
    forbidden(content.list(&all).await)?;
    let elsewhere = Api::<ConfigMap>::namespaced(person.clone(), &scene.namespace);
    let object: ConfigMap = serde_json::from_value(json!({"metadata": {"name": "mine"}}))?;
    forbidden(elsewhere.create(&PostParams::default(), &object).await)?;

    forbidden(Api::<AddonLedger>::all(person.clone()).list(&all).await)?;
    let policies = Api::<AddonPolicy>::all(person.clone());
    forbidden(
        policies
            .create(
                &PostParams::default(),
                &AddonPolicy::new("mine", Default::default()),
            )
            .await,
    )?;
    let secrets = Api::<Secret>::namespaced(person, PLATFORM);
    forbidden(secrets.get(api::provenance::SECRET).await)
}

#[tokio::test]
async fn a_viewer_of_the_catalog_reads_it_and_writes_nothing() -> Result<()> {
    let scene = Scene::new("viewer").await?;
    scene.active("1.0.0").await?;
    let person = person(&scene, "paamesh-catalog-viewer").await?;
    reads(Api::<MiddlewareAddon>::all(person.clone())).await?;
    reads(Api::<AddonSource>::all(person.clone())).await?;
    reads(Api::<AddonPolicy>::all(person.clone())).await?;
    reads(Api::<AddonLedger>::all(person.clone())).await?;
    let content = Api::<ConfigMap>::namespaced(person.clone(), PLATFORM);
    content
        .get(&scene.content_name("1.0.0", "manifest"))
        .await?;
    reads(content).await?;

    let addons = Api::<MiddlewareAddon>::all(person.clone());
    forbidden(
        addons
            .delete(&scene.addon_name("1.0.0"), &DeleteParams::default())
            .await,
    )?;
    let policy = AddonPolicy::new("mine", Default::default());
    let policies = Api::<AddonPolicy>::all(person.clone());
    forbidden(policies.create(&PostParams::default(), &policy).await)?;
    let secrets = Api::<Secret>::namespaced(person.clone(), PLATFORM);
    forbidden(secrets.list(&ListParams::default()).await)?;
    let elsewhere = Api::<ConfigMap>::namespaced(person, &scene.namespace);
    forbidden(elsewhere.list(&ListParams::default()).await)
}

async fn reads<K>(api: Api<K>) -> Result<()>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned,
{
    api.list(&ListParams::default())
        .await
        .with_context(|| K::kind(&()).into_owned())?;
    Ok(())
}

fn forbidden<T>(answer: kube::Result<T>) -> Result<()> {
    match answer {
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => anyhow::bail!("it was allowed"),
    }
}

/// Somebody who has the chart's roles of that name, and no others.
async fn person(scene: &Scene, role: &str) -> Result<Client> {
    let user = json!([{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": role}]);
    let reference =
        |kind: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role});
    let params = PostParams::default();
    let cluster_role: ClusterRole = role_of("ClusterRole", role)?;
    let local_role: Role = role_of("Role", role)?;
    let cluster_binding: ClusterRoleBinding = serde_json::from_value(json!({
        "metadata": {"name": role}, "roleRef": reference("ClusterRole"), "subjects": user,
    }))?;
    let local_binding: RoleBinding = serde_json::from_value(json!({
        "metadata": {"name": role}, "roleRef": reference("Role"), "subjects": user,
    }))?;
    let client = &scene.client;
    Api::all(client.clone())
        .create(&params, &cluster_role)
        .await?;
    Api::all(client.clone())
        .create(&params, &cluster_binding)
        .await?;
    Api::namespaced(client.clone(), PLATFORM)
        .create(&params, &local_role)
        .await?;
    Api::namespaced(client.clone(), PLATFORM)
        .create(&params, &local_binding)
        .await?;
    let person = impersonated(scene, role).await?;
    eventually(crate::world::SOON, "the roles count", async || {
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": PLATFORM}});
        let reviews = Api::<kube::api::DynamicObject>::all_with(
            person.clone(),
            &kube::api::ApiResource::erase::<k8s_openapi::api::authorization::v1::SelfSubjectRulesReview>(&()),
        );
        let review = reviews.create(&params, &serde_json::from_value(review)?).await?;
        let rules = review.data["status"]["resourceRules"].to_string();
        ensure!(rules.contains("middlewareaddons") && rules.contains("configmaps"), "{rules}");
        Ok(())
    })
    .await?;
    Ok(person)
}

async fn impersonated(scene: &Scene, user: &str) -> Result<Client> {
    let kubeconfig = kube::config::Kubeconfig::read_from(scene.plane.kubeconfig())?;
    let options = kube::config::KubeConfigOptions::default();
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await?;
    config.auth_info.impersonate = Some(user.to_owned());
    Ok(Client::try_from(config)?)
}

/// The role of that kind and name in the chart.
fn role_of<K: DeserializeOwned>(kind: &str, name: &str) -> Result<K> {
    let chart = kit::root().join("charts/paamesh/templates/rbac-people.yaml");
    let chart = std::fs::read_to_string(chart)?;
    let role = chart.split("\n---\n").find(|document| {
        let is = |line: &str| document.lines().any(|found| found == line);
        is(&format!("kind: {kind}")) && is(&format!("  name: {name}"))
    });
    let (_, rules) = role
        .and_then(|role| role.split_once("\nrules:"))
        .with_context(|| format!("no {kind} {name}"))?;
    let rules: Value = serde_saphyr::from_str(&format!("rules:{rules}"))?;
    Ok(serde_json::from_value(
        json!({"metadata": {"name": name}, "rules": rules["rules"]}),
    )?)
}
