//! The Group controller: a StatefulSet that middleware needs.
//!
//! In: a Group. Out: its account and Role, its record, its headless Service, claims and pods, one
//! ordinal sequence with stable names, volumes and network identity; replaced one at a time, in the
//! order of the roles that the members themselves report. Left alone: what the pods do (the agent),
//! and the deletion of claims (a policy of the App).
//!
//! # Permissions
//!
//! Cluster-wide, besides those of the [crate]; an operator can only give what it holds itself, hence
//! `patch` on pods and `update` on Leases:
//!
//! | group | resources | verbs |
//! | --- | --- | --- |
//! | middleware.io | groups | get, list, watch |
//! | middleware.io | groups/status | patch |
//! | (core) | pods | get, list, watch, create, patch, delete |
//! | (core) | persistentvolumeclaims | get, list, watch, create |
//! | (core) | serviceaccounts | get, list, watch, create, patch |
//! | (core) | services | get, list, watch, create, patch |
//! | rbac.authorization.k8s.io | roles, rolebindings | get, list, watch, create, patch |
//! | coordination.k8s.io | leases | get, list, watch, create, update |
//! | events.k8s.io | events | create, patch |

mod act;
mod build;
mod cache;
pub mod observe;
pub mod plan;
mod report;

use crate::{
    Shutdown,
    children::Place,
    context::Context,
    controller::{Wiring, changed, drive, owners},
};
use api::{Group, labels, names};
use cache::Caches;
use futures::{StreamExt as _, future::ready, stream::select_all};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::{
    ResourceExt as _,
    runtime::{controller::Action, reflector::ObjectRef},
};
use std::{sync::Arc, time::Duration};

/// What a reconcile is handed.
struct Room {
    context: Arc<Context>,
    caches: Caches,
}

/// Runs the controller until `shutdown`.
pub async fn run(context: Arc<Context>, shutdown: Shutdown) {
    let (caches, watches) = cache::start(&context.client, &context.feeds);
    let queue = select_all([
        changed(&context.feeds.groups).boxed(),
        owners(&caches.pods).boxed(),
        owners(&caches.accounts).boxed(),
        owners(&caches.roles).boxed(),
        owners(&caches.bindings).boxed(),
        owners(&caches.records).boxed(),
        owners(&caches.services).boxed(),
        caches
            .claims
            .subscribe()
            .filter_map(|c| ready(user(&c)))
            .boxed(),
    ]);
    let room = Room {
        caches,
        context: context.clone(),
    };
    let wiring = Wiring {
        name: "group",
        store: context.feeds.groups.store().clone(),
        queue: queue.boxed(),
        context: Arc::new(room),
    };
    let driven = drive(
        wiring,
        &context.settings,
        &context.metrics,
        shutdown,
        reconcile,
    );
    tokio::select! {
        () = driven => {}
        () = watches => tracing::error!("the watches of the Group controller ended"),
    }
}

/// The Group whose member uses a claim, by the claim's labels: it has no owner.
fn user(claim: &crate::watch::Meta<PersistentVolumeClaim>) -> Option<ObjectRef<Group>> {
    let label = |key: &str| claim.labels().get(key);
    let name = names::group(
        &label(labels::APP)?.parse().ok()?,
        &label(labels::COMPONENT)?.parse().ok()?,
        &label(labels::GROUP)?.parse().ok()?,
    );
    Some(ObjectRef::new(&name).within(&claim.namespace()?))
}

/// Of what the Group's children are a part.
fn place(group: &Group) -> Place<'_> {
    Place {
        app: &group.spec.app,
        plugin: &group.spec.plugin,
        component: Some(&group.spec.component),
        group: Some(&group.spec.group),
    }
}

async fn reconcile(group: Arc<Group>, room: Arc<Room>) -> Result<Action, act::ActError> {
    room.caches.wait_until_ready().await;
    let now = Timestamp::now();
    let observed = observe::observe(&group, &room.caches);
    let plan = plan::plan(&observed, now);
    let acted = act::act(&room, &group, &observed, plan).await;
    let look_again = report::report(&room, &group, &observed, acted, now).await?;
    Ok(look_again.map_or_else(Action::await_change, |time| {
        let pause = Duration::try_from(time.duration_since(now)).unwrap_or_default();
        Action::requeue(pause + Duration::from_secs(1))
    }))
}
