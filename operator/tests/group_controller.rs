//! The Group controller on a real API server: what it makes, in which order it replaces, what it
//! leaves alone, and that it is silent at rest. There is no kubelet: the tests say what a kubelet
//! and an agent would, through the status subresource and the role label.

// Functions beside the tests fail as the tests do.
#![allow(clippy::panic, clippy::unwrap_used)]

use anyhow::{Context as _, Result, bail, ensure};
use api::{Group, crd::group::Member, labels};
use futures::FutureExt as _;
use k8s_openapi::api::{
    authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec},
    coordination::v1::Lease,
    core::v1::{Namespace, PersistentVolumeClaim, Pod, Service, ServiceAccount},
    events::v1::Event,
    rbac::v1::{Role, RoleBinding},
};
use kit::{ControlPlane, eventually};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const SOON: Duration = Duration::from_secs(20);
const AGENT: &str = "paamesh-operator-under-test";
const NAME: &str = "orders-redis-0";

/// A Group has no templates: nothing is evaluated here.
struct NoTemplates;

impl package::Evaluate for NoTemplates {
    fn render(
        &self,
        _: &package::evaluate::RenderRequest<'_>,
    ) -> Result<String, package::evaluate::EvaluateError> {
        Err(package::evaluate::EvaluateError::Unavailable {
            reason: "no templates here".to_owned(),
        })
    }

    fn validate(
        &self,
        _: &package::SchemaRequest<'_>,
    ) -> Result<package::Parameters, package::ValidateError> {
        Err(package::ValidateError::Unavailable {
            reason: "the Group controller knows no schemas".to_owned(),
        })
    }
}

/// A running operator; it stops when this is dropped, wherever it is.
struct Operator(tokio::task::JoinHandle<()>);

impl Drop for Operator {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn operate(cp: &ControlPlane) -> Result<Operator> {
    let client = cp.client_as(AGENT).await?;
    let settings = operator::Settings {
        namespace: "default".to_owned(),
        agent_image: "agent:test".to_owned(),
        workers: 4,
        reconcile_timeout: Duration::from_secs(60),
    };
    let (ready, mut filled) = tokio::sync::watch::channel(false);
    let task = tokio::spawn(async move {
        let never = futures::future::pending::<()>().boxed().shared();
        let mut registry = prometheus_client::registry::Registry::default();
        let evaluate = Arc::new(NoTemplates);
        let ended = operator::run(
            client,
            settings,
            evaluate,
            operator::register(&mut registry),
            ready,
            never,
        )
        .await;
        panic!("the operator ended: {ended:?}");
    });
    let operator = Operator(task);
    filled.wait_for(|filled| *filled).await?;
    Ok(operator)
}

/// One Group in a namespace of its own.
struct Scene {
    client: Client,
    namespace: String,
}

impl Scene {
    async fn new(cp: &ControlPlane, namespace: &str) -> Result<Self> {
        let client = cp.client().await?;
        let object: Namespace = serde_json::from_value(json!({"metadata": {"name": namespace}}))?;
        let namespaces: Api<Namespace> = Api::all(client.clone());
        namespaces.create(&PostParams::default(), &object).await?;
        Ok(Self {
            client,
            namespace: namespace.to_owned(),
        })
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    async fn create(&self) -> Result<()> {
        let group: Group = serde_json::from_value(json!({
            "apiVersion": "middleware.io/v1alpha1",
            "kind": "Group",
            "metadata": {"name": NAME},
            "spec": {
                "app": "orders", "component": "redis", "group": "0", "plugin": "redis",
                "pin": {
                    "pluginVersion": "1.0.0",
                    "digest": format!("sha256:{}", "0".repeat(64)),
                    "runtimeVersion": "7.0.15",
                    "topology": "replication",
                },
                "replicas": 3,
                "revision": "aaaaaaaa", "contentRevision": "cccccccc", "configRevision": "ffffffff",
                "composer": 1,
                "roles": ["primary", "replica"],
                "volumes": [{"name": "data", "storage": {"size": "1Gi"}}],
                "template": {"spec": {
                    "initContainers": [{"name": "paamesh-install", "image": "replaced"}],
                    "containers": [{
                        "name": "main", "image": "redis:7",
                        "ports": [{"name": "redis", "containerPort": 6379}],
                        "env": [{"name": "SELF", "value": "$(PAAMESH_POD)"}],
                    }],
                }},
            },
        }))?;
        self.api().create(&PostParams::default(), &group).await?;
        Ok(())
    }

    async fn edit(&self, spec: Value) -> Result<()> {
        let patch = Patch::Merge(json!({"spec": spec}));
        let groups = self.api::<Group>();
        groups.patch(NAME, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    /// The uids of the pods by ordinal.
    async fn pods(&self) -> Result<BTreeMap<u32, String>> {
        let pods = self.api::<Pod>().list(&ListParams::default()).await?;
        let pods = pods
            .iter()
            .filter(|p| p.metadata.deletion_timestamp.is_none());
        pods.map(|pod| {
            let ordinal = pod.labels().get(labels::ORDINAL).context("no ordinal")?;
            Ok((ordinal.parse()?, pod.uid().context("no uid")?))
        })
        .collect()
    }

    /// The uid of the pod of that ordinal, once it is there and another than `old`.
    async fn pod(&self, ordinal: u32, old: Option<&String>) -> Result<String> {
        eventually(SOON, &format!("pod {ordinal} is made"), async || {
            let pods = self.pods().await?;
            let uid = pods.get(&ordinal).with_context(|| format!("{pods:?}"))?;
            ensure!(Some(uid) != old, "still the old pod");
            Ok(uid.clone())
        })
        .await
    }

    async fn set_status(&self, ordinal: u32, status: Value) -> Result<()> {
        let patch = Patch::Merge(json!({"status": status}));
        let name = format!("{NAME}-{ordinal}");
        let pods = self.api::<Pod>();
        pods.patch_status(&name, &PatchParams::default(), &patch)
            .await?;
        Ok(())
    }

    /// What kubelet and agent say of a member that serves.
    async fn serve(&self, ordinal: u32) -> Result<()> {
        let role = if ordinal == 0 { "primary" } else { "replica" };
        let patch = Patch::Merge(json!({"metadata": {"labels": {labels::ROLE: role}}}));
        let pods = self.api::<Pod>();
        let name = format!("{NAME}-{ordinal}");
        pods.patch(&name, &PatchParams::default(), &patch).await?;
        let ready = json!({"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"});
        self.set_status(ordinal, json!({"phase": "Running", "conditions": [ready]}))
            .await
    }

    /// Waits until the status says so.
    async fn says(&self, phase: &str, reason: &str) -> Result<Group> {
        eventually(SOON, &format!("{phase}, {reason}"), async || {
            let group = self.api::<Group>().get(NAME).await?;
            let status = group.status.clone().unwrap_or_default();
            let now = serde_json::to_value(status.phase)?;
            let ready = status.conditions.iter().find(|c| c.type_ == "Ready");
            let ready = ready.with_context(|| format!("no Ready in {status:?}"))?;
            let is_new = status.observed_generation == group.metadata.generation;
            ensure!(
                now == phase && ready.reason == reason && is_new,
                "{now} {} {}",
                ready.reason,
                ready.message
            );
            Ok(group)
        })
        .await
    }

    async fn started(cp: &ControlPlane, namespace: &str) -> Result<Self> {
        let scene = Self::new(cp, namespace).await?;
        scene.create().await?;
        for ordinal in 0..3 {
            scene.pod(ordinal, None).await?;
            scene.serve(ordinal).await?;
        }
        scene.says("Running", "Running").await?;
        Ok(scene)
    }
}

async fn a_group_is_made_in_order(cp: &ControlPlane) -> Result<()> {
    let scene = Scene::new(cp, "order").await?;
    scene.create().await?;
    scene.pod(0, None).await?;
    let group = scene.says("Creating", "Creating").await?;
    let owner = group.uid().unwrap_or_default();

    let account = scene.api::<ServiceAccount>().get(NAME).await?;
    ensure!(account.automount_service_account_token == Some(false));
    let role = scene.api::<Role>().get(NAME).await?;
    let binding = scene.api::<RoleBinding>().get(NAME).await?;
    let service = scene.api::<Service>().get(&format!("{NAME}-h")).await?;
    let spec = service.spec.clone().unwrap_or_default();
    ensure!(spec.publish_not_ready_addresses == Some(true));
    ensure!(spec.ports.unwrap_or_default()[0].port == 6379);
    let record = scene.api::<Lease>().get(NAME).await?;
    let lease = record.spec.clone().unwrap_or_default();
    ensure!(lease.holder_identity.as_deref() == Some("orders-redis-0-0"));
    ensure!(lease.lease_transitions == Some(1) && lease.renew_time.is_none());
    ensure!(record.annotations()[labels::RECORD_BOOTSTRAP] == "0");
    ensure!(record.annotations()[labels::RECORD_VOTERS] == "0");
    let pod = scene.api::<Pod>().get("orders-redis-0-0").await?;
    let owners = [
        account.owner_references(),
        role.owner_references(),
        binding.owner_references(),
        service.owner_references(),
        record.owner_references(),
        pod.owner_references(),
    ];
    ensure!(
        owners
            .iter()
            .all(|o| o[0].uid == owner && o[0].controller == Some(true))
    );
    let made = |o: &kube::core::ObjectMeta| o.creation_timestamp.as_ref().map(|t| t.0);
    ensure!(made(&record.metadata) <= made(&pod.metadata));

    let claim = scene
        .api::<PersistentVolumeClaim>()
        .get("data-orders-redis-0-0")
        .await?;
    ensure!(
        claim.owner_references().is_empty(),
        "a claim outlives its Group"
    );
    ensure!(claim.labels()[labels::VOLUME] == "data");
    let spec = pod.spec.clone().unwrap_or_default();
    ensure!(spec.hostname.as_deref() == Some("orders-redis-0-0"));
    ensure!(spec.subdomain.as_deref() == Some("orders-redis-0-h"));
    ensure!(spec.service_account_name.as_deref() == Some(NAME));
    let init = &spec.init_containers.unwrap_or_default()[0];
    ensure!(init.image.as_deref() == Some("agent:test"));
    let env = spec.containers[0].env.clone().unwrap_or_default();
    let names: Vec<&str> = env.iter().map(|e| e.name.as_str()).collect();
    ensure!(
        names.first() == Some(&"PAAMESH_POD") && names.last() == Some(&"SELF"),
        "{names:?}"
    );
    ensure!(pod.annotations()[labels::REVISION] == "aaaaaaaa");
    ensure!(pod.labels()[labels::VERSION] == "1.0.0");

    ensure!(
        scene.pods().await?.len() == 1,
        "the second waits for the first"
    );
    scene.serve(0).await?;
    scene.pod(1, None).await?;
    ensure!(
        scene.pods().await?.len() == 2,
        "the third waits for the second"
    );
    scene.serve(1).await?;
    scene.pod(2, None).await?;
    scene.serve(2).await?;
    let group = scene.says("Running", "Running").await?;
    let status = group.status.unwrap_or_default();
    ensure!(status.roles.as_deref() == Some("primary:0 replica:1,2"));
    ensure!(status.members_ready.as_deref() == Some("3/3"));
    ensure!(status.members.iter().all(|m: &Member| m.ready));
    a_pod_may_do_this_and_no_more(&scene).await?;
    let events = scene.api::<Event>().list(&ListParams::default()).await?;
    let made = events
        .iter()
        .filter(|e| e.reason.as_deref() == Some("MemberCreated"));
    ensure!(made.count() == 3);
    Ok(())
}

async fn a_pod_may_do_this_and_no_more(scene: &Scene) -> Result<()> {
    let may = async |verb: &str, group: &str, resource: &str, name: &str| -> Result<bool> {
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(format!("system:serviceaccount:{}:{NAME}", scene.namespace)),
                resource_attributes: Some(ResourceAttributes {
                    verb: Some(verb.to_owned()),
                    group: Some(group.to_owned()),
                    resource: Some(resource.to_owned()),
                    name: Some(name.to_owned()),
                    namespace: Some(scene.namespace.clone()),
                    ..ResourceAttributes::default()
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let reviews: Api<SubjectAccessReview> = Api::all(scene.client.clone());
        let said = reviews.create(&PostParams::default(), &review).await?;
        Ok(said.status.is_some_and(|s| s.allowed))
    };
    let leases = "coordination.k8s.io";
    eventually(SOON, "its own pod may be patched", async || {
        ensure!(may("patch", "", "pods", "orders-redis-0-2").await?);
        Ok(())
    })
    .await?;
    ensure!(may("get", "", "pods", "orders-redis-0-0").await?);
    ensure!(may("update", leases, "leases", NAME).await?);
    ensure!(!may("patch", "", "pods", "orders-redis-0-3").await?);
    ensure!(!may("patch", "", "pods", "payments-redis-0-0").await?);
    ensure!(!may("delete", "", "pods", "orders-redis-0-0").await?);
    ensure!(!may("create", leases, "leases", NAME).await?);
    ensure!(!may("update", leases, "leases", "payments-redis-0").await?);
    ensure!(!may("get", "", "secrets", NAME).await?);
    Ok(())
}

async fn a_group_at_rest_is_silent(cp: &ControlPlane) -> Result<()> {
    let scene = Scene::started(cp, "rest").await?;
    let versions = async || -> Result<Vec<Option<String>>> {
        let pods = scene.api::<Pod>().list(&ListParams::default()).await?;
        let mut all: Vec<_> = pods
            .iter()
            .map(kube::ResourceExt::resource_version)
            .collect();
        all.push(scene.api::<Group>().get(NAME).await?.resource_version());
        all.push(scene.api::<Role>().get(NAME).await?.resource_version());
        all.push(scene.api::<Lease>().get(NAME).await?.resource_version());
        all.push(
            scene
                .api::<Service>()
                .get(&format!("{NAME}-h"))
                .await?
                .resource_version(),
        );
        Ok(all)
    };
    let before = versions().await?;
    let mark = cp.audit().mark()?;
    // A change that means nothing wakes the controller.
    let nothing = Patch::Merge(json!({"metadata": {"annotations": {"example.com/note": "x"}}}));
    let groups = scene.api::<Group>();
    groups
        .patch(NAME, &PatchParams::default(), &nothing)
        .await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let writes = cp.audit().since(mark)?.by(AGENT).writes();
    let writes = writes.filter(|e| e.object_ref.as_ref().is_some_and(|o| o.namespace == "rest"));
    ensure!(
        writes.is_empty(),
        "wrote at rest: {:?}",
        writes.iter().collect::<Vec<_>>()
    );
    let after = versions().await?;
    ensure!(
        before[..3] == after[..3] && before[4..] == after[4..],
        "{before:?} {after:?}"
    );
    Ok(())
}

async fn a_rollout_goes_replicas_first_and_survives_the_operator(cp: &ControlPlane) -> Result<()> {
    let operator = operate(cp).await?;
    let scene = Scene::started(cp, "rollout").await?;
    let old = scene.pods().await?;
    scene
        .edit(json!({"revision": "bbbbbbbb", "pin": {"pluginVersion": "1.1.0"}}))
        .await?;
    let second = scene.pod(2, old.get(&2)).await?;
    scene.says("Upgrading", "RollingOut").await?;
    drop(operator);
    tokio::time::sleep(Duration::from_millis(300)).await;
    scene.serve(2).await?;
    ensure!(
        scene.pods().await?[&1] == old[&1],
        "nobody works while the operator is away"
    );
    let operator = operate(cp).await?;
    scene.pod(1, old.get(&1)).await?;
    let now = scene.pods().await?;
    ensure!(
        now[&0] == old[&0] && now[&2] == second,
        "one at a time: {now:?}"
    );
    let crash = json!([{
        "name": "main", "image": "redis:7", "imageID": "", "ready": false, "restartCount": 1,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
    }]);
    scene
        .set_status(1, json!({"phase": "Running", "containerStatuses": crash}))
        .await?;
    let group = scene.says("Degraded", "RolloutBlocked").await?;
    let stalled = group.status.unwrap_or_default().conditions;
    let stalled = stalled
        .iter()
        .find(|c| c.type_ == "Stalled")
        .context("not stalled")?;
    ensure!(stalled.message.contains("orders-redis-0-1") && stalled.message.contains("back-off"));
    ensure!(
        scene.pods().await?[&0] == old[&0],
        "a blocked rollout takes nothing down"
    );
    let first = scene.pods().await?[&1].clone();
    scene.edit(json!({"revision": "dddddddd"})).await?;
    // The broken one is mended first, then the others go again.
    scene.pod(1, Some(&first)).await?;
    let now = scene.pods().await?;
    ensure!(
        now[&0] == old[&0] && now[&2] == second,
        "the healthy ones stay: {now:?}"
    );
    scene.serve(1).await?;
    scene.pod(2, Some(&second)).await?;
    ensure!(scene.pods().await?[&0] == old[&0], "ordinal 0 is the last");
    scene.serve(2).await?;
    scene.pod(0, old.get(&0)).await?;
    scene.serve(0).await?;
    let group = scene.says("Running", "Running").await?;
    ensure!(group.status.unwrap_or_default().updated_replicas == Some(3));
    let record = scene.api::<Lease>().get(NAME).await?;
    ensure!(record.spec.unwrap_or_default().lease_transitions == Some(1));
    drop(operator);
    Ok(())
}

async fn what_needs_no_restart_restarts_nothing(cp: &ControlPlane) -> Result<()> {
    let scene = Scene::started(cp, "inplace").await?;
    let old = scene.pods().await?;
    let pin = json!({"pluginVersion": "1.0.1"});
    scene
        .edit(json!({"contentRevision": "dddddddd", "pin": pin}))
        .await?;
    eventually(SOON, "patched pods", async || {
        for pod in scene.api::<Pod>().list(&ListParams::default()).await? {
            ensure!(pod.annotations()[labels::CONTENT_REVISION] == "dddddddd");
            ensure!(pod.labels()[labels::VERSION] == "1.0.1");
            ensure!(
                pod.labels().contains_key(labels::ROLE),
                "the agent's label stays"
            );
        }
        Ok(())
    })
    .await?;
    ensure!(scene.pods().await? == old, "a pod was made again");
    Ok(())
}

async fn losses_are_replaced_and_chosen_members_removed(cp: &ControlPlane) -> Result<()> {
    let scene = Scene::started(cp, "loss").await?;
    let old = scene.pods().await?;
    let pods = scene.api::<Pod>();
    pods.delete("orders-redis-0-0", &Default::default()).await?;
    scene.pod(0, old.get(&0)).await?;
    scene
        .set_status(2, json!({"phase": "Failed", "reason": "Evicted"}))
        .await?;
    scene.pod(2, old.get(&2)).await?;
    scene.says("Degraded", "Degraded").await?;
    scene.serve(0).await?;
    scene.serve(2).await?;
    scene.says("Running", "Running").await?;

    scene
        .edit(json!({"replicas": 2, "reservedOrdinals": [1]}))
        .await?;
    let group = scene.says("Running", "Running").await?;
    let left: Vec<u32> = scene.pods().await?.into_keys().collect();
    ensure!(left == [0, 2], "{left:?}");
    ensure!(group.status.unwrap_or_default().members.len() == 2);
    let claim = scene
        .api::<PersistentVolumeClaim>()
        .get("data-orders-redis-0-1")
        .await?;
    ensure!(claim.metadata.deletion_timestamp.is_none(), "volumes stay");
    eventually(SOON, "the Role names what is left", async || {
        let role = scene.api::<Role>().get(NAME).await?;
        let text = serde_json::to_string(&role.rules)?;
        ensure!(!text.contains("orders-redis-0-1\""), "{text}");
        Ok(())
    })
    .await?;

    scene.edit(json!({"reservedOrdinals": [0]})).await?;
    let refused = scene.says("Running", "LeaderReserved").await;
    let kept: Vec<u32> = scene.pods().await?.into_keys().collect();
    ensure!(kept.contains(&0), "the leader stays: {kept:?}");
    // Ordinals 0 and 1 are wanted then: 1 comes back on its claim, 2 goes.
    if let Err(error) = refused {
        scene.pod(1, None).await?;
        scene.serve(1).await?;
        scene
            .says("Running", "LeaderReserved")
            .await
            .context(error)?;
    }
    let again = scene
        .api::<PersistentVolumeClaim>()
        .get("data-orders-redis-0-1")
        .await?;
    ensure!(again.uid() == claim.uid(), "the claim was taken again");
    Ok(())
}

async fn a_taken_name_is_said_and_nothing_adopted(cp: &ControlPlane) -> Result<()> {
    let scene = Scene::new(cp, "taken").await?;
    let service: Service = serde_json::from_value(json!({
        "metadata": {"name": format!("{NAME}-h"), "labels": {"owner": "somebody"}},
        "spec": {"ports": [{"port": 1}]},
    }))?;
    let services = scene.api::<Service>();
    services.create(&PostParams::default(), &service).await?;
    scene.create().await?;
    let group = scene.says("Failed", "NameTaken").await?;
    let said = serde_json::to_string(&group.status)?;
    ensure!(said.contains("orders-redis-0-h"), "{said}");
    let theirs = services.get(&format!("{NAME}-h")).await?;
    ensure!(
        theirs.owner_references().is_empty() && theirs.labels().len() == 1,
        "adopted"
    );
    ensure!(scene.pods().await?.is_empty());
    services
        .delete(&format!("{NAME}-h"), &Default::default())
        .await?;
    scene.pod(0, None).await?;
    Ok(())
}

async fn a_group_that_is_no_pod_is_refused(cp: &ControlPlane) -> Result<()> {
    let scene = Scene::new(cp, "refused").await?;
    scene.create().await?;
    scene.pod(0, None).await?;
    scene
        .edit(json!({"template": {"spec": {"containers": [{"name": "main"}]}}}))
        .await?;
    let old = scene.pods().await?;
    let pods = scene.api::<Pod>();
    pods.delete("orders-redis-0-0", &Default::default()).await?;
    let group = scene.says("Failed", "Refused").await?;
    let said = serde_json::to_string(&group.status)?;
    ensure!(
        said.contains("image"),
        "says what the API server said: {said}"
    );
    scene
        .edit(json!({"template": {"spec": {"containers": [{"name": "main", "image": "a:1"}]}}}))
        .await?;
    scene.pod(0, old.get(&0)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_group_controller() -> Result<()> {
    let cp = ControlPlane::start().await?;
    cp.install_crds().await?;
    {
        let _operator = operate(&cp).await?;
        let all = futures::future::join_all([
            a_group_is_made_in_order(&cp).boxed_local(),
            a_group_at_rest_is_silent(&cp).boxed_local(),
            what_needs_no_restart_restarts_nothing(&cp).boxed_local(),
            losses_are_replaced_and_chosen_members_removed(&cp).boxed_local(),
            a_taken_name_is_said_and_nothing_adopted(&cp).boxed_local(),
            a_group_that_is_no_pod_is_refused(&cp).boxed_local(),
        ]);
        let failed: Vec<String> = all
            .await
            .into_iter()
            .filter_map(Result::err)
            .map(|e| format!("{e:#}"))
            .collect();
        if !failed.is_empty() {
            bail!("{}", failed.join("\n"));
        }
    }
    a_rollout_goes_replicas_first_and_survives_the_operator(&cp).await
}
