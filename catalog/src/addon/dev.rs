//! `addon dev`: each saved state of an addon is published as a pre-release of its own, and the author's
//! App is moved to it, with the author's own rights.
//!
//! In: a directory, and an App in a cluster. Out: lines that tell what happens, until Ctrl-C. A state
//! that is refused, by the checks or by the cluster, is told and left; the next one is tried.

mod app;
mod ledger;
mod objects;
mod progress;
mod prune;
mod publish;
mod saved;
mod voice;
mod watch;

use crate::{
    args::DevArgs,
    cluster::Cluster,
    output::{Outcome, Paint, Verdict},
};
use api::Version;
use saved::Saved;
use std::{cell::RefCell, path::Path};
use tokio::signal::unix::{SignalKind, signal};
use voice::Voice;
use watch::Saves;

/// What the author works on.
struct Session<'a> {
    cluster: Cluster,
    /// The addon.
    dir: &'a Path,
    /// The App.
    app: String,
    /// Its namespace.
    namespace: String,
    /// Whether the App is made where it is not there.
    create: bool,
    /// The flags that say which cluster it is, each with a blank before it.
    flags: String,
    /// The version on which the App was Ready last.
    last: RefCell<Option<Version>>,
    voice: Voice,
}

/// How a saved state ended.
enum Ended {
    /// The App is Ready on it.
    Ready,
    /// It was refused, and that was told.
    Refused,
}

/// Watches until Ctrl-C.
///
/// # Errors
/// The cluster cannot be asked, or the directory cannot be watched.
pub(super) fn run(args: &DevArgs) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(work(args));
    // A check that is under way is nobody's any more.
    runtime.shutdown_background();
    outcome
}

async fn work(args: &DevArgs) -> anyhow::Result<Outcome> {
    // Before anything is made: what cannot be read is no addon.
    super::read::tree(&args.dir)?.ok();
    let cluster = Cluster::connect(&args.cluster).await?;
    let namespace = cluster.only.clone().unwrap_or(cluster.namespace.clone());
    let session = Session {
        cluster,
        dir: &args.dir,
        app: args.app.to_string(),
        namespace,
        create: args.create,
        flags: flags(args),
        last: RefCell::default(),
        voice: Voice::new(Paint::of(&std::io::stdout())),
    };
    session.exists().await?;
    match args.once {
        true => session.once().await,
        false => session.watch().await,
    }
}

impl Session<'_> {
    async fn once(&self) -> anyhow::Result<Outcome> {
        let ended = tokio::select! {
            ended = self.bring() => ended?,
            () = stopped()? => Ended::Refused,
        };
        let verdict = match ended {
            Ended::Ready => Verdict::Clean,
            Ended::Refused => Verdict::Findings,
        };
        Ok(Outcome {
            text: String::new(),
            verdict,
        })
    }

    async fn watch(&self) -> anyhow::Result<Outcome> {
        let mut saves = Saves::of(self.dir)?;
        let mut stop = Box::pin(stopped()?);
        self.voice.greet(self);
        loop {
            tokio::select! {
                () = &mut stop => break,
                // The newest state alone matters: one that comes in between ends the work on this.
                () = saves.next() => {}
                ended = self.bring() => {
                    if let Err(error) = ended {
                        self.voice.error(&error);
                    }
                    self.voice.waiting();
                    tokio::select! {
                        () = &mut stop => break,
                        () = saves.next() => {}
                    }
                }
            }
        }
        Ok(Outcome::clean(
            self.voice.farewell(self, self.last.borrow().as_ref()),
        ))
    }

    /// Brings the state that is there now to the App.
    async fn bring(&self) -> anyhow::Result<Ended> {
        self.voice.begin();
        let Some(saved) = Saved::read(self.dir, &self.voice).await? else {
            return Ok(Ended::Refused);
        };
        let before = self.fits(&saved).await?;
        let Some(version) = self.publish(&saved).await? else {
            return Ok(Ended::Refused);
        };
        let ended = self.bring_to_app(&saved, &version, before).await?;
        self.prune(&saved, &version).await;
        Ok(ended)
    }
}

/// What kubectl and this command must be told to be at the same cluster.
fn flags(args: &DevArgs) -> String {
    let cluster = &args.cluster;
    let kubeconfig = cluster.kubeconfig.as_ref();
    let kubeconfig = kubeconfig.map(|path| format!(" --kubeconfig {}", path.display()));
    let context = cluster
        .context
        .as_ref()
        .map(|name| format!(" --context {name}"));
    [kubeconfig, context].into_iter().flatten().collect()
}

/// Resolves at Ctrl-C, and when the session is ended from outside.
fn stopped() -> anyhow::Result<impl Future<Output = ()>> {
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let [mut a, mut b, mut c] = [signal(kinds[0])?, signal(kinds[1])?, signal(kinds[2])?];
    Ok(async move {
        tokio::select! {
            _ = a.recv() => {}
            _ = b.recv() => {}
            _ = c.recv() => {}
        }
    })
}
