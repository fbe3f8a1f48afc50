//! The sandbox in this process.
//!
//! In: a program and its standard input. Out: its standard output, or why it was stopped. The limits
//! are counted, not timed, so that a run ends the same way on every machine. It is for tests and for the
//! child of [`crate::Process`]: whoever must not wait or grow asks that.

mod limits;
mod wasi;

use crate::{
    cache,
    program::{Program, Run, Stopped},
};
use std::sync::OnceLock;
use wasi::World;
use wasmtime::{Config, Engine, InstancePre, Linker, Module, Store, Trap};

/// Bytes of stack that the calls of a program have. A thread of Rust's has two MiB.
const STACK: usize = 1 << 20;

/// Runs programs in this process. They are compiled, or loaded, once for the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host;

impl Host {
    /// Compiles or loads the program, so that the first run does not wait for that.
    ///
    /// # Errors
    /// This machine does not run WebAssembly.
    pub fn prepare(self, program: Program) -> Result<(), Stopped> {
        loaded(program).map(|_| ())
    }
}

impl Run for Host {
    fn run(&self, program: Program, request: &[u8]) -> Result<Vec<u8>, Stopped> {
        run(program, request)?.answer
    }
}

/// The program, ready to make instances of.
fn loaded(program: Program) -> Result<&'static InstancePre<World>, Stopped> {
    static CUE: OnceLock<Result<InstancePre<World>, String>> = OnceLock::new();
    static TEMPLATES: OnceLock<Result<InstancePre<World>, String>> = OnceLock::new();
    let once = match program {
        Program::Cue => &CUE,
        Program::Templates => &TEMPLATES,
    };
    let loaded = once.get_or_init(|| load(program).map_err(|error| format!("{error:#}")));
    let unavailable = |reason: &String| Stopped::Unavailable(reason.clone());
    loaded.as_ref().map_err(unavailable)
}

fn load(program: Program) -> wasmtime::Result<InstancePre<World>> {
    let engine = engine()?;
    let module = cache::module(&engine, program)?;
    linked(&engine, &module)
}

fn linked(engine: &Engine, module: &Module) -> wasmtime::Result<InstancePre<World>> {
    let mut linker = Linker::new(engine);
    wasi::add(&mut linker, module)?;
    linker.instantiate_pre(module)
}

/// The engine of every program, the same on every machine of an architecture: no instruction beyond
/// its baseline, no number that differs between processors.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .target(env!("EVALUATE_TARGET"))?
        .consume_fuel(true)
        .cranelift_nan_canonicalization(true)
        .generate_address_map(false)
        .max_wasm_stack(STACK)
        .wasm_relaxed_simd(false)
        .wasm_simd(false);
    Engine::new(&config)
}

/// One run, and the fuel that it left.
struct Ran {
    answer: Result<Vec<u8>, Stopped>,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "tests see by it whether two runs are the same")
    )]
    fuel: u64,
}

fn run(program: Program, request: &[u8]) -> Result<Ran, Stopped> {
    let (loaded, limits) = (loaded(program)?, program.limits());
    let world = World::new(request, limits);
    let mut store = Store::new(loaded.module().engine(), world);
    store.limiter(|world| &mut world.counted);
    let ended = start(loaded, &mut store, program.entry(), limits.fuel);
    let fuel = store.get_fuel().unwrap_or_default();
    let world = store.into_data();
    let answer = match ended {
        Ok(()) => Ok(world.output),
        Err(error) => stopped(&error, world),
    };
    Ok(Ran { answer, fuel })
}

fn start(
    program: &InstancePre<World>,
    store: &mut Store<World>,
    entry: &str,
    fuel: u64,
) -> wasmtime::Result<()> {
    store.set_fuel(fuel)?;
    let instance = program.instantiate(&mut *store)?;
    let entry = instance.get_typed_func::<(), ()>(&mut *store, entry)?;
    entry.call(store, ())
}

/// Why the program ended otherwise than by returning.
fn stopped(error: &wasmtime::Error, world: World) -> Result<Vec<u8>, Stopped> {
    if let Some(wasi::Exit(0)) = error.downcast_ref() {
        return Ok(world.output);
    }
    Err(if world.output_is_full {
        Stopped::Output
    } else if error.is::<limits::TooMuch>() {
        Stopped::Memory
    } else {
        match error.downcast_ref() {
            Some(Trap::OutOfFuel) => Stopped::Fuel,
            Some(Trap::StackOverflow) => Stopped::Stack,
            _ => Stopped::Failed(complaint(error, &world)),
        }
    })
}

/// The first line that the program complains in, else how it ended.
fn complaint(error: &wasmtime::Error, world: &World) -> String {
    let said = String::from_utf8_lossy(&world.complaints);
    match said.lines().find(|line| !line.trim().is_empty()) {
        Some(line) => line.trim().to_owned(),
        None => error.root_cause().to_string(),
    }
}

#[cfg(test)]
mod tests;
