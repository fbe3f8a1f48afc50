//! The terminal and the cluster: the one part of the browser that touches something.
//!
//! In: keys, signals, answers. Out: events for [`update`], the screen of [`draw`]. Nothing here waits
//! for the cluster: what is asked runs beside, and its answer is an event.

mod follow;

use super::{
    draw::{draw, look::Look},
    filled,
    state::State,
    update::{Event, Load, update},
    view::{Id, Part},
};
use crate::{
    addon::evaluator::evaluator,
    args::{self, BrowseArgs},
    catalog::{
        content,
        model::{self, AddonVersion},
    },
    cluster::Cluster,
    output::Outcome,
};
use anyhow::{Context as _, bail};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ratatui::{DefaultTerminal, crossterm};
use std::{
    io::{IsTerminal as _, Write as _},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Semaphore, mpsc},
    task::{JoinHandle, LocalSet, spawn_local},
};

/// How many answers may be under way at once: a slow link is not for this alone.
const AT_ONCE: usize = 4;
/// How many events may wait; more keys wait in the terminal.
const WAITING: usize = 256;

/// Browses until the person leaves; prints the manifest that was taken last.
///
/// # Errors
/// There is no terminal, or nothing says which cluster.
pub(crate) fn run(args: &BrowseArgs) -> anyhow::Result<Outcome> {
    can_draw()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // What follows the catalog stays in this thread.
    let local = LocalSet::new();
    let ended = local.block_on(&runtime, async {
        let cluster = Cluster::connect(&args.cluster).await?;
        let (events, inbox) = mpsc::channel(WAITING);
        let outside = Outside::new(cluster, events);
        outside.signals()?;
        let mut terminal = ratatui::try_init().context("preparing the terminal")?;
        end_on_panic();
        outside.keys();
        let ended = browse(&mut terminal, outside, inbox, first(args)).await;
        let restored = ratatui::try_restore().context("restoring the terminal");
        ended.and_then(|taken| restored.map(|()| taken))
    });
    drop(local);
    // What is still asked or computed is nobody's any more.
    runtime.shutdown_background();
    Ok(Outcome::clean(ended?.unwrap_or_default()))
}

/// The state before anything is known.
fn first(args: &BrowseArgs) -> State {
    State {
        look: Look {
            colours: args::colours(),
            unicode: args::unicode(),
        },
        query: args.terms.join(" "),
        ..State::default()
    }
}

/// # Errors
/// Nobody could see it, or press a key.
fn can_draw() -> anyhow::Result<()> {
    let plain =
        "`kubectl middleware catalog list` and `catalog show PLUGIN` say the same in plain text";
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        bail!("`catalog browse` is for a terminal, and this is none; {plain}");
    }
    if args::terminal().is_none() {
        bail!(
            "`catalog browse` needs a terminal that can move its cursor, and TERM says that this one \
             cannot (it is empty or `dumb`); {plain}"
        );
    }
    Ok(())
}

/// A panic anywhere ends the program: the hook before this one has restored the terminal, and what
/// is drawn after it would stay there.
fn end_on_panic() {
    let restore_and_tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore_and_tell(panic);
        std::process::exit(101);
    }));
}

/// The manifest that was taken last.
async fn browse(
    terminal: &mut DefaultTerminal,
    mut outside: Outside,
    mut inbox: mpsc::Receiver<Event>,
    mut state: State,
) -> anyhow::Result<Option<String>> {
    let size = terminal.size()?;
    state.size = (size.width, size.height);
    state.place = outside.cluster.server.clone();
    outside.follow();
    while !state.over {
        terminal
            .draw(|frame| draw(&state, frame))
            .context("drawing")?;
        let Some(event) = inbox.recv().await else {
            break;
        };
        let mut next = Some(event);
        // Everything that waits is one new screen.
        while let Some(event) = next {
            let taken = state.taken.clone();
            let (after, loads) = update(state, event);
            state = after;
            if state.taken != taken {
                clipboard(state.taken.as_deref().unwrap_or_default());
            }
            loads.into_iter().for_each(|load| outside.load(load));
            next = inbox.try_recv().ok();
        }
    }
    Ok(state.taken)
}

/// Gives `text` to the clipboard of the terminal, where it has one (OSC 52); over SSH too.
fn clipboard(text: &str) {
    let mut stdout = std::io::stdout();
    let text = BASE64_STANDARD.encode(text);
    let _ = write!(stdout, "\u{1b}]52;c;{text}\u{7}").and_then(|()| stdout.flush());
}

/// What asks the cluster, and where its answers go.
struct Outside {
    cluster: Cluster,
    events: mpsc::Sender<Event>,
    /// The catalog as it was seen last.
    seen: Arc<Mutex<Arc<model::Catalog>>>,
    permits: Arc<Semaphore>,
    following: Option<JoinHandle<()>>,
}

impl Outside {
    fn new(cluster: Cluster, events: mpsc::Sender<Event>) -> Self {
        Self {
            cluster,
            events,
            seen: Arc::default(),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            following: None,
        }
    }

    /// A thread that waits for keys; it ends with the process.
    fn keys(&self) {
        let events = self.events.clone();
        std::thread::spawn(move || {
            while let Ok(read) = crossterm::event::read() {
                let event = match read {
                    crossterm::event::Event::Key(key) => Event::Key(key),
                    crossterm::event::Event::Resize(width, height) => Event::Size(width, height),
                    _ => continue,
                };
                if events.blocking_send(event).is_err() {
                    break;
                }
            }
        });
    }

    /// Whoever ends the program from outside finds the terminal as it was.
    fn signals(&self) -> anyhow::Result<()> {
        for kind in [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ] {
            let (mut signals, events) = (signal(kind)?, self.events.clone());
            tokio::spawn(async move {
                signals.recv().await;
                let _ = events.send(Event::End).await;
            });
        }
        Ok(())
    }

    /// Follows the catalog from now on, from its beginning.
    fn follow(&mut self) {
        if let Some(before) = self.following.take() {
            before.abort();
        }
        let (cluster, events, seen) =
            (self.cluster.clone(), self.events.clone(), self.seen.clone());
        let following = follow::follow(cluster, seen, events);
        self.following = Some(spawn_local(following));
    }

    /// Begins what `load` asks for.
    fn load(&mut self, load: Load) {
        let id = match &load {
            Load::Catalog => return self.follow(),
            Load::Root(id) | Load::Parameters(id) | Load::Ways(id) => id.clone(),
        };
        let seen = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let (cluster, events) = (self.cluster.clone(), self.events.clone());
        let permits = self.permits.clone();
        spawn_local(async move {
            let _permit = permits.acquire_owned().await;
            let _ = events.send(answer(load, id, &cluster, &seen).await).await;
        });
    }
}

/// The event that answers `load`.
async fn answer(load: Load, id: Id, cluster: &Cluster, seen: &model::Catalog) -> Event {
    let find = || {
        let plugin = seen.plugin(&id.plugin)?;
        let version = plugin
            .versions
            .iter()
            .find(|v| v.version.to_string() == id.version)?;
        Some((plugin, version))
    };
    let gone = || "it is not in the catalog any more".to_owned();
    match (load, find()) {
        (Load::Parameters(_), Some((_, version))) => {
            let part = part(parameters(cluster, version).await);
            Event::Parameters(id, part)
        }
        (Load::Parameters(_), None) => Event::Parameters(id, Part::Absent(gone())),
        (Load::Ways(_), Some((plugin, version))) => {
            let ways = filled::ways(plugin, version);
            Event::Ways(id, Part::Ready(ways))
        }
        (Load::Ways(_), None) => Event::Ways(id, Part::Absent(gone())),
        (_, Some((_, version))) => {
            let root = content::root(cluster, version).await;
            let root = root.map(|package| filled::root(&package));
            Event::Root(id, part(root.map_err(Into::into)))
        }
        (_, None) => Event::Root(id, Part::Absent(gone())),
    }
}

async fn parameters(
    cluster: &Cluster,
    version: &AddonVersion,
) -> anyhow::Result<super::view::Parameters> {
    let package = content::package(cluster, version).await?;
    let runtimes = package.manifest.runtime_versions();
    let runtime = runtimes.into_iter().next().context("it runs nothing")?;
    let described = tokio::task::spawn_blocking(move || {
        let said = content::parameters(&package, &runtime, evaluator())?;
        anyhow::Ok(filled::parameters(&runtime, &said))
    });
    described.await?
}

fn part<T>(loaded: anyhow::Result<T>) -> Part<T> {
    match loaded {
        Ok(value) => Part::Ready(value),
        Err(error) => Part::Absent(format!("{error:#}")),
    }
}
