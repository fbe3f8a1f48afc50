//! Step 4: another version is published, and nothing that runs changes.

use crate::{
    addon, look,
    stage::Stage,
    steps::run::{REPLICATION, STANDALONE},
};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

/// The interval of `docs/examples/source.yaml`, jitter included, and the 2 s of the promise.
const WITHOUT_HOOK: Duration = Duration::from_millis(10_500 + 2_000);

/// redis 1.1.0 is pushed and found without a hook; every object that the Apps own is as it was.
pub fn second_version(stage: &mut Stage) -> Result<()> {
    let apps = [STANDALONE, REPLICATION];
    let before: Vec<_> = apps
        .iter()
        .map(|app| stage.owned(app))
        .collect::<Result<_>>()?;
    addon::add(stage, "1.1.0")?;
    addon::push(stage, "Add redis 1.1.0")?;
    let start = Instant::now();
    addon::await_active(stage, "redis-1.1.0")?;
    let took = start.elapsed();
    stage.measure("git push → Active, found by interval (10 s)", took);
    // A figure in seconds belongs to a benchmark; a test asserts five times the figure.
    ensure!(took < 5 * WITHOUT_HOOK, "Active after {took:?}");
    stage.show(&["get", "mwa"])?;
    for (app, before) in apps.iter().zip(&before) {
        let changed = look::differences(before, &stage.owned(app)?);
        ensure!(changed.is_empty(), "{app}: {}", changed.join(", "));
        stage.say(format!(
            "{app}: {} objects, every resourceVersion as before",
            before.len()
        ));
    }
    Ok(())
}
