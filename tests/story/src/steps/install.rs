//! Steps 0 and 1: a cluster, and the platform on it.

use crate::{
    cluster, look, platform,
    stage::{PLATFORM, Stage},
};
use anyhow::{Context, Result, ensure};
use kit::tool;
use std::process::Command;

const AROUND: &str = include_str!("../../manifests/around.yaml");

/// A fresh cluster with the images, a Git server and a client.
pub fn cluster(stage: &mut Stage) -> Result<()> {
    cluster::up(&stage.voice, &stage.options)?;
    stage.kubectl.apply(AROUND)?;
    stage.wait(90, "the Git server is ready", || {
        let git = stage.get_in("git", "deployment", "git")?;
        ensure!(
            git["status"]["readyReplicas"] == 1,
            "{}",
            look::conditions(&git)
        );
        Ok(())
    })?;
    let service = stage.get_in("git", "service", "git")?;
    let address = look::text(&service, "/spec/clusterIP");
    stage.git_url = format!("http://{address}:8080/platform.git");
    stage.show(&["get", "nodes"])?;
    Ok(())
}

/// `helm install`, least privilege included.
pub fn platform(stage: &mut Stage) -> Result<()> {
    let (image, agent) = (tag(cluster::PLATFORM_IMAGE), tag(cluster::AGENT_IMAGE));
    let set = format!("image.tag={image},agent.image.tag={agent}");
    let chart = stage.checkout("charts/paamesh");
    let said = Command::new(tool("helm")?)
        .args(["upgrade", "--install", "paamesh"])
        .arg(chart)
        .args(["--namespace", PLATFORM, "--create-namespace", "--set", &set])
        .env("KUBECONFIG", stage.kubectl.kubeconfig())
        .output()
        .context("run helm")?;
    ensure!(
        said.status.success(),
        "helm install: {}",
        String::from_utf8_lossy(&said.stderr).trim()
    );
    stage
        .voice
        .command("helm install paamesh charts/paamesh -n paamesh-system");
    for service in platform::SERVICES {
        platform::await_service(stage, service)?;
    }
    stage.show(&["get", "pods", "-n", PLATFORM])?;
    let served = stage.kubectl.run(&[
        "api-resources",
        "--api-group",
        "middleware.io",
        "-o",
        "name",
    ])?;
    let mut kinds: Vec<&str> = served
        .lines()
        .filter_map(|kind| kind.split('.').next())
        .collect();
    kinds.sort_unstable();
    ensure!(kinds.len() == 7, "kinds: {kinds:?}");
    stage.say(format!("Kinds: {}", kinds.join(", ")));
    programs(stage)?;
    least_privilege(stage)
}

/// The programs say which version they are; the plugin is found as kubectl finds plugins, in PATH.
fn programs(stage: &Stage) -> Result<()> {
    let paamesh = Command::new(&stage.options.paamesh)
        .arg("version")
        .output()?;
    let version = String::from_utf8_lossy(&paamesh.stdout).trim().to_owned();
    ensure!(
        version.starts_with("paamesh 0."),
        "paamesh version: {version}"
    );
    stage.say(version);
    let beside = stage.options.paamesh.canonicalize()?;
    let beside = beside.parent().context("the program lies nowhere")?;
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", beside.display());
    let plugin = stage
        .kubectl
        .command(["middleware", "version"])
        .env("PATH", path)
        .output()?;
    let version = String::from_utf8_lossy(&plugin.stdout).trim().to_owned();
    ensure!(
        version.contains("middleware.io/v1alpha1"),
        "kubectl middleware version: {version}"
    );
    stage.say(version);
    Ok(())
}

/// What the services may not do, as the API server itself judges.
fn least_privilege(stage: &Stage) -> Result<()> {
    let questions = [
        ("registry", "create", "pods", "no"),
        ("registry", "update", "addonledgers.middleware.io", "no"),
        ("operator", "list", "secrets", "no"),
        ("operator", "create", "middlewareaddons.middleware.io", "no"),
        ("operator", "create", "pods", "yes"),
    ];
    for (service, verb, resource, wanted) in questions {
        let account = format!("--as=system:serviceaccount:{PLATFORM}:paamesh-{service}");
        let out = stage
            .kubectl
            .output(&["auth", "can-i", verb, resource, "-A", &account])?;
        let said = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        ensure!(
            said == wanted,
            "may the {service} {verb} {resource}? {said}, not {wanted}"
        );
        stage.say(format!("May the {service} {verb} {resource}? {said}"));
    }
    Ok(())
}

fn tag(image: &str) -> &str {
    image.rsplit_once(':').map_or("", |(_, tag)| tag)
}
