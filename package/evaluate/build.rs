//! Builds the programs of the sandbox, CUE's with Go and Tera's with the Rust of this workspace, starts
//! CUE's (`snapshot/`), and packs them for `include_bytes!`. What was built stays in a cache outside the checkout, keyed by
//! what it is built from: `$PAAMESH_CACHE/evaluate`, else `~/.cache/paamesh/evaluate`.

use sha2::{Digest as _, Sha256};
use std::{
    env,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// The instruction set and the interface of both programs.
const TARGET: &str = "wasm32-wasip1";
/// Files of CUE that others take the place of, in `cue/instead/`: packages that read files, start programs
/// or speak HTTP are no part of the program then, which halves it and the time that it takes to start.
const INSTEAD: [(&str, Option<&str>); 4] = [
    ("pkg/register.go", Some("register.go.txt")),
    ("cue/inject/embed/embed.go", Some("embed.go.txt")),
    ("internal/core/adt/debug.go", Some("debug.go.txt")),
    ("internal/cueversion/transport.go", None),
];
/// How hard they are packed: 17 MB become 3.
const LEVEL: i32 = 19;
/// How long what was built stays in the cache: another checkout may be at another version.
const KEPT: Duration = Duration::from_hours(30 * 24);

fn main() {
    if let Err(fault) = run() {
        println!("cargo::error={}", fault.0.replace('\n', " | "));
        std::process::exit(1);
    }
}

/// What is wrong and what to do about it.
struct Fault(String);

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

fn run() -> Result<(), Fault> {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    let root = here.join("../..");
    for path in ["cue", "snapshot", "templates", "../src/quantity.rs"] {
        println!("cargo::rerun-if-changed={}", here.join(path).display());
    }
    for path in ["Cargo.lock", "rust-toolchain.toml"] {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    println!("cargo::rerun-if-env-changed=PAAMESH_CACHE");
    let cache = cache(&out);
    fs::create_dir_all(&cache)?;
    // One build at a time: others of this machine share the cache.
    let lock = File::create(cache.join("build.lock"))?;
    lock.lock()?;
    embed("CUE", &cue(&here, &cache)?, &cache, &out)?;
    embed("TEMPLATES", &templates(&root, &cache)?, &cache, &out)?;
    println!("cargo::rustc-env=EVALUATE_TARGET={}", variable("TARGET")?);
    Ok(())
}

fn variable(name: &str) -> Result<String, Fault> {
    env::var(name).map_err(|_| Fault(format!("cargo did not set {name}")))
}

fn cache(out: &Path) -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let home = || Some(PathBuf::from(set("HOME")?).join(".cache"));
    let general = || set("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    let ours = set("PAAMESH_CACHE").map(PathBuf::from);
    let ours = ours.or_else(|| general().map(|general| general.join("paamesh")));
    ours.unwrap_or_else(|| out.to_owned()).join("evaluate")
}

/// CUE's program, built and started unless the same sources were.
fn cue(here: &Path, cache: &Path) -> Result<PathBuf, Fault> {
    let (sources, snapshot) = (here.join("cue"), here.join("snapshot"));
    let version = said(
        Command::new("go")
            .arg("version")
            .env("GOTOOLCHAIN", "local"),
    )
    .map_err(|fault| {
        Fault(format!(
            "CUE's program needs Go 1.26 or newer in PATH: install it from https://go.dev/dl ({})",
            fault.0
        ))
    })?;
    let own = files(&sources)?;
    let mut key = Sha256::new_with_prefix(&version);
    let instead = files(&sources.join("instead"))?;
    for file in own.iter().chain(&instead).chain(&files(&snapshot)?) {
        key.update(file.file_name().unwrap_or_default().as_encoded_bytes());
        key.update(fs::read(file)?);
    }
    let wasm = cache.join(format!("cue-{}.wasm", short(&key.finalize())));
    if wasm.exists() {
        return Ok(wasm);
    }
    let work = cache.join("cue");
    vendored(&sources, &own, &work)?;
    let built = work.join("built.wasm");
    let mut build = go(&work);
    build
        .args(["build", "-mod=vendor", "-trimpath", "-buildvcs=false"])
        .args(["-buildmode=c-shared", "-ldflags=-s -w", "-o"])
        .arg(&built)
        .env("GOOS", "wasip1")
        .env("GOARCH", "wasm");
    said(&mut build).map_err(|fault| Fault(format!("CUE's program did not build: {}", fault.0)))?;
    let partial = wasm.with_extension("partial");
    let mut start = go(&snapshot);
    start.args(["run", "."]).args([&built, &partial]);
    said(&mut start).map_err(|fault| Fault(format!("CUE's program did not start: {}", fault.0)))?;
    fs::rename(partial, &wasm)?;
    remove_old(cache)?;
    Ok(wasm)
}

/// Removes programs, packed or not, that were built long ago.
fn remove_old(cache: &Path) -> Result<(), Fault> {
    for file in files(cache)? {
        let ours = file
            .extension()
            .is_some_and(|end| end == "wasm" || end == "zst");
        let age = file.metadata()?.modified()?.elapsed();
        if ours && age.is_ok_and(|age| age > KEPT) {
            fs::remove_file(file)?;
        }
    }
    Ok(())
}

/// The program in `work`, with all that it imports, and with [`INSTEAD`] of some of it.
fn vendored(sources: &Path, own: &[PathBuf], work: &Path) -> Result<(), Fault> {
    if work.exists() {
        fs::remove_dir_all(work)?;
    }
    fs::create_dir_all(work)?;
    for file in own {
        fs::copy(file, work.join(file.file_name().unwrap_or_default()))?;
    }
    said(go(work).args(["mod", "vendor"])).map_err(|fault| {
        let advice = "if modules could not be fetched, check GOPROXY and build again";
        Fault(format!(
            "what CUE's program imports is not there; {advice}: {}",
            fault.0
        ))
    })?;
    let cue = work.join("vendor/cuelang.org/go");
    for (theirs, ours) in INSTEAD {
        // Without the file that we mean, it is another CUE than the one that this was written for.
        fs::remove_file(cue.join(theirs))
            .map_err(|error| Fault(format!("CUE has no {theirs} any more: {error}")))?;
        if let Some(ours) = ours {
            fs::copy(sources.join("instead").join(ours), cue.join(theirs))?;
        }
    }
    Ok(())
}

fn go(directory: &Path) -> Command {
    let mut go = Command::new("go");
    go.current_dir(directory)
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "")
        .env("GOWORK", "off");
    go
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, Fault> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Tera's program; cargo knows whether there is anything to build.
fn templates(root: &Path, cache: &Path) -> Result<PathBuf, Fault> {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = said(Command::new(&rustc).arg("-vV"))?;
    let sysroot = said(Command::new(&rustc).args(["--print", "sysroot"]))?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET);
    if !library.exists() {
        return Err(Fault(format!(
            "Rust has no target {TARGET}: run `rustup target add {TARGET}`, or hack/tools/apt"
        )));
    }
    let target = cache.join(format!("templates-{}", short(&Sha256::digest(version))));
    let mut cargo = Command::new(variable("CARGO")?);
    // What cargo tells a build script, clippy's wrapper among it, is not meant for another build.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let kept = ["CARGO_HOME", "CARGO_MAKEFLAGS", "CARGO_NET_OFFLINE"].contains(&text.as_ref());
        if !kept && (text.starts_with("CARGO") || text.starts_with("RUSTC_") || text == "RUSTFLAGS")
        {
            cargo.env_remove(&name);
        }
    }
    let registry =
        env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|home| format!("{home}/.cargo")));
    if let Ok(registry) = registry {
        cargo.env(
            "CARGO_ENCODED_RUSTFLAGS",
            format!("--remap-path-prefix={registry}=/cargo"),
        );
    }
    cargo
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "paamesh-templates",
            "--bin",
            "paamesh-templates",
        ])
        .args(["--target", TARGET, "--target-dir"])
        .arg(&target)
        .current_dir(root);
    said(&mut cargo)
        .map_err(|fault| Fault(format!("Tera's program did not build: {}", fault.0)))?;
    Ok(target.join(TARGET).join("release/paamesh-templates.wasm"))
}

/// Packs the program into `OUT_DIR`, and tells the crate its digest.
fn embed(name: &str, wasm: &Path, cache: &Path, out: &Path) -> Result<(), Fault> {
    let bytes = fs::read(wasm)?;
    let digest = Sha256::digest(&bytes);
    let file = name.to_ascii_lowercase();
    let packed = cache.join(format!("{file}-{}-{LEVEL}.zst", short(&digest)));
    if !packed.exists() {
        let partial = packed.with_extension("partial");
        File::create(&partial)?.write_all(&zstd::bulk::compress(&bytes, LEVEL)?)?;
        fs::rename(partial, &packed)?;
    }
    fs::copy(packed, out.join(format!("{file}.wasm.zst")))?;
    println!("cargo::rustc-env=EVALUATE_{name}_DIGEST={}", hex(&digest));
    println!("cargo::rustc-env=EVALUATE_{name}_BYTES={}", bytes.len());
    Ok(())
}

fn short(digest: &[u8]) -> String {
    hex(&digest[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the command prints; the fault is the end of what it complains of.
fn said(command: &mut Command) -> Result<String, Fault> {
    let output = command
        .output()
        .map_err(|error| Fault(format!("{:?}: {error}", command.get_program())))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = complaint.lines().collect();
    Err(Fault(lines[lines.len().saturating_sub(20)..].join("\n")))
}
