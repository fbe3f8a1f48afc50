//! What the registry does about a source, told while it happens, and `source sync`.
//!
//! In: changes of one AddonSource, as the API server sends them. Out: a line on stderr for each change
//! of what is said, until the registry is done or a person is needed.

use super::{
    all, one,
    show::{self, Report},
    standing::{self, Standing},
    writing,
};
use crate::{
    args::{Output, SyncArgs},
    cluster::{self, Cluster, ClusterError},
    output::{self, Interrupted, Outcome, Paint, one_line},
    table::{Tone, brief, hanging},
};
use anyhow::{anyhow, bail};
use api::{AddonSource, labels};
use futures::StreamExt as _;
use jiff::Timestamp;
use kube::{
    api::Patch,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, watch_object},
    },
};
use serde_json::json;
use std::{
    io::Write as _,
    pin::pin,
    time::{Duration, Instant},
};

/// After which time without a word it is said that there is none.
const SILENCE: Duration = Duration::from_secs(10);
/// What stands before what is said: seconds.
const LEAD: &str = "          ";

/// How a wait ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The registry is done, or a person is needed.
    Done(Box<AddonSource>),
    /// The time was over.
    Overdue(Option<Box<AddonSource>>),
}

/// `source sync`: asks for a look now, and shows how it goes.
///
/// # Errors
/// There is no such source, it is suspended, or the cluster refuses.
pub(super) fn sync(args: &SyncArgs) -> anyhow::Result<Outcome> {
    let report = cluster::wait(async {
        let cluster = Cluster::connect(&args.cluster).await?;
        let source = one(&cluster, &args.name).await?;
        if source.spec.suspend {
            bail!(
                "{0} is suspended, and nobody looks at it; `kubectl middleware source resume {0}` \
                 ends that",
                args.name
            );
        }
        let asked = ask(&cluster, &args.name).await?;
        if args.no_wait {
            return not_waited(&cluster, &args.name, args.output.output).await;
        }
        let ended = follow(&cluster, &args.name, Some(&asked), args.wait.wait).await?;
        Ok(Some(concluded(&cluster, &args.name, ended).await?))
    })?;
    match report {
        Some(report) => output::show(&report, args.output.output),
        None => Ok(Outcome::clean(format!(
            "{}: a look was asked for\n",
            args.name
        ))),
    }
}

/// Asks for a look now; what the registry repeats when it was taken.
///
/// # Errors
/// The cluster refuses.
pub(super) async fn ask(cluster: &Cluster, name: &str) -> Result<String, ClusterError> {
    let now = Timestamp::now().to_string();
    let annotation = json!({"metadata": {"annotations": {labels::RECONCILE_REQUESTED_AT: now}}});
    let patched = all(cluster)
        .patch(name, &writing(), &Patch::Merge(annotation))
        .await;
    patched.map_err(|error| cluster.error(error))?;
    Ok(now)
}

/// What a program is told that did not want to wait; people are told by a line.
///
/// # Errors
/// The source is gone, or cannot be shown.
pub(super) async fn not_waited(
    cluster: &Cluster,
    name: &str,
    output: Output,
) -> anyhow::Result<Option<Report>> {
    if output == Output::Text {
        return Ok(None);
    }
    let source = one(cluster, name).await?;
    Ok(Some(show::report(cluster, source).await?.after_asking()))
}

/// What there is to say of the source after `ended`.
///
/// # Errors
/// It is gone, or cannot be shown.
pub(super) async fn concluded(
    cluster: &Cluster,
    name: &str,
    ended: Ended,
) -> anyhow::Result<Report> {
    let is_overdue = matches!(ended, Ended::Overdue(_));
    let source = match ended {
        Ended::Done(source) | Ended::Overdue(Some(source)) => *source,
        Ended::Overdue(None) => one(cluster, name).await?,
    };
    let report = show::report(cluster, source).await?.after_waiting();
    Ok(match is_overdue {
        true => report.overdue(&cluster.platform),
        false => report,
    })
}

/// Tells on stderr what changes of the source, until it is done with the request `asked`.
///
/// # Errors
/// The source is deleted meanwhile, or may not be watched; or the person has seen enough.
pub(super) async fn follow(
    cluster: &Cluster,
    name: &str,
    asked: Option<&str>,
    patience: Duration,
) -> anyhow::Result<Ended> {
    let mut telling = Telling::new();
    let mut last = None;
    let mut changes = pin!(watch_object(all(cluster), name).default_backoff());
    let overdue = tokio::time::sleep(patience);
    let mut overdue = pin!(overdue);
    let mut silence = pin!(tokio::time::sleep(SILENCE));
    let mut interrupt = pin!(tokio::signal::ctrl_c());
    let mut spoke = false;
    loop {
        let change = tokio::select! {
            change = changes.next() => change,
            _ = &mut interrupt => {
                let words = "the registry goes on without being watched; `kubectl middleware source \
                             show";
                return Err(Interrupted(format!("{words} {name}` says how it is")).into());
            }
            () = &mut silence, if !spoke => {
                telling.silence(&cluster.platform);
                spoke = true;
                continue;
            }
            () = &mut overdue => {
                telling.overdue(patience);
                return Ok(Ended::Overdue(last));
            }
        };
        let source = match change {
            Some(Ok(Some(source))) => source,
            Some(Ok(None)) => bail!("the source `{name}` was deleted meanwhile"),
            Some(Err(error)) => {
                transient(cluster, error)?;
                continue;
            }
            None => bail!("the cluster ended the watch of `{name}`"),
        };
        let standing = match standing::answered(&source, asked) {
            true => standing::of(&source),
            false => Standing::NotLooked,
        };
        if standing != Standing::NotLooked {
            spoke = true;
            telling.say(standing, &source);
        }
        match standing {
            Standing::NotLooked | Standing::AtWork => last = Some(Box::new(source)),
            _ => return Ok(Ended::Done(Box::new(source))),
        }
    }
}

/// What a watch that fails means: it is begun again, unless it is not allowed.
fn transient(cluster: &Cluster, error: watcher::Error) -> anyhow::Result<()> {
    use watcher::Error as E;
    let (E::InitialListFailed(error) | E::WatchStartFailed(error)) = error else {
        return Ok(());
    };
    match cluster.error(error) {
        error @ (ClusterError::Forbidden { .. } | ClusterError::Unauthorized { .. }) => {
            Err(anyhow!(error).context("it was asked for, and how it goes cannot be shown"))
        }
        _ => Ok(()),
    }
}

/// Lines on stderr, each once.
struct Telling {
    since: Instant,
    paint: Paint,
    last: Option<(Standing, String)>,
}

impl Telling {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            paint: Paint::of(&std::io::stderr()),
            last: None,
        }
    }

    fn say(&mut self, standing: Standing, source: &AddonSource) {
        let message = standing::ready(source).map(|c| c.message.clone());
        let said = (standing, message.unwrap_or_default());
        if self.last.as_ref() == Some(&said) {
            return;
        }
        self.line(standing.text(), Tone::of_state(standing.text()), &said.1);
        self.last = Some(said);
    }

    fn silence(&self, platform: &str) {
        let words = format!(
            "the registry said nothing yet; is it running? `kubectl -n {platform} get pods`"
        );
        self.line("Waiting", Tone::Look, &words);
    }

    fn overdue(&self, patience: Duration) {
        let words = format!(
            "not done after {} s; the registry goes on without being watched",
            patience.as_secs()
        );
        self.line("Waiting", Tone::Look, &words);
    }

    fn line(&self, head: &str, tone: Tone, words: &str) {
        let seconds = self.since.elapsed().as_secs_f32();
        let line = format!("{head} {}", one_line(words));
        let line = match self.paint.on_terminal() {
            true => hanging(&brief(&line), LEAD),
            false => line + "\n",
        };
        let line = line.replacen(head, &tone.paint(head, self.paint), 1);
        // Whoever does not read along misses nothing: the answer says it too.
        let _ = write!(std::io::stderr(), "{seconds:>6.1} s  {line}");
    }
}
