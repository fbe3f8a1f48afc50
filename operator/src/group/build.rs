//! What a Group is made of: one pure builder per kind.
//!
//! In: the Group. Out: objects as they are applied or created. Everything but claims is owned by the
//! Group and goes with it; claims are owned by nothing, so that no deletion takes data along.

mod access;
mod claim;
mod pod;
mod record;
mod service;

pub(super) use access::{account, binding, role};
pub(super) use claim::claim;
pub use pod::TemplateError;
pub(super) use pod::{patch, pod};
pub(super) use record::record;
pub(super) use service::service;
