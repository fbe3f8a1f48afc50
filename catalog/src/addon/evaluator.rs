//! The evaluator of untrusted templates and schemas that every command of authors asks.

use evaluate::InProcess;
use package::Evaluate;

/// The evaluator, the same one for the whole run.
pub(super) fn evaluator() -> &'static dyn Evaluate {
    &InProcess
}
