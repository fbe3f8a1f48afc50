//! What there is: the version's content and its digest, what the checks say of it, what the ledger
//! says, and who uses it.

mod content;

pub use content::{Content, Facts};

use crate::{
    content::ContentError,
    context::Context,
    error::{self, Consequence},
    policy::ListError,
    provenance::KeyError,
};
use api::{
    AddonLedger, App, Group, MiddlewareAddon, MiddlewareAddonStatus,
    conditions::PIN_ACCEPTED,
    crd::addon::{AddonPhase, Lifecycle},
    labels,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use kube::{Api, ResourceExt as _, api::ListParams};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// All that [`super::plan::plan`] decides by.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// Whether deletion was asked for.
    #[serde(default)]
    pub deleting: bool,
    /// Whether our finalizer is on it.
    #[serde(default)]
    pub held: bool,
    /// What was said last.
    #[serde(default)]
    pub status: MiddlewareAddonStatus,
    /// What of its content is known.
    pub content: Content,
    /// The ledger as it was read, to be written back with the version in it.
    #[serde(skip)]
    pub ledger: Option<AddonLedger>,
    /// The Apps that use it, `namespace/name`, sorted.
    #[serde(default)]
    pub users: Vec<String>,
    /// The Apps that came from it and may go back; known where it is being deleted.
    #[serde(default)]
    pub may_return: Vec<String>,
    /// What is said of it.
    #[serde(default)]
    pub lifecycle: Option<Lifecycle>,
    /// The day, UTC.
    #[serde(default)]
    pub today: Date,
}

/// What there is could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// A content object could not be read.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The ledger could not be read.
    #[error("reading the ledger failed: {0}")]
    Ledger(#[source] Box<kube::Error>),
    /// The registry's key could not be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The policies could not be listed.
    #[error(transparent)]
    Policies(#[from] ListError),
    /// The users could not be listed.
    #[error("listing the users failed: {0}")]
    Users(#[source] Box<kube::Error>),
}

impl ObserveError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Content(error) => error.consequence(),
            Self::Key(error) => error.consequence(),
            Self::Policies(error) => error.consequence(),
            Self::Ledger(error) | Self::Users(error) => error::of_kube(error),
        }
    }
}

/// Observes `addon`. A version that is Active is not read; users come from the cache, and from the
/// API server itself where the answer decides about deletion.
///
/// # Errors
/// Something could not be read.
pub async fn observe(addon: &MiddlewareAddon, context: &Context) -> Result<Observed, ObserveError> {
    let status = addon.status.clone().unwrap_or_default();
    let deleting = addon.metadata.deletion_timestamp.is_some();
    let active = status.phase == Some(AddonPhase::Active) && status.digest.is_some();
    let users = match deleting {
        true => live_users(addon, context).await?,
        false => Users {
            now: cached_users(addon, context),
            may_return: BTreeSet::new(),
        },
    };
    let (content, ledger) = match active || deleting {
        true => (Content::NotRead, None),
        false => content::content(addon, context).await?,
    };
    Ok(Observed {
        deleting,
        held: addon
            .finalizers()
            .iter()
            .any(|f| f == labels::ADDON_FINALIZER),
        status,
        content,
        ledger,
        users: users.now.into_iter().collect(),
        may_return: users.may_return.into_iter().collect(),
        lifecycle: addon.spec.lifecycle.clone(),
        today: Timestamp::now().to_zoned(TimeZone::UTC).date(),
    })
}

/// Who uses a version.
struct Users {
    /// The Apps that run by it, or are about to.
    now: BTreeSet<String>,
    /// The others that ran by it last.
    may_return: BTreeSet<String>,
}

fn cached_users(addon: &MiddlewareAddon, context: &Context) -> BTreeSet<String> {
    let apps = context.feeds.apps.store();
    let users = apps.state_filter(|app| pins(app, addon));
    users.iter().map(|app| full_name(&**app)).collect()
}

/// Whether the App is pinned to the version.
fn pins(app: &App, addon: &MiddlewareAddon) -> bool {
    let pin = app.status.as_ref().and_then(|s| s.pin.as_ref());
    app.spec.plugin == addon.spec.plugin
        && pin.is_some_and(|pin| pin.plugin_version == addon.spec.version)
}

/// Whether the App ran by the version before it moved to its present one: the pin that it goes back to
/// where the move fails.
fn may_return(app: &App, addon: &MiddlewareAddon) -> bool {
    let last = app.status.as_ref().and_then(|s| s.history.first());
    app.spec.plugin == addon.spec.plugin
        && last.is_some_and(|past| past.pin.plugin_version == addon.spec.version)
}

/// Whether the App asks for the version, and nobody has decided about that yet.
fn may_pin(app: &App, addon: &MiddlewareAddon) -> bool {
    let refused = |app: &App| {
        let conditions = app.status.iter().flat_map(|s| &s.conditions);
        conditions
            .into_iter()
            .any(|c| c.type_ == PIN_ACCEPTED && c.status == "False")
    };
    app.spec.plugin == addon.spec.plugin
        && app.spec.plugin_version == addon.spec.version
        && app.metadata.deletion_timestamp.is_none()
        && !refused(app)
}

async fn live_users(addon: &MiddlewareAddon, context: &Context) -> Result<Users, ObserveError> {
    let apps = Api::<App>::all(context.client.clone());
    let groups = Api::<Group>::all(context.client.clone());
    let everything = ListParams::default();
    let (apps, groups) = futures::try_join!(apps.list(&everything), groups.list(&everything))
        .map_err(|error| ObserveError::Users(Box::new(error)))?;
    let named = |wanted: &dyn Fn(&App) -> bool| -> BTreeSet<String> {
        let apps = apps.items.iter().filter(|app| wanted(app));
        apps.map(full_name).collect()
    };
    let mut now = named(&|app| pins(app, addon) || may_pin(app, addon));
    let by_it = groups.items.iter().filter(|group| {
        group.spec.plugin == addon.spec.plugin
            && group.spec.pin.plugin_version == addon.spec.version
    });
    now.extend(by_it.map(|group| {
        format!(
            "{}/{}",
            group.namespace().unwrap_or_default(),
            group.spec.app
        )
    }));
    let may_return = named(&|app| may_return(app, addon));
    let may_return = may_return.difference(&now).cloned().collect();
    Ok(Users { now, may_return })
}

fn full_name<K: kube::Resource<DynamicType = ()>>(object: &K) -> String {
    format!(
        "{}/{}",
        object.namespace().unwrap_or_default(),
        object.name_any()
    )
}
