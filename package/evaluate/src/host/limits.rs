//! What an instance may grow to.

use wasmtime::ResourceLimiter;

/// The most entries of a table: Go has one for each of its functions.
const TABLE: usize = 1 << 20;

/// Counts what an instance asks for.
#[derive(Debug, Default)]
pub(super) struct Counted {
    memory: usize,
}

/// An instance asked for more than it may have.
#[derive(Debug, thiserror::Error)]
#[error("the program asked for more memory than it may have")]
pub(super) struct TooMuch;

impl Counted {
    pub(super) fn new(memory: usize) -> Self {
        Self { memory }
    }
}

impl ResourceLimiter for Counted {
    fn memory_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.memory {
            return Err(TooMuch.into());
        }
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE)
    }

    fn instances(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        1
    }
}
