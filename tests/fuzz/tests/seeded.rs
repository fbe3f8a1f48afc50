//! Every target for a bounded time with a fixed seed: `PAAMESH_FUZZ_SEED` and `PAAMESH_FUZZ_SECONDS`
//! (of new inputs of each target) change both. What was tried is printed.

use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = fuzz::TARGETS.map(|target| {
        Trial::test(target.name, move || {
            let tried = fuzz::seeded::run(target).map_err(Failed::from)?;
            println!(
                "{}: seed {}, {} committed and {} new inputs ({} bytes) in {:.1} s",
                target.name,
                tried.seed,
                tried.committed,
                tried.made,
                tried.bytes,
                tried.time.as_secs_f64()
            );
            Ok(())
        })
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}
