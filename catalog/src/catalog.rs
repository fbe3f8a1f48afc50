//! `kubectl middleware catalog`: what the cluster offers, read with the person's own rights.

pub(crate) mod content;
pub(crate) mod model;
