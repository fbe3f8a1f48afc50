//! One watch and one cache per kind for the whole operator, and who is told of changes.
//!
//! A subscriber hears of an object only after the cache has it: a controller that is woken by a
//! change always finds the change. After a lost connection everything that was or is in the cache is
//! told again, so that a deletion that happened meanwhile is not missed.

mod content;

use crate::content::Recent;
use api::{AddonPolicy, App, Component, Group, Guarded, MiddlewareAddon, labels};
use futures::{
    Stream, StreamExt as _,
    channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
    future::{BoxFuture, FutureExt as _, join_all, ready},
    stream::BoxStream,
};
use k8s_openapi::{
    api::core::v1::{ConfigMap, Service},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, Client, Resource,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt as _,
        reflector::{ObjectRef, Store, store::Writer},
        watcher::{self, Event},
    },
};
use serde::de::DeserializeOwned;
use std::{
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};

/// A cache of one kind, and its subscribers.
pub struct Feed<K: Resource<DynamicType = ()> + Clone + 'static> {
    store: Store<K>,
    subscribers: Arc<Mutex<Vec<UnboundedSender<Arc<K>>>>>,
    filled: Arc<tokio::sync::watch::Sender<bool>>,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Clone for Feed<K> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            subscribers: self.subscribers.clone(),
            filled: self.filled.clone(),
        }
    }
}

impl<K> Feed<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    /// A cache of what `api` lists with `config`, and the future that keeps it; an object that does
    /// not parse is left out.
    pub fn guarded(
        api: Api<Guarded<K>>,
        config: watcher::Config,
    ) -> (Self, BoxFuture<'static, ()>) {
        let events = watcher::watcher(api, config).default_backoff();
        Self::start(
            events
                .filter_map(|event| ready(event.map(parsed).transpose()))
                .boxed(),
        )
    }

    /// A cache of a kind whose objects always parse.
    pub fn plain(api: Api<K>, config: watcher::Config) -> (Self, BoxFuture<'static, ()>) {
        Self::start(watcher::watcher(api, config).default_backoff().boxed())
    }

    /// A cache of the names of a kind: nothing else of its metadata is kept.
    pub fn names(api: Api<K>, config: watcher::Config) -> (Self, BoxFuture<'static, ()>) {
        Self::names_of(watcher::watcher(api, config))
    }

    fn names_of(
        events: impl Stream<Item = watcher::Result<Event<K>>> + Send + 'static,
    ) -> (Self, BoxFuture<'static, ()>) {
        let events = events.default_backoff();
        Self::start(events.map(|event| event.map(bare)).boxed())
    }

    fn start(
        events: BoxStream<'static, watcher::Result<Event<K>>>,
    ) -> (Self, BoxFuture<'static, ()>) {
        let writer = Writer::default();
        let feed = Self {
            store: writer.as_reader(),
            subscribers: Arc::default(),
            filled: Arc::new(tokio::sync::watch::Sender::new(false)),
        };
        let watch = feed.clone().keep(writer, events).boxed();
        (feed, watch)
    }

    async fn keep(
        self,
        mut writer: Writer<K>,
        mut events: BoxStream<'static, watcher::Result<Event<K>>>,
    ) {
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => self.take(&mut writer, slim(event)),
                Err(error) => tracing::warn!(%error, kind = %K::kind(&()), "a watch failed"),
            }
        }
    }

    /// Puts the change into the cache, then tells of it.
    fn take(&self, writer: &mut Writer<K>, event: Event<K>) {
        let gone = match &event {
            Event::InitDone => self.store.state(),
            _ => Vec::new(),
        };
        writer.apply_watcher_event(&event);
        match event {
            Event::Apply(object) | Event::Delete(object) => self.tell([Arc::new(object)]),
            Event::InitDone => {
                self.tell(gone);
                self.tell(self.store.state());
                self.filled.send_replace(true);
            }
            Event::Init | Event::InitApply(_) => {}
        }
    }

    fn tell(&self, objects: impl IntoIterator<Item = Arc<K>>) {
        let mut subscribers = self
            .subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for object in objects {
            subscribers.retain(|s| s.unbounded_send(object.clone()).is_ok());
        }
    }

    /// Every object that is there now, and then every one that changes or goes.
    pub fn subscribe(&self) -> UnboundedReceiver<Arc<K>> {
        let (sender, receiver) = unbounded();
        let mut subscribers = self
            .subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for object in self.store.state() {
            let _ = sender.unbounded_send(object);
        }
        subscribers.push(sender);
        receiver
    }

    /// The cache itself.
    pub fn store(&self) -> &Store<K> {
        &self.store
    }

    /// The object of that name in that namespace, or of that name in the cluster.
    pub fn get(&self, name: &str, namespace: Option<&str>) -> Option<Arc<K>> {
        let reference = ObjectRef::<K>::new(name);
        self.store.get(&match namespace {
            Some(namespace) => reference.within(namespace),
            None => reference,
        })
    }

    /// Resolves when the cache was filled once. Any number of tasks may wait: of those that wait in
    /// `Store::wait_until_ready` at the same time, kube 5 wakes only the last.
    pub async fn filled(&self) {
        let _ = self.filled.subscribe().wait_for(|filled| *filled).await;
    }
}

/// The event without objects that do not parse: one malformed object never stops a watch.
fn parsed<K: Resource<DynamicType = ()>>(event: Event<Guarded<K>>) -> Option<Event<K>> {
    let good = |guard: Guarded<K>| match guard.0 {
        Ok(object) => Some(object),
        Err(bad) => {
            let name = bad.metadata.name.as_deref().unwrap_or_default();
            let namespace = bad.metadata.namespace.as_deref().unwrap_or_default();
            let error = &bad.error;
            tracing::error!(kind = %K::kind(&()), namespace, name, error, "an object is malformed");
            None
        }
    };
    Some(match event {
        Event::Apply(object) => Event::Apply(good(object)?),
        Event::Delete(object) => Event::Delete(good(object)?),
        Event::InitApply(object) => Event::InitApply(good(object)?),
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
    })
}

/// The event with the object's name alone.
fn bare<K: Resource>(event: Event<K>) -> Event<K> {
    let bare = |mut object: K| {
        let meta = object.meta_mut();
        *meta = ObjectMeta {
            name: meta.name.take(),
            namespace: meta.namespace.take(),
            ..ObjectMeta::default()
        };
        object
    };
    match event {
        Event::Apply(object) => Event::Apply(bare(object)),
        Event::Delete(object) => Event::Delete(bare(object)),
        Event::InitApply(object) => Event::InitApply(bare(object)),
        other => other,
    }
}

/// The event without what no controller reads and what is half of an object's metadata.
fn slim<K: Resource>(event: Event<K>) -> Event<K> {
    let slim = |mut object: K| {
        object.meta_mut().managed_fields = None;
        object
    };
    match event {
        Event::Apply(object) => Event::Apply(slim(object)),
        Event::InitApply(object) => Event::InitApply(slim(object)),
        other => other,
    }
}

/// The metadata of a kind, without its body.
pub type Meta<K> = PartialObjectMeta<K>;

/// Every cache of the operator.
#[derive(Clone)]
pub struct Feeds {
    /// The addon versions.
    pub addons: Feed<MiddlewareAddon>,
    /// That what versions must show changed, names only: it is listed when somebody needs it.
    pub policies: Feed<Meta<AddonPolicy>>,
    /// The Apps of all namespaces.
    pub apps: Feed<App>,
    /// The Components of all namespaces.
    pub components: Feed<Component>,
    /// The Groups of all namespaces.
    pub groups: Feed<Group>,
    /// Content in the platform's namespace, names only: a catalog has many thousand objects.
    pub content: Feed<Meta<ConfigMap>>,
    /// The files of the content that came lately.
    pub recent: Recent,
    /// ConfigMaps that belong to Apps, metadata only.
    pub config_maps: Feed<Meta<ConfigMap>>,
    /// Services that belong to Apps, metadata only.
    pub services: Feed<Meta<Service>>,
}

impl Feeds {
    /// Resolves when every cache was filled once.
    pub async fn wait_until_ready(&self) {
        let Self {
            addons,
            policies,
            apps,
            components,
            groups,
            content,
            recent: _,
            config_maps,
            services,
        } = self;
        futures::join!(
            addons.filled(),
            policies.filled(),
            apps.filled(),
            components.filled(),
            groups.filled(),
            content.filled(),
            config_maps.filled(),
            services.filled(),
        );
    }
}

/// The caches, and the future that keeps them; it never ends by itself.
pub fn start(client: &Client, namespace: &str) -> (Feeds, BoxFuture<'static, ()>) {
    let all = watcher::Config::default();
    let of_apps = watcher::Config::default().labels(&format!(
        "{}={},{}",
        labels::MANAGED_BY,
        labels::MANAGED_BY_PAAMESH,
        labels::APP
    ));
    let recent = Recent::default();
    let content = Api::namespaced(client.clone(), namespace);
    let content = content::watched(content, labels::PLUGIN, recent.clone());
    let (addons, w1) = Feed::guarded(Api::all(client.clone()), all.clone());
    let (apps, w2) = Feed::guarded(Api::all(client.clone()), all.clone());
    let (components, w3) = Feed::guarded(Api::all(client.clone()), all.clone());
    let (groups, w4) = Feed::guarded(Api::all(client.clone()), all);
    let (content, w5) = Feed::names_of(content);
    let (config_maps, w6) = Feed::plain(Api::all(client.clone()), of_apps.clone());
    let (services, w7) = Feed::plain(Api::all(client.clone()), of_apps);
    let (policies, w8) = Feed::names(Api::all(client.clone()), watcher::Config::default());
    let feeds = Feeds {
        addons,
        policies,
        apps,
        components,
        groups,
        content,
        recent,
        config_maps,
        services,
    };
    let watches = join_all([w1, w2, w3, w4, w5, w6, w7, w8]).map(drop).boxed();
    (feeds, watches)
}
