//! Actions: each a command that is there, or a signal that is known.

use super::Rules;
use crate::{
    check::{document::Node, one_of},
    duration,
    manifest::{Action, Component, SIGNALS},
};
use api::agent::{ActionPlace, PREPARE};

/// The most actions of a component.
const MAX_ACTIONS: usize = 32;
/// The name that the probe has in the agent's table.
const PROBE: &str = "probe";

impl Rules<'_> {
    pub(super) fn actions(&mut self, map: &Node, component: &Component) {
        self.at_most(map, "actions", component.actions.len(), MAX_ACTIONS);
        for (name, action) in &component.actions {
            let at = map.key(name);
            if name.as_str() == PROBE {
                self.refuse(
                    at,
                    "`probe` is a field of the component, `components.<name>.probe`",
                );
            }
            if name.as_str() == PREPARE {
                self.prepare(at, action);
            }
            self.action(at, action);
        }
    }

    fn action(&mut self, at: &Node, action: &Action) {
        let no_command = action.command.first().is_none_or(String::is_empty);
        match (&action.signal, no_command) {
            (None, true) => self.refuse(
                at,
                "the action does nothing: want `command`, the program and its arguments, or `signal`",
            ),
            (Some(_), false) => self.refuse(
                at.key("signal"),
                "want either `command` or `signal`, not both",
            ),
            _ => {}
        }
        self.scripts(at.key("command"), &action.command);
        if let Some(signal) = &action.signal {
            self.signal(at, signal, action.place);
        }
        self.require(at.key("timeout"), duration::parse(&action.timeout));
    }

    fn signal(&mut self, at: &Node, signal: &str, place: ActionPlace) {
        if !SIGNALS.contains(&signal) {
            let message = format!("`{signal}` is no signal: {}", one_of(signal, &SIGNALS));
            self.refuse(at.key("signal"), message);
        }
        if place == ActionPlace::Sidecar {
            let message = "a signal goes to the middleware's process, which is not in the sidecar; \
                           leave `in` out";
            self.refuse(at.key("in"), message);
        }
    }

    fn prepare(&mut self, at: &Node, action: &Action) {
        if action.signal.is_some() {
            let message = "`prepare` runs before there is a process; want `command`, not `signal`";
            self.refuse(at.key("signal"), message);
        }
        if action.place == ActionPlace::Sidecar {
            let message = "`prepare` runs before the process, in its container; leave `in` out";
            self.refuse(at.key("in"), message);
        }
    }
}
