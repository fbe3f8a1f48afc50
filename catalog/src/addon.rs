//! `kubectl middleware addon`: what an author does with a package before it reaches a cluster. The
//! verdicts are those of the crate `package`, which registry and operator ask too.

mod against;
mod checked;
mod compare;
mod copy;
mod dev;
mod diff;
mod digest;
mod draw;
pub(crate) mod evaluator;
mod excerpt;
mod explain;
pub(crate) mod graph;
mod init;
mod instance;
mod lint;
pub(crate) mod made;
mod pack;
mod published;
mod pull;
mod push;
pub(crate) mod reach;
mod read;
mod registry;
mod render;
mod schema;
mod sign;
mod skeleton;
mod verify;
pub(crate) mod way;

pub(crate) use registry::OciReference;

use crate::{
    args::AddonCommand,
    output::{Outcome, judge, show},
};
use package::{Finding, Manifest, Tree};
use std::path::{Path, PathBuf};

/// Does what `command` says.
///
/// # Errors
/// The work could not be done.
pub(crate) fn run(command: AddonCommand) -> anyhow::Result<Outcome> {
    match command {
        AddonCommand::Init(args) => show(&init::init(&args)?, args.output.output),
        AddonCommand::Lint(args) => judge(&lint::lint(&args.dir)?, args.output.output),
        AddonCommand::Digest(args) => show(&digest::digest(&args.dir)?, args.output.output),
        AddonCommand::Render(args) => show(&render::render(&args)?, args.output.output),
        AddonCommand::Explain(args) => show(&explain::explain(&args)?, args.output.output),
        AddonCommand::Package(args) => show(&pack::pack(&args)?, args.output),
        AddonCommand::Check(args) => judge(&against::check(&args)?, args.output.output),
        AddonCommand::Dev(args) => dev::run(&args),
        AddonCommand::Push(args) => show(&push::push(&args)?, args.output.output),
        AddonCommand::Pull(args) => show(&pull::pull(&args)?, args.output),
        AddonCommand::Copy(args) => show(&copy::copy(&args)?, args.output.output),
        AddonCommand::Sign(args) => show(&sign::sign(&args)?, args.output.output),
        AddonCommand::Verify(args) => show(&verify::verify(&args)?, args.output.output),
        AddonCommand::Diff(args) => show(&compare::diff(&args)?, args.output.output),
        AddonCommand::Schema => schema::schema(),
    }
}

/// See [`crate::tree`].
pub(crate) fn tree(directory: &Path) -> anyhow::Result<Result<Tree, Vec<Finding>>> {
    Ok(read::tree(directory)?)
}

/// The manifests of all addons in `directories` that can be read; nothing else of them is judged.
pub(crate) fn manifests(directories: &[PathBuf]) -> Vec<Manifest> {
    let found = read::addons(directories).unwrap_or_default();
    let trees = found.iter().filter_map(|path| read::tree(path).ok()?.ok());
    let packages = trees.filter_map(|tree| package::load(tree).ok());
    packages.map(|package| package.manifest).collect()
}
