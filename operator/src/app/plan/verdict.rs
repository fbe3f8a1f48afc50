//! What is said of an App.

use crate::app::phase::Rollup;
use api::{
    conditions::{DELETION_HELD, PIN_ACCEPTED, READY, RECONCILING, STALLED, Said},
    crd::app::{AppComponentStatus, AppPhase, AppReason as Reason, Pin},
};
use serde::Serialize;

/// What is said of an App.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// Where it stands.
    pub phase: AppPhase,
    /// What it is bound to from now on.
    pub pin: Option<Pin>,
    /// What it was bound to until now, where that is another pin.
    pub left: Option<Pin>,
    /// Why it stands there.
    pub reason: &'static str,
    /// The same for people.
    pub message: String,
    /// Whether what it asks for was accepted; `None` where nobody looked.
    pub accepted: Option<Accepted>,
    /// Deletion waits, and why.
    pub held: Option<String>,
    /// Each component.
    pub components: Vec<AppComponentStatus>,
    /// Ready and wanted members.
    pub members: String,
}

/// Whether what an App asks for was accepted.
#[derive(Clone, Debug, Serialize)]
pub struct Accepted {
    /// Whether it was; `None` where there is no verdict yet.
    pub yes: Option<bool>,
    /// Why, in one word.
    pub reason: &'static str,
    /// Why, in full, with what would be accepted.
    pub message: String,
}

impl Verdict {
    /// The conditions.
    pub fn said(&self) -> Vec<Said> {
        let (reason, message) = (self.reason, self.message.as_str());
        let mut said = match self.phase {
            AppPhase::Running => vec![Said::yes(READY, reason, message)],
            AppPhase::Failed => {
                vec![
                    Said::no(READY, reason, message),
                    Said::yes(STALLED, reason, message),
                ]
            }
            AppPhase::Pending if self.accepted.as_ref().is_some_and(|a| a.yes == Some(false)) => {
                vec![
                    Said::no(READY, reason, message),
                    Said::yes(STALLED, reason, message),
                ]
            }
            _ => vec![
                Said::no(READY, reason, message),
                Said::yes(RECONCILING, reason, message),
            ],
        };
        if let Some(Accepted {
            yes,
            reason,
            message,
        }) = &self.accepted
        {
            said.push(Said {
                type_: PIN_ACCEPTED,
                status: *yes,
                reason,
                message: message.clone(),
            });
        }
        if let Some(why) = &self.held {
            said.push(Said::yes(DELETION_HELD, Reason::Protected.as_str(), why));
        }
        said
    }
}

pub(super) fn verdict(phase: AppPhase, pin: Option<Pin>, rollup: Rollup) -> Verdict {
    let members = format!("{}/{}", rollup.ready, rollup.wanted);
    let ready = format!("{} of {} members are ready", rollup.ready, rollup.wanted);
    Verdict {
        reason: reason(phase).as_str(),
        message: match rollup.message.as_str() {
            "" => ready,
            worst => format!("{ready}; {worst}"),
        },
        phase,
        pin,
        left: None,
        accepted: None,
        held: None,
        components: rollup.components,
        members,
    }
}

pub(super) fn reason(phase: AppPhase) -> Reason {
    match phase {
        AppPhase::Pending | AppPhase::Creating => Reason::Creating,
        AppPhase::Running => Reason::Running,
        AppPhase::Updating => Reason::Updating,
        AppPhase::Upgrading => Reason::Upgrading,
        AppPhase::Degraded => Reason::Degraded,
        AppPhase::Failed => Reason::Failed,
        AppPhase::Deleting => Reason::Deleting,
    }
}
