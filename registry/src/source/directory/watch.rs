//! Sees what is saved below the root of directories, and asks for a look at the sources that it is of:
//! a moment after the last write, so that a half-saved state is rarely taken.

use super::place;
use crate::{context::Context, watch::Change};
use futures::{
    StreamExt as _,
    channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
};
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};
use notify::{Event, EventKind, RecursiveMode, Watcher as _, event::AccessKind, event::AccessMode};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// How long nothing must be written before a state counts as saved.
const SETTLED: Duration = Duration::from_millis(150);
/// The longest that a state waits for that.
const LONGEST: Duration = Duration::from_millis(600);
/// Between attempts to watch what cannot be watched.
const PAUSE: Duration = Duration::from_secs(5);

/// Watches until the program ends, where directories are served.
pub(crate) async fn run(context: Arc<Context>, asking: UnboundedSender<Change>) {
    let Some(root) = context.settings.directories.clone() else {
        return std::future::pending().await;
    };
    loop {
        if let Err(error) = watch(&context, &root, &asking).await {
            tracing::warn!(root = %root.display(), %error, "directories are not watched; looks by interval go on");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn watch(
    context: &Context,
    root: &Path,
    asking: &UnboundedSender<Change>,
) -> Result<(), notify::Error> {
    let root = root.canonicalize().map_err(notify::Error::io)?;
    let (sender, mut changes) = unbounded();
    let mut watcher = notify::recommended_watcher(move |event| {
        let _ = sender.unbounded_send(event);
    })?;
    watcher.watch(&root, RecursiveMode::Recursive)?;
    tracing::info!(root = %root.display(), "watching directories");
    // What was saved before is looked at too.
    let mut settling = Settling::default();
    for (source, _) in sources(context, &root) {
        settling.changed(source, Instant::now());
    }
    loop {
        let next = next(&mut changes, settling.next()).await;
        let now = Instant::now();
        match next {
            Next::Changed(paths) => {
                for (source, place) in sources(context, &root) {
                    if paths.iter().any(|path| path.starts_with(&place)) {
                        settling.changed(source, now);
                    }
                }
                if paths.contains(&root) && !root.exists() {
                    return Err(notify::Error::path_not_found());
                }
            }
            Next::Settled => {}
            Next::Lost(error) => return Err(error),
        }
        for source in settling.settled(now) {
            context.memories.ask(&source);
            let asked = Change::Asked(ObjectRef::new(&source));
            // Nobody reads any more only when the program ends.
            let _ = asking.unbounded_send(asked);
        }
    }
}

/// The directory sources and where each lies.
fn sources(context: &Context, root: &Path) -> Vec<(String, PathBuf)> {
    let sources = context.caches.sources.state();
    let directories = sources.iter().filter_map(|source| {
        let directory = source.spec.directory.as_ref()?;
        let place = place(root, &directory.path).ok();
        // One that is not there yet may be what was just made.
        Some((source.name_any(), place.unwrap_or_else(|| root.to_owned())))
    });
    directories.collect()
}

enum Next {
    Changed(Vec<PathBuf>),
    Settled,
    Lost(notify::Error),
}

async fn next(
    changes: &mut UnboundedReceiver<notify::Result<Event>>,
    settled: Option<Instant>,
) -> Next {
    let settled = async {
        match settled {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = settled => Next::Settled,
        change = changes.next() => match change {
            Some(Ok(event)) if is_write(&event.kind) => {
                Next::Changed(event.paths.into_iter().filter(|path| is_visible(path)).collect())
            }
            Some(Ok(_)) => Next::Changed(Vec::new()),
            Some(Err(error)) => Next::Lost(error),
            None => Next::Lost(notify::Error::generic("the watch ended")),
        },
    }
}

/// Whether files may have other bytes after it: our own reading is an event as well.
fn is_write(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        EventKind::Modify(notify::event::ModifyKind::Metadata(_)) => false,
        _ => true,
    }
}

/// Whether no name in it begins with a dot: those are no part of an addon.
fn is_visible(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    !name.is_some_and(|name| name.starts_with('.'))
}

/// The sources in which something was written, and when the writing began and was seen last.
#[derive(Default)]
struct Settling(HashMap<String, (Instant, Instant)>);

impl Settling {
    fn changed(&mut self, source: String, now: Instant) {
        self.0.entry(source).or_insert((now, now)).1 = now;
    }

    fn due((first, last): &(Instant, Instant)) -> Instant {
        (*last + SETTLED).min(*first + LONGEST)
    }

    /// When the next of them is settled.
    fn next(&self) -> Option<Instant> {
        self.0.values().map(Self::due).min()
    }

    /// Those that are settled; they are not told again.
    fn settled(&mut self, now: Instant) -> Vec<String> {
        let is_due = |times: &(Instant, Instant)| Self::due(times) <= now;
        self.0
            .extract_if(|_, times| is_due(times))
            .map(|(source, _)| source)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_taken_a_moment_after_the_last_write_and_not_never() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut settling = Settling::default();
        settling.changed("a".to_owned(), at(0));
        settling.changed("a".to_owned(), at(100));
        assert_eq!(settling.next(), Some(at(250)));
        assert!(settling.settled(at(249)).is_empty());
        assert_eq!(settling.settled(at(250)), ["a"]);
        assert_eq!(settling.next(), None);
        for millis in (300..2000).step_by(100) {
            settling.changed("a".to_owned(), at(millis));
        }
        assert_eq!(settling.settled(at(900)), ["a"], "it is never quiet");
    }

    #[test]
    fn what_is_only_read_is_no_change() {
        use notify::event::{CreateKind, MetadataKind, ModifyKind};
        assert!(!is_write(&EventKind::Access(AccessKind::Open(
            AccessMode::Any
        ))));
        assert!(!is_write(&EventKind::Modify(ModifyKind::Metadata(
            MetadataKind::Any
        ))));
        assert!(is_write(&EventKind::Access(AccessKind::Close(
            AccessMode::Write
        ))));
        assert!(is_write(&EventKind::Create(CreateKind::Any)));
        assert!(!is_visible(Path::new("/a/.addon.yaml.swp")));
    }
}
