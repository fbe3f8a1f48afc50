//! What wakes the addon controller besides its own objects: content that appears, policies that
//! change, and Apps that come to use a version or leave it.

use crate::watch::Feeds;
use api::{
    App, MiddlewareAddon,
    crd::{addon::AddonPhase, app::Pin},
    names,
};
use futures::{
    Stream, StreamExt as _,
    stream::{self, PollNext},
};
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// The versions that wait and name a content object, when it changes. Which these are is kept by the
/// object's name: a catalog has many thousand objects, and looking through all versions for each of
/// them would be felt when they come at once.
pub fn of_content(feeds: &Feeds) -> impl Stream<Item = ObjectRef<MiddlewareAddon>> + Send + use<> {
    let addons = feeds.addons.subscribe().map(Told::Addon);
    let content = feeds
        .content
        .subscribe()
        .map(|object| Told::Content(object.name_any()));
    // A version that is told of is known before what came after it.
    let told = stream::select_with_strategy(addons, content, |(): &mut ()| PollNext::Left);
    let mut waiting = Waiting::default();
    told.flat_map(move |told| {
        stream::iter(match told {
            Told::Addon(addon) => {
                waiting.hear(&addon);
                Vec::new()
            }
            Told::Content(name) => waiting.named(&name),
        })
    })
}

/// What [`of_content`] hears.
enum Told {
    Addon(Arc<MiddlewareAddon>),
    Content(String),
}

/// The versions that are not Active, by the names of their content objects.
#[derive(Default)]
struct Waiting(HashMap<String, BTreeSet<String>>);

impl Waiting {
    fn hear(&mut self, addon: &MiddlewareAddon) {
        let waits = !is_active(addon) && addon.metadata.deletion_timestamp.is_none();
        let name = addon.name_any();
        for content in &addon.spec.content {
            let of_object = self.0.entry(content.name.clone()).or_default();
            match waits {
                true => of_object.insert(name.clone()),
                false => of_object.remove(&name),
            };
            if of_object.is_empty() {
                self.0.remove(&content.name);
            }
        }
    }

    fn named(&self, content: &str) -> Vec<ObjectRef<MiddlewareAddon>> {
        let found = self.0.get(content).into_iter().flatten();
        found.map(|name| ObjectRef::new(name)).collect()
    }
}

/// The versions that are not published, when a policy changes: it may have been what they wait for, or
/// they are being judged by what it was.
pub fn of_policies(feeds: &Feeds) -> impl Stream<Item = ObjectRef<MiddlewareAddon>> + Send + use<> {
    let addons = feeds.addons.store().clone();
    feeds.policies.subscribe().flat_map(move |_| {
        let found: Vec<_> = addons
            .state_filter(|addon| !is_active(addon))
            .iter()
            .map(|a| ObjectRef::from_obj(&**a))
            .collect();
        stream::iter(found)
    })
}

/// The versions whose users an App's change changes: those that it runs by, came from and asks for,
/// and those that it did before.
pub fn of_apps(feeds: &Feeds) -> impl Stream<Item = ObjectRef<MiddlewareAddon>> + Send + use<> {
    let apps = feeds.apps.clone();
    let mut before = HashMap::<ObjectRef<App>, Uses>::new();
    feeds.apps.subscribe().flat_map(move |app| {
        let key = ObjectRef::from_obj(&*app);
        let now = apps.store().get(&key).map(|app| Uses::of(&app));
        let was = match &now {
            Some(now) => before.insert(key, now.clone()),
            None => before.remove(&key),
        };
        let touched: BTreeSet<String> = match now == was && now.is_some() {
            true => BTreeSet::new(),
            false => [now, was, Some(Uses::of(&app))]
                .into_iter()
                .flatten()
                .flat_map(Uses::versions)
                .collect(),
        };
        let touched = touched.into_iter().map(|name| ObjectRef::new(&name));
        stream::iter(touched.collect::<Vec<_>>())
    })
}

/// What of an App matters to the versions of its plugin.
#[derive(Clone, PartialEq)]
struct Uses {
    pin: Option<String>,
    /// What it may go back to.
    last: Option<String>,
    wanted: String,
    /// Whether its wish is decided, which matters to a version that is being deleted.
    decided: bool,
}

impl Uses {
    fn of(app: &App) -> Self {
        let plugin = &app.spec.plugin;
        let status = app.status.as_ref();
        let pin = status.and_then(|s| s.pin.as_ref());
        let last = status.and_then(|s| s.history.first()).map(|past| &past.pin);
        let name = |pin: &Pin| names::addon(plugin, &pin.plugin_version);
        Self {
            pin: pin.map(name),
            last: last.map(name),
            wanted: names::addon(plugin, &app.spec.plugin_version),
            decided: status.is_some_and(|s| s.observed_generation == app.metadata.generation),
        }
    }

    fn versions(self) -> impl Iterator<Item = String> {
        [self.pin, self.last, Some(self.wanted)]
            .into_iter()
            .flatten()
    }
}

/// The versions of a Group's plugin that are being deleted: its end, or its move to another version,
/// may be what they wait for.
pub fn of_groups(feeds: &Feeds) -> impl Stream<Item = ObjectRef<MiddlewareAddon>> + Send + use<> {
    let addons = feeds.addons.store().clone();
    feeds.groups.subscribe().flat_map(move |group| {
        let waits = |addon: &MiddlewareAddon| {
            addon.metadata.deletion_timestamp.is_some() && addon.spec.plugin == group.spec.plugin
        };
        let found: Vec<_> = addons
            .state_filter(waits)
            .iter()
            .map(|a| ObjectRef::from_obj(&**a))
            .collect();
        stream::iter(found)
    })
}

fn is_active(addon: &MiddlewareAddon) -> bool {
    let phase = addon.status.as_ref().and_then(|status| status.phase);
    phase == Some(AddonPhase::Active)
}
