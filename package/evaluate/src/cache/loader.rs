//! Compiled programs into memory. What is loaded here runs as code of this process: nothing checks it
//! again.
#![expect(
    unsafe_code,
    reason = "wasmtime cannot check that compiled code is what its compiler made"
)]

use std::path::Path;
use wasmtime::{Engine, Module};

/// The module in a file that [`super::write`] wrote.
pub(super) fn file(engine: &Engine, path: &Path) -> wasmtime::Result<Module> {
    // SAFETY: the caller has seen that the file, and the directory that it lies in, can be written by
    // this user and root alone. We write files there whole and under names that hold the digests of the
    // program and of the compiler with its settings, and never change one: it may stay mapped.
    unsafe { Module::deserialize_file(engine, path) }
}

/// The module in bytes that the compiler of this process just gave.
pub(super) fn bytes(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Module> {
    // SAFETY: the bytes come from `Engine::precompile_module` of the same engine, and went nowhere.
    unsafe { Module::deserialize(engine, bytes) }
}
