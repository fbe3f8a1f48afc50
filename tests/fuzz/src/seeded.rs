//! The bounded run: every committed input, and then new ones for so many seconds. The n-th input is a
//! function of the seed, the target and n alone; how many there are, of the machine's speed.

use crate::{Corpus, Target, Unstructured};
use sha2::{Digest as _, Sha256};
use std::{
    cell::RefCell,
    env, fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    sync::Once,
    time::{Duration, Instant},
};

/// The seed where `PAAMESH_FUZZ_SEED` names none.
const SEED: u64 = 20_261_121;
/// The seconds of new inputs of each target where `PAAMESH_FUZZ_SECONDS` says no others.
const SECONDS: u64 = 3;
/// A run that tries fewer inputs than these beside the committed ones has tried nothing.
const LEAST: u64 = 20;
/// No input may take longer: the slowest committed one takes a tenth, and machines differ.
const SLOWEST: Duration = Duration::from_secs(20);
/// How long a failing input is made smaller.
const SHRINKING: Duration = Duration::from_secs(5);
/// The most bytes of a failing input that are printed.
const SHOWN: usize = 4096;

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What was tried.
#[derive(Clone, Copy, Debug)]
pub struct Tried {
    /// The seed.
    pub seed: u64,
    /// Committed inputs.
    pub committed: u64,
    /// New inputs.
    pub made: u64,
    /// Bytes of new inputs.
    pub bytes: u64,
    /// All of it.
    pub time: Duration,
}

/// Tries `target` as the environment says.
///
/// # Errors
/// An input breaks a promise: the promise, the input, and how to try it again.
pub fn run(target: Target) -> Result<Tried, String> {
    let seed = number("PAAMESH_FUZZ_SEED", SEED)?;
    let seconds = number("PAAMESH_FUZZ_SECONDS", SECONDS)?;
    let start = Instant::now();
    let committed = Corpus::committed(target);
    let committed = committed.map_err(|error| format!("the corpus of {}: {error}", target.name))?;
    // What ends the whole process, such as a stack that overflows, leaves its input here.
    let last = folder(target).join("last");
    fs::create_dir_all(folder(target)).map_err(|error| format!("{}: {error}", last.display()))?;
    for (name, input) in &committed {
        fs::write(&last, input).map_err(|error| format!("{}: {error}", last.display()))?;
        verdict(target, input).map_err(|why| format!("corpus/{}/{name}: {why}", target.name))?;
    }
    let corpus = Corpus {
        inputs: committed.into_iter().map(|(_, input)| input).collect(),
        words: (target.words)().into(),
    };
    if corpus.inputs.is_empty() {
        return Err(format!("the corpus of {} is empty", target.name));
    }
    let mut tried = Tried {
        seed,
        committed: corpus.inputs.len() as u64,
        made: 0,
        bytes: 0,
        time: Duration::ZERO,
    };
    let new = Instant::now();
    while new.elapsed() < Duration::from_secs(seconds) || tried.made < LEAST {
        let input = made(target, &corpus, seed, tried.made);
        fs::write(&last, &input).map_err(|error| format!("{}: {error}", last.display()))?;
        if let Err(why) = verdict(target, &input) {
            return Err(failure(target, seed, tried.made, &input, &why));
        }
        tried.made += 1;
        tried.bytes += input.len() as u64;
    }
    tried.time = start.elapsed();
    let _ = fs::remove_file(last);
    Ok(tried)
}

fn number(name: &str, default: u64) -> Result<u64, String> {
    match env::var(name) {
        Ok(text) => text
            .parse()
            .map_err(|_| format!("{name} is `{text}`, and no whole number")),
        Err(_) => Ok(default),
    }
}

/// The n-th input.
fn made(target: Target, corpus: &Corpus, seed: u64, n: u64) -> Vec<u8> {
    let mut hasher = DefaultHasher::new();
    (seed, target.name, n).hash(&mut hasher);
    let mut random = fastrand::Rng::with_seed(hasher.finish());
    let mut bytes = vec![0; random.usize(64..2048)];
    random.fill(&mut bytes);
    let mut u = Unstructured::new(&bytes);
    let made = if random.u8(..) < 128 {
        (target.make)(&mut u, corpus)
    } else {
        corpus.changed(&mut u)
    };
    // What ran out of random bytes is an input too.
    made.unwrap_or(bytes)
}

/// Whether every promise holds, and none was broken by a panic or a long silence.
fn verdict(target: Target, input: &[u8]) -> Result<(), String> {
    quiet();
    let start = Instant::now();
    let result = panic::catch_unwind(AssertUnwindSafe(|| (target.check)(input)));
    let said = PANIC.with(RefCell::take);
    result.unwrap_or_else(|_| Err(format!("it panicked: {}", said.unwrap_or_default())))?;
    match start.elapsed() {
        time if time > SLOWEST => Err(format!("it took {time:?}")),
        _ => Ok(()),
    }
}

/// Keeps what a panic says instead of printing it: a failing input panics often while it is made
/// smaller.
fn quiet() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|info| {
            PANIC.with(|panic| panic.replace(Some(info.to_string())));
        }));
    });
}

fn failure(target: Target, seed: u64, n: u64, input: &[u8], why: &str) -> String {
    let small = shrunk(target, input);
    let name = hex::encode(&Sha256::digest(&small)[..6]);
    let path = folder(target).join(&name);
    let written = fs::create_dir_all(folder(target)).and_then(|()| fs::write(&path, &small));
    let written = match written {
        Ok(()) => path.display().to_string(),
        Err(error) => format!("{} (not written: {error})", path.display()),
    };
    let shown = small.get(..SHOWN).unwrap_or(&small).escape_ascii();
    let small_why = verdict(target, &small).err().unwrap_or_default();
    format!(
        "input {n} of seed {seed}, {} bytes: {why}\n\n\
         made smaller, {} bytes: {small_why}\n{shown}\n\n\
         it is in {written}\n\
         to try it again, and to keep it: cp {written} tests/fuzz/corpus/{}/ && \
         cargo test -p paamesh-fuzz --test seeded -- {}",
        input.len(),
        small.len(),
        target.name,
        target.name,
    )
}

/// `target/fuzz/<target>`, beside what cargo built.
fn folder(target: Target) -> PathBuf {
    let exe = env::current_exe().unwrap_or_default();
    let built = exe
        .ancestors()
        .find(|path| path.ends_with("debug") || path.ends_with("release"));
    let built = built.and_then(|path| path.parent()).map(PathBuf::from);
    built
        .unwrap_or_else(env::temp_dir)
        .join("fuzz")
        .join(target.name)
}

/// The smallest part of `input` found in a short time that still fails.
fn shrunk(target: Target, input: &[u8]) -> Vec<u8> {
    let start = Instant::now();
    let mut small = input.to_vec();
    let mut size = small.len() / 2;
    while size > 0 && start.elapsed() < SHRINKING {
        let mut at = 0;
        while at < small.len() && start.elapsed() < SHRINKING {
            let mut less = small.clone();
            less.drain(at..(at + size).min(small.len()));
            match verdict(target, &less) {
                Err(_) => small = less,
                Ok(()) => at += size,
            }
        }
        size /= 2;
    }
    small
}
