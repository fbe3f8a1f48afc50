//! The steady state is silent (design.md, invariant 8), and not because something died.

use crate::{addon, extra::cost::ours, look, stage::Stage};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

const SPACE: &str = "steady";
const VERSION: &str = "1.80.0";
const APPS: usize = 20;
const WATCHED: Duration = Duration::from_secs(60);
const WATCHED_LONG: Duration = Duration::from_secs(600);

/// 20 Apps come up and come to rest; for a minute no program of ours writes to the API server; then
/// an edit of an App and a push take effect.
pub fn silent(stage: &mut Stage) -> Result<()> {
    let outcome = watch(stage);
    // Twenty pods with their probes load a small machine; nobody waits until they are gone.
    stage
        .kubectl
        .run(&["delete", "namespace", SPACE, "--wait=false"])?;
    outcome
}

fn watch(stage: &Stage) -> Result<()> {
    patient_version(stage)?;
    stage.kubectl.apply(&format!(
        "{{apiVersion: v1, kind: Namespace, metadata: {{name: {SPACE}}}}}"
    ))?;
    let apps: Vec<String> = (0..APPS).map(|n| app(n, "64Mi")).collect();
    stage.kubectl.apply(&apps.join("\n---\n"))?;
    let start = Instant::now();
    stage.wait(240, &format!("{APPS} Apps are Ready"), || {
        let ready = ready(stage)?;
        ensure!(ready == APPS, "{ready} of {APPS}");
        Ok(())
    })?;
    stage.say(format!(
        "{APPS} Apps Ready after {:.0} s",
        start.elapsed().as_secs_f64()
    ));
    at_rest(stage)?;

    let watched = if stage.long { WATCHED_LONG } else { WATCHED };
    let mark = stage.audit().mark()?;
    std::thread::sleep(watched);
    let since = stage.audit().since(mark)?;
    let writes = since.filter(ours).writes();
    ensure!(
        writes.is_empty(),
        "{} writes at rest:\n{writes}",
        writes.len()
    );
    ensure!(
        !since.is_empty(),
        "the audit log stands still: nothing was counted"
    );
    stage.say(format!(
        "{} s of silence: 0 writes of ours",
        watched.as_secs()
    ));

    edit_takes_effect(stage)?;
    push_takes_effect(stage)
}

/// Redis 1.1.0 with a probe that takes its time: twenty of them on two cores that compile something
/// else besides would miss its deadline now and then, and say so to the API server, as they should.
fn patient_version(stage: &Stage) -> Result<()> {
    addon::add_copy(stage, "redis", VERSION)?;
    let manifest = format!("{}/addon.yaml", addon::folder("redis", VERSION));
    let repository = &stage.repository;
    repository.replace(&manifest, "interval: 1s", "interval: 5s")?;
    repository.replace(&manifest, "timeout: 3s", "timeout: 15s")?;
    let name = format!("redis-{VERSION}");
    addon::publish(stage, &format!("Add redis {VERSION}"), &name)?;
    Ok(())
}

fn app(n: usize, memory: &str) -> String {
    format!(
        "{{apiVersion: middleware.io/v1alpha1, kind: App, metadata: {{name: a{n}, namespace: {SPACE}}}, \
         spec: {{plugin: redis, pluginVersion: {VERSION}, topology: standalone, deletionPolicy: Delete, \
         components: {{redis: {{resources: {{requests: {{cpu: 5m, memory: 16Mi}}, limits: {{memory: {memory}}}}}, \
         storage: {{data: {{size: 320Mi}}}}}}}}}}}}"
    )
}

fn ready(stage: &Stage) -> Result<usize> {
    let apps = stage.list(&["mwapp", "-n", SPACE])?;
    Ok(apps
        .iter()
        .filter(|a| look::told(a, "Ready", "True").is_ok())
        .count())
}

/// Two looks five seconds apart see no write between them.
fn at_rest(stage: &Stage) -> Result<()> {
    stage.wait(60, "the platform comes to rest", || {
        let mark = stage.audit().mark()?;
        std::thread::sleep(Duration::from_secs(5));
        let writes = stage.audit().since(mark)?.filter(ours).writes();
        ensure!(writes.is_empty(), "{writes}");
        Ok(())
    })
}

fn edit_takes_effect(stage: &Stage) -> Result<()> {
    stage.kubectl.apply(&app(0, "80Mi"))?;
    stage.wait(120, "the edited App runs with its new limit", || {
        let pod = stage.get_in(SPACE, "pod", "a0-redis-0-0")?;
        let main = look::find(look::list(&pod, "/spec/containers"), "container", |c| {
            c["name"] == "main"
        })?;
        let limit = look::text(main, "/resources/limits/memory");
        ensure!(limit == "80Mi", "the limit is {limit}");
        look::told(&pod, "Ready", "True")?;
        Ok(())
    })
}

fn push_takes_effect(stage: &Stage) -> Result<()> {
    addon::add_copy(stage, "redis", "1.90.0")?;
    addon::push(stage, "Add redis 1.90.0")?;
    addon::await_active(stage, "redis-1.90.0")?;
    Ok(())
}
