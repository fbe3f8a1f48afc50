//! The evaluator of untrusted templates and schemas that every command of authors asks.

use package::{Evaluate, evaluate::Describing};

/// The evaluator, the same one for the whole run: a child of this program.
#[cfg(not(test))]
pub(crate) fn evaluator() -> &'static dyn Evaluate {
    static EVALUATOR: std::sync::LazyLock<Describing<evaluate::Process>> =
        std::sync::LazyLock::new(|| Describing(evaluate::Process::new()));
    &*EVALUATOR
}

/// The same sandbox in this process: a test is no program that could be its own child.
#[cfg(test)]
pub(crate) fn evaluator() -> &'static dyn Evaluate {
    &Describing(evaluate::Host)
}
