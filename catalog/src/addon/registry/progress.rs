//! How far it is, in a line on a terminal that goes when it is done; elsewhere nothing is shown.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{self, IsTerminal as _, Read},
    time::Duration,
};
use transport::oci::Meter;

/// How often the line moves while nothing is heard.
const TICK: Duration = Duration::from_millis(100);

/// What says how many bytes of how many.
const BYTES: &str = "{wide_msg} [{bar:24}] {bytes}/{total_bytes}";

/// A line that says how far it is.
pub(in super::super) struct Progress(ProgressBar);

impl Progress {
    /// Something that takes a while, nobody knows how long.
    pub(in super::super) fn doing(what: &str) -> Self {
        Self::of(
            ProgressBar::new_spinner(),
            "{spinner} {wide_msg} {elapsed}",
            what,
        )
    }

    /// Something with `total` bytes.
    pub(in super::super) fn bytes(what: &str, total: u64) -> Self {
        Self::of(ProgressBar::new(total), BYTES, what)
    }

    /// Something with `total` steps.
    pub(in super::super) fn steps(what: &str, total: usize) -> Self {
        let template = "[{bar:16}] {pos}/{len} {wide_msg}";
        Self::of(ProgressBar::new(total as u64), template, what)
    }

    fn of(bar: ProgressBar, template: &str, what: &str) -> Self {
        // A terminal that cannot move its cursor is none here.
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let shown = io::stderr().is_terminal() && !dumb;
        bar.set_draw_target(match shown {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        });
        look_like(&bar, template);
        bar.set_message(what.to_owned());
        if shown {
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }

    /// What it does now.
    pub(in super::super) fn now(&self, what: String) {
        self.0.set_message(what);
    }

    /// One step more is done.
    pub(in super::super) fn step(&self) {
        self.0.inc(1);
    }

    /// What tells how many bytes of how many, as soon as that is known.
    pub(in super::super) fn meter(&self) -> Meter {
        let bar = self.0.clone();
        Meter::new(move |moved| {
            if bar.length().is_none() {
                look_like(&bar, BYTES);
            }
            bar.set_length(moved.total);
            bar.set_position(moved.bytes);
        })
    }

    /// What is read from `reader`, counted.
    pub(in super::super) fn of_reader<'r>(&self, reader: &'r mut dyn Read) -> impl Read + 'r {
        self.0.wrap_read(reader)
    }
}

fn look_like(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
