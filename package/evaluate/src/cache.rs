//! Compiled programs on disk: compiling CUE's takes seconds, loading it a millisecond.
//!
//! In: a program. Out: the module of it, from the cache where it is there, else compiled and left there.
//! A file's name has the digest of the program and that of the engine's version and settings, so it is
//! right for ever. A directory that others may write to is not used; where none can be, the program is
//! compiled for this process alone. The time of a file is when it was last used: where a new one is
//! written, those of other versions go that nobody used for `UNUSED`.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `PAAMESH_EVALUATE_CACHE` | the directory; in the platform's image it holds both programs |
//! | `XDG_CACHE_HOME` | else `paamesh/evaluate` in this one |
//! | `HOME` | else `.cache/paamesh/evaluate` in this one |

mod loader;

use crate::{host, program::Program};
use std::{
    env,
    ffi::OsString,
    fs::{self, DirBuilder, File},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, IsTerminal as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use wasmtime::{Engine, Module};

/// The variables that the cache depends on; a child process is given them.
pub const VARIABLES: [&str; 3] = ["PAAMESH_EVALUATE_CACHE", "XDG_CACHE_HOME", "HOME"];

/// How many compiled forms of a program are kept: versions of ours that are in use beside each other.
const KEPT: usize = 3;
/// How long one is kept that nobody uses.
const UNUSED: Duration = Duration::from_hours(30 * 24);
/// How exact the time of last use is: not every use writes.
const EXACT: Duration = Duration::from_hours(24);

/// Leaves both programs compiled in `directory`, which is made where it is not there, and no other
/// form of them: an image has them ready, and needs no directory that can be written. What is there
/// already is not compiled again.
///
/// # Errors
/// The directory cannot be written, or a program does not compile.
pub fn precompile(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let outside = |error: wasmtime::Error| io::Error::other(format!("{error:#}"));
    let engine = host::engine().map_err(outside)?;
    let names = Program::ALL.map(|program| file_name(&engine, program));
    for (program, name) in Program::ALL.into_iter().zip(&names) {
        let file = directory.join(name);
        if stored(&engine, &file).is_none() {
            write(&file, &compile(&engine, program).map_err(outside)?)?;
        }
    }
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let compiled = path
            .extension()
            .is_some_and(|extension| extension == "cwasm");
        if compiled && !names.iter().any(|name| path.ends_with(name)) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The module of `program`.
pub(crate) fn module(engine: &Engine, program: Program) -> wasmtime::Result<Module> {
    let Some(directory) = directory().filter(|directory| usable(directory)) else {
        return loader::bytes(engine, &compile_aloud(engine, program)?);
    };
    let file = directory.join(file_name(engine, program));
    if let Some(module) = stored(engine, &file) {
        return Ok(module);
    }
    // Others wait for what one of them compiles.
    let lock = File::create(directory.join("lock"));
    let _locked = lock.as_ref().is_ok_and(|lock| lock.lock().is_ok());
    if let Some(module) = stored(engine, &file) {
        return Ok(module);
    }
    let bytes = compile_aloud(engine, program)?;
    if write(&file, &bytes).is_ok() {
        remove_unused(&directory);
        if let Some(module) = stored(engine, &file) {
            return Ok(module);
        }
    }
    loader::bytes(engine, &bytes)
}

fn stored(engine: &Engine, file: &Path) -> Option<Module> {
    let data = fs::symlink_metadata(file).ok()?;
    let module = (data.is_file() && trusted(&data)).then(|| loader::file(engine, file).ok())??;
    if data.modified().is_ok_and(|used| is_over(used, EXACT)) {
        // Where it cannot be written, nothing is removed either.
        let _ = File::open(file).and_then(|file| file.set_modified(SystemTime::now()));
    }
    Some(module)
}

fn is_over(time: SystemTime, most: Duration) -> bool {
    SystemTime::now()
        .duration_since(time)
        .is_ok_and(|age| age > most)
}

/// `cue-<digest of the program>-<digest of engine and settings>.cwasm`.
fn file_name(engine: &Engine, program: Program) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let (name, digest) = (program.name(), &program.digest()[..16]);
    format!("{name}-{digest}-{:016x}.cwasm", hasher.finish())
}

/// Compiles, and says so where somebody watches: it happens once, and takes a while.
fn compile_aloud(engine: &Engine, program: Program) -> wasmtime::Result<Vec<u8>> {
    if program == Program::Cue && io::stderr().is_terminal() {
        let said = "Preparing the checks of configuration schemas; this happens once …\n";
        let _ = io::stderr().write_all(said.as_bytes());
    }
    compile(engine, program)
}

fn compile(engine: &Engine, program: Program) -> wasmtime::Result<Vec<u8>> {
    let (packed, length) = program.packed();
    engine.precompile_module(&zstd::bulk::decompress(packed, length)?)
}

/// Where compiled programs are.
fn directory() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value: &OsString| !value.is_empty());
    let [own, general, home] = VARIABLES.map(set);
    let general = general.map(PathBuf::from);
    let general = general.or_else(|| home.map(|home| Path::new(&home).join(".cache")));
    let own = own.map(PathBuf::from);
    own.or_else(|| general.map(|general| general.join("paamesh/evaluate")))
}

/// Whether the directory is there, or can be made, and nobody else may write to it.
fn usable(directory: &Path) -> bool {
    let mut builder = DirBuilder::new();
    let _ = builder.recursive(true).mode(0o700).create(directory);
    fs::symlink_metadata(directory).is_ok_and(|data| data.is_dir() && trusted(&data))
}

/// Whether only this user and root may write it.
fn trusted(data: &fs::Metadata) -> bool {
    let own = rustix::process::geteuid().as_raw();
    (data.uid() == own || data.uid() == 0) && data.mode() & 0o022 == 0
}

/// Writes the file complete or not at all.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = file.with_extension(format!("{}.partial", std::process::id()));
    let written = File::create(&partial)
        .and_then(|mut partial| partial.write_all(bytes))
        .and_then(|()| fs::rename(&partial, file));
    if written.is_err() {
        let _ = fs::remove_file(partial);
    }
    written
}

/// Removes the compiled forms that nobody used for `UNUSED`, and of each program all but the [`KEPT`]
/// that were used last; a process that has one loaded keeps it.
fn remove_unused(directory: &Path) {
    for program in Program::ALL {
        let mut files = compiled_forms(directory, program);
        files.sort();
        let spare = files.len().saturating_sub(KEPT);
        for (position, (used, file)) in files.iter().enumerate() {
            if position < spare || is_over(*used, UNUSED) {
                let _ = fs::remove_file(file);
            }
        }
    }
}

/// The compiled forms of `program`, each with the time of its last use.
fn compiled_forms(directory: &Path, program: Program) -> Vec<(SystemTime, PathBuf)> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| {
        let path = entry.path();
        let name = path.file_name()?.to_str()?;
        let ours = name.starts_with(&format!("{}-", program.name())) && name.ends_with(".cwasm");
        let used = path.metadata().ok()?.modified().ok()?;
        ours.then_some((used, path))
    });
    files.collect()
}
