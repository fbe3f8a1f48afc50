//! What the author is told while it happens: a line for each step, with the seconds since the save.

use super::Session;
use crate::output::{Paint, WIDTH, complaint, one_line, wrapped};
use api::Version;
use std::{
    io::Write as _,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// The column of what is told.
const COLUMN: usize = 10;

/// Where it is told.
pub(super) struct Voice {
    paint: Paint,
    since: Mutex<Instant>,
}

/// What kind of news it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// A step.
    Plain,
    /// What was hoped for.
    Good,
    /// What is refused, or in the way.
    Bad,
}

impl Voice {
    /// A voice in colours or not.
    pub(super) fn new(paint: Paint) -> Self {
        Self {
            paint,
            since: Mutex::new(Instant::now()),
        }
    }

    /// How findings look.
    pub(super) fn paint(&self) -> Paint {
        self.paint
    }

    /// What is watched.
    pub(super) fn greet(&self, session: &Session<'_>) {
        let (dir, app, namespace) = (session.dir.display(), &session.app, &session.namespace);
        let text = format!("watching {dir} for the App {app} in {namespace}; Ctrl-C ends it");
        self.raw(&wrapped(&text, WIDTH, "  "));
    }

    /// A state is there.
    pub(super) fn begin(&self) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.raw("\n");
    }

    /// One step.
    pub(super) fn say(&self, tone: Tone, text: &str) {
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = format!("{:6.1} s  ", since.elapsed().as_secs_f64());
        let text = wrapped(&one_line(text), WIDTH - COLUMN, &" ".repeat(COLUMN));
        let text = match tone {
            Tone::Plain => text,
            Tone::Good => self.paint.green(text.trim_end()) + "\n",
            Tone::Bad => self.paint.red(text.trim_end()) + "\n",
        };
        self.raw(&(seconds + &text));
    }

    /// Text that has its form.
    pub(super) fn raw(&self, text: &str) {
        let mut stdout = std::io::stdout();
        let _ = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
    }

    /// What went wrong on the way; the next save tries again.
    pub(super) fn error(&self, error: &anyhow::Error) {
        self.raw(&complaint(error, self.paint));
    }

    /// Nothing is to be done.
    pub(super) fn waiting(&self) {
        self.raw("waiting for the next save\n");
    }

    /// What stays, and how to go on.
    pub(super) fn farewell(&self, session: &Session<'_>, last: Option<&Version>) -> String {
        let (app, namespace) = (&session.app, &session.namespace);
        let stays = match last {
            Some(version) => format!("The App {app} in {namespace} stays on {version}."),
            None => format!("Nothing more is brought to the App {app} in {namespace}."),
        };
        let dir = session.dir.display();
        format!(
            "\n{stays}\n\
             To go on:       kubectl middleware addon dev {dir} --app {app} -n {namespace}{}\n\
             To look at it:  kubectl get mwapp {app} -n {namespace}{}\n",
            session.flags, session.flags
        )
    }
}
