//! The targets under libFuzzer: `PAAMESH_FUZZ_TARGET` names one. `hack/fuzz` builds and runs it.

#![no_main]

use fuzz::{Corpus, Target, Unstructured};
use std::{
    env,
    sync::{Arc, LazyLock},
};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = env::var("PAAMESH_FUZZ_TARGET").unwrap_or_default();
    match fuzz::target(&name) {
        Some(target) => target,
        None => {
            let names: Vec<_> = fuzz::TARGETS.iter().map(|target| target.name).collect();
            eprintln!(
                "PAAMESH_FUZZ_TARGET is `{name}`: want one of {}",
                names.join(", ")
            );
            std::process::exit(2);
        }
    }
});

static WORDS: LazyLock<Arc<[String]>> = LazyLock::new(|| (TARGET.words)().into());

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Err(why) = (TARGET.check)(input) {
        eprintln!("{why}");
        std::process::abort();
    }
});

// One input in four is changed by the target's own knowledge of its language, others by libFuzzer.
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = fastrand::Rng::with_seed(seed.into());
    if random.u8(..) >= 64 {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    }
    let mut bytes = vec![0; 512];
    random.fill(&mut bytes);
    let mut u = Unstructured::new(&bytes);
    let corpus = Corpus {
        inputs: vec![data[..size].to_vec()],
        words: WORDS.clone(),
    };
    let made = match random.bool() {
        true => corpus.changed(&mut u),
        false => (TARGET.make)(&mut u, &corpus),
    };
    match made {
        Ok(made) if made.len() <= max_size => {
            data[..made.len()].copy_from_slice(&made);
            made.len()
        }
        _ => libfuzzer_sys::fuzzer_mutate(data, size, max_size),
    }
});
