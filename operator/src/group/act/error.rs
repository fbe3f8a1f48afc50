//! Why something of a Group could not be done, and what follows from it.

use crate::{
    apply::ApplyError,
    error::{self, Consequence, Failure},
    group::build,
};
use std::time::Duration;

/// How often a name is tried again that somebody else has: its owner does not tell us when it goes.
const NAME_TAKEN: Duration = Duration::from_secs(15);

/// Something of a Group could not be made, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// Account, Role, binding or Service.
    #[error(transparent)]
    Support(#[from] ApplyError),
    /// The template is no pod.
    #[error(transparent)]
    Template(#[from] build::TemplateError),
    /// An object of that name is there and not of this Group.
    #[error("{kind} {name} exists and is not of this Group: delete or rename it")]
    NameTaken {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// An object of that name is still there from an earlier Group.
    #[error("{kind} {name} of an earlier Group is not gone yet")]
    Leftover {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The API server did not do it.
    #[error("{verb} {kind} {name} failed: {}", said(source))]
    Api {
        /// `create`, `read`, `patch` or `delete`.
        verb: &'static str,
        /// The kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// What it said.
        source: Box<kube::Error>,
    },
    /// The Group's status could not be written.
    #[error("writing the status failed: {}", said(.0))]
    Status(Box<kube::Error>),
}

impl ActError {
    /// Whether the cluster refused it, so that a person should know; anything else is tried again in
    /// silence.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Template(_) | Self::NameTaken { .. } => true,
            Self::Leftover { .. } | Self::Status(_) => false,
            Self::Support(ApplyError::NameTaken { .. }) => true,
            Self::Support(ApplyError::Write { source, .. }) | Self::Api { source, .. } => {
                matches!(&**source, kube::Error::Api(s) if matches!(s.code, 400 | 403 | 422))
            }
            Self::Support(_) => false,
        }
    }
}

impl Failure for ActError {
    fn consequence(&self) -> Consequence {
        match self {
            Self::Support(error) => error.consequence(),
            Self::Template(_) => Consequence::Terminal,
            Self::NameTaken { .. } => Consequence::RetryAfter(NAME_TAKEN),
            Self::Leftover { .. } => Consequence::Retry,
            Self::Api { source, .. } | Self::Status(source) => error::of_kube(source),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Support(error) => error.reason(),
            Self::Template(_) => "Invalid",
            Self::NameTaken { .. } => "NameTaken",
            Self::Leftover { .. } => "Terminating",
            Self::Api { .. } => "Refused",
            Self::Status(_) => "StatusFailed",
        }
    }
}

/// What the API server said, without the numbers around it.
fn said(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        other => other.to_string(),
    }
}
