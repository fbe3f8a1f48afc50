//! What the shipped Redis addon costs: the checks at its door, its digest, and what an App of it is
//! rendered to. `cargo bench --workspace --bench addon`; the programs of the sandbox are compiled before.

use api::names::ComponentName;
use divan::{Bencher, black_box};
use evaluate::{Host, Process, Settings};
use package::{
    Evaluate, Package, Tree,
    render::{Context, Instance, config_files, objects},
};
use std::{collections::BTreeMap, path::Path};

#[path = "../tests/package/files.rs"]
#[allow(clippy::unwrap_used, reason = "it is a helper of tests too")]
mod files;

fn main() {
    divan::main();
}

fn tree() -> Tree {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../addons/redis/2.0.0");
    Tree::from_files(files::below(&folder)).unwrap_or_default()
}

fn child() -> Process {
    Process::with(Settings {
        command: vec![env!("CARGO_BIN_EXE_paamesh-evaluate").into()],
        ..Settings::default()
    })
}

/// The configuration files and the further objects of an App of three members.
fn rendered(package: &Package, evaluate: &dyn Evaluate) -> Option<usize> {
    let instance = Instance {
        app: "shop".parse().ok()?,
        namespace: "default".to_owned(),
        topology: "replication".parse().ok()?,
        profile: None,
        runtime: package.manifest.runtimes.first()?.version.clone(),
        components: BTreeMap::new(),
    };
    let context = Context::new(package, &instance, evaluate).ok()?;
    let component: ComponentName = "redis".parse().ok()?;
    let files = config_files(package, &component, &context, evaluate).ok()?;
    let objects = objects(package, &component, &context, evaluate).ok()?;
    Some(files.len() + objects.len())
}

fn all(tree: Tree, evaluate: &dyn Evaluate) -> Option<usize> {
    let package = package::check(tree, evaluate).ok()?;
    rendered(&package, evaluate)
}

#[divan::bench]
fn digest(bencher: Bencher<'_, '_>) {
    let tree = tree();
    bencher.bench_local(|| black_box(&tree).digest());
}

#[divan::bench]
fn check_in_a_child(bencher: Bencher<'_, '_>) {
    let (tree, child) = (tree(), child());
    assert!(package::check(tree.clone(), &child).is_ok());
    bencher.bench_local(|| package::check(black_box(tree.clone()), &child));
}

#[divan::bench]
fn render_in_a_child(bencher: Bencher<'_, '_>) {
    let child = child();
    let Ok(package) = package::load(tree()) else {
        return;
    };
    assert!(rendered(&package, &child).is_some());
    bencher.bench_local(|| rendered(black_box(&package), &child));
}

/// The checks take the digest too.
#[divan::bench]
fn check_digest_and_render_in_a_child(bencher: Bencher<'_, '_>) {
    let (tree, child) = (tree(), child());
    assert!(all(tree.clone(), &child).is_some());
    bencher.bench_local(|| all(black_box(tree.clone()), &child));
}

#[divan::bench]
fn check_digest_and_render_here(bencher: Bencher<'_, '_>) {
    let tree = tree();
    assert!(all(tree.clone(), &Host).is_some());
    bencher.bench_local(|| all(black_box(tree.clone()), &Host));
}
