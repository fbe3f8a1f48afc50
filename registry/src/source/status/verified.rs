//! The condition SourceVerified: what the source demands to be signed is, by whom it should be.

use super::{
    super::{
        observed::{Look, Observed},
        plan::Plan,
    },
    failed_text, named,
};
use api::{
    conditions::{SOURCE_VERIFIED, Said},
    crd::source::SourceReason,
};

/// What is said of signatures; nothing where none is demanded. Without a look it stays what it was: a
/// server that is down is no signature that is missing.
pub(super) fn verified(observed: &Observed, plan: &Plan) -> Option<Said> {
    if !observed.verifies {
        return None;
    }
    let failed = SourceReason::VerificationFailed.as_str();
    match observed.look.as_deref() {
        _ if observed.suspended => as_before(observed),
        None | Some(Look::Failed { .. }) => as_before(observed),
        Some(Look::Unverified { revision, message }) => {
            let text = format!("{revision}: {message}");
            Some(Said::no(SOURCE_VERIFIED, failed, text))
        }
        Some(Look::Found { .. }) if !plan.unverified.is_empty() => {
            let text = named(plan.unverified.iter().map(failed_text));
            Some(Said::no(SOURCE_VERIFIED, failed, text))
        }
        Some(Look::Found { revision, .. }) => {
            let text = format!("{revision}: all is signed by whom it should be");
            let verified = SourceReason::Verified.as_str();
            Some(Said::yes(SOURCE_VERIFIED, verified, text))
        }
    }
}

fn as_before(observed: &Observed) -> Option<Said> {
    let mut before = observed.status.conditions.iter();
    let before = before.find(|c| c.type_ == SOURCE_VERIFIED)?;
    let text = before.message.clone();
    let verified = SourceReason::Verified.as_str();
    let failed = SourceReason::VerificationFailed.as_str();
    Some(match before.status == "True" {
        true => Said::yes(SOURCE_VERIFIED, verified, text),
        false => Said::no(SOURCE_VERIFIED, failed, text),
    })
}
