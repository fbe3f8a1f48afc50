//! The author's App: whether it may be moved, how, and until it is Ready.

use super::{
    Ended, Session,
    progress::{self, Seen},
    saved::Saved,
    voice::Tone,
};
use anyhow::bail;
use api::{
    App, Version,
    conditions::{Condition, PIN_ACCEPTED, READY},
    labels,
};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt as _,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// Between two looks at the App and its pods.
const LOOK: Duration = Duration::from_millis(400);
/// On an App that GitOps tools write, as label or annotation.
const GITOPS: [&str; 5] = [
    "kustomize.toolkit.fluxcd.io/name",
    "helm.toolkit.fluxcd.io/name",
    "argocd.argoproj.io/instance",
    "argocd.argoproj.io/tracking-id",
    "middleware.io/managed-by",
];

impl Session<'_> {
    /// Before anything is published: the App is there, or may be made.
    ///
    /// # Errors
    /// It is not, or it is not this person's to move.
    pub(super) async fn exists(&self) -> anyhow::Result<()> {
        match self.found().await? {
            Some(app) => self.is_free(&app),
            None if self.create => Ok(()),
            None => bail!(
                "there is no App `{}` in {}; --create makes one, -n names another namespace, and \
                 `kubectl get mwapp -A` lists those that there are",
                self.app,
                self.namespace
            ),
        }
    }

    /// The App as it is, which may be moved to versions of the saved plugin.
    pub(super) async fn fits(&self, saved: &Saved) -> anyhow::Result<Option<App>> {
        let app = self.found().await?;
        let Some(app) = app else {
            self.exists().await?;
            return Ok(None);
        };
        self.is_free(&app)?;
        let plugin = &saved.package.manifest.name;
        if app.spec.plugin != *plugin {
            bail!(
                "the App `{}` in {} is one of {}, and {} is {plugin}; name another with --app",
                self.app,
                self.namespace,
                app.spec.plugin,
                self.dir.display()
            );
        }
        Ok(Some(app))
    }

    /// Moves the App to the version, or makes it, and tells what happens until it is Ready.
    pub(super) async fn bring_to_app(
        &self,
        saved: &Saved,
        version: &Version,
        before: Option<App>,
    ) -> anyhow::Result<Ended> {
        let (name, start) = (&self.app, self.seen(before.as_ref()).await?);
        match &before {
            None => {
                self.make(saved, version).await?;
                self.voice
                    .say(Tone::Plain, &format!("created the App {name} on {version}"));
            }
            Some(app) if app.spec.plugin_version == *version => {}
            Some(app) => {
                self.move_to(version).await?;
                let from = &app.spec.plugin_version;
                self.voice.say(
                    Tone::Plain,
                    &format!("moved {name} from {from} to {version}"),
                );
            }
        }
        self.follow(version, start).await
    }

    async fn follow(&self, version: &Version, start: Seen) -> anyhow::Result<Ended> {
        let mut seen = start.clone();
        loop {
            let Some(app) = self.found().await? else {
                bail!("somebody deleted the App `{}`", self.app);
            };
            let now = self.seen(Some(&app)).await?;
            for (tone, line) in progress::changes(&seen, &now) {
                self.voice.say(tone, &line);
            }
            seen = now;
            if let Some(refused) = refused(&app) {
                self.voice.say(
                    Tone::Bad,
                    &format!("{}: {}", refused.reason, refused.message),
                );
                let text = format!("the App refuses {version} and stays as it was");
                self.voice.say(Tone::Bad, &text);
                self.hint(&app, version);
                return Ok(Ended::Refused);
            }
            if app.spec.plugin_version != *version {
                let other = &app.spec.plugin_version;
                bail!("somebody moved the App to {other} meanwhile; save again to move it back");
            }
            if is_ready_on(&app, version) {
                *self.last.borrow_mut() = Some(version.clone());
                let pods = progress::summary(&start, &seen);
                let text = format!("{} is Ready on {version}; {pods}", self.app);
                self.voice.say(Tone::Good, &text);
                return Ok(Ended::Ready);
            }
            if app.spec.suspend {
                self.voice.say(
                    Tone::Bad,
                    "the App is suspended: nothing moves until it is not",
                );
                return Ok(Ended::Refused);
            }
            sleep(LOOK).await;
        }
    }

    /// How a version that the App refuses could be had.
    fn hint(&self, app: &App, version: &Version) {
        let pinned = app.status.as_ref().and_then(|status| status.pin.as_ref());
        if let Some(pin) = pinned {
            let text = format!(
                "it runs {}: list that in upgradeFrom of addon.yaml, under a newer version if it is \
                 the same one; or use another App with --app NAME --create, not {version} here",
                pin.plugin_version
            );
            self.voice.say(Tone::Plain, &text);
        }
    }

    async fn found(&self) -> anyhow::Result<Option<App>> {
        let app = self.apps().get_opt(&self.app).await;
        Ok(app.map_err(|e| self.cluster.error(e))?)
    }

    fn apps(&self) -> Api<App> {
        Api::namespaced(self.cluster.client.clone(), &self.namespace)
    }

    /// # Errors
    /// A GitOps tool writes it: what is moved here it would move back.
    fn is_free(&self, app: &App) -> anyhow::Result<()> {
        let (labels, annotations) = (app.labels(), app.annotations());
        let has = |key: &&&str| labels.contains_key(**key) || annotations.contains_key(**key);
        match GITOPS.iter().find(has) {
            None => Ok(()),
            Some(key) => bail!(
                "the App `{}` in {} is written by a GitOps tool ({key}), which would move it back; \
                 use an App of your own: --app NAME --create",
                self.app,
                self.namespace
            ),
        }
    }

    async fn make(&self, saved: &Saved, version: &Version) -> anyhow::Result<()> {
        let manifest = &saved.package.manifest;
        let topologies = manifest.topology_names();
        let mut spec = json!({"plugin": manifest.name, "pluginVersion": version});
        if let ([first, _, ..], Some(spec)) = (topologies.as_slice(), spec.as_object_mut()) {
            spec.insert("topology".to_owned(), json!(first));
        }
        let app: App =
            serde_json::from_value(json!({"metadata": {"name": self.app}, "spec": spec}))?;
        let params = PostParams {
            field_manager: Some(labels::manager::DEV.to_owned()),
            ..PostParams::default()
        };
        let made = self.apps().create(&params, &app).await;
        made.map_err(|e| self.cluster.error(e))?;
        Ok(())
    }

    async fn move_to(&self, version: &Version) -> anyhow::Result<()> {
        let params = PatchParams {
            field_manager: Some(labels::manager::DEV.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(json!({"spec": {"pluginVersion": version}}));
        let moved = self.apps().patch(&self.app, &params, &patch).await;
        moved.map_err(|e| self.cluster.error(e))?;
        Ok(())
    }

    /// What can be seen of the App and its pods now.
    async fn seen(&self, app: Option<&App>) -> anyhow::Result<Seen> {
        let Some(app) = app else {
            return Ok(Seen::default());
        };
        let pods = Api::<Pod>::namespaced(self.cluster.client.clone(), &self.namespace);
        let of_app = ListParams::default().labels(&format!("{}={}", labels::APP, self.app));
        let pods = match self.cluster.list(&pods, of_app).await {
            Ok(pods) => pods,
            Err(error) if error.hidden().is_some() => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(Seen::of(app, &pods))
    }
}

/// Why the App refuses what its spec asks for now.
fn refused(app: &App) -> Option<&Condition> {
    let conditions = &app.status.as_ref()?.conditions;
    let accepted = conditions.iter().find(|c| c.type_ == PIN_ACCEPTED)?;
    let is_new = accepted.observed_generation == app.metadata.generation;
    (is_new && accepted.status == "False").then_some(accepted)
}

fn is_ready_on(app: &App, version: &Version) -> bool {
    let Some(status) = &app.status else {
        return false;
    };
    let pinned = status
        .pin
        .as_ref()
        .is_some_and(|pin| pin.plugin_version == *version);
    let ready = status.conditions.iter().find(|c| c.type_ == READY);
    let is_new = status.observed_generation == app.metadata.generation;
    pinned
        && is_new
        && ready
            .is_some_and(|c| c.status == "True" && c.observed_generation == app.metadata.generation)
}
