//! Removes content that no version names: content has no owner, because versions share it.
//!
//! Only what a registry made is removed, and only when no MiddlewareAddon has named it for an hour as
//! far as this process saw; whether one does is asked of the API server itself, while nothing is
//! projected.

use crate::{Shutdown, content::selector, context::Context};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams, Preconditions},
    core::PartialObjectMeta,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

/// Between two looks: reads only, where there is nothing to remove.
const EVERY: Duration = Duration::from_mins(10);
/// How long content stays that nobody names.
const GRACE: Duration = Duration::from_hours(1);

/// Sweeps until `shutdown`.
pub async fn run(context: Arc<Context>, shutdown: Shutdown) {
    let mut unnamed = HashMap::new();
    let sweeping = async {
        loop {
            tokio::time::sleep(EVERY).await;
            if let Err(error) = sweep(&context, &mut unnamed, Instant::now()).await {
                tracing::warn!(%error, "unused content could not be swept");
            }
        }
    };
    tokio::select! {
        () = sweeping => {}
        // The controller decides when the program has ended.
        () = shutdown => futures::future::pending().await,
    }
}

type Unnamed = HashMap<String, Instant>;

async fn sweep(
    context: &Context,
    unnamed: &mut Unnamed,
    now: Instant,
) -> Result<(), Box<kube::Error>> {
    let list = ListParams::default().labels(&selector());
    let _nothing_is_projected = context.projecting.write().await;
    let content = context
        .content()
        .list_metadata(&list)
        .await
        .map_err(Box::new)?;
    let named = named(context).await?;
    for object in overdue(content.items, &named, unnamed, now) {
        let name = object.name_any();
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: object.uid(),
                resource_version: object.resource_version(),
            }),
            ..DeleteParams::default()
        };
        tracing::info!(name, "content that no version names is removed");
        context
            .content()
            .delete(&name, &params)
            .await
            .map_err(Box::new)?;
    }
    Ok(())
}

async fn named(context: &Context) -> Result<HashSet<String>, Box<kube::Error>> {
    let addons = context
        .addons()
        .list(&ListParams::default())
        .await
        .map_err(Box::new)?;
    let content = addons
        .items
        .into_iter()
        .flat_map(|addon| addon.spec.content);
    Ok(content.map(|reference| reference.name).collect())
}

/// Those of `content` that nobody named in any sweep of the last hour.
fn overdue(
    content: Vec<PartialObjectMeta<ConfigMap>>,
    named: &HashSet<String>,
    unnamed: &mut Unnamed,
    now: Instant,
) -> Vec<PartialObjectMeta<ConfigMap>> {
    let lost: Vec<_> = content
        .into_iter()
        .filter(|object| !named.contains(&object.name_any()))
        .collect();
    let names: HashSet<String> = lost.iter().map(ResourceExt::name_any).collect();
    unnamed.retain(|name, _| names.contains(name));
    lost.into_iter()
        .filter(|object| {
            let since = *unnamed.entry(object.name_any()).or_insert(now);
            now.duration_since(since) >= GRACE
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(names: &[&str]) -> Vec<PartialObjectMeta<ConfigMap>> {
        let object = |name: &&str| {
            let mut object = PartialObjectMeta::default();
            object.metadata.name = Some((*name).to_owned());
            object
        };
        names.iter().map(object).collect()
    }

    #[test]
    fn only_what_nobody_named_for_an_hour_goes() {
        let mut unnamed = Unnamed::new();
        let named = HashSet::from(["used".to_owned()]);
        let all = || content(&["used", "lost", "back"]);
        let mut sweep = |named: &HashSet<String>, at: Instant| -> Vec<String> {
            let gone = overdue(all(), named, &mut unnamed, at);
            gone.iter().map(ResourceExt::name_any).collect()
        };
        let start = Instant::now();
        assert!(sweep(&named, start).is_empty());
        let both = HashSet::from(["used".to_owned(), "back".to_owned()]);
        assert!(sweep(&both, start + GRACE / 2).is_empty());
        assert_eq!(sweep(&named, start + GRACE), ["lost"]);
        assert_eq!(sweep(&named, start + GRACE * 3 / 2), ["lost"]);
        assert_eq!(sweep(&named, start + GRACE * 2), ["lost", "back"]);
    }
}
