//! The story as a person sees it.

use crate::{Options, look, stage::Stage, steps::STORY, voice};
use anyhow::Result;
use std::{process::ExitCode, time::Instant};

/// Plays the whole story; ends at the first observation that differs.
pub fn tell(options: Options) -> Result<ExitCode> {
    let mut stage = Stage::new(options)?;
    for step in &STORY {
        stage.voice.title(step.title);
        let start = Instant::now();
        if let Err(error) = (step.play)(&mut stage) {
            stage
                .voice
                .failed(&format!("This is not as told: {error:#}"));
            what_to_do(&stage, step.name);
            return Ok(ExitCode::FAILURE);
        }
        stage.voice.done(start.elapsed());
    }
    the_end(&stage)?;
    Ok(ExitCode::SUCCESS)
}

fn what_to_do(stage: &Stage, step: &str) {
    let kubeconfig = stage.kubectl.kubeconfig().display();
    println!("\nThe cluster is as it was left. To look at it:");
    println!("  export KUBECONFIG={kubeconfig}");
    println!("  kubectl get mws,mwa,mwapp,mwc,mwg -A");
    println!("  kubectl logs -n paamesh-system deploy/paamesh-operator --tail 20");
    println!("  hack/cluster status --name {}", stage.options.cluster);
    println!("Step `{step}` failed; `make demo` begins again with an empty cluster.");
}

fn the_end(stage: &Stage) -> Result<()> {
    stage.voice.title("What it took");
    for (what, took) in &stage.measured {
        println!("   {what:<58} {:>8}", voice::seconds(*took));
    }
    println!(
        "   {:<58} {:>8}",
        "the whole story",
        voice::seconds(stage.began.elapsed())
    );
    let apps = stage.list(&["mwapp", "-A"])?;
    let names: Vec<&str> = apps
        .iter()
        .map(|a| look::text(a, "/metadata/name"))
        .collect();
    println!(
        "\nThe cluster stays up, with the App {}. Try:",
        names.join(", ")
    );
    println!(
        "  export KUBECONFIG={}",
        stage.kubectl.kubeconfig().display()
    );
    println!("  export PATH=$PATH:$(dirname $(hack/tools/path kubectl))");
    println!("  kubectl get mwapp,mwc,mwg,pods");
    println!("  kubectl exec client -- redis-cli -h cache-redis-primary-svc INFO replication");
    println!(
        "  kubectl patch mwapp cache --type merge -p '{{\"spec\":{{\"pluginVersion\":\"1.0.0\"}}}}'"
    );
    println!("  kubectl explain mwapp.spec");
    println!("  git clone {} /tmp/platform", stage.git_url);
    println!("`make cluster-down` removes it without a trace.");
    Ok(())
}
