//! The catalog as it changes: lists once, then watches; where one may not watch, lists again now and
//! then. At rest it costs two requests a minute.

use crate::{
    browse::{filled, update::Event},
    catalog::model::{self, Reach},
    cluster::{Cluster, ClusterError, Hidden},
};
use api::{App, MiddlewareAddon};
use futures::StreamExt as _;
use kube::{
    Api, Resource, ResourceExt as _,
    api::{ListParams, WatchEvent, WatchParams},
};
use serde::de::DeserializeOwned;
use std::{
    collections::BTreeMap,
    fmt::Debug,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

/// How long the API server keeps one watch: shorter than the client waits for an answer.
const WATCH_SECONDS: u32 = 50;
/// How many objects one request lists.
const PAGE: u32 = 500;
/// Several changes within this time are one.
const SETTLE: Duration = Duration::from_millis(200);
/// Between two lists where one may not watch.
const AGAIN: Duration = Duration::from_secs(10);
/// Between two tries of what is forbidden.
const FORBIDDEN: Duration = Duration::from_secs(60);
/// Between two tries when nobody answers: at first, and at most.
const RETRY: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30);

/// What is known of one kind.
enum News {
    Addons(Result<Vec<MiddlewareAddon>, ClusterError>),
    Apps(Vec<App>, Reach),
}

/// Sends the catalog, and again whenever it changes.
pub(super) async fn follow(
    cluster: Cluster,
    seen: Arc<Mutex<Arc<model::Catalog>>>,
    events: mpsc::Sender<Event>,
) {
    let (news, mut inbox) = mpsc::channel(4);
    let both = futures::future::join(addons(&cluster, news.clone()), apps(&cluster, news));
    let mut both = pin!(both);
    let (mut addons, mut apps) = (Vec::new(), None);
    let mut has_addons = false;
    loop {
        let news = tokio::select! {
            _ = &mut both => return,
            news = inbox.recv() => news,
        };
        let event = match news {
            None => return,
            Some(News::Addons(Err(why))) => Event::Catalog(Err(reason(&why))),
            Some(News::Addons(Ok(all))) => {
                (addons, has_addons) = (all, true);
                made(&addons, apps.as_ref(), &seen)
            }
            Some(News::Apps(all, reach)) => {
                apps = Some((all, reach));
                if !has_addons {
                    continue;
                }
                made(&addons, apps.as_ref(), &seen)
            }
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
}

/// Why there is no catalog: a right that is missing goes before the cluster's words.
fn reason(error: &ClusterError) -> String {
    match error.hidden() {
        Some(hidden) => hidden.to_string(),
        None => error.to_string(),
    }
}

/// The event of a catalog of these; it is kept in `seen`.
fn made(
    addons: &[MiddlewareAddon],
    apps: Option<&(Vec<App>, Reach)>,
    seen: &Mutex<Arc<model::Catalog>>,
) -> Event {
    let hidden = match apps {
        None => Some("loading who uses what".to_owned()),
        Some((_, Reach::Everywhere)) => None,
        Some((_, reach)) => Some(format!("Apps {reach}")),
    };
    let model = model::of_lists(addons.to_vec(), apps.cloned().unwrap_or_default());
    let shown = filled::catalog(&model, hidden);
    *seen.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(model);
    Event::Catalog(Ok(shown))
}

async fn addons(cluster: &Cluster, news: mpsc::Sender<News>) {
    loop {
        let tell = async |said| news.send(News::Addons(said)).await.is_ok();
        let Some(forbidden) = of_kind(cluster, Api::all(cluster.client.clone()), tell).await else {
            return;
        };
        if news.send(News::Addons(Err(forbidden))).await.is_err() {
            return;
        }
        sleep(FORBIDDEN).await;
    }
}

/// The Apps of all namespaces; where that is forbidden, of the context's.
async fn apps(cluster: &Cluster, news: mpsc::Sender<News>) {
    let all = Api::all(cluster.client.clone());
    let of = |namespace: &str| Api::namespaced(cluster.client.clone(), namespace);
    loop {
        let mut hidden = None;
        if cluster.only.is_none() {
            match at(cluster, all.clone(), &Reach::Everywhere, &news).await {
                None => return,
                Some(forbidden) => hidden = Some(forbidden),
            }
        }
        let namespace = cluster.only.as_ref().unwrap_or(&cluster.namespace).clone();
        let api = of(&namespace);
        let reach = Reach::Namespace { namespace, hidden };
        let Some(forbidden) = at(cluster, api, &reach, &news).await else {
            return;
        };
        let nowhere = News::Apps(Vec::new(), Reach::Nowhere(forbidden));
        if news.send(nowhere).await.is_err() {
            return;
        }
        sleep(FORBIDDEN).await;
    }
}

/// Tells the Apps of one place until that is forbidden, and says so; nothing where nobody listens.
async fn at(
    cluster: &Cluster,
    api: Api<App>,
    reach: &Reach,
    news: &mpsc::Sender<News>,
) -> Option<Hidden> {
    let tell = async |said: Result<Vec<App>, ClusterError>| match said {
        Ok(apps) => news.send(News::Apps(apps, reach.clone())).await.is_ok(),
        // The versions say it too.
        Err(_) => !news.is_closed(),
    };
    of_kind(cluster, api, tell).await?.hidden().cloned()
}

/// Tells all objects of a kind whenever they change, until that is forbidden; `None` where `tell`
/// says that nobody listens.
async fn of_kind<K>(
    cluster: &Cluster,
    api: Api<K>,
    tell: impl AsyncFn(Result<Vec<K>, ClusterError>) -> bool,
) -> Option<ClusterError>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + 'static,
{
    let mut wait = *RETRY.start();
    loop {
        let ended = match watched(&api, &tell, &mut wait).await? {
            Ended::Failed(error) => cluster.error(error),
            Ended::MayNotWatch => listed(cluster, &api, &tell).await?,
            Ended::TooOld => {
                sleep(*RETRY.start()).await;
                continue;
            }
        };
        if ended.hidden().is_some() {
            return Some(ended);
        }
        if !tell(Err(ended)).await {
            return None;
        }
        sleep(wait).await;
        wait = (wait * 2).min(*RETRY.end());
    }
}

/// Why a watch ended.
enum Ended {
    Failed(kube::Error),
    MayNotWatch,
    /// What was seen last is too old to go on from.
    TooOld,
}

/// Objects by namespace and name.
type All<K> = BTreeMap<(Option<String>, String), K>;

/// Lists, and watches from there on, watch after watch.
async fn watched<K>(
    api: &Api<K>,
    tell: &impl AsyncFn(Result<Vec<K>, ClusterError>) -> bool,
    wait: &mut Duration,
) -> Option<Ended>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + 'static,
{
    let (mut all, mut version) = match list(api).await {
        Ok(listed) => listed,
        Err(error) => return Some(Ended::Failed(error)),
    };
    *wait = *RETRY.start();
    if !tell(Ok(all.values().cloned().collect())).await {
        return None;
    }
    let mut is_new = false;
    loop {
        let params = WatchParams::default().timeout(WATCH_SECONDS);
        let mut changes = match api.watch(&params, &version).await {
            Ok(changes) => Box::pin(changes),
            Err(kube::Error::Api(status)) if status.code == 403 => return Some(Ended::MayNotWatch),
            Err(error) => return Some(Ended::Failed(error)),
        };
        loop {
            let change = match is_new {
                false => changes.next().await,
                true => match timeout(SETTLE, changes.next()).await {
                    Ok(change) => change,
                    Err(_) => {
                        is_new = false;
                        if !tell(Ok(all.values().cloned().collect())).await {
                            return None;
                        }
                        continue;
                    }
                },
            };
            match change {
                Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                    version = object.resource_version().unwrap_or(version);
                    all.insert(name(&object), object);
                    is_new = true;
                }
                Some(Ok(WatchEvent::Deleted(object))) => {
                    version = object.resource_version().unwrap_or(version);
                    all.remove(&name(&object));
                    is_new = true;
                }
                Some(Ok(WatchEvent::Bookmark(mark))) => version = mark.metadata.resource_version,
                Some(Ok(WatchEvent::Error(_))) => return Some(Ended::TooOld),
                // A line that broke, or an object of another release.
                Some(Err(_)) => sleep(*RETRY.start()).await,
                None => break,
            }
        }
    }
}

fn name<K: Resource>(object: &K) -> (Option<String>, String) {
    (object.namespace(), object.name_any())
}

/// All objects, page by page, and the version of the list.
async fn list<K>(api: &Api<K>) -> Result<(All<K>, String), kube::Error>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let (mut all, mut params) = (All::new(), ListParams::default().limit(PAGE));
    loop {
        let page = api.list(&params).await?;
        let version = page.metadata.resource_version.unwrap_or_default();
        all.extend(page.items.into_iter().map(|object| (name(&object), object)));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok((all, version)),
        }
    }
}

/// Lists again and again, until that fails.
async fn listed<K>(
    cluster: &Cluster,
    api: &Api<K>,
    tell: &impl AsyncFn(Result<Vec<K>, ClusterError>) -> bool,
) -> Option<ClusterError>
where
    K: Clone + Debug + DeserializeOwned,
{
    loop {
        match cluster.list(api, ListParams::default()).await {
            Ok(all) => match tell(Ok(all)).await {
                true => sleep(AGAIN).await,
                false => return None,
            },
            Err(error) => return Some(error),
        }
    }
}
