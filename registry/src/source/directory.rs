//! A directory that its author works in: each saved state is a pre-release of its own,
//! `<version>-dev.<n>`, so a directory never changes a version either.
//!
//! In: a directory below the root that the program was started with. Out: the state that stands there
//! now, under the number that it has, or the next one. What the checks refuse is said and takes no
//! number. [`watch`] sees to it that a saved state is looked at at once.

mod files;
mod numbers;
pub(crate) mod watch;

pub(crate) use numbers::Numbers;

use super::{
    look::{self, Failure, Looked, Looking, Place, Stopped},
    observed::{Look, Offer, Verdict},
};
use api::{Version, crd::source::DirectorySource};
use files::Addon;
use package::{
    Evaluate, Finding, Package, Tree,
    graph::{Dev, with_version},
    manifest,
};
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};
use transport::{Content, collector::Files};

/// Where the states lie that a look found: the digest of a state → its directory and version.
#[derive(Clone)]
pub(crate) struct States {
    root: PathBuf,
    of: Arc<BTreeMap<String, (String, Version)>>,
}

impl States {
    /// The files of the state `tree`, if it still stands there.
    pub fn content(&self, tree: &str) -> Result<Content, Failure> {
        let gone = || Failure::passing("the directory has changed since; it is looked at again");
        let (directory, version) = self.of.get(tree).ok_or_else(gone)?;
        let Ok(files) = files::read(&self.root.join(directory)) else {
            return Err(gone());
        };
        let state = state(&files, version).map_err(|_| gone())?;
        if state.digest().as_str() != tree {
            return Err(gone());
        }
        let files = state.files();
        let files = files.map(|(path, bytes)| (path.to_owned(), bytes.to_vec()));
        Ok(Content::Files(files.collect()))
    }
}

/// The directory `path` below `root`, with no symbolic link that leads out of it.
pub(crate) fn place(root: &Path, path: &str) -> Result<PathBuf, String> {
    let root = root.canonicalize().map_err(|error| {
        let root = root.display();
        format!("the registry's root of directories, {root}: {error}; check --directories")
    })?;
    let shown = root.join(path);
    let found = shown.canonicalize().map_err(|error| {
        let shown = shown.display();
        format!(
            "{shown}: {error}; directory.path is relative to the registry's root of directories"
        )
    })?;
    if !found.starts_with(&root) {
        let root = root.display();
        return Err(format!(
            "directory.path `{path}` leads out of {root}, the registry's root of directories"
        ));
    }
    if !found.is_dir() {
        return Err(format!("{} is no directory", found.display()));
    }
    Ok(found)
}

/// Looks at the directory `source`.
pub(crate) async fn look(
    looking: &Looking<'_>,
    source: &DirectorySource,
) -> Result<Looked, Stopped> {
    let context = looking.context;
    let Some(root) = context.settings.directories.clone() else {
        let why = "directories are not served here: start the registry with --directories, and the \
                   root that all of them lie below";
        return Err(Stopped::invalid(why));
    };
    let path = source.path.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let root = place(&root, &path)?;
        let addons = files::addons(&root);
        addons.map(|addons| (root, addons))
    });
    let broken = |_| Stopped::failed(false, "reading the directory broke off");
    let (root, addons) = match reading.await.map_err(broken)? {
        Ok(read) => read,
        Err(why) => return Err(Stopped::failed(false, why)),
    };
    let Some(_worker) = looking.worker().await else {
        return Err(Stopped::failed(false, "the registry is ending"));
    };
    let numbering = context.numbers.reading(&context.caches);
    let evaluate = context.evaluate.clone();
    let judging = tokio::task::spawn_blocking(move || {
        let judged = addons.into_iter();
        let judged = judged.map(|addon| judged_addon(addon, &numbering, evaluate.as_ref()));
        judged.collect::<Vec<_>>()
    });
    let broken = |_| Stopped::failed(false, "the checks broke off");
    let judged = judging.await.map_err(broken)?;
    Ok(found(root, judged))
}

fn found(root: PathBuf, judged: Vec<(Offer, Option<Package>)>) -> Looked {
    let (mut offers, mut fresh) = (Vec::new(), HashMap::new());
    let mut states = BTreeMap::new();
    for (offer, package) in judged {
        if let Verdict::Good { version, .. } = &offer.verdict {
            let at = (offer.directory.clone(), version.clone());
            states.insert(offer.tree.clone(), at);
        }
        // The files may be others in a moment: what was judged is what is projected.
        if let Some(package) = package {
            fresh.insert(offer.tree.clone(), Arc::new(package));
        }
        offers.push(offer);
    }
    let trees = offers.iter();
    let trees = trees.map(|offer| (offer.directory.as_str(), offer.tree.as_bytes()));
    // One that tells states of all addons apart.
    let revision = format!("dev@{}", package::section_digest(&trees.collect(), "."));
    let of = Arc::new(states);
    Looked {
        look: Look::Found { revision, offers },
        place: Some(Place::Directory(States { root, of })),
        fresh,
        again: None,
    }
}

fn judged_addon(
    addon: Addon,
    numbering: &numbers::Reading,
    evaluate: &dyn Evaluate,
) -> (Offer, Option<Package>) {
    let Addon { directory, files } = addon;
    let (verdict, package) = match files.and_then(|files| numbered(&files, numbering, evaluate)) {
        Ok(judged) => judged,
        Err(findings) => (look::refused(findings), None),
    };
    let tree = match &verdict {
        Verdict::Good { digest, .. } => digest.to_string(),
        _ => String::new(),
    };
    let offer = Offer {
        directory,
        tree,
        revision: None,
        signer: None,
        images: Vec::new(),
        verdict,
    };
    (offer, package)
}

/// What the state that `files` are is: the one of the highest number where they are its bytes, else the
/// next.
fn numbered(
    files: &Files,
    numbering: &numbers::Reading,
    evaluate: &dyn Evaluate,
) -> Result<(Verdict, Option<Package>), Vec<Finding>> {
    let saved = match package::load(Tree::from_files(files.clone())?) {
        Ok(package) => package.manifest,
        Err(refusal) => return Ok((look::unpublishable(refusal), None)),
    };
    let (plugin, base) = (saved.name, saved.version);
    if Dev::of(&base).is_some() {
        let message = format!(
            "`{base}` is what the registry calls a saved state of a version; write the version itself"
        );
        return Err(finding(message));
    }
    let highest = numbering.highest(&plugin, &base);
    if let Some((n, published)) = &highest
        && let Ok(package) = package::load(state(files, &version(&base, *n)?)?)
        && *published == Some(package.digest.clone())
    {
        return Ok((look::good(&package), Some(package)));
    }
    let n = highest.map_or(0, |(n, _)| n) + 1;
    let tree = state(files, &version(&base, n)?)?;
    let (verdict, package) = look::checked(tree, evaluate, |_| false);
    if let Some(package) = &package {
        numbering.take(&plugin, &base, n, &package.digest);
    }
    Ok((verdict, package))
}

/// `files` with `version` in the manifest.
fn state(files: &Files, version: &Version) -> Result<Tree, Vec<Finding>> {
    let mut files = files.clone();
    for (path, bytes) in &mut files {
        if path == manifest::FILE {
            let text = std::str::from_utf8(bytes);
            let text = text.map_err(|_| finding("it is not UTF-8".to_owned()))?;
            let written = with_version(text, version).map_err(|finding| vec![finding])?;
            *bytes = written.into_bytes();
        }
    }
    Tree::from_files(files)
}

fn version(base: &Version, n: u64) -> Result<Version, Vec<Finding>> {
    let dev = Dev {
        base: base.clone(),
        n,
    };
    let too_long = || {
        finding(format!(
            "`{base}` leaves no room for `-dev.{n}`; shorten it"
        ))
    };
    dev.version().ok_or_else(too_long)
}

fn finding(message: String) -> Vec<Finding> {
    vec![Finding {
        file: manifest::FILE.to_owned(),
        message,
        ..Finding::default()
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_out_of_the_root_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        std::fs::create_dir_all(root.join("redis")).unwrap();
        std::fs::write(root.join("file"), "").unwrap();
        std::os::unix::fs::symlink("..", root.join("up")).unwrap();
        std::os::unix::fs::symlink("redis", root.join("link")).unwrap();
        assert!(place(&root, "redis").is_ok() && place(&root, ".").is_ok());
        assert_eq!(place(&root, "link"), place(&root, "redis"));
        for (path, want) in [
            ("..", "leads out of"),
            ("up", "leads out of"),
            ("/etc", "leads out of"),
            ("file", "is no directory"),
            ("missing", "relative to the registry's root"),
        ] {
            let why = place(&root, path).unwrap_err();
            assert!(why.contains(want), "{path}: {why}");
        }
        let why = place(&root.join("gone"), ".").unwrap_err();
        assert!(why.contains("check --directories"), "{why}");
    }
}
