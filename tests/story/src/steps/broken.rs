//! Step 7: broken addons harm nobody.

use crate::{
    addon, look,
    stage::{PLATFORM, Stage},
    steps::run::{REPLICATION, STANDALONE},
};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// What is broken: the addon's name, and the file that the verdict must name.
const BROKEN: [(&str, &str); 4] = [
    ("badyaml", "addon.yaml"),
    ("badfield", "addon.yaml"),
    ("badtemplate", "templates/"),
    ("nofile", "addon.yaml"),
];

/// Four broken addons and a good one in one push: the good is published, the broken stand in the
/// source's status with file and line, and hold no version; running Apps are untouched.
pub fn among_good_ones(stage: &mut Stage) -> Result<()> {
    let apps = [STANDALONE, REPLICATION];
    let before: Vec<_> = apps
        .iter()
        .map(|app| stage.owned(app))
        .collect::<Result<_>>()?;
    addon::add_copy(stage, "redis", "1.2.0")?;
    for (plugin, _) in BROKEN {
        addon::add_copy(stage, plugin, "0.1.0")?;
        break_it(stage, plugin)?;
    }
    let commit = addon::push(stage, "Add redis 1.2.0, and four addons that are broken")?;
    addon::reconcile_now(stage)?;
    addon::await_active(stage, "redis-1.2.0")?;
    let source = stage.wait(60, "the source tells what is broken", || {
        let source = addon::source_at(stage, &commit)?;
        look::told_why(&source, "Ready", "False", "AddonsFailed")?;
        Ok(source)
    })?;
    let failed = look::list(&source, "/status/failed");
    ensure!(failed.len() == BROKEN.len(), "{failed:?}");
    for (plugin, file) in BROKEN {
        let verdict = verdict(failed, plugin, file)?;
        stage.say(verdict);
        holds_no_version(stage, plugin)?;
    }
    for (app, before) in apps.iter().zip(&before) {
        let changed = look::differences(before, &stage.owned(app)?);
        ensure!(changed.is_empty(), "{app}: {}", changed.join(", "));
    }
    stage.show(&["get", "mwa"])?;
    Ok(())
}

fn break_it(stage: &Stage, plugin: &str) -> Result<()> {
    let folder = addon::folder(plugin, "0.1.0");
    let manifest = format!("{folder}/addon.yaml");
    let repository = &stage.repository;
    match plugin {
        "badyaml" => repository.replace(&manifest, "\nruntimes:", "\nruntimes: [unfinished\n"),
        "badfield" => repository.replace(&manifest, "\nruntimes:", "\ncolour: red\nruntimes:"),
        "badtemplate" => {
            let template = a_template(stage, &folder)?;
            let text = repository.read(&template)?;
            repository.write(&template, &format!("{text}\n{{{{ nobody.said.this }}}}\n"))
        }
        _ => repository.remove(&a_template(stage, &folder)?),
    }
}

/// The first template of an addon.
fn a_template(stage: &Stage, folder: &str) -> Result<String> {
    let entries = std::fs::read_dir(stage.repository.path(&format!("{folder}/templates")))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.sort_unstable();
    let first = names.first().context("redis has no template to break")?;
    Ok(format!("{folder}/templates/{first}"))
}

/// The first finding of a broken addon, as compilers print it; it names the file, and a line where
/// the file is there.
fn verdict(failed: &[Value], plugin: &str, file: &str) -> Result<String> {
    let addon = look::find(failed, plugin, |f| {
        look::text(f, "/directory").contains(plugin)
    })?;
    let finding = look::find(look::list(addon, "/findings"), "such finding", |f| {
        look::text(f, "/file").starts_with(file)
    })?;
    let line = finding["line"]
        .as_u64()
        .with_context(|| format!("no line: {finding}"))?;
    let (file, message) = (
        look::text(finding, "/file"),
        look::text(finding, "/message"),
    );
    ensure!(line > 0 && !message.is_empty(), "{finding}");
    Ok(format!(
        "{}/{file}:{line}: {message}",
        look::text(addon, "/directory")
    ))
}

fn holds_no_version(stage: &Stage, plugin: &str) -> Result<()> {
    let label = format!("middleware.io/plugin={plugin}");
    let versions = stage.list(&["mwa", "-l", &label])?;
    ensure!(versions.is_empty(), "{plugin} is in the catalog");
    ensure!(
        addon::content(stage, plugin)?.is_empty(),
        "{plugin} has content"
    );
    let ledgers = stage.list(&["mwl"])?;
    ensure!(
        ledgers
            .iter()
            .all(|l| look::text(l, "/metadata/name") != plugin),
        "{plugin} has a ledger"
    );
    Ok(())
}

/// The author mends the bytes and keeps the version; a broken one made by hand is Failed.
pub fn fixed(stage: &mut Stage) -> Result<()> {
    for (plugin, _) in BROKEN {
        stage.repository.remove(&format!("addons/{plugin}"))?;
        addon::add_copy(stage, plugin, "0.1.0")?;
    }
    let commit = addon::push(stage, "Mend what was broken")?;
    addon::reconcile_now(stage)?;
    for (plugin, _) in BROKEN {
        addon::await_active(stage, &format!("{plugin}-0.1.0"))?;
    }
    stage.wait(60, "nothing has failed any more", || {
        let source = addon::source_at(stage, &commit)?;
        look::told(&source, "Ready", "True")?;
        ensure!(look::list(&source, "/status/failed").is_empty(), "{source}");
        Ok(())
    })?;
    stage.show(&["get", "mws"])?;
    broken_by_hand(stage)
}

fn broken_by_hand(stage: &Stage) -> Result<()> {
    stage.kubectl.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: scribble, namespace: {PLATFORM}}}\n\
         data:\n  addon.yaml: |\n    apiVersion: middleware.io/v1alpha1\n    kind: Addon\n    colour: red\n\
         ---\napiVersion: middleware.io/v1alpha1\nkind: MiddlewareAddon\nmetadata: {{name: scribble-1.0.0}}\n\
         spec:\n  plugin: scribble\n  version: 1.0.0\n  content:\n  - {{section: manifest, kind: ConfigMap, name: scribble}}\n"
    ))?;
    let message = stage.wait(60, "scribble-1.0.0 is Failed", || {
        let version = stage.kubectl.json(&["get", "mwa", "scribble-1.0.0"])?;
        let phase = look::text(&version, "/status/phase");
        ensure!(phase == "Failed", "{phase}: {}", look::conditions(&version));
        Ok(look::told_why(&version, "Ready", "False", "Invalid")?.to_owned())
    })?;
    look::names_all(&message, &["addon.yaml:", "colour"])?;
    stage.say(format!("by hand: {message}"));
    stage
        .kubectl
        .run(&["delete", "mwa", "scribble-1.0.0", "--timeout=60s"])?;
    Ok(())
}
