//! All that a program sees of the world: one input, one output, complaints. The functions are those of
//! WASI preview 1 that both programs need; the clock counts how often it was asked, chance is a fixed
//! sequence, and every other function says that it is not there.

use super::limits::Counted;
use crate::program::Limits;
use wasmtime::{Caller, Extern, Linker, Memory, Module, Val};

const MODULE: &str = "wasi_snapshot_preview1";

/// Numbers of errors as WASI has them.
const SUCCESS: i32 = 0;
const BAD_DESCRIPTOR: i32 = 8;
const FAULT: i32 = 21;
const NO_SYSTEM_CALL: i32 = 52;

/// The most bytes of complaints that are kept.
const COMPLAINTS: usize = 4 << 10;
/// What the clock shows at first, in nanoseconds: later than when CUE's program was started
/// (`until` in snapshot/main.go).
const STARTED: u64 = 1_000_000_000;
/// What the clock moves on each time it is read, in nanoseconds.
const TICK: u64 = 1000;

/// What one run sees and leaves.
#[derive(Debug, Default)]
pub(super) struct World {
    input: Vec<u8>,
    /// How much of the input was read.
    read: usize,
    pub(super) output: Vec<u8>,
    most_output: usize,
    pub(super) output_is_full: bool,
    pub(super) complaints: Vec<u8>,
    pub(super) counted: Counted,
    clock: u64,
    chance: u64,
}

/// The program ended itself.
#[derive(Debug, thiserror::Error)]
#[error("it ended with exit status {0}")]
pub(super) struct Exit(pub(super) i32);

/// The program wrote more than it may.
#[derive(Debug, thiserror::Error)]
#[error("it wrote too much")]
struct Full;

/// Gives `linker` everything that `module` asks for.
pub(super) fn add(linker: &mut Linker<World>, module: &Module) -> wasmtime::Result<()> {
    // A later definition takes the place of an earlier one.
    linker.allow_shadowing(true);
    refuse_all(linker, module)?;
    linker.func_wrap(MODULE, "fd_read", fd_read)?;
    linker.func_wrap(MODULE, "fd_write", fd_write)?;
    linker.func_wrap(MODULE, "fd_fdstat_get", fd_fdstat_get)?;
    linker.func_wrap(MODULE, "fd_prestat_get", |_: i32, _: i32| BAD_DESCRIPTOR)?;
    linker.func_wrap(MODULE, "args_sizes_get", two_zeros)?;
    linker.func_wrap(MODULE, "args_get", |_: i32, _: i32| SUCCESS)?;
    linker.func_wrap(MODULE, "environ_sizes_get", two_zeros)?;
    linker.func_wrap(MODULE, "environ_get", |_: i32, _: i32| SUCCESS)?;
    linker.func_wrap(MODULE, "clock_time_get", clock_time_get)?;
    linker.func_wrap(MODULE, "random_get", random_get)?;
    linker.func_wrap(MODULE, "poll_oneoff", poll_oneoff)?;
    linker.func_wrap(MODULE, "sched_yield", || SUCCESS)?;
    linker.func_wrap(MODULE, "proc_exit", proc_exit)?;
    Ok(())
}

/// Each function that the libraries of a program know gives [`NO_SYSTEM_CALL`].
fn refuse_all(linker: &mut Linker<World>, module: &Module) -> wasmtime::Result<()> {
    for import in module.imports().filter(|import| import.module() == MODULE) {
        let Some(shape) = import.ty().func().cloned() else {
            continue;
        };
        linker.func_new(MODULE, import.name(), shape, |_, _, results| {
            results.fill(Val::I32(NO_SYSTEM_CALL));
            Ok(())
        })?;
    }
    Ok(())
}

/// Standard input is all that can be read.
fn fd_read(mut caller: Caller<'_, World>, fd: i32, list: i32, count: i32, read: i32) -> i32 {
    if fd != 0 {
        return BAD_DESCRIPTOR;
    }
    let copied = bytes(&mut caller).and_then(|(memory, world)| {
        let mut copied = 0;
        for index in 0..address(count) {
            let (start, length) = piece(memory, list, index)?;
            let rest = &world.input[world.read..];
            let length = length.min(rest.len());
            let place = memory.get_mut(start..start.checked_add(length)?)?;
            place.copy_from_slice(&rest[..length]);
            world.read += length;
            copied += length;
        }
        put(memory, read, u32::try_from(copied).ok()?)
    });
    status(copied)
}

/// Standard output is the answer, and standard error the complaints, of which the first are kept.
fn fd_write(
    mut caller: Caller<'_, World>,
    fd: i32,
    list: i32,
    count: i32,
    written: i32,
) -> wasmtime::Result<i32> {
    if fd != 1 && fd != 2 {
        return Ok(BAD_DESCRIPTOR);
    }
    let copied = bytes(&mut caller).and_then(|(memory, world)| {
        let mut copied = 0;
        for index in 0..address(count) {
            let (start, length) = piece(memory, list, index)?;
            let text = memory.get(start..start.checked_add(length)?)?;
            if fd == 1 {
                world.write(text);
            } else {
                world.complain(text);
            }
            copied += length;
        }
        put(memory, written, u32::try_from(copied).ok()?)
    });
    if caller.data().output_is_full {
        return Err(Full.into());
    }
    Ok(status(copied))
}

impl World {
    pub(super) fn new(request: &[u8], limits: Limits) -> Self {
        Self {
            input: request.to_vec(),
            most_output: limits.output,
            counted: Counted::new(limits.memory),
            clock: STARTED,
            ..Self::default()
        }
    }

    fn write(&mut self, text: &[u8]) {
        if self.output.len() + text.len() > self.most_output {
            self.output_is_full = true;
        } else {
            self.output.extend_from_slice(text);
        }
    }

    fn complain(&mut self, text: &[u8]) {
        let room = COMPLAINTS - self.complaints.len();
        self.complaints
            .extend_from_slice(&text[..text.len().min(room)]);
    }
}

/// The three standard streams are character devices without any right or flag.
fn fd_fdstat_get(mut caller: Caller<'_, World>, fd: i32, place: i32) -> i32 {
    if !(0..=2).contains(&fd) {
        return BAD_DESCRIPTOR;
    }
    let mut stat = [0; 24];
    stat[0] = 2;
    stat[8..].fill(0xff);
    status(bytes(&mut caller).and_then(|(memory, _)| copy(memory, place, &stat)))
}

/// No argument and no variable: how many there are, and the bytes that they take.
fn two_zeros(mut caller: Caller<'_, World>, count: i32, size: i32) -> i32 {
    let put = bytes(&mut caller)
        .and_then(|(memory, _)| put(memory, count, 0).and_then(|()| put(memory, size, 0)));
    status(put)
}

fn clock_time_get(mut caller: Caller<'_, World>, _clock: i32, _precision: i64, place: i32) -> i32 {
    let put = bytes(&mut caller).and_then(|(memory, world)| {
        world.clock += TICK;
        copy(memory, place, &world.clock.to_le_bytes())
    });
    status(put)
}

/// A sequence that is the same in every run: SplitMix64.
fn random_get(mut caller: Caller<'_, World>, place: i32, length: i32) -> i32 {
    let put = bytes(&mut caller).and_then(|(memory, world)| {
        let start = address(place);
        let place = memory.get_mut(start..start.checked_add(address(length))?)?;
        for chunk in place.chunks_mut(8) {
            world.chance = world.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = world.chance;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let random = (z ^ (z >> 31)).to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
        Some(())
    });
    status(put)
}

/// A wait for a time is over at once, and the clock stands at its end. The sizes of a subscription
/// (48 bytes) and of an event (32) are those of WASI.
fn poll_oneoff(
    mut caller: Caller<'_, World>,
    list: i32,
    events: i32,
    count: i32,
    ready: i32,
) -> i32 {
    let put = bytes(&mut caller).and_then(|(memory, world)| {
        let (list, events) = (address(list), address(events));
        for index in 0..address(count) {
            let start = list.checked_add(index.checked_mul(48)?)?;
            let subscription = memory.get(start..start.checked_add(48)?)?;
            let timeout = u64::from_le_bytes(subscription.get(24..32)?.try_into().ok()?);
            let is_clock = subscription[8] == 0;
            let is_absolute = subscription[40] & 1 == 1;
            let mut event = [0; 32];
            event[..8].copy_from_slice(&subscription[..8]);
            event[10] = subscription[8];
            if is_clock {
                let until = if is_absolute {
                    timeout
                } else {
                    world.clock.saturating_add(timeout)
                };
                world.clock = world.clock.max(until);
            }
            let start = events.checked_add(index.checked_mul(32)?)?;
            memory
                .get_mut(start..start.checked_add(32)?)?
                .copy_from_slice(&event);
        }
        put(memory, ready, u32::try_from(count).ok()?)
    });
    status(put)
}

fn proc_exit(status: i32) -> wasmtime::Result<()> {
    Err(Exit(status).into())
}

/// The memory of the program, and its world.
fn bytes<'a>(caller: &'a mut Caller<'_, World>) -> Option<(&'a mut [u8], &'a mut World)> {
    let memory: Memory = caller.get_export("memory").and_then(Extern::into_memory)?;
    Some(memory.data_and_store_mut(caller))
}

/// Start and length of the piece of that index in a list of pieces.
fn piece(memory: &[u8], list: i32, index: usize) -> Option<(usize, usize)> {
    let start = address(list).checked_add(index.checked_mul(8)?)?;
    let pair = memory.get(start..start.checked_add(8)?)?;
    let number = |bytes: &[u8]| Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize);
    Some((number(&pair[..4])?, number(&pair[4..])?))
}

fn put(memory: &mut [u8], place: i32, number: u32) -> Option<()> {
    copy(memory, place, &number.to_le_bytes())
}

fn copy(memory: &mut [u8], place: i32, bytes: &[u8]) -> Option<()> {
    let start = address(place);
    memory
        .get_mut(start..start.checked_add(bytes.len())?)?
        .copy_from_slice(bytes);
    Some(())
}

/// An address of 32 bits, which WebAssembly passes as a signed number.
fn address(number: i32) -> usize {
    number.cast_unsigned() as usize
}

fn status(done: Option<()>) -> i32 {
    if done.is_some() { SUCCESS } else { FAULT }
}
